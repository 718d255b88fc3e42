//! Beginning a run, and resuming one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::checkpoint::Checkpoint;
use super::control::Throttle;
use super::end::{execute, finish, note_failure, tidy};
use super::engine::Context;
use super::journal::{self, Named};
use super::plan::{Decisions, PLAN_SCHEMA, Plan, RunRequest};
use super::run_folder::RunFolder;
use super::states::State;
use super::{Observer, RunError, new_id, now_iso, preflight};
use crate::ends::{
    Batch, BatchLimits, Claim, Damage, Destination, Left, NamedJobs, Opened, Origin, PlannedSource,
};
use crate::pass::pipeline;
use crate::pass::{OnlyRejects, SourceHash};
use crate::store::{Files, absolute};
use reshelve_core::mapping::{InFlight, VERSION};

/// How a run ended.
#[derive(Debug)]
pub enum Stop {
    /// It is done.
    Done,
    /// It was stopped from outside, and can be resumed.
    Interrupted,
    /// It was stopped from outside for good.
    Cancelled,
    /// It was stopped at the first reject, as asked, and can be resumed.
    FirstReject,
    /// It met a job in flight, and nobody has decided what becomes of these. Everything before it
    /// is dealt with; resumed with a decision, the run goes on.
    InFlight {
        /// The job's id.
        job: String,
    },
    /// The source is damaged; mended, it can be resumed.
    Damaged(Damage),
}

/// What a run leaves to be told.
#[derive(Debug)]
pub struct Report {
    /// What it was told.
    pub plan: Plan,
    /// Its folder.
    pub folder: RunFolder,
    /// The last checkpoint.
    pub checkpoint: Checkpoint,
    /// How it ended.
    pub stop: Stop,
}

impl Report {
    /// Remembers where the source is since, if it has moved. It is the same one only once it has
    /// given everything that was read `before`.
    fn with_source(self, moved: Option<PlannedSource>, before: u64) -> Result<Self, RunError> {
        let is_same = self.checkpoint.source.count > before || matches!(self.stop, Stop::Done);
        let Some(source) = moved.filter(|_| is_same) else { return Ok(self) };
        self.folder.decide(None, Some(source))?;
        Ok(Report { plan: self.folder.plan()?, ..self })
    }
}

/// What `resume` is asked to do.
#[derive(Clone, Debug)]
pub struct ResumeRequest {
    /// The run.
    pub folder: RunFolder,
    /// What becomes of jobs in flight, where nobody had decided.
    pub in_flight: Option<InFlight>,
    /// Limits of a batch.
    pub batch: BatchLimits,
    /// Mapping threads.
    pub jobs: usize,
    /// A checkpoint is due after so many target bytes.
    pub checkpoint_bytes: u64,
    /// What changes of the run's throttle; 0 takes a limit away.
    pub throttle: Throttle,
}

/// The two ends of a run.
pub struct Ends<'e> {
    /// Where legacy documents come from.
    pub origin: &'e dyn Origin,
    /// Where target documents go.
    pub destination: &'e mut dyn Destination,
}

impl std::fmt::Debug for Ends<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ends").finish_non_exhaustive()
    }
}

/// Begins a run.
///
/// # Errors
/// [`RunError::Refused`] and a refused [`RunError::End`] where the preflight finds a reason not to
/// start; others where disk or target fail: the run can be resumed then.
pub fn start(
    request: &RunRequest,
    ends: Ends<'_>,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    let Ends { origin, destination } = ends;
    let opened = origin.open()?;
    let of_target = request.of_target(opened.description.size());
    preflight::check_oplog(request, &opened)?;
    let base = destination.look(&of_target, observer)?;
    preflight::check_in_flight(request, origin, &opened)?;
    let only = rejects_of(request.files.as_ref(), request.only_rejects.as_deref())?;
    if let Some(remark) = only.as_ref().and_then(OnlyRejects::remark) {
        observer.note(&format!("note: {remark}"));
    }
    let number = Some(RunFolder::next_number(&request.files, &request.runs_folder)?);
    let plan = Plan { base, number, ..plan_of(request, origin, destination, &opened) };
    let (folder, _present) =
        RunFolder::create(Arc::clone(&request.files), &request.runs_folder, &plan)?;
    folder.throttle(request.throttle)?;
    if plan.apply
        && let Err(error) = destination.lock(&plan.claim(&folder), request.abandoned())
    {
        folder.remove()?;
        return Err(error.into());
    }
    if plan.apply
        && let Err(error) = folder.keep_target(&plan.run, destination)
    {
        // Nothing is written yet. The first error is the one to tell.
        drop(destination.forget(&plan.claim(&folder)));
        drop(destination.unlock());
        folder.remove()?;
        return Err(error);
    }
    let context = Context {
        plan: &plan,
        folder: &folder,
        batch: request.batch,
        jobs: request.jobs,
        checkpoint_bytes: request.checkpoint_bytes,
        stop,
        bytes_total: opened.description.bytes_total,
        only,
    };
    let mut from = Checkpoint::start(plan.base.position.clone());
    from.enter(State::Running)?;
    folder.write_checkpoint(&from)?;
    observer.begun(&plan, &folder, opened.description.bytes_total);
    let result = execute(&context, opened, destination, from, observer);
    note_failure(&folder, destination, result)
}

/// Resumes a run.
///
/// # Errors
/// As for [`start`]; refused too where the run is done, the source is not the one it has read, or
/// another decision on jobs in flight was made before.
pub fn resume(
    request: &ResumeRequest,
    ends: Ends<'_>,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    let Ends { origin, destination } = ends;
    let folder = &request.folder;
    let mut plan = folder.plan()?;
    // Obtained before anything else is looked at: a second process is refused.
    let _present = folder.hold_again(&plan.run)?;
    let mut from = folder.checkpoint()?;
    if from.state.is_ended() {
        return tidy(plan, folder, from, destination, observer);
    }
    preflight::check_followed(&plan, &from)?;
    preflight::check_decision(&plan, request.in_flight)?;
    let was = begin_again(&plan, folder, &mut from, request.throttle)?;
    let claim = plan.claim(folder);
    if plan.apply {
        lock_again(&claim, folder, &from, destination, observer)?;
    }
    if from.is_finishing {
        // All that is left to do needs no source.
        folder.remove_leftovers()?;
        observer.begun(&plan, folder, None);
        let result = finish(&plan, folder, from, destination);
        return note_failure(folder, destination, result);
    }
    let only = rejects_of(folder.files(), plan.only_rejects.as_deref())?;
    let opened = origin.open_after(&from.source).map_err(RunError::from);
    let opened = match opened.and_then(|it| preflight::check_size(&plan, was == State::Failed, it))
    {
        Ok(opened) => opened,
        Err(error) => {
            drop(destination.leave());
            return Err(error);
        }
    };
    if let Some(warning) = preflight::other_size(&plan, was == State::Failed, &opened) {
        observer.note(&warning);
    }
    let decided = request.in_flight.filter(|_| plan.apply && plan.options.in_flight.is_none());
    if decided.is_some() {
        folder.decide(decided, None)?;
        plan = folder.plan()?;
    }
    // A pipe is not there any more when somebody looks.
    let moved = Some(origin.planned(&opened.description))
        .filter(|now| now.path != plan.source.path && opened.description.rewindable);
    let context = Context {
        plan: &plan,
        folder,
        batch: request.batch,
        jobs: request.jobs,
        checkpoint_bytes: request.checkpoint_bytes,
        stop,
        bytes_total: opened.description.bytes_total,
        only,
    };
    folder.remove_leftovers()?;
    observer.begun(&plan, folder, opened.description.bytes_total);
    let from = take_up(from, &plan, folder, (origin, &opened), observer)?;
    let before = from.source.count;
    let result = execute(&context, opened, destination, from, observer);
    note_failure(folder, destination, result)?.with_source(moved, before)
}

/// The run goes on: nothing is asked of it any more, and its checkpoint does not say that it waits.
/// Returns the state that it was left in.
fn begin_again(
    plan: &Plan,
    folder: &RunFolder,
    from: &mut Checkpoint,
    throttle: Throttle,
) -> Result<State, RunError> {
    let was = from.state;
    preflight::check_step(plan, was, State::Running)?;
    // Later it would be too late: a rollback needs all of it.
    journal::check(folder, from.journal)?;
    from.enter(State::Running)?;
    folder.ask_to_go_on(throttle)?;
    if matches!(was, State::Planned | State::Paused) {
        folder.write_checkpoint(from)?;
    }
    Ok(was)
}

fn lock_again(
    claim: &Claim,
    folder: &RunFolder,
    from: &Checkpoint,
    destination: &mut dyn Destination,
    observer: &mut dyn Observer,
) -> Result<(), RunError> {
    folder.expect_target(&claim.run, destination)?;
    let named = Named::of_tail(folder, from.journal);
    let documents = from.totals.documents;
    let jobs = documents.written + documents.unchanged;
    // When all is written, nothing is cut off any more.
    let named: Option<&dyn NamedJobs> = if from.is_finishing { None } else { Some(&named) };
    destination.lock_again(claim, &Left { position: &from.target, jobs, named }, observer)?;
    // A process may have been killed before it kept it; and what was put back is the run's now.
    folder.keep_target(&claim.run, destination)
}

/// The checkpoint that a run resumes from: the last one, or the beginning, where a checksum of the
/// source had failed and the documents before that place differ now.
fn take_up(
    mut from: Checkpoint,
    plan: &Plan,
    folder: &RunFolder,
    (origin, opened): (&dyn Origin, &Opened),
    observer: &mut dyn Observer,
) -> Result<Checkpoint, RunError> {
    // What can be read once only cannot be compared beforehand.
    if from.in_doubt && !(opened.description.rewindable && still_agrees(&from, origin)?) {
        observer.note(
            "the damage had cast doubt on documents before it, and these differ now, or cannot be \
             read twice: the run begins again",
        );
        let start = Checkpoint::start(plan.base.position.clone());
        from = Checkpoint { elapsed_ms: from.elapsed_ms, state: from.state, ..start };
        folder.write_checkpoint(&from)?;
    }
    from.reason = None;
    Ok(from)
}

/// Whether the documents that a run has read are still the same in a source that was in doubt.
fn still_agrees(from: &Checkpoint, origin: &dyn Origin) -> Result<bool, RunError> {
    let mut source = origin.open()?.source;
    let mut batch = Batch::default();
    let mut hash = SourceHash::default();
    let mut left = usize::try_from(from.source.count).unwrap_or(usize::MAX);
    let mut bson = Vec::new();
    while left > 0 {
        batch.clear();
        let limits = BatchLimits { docs_max: left.min(1_000), ..BatchLimits::default() };
        match source.fill(&mut batch, limits) {
            Ok(true) => {}
            Ok(false) | Err(_) => return Ok(false),
        }
        for item in &batch.items {
            hash.add(&pipeline::fingerprint(&batch, item, &mut bson));
        }
        left -= batch.items.len();
    }
    Ok(hash.hex() == from.source_hash)
}

/// The rejects of another run, if only those are taken.
fn rejects_of(files: &dyn Files, run: Option<&Path>) -> Result<Option<OnlyRejects>, RunError> {
    Ok(run.map(|run| OnlyRejects::read(files, run)).transpose()?)
}

/// The id of the run whose rejects are taken: its folder may have another name by now.
fn parent_of(request: &RunRequest) -> Option<String> {
    let folder = request.only_rejects.clone()?;
    RunFolder::on(Arc::clone(&request.files), folder).plan().ok().map(|plan| plan.run)
}

fn plan_of(
    request: &RunRequest,
    origin: &dyn Origin,
    destination: &dyn Destination,
    opened: &Opened,
) -> Plan {
    Plan {
        schema: PLAN_SCHEMA.to_owned(),
        run: new_id(),
        number: None,
        begun_at: now_iso(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        mapping: VERSION.to_owned(),
        source: origin.planned(&opened.description),
        target: destination.planned(),
        apply: request.apply,
        options: Decisions {
            on_unknown_status: request.on_unknown_status,
            status_policy: request.status_policy,
            in_flight: request.in_flight,
        },
        on_existing: request.on_existing,
        only_rejects: request.only_rejects.as_deref().map(absolute),
        retry_of: parent_of(request),
        limit: request.limit,
        fail_fast: request.fail_fast,
        base: Default::default(),
        from_plan: request.from_plan.clone(),
        saves_plan: request.saves_plan.clone(),
    }
}

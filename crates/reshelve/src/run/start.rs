//! Beginning a run, going on with one, and ending it.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use super::checkpoint::{Checkpoint, SourceHash, State};
use super::engine::{Context, Ended, Engine, Outturn};
use super::plan::{PLAN_SCHEMA, Plan, RunRequest};
use super::preflight::Refusal;
use super::rejects::OnlyRejects;
use super::run_folder::RunFolder;
use super::{Observer, RunError, absolute, preflight};
use crate::ends::Destination;
use crate::ends::{Batch, BatchLimits, Damage, DamageKind};
use crate::ends::{Opened, Origin};
use crate::folder::Abandoned;
use crate::pass::pipeline;
use crate::store::At;
use reshelve_core::mapping::{Options, VERSION};
use reshelve_core::raw::iso;

/// How a run ended.
#[derive(Debug)]
pub enum Stop {
    /// It is done.
    Done,
    /// It was stopped from outside, and can be resumed.
    Interrupted,
    /// It was stopped at the first reject, as asked, and can be resumed.
    FirstReject,
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

/// What `resume` is asked to do.
#[derive(Clone, Debug)]
pub struct ResumeRequest {
    /// The run.
    pub folder: RunFolder,
    /// Limits of a batch.
    pub batch: BatchLimits,
    /// Mapping threads.
    pub jobs: usize,
    /// A checkpoint is due after so many target bytes.
    pub checkpoint_bytes: u64,
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
/// [`RunError::Refused`] where the preflight finds a reason not to start; others where disk or
/// target fail: the run can be resumed then.
pub fn start(
    request: &RunRequest,
    ends: Ends<'_>,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    let Ends { origin, destination } = ends;
    let opened = origin.open()?;
    let base = destination.look(request, &opened.description, observer)?;
    preflight::check_in_flight(request, origin, &opened)?;
    let only = request.only_rejects.as_deref().map(OnlyRejects::read).transpose()?;
    let plan = Plan {
        base: base.position,
        base_documents: base.documents,
        ..plan_of(request, origin, destination, &opened)
    };
    let folder = RunFolder::create(&request.runs_folder, &plan)?;
    if plan.apply {
        let abandoned = if request.take_over { Abandoned::TakeOver } else { Abandoned::Keep };
        if let Err(error) = destination.lock(&plan, &folder, abandoned) {
            folder.remove()?;
            return Err(error);
        }
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
        marks: origin.goes_on_by_id(),
    };
    let from = Checkpoint::start(base.position);
    let _present = folder.hold()?;
    observer.begun(&plan, &folder, opened.description.bytes_total);
    let result = execute(&context, opened, destination, from, observer);
    note_failure(&folder, destination, result)
}

/// Goes on with a run.
///
/// # Errors
/// As for [`start`]; refused too where the run is done, or the source is not the one it has read.
pub fn resume(
    request: &ResumeRequest,
    ends: Ends<'_>,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    let Ends { origin, destination } = ends;
    let folder = &request.folder;
    let plan = folder.plan()?;
    let mut from = folder.checkpoint()?;
    if from.state == State::Done {
        return tidy(plan, folder, from, destination, observer);
    }
    if plan.apply {
        // A lease is given to the run that holds it, whichever process asks.
        if plan.target.folder().is_none() && folder.is_held() {
            return Err(Refusal::AtWork { run: plan.run }.into());
        }
        destination.lock_again(&plan, folder, &from)?;
    }
    if from.state == State::Finishing {
        // All that is left to do needs no source.
        let _present = folder.hold()?;
        observer.begun(&plan, folder, None);
        let result = finish(&plan, folder, from, destination);
        return note_failure(folder, destination, result);
    }
    let only = plan.only_rejects.as_deref().map(OnlyRejects::read).transpose()?;
    let marks = origin.goes_on_by_id();
    let opened = match &from.last_id {
        Some(id) if marks => origin.open_behind(id),
        _ => origin.open(),
    };
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            drop(destination.leave());
            return Err(error.into());
        }
    };
    let context = Context {
        plan: &plan,
        folder,
        batch: request.batch,
        jobs: request.jobs,
        checkpoint_bytes: request.checkpoint_bytes,
        stop,
        bytes_total: opened.description.bytes_total,
        only,
        marks,
    };
    let _present = folder.hold()?;
    observer.begun(&plan, folder, opened.description.bytes_total);
    // What can be read once only cannot be compared beforehand.
    if from.in_doubt && !(opened.description.rewindable && still_agrees(&from, origin)?) {
        observer.note(
            "the damage had cast doubt on documents before it, and these differ now, or cannot be \
             read twice: the run begins again",
        );
        from = Checkpoint { elapsed_ms: from.elapsed_ms, ..Checkpoint::start(plan.base) };
        from.write(&folder.checkpoint_file())?;
    }
    from.state = State::Running;
    from.reason = None;
    let result = execute(&context, opened, destination, from, observer);
    note_failure(folder, destination, result)
}

/// A run that failed says why, as far as the disk still takes it.
fn note_failure(
    folder: &RunFolder,
    destination: &mut dyn Destination,
    result: Result<Report, RunError>,
) -> Result<Report, RunError> {
    if let Err(error) = &result {
        if let RunError::Disk(_) | RunError::Sink(_) = error
            && let Ok(mut checkpoint) = folder.checkpoint()
        {
            if checkpoint.state != State::Finishing {
                checkpoint.state = State::Stopped;
            }
            checkpoint.reason = Some(error.to_string());
            // The first error is the one to tell.
            drop(checkpoint.write(&folder.checkpoint_file()));
        }
        drop(destination.leave());
    }
    result
}

/// A run that was done, but perhaps cut off before it had cleared up behind itself.
fn tidy(
    plan: Plan,
    folder: &RunFolder,
    checkpoint: Checkpoint,
    destination: &mut dyn Destination,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    observer.note("the run was done already");
    if plan.apply {
        destination.tidy(&plan, folder)?;
    }
    remove_lists(folder)?;
    Ok(Report { plan, folder: folder.clone(), checkpoint, stop: Stop::Done })
}

/// Whether the documents that a run has read are still the same in a source that was in doubt.
fn still_agrees(from: &Checkpoint, origin: &dyn Origin) -> Result<bool, RunError> {
    let mut source = origin.open()?.source;
    let mut batch = Batch::default();
    let mut hash = SourceHash::default();
    let mut left = usize::try_from(from.documents).unwrap_or(usize::MAX);
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

fn plan_of(
    request: &RunRequest,
    origin: &dyn Origin,
    destination: &dyn Destination,
    opened: &Opened,
) -> Plan {
    Plan {
        schema: PLAN_SCHEMA.to_owned(),
        run: new_run_id(),
        begun_at: now_iso(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        mapping: VERSION.to_owned(),
        source: origin.planned(&opened.description),
        target: destination.planned(),
        apply: request.apply,
        options: Options {
            on_unknown_status: request.on_unknown_status,
            status_policy: request.status_policy,
            in_flight: request.in_flight.unwrap_or_default(),
        },
        on_existing: request.on_existing,
        only_rejects: request.only_rejects.as_deref().map(absolute),
        limit: request.limit,
        fail_fast: request.fail_fast,
        base: Default::default(),
        base_documents: 0,
    }
}

fn now_iso() -> String {
    iso(now_ms()).as_str().to_owned()
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// The date for people, and a part that no other run of the same second has.
fn new_run_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let unique = blake3::hash(format!("{}/{}", std::process::id(), now.as_nanos()).as_bytes());
    let stamp: String = now_iso().chars().filter(char::is_ascii_digit).take(17).collect();
    format!("{}-{}-{}", &stamp[..8], &stamp[8..], &unique.to_hex()[..6])
}

/// Runs the engine with the sink that the plan asks for, and ends the run.
fn execute(
    context: &Context<'_>,
    mut opened: Opened,
    destination: &mut dyn Destination,
    from: Checkpoint,
    observer: &mut dyn Observer,
) -> Result<Report, RunError> {
    let source = opened.source.as_mut();
    let mut sink = destination.sink(context.plan, context.folder, from.target)?;
    let mut outturn = Engine::new(context, sink.as_mut(), observer, from)?.run(source)?;
    if context.plan.apply && matches!(outturn.ended, Ended::AtEnd) {
        sink.finish()?;
        outturn.checkpoint.target = sink.position();
    }
    drop(sink);
    end(context, outturn, destination)
}

/// Writes down how the engine ended.
fn end(
    context: &Context<'_>,
    outturn: Outturn,
    destination: &mut dyn Destination,
) -> Result<Report, RunError> {
    let Outturn { ended, mut checkpoint, mut saving } = outturn;
    let stop = match ended {
        Ended::AtEnd => {
            let replaced = context.plan.apply && checkpoint.totals.replaced > 0;
            if replaced && destination.finishes() {
                checkpoint.state = State::Finishing;
            }
            saving.save(&checkpoint)?;
            return finish(context.plan, context.folder, checkpoint, destination);
        }
        Ended::Interrupted => Stop::Interrupted,
        Ended::FirstReject => Stop::FirstReject,
        Ended::Damaged(damage) => Stop::Damaged(damage),
    };
    checkpoint.state = State::Interrupted;
    if let Stop::Damaged(damage) = &stop {
        checkpoint.state = State::Stopped;
        checkpoint.reason = Some(damage.to_string());
        checkpoint.in_doubt = damage.earlier_in_doubt && damage.kind != DamageKind::Io;
    }
    saving.save(&checkpoint)?;
    if context.plan.apply {
        destination.leave()?;
    }
    Ok(Report { plan: context.plan.clone(), folder: context.folder.clone(), checkpoint, stop })
}

/// Does what is left to do when all documents are written, and closes the run: nothing of it is
/// needed to go on any more.
fn finish(
    plan: &Plan,
    folder: &RunFolder,
    mut checkpoint: Checkpoint,
    destination: &mut dyn Destination,
) -> Result<Report, RunError> {
    if checkpoint.state == State::Finishing {
        destination.finish(plan, folder, &mut checkpoint)?;
    }
    checkpoint.state = State::Done;
    checkpoint.reason = None;
    checkpoint.in_doubt = false;
    checkpoint.write(&folder.checkpoint_file())?;
    remove_lists(folder)?;
    if plan.apply {
        destination.unlock()?;
    }
    Ok(Report { plan: plan.clone(), folder: folder.clone(), checkpoint, stop: Stop::Done })
}

/// The lists that only a run that goes on needs.
fn remove_lists(folder: &RunFolder) -> Result<(), RunError> {
    let lists: [PathBuf; 2] = [folder.ids_file(), folder.replaced_file()];
    for path in lists {
        if path.exists() {
            std::fs::remove_file(&path).at("removing", &path)?;
        }
    }
    Ok(())
}

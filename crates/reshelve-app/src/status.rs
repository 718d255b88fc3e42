//! `status`: the state of one run.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reshelve::ends::{Compression, PlannedSource, SourceForm};
use reshelve::folder;
use reshelve::rollback::TakenBackSoFar;
use reshelve::run::{Asked, Checkpoint, DocumentCounts, Plan, RunFolder, State, Throttle, Waiting};
use serde::Serialize;

use crate::failure::Failure;
use crate::family;
use crate::handle::Handle;
use crate::options::RunName;
use crate::states;
use crate::text::ratio;

/// What `status` is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The run.
    pub run: RunName,
}

/// The state of a run; as JSON, `reshelve.status/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// The state.
    #[serde(flatten)]
    pub status: RunStatus,
}

/// The state of a run.
#[derive(Clone, Debug, Serialize)]
pub struct RunStatus {
    /// Its id.
    pub run: String,
    /// Its folder.
    pub folder: String,
    /// The id of the run whose rejects it takes; null if it is no retry.
    pub retry_of: Option<String>,
    /// The hash of the plan that it carries out; left out if it carries none out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Whether it writes.
    pub applied: bool,
    /// The state in a word: `killed` if a run has not ended and no process is at work on it.
    pub state: &'static str,
    /// Whether it covers a part of its source only, so far or by its options.
    pub partial: bool,
    /// Why it stopped.
    pub reason: Option<String>,
    /// Whether a process is at work on it, or waits.
    pub at_work: bool,
    /// What it was told and has not done yet, if the state does not say so: `cancel`; left out if
    /// that is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<&'static str>,
    /// Whether `resume` would continue it.
    pub can_be_resumed: bool,
    /// The run that took over its target folder, and counts what it found there as its own; left
    /// out if none has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_over_by: Option<String>,
    /// When it began, as ISO text.
    pub begun_at: String,
    /// The source, without credentials.
    pub source: String,
    /// The same with the database and collection that were picked inside it.
    #[serde(skip)]
    pub source_name: String,
    /// The target, without credentials.
    pub target: String,
    /// What became of its documents, up to the last checkpoint.
    pub documents: DocumentCounts,
    /// Events of the mapped documents.
    pub events: u64,
    /// Bytes of the source documents read.
    pub bytes_read: u64,
    /// Bytes of the target documents written.
    pub bytes_written: u64,
    /// Time spent, in all processes of the run.
    pub elapsed_ms: u64,
    /// Documents read per second, on average; 0 if there is nothing to divide by.
    pub docs_per_s: f64,
    /// Time left, in milliseconds; none if the run is not at work, or the size of what it reads is
    /// not known.
    pub left_ms: Option<u64>,
    /// How far its rollback is; left out if it is not being rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<RollbackStatus>,
    /// Jobs that its rollback leaves as they are, because they were edited.
    #[serde(skip)]
    pub kept: u64,
    /// What it may take: limits that are in force.
    pub throttle: Throttle,
    /// What it waits for, or was held back by before its last batch; null if it is not.
    pub waiting: Option<Waiting>,
    /// Whether it takes the rejects of a run with another target, as a copy is.
    #[serde(skip)]
    pub is_into_another_target: bool,
    /// Whether everything is written, and it removes what it replaced.
    #[serde(skip)]
    pub is_finishing: bool,
}

/// How far a rollback is, up to what it wrote down last.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RollbackStatus {
    /// Documents of the target that were taken back.
    pub documents: u64,
    /// Of so many, about.
    pub of: u64,
    /// Time spent with that, in all processes.
    pub elapsed_ms: u64,
    /// Documents taken back per second, on average; 0 if there is nothing to divide by.
    pub docs_per_s: f64,
    /// Time left, in milliseconds, if the rest is as fast; none as long as nothing is taken back.
    pub left_ms: Option<u64>,
}

impl RollbackStatus {
    fn of(so_far: TakenBackSoFar) -> RollbackStatus {
        let TakenBackSoFar { documents, of, elapsed_ms, .. } = so_far;
        let left =
            u128::from(elapsed_ms) * u128::from(of - documents) / u128::from(documents.max(1));
        RollbackStatus {
            documents,
            of,
            elapsed_ms,
            docs_per_s: ratio(documents.saturating_mul(1000), elapsed_ms),
            left_ms: (documents > 0).then(|| u64::try_from(left).unwrap_or(u64::MAX)),
        }
    }
}

impl RunStatus {
    /// Whether a process is at work on the run, or waits.
    pub fn is_at_work(&self) -> bool {
        self.at_work
    }

    /// The ids of the runs that it is reported with, as one: see
    /// [`reported_with`](crate::reported_with).
    pub fn reported_with(&self) -> Vec<String> {
        let path = Path::new(&self.folder);
        let found = RunFolder::find(path.parent().unwrap_or(path), &self.folder);
        let plan = found.and_then(|folder| Ok((folder.plan()?, folder)));
        plan.map_or_else(
            |_| vec![self.run.clone()],
            |(plan, folder)| family::reported_with(&plan, family::beside(&folder)),
        )
    }
}

/// How often a run is looked at that is watched.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// So often in a row a run must look killed: between the moment when its folder appears and the
/// one when its process holds it, a new run looks like that.
const KILLED_LOOKS: u32 = 10;

/// Looks at a run.
///
/// # Errors
/// If there is no such run, or its files cannot be used.
pub fn status(request: &Request, _handle: &Handle) -> Result<Outcome, Failure> {
    Outcome::of(&request.run.find()?)
}

/// Looks at a run again and again until no process is at work on it any more, or the handle is
/// cancelled, and tells what it sees each time. The run itself does not notice.
///
/// # Errors
/// As for [`status`].
pub fn watch(
    request: &Request,
    handle: &Handle,
    tell: &mut dyn FnMut(&Outcome),
) -> Result<Outcome, Failure> {
    let folder = request.run.find()?;
    let mut killed = 0;
    loop {
        let outcome = Outcome::of(&folder)?;
        killed = if outcome.status.state == State::Killed.as_str() { killed + 1 } else { 0 };
        let is_over = !outcome.status.is_at_work() && (killed == 0 || killed >= KILLED_LOOKS);
        if is_over || handle.stop().load(Ordering::Relaxed) {
            return Ok(outcome);
        }
        tell(&outcome);
        std::thread::sleep(LOOK_EVERY);
    }
}

impl Outcome {
    fn of(folder: &RunFolder) -> Result<Outcome, Failure> {
        Ok(Outcome { schema: "reshelve.status/1", status: status_of(folder)? })
    }
}

pub(crate) fn status_of(folder: &RunFolder) -> Result<RunStatus, Failure> {
    let plan = folder.plan()?;
    let checkpoint = folder.checkpoint()?;
    // A file that somebody spoiled asks nothing, and limits nothing that this could tell.
    let control = folder.control().ok();
    let asked = control.as_ref().map_or(Asked::Run, |control| control.asked);
    let state = checkpoint.state.found(folder.is_held(), asked);
    let at_work = match state {
        State::Planned | State::Running | State::Pausing | State::Paused => true,
        // A process that looks at a run before it takes that back has not entered a state yet.
        State::RollingBack | State::Done | State::Partial | State::Cancelled => folder.is_held(),
        _ => false,
    };
    let taken_back = match state {
        State::RollingBack | State::RolledBack => TakenBackSoFar::read(folder).ok(),
        _ => None,
    };
    let rollback = taken_back.filter(|_| state == State::RollingBack).map(RollbackStatus::of);
    let left_ms = if state == State::Running { left_ms(&plan, &checkpoint) } else { None };
    let runs = folder.path().parent().unwrap_or(Path::new("."));
    let is_into_another_target = family::is_into_another_target(&plan, runs);
    let totals = checkpoint.totals;
    // What cannot be read says nothing here; whoever resumes the run is told.
    let taken_over_by = folder::taken_over_by(&plan.run, folder.path()).ok().flatten();
    let is_own = plan.saves_plan.is_none() && taken_over_by.is_none();
    Ok(RunStatus {
        folder: folder.path().display().to_string(),
        retry_of: plan.parent().map(str::to_owned),
        plan: plan.from_plan.map(|from_plan| from_plan.hash),
        applied: plan.apply,
        state: state.as_str(),
        partial: state != State::Done,
        reason: checkpoint.reason,
        at_work,
        can_be_resumed: states::is_resumable(state) && is_own,
        taken_over_by,
        asked: (at_work && asked == Asked::Cancel).then_some("cancel"),
        begun_at: plan.begun_at,
        source: plan.source.path.display().to_string(),
        source_name: plan.source.name(),
        target: plan.target.name(),
        documents: totals.documents,
        events: totals.events,
        bytes_read: totals.bytes_read,
        bytes_written: totals.bytes_written,
        elapsed_ms: checkpoint.elapsed_ms,
        docs_per_s: ratio(totals.documents.read.saturating_mul(1000), checkpoint.elapsed_ms),
        left_ms,
        throttle: control.map(|control| control.throttle).unwrap_or_default(),
        rollback,
        kept: taken_back.map_or(0, |taken_back| taken_back.kept),
        waiting: checkpoint.waiting.filter(|_| at_work),
        is_finishing: checkpoint.is_finishing,
        is_into_another_target,
        run: plan.run,
    })
}

/// The time that is left if the rest is as fast as what is done; none if nobody knows how much
/// there is.
fn left_ms(plan: &Plan, checkpoint: &Checkpoint) -> Option<u64> {
    if plan.only_rejects.is_some() || checkpoint.is_finishing {
        return None;
    }
    let totals = &checkpoint.totals;
    let by_bytes = document_bytes(&plan.source).map(|total| (totals.bytes_read, total));
    let by_limit = plan.limit.map(|limit| (totals.documents.read, limit));
    let left = |(done, total): (u64, u64)| {
        let rest = u128::from(total.checked_sub(done)?);
        let left = u128::from(checkpoint.elapsed_ms) * rest / u128::from(done.max(1));
        (done > 0).then(|| u64::try_from(left).unwrap_or(u64::MAX))
    };
    by_bytes.into_iter().chain(by_limit).filter_map(left).min()
}

/// The bytes of all documents of a source, if its size says that: that of a compressed file, or of
/// an archive with other collections in it, does not.
fn document_bytes(source: &PlannedSource) -> Option<u64> {
    let forms = [SourceForm::BsonFile, SourceForm::DumpFolder, SourceForm::ExtendedJson];
    let is_measured = source.live.is_some()
        || forms.iter().any(|form| form.words(Compression::None) == source.form);
    source.bytes.filter(|_| is_measured)
}

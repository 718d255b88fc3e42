//! Taking back what a run wrote, and nothing else.
//!
//! What the run wrote of each job, and what was there before, its journal says. A job that stands as
//! the run wrote it is deleted, or its earlier version is put back. A job that somebody changed
//! since is left alone until a person has decided. What is decided is written down before the
//! target is changed, so that a rollback that is killed can be continued.

mod again;
mod continued;
mod copied;
mod jobs;
mod progress;
mod record;
mod replaced;
mod steps;
mod survey;
mod wait;

use std::sync::atomic::AtomicBool;

use crate::ends::{ChangedDocuments, Destination, Edit, Wrote};
use crate::run::journal::{self, Own};
use crate::run::preflight;
use crate::run::{Asked, Plan, Refusal, RunError, RunFolder, State, Throttle};
pub use again::refuse_written_again;
pub use progress::{Observer, Phase, Progress, TakenBackSoFar};
use record::Record;
pub use record::{JobCounts, OnEdited};
use steps::Rollback;

/// What a run that is rolled back may find at the place of its target.
const PUT_BACK: &str = "warning: what is at the target's place was made, or put back, after that; it was \
    not looked at";

/// How many edited jobs are listed.
pub const LISTED_MAX: usize = 100;

/// What `rollback` is asked to do.
#[derive(Clone, Debug)]
pub struct RollbackRequest {
    /// The run.
    pub folder: RunFolder,
    /// Whether to change the target; else it only says what it would do.
    pub apply: bool,
    /// What becomes of jobs that were changed since.
    pub edited: Option<OnEdited>,
    /// What changes of the throttle; 0 takes a limit away. Documents and bytes are those of the
    /// target.
    pub throttle: Throttle,
}

/// How a rollback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing was changed: it was a dry run.
    Dry,
    /// Everything is taken back.
    RolledBack,
    /// It had been taken back before.
    Already,
    /// Nothing was changed: somebody has to decide what becomes of jobs that were changed since.
    Undecided,
    /// It was stopped from outside, and can be continued.
    Interrupted,
}

/// A job that somebody changed since the run wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedJob {
    /// The job id.
    pub job: String,
    /// What about it.
    pub edit: Edit,
    /// What the run wrote of it.
    pub wrote: Wrote,
}

/// What a rollback did, or would do.
#[derive(Clone, Debug)]
pub struct RollbackReport {
    /// What the run was told.
    pub plan: Plan,
    /// How it ended.
    pub ended: Ended,
    /// What became of the jobs of the run.
    pub jobs: JobCounts,
    /// What was changed in the target.
    pub documents: ChangedDocuments,
    /// The first jobs that were changed since, at most [`LISTED_MAX`].
    pub edited: Vec<EditedJob>,
}

/// Takes back what a run wrote.
///
/// # Errors
/// [`RunError::Refused`] and a refused [`RunError::End`] where it cannot be done and nothing was
/// changed; others where disk or target fail: it can be continued then.
pub fn roll_back(
    request: &RollbackRequest,
    destination: &mut dyn Destination,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<RollbackReport, RunError> {
    let folder = &request.folder;
    let plan = folder.plan()?;
    if !plan.apply {
        return Err(Refusal::NothingWritten { run: plan.run }.into());
    }
    // What the caller has looked at; the lock comes later.
    let later = request.apply.then(|| Later::of(folder, destination, &plan.run)).transpose()?;
    let _present = match request.apply {
        true => Some(folder.hold_again(&plan.run)?),
        false if folder.is_held() => return Err(Refusal::AtWork { run: plan.run }.into()),
        false => None,
    };
    let mut checkpoint = folder.checkpoint()?;
    // No process is at work on it.
    checkpoint.state = checkpoint.state.found(false, Asked::Run);
    if checkpoint.state == State::RolledBack {
        let Record { jobs, documents, .. } = Record::read(folder, &plan.run)?;
        if request.apply {
            destination.tidy_back(&plan.claim(folder))?;
        }
        if folder.has_another_target(destination)? {
            observer.note(PUT_BACK);
        }
        let ended = Ended::Already;
        return Ok(RollbackReport { plan, ended, jobs, documents, edited: Vec::new() });
    }
    preflight::check_step(&plan, checkpoint.state, State::RollingBack)?;
    if checkpoint.is_finishing {
        return Err(Refusal::Finishing { run: plan.run }.into());
    }
    folder.expect_target(&plan.run, destination)?;
    let lengths = match destination.is_undone_by_position() {
        true => checkpoint.journal,
        false => journal::whole(folder, checkpoint.journal)?,
    };
    let own = Own::of_run(folder, lengths)?;
    let (named, written) = (own.jobs(), checkpoint.totals.documents.written);
    if named < written {
        let detail = format!("it names {named} jobs, and the run has written {written}");
        return Err(RunError::State { path: folder.journal_file(), detail });
    }
    if request.apply && checkpoint.state == State::RollingBack {
        folder.throttle(request.throttle)?;
    } else if request.apply {
        // The limits of the run counted other things, and were for another hour.
        folder.throttle_anew(request.throttle)?;
    }
    let claim = plan.claim(folder);
    let rollback = Rollback {
        request,
        plan: &plan,
        claim: &claim,
        own: &own,
        journal: checkpoint.journal,
        later,
        stop,
    };
    match checkpoint.state {
        State::RollingBack => rollback.go_on(checkpoint, destination, observer),
        _ => rollback.begin(checkpoint, destination, observer),
    }
}

/// The runs that came after a run, as far as they can be seen.
#[derive(PartialEq, Eq)]
struct Later {
    beside: usize,
    in_the_target: Vec<String>,
}

impl Later {
    fn of(
        folder: &RunFolder,
        destination: &mut dyn Destination,
        run: &str,
    ) -> Result<Later, RunError> {
        let beside = folder.begun_after()?.len();
        Ok(Later { beside, in_the_target: destination.later_writers(run)? })
    }
}

//! Taking back what a run wrote, and nothing else.
//!
//! What the run wrote of each job, and what was there before, its journal says. A job that stands as
//! the run wrote it is deleted, or its earlier version is put back. A job that somebody changed
//! since is left alone until a person has decided. What is decided is written down before the
//! target is changed, so that a rollback that is killed can be continued.

mod jobs;
mod record;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::ends::{
    Action, ChangedDocuments, Claim, Destination, Earlier, Edit, EndError, Left, Notes, OwnJob,
    Standing, TakenBack,
};
use crate::run::journal::{self, Own};
use crate::run::{Checkpoint, Plan, Refusal, RunError, RunFolder, State, complete};
use crate::store::{Replacement, Sorted};
use jobs::{DecidedJobs, Undecided};
use record::{EditedKeys, Record, discarded_file, write_edited};
pub use record::{JobCounts, OnEdited};

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
    notes: &mut dyn Notes,
) -> Result<RollbackReport, RunError> {
    let folder = &request.folder;
    let plan = folder.plan()?;
    if !plan.apply {
        return Err(Refusal::NothingWritten { run: plan.run }.into());
    }
    let _present = match request.apply {
        true => Some(folder.hold(&plan.run)?),
        false if folder.is_held() => return Err(Refusal::AtWork { run: plan.run }.into()),
        false => None,
    };
    let mut checkpoint = folder.checkpoint()?;
    // No process is at work on it.
    checkpoint.state = checkpoint.state.found(false);
    if checkpoint.state == State::RolledBack {
        let Record { jobs, documents, .. } = Record::read(folder, &plan.run)?;
        if request.apply {
            destination.tidy(&plan.claim(folder))?;
        }
        let (ended, edited) = (Ended::Already, Vec::new());
        return Ok(RollbackReport { plan, ended, jobs, documents, edited });
    }
    if checkpoint.is_finishing {
        if !request.apply {
            return Err(Refusal::Finishing { run: plan.run }.into());
        }
        checkpoint = take_out_replaced(&plan, folder, checkpoint, destination)?;
    }
    let is_continued = checkpoint.state == State::RollingBack;
    let lengths = match destination.is_undone_by_position() {
        true => checkpoint.journal,
        false => journal::whole(folder, checkpoint.journal)?,
    };
    let own = Own::of_run(folder, lengths)?;
    let claim = plan.claim(folder);
    let rollback = Rollback { request, plan: &plan, claim: &claim, own: &own, stop };
    match is_continued {
        true => rollback.go_on(checkpoint, destination, notes),
        false => rollback.begin(checkpoint, destination, notes),
    }
}

/// Finishes a run that was killed while it took out what it had replaced.
fn take_out_replaced(
    plan: &Plan,
    folder: &RunFolder,
    checkpoint: Checkpoint,
    destination: &mut dyn Destination,
) -> Result<Checkpoint, RunError> {
    struct Silent;
    impl Notes for Silent {
        fn note(&mut self, _: &str) {}
    }
    let claim = plan.claim(folder);
    let documents = checkpoint.totals.documents;
    let jobs = documents.written + documents.unchanged;
    let left = Left { position: &checkpoint.target, jobs, named: None };
    destination.lock_again(&claim, &left, &mut Silent)?;
    folder.remove_leftovers()?;
    let mut checkpoint = checkpoint;
    checkpoint.enter(State::Running)?;
    complete(plan, folder, checkpoint, destination)
}

struct Rollback<'r> {
    request: &'r RollbackRequest,
    plan: &'r Plan,
    claim: &'r Claim,
    own: &'r Own,
    stop: &'r AtomicBool,
}

/// What was found in the target.
struct Surveyed {
    jobs: JobCounts,
    keys: Sorted<16>,
    listed: Vec<EditedJob>,
}

impl Rollback<'_> {
    fn begin(
        &self,
        mut checkpoint: Checkpoint,
        destination: &mut dyn Destination,
        notes: &mut dyn Notes,
    ) -> Result<RollbackReport, RunError> {
        let RollbackRequest { folder, apply, edited } = self.request;
        let replaced = checkpoint.totals.replaced > 0;
        let has_ended = checkpoint.state.is_ended();
        let target = checkpoint.target.clone();
        let run = TakenBack {
            claim: self.claim,
            position: &target,
            has_tail: !has_ended,
            earlier: match (replaced, has_ended || !destination.finishes()) {
                (false, _) => Earlier::None,
                (true, true) => Earlier::Kept,
                (true, false) => Earlier::StillThere,
            },
        };
        if *apply {
            destination.lock_back(&run, &Undecided(self.own), notes)?;
        }
        let surveyed = self.survey(&run, destination);
        let is_undecided = |it: &Surveyed| match edited {
            _ if it.jobs.edited == 0 => false,
            None => true,
            Some(OnEdited::Keep) => false,
            Some(OnEdited::Discard { jobs }) => *jobs != it.jobs.edited,
        };
        let surveyed = match surveyed {
            Ok(surveyed) if *apply && !is_undecided(&surveyed) => surveyed,
            other => {
                // Nothing is changed: the lock goes, unless a run that can be resumed had it.
                if *apply && has_ended {
                    destination.unlock()?;
                } else if *apply {
                    destination.leave()?;
                }
                let surveyed = other?;
                let ended = if is_undecided(&surveyed) { Ended::Undecided } else { Ended::Dry };
                return Ok(self.report(
                    ended,
                    surveyed.jobs,
                    ChangedDocuments::default(),
                    surveyed.listed,
                ));
            }
        };
        let Surveyed { jobs, keys, listed } = surveyed;
        let decided = DecidedJobs { own: self.own, edited: &keys, on_edited: *edited };
        if let (Some(OnEdited::Discard { .. }), 1..) = (edited, jobs.edited) {
            self.keep_discarded(&run, &decided, destination)?;
        }
        let mut record = Record::new(&self.plan.run, *edited, jobs, run.earlier == Earlier::Kept);
        write_edited(folder, &keys)?;
        record.write(folder)?;
        checkpoint.enter(State::RollingBack)?;
        checkpoint.reason = None;
        folder.write_checkpoint(&checkpoint)?;
        self.finish(&run, &decided, (&mut record, checkpoint), destination, listed)
    }

    /// Continues what an earlier process had begun.
    fn go_on(
        &self,
        checkpoint: Checkpoint,
        destination: &mut dyn Destination,
        notes: &mut dyn Notes,
    ) -> Result<RollbackReport, RunError> {
        let RollbackRequest { folder, apply, edited } = self.request;
        let mut record = Record::read(folder, &self.plan.run)?;
        if edited.is_some() && *edited != record.edited {
            return Err(Refusal::RollbackDecided { run: self.plan.run.clone() }.into());
        }
        if !apply {
            let (jobs, documents) = (record.jobs, record.documents);
            return Ok(self.report(Ended::Dry, jobs, documents, Vec::new()));
        }
        let earlier = match (checkpoint.totals.replaced > 0, record.has_kept) {
            (false, _) => Earlier::None,
            (true, true) => Earlier::Kept,
            (true, false) => Earlier::StillThere,
        };
        let target = checkpoint.target.clone();
        // What lay after the checkpoint was cut off before anything was written down.
        let run = TakenBack { claim: self.claim, position: &target, has_tail: false, earlier };
        destination.lock_back(&run, &Undecided(self.own), notes)?;
        let keys = EditedKeys::read(folder)?;
        let decided = DecidedJobs { own: self.own, edited: &keys, on_edited: record.edited };
        self.finish(&run, &decided, (&mut record, checkpoint), destination, Vec::new())
    }

    fn survey(
        &self,
        run: &TakenBack<'_>,
        destination: &mut dyn Destination,
    ) -> Result<Surveyed, RunError> {
        let mut jobs = JobCounts::default();
        let mut keys = EditedKeys::new(self.request.folder.scratch());
        let mut listed = Vec::new();
        let on_edited = self.request.edited;
        let mut count = |job: &OwnJob, standing: Standing| -> Result<(), EndError> {
            let goes = match standing {
                Standing::AsWritten => true,
                Standing::Gone if job.action != Action::Replace => {
                    jobs.gone += 1;
                    return Ok(());
                }
                Standing::Gone | Standing::Edited(_) => {
                    jobs.edited += 1;
                    keys.add(job.key)?;
                    let edit = match standing {
                        Standing::Edited(edit) => edit,
                        _ => Edit {
                            collection: crate::target_schema::Collection::Jobs,
                            what: "is missing",
                        },
                    };
                    if listed.len() < LISTED_MAX {
                        let job = String::from_utf8_lossy(&job.job_id).into_owned();
                        listed.push(EditedJob { job, edit });
                    }
                    let is_kept = on_edited == Some(OnEdited::Keep);
                    jobs.kept += u64::from(is_kept);
                    matches!(on_edited, Some(OnEdited::Discard { .. }))
                }
            };
            match job.action {
                Action::Replace => jobs.put_back += u64::from(goes),
                Action::Insert | Action::Complete => jobs.deleted += u64::from(goes),
            }
            Ok(())
        };
        destination.survey(run, &Undecided(self.own), &mut count)?;
        Ok(Surveyed { jobs, keys: keys.finish()?, listed })
    }

    /// Makes a copy of what will be discarded, durably.
    fn keep_discarded(
        &self,
        run: &TakenBack<'_>,
        jobs: &DecidedJobs<'_>,
        destination: &mut dyn Destination,
    ) -> Result<(), RunError> {
        let folder = &self.request.folder;
        let path = discarded_file(folder);
        let mut copy = Replacement::begin(folder.files(), &path)?;
        destination.discarded(run, jobs, &mut |document| copy.put(document))?;
        Ok(copy.commit()?)
    }

    fn finish(
        &self,
        run: &TakenBack<'_>,
        decided: &DecidedJobs<'_>,
        (record, mut checkpoint): (&mut Record, Checkpoint),
        destination: &mut dyn Destination,
        listed: Vec<EditedJob>,
    ) -> Result<RollbackReport, RunError> {
        let folder = &self.request.folder;
        let (position, documents) = (record.position.clone(), record.documents);
        let mut is_stopped = false;
        let mut save = |position: &crate::ends::Position, documents: ChangedDocuments| {
            record.position = position.clone();
            record.documents = documents;
            record.write(folder)?;
            is_stopped = self.stop.load(Ordering::Relaxed);
            match is_stopped {
                true => Err(EndError::failed("it was told to stop", None)),
                false => Ok(()),
            }
        };
        let taken = destination.take_back(run, decided, (&position, documents), &mut save);
        if is_stopped {
            destination.leave()?;
            let (jobs, documents) = (record.jobs, record.documents);
            return Ok(self.report(Ended::Interrupted, jobs, documents, listed));
        }
        let checked =
            taken.and_then(|documents| Ok((documents, destination.left_over(run, decided)?)));
        let documents = match checked {
            Ok((documents, 0)) => documents,
            Ok((_, left)) => {
                destination.leave()?;
                return Err(EndError::failed(
                    format!("{left} documents of the target are not as they were before the run"),
                    Some("somebody else wrote to it meanwhile: run the same command again"),
                )
                .into());
            }
            Err(error) => {
                drop(destination.leave());
                return Err(error.into());
            }
        };
        record.documents = documents;
        record.write(folder)?;
        checkpoint.enter(State::RolledBack)?;
        folder.write_checkpoint(&checkpoint)?;
        destination.unlock()?;
        Ok(self.report(Ended::RolledBack, record.jobs, documents, listed))
    }

    fn report(
        &self,
        ended: Ended,
        jobs: JobCounts,
        documents: ChangedDocuments,
        edited: Vec<EditedJob>,
    ) -> RollbackReport {
        RollbackReport { plan: self.plan.clone(), ended, jobs, documents, edited }
    }
}

//! The steps of a rollback: look, decide, write down, change, look again.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::copied::Copied;
use super::jobs::{DecidedJobs, Undecided};
use super::progress::{Observer, Phase, Telling};
use super::record::{EditedKeys, JobCounts, OnEdited, Record, discarded_file, write_edited};
use super::survey::Surveyed;
use super::wait::documents_of;
use super::{EditedJob, Ended, Later, RollbackReport, RollbackRequest};
use crate::ends::{ChangedDocuments, Claim, Destination, Earlier, EndError, Position, TakenBack};
use crate::run::hold::Hold;
use crate::run::journal::{JournalLengths, Own};
use crate::run::{Checkpoint, Plan, Refusal, RunError, State, millis};
use crate::store::{Replacement, Sorted};

pub(super) struct Rollback<'r> {
    pub(super) request: &'r RollbackRequest,
    pub(super) plan: &'r Plan,
    pub(super) claim: &'r Claim,
    pub(super) own: &'r Own,
    /// How long the journal was at the last checkpoint.
    pub(super) journal: JournalLengths,
    /// The runs that had come after it when it was asked for; none of a dry run, which locks nothing.
    pub(super) later: Option<Later>,
    pub(super) stop: &'r AtomicBool,
}

/// What becomes of a rollback after the look.
enum Decided {
    /// It goes on with these keys of edited jobs, and of those that are kept beside discarded ones.
    Go(Box<Record>, [Sorted<16>; 2], Vec<EditedJob>),
    /// It ends here, and nothing is changed.
    Ends(Box<RollbackReport>),
}

impl Rollback<'_> {
    /// Begins with a look at the target.
    pub(super) fn begin(
        &self,
        mut checkpoint: Checkpoint,
        destination: &mut dyn Destination,
        observer: &mut dyn Observer,
    ) -> Result<RollbackReport, RunError> {
        let has_ended = checkpoint.state.is_ended();
        let earlier = match (checkpoint.totals.replaced > 0, has_ended || !destination.finishes()) {
            (false, _) => Earlier::None,
            (true, true) => Earlier::Kept,
            (true, false) => Earlier::StillThere,
        };
        let copied = Copied::none();
        let is_copied = |document: &[u8]| copied.has(document);
        let target = checkpoint.target.clone();
        let run = TakenBack {
            claim: self.claim,
            position: &target,
            has_tail: !has_ended,
            earlier,
            from: None,
            is_copied: &is_copied,
        };
        let is_applied = self.request.apply;
        let was_locked = if is_applied { destination.lock_back(&run)? } else { false };
        // From here on the state on the disk may be another one, even where writing it fails.
        let mut may_have_begun = false;
        let decided = self
            .expect_no_more_runs(destination)
            .and_then(|()| self.decide(&run, (&copied, earlier), destination, observer))
            .and_then(|decided| {
                if let Decided::Go(..) = decided {
                    // What was put back from a copy is the run's target now.
                    self.request.folder.keep_target(&self.plan.run, destination)?;
                    checkpoint.enter(State::RollingBack)?;
                    may_have_begun = true;
                    checkpoint.reason = None;
                    self.request.folder.write_checkpoint(&checkpoint)?;
                }
                Ok(decided)
            });
        match decided {
            Ok(Decided::Go(mut record, keys, listed)) => {
                let run = TakenBack { has_tail: false, ..run };
                self.finish(&run, &keys, (&mut record, checkpoint), destination, (listed, observer))
            }
            other => {
                // Nothing is changed: the lock goes, unless a run that can be resumed had it. One
                // that had lost it does not get it back here. The first error is the one to tell.
                let stays = may_have_begun || was_locked && !has_ended;
                let given = match (is_applied, stays) {
                    (false, _) => Ok(()),
                    (true, false) => destination.unlock(),
                    (true, true) => destination.leave(),
                };
                match other? {
                    Decided::Ends(report) => given.map(|()| *report).map_err(Into::into),
                    Decided::Go(..) => Err(RunError::Bug("a rollback was decided twice")),
                }
            }
        }
    }

    /// Under the lock nobody else writes. Whoever did between the first look and the lock may have
    /// written jobs of this run again.
    fn expect_no_more_runs(&self, destination: &mut dyn Destination) -> Result<(), RunError> {
        let (run, Some(later)) = (&self.plan.run, &self.later) else { return Ok(()) };
        if Later::of(&self.request.folder, destination, run)? == *later {
            return Ok(());
        }
        let message = format!("another run was begun, or ended, while the rollback of {run} began");
        Err(EndError::refused(message, "the same command looks at that run too").into())
    }

    /// Looks at the target, and writes down what will be done.
    fn decide(
        &self,
        run: &TakenBack<'_>,
        (copied, earlier): (&Copied, Earlier),
        destination: &mut dyn Destination,
        observer: &mut dyn Observer,
    ) -> Result<Decided, RunError> {
        let RollbackRequest { folder, apply, edited, .. } = self.request;
        let Some(surveyed) = self.survey(run, &Undecided(self.own), destination, observer)? else {
            return Ok(self.ends(Ended::Interrupted, JobCounts::default(), Vec::new()));
        };
        let Surveyed { jobs, keys, listed } = surveyed;
        let is_decided = match edited {
            Some(OnEdited::Discard { jobs: number }) => *number == jobs.edited,
            Some(OnEdited::Keep) => true,
            None => jobs.edited == 0,
        };
        if !is_decided {
            return Ok(self.ends(Ended::Undecided, jobs, listed));
        }
        let keys = keys.finish()?;
        let none = EditedKeys::new(folder.scratch()).finish()?;
        if jobs.edited > 0 {
            let undecided = self.decided((&keys, &none), None);
            self.refuse_replaced(run, &undecided, destination)?;
        }
        if jobs.kept > 0 && earlier == Earlier::StillThere {
            // The edited version and the one before it would stand side by side.
            return Err(Refusal::KeepsTwoVersions { run: self.plan.run.clone() }.into());
        }
        let tail = run.has_tail.then(|| Own::of_tail(folder, self.journal)).transpose()?;
        if let Some(tail) = &tail {
            destination.look_at_tail(run, &Undecided(tail))?;
        }
        let decided = self.decided((&keys, &none), *edited);
        destination.expect_free_ids(run, &decided)?;
        if !apply {
            return Ok(self.ends(Ended::Dry, jobs, listed));
        }
        if let (Some(OnEdited::Discard { .. }), 1..) = (edited, jobs.edited) {
            self.keep_discarded(run, &decided, destination)?;
            copied.read(folder)?;
        }
        let has_kept = earlier == Earlier::Kept;
        let record = Record::new(&self.plan.run, *edited, jobs, has_kept);
        write_edited(folder, &keys)?;
        record.write(folder)?;
        if let Some(tail) = &tail {
            destination.cut_tail(run, &Undecided(tail), observer)?;
        }
        Ok(Decided::Go(Box::new(record), [keys, none], listed))
    }

    fn ends(&self, ended: Ended, jobs: JobCounts, listed: Vec<EditedJob>) -> Decided {
        let report = self.report(ended, jobs, ChangedDocuments::default(), listed);
        Decided::Ends(Box::new(report))
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

    /// The jobs of the run, with what becomes of edited ones, and of those that are kept whatever
    /// becomes of the others.
    pub(super) fn decided<'k>(
        &'k self,
        (edited, kept): (&'k Sorted<16>, &'k Sorted<16>),
        on_edited: Option<OnEdited>,
    ) -> DecidedJobs<'k> {
        DecidedJobs { own: self.own, edited, on_edited, kept }
    }

    pub(super) fn finish(
        &self,
        run: &TakenBack<'_>,
        [edited, kept]: &[Sorted<16>; 2],
        (record, mut checkpoint): (&mut Record, Checkpoint),
        destination: &mut dyn Destination,
        (listed, observer): (Vec<EditedJob>, &mut dyn Observer),
    ) -> Result<RollbackReport, RunError> {
        let folder = &self.request.folder;
        let decided = self.decided((edited, kept), record.edited);
        let (position, documents) = (record.position.clone(), record.documents);
        let mut is_stopped = false;
        let mut hold = Hold::new(folder, &self.plan.run, destination.members())?;
        let mut telling = Telling::new(Phase::TakingBack, documents_of(&checkpoint), observer);
        telling.add(documents.deleted);
        let (mut begun, since, before_ms) = (Instant::now(), Instant::now(), record.elapsed_ms);
        let mut save = |position: &Position, documents: ChangedDocuments, is_between: bool| {
            record.position = position.clone();
            record.elapsed_ms = before_ms + millis(since.elapsed());
            let before = std::mem::replace(&mut record.documents, documents);
            record.write(folder)?;
            telling.add(documents.deleted.saturating_sub(before.deleted));
            if is_between {
                is_stopped = self.wait(&mut hold, &mut telling, (begun, before, documents))?;
                begun = Instant::now();
            }
            match is_stopped {
                true => Err(EndError::failed("it was told to stop", None)),
                false => Ok(()),
            }
        };
        let taken = destination.take_back(run, &decided, (&position, documents), &mut save);
        if is_stopped {
            drop(destination.leave());
            let (jobs, documents) = (record.jobs, record.documents);
            return Ok(self.report(Ended::Interrupted, jobs, documents, listed));
        }
        let looked = taken.and_then(|documents| {
            telling.checks();
            Ok((documents, destination.left_over(run, &decided)?))
        });
        let (documents, left) = match looked {
            Ok(looked) => looked,
            Err(error) => {
                drop(destination.leave());
                return Err(error.into());
            }
        };
        record.documents = documents;
        if left.wrong > 0 {
            let again = self.begin_again(record, left.wrong);
            drop(destination.leave());
            return Err(again);
        }
        if left.foreign_events > 0 {
            observer.note(&format!(
                "warning: {} events of jobs that were taken back stay: the run did not write them",
                left.foreign_events
            ));
        }
        record.write(folder)?;
        checkpoint.enter(State::RolledBack)?;
        folder.write_checkpoint(&checkpoint)?;
        destination.forget(self.claim)?;
        destination.unlock()?;
        Ok(self.report(Ended::RolledBack, record.jobs, documents, listed))
    }

    /// What this rollback believes to be done is not: the next process looks at all of it, and what
    /// others wrote to jobs that had been taken back is decided on then.
    fn begin_again(&self, record: &mut Record, wrong: u64) -> RunError {
        record.position = Position::default();
        if let Err(error) = record.write(&self.request.folder) {
            return error.into();
        }
        let message =
            format!("{wrong} documents of the target are not as they were before the run");
        let advice = "somebody else wrote to it meanwhile: the same command looks again";
        EndError::failed(message, Some(advice)).into()
    }

    pub(super) fn report(
        &self,
        ended: Ended,
        jobs: JobCounts,
        documents: ChangedDocuments,
        edited: Vec<EditedJob>,
    ) -> RollbackReport {
        RollbackReport { plan: self.plan.clone(), ended, jobs, documents, edited }
    }
}

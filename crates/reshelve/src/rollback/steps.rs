//! The steps of a rollback: look, decide, write down, change, look again.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::copied::Copied;
use super::jobs::{DecidedJobs, Undecided};
use super::progress::{Observer, Phase, Telling};
use super::record::{EditedKeys, JobCounts, OnEdited, Record, discarded_file, write_edited};
use super::survey::Surveyed;
use super::wait::documents_of;
use super::{EditedJob, Ended, RollbackReport, RollbackRequest};
use crate::ends::{
    ChangedDocuments, Claim, Destination, Earlier, EndError, LeftOver, Position, TakenBack,
};
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
    pub(super) stop: &'r AtomicBool,
}

/// What becomes of a rollback after the look.
enum Decided {
    /// It goes on with these keys of edited jobs.
    Go(Box<Record>, Sorted<16>, Vec<EditedJob>),
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
        let decided =
            self.decide(&run, (&copied, earlier), destination, observer).and_then(|decided| {
                if let Decided::Go(..) = decided {
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
        if jobs.edited > 0 {
            let undecided = DecidedJobs { own: self.own, edited: &keys, on_edited: None };
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
        if !apply {
            return Ok(self.ends(Ended::Dry, jobs, listed));
        }
        let decided = DecidedJobs { own: self.own, edited: &keys, on_edited: *edited };
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
        Ok(Decided::Go(Box::new(record), keys, listed))
    }

    fn ends(&self, ended: Ended, jobs: JobCounts, listed: Vec<EditedJob>) -> Decided {
        let report = self.report(ended, jobs, ChangedDocuments::default(), listed);
        Decided::Ends(Box::new(report))
    }

    /// Continues what an earlier process had begun.
    pub(super) fn go_on(
        &self,
        checkpoint: Checkpoint,
        destination: &mut dyn Destination,
        observer: &mut dyn Observer,
    ) -> Result<RollbackReport, RunError> {
        let RollbackRequest { folder, apply, edited, .. } = self.request;
        let mut record = Record::read(folder, &self.plan.run)?;
        let is_other = edited.is_some() && *edited != record.edited;
        if is_other && *edited != Some(OnEdited::Keep) && record.edited.is_some() {
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
        let copied = Copied::none();
        copied.read(folder)?;
        let is_copied = |document: &[u8]| copied.has(document);
        let (target, from) = (checkpoint.target.clone(), record.position.clone());
        let run = TakenBack {
            claim: self.claim,
            position: &target,
            // What lay after the checkpoint was cut off before anything was written down.
            has_tail: false,
            earlier,
            from: Some(&from),
            is_copied: &is_copied,
        };
        destination.lock_back(&run)?;
        let looked = self.look_again(&run, (&mut record, &copied), destination, observer);
        match looked {
            Ok((keys, None)) => self.finish(
                &run,
                &keys,
                (&mut record, checkpoint),
                destination,
                (Vec::new(), observer),
            ),
            Ok((_, Some(report))) => destination.leave().map(|()| report).map_err(Into::into),
            Err(error) => {
                drop(destination.leave());
                Err(error)
            }
        }
    }

    /// Looks for jobs that were changed since the rollback began: they wait for a decision, or are
    /// left as they are.
    fn look_again(
        &self,
        run: &TakenBack<'_>,
        (record, copied): (&mut Record, &Copied),
        destination: &mut dyn Destination,
        observer: &mut dyn Observer,
    ) -> Result<(Sorted<16>, Option<RollbackReport>), RunError> {
        let folder = &self.request.folder;
        let mut edited = EditedKeys::read(folder, record.keys)?;
        let keys = EditedKeys::read(folder, record.keys)?.finish()?;
        let jobs = DecidedJobs { own: self.own, edited: &keys, on_edited: record.edited };
        let Some(now) = self.survey(run, &jobs, destination, observer)? else {
            let (jobs, documents) = (record.jobs, record.documents);
            return Ok((keys, Some(self.report(Ended::Interrupted, jobs, documents, Vec::new()))));
        };
        let number = now.jobs.edited;
        let is_miscounted = record.edited.is_none()
            && matches!(self.request.edited, Some(OnEdited::Discard { jobs }) if jobs != number);
        if number == 0 && !is_miscounted {
            return Ok((keys, None));
        }
        let is_kept = [self.request.edited, record.edited].contains(&Some(OnEdited::Keep));
        // The edited version and the one before it would stand side by side.
        if is_kept && run.earlier == Earlier::StillThere {
            return Err(Refusal::KeepsTwoVersions { run: self.plan.run.clone() }.into());
        }
        let is_discarded = record.edited.is_none()
            && self.request.edited == Some(OnEdited::Discard { jobs: number });
        if !is_kept && !is_discarded {
            let documents = record.documents;
            let jobs = JobCounts { edited: now.jobs.edited, ..record.jobs };
            return Ok((keys, Some(self.report(Ended::Undecided, jobs, documents, now.listed))));
        }
        now.keys.finish()?.each(|key| edited.add(*key))?;
        let keys = edited.finish()?;
        record.jobs.edited += number;
        record.keys = keys.len();
        if is_discarded {
            record.edited = self.request.edited;
            let decided = DecidedJobs { own: self.own, edited: &keys, on_edited: record.edited };
            self.keep_discarded(run, &decided, destination)?;
            copied.read(folder)?;
        } else {
            record.jobs.kept += number;
            record.jobs.deleted = record.jobs.deleted.saturating_sub(number);
            record.edited = record.edited.or(Some(OnEdited::Keep));
        }
        write_edited(folder, &keys)?;
        record.write(folder)?;
        Ok((keys, None))
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
        keys: &Sorted<16>,
        (record, mut checkpoint): (&mut Record, Checkpoint),
        destination: &mut dyn Destination,
        (listed, observer): (Vec<EditedJob>, &mut dyn Observer),
    ) -> Result<RollbackReport, RunError> {
        let folder = &self.request.folder;
        let decided = DecidedJobs { own: self.own, edited: keys, on_edited: record.edited };
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
        let LeftOver { wrong, foreign_events } = left;
        if wrong > 0 {
            drop(destination.leave());
            let message =
                format!("{wrong} documents of the target are not as they were before the run");
            let advice = "somebody else wrote to it meanwhile: the same command looks again";
            return Err(EndError::failed(message, Some(advice)).into());
        }
        if foreign_events > 0 {
            observer.note(&format!(
                "warning: {foreign_events} events of jobs that were taken back stay: the run did \
                 not write them"
            ));
        }
        record.documents = documents;
        record.write(folder)?;
        checkpoint.enter(State::RolledBack)?;
        folder.write_checkpoint(&checkpoint)?;
        destination.forget(self.claim)?;
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

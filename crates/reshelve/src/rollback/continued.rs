//! A rollback that an earlier process had begun: with what was decided, and what was edited since.

use super::copied::Copied;
use super::jobs::DecidedJobs;
use super::progress::Observer;
use super::record::{EditedKeys, JobCounts, OnEdited, Record, discarded_file, write_edited_later};
use super::steps::Rollback;
use super::{Ended, RollbackReport, RollbackRequest};
use crate::dump::Documents;
use crate::ends::{Destination, Earlier, TakenBack};
use crate::run::{Checkpoint, Refusal, RunError};
use crate::store::{Replacement, Sorted};

/// The keys of edited jobs, and of those that are kept beside discarded ones; and how the rollback
/// ends, if it ends here.
type LookedAgain = ([Sorted<16>; 2], Option<RollbackReport>);

impl Rollback<'_> {
    /// Continues what an earlier process had begun.
    pub(super) fn go_on(
        &self,
        checkpoint: Checkpoint,
        destination: &mut dyn Destination,
        observer: &mut dyn Observer,
    ) -> Result<RollbackReport, RunError> {
        let RollbackRequest { folder, apply, edited, .. } = self.request;
        let mut record = Record::read(folder, &self.plan.run)?;
        if let (Some(OnEdited::Discard { .. }), Some(OnEdited::Keep)) = (edited, record.edited) {
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
        let looked = looked.and_then(|looked| {
            if let (keys, None) = &looked {
                let decided = self.decided((&keys[0], &keys[1]), record.edited);
                destination.expect_free_ids(&run, &decided)?;
            }
            Ok(looked)
        });
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
    /// left as they are. The number of a decision to discard is that of all that go with it.
    fn look_again(
        &self,
        run: &TakenBack<'_>,
        (record, copied): (&mut Record, &Copied),
        destination: &mut dyn Destination,
        observer: &mut dyn Observer,
    ) -> Result<LookedAgain, RunError> {
        let folder = &self.request.folder;
        let keys = [
            EditedKeys::read(folder, record.keys)?.finish()?,
            EditedKeys::read_kept(folder, record.kept)?.finish()?,
        ];
        let jobs = self.decided((&keys[0], &keys[1]), record.edited);
        let Some(now) = self.survey(run, &jobs, destination, observer)? else {
            let (jobs, documents) = (record.jobs, record.documents);
            return Ok((keys, Some(self.report(Ended::Interrupted, jobs, documents, Vec::new()))));
        };
        let number = now.jobs.edited;
        let all = match record.edited {
            Some(OnEdited::Discard { .. }) => record.keys + number,
            _ => number,
        };
        let asked = match self.request.edited {
            Some(OnEdited::Discard { jobs }) => Some(jobs),
            _ => None,
        };
        let is_miscounted = asked.is_some_and(|asked| asked != all);
        if number == 0 && is_miscounted && record.edited.is_some() {
            return Err(Refusal::RollbackDecided { run: self.plan.run.clone() }.into());
        }
        let is_kept = [self.request.edited, record.edited].contains(&Some(OnEdited::Keep));
        // The edited version and the one before it would stand side by side.
        if number > 0 && is_kept && run.earlier == Earlier::StillThere {
            return Err(Refusal::KeepsTwoVersions { run: self.plan.run.clone() }.into());
        }
        if is_miscounted || number > 0 && !is_kept && asked.is_none() {
            let documents = record.documents;
            let jobs = JobCounts { edited: all, ..record.jobs };
            return Ok((keys, Some(self.report(Ended::Undecided, jobs, documents, now.listed))));
        }
        let keys = match number {
            0 => keys,
            _ => self.decide_again(record, now.keys, number)?,
        };
        if let Some(OnEdited::Discard { .. }) = record.edited {
            self.copy_again(
                run,
                &self.decided((&keys[0], &keys[1]), record.edited),
                copied,
                destination,
            )?;
        }
        record.write(folder)?;
        Ok((keys, None))
    }

    /// Writes down what becomes of jobs that were edited since.
    fn decide_again(
        &self,
        record: &mut Record,
        now: EditedKeys,
        number: u64,
    ) -> Result<[Sorted<16>; 2], RunError> {
        let folder = &self.request.folder;
        let mut edited = EditedKeys::read(folder, record.keys)?;
        let mut kept = EditedKeys::read_kept(folder, record.kept)?;
        record.jobs.edited += number;
        let now = now.finish()?;
        match (self.request.edited, record.edited) {
            // The others are discarded.
            (Some(OnEdited::Keep), Some(OnEdited::Discard { .. })) => {
                now.each(|key| kept.add(*key))?;
                record.kept += number;
            }
            (Some(OnEdited::Discard { .. }), _) => {
                now.each(|key| edited.add(*key))?;
                record.edited = self.request.edited;
            }
            _ => {
                now.each(|key| edited.add(*key))?;
                record.edited = record.edited.or(Some(OnEdited::Keep));
            }
        }
        if let Some(OnEdited::Keep) = self.request.edited.or(record.edited) {
            record.jobs.kept += number;
            record.jobs.deleted = record.jobs.deleted.saturating_sub(number);
        }
        let keys = [edited.finish()?, kept.finish()?];
        record.keys = keys[0].len();
        write_edited_later(folder, &keys)?;
        Ok(keys)
    }

    /// Makes copies of what will be discarded and has none: it was decided on just now, or edited
    /// again since its first copy was made. What was copied before may be gone from the target.
    fn copy_again(
        &self,
        run: &TakenBack<'_>,
        jobs: &DecidedJobs<'_>,
        copied: &Copied,
        destination: &mut dyn Destination,
    ) -> Result<(), RunError> {
        let folder = &self.request.folder;
        let (files, path) = (folder.files(), discarded_file(folder));
        let mut copy = Replacement::begin(files, &path)?;
        if let Some(found) = files.look(&path)? {
            let mut before = Documents::open(files, &path, found.length)?;
            let unusable = |detail: String| RunError::State { path: path.clone(), detail };
            while let Some(document) =
                before.next_document().map_err(|damage| unusable(damage.to_string()))?
            {
                copy.put(document)?;
            }
        }
        let mut is_more = false;
        destination.discarded(run, jobs, &mut |document| {
            if copied.has(document)? {
                return Ok(());
            }
            is_more = true;
            copy.put(document)
        })?;
        if is_more {
            copy.commit()?;
            copied.read(folder)?;
        }
        Ok(())
    }
}

//! What is checked before a target folder is changed, and when everything is taken back.

use super::super::existing::each_document;
use super::super::lengths::Lengths;
use super::back::Back;
use super::survey::{Counts, HELD_MAX, parts};
use crate::ends::{Action, Earlier, EndError, Found, Hint, How, LeftOver, has_its_id};
use crate::standing::{Fate, OwnDocuments, Part, was_changed};
use crate::store::{Sorted, Sorter, key_of};
use crate::target_schema::{Collection, id_bytes, job_id};
use reshelve_core::raw::{Document, Value};

impl Back<'_> {
    /// Checks, right before a collection is changed, that what goes is what the run wrote: of
    /// events, all of them together tell.
    pub(super) fn check(&self, collection: Collection) -> Result<(), EndError> {
        if collection != Collection::Events {
            return Ok(());
        }
        let found =
            self.parts_not_kept(collection, &|own, at, document| !own.is_foreign(at, document))?;
        let mut newer = None::<Sorted<17>>;
        self.jobs.each(None, &mut |job, how| {
            if how != Some(How::AsWritten) {
                return Ok(());
            }
            match found.get(&job.key)?.map(|record| Part::of(record[16])) {
                None | Some(Part::Absent | Part::Same) => Ok(()),
                // Events that are the same in both versions were put aside.
                Some(Part::Fewer) if job.action == Action::Replace => Ok(()),
                Some(Part::Fewer) if job.action == Action::Complete => {
                    let newer = match &newer {
                        Some(newer) => newer,
                        None => newer.insert(self.newer(collection)?),
                    };
                    // Those that the run added may be gone: they were taken back before.
                    match newer.get(&job.key)? {
                        None => Ok(()),
                        Some(_) => Err(was_changed(&job, collection)),
                    }
                }
                Some(_) => Err(was_changed(&job, collection)),
            }
        })
    }

    /// What stands in a collection of each job beside what there was of it before the run, and what
    /// is nobody's version of it.
    pub(super) fn newer(&self, collection: Collection) -> Result<Sorted<17>, EndError> {
        self.parts_not_kept(collection, &|own, at, document| {
            !own.is_foreign(at, document) && !own.was_there(at, document)
        })
    }

    /// What stands in a collection of each job, of what counts and was not kept from before the run.
    fn parts_not_kept(
        &self,
        collection: Collection,
        counts: Counts<'_>,
    ) -> Result<Sorted<17>, EndError> {
        let kept = self.kept_keys(collection)?;
        let is_kept = |document: &[u8]| kept.get(&key_of(document)).ok().flatten().is_some();
        parts(self, collection, &|own, at, document| {
            counts(own, at, document) && !is_kept(document)
        })
    }

    /// Checks that what lies after the last checkpoint is what the run was about to write there. What
    /// cannot be read as a document is a write that was cut off.
    pub(super) fn check_tail(&self, lengths: &Lengths) -> Result<(), EndError> {
        for (collection, from) in Collection::ALL.into_iter().zip(lengths.0) {
            let path = self.folder.file(collection);
            let Some(found) = self.files.look(&path)?.filter(|found| found.length > from) else {
                continue;
            };
            let mut strangers = 0_u64;
            each_document(self.files, &path, from..found.length, |document| {
                let job = Document::new(document).get("jobId").and_then(Value::string);
                let own = self.jobs.get(&key_of(job.unwrap_or_default()))?;
                let own = own.map(|(job, how)| OwnDocuments::new(job, how));
                let is_own = own.is_some_and(|own| match collection {
                    Collection::Events => !own.is_foreign(collection, document),
                    _ => own.part(collection, &[document]) == Part::Same,
                });
                strangers += u64::from(!is_own);
                Ok(())
            })?;
            if strangers > 0 {
                let message = format!(
                    "{} holds documents after byte {from} that the journal of this run does not \
                     name ({strangers})",
                    path.display()
                );
                return Err(EndError::refusal(message, Hint::ResumeKeepsACopy));
            }
        }
        Ok(())
    }

    /// Checks that what the run replaced was kept, where it has taken it out of the target.
    pub(super) fn check_undo(&self) -> Result<(), EndError> {
        if self.run.earlier != Earlier::Kept {
            return Ok(());
        }
        let scratch = self.run.claim.scratch.as_path();
        self.files.create_folders(scratch)?;
        self.events_before()?;
        for collection in Collection::ALL {
            let mut kept = Sorter::<16>::new(scratch, HELD_MAX);
            let path = self.undo_file(collection);
            self.each_undone(collection, &mut |own, _| match own {
                Some(own) => Ok(kept.add(own.job.key)?),
                None => Ok(()),
            })?;
            let kept = kept.finish()?;
            self.jobs.each(None, &mut |job, _| {
                let was_there = job.found[collection.index()] != Found::Absent;
                if job.action == Action::Replace && was_there && kept.get(&job.key)?.is_none() {
                    let (job, path) = (String::from_utf8_lossy(&job.job_id), path.display());
                    let message = format!("the earlier version of the job {job} is not in {path}");
                    return Err(EndError::refusal(message, Hint::PutBackWhatWasKept));
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Checks that no document of another job has the `_id` of an earlier version that is to be put
    /// back.
    pub(super) fn check_ids(&self) -> Result<(), EndError> {
        for collection in Collection::ALL {
            let mut ids = Sorter::<32>::new(self.run.claim.scratch.as_path(), HELD_MAX);
            self.each_kept(collection, &mut |document| {
                let mut record = [0; 32];
                record[..16].copy_from_slice(&key_of(&id_bytes(document)));
                record[16..].copy_from_slice(&key_of(job_id(document)));
                Ok(ids.add(record)?)
            })?;
            let ids = ids.finish()?;
            let path = self.folder.file(collection);
            let end = self.files.look(&path)?.map_or(0, |found| found.length);
            let whole = if ids.len() == 0 { 0..0 } else { 0..end };
            self.each(&path, whole, &mut |_, document| match ids
                .get(&key_of(&id_bytes(document)))?
            {
                Some(record) if record[16..] != key_of(job_id(document)) => {
                    let job = self.jobs.get(&record[16..].try_into().unwrap_or_default())?;
                    let job = job.map(|(job, _)| job.job_id).unwrap_or_default();
                    Err(has_its_id(collection, document, &job))
                }
                _ => Ok(()),
            })?;
        }
        Ok(())
    }

    /// What the target holds when everything is taken back.
    pub(super) fn left_over(&self) -> Result<LeftOver, EndError> {
        let mut left = LeftOver::default();
        for collection in Collection::ALL {
            let (mut versions, mut back) = (0_u64, 0_u64);
            let kept = self.kept_keys(collection)?;
            self.each_own(collection, &mut |own, document| {
                let is_back = kept.get(&key_of(document))?.is_some();
                let is_foreign = !is_back && own.is_foreign(collection, document);
                left.foreign_events += u64::from(own.how.is_some() && is_foreign);
                if own.job.action == Action::Replace && self.run.earlier == Earlier::Kept {
                    if own.how.is_some() && !is_foreign {
                        versions += 1;
                        back += u64::from(is_back);
                    }
                } else {
                    let goes = own.fate(collection, document) == Fate::Goes;
                    left.wrong += u64::from(goes);
                }
                Ok(())
            })?;
            left.wrong += kept.len().abs_diff(back) + versions.saturating_sub(back);
        }
        Ok(left)
    }
}

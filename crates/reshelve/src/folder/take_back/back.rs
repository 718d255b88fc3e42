//! The documents of a target folder that belong to the jobs of a run.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::super::existing::each_document;
use super::super::lengths::{Lengths, Progress};
use super::super::replace::{events_before_file, hashes_file};
use super::survey::HELD_MAX;
use crate::ends::{
    Action, Earlier, EndError, EndErrorKind, Found, Hint, OwnJobs, TakenBack, TargetFolder,
};
use crate::standing::OwnDocuments;
use crate::store::{Files, Sorted, Sorter, StateError, key_of, read_sealed};
use crate::target_schema::{Collection, id_bytes, is_of_a_version};
use reshelve_core::raw::{Document, Value};

/// Is given a document of a job of the run.
pub(super) type EachOwn<'e> = dyn FnMut(&OwnDocuments, &[u8]) -> Result<(), EndError> + 'e;
/// Is given a document, with the job of the run that it belongs to.
pub(super) type EachDocument<'e> =
    dyn FnMut(Option<&OwnDocuments>, &[u8]) -> Result<(), EndError> + 'e;

/// What is taken back from where.
pub(super) struct Back<'b> {
    pub(super) files: &'b dyn Files,
    pub(super) folder: &'b TargetFolder,
    pub(super) run: &'b TakenBack<'b>,
    pub(super) jobs: &'b dyn OwnJobs,
    /// Read where it is asked for.
    events_before: OnceLock<Sorted<16>>,
}

impl<'b> Back<'b> {
    pub(super) fn new(
        files: &'b dyn Files,
        folder: &'b TargetFolder,
        run: &'b TakenBack<'b>,
        jobs: &'b dyn OwnJobs,
    ) -> Self {
        Back { files, folder, run, jobs, events_before: OnceLock::new() }
    }
}

impl Back<'_> {
    /// The part of a file in which documents of the run can be.
    pub(super) fn part(&self, collection: Collection) -> Result<Range<u64>, EndError> {
        let found = self.files.look(&self.folder.file(collection))?;
        let end = found.map_or(0, |found| found.length);
        let end = match self.run.has_tail {
            true => end.min(Progress::of(self.run.position)?.lengths.0[collection.index()]),
            false => end,
        };
        let start = match self.run.earlier {
            Earlier::StillThere => self.base(collection),
            Earlier::None | Earlier::Kept => 0,
        };
        Ok(start.min(end)..end)
    }

    pub(super) fn base(&self, collection: Collection) -> u64 {
        let lengths = Lengths::of(&self.run.claim.base.position).unwrap_or_default();
        lengths.0[collection.index()]
    }

    pub(super) fn undo_file(&self, collection: Collection) -> PathBuf {
        self.run.claim.undo.join(format!("{collection}.bson"))
    }

    /// The ids of the events of the new application that stood when their jobs were replaced.
    pub(super) fn events_before(&self) -> Result<&Sorted<16>, EndError> {
        if let Some(read) = self.events_before.get() {
            return Ok(read);
        }
        let path = events_before_file(&self.run.claim.undo);
        let mut ids = Sorter::<16>::new(self.run.claim.scratch.as_path(), HELD_MAX);
        for id in read_sealed(self.files, &path).map_err(unusable)? {
            ids.add(id?)?;
        }
        let ids = ids.finish()?;
        Ok(self.events_before.get_or_init(|| ids))
    }

    fn belonging<'o>(
        &self,
        own: Option<&'o OwnDocuments>,
        document: &[u8],
    ) -> Result<Option<&'o OwnDocuments>, EndError> {
        match own {
            Some(own) if self.stood_before(own, document)? => Ok(None),
            own => Ok(own),
        }
    }

    /// Gives every document that was kept of the earlier versions in a collection, as its hash says
    /// that it was kept.
    pub(super) fn each_undone(
        &self,
        collection: Collection,
        each: &mut EachDocument<'_>,
    ) -> Result<(), EndError> {
        let path = self.undo_file(collection);
        let changed = || {
            let message = format!(
                "{} is not as it was written: documents in it were changed, or are gone",
                path.display()
            );
            EndError::refusal(message, Hint::PutBackWhatWasKept)
        };
        let hashes = hashes_file(&self.run.claim.undo, collection);
        let mut hashes = read_sealed(self.files, &hashes).map_err(unusable)?;
        let Some(undo) = self.files.look(&path)? else { return Err(changed()) };
        let given = self.each(&path, 0..undo.length, &mut |own, document| match hashes
            .next()
            .transpose()?
        {
            Some(hash) if hash == key_of(document) => each(own, document),
            _ => Err(changed()),
        });
        match given {
            Err(error) if error.kind == EndErrorKind::Refused => {
                Err(error.hinting(Hint::PutBackWhatWasKept))
            }
            Ok(()) if hashes.next().is_some() => Err(changed()),
            given => given,
        }
    }

    /// Whether a document is an event of the new application that stood when its job was replaced:
    /// nobody's version of it, and nothing that has come since.
    fn stood_before(&self, own: &OwnDocuments, document: &[u8]) -> Result<bool, EndError> {
        let may_have = own.job.action == Action::Replace && self.run.earlier == Earlier::Kept;
        if !may_have || is_of_a_version(document) {
            return Ok(false);
        }
        Ok(self.events_before()?.get(&key_of(&id_bytes(document)))?.is_some())
    }

    /// Gives every document of the run's jobs in a collection.
    pub(super) fn each_own(
        &self,
        collection: Collection,
        each: &mut EachOwn<'_>,
    ) -> Result<(), EndError> {
        let path = self.folder.file(collection);
        let part = self.part(collection)?;
        // What a job lacked was added after what there was of it. Of a job that is replaced, its
        // earlier version still stands before that place.
        let had_a_part = |own: &OwnDocuments| {
            own.job.action == Action::Complete && own.job.found[collection.index()] != Found::Absent
        };
        self.each(&path, 0..part.start, &mut |own, document| match own {
            Some(own) if had_a_part(own) => each(own, document),
            _ => Ok(()),
        })?;
        self.each(&path, part, &mut |own, document| match own {
            Some(own) => each(own, document),
            None => Ok(()),
        })
    }

    /// Gives every document of a part of a file, with the job of the run that it belongs to. Events
    /// of the new application that stood before belong to none.
    pub(super) fn each(
        &self,
        path: &Path,
        part: Range<u64>,
        each: &mut EachDocument<'_>,
    ) -> Result<(), EndError> {
        if part.is_empty() {
            return Ok(());
        }
        // Documents of a job mostly lie together: its key is made once for all of them.
        let mut known: Option<(Vec<u8>, Option<OwnDocuments>)> = None;
        let mut failed = None;
        let torn = each_document(self.files, path, part, |document| {
            if failed.is_some() {
                return Ok(());
            }
            let own = match Document::new(document).get("jobId").and_then(Value::string) {
                None => None,
                Some(job_id) => {
                    if known.as_ref().is_none_or(|(known, _)| known != job_id) {
                        let own = self.jobs.get(&key_of(job_id))?;
                        let own = own.map(|(job, how)| OwnDocuments::new(job, how));
                        known = Some((job_id.to_vec(), own));
                    }
                    known.as_ref().and_then(|(_, own)| own.as_ref())
                }
            };
            failed = self.belonging(own, document).and_then(|own| each(own, document)).err();
            Ok(())
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        match torn {
            None => Ok(()),
            Some(offset) => {
                let message = format!("{} is damaged at byte offset {offset}", path.display());
                Err(EndError::refusal(message, Hint::MendTheTarget))
            }
        }
    }
}

/// What was kept of earlier versions cannot be used.
fn unusable(error: StateError) -> EndError {
    EndError::refusal(error.to_string(), Hint::PutBackWhatWasKept).caused_by(error)
}

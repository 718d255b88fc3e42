//! Documents of a target that stand beside one of the run and cannot be of others, and would hide
//! among those that are left alone: with the `_id` of another one in the same collection, as in a
//! file they can, or with the `jobId` of a job, of which there is one document in most collections.

use std::path::Path;

use super::side::id_key;
use crate::ends::{EndError, EndErrorKind, TargetReader};
use crate::pass::repeated_ids::{self, Seen};
use crate::store::{DiskError, Key, Sorted, Sorter, key_of};
use crate::target_schema::Collection;
use reshelve_core::raw::{Document, Value};

/// How many keys of documents that are left over are held in memory: 16 MiB; then sorted files.
const HELD_MAX: usize = 1 << 20;

/// The documents of a collection that belong to no legacy document, while they are met.
pub(super) struct LeftOver {
    ids: Sorter<16>,
    jobs: Sorter<16>,
    /// The first key that could not be kept.
    failed: Option<DiskError>,
}

/// The same, by the keys of their `_id` and of their `jobId`.
pub(super) struct Strangers<'t> {
    target: &'t dyn TargetReader,
    collection: Collection,
    ids: Sorted<16>,
    jobs: Sorted<16>,
}

impl LeftOver {
    pub(super) fn new(scratch: &Path) -> Self {
        let sorter = || Sorter::new(scratch, HELD_MAX);
        LeftOver { ids: sorter(), jobs: sorter(), failed: None }
    }

    pub(super) fn add(&mut self, document: &[u8]) {
        if self.failed.is_none() {
            let added = self.ids.add(id_key(document));
            self.failed = added.and_then(|()| self.jobs.add(job_key(document))).err();
        }
    }

    pub(super) fn all(
        self,
        target: &dyn TargetReader,
        collection: Collection,
    ) -> Result<Strangers<'_>, EndError> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        let (ids, jobs) = (self.ids.finish()?, self.jobs.finish()?);
        Ok(Strangers { target, collection, ids, jobs })
    }
}

impl Strangers<'_> {
    /// Gives each document that has the `_id` of an earlier one: one of the two is left over.
    pub(super) fn doubles(
        &self,
        scratch: &Path,
        mut give: impl FnMut(&[u8]),
    ) -> Result<(), EndError> {
        let mut met = Seen::new(scratch, repeated_ids::HELD_MAX);
        self.each(|document| {
            let key = id_key(document);
            if self.ids.get(&key)?.is_some() && !met.insert(key)? {
                give(document);
            }
            Ok(())
        })
    }

    /// Gives each document that is left over and has the `jobId` of one that is not.
    pub(super) fn of_same_job(
        &self,
        scratch: &Path,
        mut give: impl FnMut(&[u8]),
    ) -> Result<(), EndError> {
        if self.collection == Collection::Events {
            return Ok(());
        }
        let mut ours = Sorter::new(scratch, HELD_MAX);
        self.each(|document| {
            let key = job_key(document);
            if self.jobs.get(&key)?.is_some() && self.ids.get(&id_key(document))?.is_none() {
                ours.add(key)?;
            }
            Ok(())
        })?;
        let ours = ours.finish()?;
        if ours.len() == 0 {
            return Ok(());
        }
        self.each(|document| {
            if ours.get(&job_key(document))?.is_some() && self.ids.get(&id_key(document))?.is_some()
            {
                give(document);
            }
            Ok(())
        })
    }

    /// Reads the collection again.
    fn each(&self, mut each: impl FnMut(&[u8]) -> Result<(), DiskError>) -> Result<(), EndError> {
        let mut documents = self.target.documents(self.collection)?;
        loop {
            match documents.next_document() {
                Ok(Some(document)) => each(document)?,
                Ok(None) => return Ok(()),
                // That was reported already.
                Err(error) if error.kind == EndErrorKind::Damaged => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// The key of the job that a document belongs to.
fn job_key(document: &[u8]) -> Key {
    key_of(Document::new(document).get("jobId").and_then(Value::string).unwrap_or_default())
}

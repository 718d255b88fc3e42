//! Whether the parts of jobs that need no restoring, metrics and events, are what a mapping makes:
//! no legacy document brings back what somebody has changed in them.

use super::RestoreFolderError;
use crate::ends::TargetReader;
use crate::store::{Scratch, Sorter, key_of};
use crate::target_schema::{Collection, job_id};
use reshelve_core::mapping::TargetDocuments;
use reshelve_core::raw;

/// Most keys in memory, 16 bytes each; the rest goes to sorted files.
const HELD_MAX: usize = 1 << 18;

/// The collections whose documents hold nothing of a legacy document that others do not hold too.
const PARTS: [Collection; 2] = [Collection::Metrics, Collection::Events];

/// Documents of one collection that are not as a mapping made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedParts {
    /// The collection.
    pub collection: Collection,
    /// How many there are: changed since, or added by others to a job.
    pub documents: u64,
    /// The job id of the first of them.
    pub job: String,
}

/// What a mapping makes of the jobs of a target.
#[derive(Debug)]
pub(super) struct Parts {
    /// The keys of the jobs.
    jobs: Sorter<16>,
    /// The keys of their parts, by content.
    made: Sorter<16>,
}

impl Parts {
    pub(super) fn new(scratch: &Scratch) -> Parts {
        let keys = || Sorter::new(scratch.clone(), HELD_MAX);
        Parts { jobs: keys(), made: keys() }
    }

    /// Adds a job and what a mapping makes of it.
    pub(super) fn add(
        &mut self,
        job: &[u8],
        target: &TargetDocuments,
    ) -> Result<(), RestoreFolderError> {
        self.jobs.add(key_of(job))?;
        for collection in PARTS {
            let bytes = &target.bytes()[collection.index()];
            for document in raw::documents(bytes) {
                self.made.add(key_of(&bytes[document]))?;
            }
        }
        Ok(())
    }

    /// Which parts of these jobs a target holds that no mapping makes.
    pub(super) fn changed_in(
        self,
        target: &dyn TargetReader,
    ) -> Result<Vec<ChangedParts>, RestoreFolderError> {
        let (jobs, made) = (self.jobs.finish()?, self.made.finish()?);
        let mut all = Vec::new();
        for collection in PARTS {
            let mut changed = ChangedParts { collection, documents: 0, job: String::new() };
            if !target.has(collection)? {
                continue;
            }
            let mut documents = target.documents(collection)?;
            while let Some(document) = documents.next_document()? {
                let job = job_id(document);
                if made.get(&key_of(document))?.is_some() || jobs.get(&key_of(job))?.is_none() {
                    continue;
                }
                if changed.documents == 0 {
                    changed.job = String::from_utf8_lossy(job).into_owned();
                }
                changed.documents += 1;
            }
            all.extend((changed.documents > 0).then_some(changed));
        }
        Ok(all)
    }
}

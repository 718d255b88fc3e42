//! Jobs that the target did not take because it held something else of them: that has to be there
//! still, or the job is nowhere.

use super::index::Index;
use super::side::{Side, id_key};
use crate::ends::EndError;
use crate::pass::repeated_ids::{HELD_MAX, Seen};
use crate::store::{DiskError, Key, Scratch, Spool, key_of};
use crate::target_schema::Collection;
use reshelve_core::raw::{self, Document, Value};

/// Such jobs of which nothing was found yet.
pub(super) struct Conflicts {
    scratch: Scratch,
    /// A retry may have met the same job.
    seen: Seen,
    met: Option<Spool>,
    open: Option<Index>,
    job_id: Vec<u8>,
}

impl Conflicts {
    pub(super) fn new(scratch: Scratch) -> Self {
        let seen = Seen::new(&scratch, HELD_MAX);
        Conflicts { scratch, seen, met: None, open: None, job_id: Vec::new() }
    }

    /// One such job: the target may hold a document with one of its ids. If not, it may hold
    /// another one with its `jobId`, which the rest of the comparison tells.
    pub(super) fn take(
        &mut self,
        (job_id, key): (&[u8], &Key),
        parts: [&[u8]; 4],
        sides: &mut [Side],
    ) -> Result<(), EndError> {
        for (collection, bytes) in Collection::ALL.into_iter().zip(parts) {
            for place in raw::documents(bytes) {
                if sides[collection.index()].holds(&id_key(&bytes[place]))? {
                    return Ok(());
                }
            }
        }
        if !self.seen.insert(*key)? {
            return Ok(());
        }
        let met = match &mut self.met {
            Some(met) => met,
            none => none.insert(Spool::new(&self.scratch)?),
        };
        Ok(met.add(key, job_id)?)
    }

    /// Every job was taken.
    pub(super) fn end(&mut self) -> Result<(), DiskError> {
        self.open = self.met.take().map(Index::new).transpose()?;
        Ok(())
    }

    /// A document of the target that was not expected.
    pub(super) fn meet(&mut self, document: &[u8]) -> Result<(), DiskError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if let Some(job_id) = Document::new(document).get("jobId").and_then(Value::string) {
            open.take(&key_of(job_id), &mut self.job_id)?;
        }
        Ok(())
    }

    /// Calls `each` with the id of every job that the target holds nothing of.
    pub(super) fn gone(&self, mut each: impl FnMut(&[u8])) -> Result<(), DiskError> {
        let Some(open) = &self.open else { return Ok(()) };
        open.untaken(|job_id| {
            each(job_id);
            Ok(())
        })
    }
}

//! Documents of a target that have the `_id` of another one in the same collection: in a file they
//! can be there, and hide among those that are left alone.

use std::path::Path;

use super::side::id_key;
use crate::ends::{EndError, EndErrorKind, TargetReader};
use crate::pass::repeated_ids::{self, Seen};
use crate::store::{DiskError, Sorter};
use crate::target_schema::Collection;

/// How many keys of documents that are left over are held in memory: 16 MiB; then sorted files.
const HELD_MAX: usize = 1 << 20;

/// The documents of a collection that belong to no legacy document, by the keys of their ids.
pub(super) struct LeftOver {
    keys: Sorter<16>,
    /// The first key that could not be kept.
    failed: Option<DiskError>,
}

impl LeftOver {
    pub(super) fn new(scratch: &Path) -> Self {
        LeftOver { keys: Sorter::new(scratch, HELD_MAX), failed: None }
    }

    pub(super) fn add(&mut self, document: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.keys.add(id_key(document)).err();
        }
    }

    /// Reads the collection again, and gives each document that has the `_id` of an earlier one:
    /// one of the two is left over.
    pub(super) fn doubles(
        self,
        target: &dyn TargetReader,
        collection: Collection,
        scratch: &Path,
        mut give: impl FnMut(&[u8]),
    ) -> Result<(), EndError> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        let keys = self.keys.finish()?;
        let mut met = Seen::new(scratch, repeated_ids::HELD_MAX);
        let mut documents = target.documents(collection)?;
        loop {
            let document = match documents.next_document() {
                Ok(Some(document)) => document,
                Ok(None) => return Ok(()),
                // That was reported already.
                Err(error) if error.kind == EndErrorKind::Damaged => return Ok(()),
                Err(error) => return Err(error),
            };
            let key = id_key(document);
            if keys.get(&key)?.is_some() && !met.insert(key)? {
                give(document);
            }
        }
    }
}

//! The copies of what is discarded.

use std::sync::{PoisonError, RwLock};

use super::record::discarded_file;
use crate::dump::Documents;
use crate::run::{RunError, RunFolder};
use crate::store::{DiskError, Sorted, Sorter, key_of};

/// Most keys in memory.
const HELD_MAX: usize = 1 << 18;

/// Which documents have a copy in `discarded.bson`.
pub(super) struct Copied {
    keys: RwLock<Option<Sorted<16>>>,
}

impl Copied {
    /// No copies, until they are read.
    pub(super) fn none() -> Self {
        Copied { keys: RwLock::new(None) }
    }

    /// Reads the copies that lie in the folder of a run.
    pub(super) fn read(&self, folder: &RunFolder) -> Result<(), RunError> {
        let (files, path) = (folder.files(), discarded_file(folder));
        let Some(found) = files.look(&path)? else { return Ok(()) };
        let mut keys = Sorter::<16>::new(folder.scratch(), HELD_MAX);
        let unusable = |detail: String| RunError::State { path: path.clone(), detail };
        let mut documents = Documents::open(files, &path, found.length)?;
        loop {
            match documents.next_document() {
                Ok(Some(document)) => keys.add(key_of(document))?,
                Ok(None) => break,
                Err(damage) => return Err(unusable(damage.to_string())),
            }
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.finish()?);
        Ok(())
    }

    /// Whether there is a copy of this document.
    pub(super) fn has(&self, document: &[u8]) -> Result<bool, DiskError> {
        match &*self.keys.read().unwrap_or_else(PoisonError::into_inner) {
            Some(keys) => Ok(keys.get(&key_of(document))?.is_some()),
            None => Ok(false),
        }
    }
}

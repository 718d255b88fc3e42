//! The documents of one target file, one after the other.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::dump;
use crate::ends::{Batch, BatchLimits, Damage, Source, SourceSpec};
use crate::store::{At, DiskError, Files, Open};

/// Reads a target file in any compression.
pub struct Documents {
    source: Box<dyn Source>,
    batch: Batch,
    next: usize,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Documents {
    /// Opens the first `limit` bytes of a file.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(files: &dyn Files, path: &Path, limit: u64) -> Result<Self, DiskError> {
        let file = files.open(path, Open::Read)?.take(limit);
        let spec = SourceSpec { path: PathBuf::from(path), ..SourceSpec::default() };
        let opened = dump::open_stream(Box::new(file), &path.display().to_string(), &spec)
            .map_err(std::io::Error::other)
            .at("reading", path)?;
        Ok(Documents { source: opened.source, batch: Batch::default(), next: 0 })
    }

    /// The next document, not checked yet.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn next_document(&mut self) -> Result<Option<&[u8]>, Damage> {
        if self.next == self.batch.items.len() {
            self.batch.clear();
            self.next = 0;
            if !self.source.fill(&mut self.batch, BatchLimits::default())? {
                return Ok(None);
            }
        }
        let item = self.batch.items[self.next];
        self.next += 1;
        Ok(Some(self.batch.document(&item)))
    }
}

//! The documents of one target file, one after the other.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc;

use super::bson_file::BsonFile;
use super::content::Content;
use crate::ends::{Batch, BatchLimits, Damage, Source};
use crate::store::{At, DiskError, Files, Open};

/// Reads a target file in any compression.
pub struct Documents {
    source: BsonFile,
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
        Self::open_part(files, path, 0..limit)
    }

    /// Opens a part of a file that begins with a document, or with a compressed member.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub(crate) fn open_part(
        files: &dyn Files,
        path: &Path,
        part: Range<u64>,
    ) -> Result<Self, DiskError> {
        let mut file = files.open(path, Open::Read)?;
        file.seek(SeekFrom::Start(part.start)).at("seeking in", path)?;
        let part = file.take(part.end.saturating_sub(part.start));
        // The name says that it is BSON: other content is damage.
        let content =
            Content::new(Box::new(part), path.display().to_string(), None).at("reading", path)?;
        let source = BsonFile::new(content);
        Ok(Documents { source, batch: Batch::default(), next: 0 })
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

/// How many batches are read before they are asked for.
const READ_AHEAD: usize = 1;

/// Gives every document of a part of a file, in order. A thread reads the next ones meanwhile, as
/// most of those who ask compute a hash of each. Ends with the damage, if there is any.
///
/// # Errors
/// Those of `each`, which then gets no further document, and of opening the file.
pub(crate) fn each_of_part(
    files: &dyn Files,
    path: &Path,
    part: Range<u64>,
    each: &mut dyn FnMut(&[u8]) -> Result<(), DiskError>,
) -> Result<Option<Damage>, DiskError> {
    let Documents { mut source, .. } = Documents::open_part(files, path, part)?;
    let (full, read) = mpsc::sync_channel::<Result<Batch, Damage>>(READ_AHEAD);
    let (back, used) = mpsc::channel::<Batch>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                let mut batch = used.try_recv().unwrap_or_default();
                batch.clear();
                let sent = match source.fill(&mut batch, BatchLimits::default()) {
                    Ok(true) => full.send(Ok(batch)),
                    Ok(false) => return,
                    Err(damage) => full.send(Err(damage)),
                };
                if sent.is_err() {
                    return;
                }
            }
        });
        // Owned here: where it is left early, the thread has nobody to send to, and ends.
        for batch in read {
            match batch {
                Ok(batch) => {
                    batch.items.iter().try_for_each(|item| each(batch.document(item)))?;
                    // Nobody takes it back once all is read.
                    let _ = back.send(batch);
                }
                Err(damage) => return Ok(Some(damage)),
            }
        }
        Ok(None)
    })
}

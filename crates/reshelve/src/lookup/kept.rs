//! Documents that are found by job: where each lies, in its own file or in one beside it.

use std::io::{BufWriter, Write};

use crate::ends::EndError;
use crate::store::{At, DiskError, Key, OpenFile, Scratch, Sorted, Sorter};

/// Key, offset, length.
const RECORD: usize = 16 + 8 + 4;
/// Most records in memory: 7 MiB of them; the rest in sorted files.
pub(super) const HELD_MAX: usize = 1 << 18;
/// Bytes that are written at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// Where bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) length: u32,
}

impl Extent {
    pub(super) fn end(self) -> u64 {
        self.offset + u64::from(self.length)
    }
}

/// A file that can be read at any place.
#[derive(Debug)]
enum Shelf {
    /// The file that the documents came from: only their places are written down.
    Their(Box<dyn OpenFile>),
    /// A file without a name, into which they are copied.
    Aside { out: BufWriter<Box<dyn OpenFile>>, end: u64 },
}

/// Documents that are being collected.
#[derive(Debug)]
pub(super) struct Keeping {
    shelf: Shelf,
    sorter: Sorter<RECORD>,
    /// Neighbours of one job become one record.
    last: Option<(Key, Extent)>,
}

impl Keeping {
    /// Collects documents that stay where they are, in this file.
    pub(super) fn in_place(file: Box<dyn OpenFile>, scratch: &Scratch) -> Self {
        let sorter = Sorter::new(scratch, HELD_MAX);
        Keeping { shelf: Shelf::Their(file), sorter, last: None }
    }

    /// Collects copies of documents.
    pub(super) fn aside(scratch: &Scratch) -> Result<Self, DiskError> {
        let out = BufWriter::with_capacity(BUFFER_BYTES, scratch.file()?);
        let sorter = Sorter::new(scratch, HELD_MAX);
        Ok(Keeping { shelf: Shelf::Aside { out, end: 0 }, sorter, last: None })
    }

    /// Adds a document, which begins at `offset` in the file that it comes from, where it does not
    /// have to be copied. Returns where it is found.
    pub(super) fn add(
        &mut self,
        key: &Key,
        document: &[u8],
        offset: u64,
    ) -> Result<Extent, DiskError> {
        let length = u32::try_from(document.len())
            .map_err(|_| std::io::ErrorKind::FileTooLarge.into())
            .at("indexing", self.path())?;
        let extent = match &mut self.shelf {
            Shelf::Their(_) => Extent { offset, length },
            Shelf::Aside { out, end } => {
                let extent = Extent { offset: *end, length };
                out.write_all(document).at("writing", out.get_ref().path())?;
                *end = extent.end();
                extent
            }
        };
        match &mut self.last {
            Some((last, before)) if last == key && before.end() == extent.offset => {
                match before.length.checked_add(length) {
                    Some(together) => before.length = together,
                    None => self.push(Some((*key, extent)))?,
                }
            }
            _ => self.push(Some((*key, extent)))?,
        }
        Ok(extent)
    }

    fn path(&self) -> &std::path::Path {
        match &self.shelf {
            Shelf::Their(file) => file.path(),
            Shelf::Aside { out, .. } => out.get_ref().path(),
        }
    }

    /// Writes the record of the last job down, and goes on with the next.
    fn push(&mut self, next: Option<(Key, Extent)>) -> Result<(), DiskError> {
        let Some((key, extent)) = std::mem::replace(&mut self.last, next) else { return Ok(()) };
        let mut record = [0; RECORD];
        record[..16].copy_from_slice(&key);
        record[16..24].copy_from_slice(&extent.offset.to_be_bytes());
        record[24..].copy_from_slice(&extent.length.to_be_bytes());
        self.sorter.add(record)
    }

    /// Ends the collecting.
    pub(super) fn finish(mut self) -> Result<Kept, DiskError> {
        self.push(None)?;
        let file = match self.shelf {
            Shelf::Their(file) => file,
            Shelf::Aside { mut out, .. } => {
                out.flush().at("writing", out.get_ref().path())?;
                out.get_ref().try_clone()?
            }
        };
        Ok(Kept { file, places: self.sorter.finish()? })
    }
}

/// Documents that were collected.
#[derive(Debug)]
pub(super) struct Kept {
    file: Box<dyn OpenFile>,
    places: Sorted<RECORD>,
}

impl Kept {
    /// Where the first documents of a job lie.
    pub(super) fn first(&self, key: &Key) -> Result<Option<Extent>, DiskError> {
        Ok(self.places.get(key)?.as_ref().map(extent))
    }

    /// Where all documents of a job lie, in the order of the file.
    pub(super) fn all(&self, key: &Key) -> Result<Vec<Extent>, DiskError> {
        Ok(self.places.all(key)?.iter().map(extent).collect())
    }

    /// The bytes at a place.
    pub(super) fn read(&self, extent: Extent) -> Result<Vec<u8>, DiskError> {
        let mut bytes = vec![0; usize::try_from(extent.length).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut bytes, extent.offset)?;
        Ok(bytes)
    }

    /// The refusal where what lies at a place is no longer what was written down.
    pub(super) fn changed(&self, extent: Extent) -> EndError {
        let (path, offset) = (self.file.path().display(), extent.offset);
        let message = format!("{path}: byte offset {offset}: the file changed while it was served");
        EndError::failed(message, None)
    }
}

fn extent(record: &[u8; RECORD]) -> Extent {
    let mut offset = [0; 8];
    offset.copy_from_slice(&record[16..24]);
    let mut length = [0; 4];
    length.copy_from_slice(&record[24..]);
    Extent { offset: u64::from_be_bytes(offset), length: u32::from_be_bytes(length) }
}

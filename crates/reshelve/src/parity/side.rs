//! One target collection, in which expected documents are found: nearly always as the next one,
//! else by their `_id`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::ends::{DocumentStream, TargetReader};
use crate::ends::{EndError, EndErrorKind};
use crate::store::{At, DiskError, unnamed_file};
use crate::store::{Key, Sorted, Sorter, key_of};
use crate::target_schema::Collection;
use reshelve_core::raw::{self, Document, Value};

/// Key, ordinal, offset, length.
const RECORD: usize = 16 + 8 + 8 + 4;
/// Most records in memory: about 36 MiB of them.
const HELD_MAX: usize = 1 << 20;

/// What a collection holds of an expected document.
pub(crate) enum Found {
    /// The same bytes.
    Same,
    /// Another document with that `_id`; it is in [`Side::actual`].
    Different,
    /// Nothing.
    Missing,
}

/// A target collection while it is compared.
pub(crate) struct Side {
    /// None where the collection is not there: it is empty then.
    documents: Option<Box<dyn DocumentStream>>,
    scratch: PathBuf,
    /// The next document, where one was read ahead.
    next: Option<Vec<u8>>,
    index: Option<Index>,
    is_damaged: bool,
    /// The place where the end of a document cannot be found, until it was told.
    pub(crate) damage: Option<String>,
    /// Documents seen so far.
    pub(crate) count: u64,
    /// The document of the last [`Found::Different`].
    pub(crate) actual: Vec<u8>,
}

impl Side {
    pub(crate) fn open(
        target: &dyn TargetReader,
        collection: Collection,
        scratch: PathBuf,
    ) -> Result<Self, EndError> {
        let documents = match target.has(collection)? {
            true => Some(target.documents(collection)?),
            false => None,
        };
        Ok(Side {
            documents,
            scratch,
            next: None,
            index: None,
            is_damaged: false,
            damage: None,
            count: 0,
            actual: Vec::new(),
        })
    }

    /// Opens a collection of which only the documents of these jobs count.
    pub(crate) fn open_jobs(
        target: &dyn TargetReader,
        collection: Collection,
        scratch: PathBuf,
        jobs: &HashSet<Key>,
    ) -> Result<Self, EndError> {
        let mut side = Side::open(target, collection, scratch)?;
        let mut builder = Builder::new(&side.scratch)?;
        while let Some(document) = side.next_document()? {
            let job = Document::new(document).get("jobId").and_then(Value::string);
            if job.is_some_and(|job| jobs.contains(&key_of(job))) {
                builder.add(document)?;
            }
        }
        let index = builder.finish()?;
        side.count = index.count;
        side.index = Some(index);
        Ok(side)
    }

    /// The next document; none behind a place where the end of one cannot be found.
    fn next_document(&mut self) -> Result<Option<&[u8]>, EndError> {
        let Some(documents) = self.documents.as_mut().filter(|_| !self.is_damaged) else {
            return Ok(None);
        };
        match documents.next_document() {
            Ok(next) => Ok(next),
            Err(error) => {
                self.damage = Some(damage_in(error)?);
                self.is_damaged = true;
                Ok(None)
            }
        }
    }

    /// Finds an expected document.
    pub(crate) fn find(&mut self, expected: &[u8]) -> Result<Found, EndError> {
        if self.index.is_none() {
            if self.next.is_none() {
                match self.next_document()? {
                    Some(document) if document == expected => {
                        self.count += 1;
                        return Ok(Found::Same);
                    }
                    next => self.next = next.map(<[u8]>::to_vec),
                }
            }
            match self.next.take() {
                Some(next) if next == expected => {
                    self.count += 1;
                    return Ok(Found::Same);
                }
                Some(next) if id_key(&next) == id_key(expected) => {
                    self.count += 1;
                    self.actual = next;
                    return Ok(Found::Different);
                }
                next => self.index = Some(self.build_index(next)?),
            }
        }
        let Some(index) = &mut self.index else { return Ok(Found::Missing) };
        if !index.take(id_key(expected), &mut self.actual)? {
            return Ok(Found::Missing);
        }
        Ok(if self.actual == expected { Found::Same } else { Found::Different })
    }

    fn build_index(&mut self, next: Option<Vec<u8>>) -> Result<Index, EndError> {
        let mut builder = Builder::new(&self.scratch)?;
        if let Some(next) = next {
            builder.add(&next)?;
        }
        while let Some(document) = self.next_document()? {
            builder.add(document)?;
        }
        let index = builder.finish()?;
        self.count += index.count;
        Ok(index)
    }

    /// Calls `each` with every document that no expected one was found as.
    pub(crate) fn extra(&mut self, mut each: impl FnMut(&[u8])) -> Result<(), EndError> {
        if let Some(index) = &self.index {
            return Ok(index.untaken(each)?);
        }
        if let Some(next) = self.next.take() {
            self.count += 1;
            each(&next);
        }
        while let Some(documents) = self.documents.as_mut().filter(|_| !self.is_damaged) {
            match documents.next_document() {
                Ok(Some(document)) => {
                    self.count += 1;
                    each(document);
                }
                Ok(None) => break,
                Err(error) => {
                    self.damage = Some(damage_in(error)?);
                    self.is_damaged = true;
                }
            }
        }
        Ok(())
    }
}

/// A target that is damaged differs from what it should be: that is for verification to say. One
/// that cannot be read says nothing.
fn damage_in(error: EndError) -> Result<String, EndError> {
    match error.kind {
        EndErrorKind::Damaged => Ok(error.message),
        _ => Err(error),
    }
}

fn id_key(document: &[u8]) -> Key {
    let id = Document::new(document).get("_id");
    let mut bytes = Vec::new();
    if let Some(id) = id {
        bytes.push(id.kind);
        bytes.extend_from_slice(id.bytes);
    }
    key_of(&bytes)
}

/// The rest of a collection in a file without a name, found by `_id`.
struct Index {
    file: File,
    path: PathBuf,
    records: Sorted<RECORD>,
    taken: Vec<u64>,
    lengths: Vec<u32>,
    count: u64,
}

struct Builder {
    out: BufWriter<File>,
    path: PathBuf,
    sorter: Sorter<RECORD>,
    lengths: Vec<u32>,
    offset: u64,
}

impl Builder {
    fn new(path: &Path) -> Result<Self, DiskError> {
        let file = unnamed_file(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Ok(Builder {
            out: BufWriter::with_capacity(1 << 20, file),
            path: path.to_owned(),
            sorter: Sorter::new(folder, HELD_MAX),
            lengths: Vec::new(),
            offset: 0,
        })
    }

    fn add(&mut self, document: &[u8]) -> Result<(), DiskError> {
        let length = u32::try_from(document.len()).unwrap_or(u32::MAX);
        let ordinal = u64::try_from(self.lengths.len()).unwrap_or(u64::MAX);
        let mut record = [0; RECORD];
        record[..16].copy_from_slice(&id_key(document));
        record[16..24].copy_from_slice(&ordinal.to_be_bytes());
        record[24..32].copy_from_slice(&self.offset.to_be_bytes());
        record[32..].copy_from_slice(&length.to_be_bytes());
        self.sorter.add(record)?;
        self.lengths.push(length);
        self.out.write_all(document).at("writing", &self.path)?;
        self.offset += u64::from(length);
        Ok(())
    }

    fn finish(self) -> Result<Index, DiskError> {
        let file = self.out.into_inner().map_err(std::io::IntoInnerError::into_error);
        let count = self.lengths.len();
        Ok(Index {
            file: file.at("writing", &self.path)?,
            path: self.path,
            records: self.sorter.finish()?,
            taken: vec![0; count.div_ceil(64)],
            lengths: self.lengths,
            count: u64::try_from(count).unwrap_or(u64::MAX),
        })
    }
}

impl Index {
    /// Reads the document with that key, and marks it as found.
    fn take(&mut self, key: Key, document: &mut Vec<u8>) -> Result<bool, DiskError> {
        let Some(record) = self.records.get(&key)? else { return Ok(false) };
        let number = |range: std::ops::Range<usize>| {
            record[range].iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
        };
        let ordinal = usize::try_from(number(16..24)).unwrap_or(usize::MAX);
        let bit = 1u64 << (ordinal % 64);
        // Two documents with one `_id` cannot be in a collection: the second one is extra.
        if self.taken[ordinal / 64] & bit != 0 {
            return Ok(false);
        }
        self.taken[ordinal / 64] |= bit;
        document.resize(usize::try_from(number(32..36)).unwrap_or(0), 0);
        self.file.read_exact_at(document, number(24..32)).at("reading", &self.path)?;
        Ok(true)
    }

    fn untaken(&self, mut each: impl FnMut(&[u8])) -> Result<(), DiskError> {
        let mut offset = 0;
        let mut document = Vec::new();
        for (ordinal, &length) in self.lengths.iter().enumerate() {
            if self.taken[ordinal / 64] & (1 << (ordinal % 64)) == 0 {
                document.resize(usize::try_from(length).unwrap_or(0), 0);
                self.file.read_exact_at(&mut document, offset).at("reading", &self.path)?;
                each(&document);
            }
            offset += u64::from(length);
        }
        Ok(())
    }
}

/// Whether a target document can be walked at all.
pub(crate) fn is_well_formed(document: &[u8]) -> bool {
    raw::check(document).is_ok()
}

//! The file beside a plan that names every document of its source: `FILE.keys`.
//!
//! A record for each document, in source order: its key, 16 bytes, which is the first half of
//! BLAKE3 of its `_id` as people write it; the BLAKE3 hash of the document, 32 bytes; the length of
//! that `_id` in two bytes, little-endian; and the `_id` as text, cut after [`ID_BYTES_MAX`].

use std::io::{BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::PlanError;
use super::source::Entry;
use super::used::keys_file;
use crate::store::{At, DiskError, Files, Open, OpenFile, Replacement};

/// The longest `_id` that is kept as text.
pub(super) const ID_BYTES_MAX: usize = 256;
/// Key, hash and length.
const HEAD_BYTES: usize = 50;
/// Bytes that are read or written at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// The file as a plan names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysState {
    /// Its length in bytes.
    pub bytes: u64,
    /// BLAKE3 over it, in hex.
    pub hash: String,
}

/// The bytes of a record.
pub(super) fn record(entry: &Entry) -> Vec<u8> {
    let mut cut = entry.id.len().min(ID_BYTES_MAX);
    while !entry.id.is_char_boundary(cut) {
        cut -= 1;
    }
    let id = &entry.id.as_bytes()[..cut];
    let mut record = Vec::with_capacity(HEAD_BYTES + id.len());
    record.extend_from_slice(&entry.key);
    record.extend_from_slice(&entry.hash);
    record.extend_from_slice(&u16::try_from(id.len()).unwrap_or(0).to_le_bytes());
    record.extend_from_slice(id);
    record
}

/// The file while it is written: it appears in one step.
#[derive(Debug)]
pub struct Keys<'f> {
    replacement: Replacement<'f, dyn Files + 'f>,
    hasher: blake3::Hasher,
    held: Vec<u8>,
    bytes: u64,
}

impl<'f> Keys<'f> {
    /// Begins the file that belongs to a plan.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn begin(files: &'f dyn Files, plan: &Path) -> Result<Self, PlanError> {
        let replacement = Replacement::begin(files, &keys_file(plan))?;
        Ok(Keys { replacement, hasher: blake3::Hasher::new(), held: Vec::new(), bytes: 0 })
    }

    /// Adds a document.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn add(&mut self, entry: &Entry) -> Result<(), DiskError> {
        self.held.extend_from_slice(&record(entry));
        if self.held.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        self.hasher.update(&self.held);
        self.bytes += u64::try_from(self.held.len()).unwrap_or(0);
        self.replacement.put(&self.held)?;
        self.held.clear();
        Ok(())
    }

    /// Ends the file: it is not yet to be seen.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn end(&mut self) -> Result<KeysState, PlanError> {
        self.flush()?;
        self.replacement.sync()?;
        let hash = self.hasher.finalize().to_hex().to_string();
        Ok(KeysState { bytes: self.bytes, hash })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn commit(self) -> Result<(), PlanError> {
        Ok(self.replacement.commit()?)
    }
}

/// Checks that the file beside a plan is the one that it names.
///
/// # Errors
/// If it is not, or cannot be read.
pub fn check_keys(files: &dyn Files, plan: &Path, state: &KeysState) -> Result<(), PlanError> {
    let path = keys_file(plan);
    let edited = |detail: String| PlanError::Edited { path: plan.to_owned(), detail };
    let name = path.display();
    let found = match hash_of_file(files, &path) {
        Ok(found) => found,
        Err(error) if error.is_absent() => {
            return Err(edited(format!("the file that belongs to it, {name}, is not there")));
        }
        Err(error) => return Err(error.into()),
    };
    if found != state.hash {
        let detail = format!(
            "the file that belongs to it, {name}, was changed since: its hash is {found}, and the \
             plan names {}",
            state.hash
        );
        return Err(edited(detail));
    }
    Ok(())
}

/// BLAKE3 over a file, in hex.
///
/// # Errors
/// If it cannot be read.
pub fn hash_of_file(files: &dyn Files, path: &Path) -> Result<String, DiskError> {
    let mut file = files.open(path, Open::Read)?;
    let mut hasher = blake3::Hasher::new();
    let mut bytes = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut bytes).at("reading", path)? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            read => hasher.update(&bytes[..read]),
        };
    }
}

/// A file of records, read in order.
#[derive(Debug)]
pub(super) struct KeysReader {
    reader: BufReader<Box<dyn OpenFile>>,
    /// Where the next record begins.
    offset: u64,
    length: u64,
}

impl KeysReader {
    pub(super) fn open(files: &dyn Files, plan: &Path) -> Result<Self, DiskError> {
        let file = files.open(&keys_file(plan), Open::Read)?;
        let length = file.length()?;
        let reader = BufReader::with_capacity(BUFFER_BYTES, file);
        Ok(KeysReader { reader, offset: 0, length })
    }

    /// The next record, with where it begins.
    pub(super) fn next_entry(&mut self) -> Result<Option<(u64, Entry)>, DiskError> {
        if self.offset >= self.length {
            return Ok(None);
        }
        let path = self.reader.get_ref().path().to_owned();
        let mut head = [0; HEAD_BYTES];
        self.reader.read_exact(&mut head).at("reading", &path)?;
        let mut id = vec![0; id_length(&head)];
        self.reader.read_exact(&mut id).at("reading", &path)?;
        let begin = self.offset;
        self.offset += u64::try_from(HEAD_BYTES + id.len()).unwrap_or(0);
        Ok(Some((begin, entry_of(&head, &id))))
    }
}

/// The record at a place in a file.
pub(super) fn entry_at(file: &dyn OpenFile, offset: u64) -> Result<Entry, DiskError> {
    let mut head = [0; HEAD_BYTES];
    file.read_exact_at(&mut head, offset)?;
    let mut id = vec![0; id_length(&head)];
    file.read_exact_at(&mut id, offset + u64::try_from(HEAD_BYTES).unwrap_or(0))?;
    Ok(entry_of(&head, &id))
}

fn id_length(head: &[u8; HEAD_BYTES]) -> usize {
    usize::from(u16::from_le_bytes([head[HEAD_BYTES - 2], head[HEAD_BYTES - 1]]))
}

fn entry_of(head: &[u8; HEAD_BYTES], id: &[u8]) -> Entry {
    let mut entry = Entry { id: String::from_utf8_lossy(id).into_owned(), ..Entry::default() };
    entry.key.copy_from_slice(&head[..16]);
    entry.hash.copy_from_slice(&head[16..48]);
    entry
}

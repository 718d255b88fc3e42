//! The rejects of a run, for people who look at them: a part of the list, and a document of it.

use std::io::{BufRead, BufReader, Read, Take};

use reshelve_core::raw::hex;

use super::run_folder::RunFolder;
use super::{RejectRecord, RunError};
use crate::pass::read_rejects;
use crate::store::{At, DiskError, Lines, Open, OpenFile};

/// How much of each file of rejected documents is looked through for one document, in bytes. What
/// comes later is not found here; the files hold it all the same.
const LOOKED_THROUGH_BYTES_MAX: u64 = 256 << 20;
/// The longest document that is held, in bytes.
const DOCUMENT_BYTES_MAX: usize = 48 << 20;

/// A rejected document as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RejectedBytes {
    /// A BSON document, of which nothing is known but its length.
    Bson(Vec<u8>),
    /// Text that is no Extended JSON, or bytes that are no BSON.
    Other(Vec<u8>),
}

/// A reject, and its document if that was found.
pub type RejectWithDocument = (RejectRecord, Option<RejectedBytes>);

impl RunFolder {
    /// Rejects in source order, after so many others; at most `count`. A run that rejected nothing
    /// has no list.
    ///
    /// # Errors
    /// Where a file of the run cannot be used.
    pub fn rejects(&self, after: u64, count: usize) -> Result<Vec<RejectRecord>, RunError> {
        let length = self.checkpoint()?.rejects.jsonl;
        let Some(lines) = self.reject_lines(length)? else { return Ok(Vec::new()) };
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        for (at, record) in lines.enumerate().take(after.saturating_add(count)) {
            let record = record?;
            if at >= after {
                found.push(record);
            }
        }
        Ok(found)
    }

    /// A reject by its place in the list, from 0, with its document: the one that has the hash which
    /// the list names.
    ///
    /// # Errors
    /// Where a file of the run cannot be used.
    pub fn reject(&self, at: u64) -> Result<Option<RejectWithDocument>, RunError> {
        let lengths = self.checkpoint()?.rejects;
        let Some(lines) = self.reject_lines(lengths.jsonl)? else { return Ok(None) };
        let mut bson = self.kept("rejects.bson", lengths.bson)?;
        let mut other = self.kept("rejects.json", lengths.json)?;
        let (mut next, mut is_followed) = (next_document(&mut bson)?, true);
        for (index, record) in (0..).zip(lines) {
            let record: RejectRecord = record?;
            let mut document = None;
            if let Some(hash) = record.hash.as_ref().filter(|_| is_followed) {
                document = match next.take() {
                    Some(found) if hash_of(&found) == *hash => {
                        next = next_document(&mut bson)?;
                        Some(RejectedBytes::Bson(found))
                    }
                    not_yet => {
                        next = not_yet;
                        next_other(&mut other, hash)?.map(RejectedBytes::Other)
                    }
                };
            }
            // Where one document is not there, nobody knows where the next one begins.
            is_followed = document.is_some();
            if index == at {
                return Ok(Some((record, document)));
            }
        }
        Ok(None)
    }

    fn reject_lines(&self, length: u64) -> Result<Option<Lines<RejectRecord>>, DiskError> {
        absent_is_none(read_rejects(self.files(), self.path(), length))
    }

    /// A file of rejected documents, as far as the checkpoint vouches for it.
    fn kept(&self, name: &str, length: u64) -> Result<Option<KeptFile>, DiskError> {
        let path = self.path().join(name);
        let file = absent_is_none(self.files().open(&path, Open::Read))?;
        Ok(file.map(|file| BufReader::new(file.take(length.min(LOOKED_THROUGH_BYTES_MAX)))))
    }
}

type KeptFile = BufReader<Take<Box<dyn OpenFile>>>;

fn absent_is_none<T>(opened: Result<T, DiskError>) -> Result<Option<T>, DiskError> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

fn hash_of(document: &[u8]) -> String {
    hex(blake3::hash(document).as_bytes())
}

/// The next document of a row; none at its end, and where its length cannot be believed.
fn next_document(file: &mut Option<KeptFile>) -> Result<Option<Vec<u8>>, DiskError> {
    let Some(file) = file else { return Ok(None) };
    let path = file.get_ref().get_ref().path().to_owned();
    let mut document = Vec::new();
    file.take(4).read_to_end(&mut document).at("reading", &path)?;
    let Some(prefix) = document.first_chunk() else { return Ok(None) };
    let length = usize::try_from(u32::from_le_bytes(*prefix)).unwrap_or(usize::MAX);
    if !(5..=DOCUMENT_BYTES_MAX).contains(&length) {
        return Ok(None);
    }
    let rest = u64::try_from(length - 4).unwrap_or_default();
    file.take(rest).read_to_end(&mut document).at("reading", &path)?;
    Ok(Some(document).filter(|document| document.len() == length))
}

/// The next of some texts that each end with a line: it may have several, and ends where it has
/// this hash.
fn next_other(file: &mut Option<KeptFile>, hash: &str) -> Result<Option<Vec<u8>>, DiskError> {
    let Some(file) = file else { return Ok(None) };
    let path = file.get_ref().get_ref().path().to_owned();
    let (mut text, mut hasher) = (Vec::new(), blake3::Hasher::new());
    while text.len() <= DOCUMENT_BYTES_MAX {
        let from = text.len();
        let read = file.read_until(b'\n', &mut text).at("reading", &path)?;
        if read == 0 {
            return Ok(None);
        }
        let end = text.strip_suffix(b"\n").map_or(text.len(), <[u8]>::len);
        hasher.update(&text[from..end]);
        if hex(hasher.finalize().as_bytes()) == hash {
            text.truncate(end);
            return Ok(Some(text));
        }
        hasher.update(&text[end..]);
    }
    Ok(None)
}

//! One target collection in which expected documents are found: nearly always as the next one, else
//! by their `_id`.

use std::collections::HashSet;
use std::path::Path;

use super::index::Index;
use crate::ends::{DocumentStream, TargetReader};
use crate::ends::{EndError, EndErrorKind};
use crate::store::{DiskError, Key, Scratch, Spool, key_of};
use crate::target_schema::Collection;
use reshelve_core::raw::{self, Document, Value};

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
    /// `None` if the collection does not exist: it counts as empty then.
    documents: Option<Box<dyn DocumentStream>>,
    scratch: Scratch,
    /// The next document, if one was read ahead.
    next: Option<Vec<u8>>,
    index: Option<Index>,
    is_damaged: bool,
    /// Where the end of a document cannot be found, until it is reported.
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
        scratch: &Path,
    ) -> Result<Self, EndError> {
        let documents = match target.has(collection)? {
            true => Some(target.documents(collection)?),
            false => None,
        };
        Ok(Side {
            documents,
            scratch: scratch.into(),
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
        scratch: &Path,
        jobs: &HashSet<Key>,
    ) -> Result<Self, EndError> {
        let mut side = Side::open(target, collection, scratch)?;
        let mut spool = Spool::new(&side.scratch)?;
        while let Some(document) = side.next_document()? {
            let job = Document::new(document).get("jobId").and_then(Value::string);
            if job.is_some_and(|job| jobs.contains(&key_of(job))) {
                spool.add(&id_key(document), document)?;
            }
        }
        let index = Index::new(spool)?;
        side.count = index.count();
        side.index = Some(index);
        Ok(side)
    }

    /// The next document; none after a place where the end of one cannot be found.
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
        if !index.take(&id_key(expected), &mut self.actual)? {
            return Ok(Found::Missing);
        }
        Ok(if self.actual == expected { Found::Same } else { Found::Different })
    }

    fn build_index(&mut self, next: Option<Vec<u8>>) -> Result<Index, EndError> {
        let mut spool = Spool::new(&self.scratch)?;
        if let Some(next) = next {
            spool.add(&id_key(&next), &next)?;
        }
        while let Some(document) = self.next_document()? {
            spool.add(&id_key(document), document)?;
        }
        let index = Index::new(spool)?;
        self.count += index.count();
        Ok(index)
    }

    /// Whether it holds a document of that `_id` that was not expected so far.
    pub(crate) fn holds(&mut self, id: &Key) -> Result<bool, EndError> {
        if self.index.is_none() {
            let next = self.next.take();
            self.index = Some(self.build_index(next)?);
        }
        let Some(index) = &mut self.index else { return Ok(false) };
        Ok(index.holds(id, &mut self.actual)?)
    }

    /// Calls `each` with every document that was not expected.
    pub(crate) fn extra(
        &mut self,
        mut each: impl FnMut(&[u8]) -> Result<(), DiskError>,
    ) -> Result<(), EndError> {
        if let Some(index) = &self.index {
            return Ok(index.untaken(each)?);
        }
        if let Some(next) = self.next.take() {
            self.count += 1;
            each(&next)?;
        }
        while let Some(documents) = self.documents.as_mut().filter(|_| !self.is_damaged) {
            match documents.next_document() {
                Ok(Some(document)) => {
                    self.count += 1;
                    each(document)?;
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

/// A damaged target differs from what it should be, and verification reports that. A target that
/// cannot be read is an error.
fn damage_in(error: EndError) -> Result<String, EndError> {
    match error.kind {
        EndErrorKind::Damaged => Ok(error.message),
        _ => Err(error),
    }
}

/// The key of the `_id` of a target document.
pub(super) fn id_key(document: &[u8]) -> Key {
    let id = Document::new(document).get("_id");
    let mut bytes = Vec::new();
    if let Some(id) = id {
        bytes.push(id.kind);
        bytes.extend_from_slice(id.bytes);
    }
    key_of(&bytes)
}

/// Whether a target document is well formed.
pub(crate) fn is_well_formed(document: &[u8]) -> bool {
    raw::check(document).is_ok()
}

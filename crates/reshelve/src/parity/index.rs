//! Documents that are found by a key, each of them once.

use crate::store::{DiskError, Key, Spool, Spooled};

/// Documents found by a key, and which of them were taken.
pub(super) struct Index {
    documents: Spooled,
    /// One bit for each document.
    taken: Vec<u64>,
}

impl Index {
    pub(super) fn new(spool: Spool) -> Result<Self, DiskError> {
        let documents = spool.finish()?;
        let words = usize::try_from(documents.count().div_ceil(64)).unwrap_or(usize::MAX);
        Ok(Index { documents, taken: vec![0; words] })
    }

    /// How many documents there are.
    pub(super) fn count(&self) -> u64 {
        self.documents.count()
    }

    /// Whether there is a document with that key that was not taken. `document` is where it is
    /// read.
    pub(super) fn holds(&self, key: &Key, document: &mut Vec<u8>) -> Result<bool, DiskError> {
        let Some(ordinal) = self.documents.get(key, document)? else { return Ok(false) };
        Ok(self.is_untaken(ordinal))
    }

    /// Reads the document with that key, and marks it as taken; whether it was not.
    pub(super) fn take(&mut self, key: &Key, document: &mut Vec<u8>) -> Result<bool, DiskError> {
        let Some(ordinal) = self.documents.get(key, document)? else { return Ok(false) };
        // Two documents with one `_id` cannot be in a collection: the second one is extra.
        let is_new = self.is_untaken(ordinal);
        let (word, bit) = place_of(ordinal);
        self.taken[word] |= bit;
        Ok(is_new)
    }

    /// Calls `each` with every document that was not taken.
    pub(super) fn untaken(
        &self,
        mut each: impl FnMut(&[u8]) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        self.documents.each(|ordinal| self.is_untaken(ordinal), |_, document| each(document))
    }

    fn is_untaken(&self, ordinal: u64) -> bool {
        let (word, bit) = place_of(ordinal);
        self.taken[word] & bit == 0
    }
}

/// The word that holds the bit of a document, and that bit.
fn place_of(ordinal: u64) -> (usize, u64) {
    (usize::try_from(ordinal / 64).unwrap_or(usize::MAX), 1 << (ordinal % 64))
}

//! An archive as `mongodump --archive` writes it, in pieces: who writes it puts them one after the
//! other.

use crc::Digest;

use super::archive_body::{CRC, TERMINATOR, Tables};
use super::detect::ARCHIVE_MAGIC;
use reshelve_core::raw::{Writer, kind};

/// What `concurrent_collections` of a header says: what `mongodump` says unless told otherwise. No
/// reader minds.
const CONCURRENT_COLLECTIONS: i32 = 4;

/// Ends a block.
pub(crate) const END_OF_BLOCK: [u8; 4] = TERMINATOR;

/// A collection as the prelude of an archive names it.
pub(crate) struct Listed<'a> {
    pub(crate) db: &'a str,
    pub(crate) collection: &'a str,
    /// Extended JSON, as in a metadata file.
    pub(crate) metadata: &'a str,
}

/// Everything before the first block.
pub(crate) fn prelude(server_version: &str, tool_version: &str, listed: &[Listed<'_>]) -> Vec<u8> {
    let mut writer = Writer::new(ARCHIVE_MAGIC.to_vec());
    let mark = writer.begin();
    writer.int32("concurrent_collections", CONCURRENT_COLLECTIONS);
    writer.string("version", b"0.1");
    writer.string("server_version", server_version.as_bytes());
    writer.string("tool_version", tool_version.as_bytes());
    writer.end(mark);
    for Listed { db, collection, metadata } in listed {
        let mark = writer.begin();
        writer.string("db", db.as_bytes());
        writer.string("collection", collection.as_bytes());
        writer.string("metadata", metadata.as_bytes());
        writer.int32("size", 0);
        writer.string("type", b"collection");
        writer.end(mark);
    }
    writer.extend(&TERMINATOR);
    writer.into_bytes()
}

/// A collection that is being written into an archive. A block of it is [`header`](Self::header),
/// documents that are [counted](Self::count), and [`END_OF_BLOCK`].
pub(crate) struct ArchivedCollection<'a> {
    db: &'a str,
    collection: &'a str,
    digest: Digest<'static, u64, Tables>,
    is_empty: bool,
}

impl<'a> ArchivedCollection<'a> {
    pub(crate) fn new(db: &'a str, collection: &'a str) -> Self {
        ArchivedCollection { db, collection, digest: CRC.digest(), is_empty: true }
    }

    /// What opens a block.
    pub(crate) fn header(&self) -> Vec<u8> {
        self.written(false, 0)
    }

    /// Takes documents of a block into the checksum.
    pub(crate) fn count(&mut self, documents: &[u8]) {
        self.digest.update(documents);
        self.is_empty &= documents.is_empty();
    }

    /// What ends the collection.
    pub(crate) fn end(&self) -> Vec<u8> {
        let crc = if self.is_empty { 0 } else { self.digest.clone().finalize() };
        let mut end = self.written(true, crc);
        end.extend_from_slice(&TERMINATOR);
        end
    }

    fn written(&self, is_end: bool, crc: u64) -> Vec<u8> {
        let mut writer = Writer::default();
        let mark = writer.begin();
        writer.string("db", self.db.as_bytes());
        writer.string("collection", self.collection.as_bytes());
        writer.boolean("EOF", is_end);
        // Stored as signed: the bits are the same.
        writer.header(kind::INT64, b"CRC");
        writer.extend(&crc.to_le_bytes());
        writer.end(mark);
        writer.into_bytes()
    }
}

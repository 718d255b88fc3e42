//! The body of a `mongodump` archive: which blocks it consists of, and whether it ends where it
//! should.

use std::collections::BTreeMap;

use crc::{CRC_64_XZ, Crc, Table};

use super::content::Fault;
use super::detect::ARCHIVE_MAGIC;
use super::feed::Feed;
use super::prelude::{Entry, Namespace, Prelude};
use crate::ends::DamageKind;
use reshelve_core::raw::{self, Document, Value};

/// Ends a block, and ends the prelude.
pub(super) const TERMINATOR: [u8; 4] = (-1i32).to_le_bytes();

/// Sixteen tables: several times as fast as one.
pub(super) type Tables = Table<16>;

/// The checksum of every namespace; `mongodump` names its polynomial after ECMA, and the variant is
/// the one of xz.
pub(super) static CRC: Crc<u64, Tables> = Crc::<u64, Tables>::new(&CRC_64_XZ);

/// A namespace header.
pub(super) struct Header {
    pub(super) namespace: Namespace,
    /// Whether the namespace ends here.
    pub(super) end: bool,
    /// Of all its documents, at its end.
    pub(super) crc: i64,
}

/// What has been seen of a body.
pub(super) struct Body {
    /// Every namespace that the prelude or the body names, and whether it has ended.
    ended: BTreeMap<Namespace, bool>,
}

impl Body {
    /// A body of which nothing has been read.
    pub(super) fn new(prelude: &Prelude) -> Body {
        // A view has no documents, and those of a time series are in another namespace: neither has
        // an end marker.
        let stores = |entry: &&Entry| !matches!(entry.kind.as_deref(), Some("view" | "timeseries"));
        let entries = prelude.collections.iter().filter(stores);
        Body { ended: entries.map(|entry| (entry.namespace.clone(), false)).collect() }
    }

    /// Whether a namespace has not ended.
    fn is_open(&self) -> bool {
        self.ended.values().any(|has_ended| !has_ended)
    }

    /// Reads the header of the next block; none at the end of the archive, where nothing is
    /// missing and nothing follows. The header of a namespace's end is read with its terminator.
    pub(super) fn header(&mut self, feed: &mut Feed) -> Result<Option<Header>, Fault> {
        if !feed.need(4)? {
            return self.end(feed).map(|()| None);
        }
        let (header, length) = match self.next(feed) {
            Ok(found) => found,
            // The archive itself is whole.
            Err(fault) if !self.is_open() && fault.source.is_none() => return Err(foreign(feed)),
            Err(fault) => return Err(fault),
        };
        let namespace = &header.namespace;
        if self.ended.get(namespace) == Some(&true) {
            let detail = format!("the collection {namespace} continues after its end");
            return Err(Fault::new(DamageKind::Corrupt, detail));
        }
        self.ended.insert(namespace.clone(), header.end);
        feed.advance(length);
        if header.end {
            terminator(feed)?;
        }
        Ok(Some(header))
    }

    fn next(&self, feed: &mut Feed) -> Result<(Header, usize), Fault> {
        if feed.bytes().starts_with(&ARCHIVE_MAGIC) {
            let detail = "a second archive begins here: only one archive in a file can be read";
            return Err(Fault::new(DamageKind::Corrupt, detail));
        }
        let length = feed.document()?;
        Ok((Header::read(&feed.bytes()[..length])?, length))
    }

    /// There is no further header.
    fn end(&self, feed: &mut Feed) -> Result<(), Fault> {
        if self.is_open() {
            return Err(truncated());
        }
        if !feed.bytes().is_empty() {
            return Err(foreign(feed));
        }
        feed.trailing().map_or(Ok(()), Err)
    }
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Header, Fault> {
        let bad = || Fault::new(DamageKind::Corrupt, "a namespace header is missing");
        raw::check(bytes).map_err(|_| bad())?;
        let document = Document::new(bytes);
        let text = |name: &str| {
            let text = document.get(name).and_then(Value::string).ok_or_else(bad)?;
            String::from_utf8(text.to_vec()).map_err(|_| bad())
        };
        let end = document.get("EOF").and_then(Value::boolean).ok_or_else(bad)?;
        let crc = document.get("CRC").and_then(Value::int64).ok_or_else(bad)?;
        let namespace = Namespace { db: text("db")?, collection: text("collection")? };
        Ok(Header { namespace, end, crc })
    }
}

/// The archive ends within a block, or before a namespace does.
pub(super) fn truncated() -> Fault {
    Fault::new(DamageKind::Truncated, "archive is truncated: it ends before the namespace does")
}

/// The terminator that follows a header at once.
fn terminator(feed: &mut Feed) -> Result<(), Fault> {
    if !feed.need(4)? {
        return Err(truncated());
    }
    if !feed.bytes().starts_with(&TERMINATOR) {
        let detail = "documents follow the end of their collection";
        return Err(Fault::new(DamageKind::Corrupt, detail));
    }
    feed.advance(4);
    Ok(())
}

/// What comes after the end of the last namespace.
fn foreign(feed: &Feed) -> Fault {
    let detail = if feed.bytes().starts_with(&ARCHIVE_MAGIC) {
        "a second archive begins after the end of the first: only one archive in a file can be read"
    } else {
        "what follows the end of the archive does not belong to it"
    };
    Fault::new(DamageKind::Corrupt, detail)
}

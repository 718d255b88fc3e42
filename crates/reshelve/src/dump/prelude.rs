//! The prelude of a `mongodump` archive, which lists its content.

use super::archive_body::TERMINATOR;
use super::content::Fault;
use super::detect::ARCHIVE_MAGIC;
use super::feed::Feed;
use crate::ends::DamageKind;
use reshelve_core::raw::{self, Document, Value};

/// A database and a collection in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Namespace {
    pub(super) db: String,
    pub(super) collection: String,
}

impl std::fmt::Display for Namespace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.db, self.collection)
    }
}

/// What the archive says about itself before its body.
#[derive(Debug, Default)]
pub(super) struct Prelude {
    pub(super) server_version: Option<String>,
    pub(super) tool_version: Option<String>,
    pub(super) collections: Vec<Entry>,
}

/// A collection in the archive.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) namespace: Namespace,
    /// Extended JSON.
    pub(super) metadata: Option<String>,
    /// `collection`, `view` or `timeseries`; older tools do not say.
    pub(super) kind: Option<String>,
}

impl Prelude {
    /// Reads magic number and prelude.
    pub(super) fn read(feed: &mut Feed) -> Result<Prelude, Fault> {
        if !feed.need(4)? {
            return Err(cut());
        }
        if feed.bytes()[..4] != ARCHIVE_MAGIC {
            return Err(Fault::new(
                DamageKind::Corrupt,
                "not an archive: the magic number is missing",
            ));
        }
        feed.advance(4);
        let mut prelude = Prelude::default();
        let length = feed.document().map_err(explained)?;
        let header = checked(&feed.bytes()[..length])?;
        prelude.server_version = text(header, "server_version");
        prelude.tool_version = text(header, "tool_version");
        feed.advance(length);
        loop {
            if !feed.need(4)? {
                return Err(cut());
            }
            if feed.bytes()[..4] == TERMINATOR {
                feed.advance(4);
                return Ok(prelude);
            }
            let length = feed.document().map_err(explained)?;
            let entry = checked(&feed.bytes()[..length])?;
            let names = text(entry, "db").zip(text(entry, "collection"));
            let (db, collection) = names.ok_or_else(broken)?;
            prelude.collections.push(Entry {
                namespace: Namespace { db, collection },
                metadata: text(entry, "metadata"),
                kind: text(entry, "type"),
            });
            feed.advance(length);
        }
    }
}

fn checked(bytes: &[u8]) -> Result<Document<'_>, Fault> {
    raw::check(bytes).map_err(|_| broken())?;
    Ok(Document::new(bytes))
}

fn text(document: Document<'_>, name: &str) -> Option<String> {
    let text = document.get(name).and_then(Value::string)?;
    String::from_utf8(text.to_vec()).ok()
}

fn broken() -> Fault {
    Fault::new(DamageKind::Corrupt, "the prelude of the archive is not well formed")
}

fn cut() -> Fault {
    Fault::new(DamageKind::Truncated, "archive is truncated in its prelude")
}

fn explained(fault: Fault) -> Fault {
    if fault.kind == DamageKind::Truncated { cut() } else { fault }
}

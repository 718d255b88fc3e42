//! A `mongodump --archive`: blocks of documents of several namespaces, interleaved.

use crc::{CRC_64_XZ, Crc, Digest, Table};

use super::content::Fault;
use super::error::OpenError;
use super::feed::Feed;
use super::prelude::{Namespace, Prelude};
use crate::ends::{
    Batch, BatchLimits, Damage, DamageKind, Form, Item, Operation, Place, Source, SourceSpec,
};
use reshelve_core::raw::{self, Document};

/// The checksum of every namespace; `mongodump` names its polynomial after ECMA, and the variant is
/// the one of xz.
static CRC: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_XZ);

/// Ends a block, and ends the prelude.
pub(super) const TERMINATOR: [u8; 4] = (-1i32).to_le_bytes();

/// The documents of one namespace of an archive.
pub(super) struct Archive {
    feed: Feed,
    wanted: Namespace,
    digest: Digest<'static, u64, Table<16>>,
    block: Block,
    delivered: bool,
    pending: Option<Damage>,
    done: bool,
}

/// Where the reader is in the body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// Before a namespace header.
    Between,
    /// Inside a block of the wanted namespace.
    Wanted,
    /// Inside a block of another namespace.
    Other,
}

impl Archive {
    /// Takes a feed whose prelude has been read.
    pub(super) fn new(feed: Feed, wanted: Namespace) -> Archive {
        Archive {
            feed,
            wanted,
            digest: CRC.digest(),
            block: Block::Between,
            delivered: false,
            pending: None,
            done: false,
        }
    }

    fn step(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Fault> {
        if self.block == Block::Between {
            return self.header();
        }
        if !self.feed.need(4)? {
            return Err(ended());
        }
        if self.feed.bytes().starts_with(&TERMINATOR) {
            self.feed.advance(4);
            self.block = Block::Between;
            return Ok(true);
        }
        if self.block == Block::Other {
            let length = self.feed.document()?;
            self.feed.advance(length);
            return Ok(true);
        }
        let length = self.feed.document()?;
        if batch.bytes.len() + length > limits.bytes_max && !batch.items.is_empty() {
            return Ok(false);
        }
        let document = &self.feed.bytes()[..length];
        self.digest.update(document);
        let start = batch.bytes.len();
        batch.bytes.extend_from_slice(document);
        let place = Place { offset: self.feed.offset(), line: 0, column: 0 };
        batch.items.push(Item { start, end: start + length, place, operation: Operation::Upsert });
        self.delivered = true;
        self.feed.advance(length);
        Ok(batch.items.len() < limits.docs_max)
    }

    /// Reads a namespace header; returns `false` at the end of the wanted namespace.
    fn header(&mut self) -> Result<bool, Fault> {
        if !self.feed.need(4)? {
            return Err(ended());
        }
        let length = self.feed.document()?;
        let header = Header::read(&self.feed.bytes()[..length])?;
        let wanted = self.wanted.is(header.db, header.collection);
        if !wanted || !header.end {
            self.feed.advance(length);
            self.block = if wanted { Block::Wanted } else { Block::Other };
            return Ok(true);
        }
        let counted = std::mem::replace(&mut self.digest, CRC.digest()).finalize();
        if counted.to_le_bytes() != header.crc.to_le_bytes() {
            let detail = "its documents do not match the checksum that the archive states";
            return Err(Fault::new(DamageKind::Checksum, detail));
        }
        self.done = true;
        self.delivered = false;
        // The rest need not be read, but only its end shows whether the decompressed bytes are
        // right.
        self.feed.drain_compressed()?;
        Ok(false)
    }

    fn stop(&mut self, fault: Fault) {
        let place = Place { offset: self.feed.offset(), line: 0, column: 0 };
        let mut damage = self.feed.content.damage(fault, place);
        damage.name = format!("{} in {}", self.wanted, damage.name);
        // The checksum comes at the end of the namespace: nothing before it is confirmed.
        damage.earlier_in_doubt |= self.delivered;
        self.pending = Some(damage);
        self.done = true;
    }
}

impl Source for Archive {
    fn fill(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Damage> {
        batch.clear();
        batch.form = Form::Bson;
        while !self.done {
            match self.step(batch, limits) {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) => self.stop(fault),
            }
        }
        if batch.items.is_empty() { self.pending.take().map_or(Ok(false), Err) } else { Ok(true) }
    }

    fn bytes_read(&self) -> u64 {
        self.feed.content.bytes_read()
    }

    fn bytes_total(&self) -> Option<u64> {
        self.feed.content.bytes_total
    }
}

/// A namespace header in the body.
pub(super) struct Header<'a> {
    pub(super) db: &'a [u8],
    pub(super) collection: &'a [u8],
    /// Whether the namespace ends here.
    pub(super) end: bool,
    pub(super) crc: i64,
}

impl<'a> Header<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Header<'a>, Fault> {
        let bad = || Fault::new(DamageKind::Corrupt, "a namespace header is missing");
        raw::check(bytes).map_err(|_| bad())?;
        let document = Document::new(bytes);
        let text = |name: &str| document.get(name).and_then(raw::Value::string).ok_or_else(bad);
        let end = document.get("EOF").and_then(raw::Value::boolean).ok_or_else(bad)?;
        let crc = document.get("CRC").and_then(raw::Value::int64).ok_or_else(bad)?;
        Ok(Header { db: text("db")?, collection: text("collection")?, end, crc })
    }
}

fn ended() -> Fault {
    Fault::new(DamageKind::Truncated, "archive is truncated: it ends before the namespace does")
}

/// Picks the wanted namespace.
pub(super) fn pick(prelude: &Prelude, spec: &SourceSpec) -> Result<Namespace, OpenError> {
    let collection = spec.collection.as_deref().unwrap_or(super::COLLECTION_DEFAULT);
    let named = prelude.collections.iter().filter(|entry| {
        entry.namespace.collection == collection
            && spec.db.as_ref().is_none_or(|db| *db == entry.namespace.db)
    });
    let found: Vec<_> = named.collect();
    match found.as_slice() {
        [entry] => match entry.kind.as_deref() {
            Some(kind @ ("view" | "timeseries")) => Err(OpenError::NotASource {
                namespace: entry.namespace.to_string(),
                reason: super::error::kind_reason(kind),
            }),
            _ => Ok(entry.namespace.clone()),
        },
        [] => Err(OpenError::NoCollection {
            path: spec.path.clone(),
            wanted: super::error::wanted(spec),
            present: sorted(prelude.collections.iter().map(|it| it.namespace.to_string())),
        }),
        several => Err(OpenError::SeveralDatabases {
            path: spec.path.clone(),
            collection: collection.to_owned(),
            databases: sorted(several.iter().map(|it| it.namespace.db.clone())),
        }),
    }
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    names
}

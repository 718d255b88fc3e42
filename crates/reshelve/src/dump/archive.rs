//! A `mongodump --archive`: blocks of documents of several namespaces, interleaved.
//!
//! It is read to its end: what follows the wanted namespace may be a part of it.

use std::path::Path;

use crc::Digest;

use super::archive_body::{Body, CRC, TERMINATOR, Tables, truncated};
use super::content::Fault;
use super::error::OpenError;
use super::feed::Feed;
use super::prelude::{Namespace, Prelude};
use crate::ends::{
    Batch, BatchLimits, Compression, Damage, DamageKind, Form, Item, Operation, Place, Source,
    SourceSpec,
};

/// The documents of one namespace of an archive.
pub(super) struct Archive {
    feed: Feed,
    wanted: Namespace,
    digest: Digest<'static, u64, Tables>,
    block: Block,
    body: Body,
    /// Whether documents were given that no checksum has confirmed.
    unconfirmed: bool,
    /// Whether the wanted namespace has ended: what follows is looked through for its structure.
    ended: bool,
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
    pub(super) fn new(feed: Feed, prelude: &Prelude, wanted: Namespace) -> Archive {
        Archive {
            feed,
            wanted,
            digest: CRC.digest(),
            block: Block::Between,
            body: Body::new(prelude),
            unconfirmed: false,
            ended: false,
            pending: None,
            done: false,
        }
    }

    fn step(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Fault> {
        if self.block == Block::Between {
            return self.header();
        }
        if !self.feed.need(4)? {
            return Err(truncated());
        }
        if self.feed.bytes().starts_with(&TERMINATOR) {
            self.feed.advance(4);
            self.block = Block::Between;
            return Ok(true);
        }
        let length = self.feed.document()?;
        if self.block == Block::Other {
            self.feed.advance(length);
            return Ok(true);
        }
        if batch.bytes.len() + length > limits.bytes_max && !batch.items.is_empty() {
            return Ok(false);
        }
        let document = &self.feed.bytes()[..length];
        self.digest.update(document);
        let start = batch.bytes.len();
        batch.bytes.extend_from_slice(document);
        let place = Place { offset: self.feed.offset(), line: 0, column: 0 };
        batch.items.push(Item { start, end: start + length, place, operation: Operation::Upsert });
        self.unconfirmed = true;
        self.feed.advance(length);
        Ok(batch.items.len() < limits.docs_max)
    }

    /// Reads a namespace header; returns `false` at the end of the archive.
    fn header(&mut self) -> Result<bool, Fault> {
        let Some(header) = self.body.header(&mut self.feed)? else {
            self.done = true;
            return Ok(false);
        };
        let wanted = header.namespace == self.wanted;
        if !header.end {
            self.block = if wanted { Block::Wanted } else { Block::Other };
            return Ok(true);
        }
        if wanted {
            let counted = std::mem::replace(&mut self.digest, CRC.digest()).finalize();
            if counted.to_le_bytes() != header.crc.to_le_bytes() {
                let detail = "its documents do not match the checksum that the archive states";
                return Err(Fault::new(DamageKind::Checksum, detail));
            }
            self.unconfirmed = false;
            self.ended = true;
        }
        Ok(true)
    }

    fn stop(&mut self, fault: Fault) {
        let place = Place { offset: self.feed.offset(), line: 0, column: 0 };
        let mut damage = self.feed.content.damage(fault, place);
        if !self.ended {
            damage.name = format!("{} in {}", self.wanted, damage.name);
        }
        // The checksum comes at the end of the namespace: nothing before it is confirmed.
        damage.earlier_in_doubt |= self.unconfirmed;
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

/// Whether the name of a file says that it is an archive, which is never empty.
pub(super) fn is_named_archive(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Compression::ALL.iter().any(|compression| {
        name.strip_suffix(compression.suffix()).is_some_and(|name| name.ends_with(".archive"))
    })
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

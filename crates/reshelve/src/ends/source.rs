//! The seam where documents come in: a source fills batches, in order, and says where it broke.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most documents in a batch, unless told otherwise.
pub const BATCH_DOCS_DEFAULT: usize = 1_000;
/// Most bytes in a batch, unless told otherwise. One document larger than this is a batch by
/// itself. What is on its way should fit the caches of the processor, and a batch is also what is
/// written at once: larger writes make Linux look for larger pieces of memory, which cost more.
pub const BATCH_BYTES_DEFAULT: usize = 1024 * 1024;
/// A BSON length prefix above this is taken for corruption (formats: 16 MiB is the limit for
/// stored documents, systems' own may be somewhat larger).
pub const DOCUMENT_BYTES_MAX: usize = 48 * 1024 * 1024;

/// How much a batch may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most documents, at least 1.
    pub docs_max: usize,
    /// Most bytes; a single larger document is still taken.
    pub bytes_max: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        BatchLimits { docs_max: BATCH_DOCS_DEFAULT, bytes_max: BATCH_BYTES_DEFAULT }
    }
}

/// In which form the documents of a batch lie in its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Raw BSON, framed by length, not yet checked.
    #[default]
    Bson,
    /// Text of one Extended JSON document each, framed by JSON syntax, not yet parsed: parsing is
    /// work for the mapping threads.
    Json,
}

/// Where in the source a document starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Byte offset in the file, or in its content where the file is compressed.
    pub offset: u64,
    /// Line and column (in bytes), both from 1, where the source is text; 0 where it is not.
    pub line: u64,
    /// See `line`.
    pub column: u64,
}

/// What happened to a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// It is there, new or changed.
    #[default]
    Upsert,
}

/// One document of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it starts in [`Batch::bytes`].
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Where it starts in the source.
    pub place: Place,
    /// What happened to it.
    pub operation: Operation,
}

/// Documents on their way, in source order. The engine reuses the memory.
#[derive(Debug, Default)]
pub struct Batch {
    /// The form of every document in it.
    pub form: Form,
    /// The documents, whole, back to back or with separators between them.
    pub bytes: Vec<u8>,
    /// Where each lies.
    pub items: Vec<Item>,
    /// What people should know of how it was read, a sentence each.
    pub notes: Vec<String>,
}

impl Batch {
    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
        self.notes.clear();
    }

    /// The bytes of one of its documents.
    pub fn document(&self, item: &Item) -> &[u8] {
        &self.bytes[item.start..item.end]
    }
}

/// A stream of documents.
pub trait Source: Send {
    /// Fills an empty batch with the next whole documents, within the limits. Returns `false` at
    /// the end of the source, with the batch left empty.
    ///
    /// Where the source is damaged, documents before the damage come first: the call that meets
    /// it returns what it has, and the next call returns the error.
    ///
    /// # Errors
    /// [`Damage`]: nothing after it can be read.
    fn fill(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Damage>;

    /// How far the last batch is in the underlying file, in bytes, for the progress; of a compressed
    /// file or an archive, how much of it was read.
    fn bytes_read(&self) -> u64;

    /// Bytes that there are in all, where that is known beforehand.
    fn bytes_total(&self) -> Option<u64>;
}

/// What kind of damage ended the reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// The source ends too early.
    Truncated,
    /// A length, a syntax or a compressed block that cannot be.
    Corrupt,
    /// A checksum of the container does not hold: an earlier document may be wrong.
    Checksum,
    /// Bytes that do not belong to it follow the end of the compressed data: everything before them
    /// is whole.
    Trailing {
        /// How many.
        bytes: u64,
        /// Where they begin in the file, as it is stored.
        at: u64,
    },
    /// The file is not the one that it was when it was opened.
    Changed,
    /// The operating system refused to read.
    Io,
}

/// The end of a document cannot be found, or the container says that its content is not what was
/// written: nothing behind this place can be read.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {detail}{}", place_text(*.kind, .place))]
pub struct Damage {
    /// What happened.
    pub kind: DamageKind,
    /// The file, or the namespace in an archive.
    pub name: String,
    /// Where.
    pub place: Place,
    /// What is wrong, as a lower-case fragment; holds the word *truncated* or *checksum* where
    /// the kind is one of these.
    pub detail: String,
    /// Whether the container has checksums that cover documents already delivered: those that it
    /// had not confirmed are in doubt.
    pub earlier_in_doubt: bool,
    /// The error of the operating system, for [`DamageKind::Io`].
    #[source]
    pub source: Option<std::io::Error>,
}

fn place_text(kind: DamageKind, place: &Place) -> String {
    if place.line > 0 {
        format!(" (line {}, column {})", place.line, place.column)
    } else if matches!(kind, DamageKind::Io | DamageKind::Changed) && place.offset == 0 {
        // A live collection has no offsets.
        String::new()
    } else {
        format!(" (byte offset {})", place.offset)
    }
}

/// What to read: as given on the command line.
#[derive(Clone, Debug, Default)]
pub struct SourceSpec {
    /// A file, a folder, or `-` for standard input.
    pub path: PathBuf,
    /// The database to pick inside it.
    pub db: Option<String>,
    /// The collection to pick inside it; `jobs` unless told otherwise.
    pub collection: Option<String>,
    /// Whether standard input, or a pipe, may hold nothing at all.
    pub allow_empty: bool,
    /// Whether it was read from a pipe that is gone now.
    pub read_before: bool,
    /// Ends the waiting for a silent pipe, once it is set.
    pub stop: Option<Arc<AtomicBool>>,
}

impl SourceSpec {
    /// Whether the reading was ended from outside.
    pub fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

/// A source held in memory: for tests.
#[derive(Debug, Default)]
pub struct MemorySource {
    documents: Vec<Vec<u8>>,
    next: usize,
    offset: u64,
}

impl MemorySource {
    /// Gives these BSON documents, in this order.
    pub fn new(documents: Vec<Vec<u8>>) -> Self {
        MemorySource { documents, next: 0, offset: 0 }
    }
}

impl Source for MemorySource {
    fn fill(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Damage> {
        batch.form = Form::Bson;
        while let Some(document) = self.documents.get(self.next) {
            let full = batch.items.len() >= limits.docs_max
                || batch.bytes.len() + document.len() > limits.bytes_max;
            if full && !batch.items.is_empty() {
                break;
            }
            let start = batch.bytes.len();
            batch.bytes.extend_from_slice(document);
            let place = Place { offset: self.offset, line: 0, column: 0 };
            batch.items.push(Item {
                start,
                end: batch.bytes.len(),
                place,
                operation: Operation::Upsert,
            });
            self.offset += u64::try_from(document.len()).unwrap_or(0);
            self.next += 1;
        }
        Ok(!batch.items.is_empty())
    }

    fn bytes_read(&self) -> u64 {
        self.offset
    }

    fn bytes_total(&self) -> Option<u64> {
        None
    }
}

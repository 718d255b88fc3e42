//! The mapping, version 1: one legacy document to one job, its events, its metrics and its
//! metadata, and back.
//!
//! Pure: no I/O, no clock, no randomness, no environment. The contract is `docs/mapping.md`; what
//! this version writes never changes.

mod alerts;
mod bible;
mod copied;
mod events;
mod explain;
mod facts;
mod first_look;
mod ids;
mod job;
mod legacy;
mod map;
mod metadata;
mod metrics;
mod options;
mod origins;
mod read;
mod reject;
mod residue;
mod restore;
mod retrace;
mod trace;
mod warning;

pub use bible::related_character;
pub use explain::{Explained, Explanation, explain};
pub use facts::Status;
pub use first_look::FirstLook;
pub use ids::event_mark;
pub use map::Mapper;
pub use options::{InFlight, OnUnknownStatus, Options, StatusPolicy, UnknownWord};
pub use origins::{LegacyOrigin, origins};
pub use reject::{Reject, RejectCode};
pub use residue::RestoreError;
pub use restore::{RestoredDocument, restore};
pub use retrace::{JobDocuments, Retraced, Retracer};
pub use trace::{Traced, TracedTarget, trace};
pub use warning::{Warning, WarningCode};

use crate::raw::Writer;

/// The version of the mapping, which every target job and metadata document names.
pub const VERSION: &str = "v1";
/// The deepest nesting of a legacy or target document; the document itself is level 1.
pub const DEPTH_MAX: usize = 100;
/// The largest target document, in bytes: what MongoDB stores.
pub const TARGET_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The four target collections, in the order in which the contract names them.
pub const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// A buffer of target documents, back to back per collection. The mapping appends to it.
#[derive(Debug, Default)]
pub struct TargetDocuments {
    /// `novel_jobs`.
    pub jobs: Writer,
    /// `novel_job_events`.
    pub events: Writer,
    /// `novel_job_metrics`.
    pub metrics: Writer,
    /// `novel_job_metadata`.
    pub metadata: Writer,
}

impl TargetDocuments {
    /// The number of bytes of each collection, in the order of [`COLLECTIONS`].
    pub fn lengths(&self) -> [usize; 4] {
        [self.jobs.len(), self.events.len(), self.metrics.len(), self.metadata.len()]
    }

    /// The bytes of each collection, in the order of [`COLLECTIONS`].
    pub fn bytes(&self) -> [&[u8]; 4] {
        [self.jobs.bytes(), self.events.bytes(), self.metrics.bytes(), self.metadata.bytes()]
    }

    /// Cuts each collection back to these lengths, in bytes, in the order of [`COLLECTIONS`].
    pub fn truncate(&mut self, lengths: [usize; 4]) {
        let [jobs, events, metrics, metadata] = lengths;
        self.jobs.truncate(jobs);
        self.events.truncate(events);
        self.metrics.truncate(metrics);
        self.metadata.truncate(metadata);
    }

    /// Drops all documents and keeps the memory.
    pub fn clear(&mut self) {
        self.truncate([0; 4]);
    }
}

/// What is known about a document that was mapped. Its target documents were appended to the
/// [`TargetDocuments`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The `jobId` of all its target documents, as UTF-8.
    pub job_id: Vec<u8>,
    /// Whether it was queued or running, and is carried over as it is.
    pub is_in_flight: bool,
    /// The number of its events.
    pub events: usize,
    /// The number of bytes appended to each collection, in the order of [`COLLECTIONS`].
    pub lengths: [usize; 4],
    /// The number of bytes of the residue, which is part of the metadata document.
    pub residue_bytes: usize,
    /// Each pair of code and path once, sorted.
    pub warnings: Vec<Warning>,
}

/// What became of a legacy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was mapped.
    Mapped(Mapped),
    /// It was in flight and is left out, as the options ask.
    Skipped,
    /// It cannot be mapped.
    Rejected(Reject),
}

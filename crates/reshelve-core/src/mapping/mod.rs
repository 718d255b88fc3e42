//! The mapping, version 1: one legacy document to one job, its events, its metrics and its
//! metadata, and back.
//!
//! Pure: no I/O, no clock, no randomness, no environment. The contract is in `docs/mapping.md`;
//! a stored output of this version never changes.

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
mod read;
mod reject;
mod residue;
mod restore;
mod warning;

pub use explain::{Explained, Explanation, explain};
pub use facts::Status;
pub use first_look::FirstLook;
pub use map::Mapper;
pub use options::{InFlight, OnUnknownStatus, Options, StatusPolicy, UnknownWord};
pub use reject::{Reject, RejectCode};
pub use residue::RestoreError;
pub use restore::{RestoredDocument, restore};
pub use warning::{Warning, WarningCode};

use crate::raw::Writer;

/// The version that every stored document names.
pub const VERSION: &str = "v1";
/// The deepest nesting of a legacy or target document; the document itself is level 1.
pub const DEPTH_MAX: usize = 100;
/// The largest target document, in bytes: what MongoDB stores.
pub const TARGET_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The four target collections, in the order in which the contract names them.
pub const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// Target documents, back to back per collection. The mapping appends to it.
#[derive(Debug, Default)]
pub struct Target {
    /// `novel_jobs`.
    pub jobs: Writer,
    /// `novel_job_events`.
    pub events: Writer,
    /// `novel_job_metrics`.
    pub metrics: Writer,
    /// `novel_job_metadata`.
    pub metadata: Writer,
}

impl Target {
    /// How many bytes each collection has, in the order of [`COLLECTIONS`].
    pub fn lengths(&self) -> [usize; 4] {
        [self.jobs.len(), self.events.len(), self.metrics.len(), self.metadata.len()]
    }

    /// The bytes of each collection, in the order of [`COLLECTIONS`].
    pub fn bytes(&self) -> [&[u8]; 4] {
        [self.jobs.bytes(), self.events.bytes(), self.metrics.bytes(), self.metadata.bytes()]
    }

    /// Cuts each collection back to these lengths.
    pub fn truncate(&mut self, lengths: [usize; 4]) {
        let [jobs, events, metrics, metadata] = lengths;
        self.jobs.truncate(jobs);
        self.events.truncate(events);
        self.metrics.truncate(metrics);
        self.metadata.truncate(metadata);
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.truncate([0; 4]);
    }
}

/// What is known of a document that was mapped; its target documents were appended to the
/// [`Target`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The `jobId` of all its target documents.
    pub job_id: Vec<u8>,
    /// How many events it has.
    pub events: usize,
    /// How many bytes it took in each collection, in the order of [`COLLECTIONS`].
    pub lengths: [usize; 4],
    /// How many bytes of the metadata are the residue.
    pub residue_bytes: usize,
    /// Each (code, path) pair once, sorted.
    pub warnings: Vec<Warning>,
}

/// What became of a legacy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was mapped.
    Mapped(Mapped),
    /// It was in flight and is left out, as the options say.
    Skipped,
    /// It does not make it.
    Rejected(Reject),
}

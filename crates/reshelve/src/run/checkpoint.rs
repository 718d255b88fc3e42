//! The checkpoint: how far a run is, in a form that another process can go on from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RunError;
use super::journal::JournalLengths;
use super::states::State;
use crate::ends::Position;
use crate::pass::{RejectReason, Rejection};
use reshelve_core::mapping::Warning;

/// The version of the file.
pub(crate) const CHECKPOINT_SCHEMA: &str = "reshelve.checkpoint/1";
/// How many examples are kept of each warning and reject code.
pub const EXAMPLES_MAX: usize = 20;

/// How many documents a run has seen, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentCounts {
    /// Taken from the source.
    pub read: u64,
    /// Mapped, and proved to come back.
    pub mapped: u64,
    /// Of these, written to the target.
    pub written: u64,
    /// Of these, already there, the same bytes.
    pub unchanged: u64,
    /// Left out because they were in flight.
    pub skipped: u64,
    /// Rejected.
    pub rejected: u64,
}

/// An example of a warning or reject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The job id, where the document has one; else its `_id`, or nothing.
    pub job: String,
    /// The legacy path.
    pub path: String,
}

/// How often a code occurred, with the first examples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many (code, path) pairs, or rejects.
    pub count: u64,
    /// The first of them, at most [`EXAMPLES_MAX`].
    pub examples: Vec<Example>,
}

impl Tally {
    fn add(&mut self, example: impl FnOnce() -> Example) {
        self.count += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(example());
        }
    }
}

/// Everything a run counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Documents.
    pub documents: DocumentCounts,
    /// Events of the mapped documents.
    pub events: u64,
    /// Bytes of the source documents read.
    pub bytes_read: u64,
    /// Bytes of the target documents mapped.
    pub bytes_mapped: u64,
    /// Bytes of the target documents written.
    pub bytes_written: u64,
    /// Bytes of the residues of the mapped documents.
    pub residue_bytes: u64,
    /// Jobs whose earlier version was replaced.
    pub replaced: u64,
    /// Warnings by code.
    pub warnings: BTreeMap<String, Tally>,
    /// Rejects by code.
    pub rejects: BTreeMap<String, Tally>,
}

impl Totals {
    pub(crate) fn warn(&mut self, job_id: &[u8], warnings: &[Warning]) {
        for warning in warnings {
            let example = || Example {
                job: String::from_utf8_lossy(job_id).into_owned(),
                path: warning.path.clone(),
            };
            match self.warnings.get_mut(warning.code.as_str()) {
                Some(tally) => tally.add(example),
                None => {
                    self.warnings.entry(warning.code.to_string()).or_default().add(example);
                }
            }
        }
    }

    pub(crate) fn reject(&mut self, rejection: &Rejection, job: impl FnOnce() -> String) {
        self.documents.rejected += 1;
        let example = || Example { job: job(), path: rejection.reason.path().to_owned() };
        self.rejects.entry(rejection.reason.to_string()).or_default().add(example);
    }

    /// How many documents were rejected for that reason.
    pub fn rejected_as(&self, reason: RejectReason) -> u64 {
        self.rejects.get(reason.as_str()).map_or(0, |tally| tally.count)
    }
}

/// How far the files of rejects are, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectLengths {
    /// `rejects.jsonl`.
    pub jsonl: u64,
    /// `rejects.bson`.
    pub bson: u64,
    /// `rejects.json`, with the documents that are not even BSON.
    pub json: u64,
}

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The version of the file: `reshelve.checkpoint/1`.
    pub schema: String,
    /// The state of the run.
    pub state: State,
    /// How far the source is dealt with.
    pub source: Position,
    /// Documents that were dealt with before the run stopped, after the last cut too: a reject
    /// among these does not stop a `--fail-fast` run a second time.
    #[serde(default)]
    pub furthest: u64,
    /// Running hash over the fingerprints of these documents, in hex.
    pub source_hash: String,
    /// Whether a checksum of the source failed, so that these documents may be wrong.
    pub in_doubt: bool,
    /// How far the target is written.
    pub target: Position,
    /// Job ids in the run's list of mapped ones.
    pub ids: u64,
    /// Where the files of the journal are.
    #[serde(default)]
    pub journal: JournalLengths,
    /// Where the files of rejects are.
    pub rejects: RejectLengths,
    /// What was counted.
    pub totals: Totals,
    /// Time spent so far, in all the processes of this run.
    pub elapsed_ms: u64,
    /// The most memory any of them held.
    pub peak_rss_bytes: u64,
    /// Whether all documents are written, and what they replaced is being taken out.
    #[serde(default)]
    pub is_finishing: bool,
    /// Why the run stopped, where it did.
    pub reason: Option<String>,
}

impl Checkpoint {
    /// The checkpoint of a run that has not done anything.
    pub(crate) fn start(target: Position) -> Self {
        let schema = CHECKPOINT_SCHEMA.to_owned();
        let source_hash = SourceHash::default().hex();
        Checkpoint { schema, source_hash, target, ..Checkpoint::default() }
    }

    /// Takes a step to another state.
    pub(crate) fn enter(&mut self, state: State) -> Result<(), RunError> {
        if self.state != state && self.state.step_to(state).is_none() {
            return Err(RunError::Bug("a run took a step that its table of states forbids"));
        }
        self.state = state;
        Ok(())
    }
}

/// A running hash of documents: each step takes the fingerprint of one more, so that it can be
/// written down after any document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceHash([u8; 32]);

impl SourceHash {
    pub(crate) fn add(&mut self, fingerprint: &[u8; 32]) {
        let mut input = [0; 64];
        input[..32].copy_from_slice(&self.0);
        input[32..].copy_from_slice(fingerprint);
        self.0 = *blake3::hash(&input).as_bytes();
    }

    /// Goes on from a hash that was written down; anything else is the hash of no documents.
    pub(crate) fn from_hex(hex: &str) -> Self {
        blake3::Hash::from_hex(hex)
            .map_or_else(|_| SourceHash::default(), |hash| SourceHash(*hash.as_bytes()))
    }

    pub(crate) fn hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

//! The checkpoint: how far a run is, in a form that another process can go on from.

use serde::{Deserialize, Serialize};

use super::RunError;
use super::journal::JournalLengths;
use super::pace::Waiting;
use super::states::State;
use crate::ends::Position;
use crate::pass::{Example, RejectReason, Rejection, SourceHash, Tallies, tally_reject};
use reshelve_core::mapping::InFlight;

/// The version of the file.
pub(crate) const CHECKPOINT_SCHEMA: &str = "reshelve.checkpoint/1";
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
    /// Mapped documents that were queued or running, and are carried over as they are.
    #[serde(default)]
    pub in_flight: u64,
    /// Jobs whose earlier version was replaced.
    pub replaced: u64,
    /// Warnings by code.
    pub warnings: Tallies,
    /// Rejects by code.
    pub rejects: Tallies,
}

impl Totals {
    pub(crate) fn reject(&mut self, rejection: &Rejection, example: impl FnOnce() -> Example) {
        self.documents.rejected += 1;
        tally_reject(&mut self.rejects, rejection, example);
    }

    /// Whether every document was rejected, and each because of what the target holds or takes.
    pub fn is_all_rejected_by_target(&self) -> bool {
        let by_target: u64 = [RejectReason::TargetConflict, RejectReason::TargetRefused]
            .map(|it| self.rejected_as(it))
            .iter()
            .sum();
        let documents = self.documents;
        documents.rejected > 0
            && documents.rejected == documents.read
            && by_target == documents.read
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
    /// A sum over these, by which a list that was changed is told; older checkpoints have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids_sum: Option<u64>,
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
    /// The decision on jobs in flight that these documents followed.
    #[serde(default)]
    pub in_flight: Option<InFlight>,
    /// Why the run stopped, where it did.
    pub reason: Option<String>,
    /// What the run waits for, or was held back by before its last batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

impl Checkpoint {
    /// The checkpoint of a run that has not done anything.
    pub(crate) fn start(target: Position) -> Self {
        let schema = CHECKPOINT_SCHEMA.to_owned();
        let source_hash = SourceHash::default().hex();
        Checkpoint { schema, source_hash, target, ids_sum: Some(0), ..Checkpoint::default() }
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

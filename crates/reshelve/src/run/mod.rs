//! A run: one execution of the migration, dry or applied, that can be stopped at any point and
//! resumed.

pub(crate) mod checkpoint;
mod clock;
mod control;
mod end;
mod engine;
mod error;
pub(crate) mod hold;
pub mod journal;
mod pace;
mod plan;
pub(crate) mod preflight;
mod refusal;
mod rejected;
pub(crate) mod rejects;
mod run_folder;
mod saver;
mod start;
pub mod states;
mod written_target;

pub use crate::pass::{EXAMPLES_MAX, Example, RejectReason, RejectRecord, Tally};
pub use checkpoint::{Checkpoint, DocumentCounts, Totals};
pub use clock::{millis, new_id, now_iso, now_ms};
pub use control::{Asked, Control, Throttle};
pub use engine::CHECKPOINT_BYTES_DEFAULT;
pub use error::RunError;
pub use pace::{Waiting, Why};
pub use plan::{Decisions, FromPlan, Part, Plan, RunRequest};
pub use refusal::Refusal;
pub use rejected::{RejectWithDocument, RejectedBytes};
pub use run_folder::RunFolder;
pub use start::{Ends, Report, ResumeRequest, Stop, resume, start};
pub use states::State;

use crate::ends::Notes;

/// How far a run is, told after every checkpoint.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What is checkpointed.
    pub totals: Totals,
    /// How far the last batch is in the source's file, in bytes.
    pub file_bytes_read: u64,
    /// Bytes of the source's file, where known.
    pub file_bytes_total: Option<u64>,
    /// The batch in hand, from 1.
    pub batch: u64,
    /// Time spent, in all the processes of this run.
    pub elapsed_ms: u64,
    /// What the run waits for, or was held back by before its last batch.
    pub waiting: Option<Waiting>,
}

/// Is told how a run goes on.
pub trait Observer: Notes + Send {
    /// The run has its folder, and is about to read.
    fn begun(&mut self, plan: &Plan, folder: &RunFolder, bytes_total: Option<u64>);
    /// A checkpoint was made.
    fn progress(&mut self, progress: &Progress);
}

/// The most memory that this process has held, in bytes; 0 where the system does not tell.
pub fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

//! A run: one execution of the migration, dry or applied, that can be stopped at any point and
//! gone on with.

pub(crate) mod checkpoint;
mod engine;
mod plan;
pub(crate) mod preflight;
pub(crate) mod rejects;
mod run_folder;
mod saver;
mod start;

use std::path::{Path, PathBuf};

pub(crate) use checkpoint::Finishing;
pub use checkpoint::{Checkpoint, DocumentCounts, EXAMPLES_MAX, Example, State, Tally, Totals};
pub use engine::CHECKPOINT_BYTES_DEFAULT;
pub use plan::{LivePlace, OnExisting, Plan, PlannedSource, PlannedTarget, RunRequest};
pub use preflight::{Refusal, estimated_target_bytes};
pub use rejects::RejectRecord;
pub(crate) use run_folder::CHECKPOINT_FILE;
pub use run_folder::RunFolder;
pub use start::{Ends, Report, ResumeRequest, Stop, resume, start};

use crate::dump::OpenError;
use crate::ends::LiveError;
use crate::ends::SinkError;
use crate::store::DiskError;

/// Why a run could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Refused before anything was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The source cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file of the run, or of the target, cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The target cannot be used.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A live target cannot be used.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// A file of the run is not what this version writes.
    #[error("{} cannot be used: {detail}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// There is no run of that name.
    #[error("there is no run {name} in {}", runs.display())]
    NoSuchRun {
        /// The name.
        name: String,
        /// Where it was looked for.
        runs: PathBuf,
    },
    /// Something that must not happen.
    #[error("{0}; this is a bug of reshelve, please report it")]
    Bug(&'static str),
}

impl RunError {
    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            RunError::Refused(refusal) => Some(refusal.hint()),
            RunError::Open(error) => error.hint().map(Into::into),
            RunError::Live(error) => error.hint.clone(),
            RunError::NoSuchRun { .. } => {
                Some("`reshelve runs` lists them; --runs-dir says where they are".into())
            }
            RunError::Disk(DiskError { source, .. }) | RunError::Sink(SinkError { source, .. }) => {
                if let Some(error) = LiveError::inside(source) {
                    return error.hint.clone();
                }
                (source.kind() == std::io::ErrorKind::StorageFull)
                    .then(|| "make room on the disk, then `reshelve resume` the run".into())
            }
            RunError::State { .. } => {
                Some("it was written by another version of reshelve, or edited".into())
            }
            RunError::Bug(_) => None,
        }
    }
}

/// How far a run is, told after every checkpoint.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What is checkpointed.
    pub totals: Totals,
    /// Bytes taken from the source's file.
    pub file_bytes_read: u64,
    /// Bytes of the source's file, where known.
    pub file_bytes_total: Option<u64>,
    /// The batch in hand, from 1.
    pub batch: u64,
    /// Time spent, in all the processes of this run.
    pub elapsed_ms: u64,
}

/// Is told how a run goes on.
pub trait Observer: Send {
    /// The run has its folder, and is about to read.
    fn begun(&mut self, plan: &Plan, folder: &RunFolder, bytes_total: Option<u64>);
    /// A checkpoint was made.
    fn progress(&mut self, progress: &Progress);
    /// Something that people should know, in a sentence.
    fn note(&mut self, text: &str);
}

pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The most memory that this process has held, in bytes; 0 where the system does not tell.
pub fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

//! Why a run could not do its work.

use std::path::PathBuf;

use super::Refusal;
use crate::ends::EndError;
use crate::store::{DiskError, StateError};

/// Why a run could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Refused before anything was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The source, or the target, cannot be used.
    #[error(transparent)]
    End(#[from] EndError),
    /// A file of the run cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
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

impl From<StateError> for RunError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Disk(error) => error.into(),
            StateError::Unusable { path, detail } => RunError::State { path, detail },
        }
    }
}

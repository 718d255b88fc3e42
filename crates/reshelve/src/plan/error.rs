//! Why a plan cannot be saved, or not be used.

use std::path::PathBuf;

use crate::ends::{Damage, EndError};
use crate::store::DiskError;

/// Why a plan cannot be saved, or not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The source, or the target, cannot be used.
    #[error(transparent)]
    End(#[from] EndError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The file is something else than a plan.
    #[error("{} is no plan: {detail}", path.display())]
    NotAPlan {
        /// The file.
        path: PathBuf,
        /// What it is.
        detail: String,
    },
    /// The file, or the one with the keys beside it, is not as it was saved.
    #[error("the plan {} cannot be used: {detail}", path.display())]
    Edited {
        /// The plan.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// It was told to stop while it read.
    #[error("interrupted")]
    Interrupted,
}

impl From<Damage> for PlanError {
    fn from(damage: Damage) -> Self {
        EndError::from(damage).into()
    }
}

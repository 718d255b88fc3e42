//! Errors of a snapshot.

use crate::ends::{Damage, Place};
use crate::pass::Stopped;
use crate::store::DiskError;

/// Why a snapshot could not be taken, or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The source cannot be read to its end.
    #[error(transparent)]
    Source(Damage),
    /// A text of the source is not Extended JSON.
    #[error("{detail} (line {}, column {})", place.line, place.column)]
    Malformed {
        /// Where it begins.
        place: Place,
        /// What is wrong with it.
        detail: String,
    },
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It was told to stop.
    #[error("interrupted")]
    Interrupted,
}

impl From<Stopped> for SnapshotError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Source(damage) => SnapshotError::Source(damage),
            Stopped::Interrupted => SnapshotError::Interrupted,
        }
    }
}

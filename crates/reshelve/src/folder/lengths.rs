//! How far a folder target is written: what it puts into a [`Position`].

use serde::{Deserialize, Serialize};

use crate::ends::{EndError, Position};

/// The lengths of the four files, in bytes, in the order of the collections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lengths(pub [u64; 4]);

/// What the finishing of a run with replaced jobs has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Finishing {
    /// How many collections are finished.
    pub(super) collections: usize,
    /// The new file of the next collection, where it is ready to be renamed.
    pub(super) ready: Option<ReadyFile>,
}

/// A file that is complete and durable under a temporary name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReadyFile {
    /// Its temporary name, next to the file that it will replace.
    pub(super) name: String,
    /// Its length, in bytes.
    pub(super) bytes: u64,
    /// Which file it is, whatever its name and its length become; none in older checkpoints.
    #[serde(default)]
    pub(super) identity: Option<(u64, u64)>,
}

/// The opaque part of a position of a folder target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) lengths: Lengths,
    #[serde(default)]
    pub(super) finishing: Finishing,
}

impl Lengths {
    /// The lengths in a position of a folder target; of any other position, none.
    pub fn of(position: &Position) -> Option<Lengths> {
        Progress::of(position).ok().map(|progress| progress.lengths)
    }
}

impl Progress {
    pub(super) fn of(position: &Position) -> Result<Progress, EndError> {
        if position.opaque.is_null() {
            return Ok(Progress::default());
        }
        serde_json::from_value(position.opaque.clone()).map_err(|error| {
            let message = format!("the checkpoint's target position is malformed: {error}");
            EndError::failed(message, Some("it was written by another version, or edited"))
        })
    }

    pub(super) fn position(&self) -> Position {
        let opaque = serde_json::to_value(self).unwrap_or_default();
        Position { opaque, ..Position::default() }
    }
}

impl From<Lengths> for Position {
    fn from(lengths: Lengths) -> Position {
        Progress { lengths, ..Progress::default() }.position()
    }
}

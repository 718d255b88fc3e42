//! What several commands are asked alike: the decisions of the mapping, the size of batches, which
//! run is meant.

use std::path::PathBuf;

use reshelve::ends::{BATCH_BYTES_DEFAULT, BATCH_DOCS_DEFAULT, BatchLimits};
use reshelve::run::{CHECKPOINT_BYTES_DEFAULT, RunFolder};
use reshelve_core::mapping::{InFlight, OnUnknownStatus, Options, StatusPolicy};

use crate::failure::Failure;
use crate::outside;

/// A live target is asked a few questions for each batch: there, larger ones are faster.
pub const LIVE_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The decisions of the mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MappingOptions {
    /// What to do with jobs in flight; none if nobody decided.
    pub in_flight: Option<InFlight>,
    /// What counts if the status contradicts the chapters.
    pub status_policy: StatusPolicy,
    /// What to do with documents that have an unknown status.
    pub on_unknown_status: OnUnknownStatus,
}

impl MappingOptions {
    /// The same for a command that needs no decision on jobs in flight.
    pub(crate) fn options(self) -> Options {
        Options {
            on_unknown_status: self.on_unknown_status,
            status_policy: self.status_policy,
            in_flight: self.in_flight.unwrap_or_default(),
        }
    }
}

/// How a run divides its work; none of it changes a byte of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// Most documents in a batch.
    pub docs_max: usize,
    /// Most bytes in a batch; none for what suits the target.
    pub bytes_max: Option<usize>,
    /// Mapping threads; none for one per core.
    pub threads: Option<usize>,
    /// A checkpoint is due after this many target bytes.
    pub checkpoint_bytes: u64,
}

impl Default for BatchOptions {
    fn default() -> Self {
        BatchOptions {
            docs_max: BATCH_DOCS_DEFAULT,
            bytes_max: None,
            threads: None,
            checkpoint_bytes: CHECKPOINT_BYTES_DEFAULT,
        }
    }
}

impl BatchOptions {
    pub(crate) fn limits(self, is_live: bool) -> BatchLimits {
        let usual = if is_live { LIVE_BATCH_BYTES } else { BATCH_BYTES_DEFAULT };
        BatchLimits { docs_max: self.docs_max, bytes_max: self.bytes_max.unwrap_or(usual) }
    }

    pub(crate) fn threads(self) -> usize {
        threads(self.threads)
    }
}

/// As many mapping threads as were asked for, else one for each core.
pub(crate) fn threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Which member of a replica set is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadPreference {
    /// The primary.
    Primary,
    /// The primary, else a secondary.
    PrimaryPreferred,
    /// A secondary.
    Secondary,
    /// A secondary, else the primary.
    SecondaryPreferred,
    /// The member that answers fastest.
    Nearest,
}

impl From<ReadPreference> for reshelve_mongo::ReadPreference {
    fn from(value: ReadPreference) -> Self {
        let options = None;
        match value {
            ReadPreference::Primary => Self::Primary,
            ReadPreference::PrimaryPreferred => Self::PrimaryPreferred { options },
            ReadPreference::Secondary => Self::Secondary { options },
            ReadPreference::SecondaryPreferred => Self::SecondaryPreferred { options },
            ReadPreference::Nearest => Self::Nearest { options },
        }
    }
}

/// A run, as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunName {
    /// Its id, or its folder.
    pub name: String,
    /// The folder of run folders.
    pub runs_folder: PathBuf,
}

impl RunName {
    pub(crate) fn find(&self) -> Result<RunFolder, Failure> {
        outside::check("--runs-dir", &self.runs_folder)?;
        outside::check("RUN", &self.name)?;
        Ok(RunFolder::find(&self.runs_folder, &self.name)?)
    }
}

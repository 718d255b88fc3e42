//! The seam in front of a source: what can be opened, and opened again.

use std::path::PathBuf;

use super::Source;
use crate::dump::OpenError;
use crate::run::PlannedSource;

/// A source that has been opened.
pub struct Opened {
    /// The documents.
    pub source: Box<dyn Source>,
    /// What it is.
    pub description: SourceDescription,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Opened").field("description", &self.description).finish()
    }
}

/// What a source turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDescription {
    /// For people: `mongodump archive, gzip`.
    pub form: String,
    /// The file with the documents (in a folder: the file inside it), `-` for standard input.
    pub path: PathBuf,
    /// Database and collection, where the source names them.
    pub namespace: Option<(String, String)>,
    /// Whether it can be opened a second time.
    pub rewindable: bool,
    /// Bytes on disk, where that is known.
    pub bytes_total: Option<u64>,
}

/// Where legacy documents come from.
pub trait Origin: Sync {
    /// Opens it at its beginning.
    ///
    /// # Errors
    /// Where there is nothing to read, or no telling what is meant.
    fn open(&self) -> Result<Opened, OpenError>;

    /// Whether it can be opened a second time.
    fn is_rewindable(&self) -> bool {
        true
    }

    /// Whether a run goes on behind the `_id` of its last document, and not by reading again what
    /// it has read: so it is where documents come in the order of their `_id`.
    fn goes_on_by_id(&self) -> bool {
        false
    }

    /// Opens it behind the document with this `_id`: the type and the value of the BSON element,
    /// in hex.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    fn open_behind(&self, _id: &str) -> Result<Opened, OpenError> {
        self.open()
    }

    /// Gives each document's top-level `status` where it is a string, else `None`.
    ///
    /// # Errors
    /// Where the source cannot be opened, or could not be opened a second time.
    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), OpenError>;

    /// What `run.json` says of it.
    fn planned(&self, description: &SourceDescription) -> PlannedSource;
}

//! The seam in front of a source: what can be opened, and opened again.

use super::{OpenError, Opened, STANDARD_INPUT, SourceDescription, for_each_status, open};
use crate::run::PlannedSource;
use crate::source::SourceSpec;

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

impl Origin for SourceSpec {
    fn open(&self) -> Result<Opened, OpenError> {
        open(self)
    }

    fn is_rewindable(&self) -> bool {
        self.path.as_os_str() != STANDARD_INPUT
    }

    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), OpenError> {
        for_each_status(self, give)
    }

    fn planned(&self, description: &SourceDescription) -> PlannedSource {
        let path = &self.path;
        PlannedSource {
            path: match path.as_os_str() == STANDARD_INPUT {
                true => path.clone(),
                false => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
            },
            db: self.db.clone(),
            collection: self.collection.clone(),
            form: description.form.clone(),
            bytes: description.bytes_total,
            live: None,
        }
    }
}

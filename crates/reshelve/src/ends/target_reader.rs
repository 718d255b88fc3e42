//! The seam where a target is read back: by verification, checksums and restore.

use super::EndError;
use crate::target_schema::Collection;

/// The documents of one target collection, one after the other.
pub trait DocumentStream: Send {
    /// The next document, not yet checked.
    ///
    /// # Errors
    /// Where the target is damaged, or cannot be read on.
    fn next_document(&mut self) -> Result<Option<&[u8]>, EndError>;
}

/// A target that can be read back, in any form.
pub trait TargetReader: Sync {
    /// What messages call it.
    fn name(&self) -> String;

    /// The name of its database.
    fn database(&self) -> &str;

    /// Whether a collection is there at all.
    ///
    /// # Errors
    /// Where the target cannot be asked.
    fn has(&self, collection: Collection) -> Result<bool, EndError>;

    /// Opens a collection at its beginning.
    ///
    /// # Errors
    /// Where it cannot be opened.
    fn documents(&self, collection: Collection) -> Result<Box<dyn DocumentStream>, EndError>;
}

//! The seam where a target is read back: by verification, checksums and restore.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::EndError;
use crate::target_schema::Collection;

/// Count, bytes and checksum of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionChecksum {
    /// How many documents it has.
    pub documents: u64,
    /// Their bytes as BSON.
    pub bytes: u64,
    /// The checksum, in hex.
    pub checksum: String,
}

/// A collection that does not hold what was planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference<'c> {
    /// The collection.
    pub collection: &'c str,
    /// What it should hold.
    pub planned: &'c CollectionChecksum,
    /// What it holds; nothing if it is not there.
    pub found: CollectionChecksum,
}

/// The collections that do not hold what was planned.
pub fn differences<'c, N: Borrow<str> + Ord>(
    planned: &'c BTreeMap<String, CollectionChecksum>,
    found: &BTreeMap<N, CollectionChecksum>,
) -> Vec<Difference<'c>> {
    let differs = planned.iter().filter_map(|(collection, planned)| {
        let found = found.get(collection.as_str()).cloned().unwrap_or_default();
        (found != *planned).then_some(Difference { collection, planned, found })
    });
    differs.collect()
}

/// The documents of one target collection, one after the other.
pub trait DocumentStream: Send {
    /// The next document, not yet checked.
    ///
    /// # Errors
    /// Where the target is damaged, or cannot be read on.
    fn next_document(&mut self) -> Result<Option<&[u8]>, EndError>;
}

/// The run that a target names as the one that wrote it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWriter {
    /// Its id.
    pub run: String,
    /// Its folder on the machine that ran it; none where the target does not name it.
    pub folder: Option<PathBuf>,
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

    /// Whether no two documents of a collection can have one `_id`.
    fn has_unique_ids(&self) -> bool {
        false
    }

    /// The run that wrote last, or may have, where the target itself names one.
    ///
    /// # Errors
    /// Where the target cannot be asked.
    fn last_writer(&self) -> Result<Option<LastWriter>, EndError> {
        Ok(None)
    }
}

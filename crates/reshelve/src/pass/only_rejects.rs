//! Which documents a pass takes that reads only what another run rejected.

use std::collections::HashSet;
use std::path::Path;

use super::document_id::id_json;
use super::reject_record::read_rejects;
use crate::store::{Disk, StateError};

/// The documents that an earlier run rejected: by `_id`, and by position for those without one.
#[derive(Debug, Default)]
pub(crate) struct OnlyRejects {
    ids: HashSet<String>,
    positions: HashSet<u64>,
}

impl OnlyRejects {
    /// The documents that the run in this folder rejected.
    pub(crate) fn read(folder: &Path) -> Result<Self, StateError> {
        let mut only = OnlyRejects::default();
        for record in read_rejects(&Disk, folder, u64::MAX)? {
            let record = record?;
            if !record.id.is_null() {
                only.ids.insert(record.id.to_string());
            }
            only.positions.insert(record.position);
        }
        Ok(only)
    }

    /// The documents at these positions, and no others.
    pub(crate) fn at_positions(positions: HashSet<u64>) -> Self {
        OnlyRejects { ids: HashSet::new(), positions }
    }

    /// Whether a document is one of them; `document` is its BSON, if it is well formed.
    pub(crate) fn takes(&self, position: u64, document: Option<&[u8]>) -> bool {
        self.positions.contains(&position)
            || !self.ids.is_empty()
                && document
                    .is_some_and(|document| self.ids.contains(&id_json(document).to_string()))
    }
}

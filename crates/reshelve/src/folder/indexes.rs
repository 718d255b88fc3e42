//! Which of a target's collections and indexes are in a folder.

use crate::dump::{self, OpenError};
use crate::ends::SourceSpec;
use crate::ends::TargetFolder;
use crate::store::Disk;
use crate::store::DiskError;
use crate::target_schema::{Collection, TargetState};

impl TargetFolder {
    /// What is there in the folder; one that is not there yet lacks everything.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn state(&self) -> Result<TargetState, OpenError> {
        let mut state = TargetState::default();
        let database = self.database();
        let found = if database.is_dir() {
            dump::inspect(&SourceSpec { path: database, ..SourceSpec::default() })?.collections
        } else {
            Vec::new()
        };
        for collection in Collection::ALL {
            let there = found.iter().find(|found| found.name == collection.name());
            if there.is_some_and(|there| !there.files.is_empty()) {
                state.collections.push(collection);
            }
            state.add_indexes(collection, there.map_or(&[], |there| &there.indexes));
        }
        Ok(state)
    }

    /// Makes the metadata files that are missing: the indexes lie in them. Gives their names.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn make_indexes(&self) -> Result<Vec<String>, DiskError> {
        let made = self.prepare(&Disk)?;
        Ok(made.into_iter().map(|collection| collection.name().to_owned()).collect())
    }
}

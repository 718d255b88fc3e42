//! Which of a target's collections and indexes are there.

use serde::Serialize;

use super::layout::{IndexSpec, indexes_of};
use crate::dump::{self, Index, OpenError};
use crate::ends::SourceSpec;
use crate::ends::TargetFolder;
use crate::store::DiskError;
use reshelve_core::mapping::COLLECTIONS;

/// What is there of an index that should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndexState {
    /// It is there.
    Present,
    /// It is not there.
    Missing,
    /// Another index has its name.
    Different,
}

/// One index that should be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexStatus {
    /// Its collection.
    pub collection: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What is there of it.
    pub state: IndexState,
}

/// The collections and indexes of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TargetState {
    /// Target collections that are there.
    pub collections: Vec<&'static str>,
    /// The indexes that should be there.
    pub indexes: Vec<IndexStatus>,
    /// Whether the new stack's own migration is recorded as applied.
    pub migration_applied: bool,
    /// What else somebody should know of the collections, a sentence each.
    pub remarks: Vec<String>,
}

impl TargetState {
    /// Notes what is there of the indexes of one collection.
    pub fn add_indexes(&mut self, collection: &'static str, there: &[Index]) {
        for wanted in indexes_of(collection) {
            let state = match there.iter().find(|index| index.name == wanted.name) {
                None => IndexState::Missing,
                Some(found) if is_same(found, wanted) => IndexState::Present,
                Some(_) => IndexState::Different,
            };
            self.indexes.push(IndexStatus { collection, name: wanted.name, state });
        }
    }

    /// What is missing or different, as `collection.index`.
    pub fn wanting(&self) -> Vec<String> {
        let wanting = self.indexes.iter().filter(|index| index.state != IndexState::Present);
        wanting.map(|index| format!("{}.{}", index.collection, index.name)).collect()
    }
}

fn is_same(found: &Index, wanted: &IndexSpec) -> bool {
    let parts: Vec<String> =
        wanted.key.iter().map(|(field, direction)| format!("\"{field}\":{direction}")).collect();
    found.key == format!("{{{}}}", parts.join(",")) && found.unique == wanted.unique
}

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
        for collection in COLLECTIONS {
            let there = found.iter().find(|found| found.name == collection);
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
        let names = |folder: &TargetFolder| {
            COLLECTIONS.map(|collection| (collection, folder.metadata_file(collection).exists()))
        };
        let before = names(self);
        self.prepare()?;
        let made = before.into_iter().filter(|(_, was_there)| !was_there);
        Ok(made.map(|(collection, _)| collection.to_owned()).collect())
    }
}

//! Which collections and indexes a target has.

use serde::Serialize;

use super::{Collection, Index, indexes_of};

/// Whether an index that should be there is there.
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
    pub collection: Collection,
    /// Its name.
    pub name: &'static str,
    /// Whether it is there.
    pub state: IndexState,
}

/// The collections and indexes of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TargetState {
    /// The target collections that are there.
    pub collections: Vec<Collection>,
    /// The indexes that should be there.
    pub indexes: Vec<IndexStatus>,
    /// Whether the new stack's own migration is recorded as applied.
    pub migration_applied: bool,
    /// What else is notable about the collections, a sentence each.
    pub remarks: Vec<String>,
}

impl TargetState {
    /// Compares the indexes that one collection has with those that it should have.
    pub fn add_indexes(&mut self, collection: Collection, present: &[Index]) {
        for wanted in indexes_of(collection) {
            let state = match present.iter().find(|index| index.name == wanted.name) {
                None => IndexState::Missing,
                Some(found) if found.serves(wanted) => IndexState::Present,
                Some(_) => IndexState::Different,
            };
            self.indexes.push(IndexStatus { collection, name: wanted.name, state });
        }
    }

    /// The indexes that are missing or different, as `collection.index`.
    pub fn wanting(&self) -> Vec<String> {
        let wanting = self.indexes.iter().filter(|index| index.state != IndexState::Present);
        wanting.map(|index| format!("{}.{}", index.collection, index.name)).collect()
    }
}

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
    /// An index with another definition has its name.
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
    /// How the one that is there differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
}

impl IndexStatus {
    /// Its collection and its name: `novel_jobs.idx_novel_jobs_jobId`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.collection, self.name)
    }
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
            let found = present.iter().find(|index| index.name == wanted.name);
            let difference = found.and_then(|found| found.difference(wanted));
            let state = match (found, &difference) {
                (None, _) => IndexState::Missing,
                (Some(_), None) => IndexState::Present,
                (Some(_), Some(_)) => IndexState::Different,
            };
            self.indexes.push(IndexStatus { collection, name: wanted.name, state, difference });
        }
    }

    /// The first index that is there with another definition.
    pub fn different(&self) -> Option<&IndexStatus> {
        self.indexes.iter().find(|index| index.state == IndexState::Different)
    }

    /// The indexes that are missing or different, as `collection.index`.
    pub fn wanting(&self) -> Vec<String> {
        let wanting = self.indexes.iter().filter(|index| index.state != IndexState::Present);
        wanting.map(IndexStatus::full_name).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::target_schema::IndexSpec;

    fn made(wanted: &IndexSpec) -> Index {
        let parts: Vec<String> =
            wanted.key.iter().map(|(field, way)| format!("\"{field}\":{way}")).collect();
        Index {
            name: wanted.name.to_owned(),
            key: format!("{{{}}}", parts.join(",")),
            unique: wanted.unique,
            options: BTreeMap::new(),
        }
    }

    #[test]
    fn an_index_is_compared_as_a_whole() {
        let first = &indexes_of(Collection::Jobs)[0];
        let second = &indexes_of(Collection::Jobs)[1];
        let with = |name: &str, value: &str| Index {
            options: [(name.to_owned(), value.to_owned())].into(),
            ..made(first)
        };
        let reversed = Index { key: r#"{"createdAt":-1,"status":1}"#.to_owned(), ..made(second) };
        for (index, words) in [
            (with("sparse", "true"), "sparse: true"),
            (with("hidden", "true"), "hidden: true"),
            (with("expireAfterSeconds", "60"), "expireAfterSeconds: 60"),
            (with("partialFilterExpression", "{}"), "partialFilterExpression"),
            (with("collation", r#"{"locale":"de"}"#), "collation"),
            (with("ofTheFuture", "1"), "ofTheFuture"),
            (Index { unique: false, ..made(first) }, "not unique"),
            (Index { unique: true, ..made(second) }, "is unique"),
            (reversed, "key"),
        ] {
            let mut state = TargetState::default();
            state.add_indexes(Collection::Jobs, &[index]);
            let different = state.different().unwrap();
            assert!(different.difference.as_ref().unwrap().contains(words), "{different:?}");
        }
        let mut state = TargetState::default();
        state.add_indexes(Collection::Jobs, &[made(first), made(second)]);
        assert!(state.wanting().is_empty());
        for (name, value) in [("v", "2"), ("sparse", "false"), ("background", "true")] {
            assert!(!Index::is_option(name, value), "{name}");
        }
    }
}

//! A target collection.

use std::fmt;

use serde::{Serialize, Serializer};

use reshelve_core::mapping::COLLECTIONS;

/// One of the four target collections, in the order in which the contract names them.
///
/// What exists once per collection is an array of four, indexed by [`Collection::index`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    /// `novel_jobs`.
    Jobs,
    /// `novel_job_events`.
    Events,
    /// `novel_job_metrics`.
    Metrics,
    /// `novel_job_metadata`.
    Metadata,
}

impl Collection {
    /// All of them, in order.
    pub const ALL: [Collection; 4] =
        [Collection::Jobs, Collection::Events, Collection::Metrics, Collection::Metadata];

    /// Its place in [`ALL`](Self::ALL), in [`COLLECTIONS`], and in arrays of four.
    pub const fn index(self) -> usize {
        match self {
            Collection::Jobs => 0,
            Collection::Events => 1,
            Collection::Metrics => 2,
            Collection::Metadata => 3,
        }
    }

    /// Its name in a database.
    pub const fn name(self) -> &'static str {
        COLLECTIONS[self.index()]
    }

    /// The collection with this name, if it is a target collection.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.name() == name)
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Collection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_name_and_order_agree() {
        for (index, collection) in Collection::ALL.into_iter().enumerate() {
            assert_eq!(collection.index(), index);
            assert_eq!(collection.name(), COLLECTIONS[index]);
            assert_eq!(Collection::from_name(collection.name()), Some(collection));
            assert_eq!(
                serde_json::to_value(collection).ok(),
                Some(serde_json::Value::from(COLLECTIONS[index]))
            );
        }
        assert!(Collection::ALL.is_sorted());
        assert_eq!(Collection::from_name("jobs"), None);
    }
}

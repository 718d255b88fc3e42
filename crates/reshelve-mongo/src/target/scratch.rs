//! A database for a rehearsal: one that nobody uses, and that is dropped when the rehearsal ends.
//!
//! It is dropped collection by collection, each only if it holds what the rehearsal left there:
//! `dropDatabase` would take with it what somebody else has put beside.

use std::collections::BTreeMap;

use mongodb::bson::{Document, doc};
use reshelve::ends::EndError;
use reshelve::target_schema::Collection;

use super::lease::RUNS;
use super::undo::UNDO;
use crate::catalog::list;
use crate::connection::Connection;

/// Collections of the server itself, in any database.
const SYSTEM: &str = "system.";

/// A database that was asked for its collections.
#[derive(Clone, Debug)]
pub struct ScratchDatabase {
    connection: Connection,
}

impl ScratchDatabase {
    /// The database of a connection.
    pub fn new(connection: Connection) -> Self {
        ScratchDatabase { connection }
    }

    /// What messages call it.
    pub fn name(&self) -> String {
        format!("{} ({})", self.connection.place.name(), self.connection.db)
    }

    /// The names of its collections, sorted. None: the database does not exist.
    ///
    /// # Errors
    /// If the server does not list them.
    pub fn collections(&self) -> Result<Vec<String>, EndError> {
        let question = doc! { "listCollections": 1, "nameOnly": true };
        let listed = self.connection.wait(list(&self.connection, question))?;
        let names = listed.iter().filter_map(|it| it.get_str("name").ok());
        let mut names: Vec<String> =
            names.filter(|name| !name.starts_with(SYSTEM)).map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// What a rehearsal that has taken its run back would not have left: documents in a collection
    /// of the target or of earlier versions, another collection, or a lease. Each in a sentence.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn left_over(&self) -> Result<Vec<String>, EndError> {
        let mut left = Vec::new();
        for name in self.collections()? {
            let documents = match name.as_str() {
                RUNS => self.count(&name, doc! { "_id": "lock" })?,
                name if is_of_target(name) || name == UNDO => self.count(name, doc! {})?,
                name => {
                    left.push(format!("there is a collection {name}"));
                    continue;
                }
            };
            match (name.as_str(), documents) {
                (_, 0) => {}
                (RUNS, _) => left.push("there is a lease of a run".to_owned()),
                (name, documents) => left.push(format!("{name} holds {documents} documents")),
            }
        }
        Ok(left)
    }

    /// Drops the collections of the target, which hold `documents` of each, and those beside them
    /// that a run makes. With the last collection, the database is gone.
    ///
    /// Returns why it was not dropped, if it holds anything else; then nothing was dropped.
    ///
    /// # Errors
    /// If the server refuses.
    pub fn drop_if_only(
        &self,
        documents: &BTreeMap<&str, u64>,
    ) -> Result<Option<String>, EndError> {
        let names = self.collections()?;
        for name in &names {
            let is_run = [RUNS, UNDO].contains(&name.as_str());
            if !is_of_target(name) && !is_run {
                return Ok(Some(format!("it holds a collection {name}")));
            }
            let expected = match name.as_str() {
                RUNS => continue,
                name => documents.get(name).copied().unwrap_or(0),
            };
            let found = self.count(name, doc! {})?;
            if found != expected {
                return Ok(Some(format!(
                    "{name} holds {found} documents, and the rehearsal left {expected}"
                )));
            }
        }
        for name in &names {
            let collection = self.connection.decoded(name);
            let dropped = self.connection.patience.retry(|| collection.drop().into_future());
            self.connection
                .wait(dropped)
                .map_err(|error| self.connection.error("dropping", name, &error))?;
        }
        let left = self.collections()?;
        if let Some(name) = left.first() {
            return Ok(Some(format!("somebody has created the collection {name} meanwhile")));
        }
        Ok(None)
    }

    fn count(&self, collection: &str, filter: Document) -> Result<u64, EndError> {
        let documents = self.connection.decoded(collection);
        let counted = self
            .connection
            .patience
            .retry_long(|| documents.count_documents(filter.clone()).into_future());
        self.connection
            .wait(counted)
            .map_err(|error| self.connection.error("counting", collection, &error))
    }
}

fn is_of_target(name: &str) -> bool {
    Collection::ALL.iter().any(|collection| collection.name() == name)
}

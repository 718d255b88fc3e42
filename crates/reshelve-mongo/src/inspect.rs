//! What a live server holds, what it is, and what its user may do.

use std::path::PathBuf;

use mongodb::bson::{Document, doc};
use reshelve::dump::{COLLECTION_DEFAULT, CollectionInfo, Inventory};
use reshelve::ends::{EndError, Hint};
use serde::Serialize;

use crate::catalog::{databases, list, whole_number};
use crate::connection::Connection;
use crate::privileges::{Need, held, needs_of_source, needs_of_target};
use crate::target::indexes_of_collection;

/// An [`Inventory`] with what only a live server reports.
#[derive(Clone, Debug, Serialize)]
pub struct LiveInventory {
    /// Databases and collections.
    #[serde(flatten)]
    pub inventory: Inventory,
    /// `standalone`, `replica set`, `sharded cluster`.
    pub topology: &'static str,
    /// The name of the replica set.
    pub replica_set: Option<String>,
    /// The server's logical clock, as `seconds.increment`, if it has one.
    pub operation_time: Option<String>,
    /// Who is logged in; nobody if the server does not ask.
    pub users: Vec<String>,
    /// What reading the legacy collection needs.
    pub privileges_needed: Vec<Need>,
    /// Which of these are not allowed.
    pub privileges_missing: Vec<String>,
    /// Which privileges are missing for a target in the same database.
    pub privileges_missing_to_write: Vec<String>,
}

/// Lists what is there: in the database of the connection if `one` is set, else in all of them.
///
/// # Errors
/// If the server cannot be asked.
pub fn inspect(
    connection: &Connection,
    one: bool,
    collection: Option<&str>,
) -> Result<LiveInventory, EndError> {
    connection.wait(async {
        let databases = if one { None } else { databases(connection).await };
        if databases.is_none() && connection.db.is_empty() {
            return Err(EndError::usage(
                "the user may not list the databases",
                Hint::NameALiveDatabase,
            ));
        }
        let databases = databases.unwrap_or_else(|| vec![connection.db.clone()]);
        let mut inventory = Inventory {
            path: PathBuf::from(connection.place.name()),
            form: format!("live server, {}", connection.topology().as_str()),
            ..Inventory::default()
        };
        let built = connection.admin(doc! { "buildInfo": 1 }).await.unwrap_or_default();
        inventory.server_version = built.get_str("version").ok().map(str::to_owned);
        for db in databases {
            let connection = connection.at(&db);
            for listed in list(&connection, doc! { "listCollections": 1 }).await? {
                inventory.collections.push(collection_of(&connection, &listed).await);
            }
        }
        inventory.sort();
        let held = held(connection).await;
        let collection = collection.unwrap_or(COLLECTION_DEFAULT);
        // If no database was named, it is the one that has the collection.
        let found = inventory.collections.iter().find(|found| found.name == collection);
        let db = match connection.db.is_empty() {
            true => found.and_then(|found| found.db.clone()).unwrap_or_default(),
            false => connection.db.clone(),
        };
        let (needed, to_write) = match db.is_empty() {
            true => (Vec::new(), Vec::new()),
            false => (needs_of_source(&db, collection), needs_of_target(&db)),
        };
        Ok(LiveInventory {
            topology: connection.topology().as_str(),
            replica_set: connection.server.replica_set.clone(),
            operation_time: connection.server.operation_time.clone(),
            privileges_missing: held.missing(&needed),
            privileges_needed: needed,
            privileges_missing_to_write: held.missing(&to_write),
            users: held.users,
            inventory,
        })
    })
}

async fn collection_of(connection: &Connection, listed: &Document) -> CollectionInfo {
    let name = listed.get_str("name").unwrap_or_default().to_owned();
    let kind = listed.get_str("type").unwrap_or("collection").to_owned();
    let mut found = CollectionInfo {
        db: Some(connection.db.clone()),
        name: name.clone(),
        kind: Some(kind.clone()),
        ..CollectionInfo::default()
    };
    if kind != "collection" {
        return found;
    }
    match connection.command(doc! { "collStats": name.as_str() }).await {
        Ok(stats) => {
            found.documents = whole_number(&stats, "count").unwrap_or(0);
            found.document_bytes = whole_number(&stats, "size").unwrap_or(0);
            found.bytes_on_disk = whole_number(&stats, "storageSize");
        }
        Err(error) => found.damage = Some(crate::error::sentence(&error)),
    }
    // Without the privilege there is nothing to show.
    found.indexes = indexes_of_collection(connection, &name).await.unwrap_or_default();
    found
}

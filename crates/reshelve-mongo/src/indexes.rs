//! The collections and indexes of a live target, by the names that the new stack's own migration
//! gives them.

use mongodb::bson::{Bson, Document, doc};
use reshelve::ends::EndError;
use reshelve::target_schema::{
    Collection, Index, IndexState, IndexStatus, TargetState, indexes_of,
};
use reshelve_core::mapping::COLLECTIONS;

use crate::connection::Connection;
use crate::lease::{Lease, Over, RUNS, Tenant};
use crate::replace::{UNDO, made_by_a_mapping};
use crate::writes::is_absent;

/// The new stack's migration that makes the same collections and indexes (target-schema,
/// "Indexes").
pub const MIGRATION: &str = "20251005120000-initialize-novel-collections";
/// Where the new stack records which migrations were applied.
const MIGRATIONS: &str = "persistence_migrations";

/// What is there; nothing is changed.
///
/// # Errors
/// Where the server cannot be asked.
pub fn indexes_status(connection: &Connection) -> Result<TargetState, EndError> {
    Ok(connection.wait(status(connection))?.state)
}

/// What is there, with what only a run has to know.
pub(crate) struct Status {
    pub(crate) state: TargetState,
    /// Views and time series that have the name of a target collection, with what to say of each.
    pub(crate) no_collections: Vec<(Collection, String)>,
}

pub(crate) async fn status(connection: &Connection) -> Result<Status, EndError> {
    let mut state = TargetState::default();
    let mut no_collections = Vec::new();
    let list = doc! { "listCollections": 1, "authorizedCollections": true };
    for found in all(connection, list).await? {
        let name = found.get_str("name").unwrap_or_default();
        let Some(known) = Collection::from_name(name) else { continue };
        state.collections.push(known);
        if let Ok(kind @ ("view" | "timeseries")) = found.get_str("type") {
            let remark =
                format!("{known} is a {kind}, not a collection: nothing can be written to it");
            state.remarks.push(remark.clone());
            no_collections.push((known, remark));
        }
        let options = found.get_document("options").cloned().unwrap_or_default();
        if options.contains_key("validator") {
            state.remarks.push(format!(
                "{known} has a validator, which may refuse documents: they would be rejected as \
                 target-refused"
            ));
        }
        if options.get_bool("capped").unwrap_or(false) {
            state.remarks.push(format!("{known} is capped: it drops documents when it is full"));
        }
    }
    state.collections.sort();
    for collection in Collection::ALL {
        let there = match no_collections.iter().any(|(name, _)| *name == collection) {
            true => Vec::new(),
            false => indexes_of_collection(connection, collection.name()).await?,
        };
        state.add_indexes(collection, &there);
    }
    let migrations = connection.own(MIGRATIONS);
    let pattern = doc! { "fileName": { "$regex": format!("^{MIGRATION}") } };
    // Without the privilege to read that collection nothing is known of it.
    let applied =
        connection.patience.retry(|| migrations.find_one(pattern.clone()).into_future()).await;
    state.migration_applied = matches!(applied, Ok(Some(_)));
    Ok(Status { state, no_collections })
}

/// The indexes of a collection; none where it is not there.
pub(crate) async fn indexes_of_collection(
    connection: &Connection,
    collection: &str,
) -> Result<Vec<Index>, EndError> {
    match connection.command(doc! { "listIndexes": collection }).await {
        Ok(reply) => Ok(first_batch(&reply).iter().map(index_of).collect()),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(connection.error("listing the indexes of", collection, &error)),
    }
}

/// All that a listing gives: a server has few collections, and sends them in one batch unless
/// there are hundreds.
pub(crate) async fn all(
    connection: &Connection,
    mut command: Document,
) -> Result<Vec<Document>, EndError> {
    command.insert("cursor", doc! { "batchSize": 100_000 });
    let reply = connection.command(command).await;
    let reply = reply.map_err(|error| connection.error("listing", "*", &error))?;
    Ok(first_batch(&reply))
}

fn first_batch(reply: &Document) -> Vec<Document> {
    let batch = reply.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch"));
    let batch = batch.map(Vec::as_slice).unwrap_or_default();
    batch.iter().filter_map(Bson::as_document).cloned().collect()
}

/// Makes the collections and indexes that are missing; what is there is left as it is. Gives the
/// names of what was made.
///
/// # Errors
/// Where an index is there with another key, or the server refuses.
pub fn indexes_up(connection: &Connection) -> Result<Vec<String>, EndError> {
    connection.wait(async {
        let before = status(connection).await?.state;
        if let Some(other) = before.indexes.iter().find(|index| index.state == IndexState::Different)
        {
            let IndexStatus { collection, name, .. } = other;
            return Err(EndError::refused(
                format!("{}.{collection}: the index {name} is there with another key or without \"unique\"", connection.db),
                "look who made it; drop it by hand where it is not needed, then run this again",
            ));
        }
        let mut made = Vec::new();
        for collection in Collection::ALL {
            if !before.collections.contains(&collection) {
                match connection.command(doc! { "create": collection.name() }).await {
                    Ok(_) => made.push(collection.name().to_owned()),
                    // Somebody else was faster.
                    Err(error) if crate::error::code(&error) == Some(48) => {}
                    Err(error) => return Err(connection.error("creating", collection.name(), &error)),
                }
            }
            let missing = before.indexes.iter().filter(|index| {
                index.collection == collection && index.state == IndexState::Missing
            });
            let missing: Vec<&str> = missing.map(|index| index.name).collect();
            let specs: Vec<Document> = indexes_of(collection)
                .iter()
                .filter(|spec| missing.contains(&spec.name))
                .map(|spec| {
                    let mut key = Document::new();
                    for (name, direction) in spec.key {
                        key.insert(*name, *direction);
                    }
                    let mut index = doc! { "key": key, "name": spec.name };
                    if spec.unique {
                        index.insert("unique", true);
                    }
                    index
                })
                .collect();
            if specs.is_empty() {
                continue;
            }
            made.extend(missing.iter().map(|name| format!("{collection}.{name}")));
            connection
                .command(doc! { "createIndexes": collection.name(), "indexes": specs })
                .await
                .map_err(|error| connection.error("making the indexes of", collection.name(), &error))?;
        }
        Ok(made)
    })
}

/// Drops target collections: those that are empty or hold nothing but documents of this tool, and
/// those that `forced` names. Gives the names of what was dropped.
///
/// # Errors
/// Refused where a run holds the target, or a collection holds documents that this tool did not
/// write or that are the only copy of something, before anything is dropped.
pub fn indexes_down(connection: &Connection, forced: &[String]) -> Result<Vec<String>, EndError> {
    if let Some(unknown) = forced.iter().find(|name| !may_be_forced(name)) {
        return Err(EndError::usage(
            format!("{unknown} is no target collection"),
            &format!("the target collections are {}, and {UNDO}", COLLECTIONS.join(", ")),
        ));
    }
    let claim = Tenant {
        run: format!("indexes-down-{}", std::process::id()),
        folder: String::new(),
        over: Over::Nobody,
    };
    let lease = Lease::take(connection, &claim)?.map_err(|holder| holder.refusal(connection))?;
    let dropped = connection.wait(drop_collections(connection, forced));
    // The collection of the lease goes with it, where all went well.
    let ended = lease.end();
    let dropped = dropped?;
    ended?;
    let runs = connection.own(RUNS);
    connection
        .wait(connection.patience.retry(|| runs.drop().into_future()))
        .map_err(|error| connection.error("dropping", RUNS, &error))?;
    Ok(dropped)
}

fn may_be_forced(name: &str) -> bool {
    name == UNDO || COLLECTIONS.contains(&name)
}

async fn drop_collections(
    connection: &Connection,
    forced: &[String],
) -> Result<Vec<String>, EndError> {
    let state = status(connection).await?.state;
    let is_forced = |collection: &str| forced.iter().any(|name| name == collection);
    for collection in state.collections.iter().copied().filter(|it| !is_forced(it.name())) {
        if let Some(id) = foreign(connection, collection).await? {
            return Err(EndError::refused(
                format!(
                    "{}.{collection} holds documents that this tool did not write, such as {id}",
                    connection.db
                ),
                &format!("--force {collection} drops them all the same"),
            ));
        }
    }
    let undo = connection.own(UNDO);
    let kept = connection.patience.retry(|| undo.find_one(doc! {}).into_future()).await;
    let kept = kept.map_err(|error| connection.error("reading", UNDO, &error))?.is_some();
    if kept && !is_forced(UNDO) {
        return Err(EndError::refused(
            format!(
                "{}.{UNDO} holds the only copy of what runs with --replace have replaced",
                connection.db
            ),
            &format!("--force {UNDO} drops it all the same; a dump of it keeps it"),
        ));
    }
    let mut dropped: Vec<String> =
        state.collections.iter().map(|it| it.name().to_owned()).collect();
    dropped.extend(kept.then(|| UNDO.to_owned()));
    for collection in &dropped {
        let target = connection.own(collection);
        connection
            .patience
            .retry(|| target.drop().into_future())
            .await
            .map_err(|error| connection.error("dropping", collection, &error))?;
    }
    Ok(dropped)
}

/// The id of a document in a target collection that this tool did not write, where there is one.
/// Jobs of ours carry the residue's mark in their metadata; parts of ours belong to such a job, and
/// events of ours say that a mapping made them.
async fn foreign(
    connection: &Connection,
    collection: Collection,
) -> Result<Option<String>, EndError> {
    let target = connection.own(collection.name());
    if collection == Collection::Events {
        let filter = doc! { "$nor": made_by_a_mapping() };
        let found =
            connection.patience.retry_long(|| target.find_one(filter.clone()).into_future()).await;
        let found = found
            .map_err(|error| connection.error("looking through", collection.name(), &error))?;
        if let Some(found) = found {
            return Ok(found.get("_id").map(ToString::to_string));
        }
    }
    let pipeline = vec![
        doc! { "$lookup": {
            "from": "novel_job_metadata",
            "localField": "jobId",
            "foreignField": "jobId",
            "as": "ours",
        } },
        doc! { "$match": { "ours.legacy.residue": { "$exists": false } } },
        doc! { "$limit": 1 },
        doc! { "$project": { "_id": 1, "jobId": 1 } },
    ];
    let found = connection
        .patience
        .retry_long(|| async {
            let mut cursor = target.aggregate(pipeline.clone()).await?;
            if cursor.advance().await? { cursor.deserialize_current().map(Some) } else { Ok(None) }
        })
        .await
        .map_err(|error| connection.error("looking through", collection.name(), &error))?;
    Ok(found.and_then(|found| found.get("_id").map(ToString::to_string)))
}

fn index_of(document: &Document) -> Index {
    let key = document.get_document("key").cloned().unwrap_or_default();
    let part =
        |(name, direction): (&String, &Bson)| format!("{}:{direction}", Bson::from(name.as_str()));
    let parts: Vec<String> = key.iter().map(part).collect();
    Index {
        name: document.get_str("name").unwrap_or_default().to_owned(),
        key: format!("{{{}}}", parts.join(",")),
        unique: document.get_bool("unique").unwrap_or(false),
    }
}

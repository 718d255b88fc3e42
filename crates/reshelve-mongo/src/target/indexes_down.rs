//! Dropping the target's collections, unless they hold documents that nobody could bring back.

use mongodb::bson::doc;
use reshelve::ends::{EndError, Hint};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::COLLECTIONS;

use super::indexes::status;
use super::lease::{Lease, Over, RUNS, Tenant};
use super::standing::made_by_a_mapping;
use super::undo::UNDO;
use super::used_plans;
use crate::connection::Connection;

/// Drops the target collections that are empty or hold only documents of this tool, and those that
/// `forced` names. Returns the names of what was dropped.
///
/// # Errors
/// Refuses, before anything is dropped, if a run holds the target, or if a collection holds
/// documents that this tool did not write or that are the only copy of something.
pub fn indexes_down(connection: &Connection, forced: &[String]) -> Result<Vec<String>, EndError> {
    if let Some(unknown) = forced.iter().find(|name| !may_be_forced(name)) {
        return Err(EndError::usage(
            format!("{unknown} is not a target collection"),
            format!("the target collections are {}, and {UNDO}", COLLECTIONS.join(", ")),
        ));
    }
    let claim = Tenant {
        run: format!("indexes-down-{}", std::process::id()),
        folder: String::new(),
        over: Over::Nobody,
    };
    let lease = Lease::take(connection, &claim)?.map_err(|holder| holder.refusal(connection))?;
    let dropped = connection.wait(drop_collections(connection, forced));
    // If all went well, the collection of the lease is dropped too, unless it says which plans were
    // used: these are used up, whatever becomes of the target.
    let ended = lease.end();
    let dropped = dropped?;
    ended?;
    if connection.wait(used_plans::are_there(connection))? {
        return Ok(dropped);
    }
    let runs = connection.decoded(RUNS);
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
                Hint::ForceTheDrop { collection: collection.to_string() },
            ));
        }
    }
    let undo = connection.decoded(UNDO);
    let kept = connection.patience.retry(|| undo.find_one(doc! {}).into_future()).await;
    let kept = kept.map_err(|error| connection.error("reading", UNDO, &error))?.is_some();
    if kept && !is_forced(UNDO) {
        return Err(EndError::refused(
            format!(
                "{}.{UNDO} holds the only copy of what runs with --replace have replaced",
                connection.db
            ),
            Hint::ForceTheDropOfCopies { collection: UNDO.to_owned() },
        ));
    }
    let mut dropped: Vec<String> =
        state.collections.iter().map(|it| it.name().to_owned()).collect();
    dropped.extend(kept.then(|| UNDO.to_owned()));
    // One that is empty is nothing to tell.
    let and_undo = dropped.iter().map(String::as_str).chain((!kept).then_some(UNDO));
    for collection in and_undo {
        let target = connection.decoded(collection);
        connection
            .patience
            .retry(|| target.drop().into_future())
            .await
            .map_err(|error| connection.error("dropping", collection, &error))?;
    }
    Ok(dropped)
}

/// The id of a document in a target collection that this tool did not write, if there is one. The
/// metadata of our jobs has a residue; our parts belong to such a job, and our events say that a
/// mapping made them.
async fn foreign(
    connection: &Connection,
    collection: Collection,
) -> Result<Option<String>, EndError> {
    let target = connection.decoded(collection.name());
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

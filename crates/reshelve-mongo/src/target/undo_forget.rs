//! What was kept for a rollback goes when the run is taken back, as far as it stands in the target
//! again. What does not, such as the earlier version of an edited job that was left as it is, may be
//! the only copy, and stays.
//!
//! The collection itself stays, even if it is empty: a drop that arrives late would take what another
//! run has kept since.

use std::collections::HashMap;

use futures_util::StreamExt;
use mongodb::bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use mongodb::error::Error;
use reshelve::ends::EndError;
use reshelve::target_schema::Collection;
use reshelve_core::raw;

use super::by_ids::{IDS_MAX, ids_of, stored, with_ids};
use super::lease::Lease;
use super::undo::{UNDO, kept_in};
use crate::connection::Connection;
use crate::patience::within;

/// Whether something is kept for a run.
pub(super) async fn is_kept(connection: &Connection, run: &str) -> Result<bool, EndError> {
    let undo = connection.decoded(UNDO);
    let find = || undo.find_one(doc! { "_id.run": run }).into_future();
    let found = connection.patience.retry(find).await;
    found.map(|it| it.is_some()).map_err(|error| connection.error("reading", UNDO, &error))
}

/// Removes what was kept for a run and stands in the target.
pub(super) async fn forget(
    connection: &Connection,
    lease: &Lease,
    run: &str,
) -> Result<(), EndError> {
    let failed = |error: Error| connection.error("reading", UNDO, &error);
    let of_documents = doc! { "_id.run": run, "_id.collection": { "$exists": true } };
    let mut cursor =
        connection.raw(UNDO).find(of_documents.clone()).batch().await.map_err(failed)?;
    while let Some(batch) = cursor.next().await {
        let batch = batch.map_err(failed)?;
        let documents = batch.doc_slices().map_err(failed)?;
        let documents: Vec<RawDocumentBuf> = documents
            .into_iter()
            .flatten()
            .filter_map(|it| it.as_document().map(RawDocument::to_owned))
            .collect();
        for some in documents.chunks(IDS_MAX) {
            let back = back(connection, some).await?;
            remove(connection, lease, back).await?;
        }
    }
    // The records go in any case: they say that the run may still be taken back.
    let records = doc! { "_id.run": run, "_id.job": { "$exists": true } };
    delete(connection, lease, records).await
}

/// The ids of those documents that stand in the target as they were kept.
async fn back(connection: &Connection, kept: &[RawDocumentBuf]) -> Result<Vec<Bson>, EndError> {
    let mut by_collection: HashMap<Collection, Vec<&RawDocumentBuf>> = HashMap::new();
    for undo in kept {
        let id = raw::Document::new(undo.as_bytes()).get("_id").and_then(raw::Value::document);
        let name = id.and_then(|id| id.get("collection")).and_then(raw::Value::string);
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        if let Some(collection) = name.and_then(Collection::from_name) {
            by_collection.entry(collection).or_default().push(undo);
        }
    }
    let mut back = Vec::new();
    for (collection, kept) in by_collection {
        let documents = kept.iter().map(|it| kept_in(it));
        let found = stored(connection, collection.name(), documents).await?;
        let stands = |undo: &&&RawDocumentBuf| {
            let document = kept_in(undo);
            found.get(super::by_ids::id_of(document)).is_some_and(|it| it.as_slice() == document)
        };
        back.extend(ids_of(kept.iter().filter(stands).map(|it| it.as_bytes())));
    }
    Ok(back)
}

/// Removes documents by their ids.
async fn remove(connection: &Connection, lease: &Lease, ids: Vec<Bson>) -> Result<(), EndError> {
    match ids.is_empty() {
        true => Ok(()),
        false => delete(connection, lease, with_ids(&ids)).await,
    }
}

/// Removes documents whose ids name the run: nobody else's are hit, however late.
async fn delete(connection: &Connection, lease: &Lease, filter: Document) -> Result<(), EndError> {
    let undo = connection.decoded(UNDO);
    let time = lease.time_to_write().await?;
    let deleting = || within(time, undo.delete_many(filter.clone()).into_future());
    let deleted = connection.patience.retry(deleting).await;
    deleted.map(drop).map_err(|error| connection.error("deleting from", UNDO, &error))
}

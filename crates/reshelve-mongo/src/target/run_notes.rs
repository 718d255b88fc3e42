//! Documents of single runs in `reshelve_runs`, beside the lease: what a later process has to know.

use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use mongodb::error::Error;
use reshelve::ends::EndError;

use super::by_ids::matching;
use super::lease::RUNS;
use crate::connection::Connection;

/// The document with this `_id`, if it is there.
pub(super) async fn read(connection: &Connection, id: &str) -> Result<Option<Document>, EndError> {
    let runs = connection.decoded(RUNS);
    let find = || runs.find_one(doc! { "_id": id }).into_future();
    let found: Result<Option<Document>, Error> = connection.patience.retry(find).await;
    found.map_err(|error| connection.error("reading", RUNS, &error))
}

/// All of them: a target has a few for each run.
pub(super) async fn all(connection: &Connection) -> Result<Vec<RawDocumentBuf>, EndError> {
    matching(connection, RUNS, doc! {}).await
}

/// Keeps a document in the place of an earlier one with its `_id`.
pub(super) async fn keep(connection: &Connection, note: &Document) -> Result<(), EndError> {
    let runs = connection.decoded(RUNS);
    let id = note.get("_id").cloned().unwrap_or(Bson::Null);
    let replace = || {
        let replace = runs.replace_one(doc! { "_id": id.clone() }, note.clone());
        replace.upsert(true).into_future()
    };
    let replaced = connection.patience.retry(replace).await;
    replaced.map(drop).map_err(|error| connection.error("writing to", RUNS, &error))
}

/// Removes the document with this `_id`.
pub(super) async fn remove(connection: &Connection, id: &str) -> Result<(), EndError> {
    let runs = connection.decoded(RUNS);
    let delete = || runs.delete_one(doc! { "_id": id }).into_future();
    let deleted = connection.patience.retry(delete).await;
    deleted.map(drop).map_err(|error| connection.error("deleting from", RUNS, &error))
}

//! The events that a rollback is about to delete on a server without transactions: one document for
//! each run in `reshelve_runs`, beside the lease.
//!
//! A process that is killed may leave some of the events of a job, and their content cannot be told
//! by the journal, which knows it of all of them together. What is left and is named here is as it
//! was; anything else, somebody has changed.

use std::collections::HashSet;

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Document, RawDocumentBuf, doc};
use mongodb::error::Error;
use reshelve::ends::EndError;
use reshelve::store::{Key, key_of};

use super::lease::RUNS;
use crate::connection::Connection;

/// The bytes of a key.
const KEY_BYTES: usize = size_of::<Key>();

fn id(run: &str) -> String {
    format!("going-{run}")
}

/// The keys of the events that an earlier process of the rollback was about to delete last.
pub(super) async fn keys(connection: &Connection, run: &str) -> Result<HashSet<Key>, EndError> {
    let runs = connection.decoded(RUNS);
    let find = || runs.find_one(doc! { "_id": id(run) }).into_future();
    let found: Result<Option<Document>, Error> = connection.patience.retry(find).await;
    let found = found.map_err(|error| connection.error("reading", RUNS, &error))?;
    let keys = found.as_ref().and_then(|found| found.get_binary_generic("keys").ok());
    let keys = keys.map_or(&[][..], Vec::as_slice).chunks_exact(KEY_BYTES);
    Ok(keys.filter_map(|key| key.try_into().ok()).collect())
}

/// Keeps which events are about to be deleted, in the place of those before.
pub(super) async fn keep(
    connection: &Connection,
    run: &str,
    events: &[RawDocumentBuf],
) -> Result<(), EndError> {
    let bytes = events.iter().flat_map(|event| key_of(event.as_bytes())).collect();
    let keys = Binary { subtype: BinarySubtype::Generic, bytes };
    let going = doc! { "_id": id(run), "going": run, "keys": keys };
    let runs = connection.decoded(RUNS);
    let replace = || {
        let replace = runs.replace_one(doc! { "_id": id(run) }, going.clone());
        replace.upsert(true).into_future()
    };
    let replaced = connection.patience.retry(replace).await;
    replaced.map(drop).map_err(|error| connection.error("writing to", RUNS, &error))
}

/// Nothing of a run is left.
pub(super) async fn forget(connection: &Connection, run: &str) -> Result<(), EndError> {
    let runs = connection.decoded(RUNS);
    let delete = || runs.delete_one(doc! { "_id": id(run) }).into_future();
    let deleted = connection.patience.retry(delete).await;
    deleted.map(drop).map_err(|error| connection.error("deleting from", RUNS, &error))
}

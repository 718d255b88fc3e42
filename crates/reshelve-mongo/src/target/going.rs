//! The events that a rollback is about to delete on a server without transactions: one document for
//! each run in `reshelve_runs`.
//!
//! A process that is killed may leave some of the events of a job, and their content cannot be told
//! by the journal, which knows it of all of them together. What is left and is named here is as it
//! was; anything else, somebody has changed.

use std::collections::HashSet;

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, RawDocumentBuf, doc};
use reshelve::ends::EndError;
use reshelve::store::{Key, key_of};

use super::run_notes;
use crate::connection::Connection;

/// The bytes of a key.
const KEY_BYTES: usize = size_of::<Key>();

fn id(run: &str) -> String {
    format!("going-{run}")
}

/// The keys of the events that an earlier process of the rollback was about to delete last.
pub(super) async fn keys(connection: &Connection, run: &str) -> Result<HashSet<Key>, EndError> {
    let found = run_notes::read(connection, &id(run)).await?;
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
    run_notes::keep(connection, &doc! { "_id": id(run), "going": run, "keys": keys }).await
}

/// Nothing of a run is left.
pub(super) async fn forget(connection: &Connection, run: &str) -> Result<(), EndError> {
    run_notes::remove(connection, &id(run)).await
}

//! Which runs were taken over in a live target, and by which: a document for each in
//! `reshelve_runs`, beside the lease.
//!
//! The run that took over counts what it found as its own result. As long as that stands, the one
//! that was taken over must not be taken back.

use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use reshelve::ends::EndError;

use super::lease::RUNS;
use crate::connection::Connection;

/// What the server says if a document with that `_id` is there.
const DUPLICATE_KEY: i32 = 11_000;

/// The run that took this one over, if its result still stands.
pub(super) async fn follower(
    connection: &Connection,
    run: &str,
) -> Result<Option<String>, EndError> {
    let runs = connection.decoded(RUNS);
    let find = || runs.find_one(doc! { "over": run }).into_future();
    let found: Option<Document> = connection
        .patience
        .retry(find)
        .await
        .map_err(|error| connection.error("reading", RUNS, &error))?;
    Ok(found.map(|found| found.get_str("by").unwrap_or("unknown").to_owned()))
}

/// Keeps that a run took another one over.
pub(super) async fn add(connection: &Connection, run: &str, by: &str) -> Result<(), EndError> {
    let runs = connection.decoded(RUNS);
    let entry = doc! { "_id": format!("over-{run}-by-{by}"), "over": run, "by": by };
    let insert = || runs.insert_one(entry.clone()).into_future();
    match connection.patience.retry(insert).await {
        Ok(_) => Ok(()),
        Err(error) if crate::error::code(&error) == Some(DUPLICATE_KEY) => Ok(()),
        Err(error) => Err(connection.error("writing to", RUNS, &error)),
    }
}

/// Nothing of a run is left: whom it took over can be taken back again.
pub(super) async fn forget(connection: &Connection, by: &str) -> Result<(), EndError> {
    let runs = connection.decoded(RUNS);
    let filter = doc! { "over": { "$exists": true }, "by": by };
    let delete = || runs.delete_many(filter.clone()).into_future();
    let deleted: Result<_, Error> = connection.patience.retry(delete).await;
    deleted.map(drop).map_err(|error| connection.error("deleting from", RUNS, &error))
}

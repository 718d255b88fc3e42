//! How many jobs each run had written into a live target when it was done: a document for each run
//! in `reshelve_runs`, beside the lease. The journal of an older copy of a run folder names fewer, and
//! a rollback by it would leave the others.

use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use reshelve::ends::EndError;

use super::lease::RUNS;
use crate::catalog::whole_number;
use crate::connection::Connection;

fn id(run: &str) -> String {
    format!("ended-{run}")
}

/// How many jobs a run that was done had written; none if it was not, or by an earlier build.
pub(super) async fn jobs(connection: &Connection, run: &str) -> Result<Option<u64>, EndError> {
    let runs = connection.decoded(RUNS);
    let find = || runs.find_one(doc! { "_id": id(run) }).into_future();
    let found: Result<Option<Document>, Error> = connection.patience.retry(find).await;
    let found = found.map_err(|error| connection.error("reading", RUNS, &error))?;
    Ok(found.and_then(|found| whole_number(&found, "jobs")))
}

/// Keeps how many jobs a run has written that is about to be done.
pub(super) async fn add(connection: &Connection, run: &str, jobs: u64) -> Result<(), EndError> {
    let runs = connection.decoded(RUNS);
    let jobs = i64::try_from(jobs).unwrap_or(i64::MAX);
    let ended = doc! { "_id": id(run), "ended": run, "jobs": jobs };
    let replace = || {
        let replace = runs.replace_one(doc! { "_id": id(run) }, ended.clone());
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

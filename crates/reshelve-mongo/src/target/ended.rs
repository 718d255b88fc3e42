//! How many jobs each run had written into a live target when it was done: a document for each run
//! in `reshelve_runs`. The journal of an older copy of a run folder names fewer, and a rollback by it
//! would leave the others.

use mongodb::bson::doc;
use reshelve::ends::EndError;

use super::run_notes;
use crate::catalog::whole_number;
use crate::connection::Connection;

fn id(run: &str) -> String {
    format!("ended-{run}")
}

/// How many jobs a run that was done had written; none if it was not, or by an earlier build.
pub(super) async fn jobs(connection: &Connection, run: &str) -> Result<Option<u64>, EndError> {
    let found = run_notes::read(connection, &id(run)).await?;
    Ok(found.and_then(|found| whole_number(&found, "jobs")))
}

/// The runs that were done after this one, wrote jobs, and were not taken back. The id of a run
/// begins with the time when it was begun.
pub(super) async fn after(connection: &Connection, run: &str) -> Result<Vec<String>, EndError> {
    let mut later = Vec::new();
    for note in run_notes::all(connection).await? {
        if let Ok(other) = note.get_str("ended")
            && other > run
            && note.get_i64("jobs").unwrap_or(1) > 0
        {
            later.push(other.to_owned());
        }
    }
    later.sort_unstable();
    Ok(later)
}

/// Keeps how many jobs a run has written that is about to be done.
pub(super) async fn add(connection: &Connection, run: &str, jobs: u64) -> Result<(), EndError> {
    let jobs = i64::try_from(jobs).unwrap_or(i64::MAX);
    run_notes::keep(connection, &doc! { "_id": id(run), "ended": run, "jobs": jobs }).await
}

/// Nothing of a run is left.
pub(super) async fn forget(connection: &Connection, run: &str) -> Result<(), EndError> {
    run_notes::remove(connection, &id(run)).await
}

//! Which saved plans were used in a live target: a document for each in `reshelve_runs`, beside the
//! lease. A rollback leaves it.

use mongodb::bson::doc;
use mongodb::error::Error;
use reshelve::ends::{EndError, Hint};

use super::lease::RUNS;
use super::run_notes;
use crate::connection::Connection;

/// What the server says if a document with that `_id` is there.
const DUPLICATE_KEY: i32 = 11_000;

fn id(plan: &str) -> String {
    format!("plan-{plan}")
}

/// Whether any plan was used in this target.
pub(super) async fn are_there(connection: &Connection) -> Result<bool, EndError> {
    let runs = connection.decoded(RUNS);
    let find = || runs.find_one(doc! { "plan": { "$exists": true } }).into_future();
    let found = connection.patience.retry(find).await;
    found.map(|it| it.is_some()).map_err(|error| connection.error("reading", RUNS, &error))
}

/// The run that used a plan in this target.
pub(super) async fn user(connection: &Connection, plan: &str) -> Result<Option<String>, EndError> {
    let found = run_notes::read(connection, &id(plan)).await?;
    Ok(found.map(|found| found.get_str("run").unwrap_or("unknown").to_owned()))
}

/// Keeps that a run uses a plan.
pub(super) async fn add(connection: &Connection, plan: &str, run: &str) -> Result<(), EndError> {
    let failed = |error: Error| connection.error("writing to", RUNS, &error);
    let runs = connection.decoded(RUNS);
    let used = doc! { "_id": id(plan), "plan": plan, "run": run };
    let insert = || runs.insert_one(used.clone()).into_future();
    match connection.patience.retry(insert).await {
        Ok(_) => return Ok(()),
        // By another run, or by a try of this one whose answer was lost.
        Err(error) if crate::error::code(&error) == Some(DUPLICATE_KEY) => {}
        Err(error) => return Err(failed(error)),
    }
    match user(connection, plan).await? {
        Some(by) if by == run => Ok(()),
        by => {
            let by = by.unwrap_or_default();
            let message = format!("the plan was used by the run {by}");
            Err(EndError::refusal(message, Hint::SaveAnotherPlan))
        }
    }
}

//! Whether a live target holds what a run wrote, before the run is called done.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use reshelve::ends::{EndError, Held, Hint, WrittenJobs};
use reshelve::target_schema::Collection;

use super::by_ids::IDS_MAX;
use super::preflight::counts;
use crate::connection::Connection;

/// Asks the target how many documents there are. What was acknowledged may be gone: a server may
/// have lost it, or another program has removed it.
///
/// # Errors
/// If there are fewer than the run wrote.
pub(super) fn check_counts(connection: &Connection, held: &Held) -> Result<(), EndError> {
    let counts = connection.wait(counts(connection))?;
    for (collection, there) in Collection::ALL.into_iter().zip(counts) {
        let expected = match collection {
            Collection::Events => held.events,
            _ => held.jobs,
        };
        if there < expected {
            return Err(EndError::missing(
                format!(
                    "{}.{collection} holds {there} documents, and the run wrote {expected}",
                    connection.db
                ),
                Hint::WriteWhatIsMissing,
            ));
        }
    }
    Ok(())
}

/// Looks for every job that the run wrote, in a target that held documents before.
///
/// # Errors
/// If one of them is missing.
pub(super) fn check_each(
    connection: &Connection,
    written: &dyn WrittenJobs,
) -> Result<(), EndError> {
    let mut ids = Vec::new();
    written.each(&mut |id| {
        ids.push(ObjectId::from_bytes(id));
        match ids.len() {
            IDS_MAX => check_some(connection, std::mem::take(&mut ids)),
            _ => Ok(()),
        }
    })?;
    check_some(connection, ids)
}

fn check_some(connection: &Connection, ids: Vec<ObjectId>) -> Result<(), EndError> {
    if ids.is_empty() {
        return Ok(());
    }
    let wanted = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let filter = doc! { "_id": { "$in": ids } };
    for collection in [Collection::Jobs, Collection::Metrics, Collection::Metadata] {
        let found = count(connection, collection, &filter)?;
        if found < wanted {
            let lost = wanted - found;
            return Err(EndError::missing(
                format!("{}.{collection} lacks {lost} documents that the run wrote", connection.db),
                Hint::WriteWhatIsMissing,
            ));
        }
    }
    Ok(())
}

fn count(
    connection: &Connection,
    collection: Collection,
    filter: &Document,
) -> Result<u64, EndError> {
    let name = collection.name();
    let stored = connection.decoded(name);
    let counting = || stored.count_documents(filter.clone()).into_future();
    let counted = connection.wait(connection.patience.retry_long(counting));
    counted.map_err(|error| connection.error("counting", name, &error))
}

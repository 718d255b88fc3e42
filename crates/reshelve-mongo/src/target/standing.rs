//! What stands of a job in a live target, and whether this run wrote it.

use mongodb::bson::{Document, RawDocumentBuf, doc};
use reshelve::ends::{EndError, Wrote};
use reshelve::target_schema::{Collection, OwnEvents};

use super::by_ids::matching;
use crate::connection::Connection;

/// A job's documents, by collection.
pub(super) type Documents = [Vec<RawDocumentBuf>; 4];

/// Filters for the events that a mapping made.
pub(crate) fn made_by_a_mapping() -> [Document; 2] {
    [doc! { "event.synthetic": true }, doc! { "snapshot.synthetic": true }]
}

/// The filter for a version of a job: its job, metrics and metadata, and the events that a mapping
/// made. Events of the new application do not belong to a version.
pub(super) fn version_filter(job_id: &str, collection: Collection) -> Document {
    let mut filter = doc! { "jobId": job_id };
    if collection == Collection::Events {
        filter.insert("$or", made_by_a_mapping());
    }
    filter
}

/// Everything that the target holds of the job, by collection.
pub(super) async fn standing(connection: &Connection, job_id: &str) -> Result<Documents, EndError> {
    let mut standing = Documents::default();
    for target in Collection::ALL {
        let filter = version_filter(job_id, target);
        standing[target.index()] = matching(connection, target.name(), filter).await?;
    }
    Ok(standing)
}

/// Whether these are all the documents of a collection that an earlier process was about to write.
pub(super) fn is_own(
    wrote: &Wrote,
    job_id: &str,
    collection: Collection,
    documents: &[RawDocumentBuf],
) -> bool {
    let bytes: Vec<&[u8]> = documents.iter().map(|document| document.as_bytes()).collect();
    let in_order = match collection {
        Collection::Events => events_in_order(wrote, job_id, &bytes),
        _ => Some(bytes),
    };
    in_order.is_some_and(|documents| wrote.is(collection, &documents.concat()))
}

/// Whether something stands of a job, and all of it is what an earlier process was about to write.
/// If no job document stands, the process was killed before it wrote that, and any of the parts may
/// be missing.
pub(super) fn is_all_own(wrote: &Wrote, job_id: &str, standing: &Documents) -> bool {
    let has_job = !standing[Collection::Jobs.index()].is_empty();
    let is_own = |collection: Collection| {
        let documents = &standing[collection.index()];
        let is_remnant = documents.is_empty()
            || collection == Collection::Events && {
                let bytes: Vec<&[u8]> = documents.iter().map(|it| it.as_bytes()).collect();
                events_in_order(wrote, job_id, &bytes).is_some()
            };
        !has_job && is_remnant || is_own(wrote, job_id, collection, documents)
    };
    standing.iter().any(|documents| !documents.is_empty())
        && Collection::ALL.into_iter().all(is_own)
}

/// Events in their order, which their ids tell; none if one of them is not among those that were
/// about to be written.
fn events_in_order<'d>(
    wrote: &Wrote,
    job_id: &str,
    documents: &'d [&[u8]],
) -> Option<Vec<&'d [u8]>> {
    let is_more = u32::try_from(documents.len()).is_ok_and(|count| count > wrote.events);
    if is_more {
        return None;
    }
    OwnEvents::of(job_id.as_bytes(), wrote.events).in_order(documents)
}

//! What stands of a job in a live target, and whether this run wrote it.

use std::collections::HashMap;

use mongodb::bson::{Document, RawDocumentBuf, doc};
use reshelve::ends::{EndError, Wrote};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::event_mark;

use super::by_ids::{id_of, matching};
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
    let in_order: Vec<&RawDocumentBuf> = match collection {
        Collection::Events => match events_in_order(wrote, job_id, documents) {
            Some(events) => events,
            None => return false,
        },
        _ => documents.iter().collect(),
    };
    let bytes: Vec<&[u8]> = in_order.iter().map(|document| document.as_bytes()).collect();
    wrote.is(collection, &bytes.concat())
}

/// Whether something stands of a job, and all of it is what an earlier process was about to write.
/// If no job document stands, the process was killed before it wrote that, and any of the parts may
/// be missing.
pub(super) fn is_all_own(wrote: &Wrote, job_id: &str, standing: &Documents) -> bool {
    let has_job = !standing[Collection::Jobs.index()].is_empty();
    let is_own = |collection: Collection| {
        let documents = &standing[collection.index()];
        let is_remnant = documents.is_empty()
            || collection == Collection::Events
                && events_in_order(wrote, job_id, documents).is_some();
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
    documents: &'d [RawDocumentBuf],
) -> Option<Vec<&'d RawDocumentBuf>> {
    let events = usize::try_from(wrote.events).ok()?;
    if documents.len() > events {
        return None;
    }
    let places: HashMap<[u8; 8], usize> =
        (0..events).map(|place| (event_mark(job_id.as_bytes(), place), place)).collect();
    let mut in_order = Vec::new();
    for document in documents {
        let mark: [u8; 8] = id_of(document.as_bytes()).get(4..)?.try_into().ok()?;
        in_order.push((*places.get(&mark)?, document));
    }
    in_order.sort_by_key(|(place, _)| *place);
    Some(in_order.into_iter().map(|(_, document)| document).collect())
}

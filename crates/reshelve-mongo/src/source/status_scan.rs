//! The quick first look at the `status` of every document of a live collection.

use futures_util::StreamExt;
use mongodb::Collection;
use mongodb::bson::{RawDocumentBuf, doc};
use mongodb::error::Error;
use mongodb::options::{ReadConcern, ReadPreference, SelectionCriteria};
use reshelve_core::raw;

use crate::connection::Connection;

/// Most different statuses that are counted. A collection with more is not a legacy collection: the
/// statuses of jobs in flight are few.
const STATUSES_MAX: usize = 10_000;

/// How many documents have each status; `None` is a status that is not a string.
pub(super) async fn statuses(
    connection: &Connection,
    collection: &str,
    read_preference: Option<&ReadPreference>,
) -> Result<Vec<(Option<Vec<u8>>, u64)>, Error> {
    let database = connection.client.database(&connection.db);
    let collection: Collection<RawDocumentBuf> = database.collection(collection);
    let scan = || scan(&collection, read_preference);
    connection.patience.retry_long(scan).await
}

async fn scan(
    collection: &Collection<RawDocumentBuf>,
    read_preference: Option<&ReadPreference>,
) -> Result<Vec<(Option<Vec<u8>>, u64)>, Error> {
    let mut statuses: Vec<(Option<Vec<u8>>, u64)> = Vec::new();
    let find = collection.find(doc! {}).projection(doc! { "_id": 0, "status": 1 });
    let mut find = find.read_concern(ReadConcern::majority());
    if let Some(preference) = read_preference {
        find = find.selection_criteria(SelectionCriteria::ReadPreference(preference.clone()));
    }
    let mut cursor = find.batch().await?;
    while let Some(batch) = cursor.next().await {
        for document in batch?.doc_slices()?.into_iter().flatten() {
            let document = document.as_document().map(|document| document.as_bytes());
            let status = raw::Document::new(document.unwrap_or_default()).get("status");
            let status = status.and_then(raw::Value::string).map(<[u8]>::to_vec);
            match statuses.iter().position(|(known, _)| *known == status) {
                Some(at) => statuses[at].1 += 1,
                None if statuses.len() < STATUSES_MAX => statuses.push((status, 1)),
                None => {}
            }
        }
    }
    Ok(statuses)
}

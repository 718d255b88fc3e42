//! Target documents by their ids.

use std::collections::HashMap;

use futures_util::StreamExt;
use mongodb::bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use mongodb::error::Error;
use reshelve::ends::EndError;
use reshelve_core::raw;

use crate::connection::Connection;

/// Documents in one reply: as many as fit, which the server sees to.
pub(super) const REPLY_DOCS: u32 = 10_000;
/// Most ids in one query.
pub(crate) const IDS_MAX: usize = 1_000;

/// The stored documents with the ids of these, by the bytes of their `_id`.
pub(crate) async fn stored<'d>(
    connection: &Connection,
    name: &str,
    documents: impl Iterator<Item = &'d [u8]>,
) -> Result<HashMap<Vec<u8>, Vec<u8>>, EndError> {
    let ids = ids_of(documents);
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = matching(connection, name, with_ids(&ids)).await?.into_iter();
    Ok(found.map(|it| (id_of(it.as_bytes()).to_vec(), it.into_bytes())).collect())
}

/// The stored documents that a filter matches.
pub(super) async fn matching(
    connection: &Connection,
    name: &str,
    filter: Document,
) -> Result<Vec<RawDocumentBuf>, EndError> {
    let collection = connection.raw(name);
    let found = connection.patience.retry(|| async {
        let mut found = Vec::new();
        let mut cursor = collection.find(filter.clone()).batch_size(REPLY_DOCS).batch().await?;
        while let Some(batch) = cursor.next().await {
            let batch = batch?;
            let documents = batch.doc_slices()?.into_iter().flatten();
            found.extend(documents.filter_map(|it| it.as_document().map(ToOwned::to_owned)));
        }
        Ok::<_, Error>(found)
    });
    found.await.map_err(|error| connection.error("reading", name, &error))
}

/// The ids of these documents.
pub(super) fn ids_of<'d>(documents: impl Iterator<Item = &'d [u8]>) -> Vec<Bson> {
    documents
        .filter_map(|bytes| RawDocument::from_bytes(bytes).ok())
        .filter_map(|document| document.get("_id").ok().flatten())
        .filter_map(|id| Bson::try_from(id).ok())
        .collect()
}

/// The filter for documents with these ids.
pub(super) fn with_ids(ids: &[Bson]) -> Document {
    doc! { "_id": { "$in": ids } }
}

/// The value of `_id`. It is enough to tell documents of one collection apart: all of ours have
/// ObjectIds.
pub(crate) fn id_of(document: &[u8]) -> &[u8] {
    raw::Document::new(document).get("_id").map_or(&[], |id| id.bytes)
}

/// The filter for the document with the `_id` of this one.
pub(super) fn with_the_id_of(document: &RawDocumentBuf) -> Document {
    let id = document.get("_id").ok().flatten();
    let id = id.and_then(|id| Bson::try_from(id).ok());
    doc! { "_id": id.unwrap_or_default() }
}

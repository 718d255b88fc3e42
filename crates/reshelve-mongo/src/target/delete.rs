//! Deleting documents outside a transaction: by `_id` and by content, so that a deletion that
//! arrives late does not hit what was written since.

use mongodb::bson::{Bson, Document, RawArrayBuf, RawBson, RawDocumentBuf, cstr, rawdoc};
use mongodb::error::Error;
use reshelve::ends::EndError;

use super::by_ids::{IDS_MAX, id_of, stored};
use super::lease::Lease;
use crate::connection::Connection;
use crate::error_class::is_passing;
use crate::patience::within;

/// Most bytes of documents in one command, which names them whole; one larger one goes alone.
const COMMAND_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Deletes documents that are still what they were. Returns those that are there with other bytes
/// now: they stay.
///
/// The server compares values and sizes, not bytes: it takes numbers of different types for the
/// same. A deletion whose outcome is not known is sent again only after a look.
///
/// # Errors
/// If the collection cannot be written, or this process may not any more.
pub(super) async fn delete_same(
    connection: &Connection,
    lease: &Lease,
    name: &str,
    documents: &[RawDocumentBuf],
) -> Result<Vec<RawDocumentBuf>, EndError> {
    let mut changed = Vec::new();
    let mut some = Vec::new();
    let mut bytes = 0;
    for document in documents {
        let length = document.as_bytes().len();
        if !some.is_empty() && (some.len() == IDS_MAX || bytes + length > COMMAND_BYTES_MAX) {
            changed.extend(delete_some(connection, lease, name, std::mem::take(&mut some)).await?);
            bytes = 0;
        }
        bytes += length;
        some.push(document.clone());
    }
    changed.extend(delete_some(connection, lease, name, some).await?);
    Ok(changed)
}

async fn delete_some(
    connection: &Connection,
    lease: &Lease,
    name: &str,
    mut documents: Vec<RawDocumentBuf>,
) -> Result<Vec<RawDocumentBuf>, EndError> {
    let mut changed = Vec::new();
    let mut backoff = connection.patience.backoff();
    loop {
        // Under the lease this look is good for the deletion: what the application writes in
        // between has another content.
        let bytes = documents.iter().map(|document| document.as_bytes());
        let found = stored(connection, name, bytes).await?;
        documents.retain(|document| match found.get(id_of(document.as_bytes())) {
            Some(found) if found.as_slice() == document.as_bytes() => true,
            Some(found) => {
                changed.extend(RawDocumentBuf::from_bytes(found.clone()));
                false
            }
            None => false,
        });
        if documents.is_empty() {
            return Ok(changed);
        }
        let error = match send(connection, lease, name, &documents).await? {
            Ok(deleted) if deleted == documents.len() => return Ok(changed),
            // Somebody was faster, or the server does not take them for the same.
            Ok(_) => std::io::Error::other("documents were not deleted by their content").into(),
            Err(error) => error,
        };
        if !is_passing(&error) || !backoff.wait(&error).await {
            return Err(connection.error("deleting from", name, &error));
        }
    }
}

/// Sends one command, and returns how many documents it deleted.
async fn send(
    connection: &Connection,
    lease: &Lease,
    name: &str,
    documents: &[RawDocumentBuf],
) -> Result<Result<usize, Error>, EndError> {
    let mut deletes = RawArrayBuf::new();
    for document in documents {
        deletes.push(rawdoc! { "q": only_this(document), "limit": 1_i32 });
    }
    let time = lease.time_to_write().await?;
    let command = rawdoc! {
        "delete": name,
        "deletes": deletes,
        "ordered": false,
        "maxTimeMS": i64::try_from(time.as_millis()).unwrap_or(i64::MAX),
        "writeConcern": { "w": "majority", "j": true },
    };
    let database = connection.database();
    let reply = within(time, database.run_raw_command(command).into_future()).await;
    Ok(reply.and_then(|reply| deleted(&reply)))
}

/// The filter for a document by its `_id` and content.
fn only_this(document: &RawDocumentBuf) -> RawDocumentBuf {
    let mut filter = RawDocumentBuf::new();
    if let Ok(Some(id)) = document.get("_id") {
        filter.append(cstr!("_id"), RawBson::from(id));
    }
    let size = i32::try_from(document.as_bytes().len()).unwrap_or(i32::MAX);
    let size = rawdoc! { "$eq": [{ "$bsonSize": "$$ROOT" }, size] };
    let same = rawdoc! { "$eq": ["$$ROOT", { "$literal": document.clone() }] };
    filter.append(cstr!("$expr"), rawdoc! { "$and": [size, same] });
    filter
}

/// How many documents a reply says were deleted; an error if one of the deletions failed.
fn deleted(reply: &Document) -> Result<usize, Error> {
    let failed = reply.get_array("writeErrors").ok().and_then(|errors| errors.first());
    let failed =
        failed.and_then(Bson::as_document).or(reply.get_document("writeConcernError").ok());
    if let Some(failed) = failed {
        let text = failed.get_str("errmsg").unwrap_or("the deletion failed");
        let code = failed.get("code").map(ToString::to_string).unwrap_or_default();
        return Err(Error::custom(format!("{text} (code {code})")));
    }
    Ok(crate::catalog::whole_number(reply, "n").and_then(|n| usize::try_from(n).ok()).unwrap_or(0))
}

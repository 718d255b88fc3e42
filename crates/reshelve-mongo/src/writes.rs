//! Inserting documents so that every result is known: inserted, there already, other, refused.

use std::collections::HashMap;

use futures_util::StreamExt;
use mongodb::Collection;
use mongodb::bson::{RawDocumentBuf, doc};
use mongodb::error::{Error, ErrorKind};
use reshelve::raw;

use crate::error::{code, sentence};
use crate::retry::{Backoff, is_passing, limited, may_be_the_document, retrying};

/// Most documents in one command; servers take 100 000.
const COMMAND_DOCS_MAX: usize = 50_000;
/// Most bytes in one command; servers take 48 000 000, with some room for the rest of it.
const COMMAND_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most documents in one question for ids.
const IDS_MAX: usize = 1_000;
/// The unique key is there already.
const DUPLICATE_KEY: i32 = 11_000;

/// What became of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was written.
    Inserted,
    /// It was there, the same bytes.
    Same,
    /// Something else is there under its id or another unique key; says what.
    Other(String),
    /// The server does not take it; says why.
    Refused(String),
}

/// A document with the place where its result goes.
struct Pending {
    place: usize,
    document: RawDocumentBuf,
}

/// Inserts documents, unordered, with patience: what passes is tried again.
///
/// # Errors
/// Where the collection cannot be written at all.
pub(crate) async fn insert(
    collection: &Collection<RawDocumentBuf>,
    documents: Vec<RawDocumentBuf>,
) -> Result<Vec<Taken>, Error> {
    let mut taken = vec![Taken::Inserted; documents.len()];
    let mut commands: Vec<Vec<Pending>> = Vec::new();
    let mut bytes = 0;
    for (place, document) in documents.into_iter().enumerate() {
        let length = document.as_bytes().len();
        bytes += length;
        match commands.last_mut() {
            Some(last) if last.len() < COMMAND_DOCS_MAX && bytes <= COMMAND_BYTES_MAX => {
                last.push(Pending { place, document });
            }
            _ => {
                bytes = length;
                commands.push(vec![Pending { place, document }]);
            }
        }
    }
    for command in commands {
        insert_command(collection, command, &mut taken).await?;
    }
    Ok(taken)
}

/// One command; where it is refused as a whole it is split until the documents are found that are
/// to blame.
async fn insert_command(
    collection: &Collection<RawDocumentBuf>,
    command: Vec<Pending>,
    taken: &mut [Taken],
) -> Result<(), Error> {
    let whole = command.len();
    let mut parts = vec![command];
    let mut refused = 0;
    while let Some(part) = parts.pop() {
        match attempt(collection, &part).await {
            Ok(duplicates) => {
                settle(collection, &part, duplicates, taken).await?;
            }
            Err(error) if !may_be_the_document(&error) => return Err(error),
            Err(error) if part.len() == 1 => {
                refused += 1;
                // Where not one of many is taken, the documents are not the reason.
                if refused == whole && whole > 1 {
                    return Err(error);
                }
                taken[part[0].place] = Taken::Refused(sentence(&error));
            }
            Err(_) => {
                let mut first = part;
                let second = first.split_off(first.len() / 2);
                parts.push(second);
                parts.push(first);
            }
        }
    }
    Ok(())
}

/// A document that was not inserted.
struct Failure {
    index: usize,
    code: i32,
    message: String,
}

/// Inserts, again where that failed in a way that passes.
async fn attempt(
    collection: &Collection<RawDocumentBuf>,
    part: &[Pending],
) -> Result<Vec<Failure>, Error> {
    let mut backoff = Backoff::default();
    loop {
        let documents = part.iter().map(|pending| &pending.document);
        let inserting = collection.insert_many(documents).ordered(false).into_future();
        let error = match limited(inserting).await {
            Ok(_) => return Ok(Vec::new()),
            Err(error) => error,
        };
        let failures = match error.kind.as_ref() {
            // Written perhaps, but not safe: the same again waits for what was written before.
            ErrorKind::InsertMany(many) if many.write_concern_error.is_none() => {
                let failed = many.write_errors.iter().flatten();
                Some(failed.map(|failed| Failure {
                    index: failed.index,
                    code: failed.code,
                    message: failed.message.clone(),
                }))
            }
            _ => None,
        };
        if let Some(failures) = failures {
            return Ok(failures.collect());
        }
        if !is_passing(&error) || !backoff.wait().await {
            return Err(error);
        }
    }
}

/// Reads what is there of documents whose unique key was taken.
async fn settle(
    collection: &Collection<RawDocumentBuf>,
    part: &[Pending],
    failures: Vec<Failure>,
    taken: &mut [Taken],
) -> Result<(), Error> {
    let mut duplicates = Vec::new();
    for failure in failures {
        let Some(pending) = part.get(failure.index) else { continue };
        if failure.code == DUPLICATE_KEY {
            duplicates.push((pending, failure.message));
        } else {
            taken[pending.place] =
                Taken::Refused(format!("{} (code {})", failure.message, failure.code));
        }
    }
    for some in duplicates.chunks(IDS_MAX) {
        let documents = some.iter().map(|(pending, _)| pending.document.as_bytes());
        let stored = stored(collection, documents).await?;
        for (pending, message) in some {
            let bytes = pending.document.as_bytes();
            taken[pending.place] = match stored.get(id_of(bytes)) {
                Some(stored) if stored.as_slice() == bytes => Taken::Same,
                Some(_) => Taken::Other(format!(
                    "the target holds another document with this _id in {}",
                    collection.name()
                )),
                None => Taken::Other(format!("a unique key is taken: {message}")),
            };
        }
    }
    Ok(())
}

/// The stored documents that have the ids of these, by the bytes of their `_id` elements.
pub(crate) async fn stored<'d>(
    collection: &Collection<RawDocumentBuf>,
    documents: impl Iterator<Item = &'d [u8]>,
) -> Result<HashMap<Vec<u8>, Vec<u8>>, Error> {
    let ids: Vec<_> = documents
        .filter_map(|bytes| mongodb::bson::RawDocument::from_bytes(bytes).ok())
        .filter_map(|document| document.get("_id").ok().flatten())
        .filter_map(|id| mongodb::bson::Bson::try_from(id).ok())
        .collect();
    let filter = doc! { "_id": { "$in": ids } };
    retrying(|| async {
        let mut found = HashMap::new();
        let mut cursor = collection.find(filter.clone()).batch().await?;
        while let Some(batch) = cursor.next().await {
            for document in batch?.doc_slices()?.into_iter().flatten() {
                let Some(document) = document.as_document() else { continue };
                found.insert(id_of(document.as_bytes()).to_vec(), document.as_bytes().to_vec());
            }
        }
        Ok(found)
    })
    .await
}

/// The value of `_id`: enough to tell documents of one collection apart, as all of ours have
/// ObjectIds.
pub(crate) fn id_of(document: &[u8]) -> &[u8] {
    raw::Document::new(document).get("_id").map_or(&[], |id| id.bytes)
}

/// Takes documents out again, by `_id`.
///
/// # Errors
/// Where the collection cannot be written at all.
pub(crate) async fn remove(
    collection: &Collection<RawDocumentBuf>,
    documents: &[&[u8]],
) -> Result<(), Error> {
    for some in documents.chunks(IDS_MAX) {
        let ids: Vec<_> = some
            .iter()
            .filter_map(|bytes| mongodb::bson::RawDocument::from_bytes(*bytes).ok())
            .filter_map(|document| document.get("_id").ok().flatten())
            .filter_map(|id| mongodb::bson::Bson::try_from(id).ok())
            .collect();
        let filter = doc! { "_id": { "$in": ids } };
        retrying(|| collection.delete_many(filter.clone()).into_future()).await?;
    }
    Ok(())
}

/// Whether an error says that the collection is not there.
pub(crate) fn is_absent(error: &Error) -> bool {
    code(error) == Some(26)
}

//! Inserting documents so that the result of each is known: inserted, already there, other,
//! refused.

use std::collections::HashMap;

use mongodb::bson::RawDocumentBuf;
use mongodb::error::{Error, ErrorKind};

use super::by_ids::{IDS_MAX, id_of, stored};
use crate::connection::Connection;
use crate::error::{at_document, sentence};
use crate::error_class::{Blame, blame, blame_of_code, is_passing, is_passing_code};
use crate::patience::limited;

/// Most documents in one command; servers take 100 000.
const COMMAND_DOCS_MAX: usize = 50_000;
/// Most bytes in one command; servers take 48 000 000, with some room for the rest of it.
const COMMAND_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The unique key exists already.
const DUPLICATE_KEY: i32 = 11_000;

/// The result for one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was written.
    Inserted,
    /// The same bytes were already there.
    Same,
    /// The same bytes were there when it was sent again: the outcome of the first try is not known,
    /// and it was most likely that one.
    Retried,
    /// Another document has its id or another unique key; says which.
    Other(String),
    /// The server refuses it; says why.
    Refused(String),
}

/// A document, with the place of its result.
struct Pending {
    place: usize,
    document: RawDocumentBuf,
    /// Whether it was sent before, and nobody knows whether it was written.
    is_sent: bool,
}

/// Inserts documents, unordered, and retries errors that pass.
///
/// # Errors
/// If the collection cannot be written at all.
pub(crate) async fn insert(
    connection: &Connection,
    name: &str,
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
                last.push(Pending { place, document, is_sent: false });
            }
            _ => {
                bytes = length;
                commands.push(vec![Pending { place, document, is_sent: false }]);
            }
        }
    }
    for command in commands {
        insert_command(connection, name, command, &mut taken).await?;
    }
    Ok(taken)
}

/// Sends one command. If it is refused as a whole, it is split until the documents that are to blame
/// are found.
async fn insert_command(
    connection: &Connection,
    name: &str,
    command: Vec<Pending>,
    taken: &mut [Taken],
) -> Result<(), Error> {
    let whole = command.len();
    let mut parts = vec![command];
    let mut refused = 0;
    while let Some(part) = parts.pop() {
        match attempt(connection, name, part).await {
            Ok(failed) => settle(connection, name, failed, taken).await?,
            Err((error, _)) if blame(&error) == Blame::Everything => return Err(error),
            Err((error, part)) if part.len() == 1 => {
                if blame(&error) == Blame::Unknown && !is_too_large(connection, &part[0]) {
                    return Err(at_document(error, &part[0].document));
                }
                refused += 1;
                // If every single one of many is refused, the documents are not the cause.
                if refused == whole && whole > 1 {
                    return Err(error);
                }
                let why = sentence(&error);
                let failed =
                    part.into_iter().map(|pending| (pending, Failure::new(0, why.clone())));
                settle(connection, name, failed.collect(), taken).await?;
            }
            Err((_, mut first)) => {
                let second = first.split_off(first.len() / 2);
                parts.push(second);
                parts.push(first);
            }
        }
    }
    Ok(())
}

/// Whether the driver does not send the document.
fn is_too_large(connection: &Connection, pending: &Pending) -> bool {
    pending.document.as_bytes().len() > connection.server.document_bytes_max
}

/// Why a document was not inserted.
struct Failure {
    /// The server's code; 0 if the command as a whole was refused.
    code: i32,
    message: String,
}

impl Failure {
    fn new(code: i32, message: String) -> Failure {
        Failure { code, message }
    }
}

/// Inserts, and retries errors that pass. Returns the documents that were not inserted; all of them
/// if the command was refused.
async fn attempt(
    connection: &Connection,
    name: &str,
    mut part: Vec<Pending>,
) -> Result<Vec<(Pending, Failure)>, (Error, Vec<Pending>)> {
    let mut failed: Vec<(Pending, Failure)> = Vec::new();
    let collection = connection.raw(name);
    let mut backoff = connection.patience.backoff();
    loop {
        let documents = part.iter().map(|pending| &pending.document);
        let inserting = collection.insert_many(documents).ordered(false).into_future();
        let Err(error) = limited(inserting).await else { return Ok(failed) };
        let failures: Option<Vec<_>> = match error.kind.as_ref() {
            // After an error of the write concern, the documents may be written, but are not safe.
            // The same insert again waits for them.
            ErrorKind::InsertMany(many) if many.write_concern_error.is_none() => Some(
                many.write_errors
                    .iter()
                    .flatten()
                    .map(|failed| (failed.index, Failure::new(failed.code, failed.message.clone())))
                    .collect(),
            ),
            _ => None,
        };
        let Some(failures) = failures else {
            if is_passing(&error) && backoff.wait(&error).await {
                part.iter_mut().for_each(|pending| pending.is_sent = true);
                continue;
            }
            // The next try reports those that failed individually.
            part.extend(failed.into_iter().map(|(pending, _)| pending));
            return Err((error, part));
        };
        // Not the fault of a document: routers report for each what happened to its shard.
        let stops = |code: i32| !is_passing_code(code) && blame_of_code(code) != Blame::Document;
        if let Some((index, _)) = failures.iter().find(|(_, failure)| stops(failure.code)) {
            let document = part.get(*index).map(|pending| &pending.document);
            let error = document.map_or(error.clone(), |document| at_document(error, document));
            return Err((error, part));
        }
        let mut again = Vec::new();
        let mut failures: HashMap<usize, Failure> = failures.into_iter().collect();
        for (index, pending) in part.into_iter().enumerate() {
            match failures.remove(&index) {
                Some(failure) if is_passing_code(failure.code) => again.push(pending),
                Some(failure) => failed.push((pending, failure)),
                None => {}
            }
        }
        if again.is_empty() {
            return Ok(failed);
        }
        if !backoff.wait(&error).await {
            return Err((error, again));
        }
        part = again;
    }
}

/// Looks up every document that was not inserted, whatever the server said: a validator that was
/// added later refuses a document that is already stored.
async fn settle(
    connection: &Connection,
    name: &str,
    failed: Vec<(Pending, Failure)>,
    taken: &mut [Taken],
) -> Result<(), Error> {
    for some in failed.chunks(IDS_MAX) {
        let documents = some.iter().map(|(pending, _)| pending.document.as_bytes());
        let stored = stored(connection, name, documents).await?;
        for (pending, Failure { code, message }) in some {
            let bytes = pending.document.as_bytes();
            taken[pending.place] = match stored.get(id_of(bytes)) {
                Some(stored) if stored.as_slice() == bytes => match pending.is_sent {
                    true => Taken::Retried,
                    false => Taken::Same,
                },
                Some(_) => Taken::Other(format!(
                    "the target holds another document with this _id in {name}"
                )),
                None if *code == DUPLICATE_KEY => {
                    Taken::Other(format!("a unique key is taken: {message}"))
                }
                None if *code == 0 => Taken::Refused(message.clone()),
                None => Taken::Refused(format!("{message} (code {code})")),
            };
        }
    }
    Ok(())
}

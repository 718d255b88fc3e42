//! Inserting documents so that the result of each is known: inserted, already there, other,
//! refused.

use std::collections::HashMap;

use mongodb::bson::RawDocumentBuf;
use mongodb::error::{Error, ErrorKind};
use reshelve::ends::EndError;

use super::by_ids::{IDS_MAX, id_of, stored};
use super::lease::Lease;
use crate::connection::Connection;
use crate::error::{at_document, sentence};
use crate::error_class::{Blame, blame, blame_of_code, is_passing, is_passing_code};
use crate::patience::within;

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

/// Inserts documents, unordered, each command within what is left of the lease. Errors that pass
/// are retried, after a look at what is there.
///
/// # Errors
/// If the collection cannot be written at all, or this process may not any more.
pub(crate) async fn insert(
    connection: &Connection,
    lease: &Lease,
    name: &str,
    documents: Vec<RawDocumentBuf>,
) -> Result<Vec<Taken>, EndError> {
    let mut taken = vec![Taken::Inserted; documents.len()];
    let pending = documents.into_iter().enumerate().map(|(place, document)| Pending {
        place,
        document,
        is_sent: false,
    });
    for command in commands(pending, |pending| pending.document.as_bytes().len()) {
        insert_command(connection, lease, name, command, &mut taken).await?;
    }
    Ok(taken)
}

/// Documents by the command that takes them.
pub(super) fn commands<D>(
    documents: impl IntoIterator<Item = D>,
    length_of: impl Fn(&D) -> usize,
) -> Vec<Vec<D>> {
    let mut commands: Vec<Vec<D>> = Vec::new();
    let mut bytes = 0;
    for document in documents {
        let length = length_of(&document);
        bytes += length;
        match commands.last_mut() {
            Some(last) if last.len() < COMMAND_DOCS_MAX && bytes <= COMMAND_BYTES_MAX => {
                last.push(document);
            }
            _ => {
                bytes = length;
                commands.push(vec![document]);
            }
        }
    }
    commands
}

/// Whether an insert failed because a unique key exists already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::InsertMany(many) => {
            many.write_errors.iter().flatten().any(|failed| failed.code == DUPLICATE_KEY)
        }
        _ => crate::error::code(error) == Some(DUPLICATE_KEY),
    }
}

/// Sends one command. If it is refused as a whole, it is split until the documents that are to blame
/// are found.
async fn insert_command(
    connection: &Connection,
    lease: &Lease,
    name: &str,
    command: Vec<Pending>,
    taken: &mut [Taken],
) -> Result<(), EndError> {
    let failed = |error| connection.error("writing to", name, &error);
    let whole = command.len();
    let mut parts = vec![command];
    let mut refused = 0;
    while let Some(part) = parts.pop() {
        match attempt(connection, lease, name, part).await? {
            Ok(failed) => settle(connection, name, failed, taken).await?,
            Err((error, _)) if blame(&error) == Blame::Everything => return Err(failed(error)),
            Err((error, part)) if part.len() == 1 => {
                if blame(&error) == Blame::Unknown && !is_too_large(connection, &part[0].document) {
                    return Err(failed(at_document(error, &part[0].document)));
                }
                refused += 1;
                // If every single one of many is refused, the documents are not the cause.
                if refused == whole && whole > 1 {
                    return Err(failed(error));
                }
                let why = sentence(&error);
                let refused =
                    part.into_iter().map(|pending| (pending, Failure::new(0, why.clone())));
                settle(connection, name, refused.collect(), taken).await?;
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
pub(super) fn is_too_large(connection: &Connection, document: &RawDocumentBuf) -> bool {
    document.as_bytes().len() > connection.server.document_bytes_max
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

/// What became of one command: the documents that were not inserted, or, if it was refused as a
/// whole, why, and all of its documents.
type Attempted = Result<Vec<(Pending, Failure)>, (Error, Vec<Pending>)>;

/// Inserts, and retries errors that pass.
async fn attempt(
    connection: &Connection,
    lease: &Lease,
    name: &str,
    mut part: Vec<Pending>,
) -> Result<Attempted, EndError> {
    let mut failed: Vec<(Pending, Failure)> = Vec::new();
    let collection = connection.raw(name);
    let mut backoff = connection.patience.backoff();
    loop {
        let documents = part.iter().map(|pending| &pending.document);
        let time = lease.time_to_write().await?;
        let inserting = collection.insert_many(documents).ordered(false).into_future();
        let Err(error) = within(time, inserting).await else { return Ok(Ok(failed)) };
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
                part = not_there(connection, name, part, &mut failed).await?;
                if part.is_empty() {
                    return Ok(Ok(failed));
                }
                continue;
            }
            // The next try reports those that failed individually.
            part.extend(failed.into_iter().map(|(pending, _)| pending));
            return Ok(Err((error, part)));
        };
        // Not the fault of a document: routers report for each what happened to its shard.
        let stops = |code: i32| !is_passing_code(code) && blame_of_code(code) != Blame::Document;
        if let Some((index, _)) = failures.iter().find(|(_, failure)| stops(failure.code)) {
            let document = part.get(*index).map(|pending| &pending.document);
            let error = document.map_or(error.clone(), |document| at_document(error, document));
            return Ok(Err((error, part)));
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
            return Ok(Ok(failed));
        }
        if !backoff.wait(&error).await {
            return Ok(Err((error, again)));
        }
        part = again;
    }
}

/// The documents that are not there after a try whose outcome is not known. The others join those
/// that failed: they are looked at again there.
async fn not_there(
    connection: &Connection,
    name: &str,
    part: Vec<Pending>,
    failed: &mut Vec<(Pending, Failure)>,
) -> Result<Vec<Pending>, EndError> {
    let mut left = Vec::new();
    let mut part = part.into_iter().peekable();
    while part.peek().is_some() {
        let some: Vec<Pending> = part.by_ref().take(IDS_MAX).collect();
        let documents = some.iter().map(|pending| pending.document.as_bytes());
        let stored = stored(connection, name, documents).await?;
        for pending in some {
            match stored.contains_key(id_of(pending.document.as_bytes())) {
                true => failed.push((pending, Failure::new(DUPLICATE_KEY, "it is there".into()))),
                false => left.push(pending),
            }
        }
    }
    Ok(left)
}

/// Looks up every document that was not inserted, whatever the server said: a validator that was
/// added later refuses a document that is already stored.
async fn settle(
    connection: &Connection,
    name: &str,
    failed: Vec<(Pending, Failure)>,
    taken: &mut [Taken],
) -> Result<(), EndError> {
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

//! Errors of a live database as sentences, with hints.

use mongodb::bson::{Bson, RawDocument};
use mongodb::error::{Error, ErrorKind};
use reshelve::ends::{EndError, Hint};

use crate::error_class::blame_of_code;

/// A server that does not answer.
pub(crate) fn unreachable(name: &str, error: &Error) -> EndError {
    EndError::failed(
        format!("{name} cannot be reached: {}", sentence(error)),
        Some(
            "check that the server is up, and that this machine may connect to it (firewall, access \
             list, VPN)",
        ),
    )
}

/// What the server or the driver said about an operation.
pub(crate) fn failed(action: &str, namespace: &str, error: &Error) -> EndError {
    let told = format!("{action} {namespace}: {}", sentence(error));
    let hint = match code(error) {
        Some(13) => return EndError::failed(told, None).hinting(Hint::PrintTheSourceRole),
        Some(18) => Some("check user, password and authSource in the connection string"),
        Some(14031) => Some("free space on the server's disk"),
        _ if is_authentication(error) => {
            Some("check user, password and authSource in the connection string")
        }
        _ if matches!(*error.kind, ErrorKind::ServerSelection { .. }) => {
            Some("check that the server is up, and that this machine may connect to it")
        }
        _ => None,
    };
    EndError::failed(told, hint)
}

/// An error at a document that cannot be said to be its fault. It travels as an error of the
/// driver, so that the layers between pass it on.
#[derive(Debug)]
struct AtDocument {
    error: Error,
    /// Its `_id`, and its job.
    name: String,
}

/// The same error, which names the document that was sent.
pub(crate) fn at_document(error: Error, document: &RawDocument) -> Error {
    let field =
        |name: &str| document.get(name).ok().flatten().and_then(|it| Bson::try_from(it).ok());
    let id = field("_id").map_or_else(|| "without _id".to_owned(), |id| format!("with _id {id}"));
    let job = field("jobId").map(|job| format!(" of the job {job}")).unwrap_or_default();
    Error::custom(AtDocument { error, name: format!("the document {id}{job}") })
}

/// The server's error code, for a command or its write concern.
pub(crate) fn code(error: &Error) -> Option<i32> {
    if let Some(at) = error.get_custom::<AtDocument>() {
        return code(&at.error);
    }
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        ErrorKind::InsertMany(many) => {
            many.write_concern_error.as_ref().map(|concern| concern.code)
        }
        ErrorKind::Write(mongodb::error::WriteFailure::WriteConcernError(concern)) => {
            Some(concern.code)
        }
        ErrorKind::Write(mongodb::error::WriteFailure::WriteError(write)) => Some(write.code),
        _ => None,
    }
}

pub(crate) fn is_authentication(error: &Error) -> bool {
    matches!(*error.kind, ErrorKind::Authentication { .. })
}

/// What the driver says, on one line, and not longer than a person can use.
pub(crate) fn sentence(error: &Error) -> String {
    if let Some(at) = error.get_custom::<AtDocument>() {
        return format!("{}: {}", at.name, sentence(&at.error));
    }
    let text = match error.kind.as_ref() {
        ErrorKind::Command(command) => {
            let name = if command.code_name.is_empty() { "error" } else { &command.code_name };
            format!("{} ({name}, code {})", command.message, command.code)
        }
        ErrorKind::Authentication { .. } => "authentication failed".to_owned(),
        ErrorKind::InsertMany(many) => match (&many.write_concern_error, &many.write_errors) {
            (Some(concern), _) => {
                format!("write concern: {} (code {})", concern.message, concern.code)
            }
            (None, Some(errors)) if !errors.is_empty() => {
                // Of several, the one that stops the run.
                let worst = errors.iter().rev().max_by_key(|error| blame_of_code(error.code));
                let worst = worst.unwrap_or(&errors[0]);
                format!("{} (code {})", worst.message, worst.code)
            }
            _ => "the documents were not inserted".to_owned(),
        },
        kind => kind.to_string(),
    };
    const SENTENCE_MAX: usize = 400;
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SENTENCE_MAX) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}

//! Classes of errors: which of them pass, and which may be the fault of a document.

use mongodb::error::{Error, ErrorKind, RETRYABLE_WRITE_ERROR, TRANSIENT_TRANSACTION_ERROR};

use crate::error::code;

/// Codes of errors that pass: elections, shutdowns, lost connections, timeouts, conflicts, and
/// cursors that died.
const PASSING_CODES: [i32; 34] = [
    6, 7, 24, 43, 46, 50, 63, 64, 89, 91, 112, 133, 134, 136, 175, 189, 202, 237, 239, 246, 251,
    262, 317, 358, 384, 462, 9001, 10107, 11600, 11601, 11602, 13388, 13435, 13436,
];

/// Codes of errors that every document would meet: no document is to blame.
const NOT_THE_DOCUMENT: [i32; 14] =
    [11, 13, 18, 20, 59, 72, 79, 100, 166, 238, 8000, 14031, 40352, 40414];

/// Whether the same operation may succeed a little later.
pub(crate) fn is_passing(error: &Error) -> bool {
    if error.contains_label(RETRYABLE_WRITE_ERROR)
        || error.contains_label(TRANSIENT_TRANSACTION_ERROR)
        || error.contains_label("RetryableError")
    {
        return true;
    }
    match error.kind.as_ref() {
        ErrorKind::Io(_)
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::DnsResolve { .. } => true,
        _ => code(error).is_some_and(is_passing_code),
    }
}

/// The same for a code.
pub(crate) fn is_passing_code(code: i32) -> bool {
    PASSING_CODES.contains(&code)
}

/// Whether every document would meet this error.
pub(crate) fn is_not_the_document(code: i32) -> bool {
    NOT_THE_DOCUMENT.contains(&code)
}

/// Whether an error of a whole command may be the fault of one of its documents.
pub(crate) fn may_be_the_document(error: &Error) -> bool {
    match error.kind.as_ref() {
        // The driver refuses to send a document above the server's limit.
        ErrorKind::InvalidArgument { .. } | ErrorKind::Bson(_) => true,
        ErrorKind::Command(command) => !NOT_THE_DOCUMENT.contains(&command.code),
        _ => false,
    }
}

/// Whether an error says that the collection is not there.
pub(crate) fn is_namespace_not_found(error: &Error) -> bool {
    code(error) == Some(26)
}

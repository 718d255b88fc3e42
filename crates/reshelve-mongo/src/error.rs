//! Errors of a live database as sentences, with hints.

use mongodb::error::{Error, ErrorKind};
use reshelve::ends::{EndError, Hint};

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

/// The server's error code, for a command or its write concern.
pub(crate) fn code(error: &Error) -> Option<i32> {
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
                format!("{} (code {})", errors[0].message, errors[0].code)
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

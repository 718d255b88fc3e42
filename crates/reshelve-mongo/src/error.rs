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

/// What the driver says where it could choose no server. It describes all that it knows of each of
/// them; what is wrong with it, or what it is, is enough.
fn selection(message: &str) -> String {
    let Some((what, topology)) = message.split_once(" Topology: ") else {
        return message.to_owned();
    };
    let servers = topology.split("{ Address: ").skip(1).map(|server| {
        let (address, about) = server.split_once(", ").unwrap_or((server, ""));
        let about = match about.split_once("Error: ") {
            Some((_, error)) => {
                let error = error.strip_prefix("Kind: ").unwrap_or(error);
                error.split(", labels: {").next().unwrap_or_default()
            }
            None => about.split(", ").next().unwrap_or_default(),
        };
        format!("{address}: {}", about.trim_end_matches([' ', '}', ',', ']']))
    });
    let servers: Vec<String> = servers.collect();
    format!("{what} {}", servers.join("; ")).trim_end().to_owned()
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
        ErrorKind::ServerSelection { message, .. } => selection(message),
        kind => kind.to_string(),
    };
    const SENTENCE_MAX: usize = 400;
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SENTENCE_MAX) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_cannot_be_chosen_is_named_with_what_is_wrong() {
        let message = "Server selection timeout: No available servers. Topology: { Type: Unknown, \
            Set Name: rs0, Servers: [ { Address: db1:27017, Type: Unknown, Error: Kind: I/O error: \
            Connection refused (os error 111), labels: {} }, { Address: db2:27017, Type: RsSecondary, \
            Average RTT: 1ms, Last Update Time: 2026-11-30 } ] }";
        assert_eq!(
            selection(message),
            "Server selection timeout: No available servers. db1:27017: I/O error: Connection \
             refused (os error 111); db2:27017: Type: RsSecondary"
        );
        let lone = "No available servers. Topology: { Type: Single, Servers: [ { Address: h:1, Type: \
            Unknown } ] }";
        assert_eq!(selection(lone), "No available servers. h:1: Type: Unknown");
        assert_eq!(selection("no topology"), "no topology");
        assert_eq!(selection("what. Topology: { Servers: [ ] }"), "what.");
    }
}

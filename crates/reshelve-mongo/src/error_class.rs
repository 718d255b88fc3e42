//! Classes of errors: which of them pass, and which may be the fault of a document.

use mongodb::error::{Error, ErrorKind, RETRYABLE_WRITE_ERROR, TRANSIENT_TRANSACTION_ERROR};

use crate::error::code;

/// Codes of errors that pass: elections, shutdowns, lost connections, timeouts, conflicts, and
/// cursors that died.
const PASSING_CODES: [i32; 34] = [
    6, 7, 24, 43, 46, 50, 63, 64, 89, 91, 112, 133, 134, 136, 175, 189, 202, 237, 239, 246, 251,
    262, 317, 358, 384, 462, 9001, 10107, 11600, 11601, 11602, 13388, 13435, 13436,
];

/// Codes by which a server refuses this one document, and would take another. The names are those
/// of MongoDB's `src/mongo/base/error_codes.yml`; beside each is what a server says with it.
///
/// Only these may make a document a reject. Whatever is not here stops the run: an error that no
/// document caused would reject good ones.
const OF_THE_DOCUMENT: [(i32, &str); 19] = [
    // `db/ops/insert.cpp`: too large, two fields `_id`, an `_id` that is an array or a pattern.
    (2, "BadValue"),
    // `db/ops/insert.cpp`: more than the allowed levels of nesting.
    (15, "Overflow"),
    // `bson/bson_validate.cpp`.
    (22, "InvalidBSON"),
    // `db/update/storage_validation.cpp`: names of fields, and references.
    (52, "DollarPrefixedFieldName"),
    (53, "InvalidIdField"),
    (55, "InvalidDBRef"),
    (56, "EmptyFieldName"),
    (57, "DottedFieldName"),
    // "Only for the document validator on collections".
    (121, "DocumentValidationFailure"),
    // `db/index/btree_key_generator.cpp`: two arrays in one index.
    (171, "CannotIndexParallelArrays"),
    // The size of the document, or of what becomes of it on its way.
    (10_334, "BSONObjectTooLarge"),
    // A unique key: now, and in servers before 2.6.
    (11_000, "DuplicateKey"),
    (11_001, "DuplicateKey"),
    (12_582, "DuplicateKey"),
    // `db/index/expression_keys_private.cpp`: what a geo, hashed or text index cannot take.
    (16_755, "Location16755"),
    (16_766, "Location16766"),
    (17_261, "Location17261"),
    (17_262, "Location17262"),
    // Servers before 4.2: a value is too long for an index.
    (17_280, "KeyTooLong"),
];

/// Codes that every document would meet: looking for one that is to blame is of no use.
const NOT_THE_DOCUMENT: [i32; 15] =
    [11, 13, 18, 20, 59, 72, 79, 100, 116, 166, 238, 8000, 14031, 40352, 40414];

/// Who is to blame for an error of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blame {
    /// One of the documents: the others can be written.
    Document,
    /// Nobody can say. It may be one of the documents; if it is the only one, the run stops there.
    Unknown,
    /// No document.
    Everything,
}

/// Who is to blame for an error with this code.
pub(crate) fn blame_of_code(code: i32) -> Blame {
    if OF_THE_DOCUMENT.iter().any(|(known, _)| *known == code) {
        Blame::Document
    } else if is_passing_code(code) || NOT_THE_DOCUMENT.contains(&code) {
        Blame::Everything
    } else {
        Blame::Unknown
    }
}

/// Who is to blame for an error of a write.
pub(crate) fn blame(error: &Error) -> Blame {
    if is_passing(error) {
        return Blame::Everything;
    }
    match error.kind.as_ref() {
        // What the driver does not send: a document above the server's limit, for instance.
        ErrorKind::InvalidArgument { .. } | ErrorKind::Bson(_) => Blame::Unknown,
        ErrorKind::Command(command) => blame_of_code(command.code),
        ErrorKind::InsertMany(many) if many.write_concern_error.is_none() => {
            let blames = many.write_errors.iter().flatten().map(|it| blame_of_code(it.code));
            blames.max().unwrap_or(Blame::Unknown)
        }
        _ => Blame::Everything,
    }
}

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

/// Whether an error says that the collection is not there.
pub(crate) fn is_namespace_not_found(error: &Error) -> bool {
    code(error) == Some(26)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_in_two_lists() {
        for (code, name) in OF_THE_DOCUMENT {
            assert!(!PASSING_CODES.contains(&code), "{code} {name}");
            assert!(!NOT_THE_DOCUMENT.contains(&code), "{code} {name}");
        }
        assert!(NOT_THE_DOCUMENT.iter().all(|code| !PASSING_CODES.contains(code)));
    }

    #[test]
    fn what_is_not_known_blames_no_document() {
        for code in [121, 2, 10_334, 11_000] {
            assert_eq!(blame_of_code(code), Blame::Document, "{code}");
        }
        for code in [8, 96, 371, 1, 99_999, -1, 0] {
            assert_eq!(blame_of_code(code), Blame::Unknown, "{code}");
        }
        for code in [13, 14_031, 91, 112] {
            assert_eq!(blame_of_code(code), Blame::Everything, "{code}");
        }
    }
}

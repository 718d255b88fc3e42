//! Copied parts: legacy values that go into the target as they are, unless a reader may fail on
//! them.

use super::warning::{Path, WarningCode, Warnings};
use crate::raw::{DATE_MAX, DATE_MIN};
use crate::raw::{Document, Value, Writer, iso, kind};

/// Decides whether parts may be copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copier {
    /// Whether anything unreadable occurs anywhere in the legacy document. It nearly never does,
    /// and then no part needs to be searched.
    pub(crate) suspicious: bool,
}

impl Copier {
    /// The value where it may be written; else none, and a warning.
    pub(crate) fn readable<'a>(
        self,
        value: Value<'a>,
        path: &Path<'_>,
        warnings: &mut Warnings,
    ) -> Option<Value<'a>> {
        if self.suspicious && value_is_unreadable(value) {
            warnings.add(WarningCode::UnreadablePart, path);
            return None;
        }
        Some(value)
    }

    /// The document where it may be written; else none, and a warning.
    pub(crate) fn readable_document<'a>(
        self,
        document: Option<Document<'a>>,
        path: &Path<'_>,
        warnings: &mut Warnings,
    ) -> Option<Document<'a>> {
        let value = Value { kind: kind::DOCUMENT, bytes: document?.bytes() };
        self.readable(value, path, warnings)?.document()
    }

    /// Whether a document may be written without its own `_id`; if not, a warning.
    pub(crate) fn readable_without_id(
        self,
        document: Document<'_>,
        path: &Path<'_>,
        warnings: &mut Warnings,
    ) -> bool {
        if self.suspicious && is_left_out_without_id(document) {
            warnings.add(WarningCode::UnreadablePart, path);
            return false;
        }
        true
    }
}

/// Whether a document, written without its own `_id`, would be unreadable, so that it is left out.
pub(crate) fn is_left_out_without_id(document: Document<'_>) -> bool {
    document
        .elements()
        .filter(|element| element.name != b"_id")
        .any(|element| element.name.first() == Some(&b'$') || value_is_unreadable(element.value))
}

/// Recursion is safe: documents above [`DEPTH_MAX`](super::DEPTH_MAX) were rejected before.
fn value_is_unreadable(value: Value<'_>) -> bool {
    match value.kind {
        kind::REGEX | kind::CODE | kind::CODE_WITH_SCOPE | kind::SYMBOL | kind::DB_POINTER => true,
        kind::DOCUMENT => Document::new(value.bytes).elements().any(|element| {
            element.name.first() == Some(&b'$') || value_is_unreadable(element.value)
        }),
        kind::ARRAY => Document::new(value.bytes).values().any(value_is_unreadable),
        kind::BINARY => value.has_wrong_inner_length(),
        _ => false,
    }
}

/// Writes the fields of a document except its own `_id`, however often that occurs.
pub(crate) fn write_without_id(out: &mut Writer, document: Document<'_>) {
    for element in document.elements().filter(|element| element.name != b"_id") {
        out.value_bytes(element.name, element.value);
    }
}

/// As [`write_without_id`], with every date at any depth as ISO text (out-of-range ones stay dates)
/// and arrays with the keys 0, 1, 2 ….
pub(crate) fn write_story_document(out: &mut Writer, document: Document<'_>) {
    for element in document.elements().filter(|element| element.name != b"_id") {
        write_story_value(out, Key::Name(element.name), element.value);
    }
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Name(&'a [u8]),
    Index(usize),
}

fn write_story_value(out: &mut Writer, key: Key<'_>, value: Value<'_>) {
    let header = |out: &mut Writer, kind: u8| match key {
        Key::Name(name) => out.header(kind, name),
        Key::Index(index) => out.index_header(kind, index),
    };
    match value.kind {
        kind::DOCUMENT | kind::ARRAY => {
            header(out, value.kind);
            let mark = out.begin();
            for (index, element) in Document::new(value.bytes).elements().enumerate() {
                let key = match value.kind {
                    kind::ARRAY => Key::Index(index),
                    _ => Key::Name(element.name),
                };
                write_story_value(out, key, element.value);
            }
            out.end(mark);
        }
        kind::DATE => match value.date_ms() {
            Some(date_ms) if (DATE_MIN..=DATE_MAX).contains(&date_ms) => {
                header(out, kind::STRING);
                out.text(iso(date_ms).as_bytes());
            }
            _ => {
                header(out, value.kind);
                out.extend(value.bytes);
            }
        },
        _ => {
            header(out, value.kind);
            out.extend(value.bytes);
        }
    }
}

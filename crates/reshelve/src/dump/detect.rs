//! Detects the form of a file from its content, never from its name.

use super::bson_file::{document_length, elements_end};
use super::compressed;
use super::content::Content;
use super::foreign::{self, Foreign};
use super::text_form;
use crate::ends::{Compression, Hint, OtherForm, SourceForm};
use reshelve_core::raw::{Document, kind};

/// The magic number of a `mongodump` archive, as the file holds it.
pub(super) const ARCHIVE_MAGIC: [u8; 4] = [0x6D, 0xE2, 0x99, 0x81];
/// The byte-order mark of UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// How much of the content is looked at before it is read: white space in search of the start of a
/// document, and the first document in search of its inside.
const LOOKED_AT_BYTES_MAX: usize = 64 * 1024;

/// The forms that a file can have after decompression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileForm {
    /// Documents back to back.
    Bson,
    /// `mongodump --archive`.
    Archive,
    /// `mongoexport`, whatever its layout.
    Json,
}

impl From<FileForm> for SourceForm {
    fn from(form: FileForm) -> SourceForm {
        match form {
            FileForm::Bson => SourceForm::BsonFile,
            FileForm::Archive => SourceForm::Archive,
            FileForm::Json => SourceForm::ExtendedJson,
        }
    }
}

/// Detects the form; an error says what the content is instead.
///
/// Four bytes that can be the length of a document prove nothing: text in UTF-16 has such bytes
/// too. What follows them must begin like the inside of a document.
pub(super) fn detect(content: &mut Content) -> Result<FileForm, Foreign> {
    let found = detect_inside(content);
    match content.compression {
        Compression::None => found,
        compression => found.map_err(|foreign| foreign.inside(compression.name())),
    }
}

/// What a file of a dump folder is, whose name says that it is BSON, where it is another thing for
/// certain.
pub(super) fn foreign_in_folder(content: &mut Content) -> Option<Foreign> {
    let compression = content.compression;
    let foreign = match detect_inside(content) {
        Ok(FileForm::Bson) => return None,
        Ok(FileForm::Json) if content.peek(LOOKED_AT_BYTES_MAX).trim_ascii().is_empty() => {
            return None;
        }
        Ok(form) => {
            let what = format!("{}, not BSON", SourceForm::from(form).words(Compression::None));
            Foreign::new(what, Hint::OtherForm(OtherForm::NameTheFileItself))
        }
        Err(foreign) if foreign.what == foreign::UNKNOWN => return None,
        Err(foreign) => foreign,
    };
    Some(match compression {
        Compression::None => foreign,
        compression => foreign.inside(compression.name()),
    })
}

fn detect_inside(content: &mut Content) -> Result<FileForm, Foreign> {
    let twice = compressed::detect(content.peek(10));
    if twice != Compression::None {
        let what = format!("data compressed with {}", twice.name());
        return Err(Foreign::new(what, Hint::OtherForm(OtherForm::DecompressFirst)));
    }
    let head = content.peek(1024);
    if head.is_empty() {
        return Ok(FileForm::Bson);
    }
    if ARCHIVE_MAGIC.starts_with(&head[..head.len().min(4)]) {
        return Ok(FileForm::Archive);
    }
    if let Some(foreign) = foreign::certain(head) {
        return Err(foreign);
    }
    if is_bson(content) {
        return Ok(FileForm::Bson);
    }
    detect_text(content)
}

/// After white space and a byte-order mark, a document or an array of documents.
fn detect_text(content: &mut Content) -> Result<FileForm, Foreign> {
    let head = content.peek(LOOKED_AT_BYTES_MAX);
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    match text {
        [] => Ok(FileForm::Json),
        [b'{', ..] if text_form::is_shell_notation(head) => {
            Err(Foreign::new(text_form::SHELL, Hint::OtherForm(OtherForm::ExportAsJson)))
        }
        [b'{', ..] => Ok(FileForm::Json),
        [b'[', inside @ ..] => match inside.trim_ascii_start() {
            [b'{', ..] if text_form::is_shell_notation(head) => {
                Err(Foreign::new(text_form::SHELL, Hint::OtherForm(OtherForm::ExportAsJson)))
            }
            [] | [b'{' | b']' | b',', ..] => Ok(FileForm::Json),
            _ => Err(foreign::likely(head)),
        },
        // Too short for a length: a document that is cut off.
        _ if head.len() < 4 => Ok(FileForm::Bson),
        _ => Err(foreign::likely(head)),
    }
}

/// Whether the content begins with a document: sound, cut off, or broken inside.
fn is_bson(content: &mut Content) -> bool {
    let Ok(length) = document_length(content.peek(4)) else { return false };
    // A little more than the document shows what follows it.
    let wanted = LOOKED_AT_BYTES_MAX.min(length + 5);
    let head = content.peek(wanted);
    let Some((document, after)) = head.split_at_checked(length) else {
        return begins_inside(head, length);
    };
    if elements_end(document) == Some(length) {
        return true;
    }
    let is_ended = document.last() == Some(&0);
    let mut elements = Document::new(document).elements();
    match elements.next() {
        Some(first) if first.name == b"_id" || is_ended || elements.next().is_some() => true,
        // The first element is broken: then the length must lead to the end, or to another one.
        _ => is_ended && (after.is_empty() || begins_document(after)),
    }
}

/// Whether bytes are the length of a document and the type of its first element.
fn begins_document(bytes: &[u8]) -> bool {
    let Ok(length) = document_length(bytes) else { return false };
    match bytes.get(4) {
        Some(0) => length == 5,
        Some(&kind) => is_kind(kind),
        None => true,
    }
}

/// Whether the first element of a document of which only the beginning is there can be one.
fn begins_inside(head: &[u8], length: usize) -> bool {
    let Some(&first) = head.get(4) else { return true };
    if !is_kind(first) {
        return false;
    }
    let name = &head[5..];
    let Some(name_length) = memchr::memchr(0, name) else {
        // The name is cut off.
        return std::str::from_utf8(name).map_or_else(|it| it.error_len().is_none(), |_| true);
    };
    let (name, value) = (&name[..name_length], &name[name_length + 1..]);
    if std::str::from_utf8(name).is_err() {
        return false;
    }
    if let Some(element) = Document::new(head).elements().next() {
        let end = element.offset + 2 + name.len() + element.value.bytes.len();
        // A document that ends early states a wrong length; only `_id` makes it one.
        return name == b"_id" || head.get(end).is_none_or(|&next| is_kind(next));
    }
    // The value is longer than what is looked at, or cut off.
    let has_length = matches!(
        first,
        kind::STRING
            | kind::CODE
            | kind::SYMBOL
            | kind::DOCUMENT
            | kind::ARRAY
            | kind::CODE_WITH_SCOPE
            | kind::BINARY
    );
    match value.first_chunk() {
        Some(prefix) if has_length => {
            usize::try_from(i32::from_le_bytes(*prefix)).is_ok_and(|inner| inner < length)
        }
        _ => true,
    }
}

/// Whether it is the type of an element.
fn is_kind(byte: u8) -> bool {
    matches!(byte, 0x01..=0x13 | kind::MIN_KEY | kind::MAX_KEY)
}

//! Detects the form of a file from its content, never from its name.

use super::bson_file::{document_length, elements_end};
use super::compressed;
use super::content::Content;
use super::foreign::{self, Foreign};
use super::text_form;
use crate::ends::{Compression, Hint, SourceForm, SourceHint};
use reshelve_core::raw::{Document, kind};

/// The magic number of a `mongodump` archive, as the file holds it.
pub(super) const ARCHIVE_MAGIC: [u8; 4] = [0x6D, 0xE2, 0x99, 0x81];
/// The byte-order mark of UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// How much of the content is looked at before it is read: white space in search of the start of a
/// document, and the first document in search of its inside.
pub(super) const LOOKED_AT_BYTES_MAX: usize = 64 * 1024;

/// How much is looked at first; more only if that does not tell.
const LOOKED_AT_FIRST: usize = 32;

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
            Foreign::new(what, Hint::Source(SourceHint::NameTheFileItself))
        }
        Err(foreign) if foreign.what == foreign::UNKNOWN => return None,
        Err(foreign) => foreign,
    };
    Some(match compression {
        Compression::None => foreign,
        compression => foreign.inside(compression.name()),
    })
}

/// A pipe may be silent after its first bytes, so no more is looked at than it takes.
fn detect_inside(content: &mut Content) -> Result<FileForm, Foreign> {
    let twice = compressed::detect(content.peek(10));
    if twice != Compression::None {
        let what = format!("data compressed with {}", twice.name());
        return Err(Foreign::new(what, Hint::Source(SourceHint::DecompressFirst)));
    }
    let mut count = LOOKED_AT_FIRST;
    loop {
        let head = content.peek(count);
        let is_last = head.len() < count || count >= LOOKED_AT_BYTES_MAX;
        match decide(head, is_last) {
            Some(decided) => return decided,
            None if is_last => return Err(foreign::likely(head)),
            None => count *= 2,
        }
    }
}

/// What content that begins like this is; none if more of it is needed to tell. After `is_last`
/// there is no more, or no more is looked at.
fn decide(head: &[u8], is_last: bool) -> Option<Result<FileForm, Foreign>> {
    if head.is_empty() {
        return Some(Ok(FileForm::Bson));
    }
    if ARCHIVE_MAGIC.starts_with(&head[..head.len().min(4)]) {
        return Some(Ok(FileForm::Archive));
    }
    if let Some(foreign) = foreign::certain(head) {
        return Some(Err(foreign));
    }
    match is_bson(head, is_last) {
        Some(true) => Some(Ok(FileForm::Bson)),
        Some(false) => decide_text(head, is_last),
        None => None,
    }
}

/// After white space and a byte-order mark, a document or an array of documents.
fn decide_text(head: &[u8], is_last: bool) -> Option<Result<FileForm, Foreign>> {
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    let begins = match text {
        [b'[', inside @ ..] => inside.trim_ascii_start(),
        text => text,
    };
    match begins {
        [] => is_last.then_some(Ok(FileForm::Json)),
        [b'{', ..] => match text_form::is_shell_notation(head) {
            Some(true) => {
                let hint = Hint::Source(SourceHint::ExportAsJson);
                Some(Err(Foreign::new(text_form::SHELL, hint)))
            }
            Some(false) => Some(Ok(FileForm::Json)),
            None => is_last.then_some(Ok(FileForm::Json)),
        },
        [b']' | b',', ..] if text.starts_with(b"[") => Some(Ok(FileForm::Json)),
        // Too short for a length: a document that is cut off.
        _ if is_last && head.len() < 4 => Some(Ok(FileForm::Bson)),
        // A tar archive is told by the end of its first header.
        _ if !is_last && head.len() < 1024 => None,
        _ => Some(Err(foreign::likely(head))),
    }
}

/// Whether the content begins with a document: sound, cut off, or broken inside.
fn is_bson(head: &[u8], is_last: bool) -> Option<bool> {
    let Ok(length) = document_length(head) else { return Some(false) };
    let Some((document, after)) = head.split_at_checked(length) else {
        return begins_inside(head, length, is_last);
    };
    if elements_end(document) == Some(length) {
        return Some(true);
    }
    let is_ended = document.last() == Some(&0);
    let mut elements = Document::new(document).elements();
    match elements.next() {
        Some(first) if first.name == b"_id" || is_ended || elements.next().is_some() => Some(true),
        _ if !is_ended => Some(false),
        // The first element is broken: then the length must lead to the end, or to another one.
        _ if after.len() < 5 && !is_last => None,
        _ => Some(after.is_empty() || begins_document(after)),
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
fn begins_inside(head: &[u8], length: usize, is_last: bool) -> Option<bool> {
    let Some(&first) = head.get(4) else { return is_last.then_some(true) };
    if !is_kind(first) {
        return Some(false);
    }
    let name = &head[5..];
    let Some(name_length) = memchr::memchr(0, name) else {
        // The name is cut off.
        let is_text =
            std::str::from_utf8(name).map_or_else(|it| it.error_len().is_none(), |_| true);
        return if is_text && !is_last { None } else { Some(is_text) };
    };
    let (name, value) = (&name[..name_length], &name[name_length + 1..]);
    if std::str::from_utf8(name).is_err() {
        return Some(false);
    }
    if let Some(element) = Document::new(head).elements().next() {
        let end = element.offset + 2 + name.len() + element.value.bytes.len();
        // A document that ends early states a wrong length; only `_id` makes it one.
        return match head.get(end) {
            _ if name == b"_id" => Some(true),
            Some(&next) => Some(is_kind(next)),
            None => is_last.then_some(true),
        };
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
            let fits = usize::try_from(i32::from_le_bytes(*prefix)).is_ok_and(|it| it < length);
            if fits && !is_last { None } else { Some(fits) }
        }
        _ => is_last.then_some(true),
    }
}

/// Whether it is the type of an element.
fn is_kind(byte: u8) -> bool {
    matches!(byte, 0x01..=0x13 | kind::MIN_KEY | kind::MAX_KEY)
}

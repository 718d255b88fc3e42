//! Detects the form of a file from its content, never from its name.

use super::compressed;
use super::content::Content;
use crate::ends::{Compression, DOCUMENT_BYTES_MAX, SourceForm};

/// The magic number of a `mongodump` archive, as the file holds it.
pub(super) const ARCHIVE_MAGIC: [u8; 4] = [0x6D, 0xE2, 0x99, 0x81];
/// The byte-order mark of UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// How much white space is skipped in search of the start of a document.
const SPACE_BYTES_MAX: usize = 64 * 1024;

/// The forms that a file can have after decompression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileForm {
    /// Documents back to back.
    Bson,
    /// `mongodump --archive`.
    Archive,
    /// `mongoexport`, whatever its layout.
    Json,
    /// None of these.
    Unknown,
}

impl From<FileForm> for SourceForm {
    fn from(form: FileForm) -> SourceForm {
        match form {
            FileForm::Bson => SourceForm::BsonFile,
            FileForm::Archive => SourceForm::Archive,
            FileForm::Json => SourceForm::ExtendedJson,
            FileForm::Unknown => SourceForm::Unknown,
        }
    }
}

/// Detects the form. The first four bytes decide: a possible length of a BSON document ends with a
/// byte of 0 to 3 there, and no text does.
pub(super) fn detect(content: &mut Content) -> FileForm {
    if compressed::detect(content.peek(10)) != Compression::None {
        // Compressed twice: nobody does that on purpose.
        return FileForm::Unknown;
    }
    let head = content.peek(4);
    if head.is_empty() {
        return FileForm::Bson;
    }
    if ARCHIVE_MAGIC.starts_with(head) {
        return FileForm::Archive;
    }
    if let Some(prefix) = head.first_chunk() {
        let length = usize::try_from(i32::from_le_bytes(*prefix)).unwrap_or(0);
        if (5..=DOCUMENT_BYTES_MAX).contains(&length) {
            return FileForm::Bson;
        }
    }
    if head == BYTE_ORDER_MARK {
        return FileForm::Json;
    }
    let short = head.len() < 4;
    let mut count = 64;
    loop {
        let head = content.peek(count);
        let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
        match text.trim_ascii_start().first() {
            Some(b'{' | b'[') => return FileForm::Json,
            // Too short for a length: a document that is cut off.
            Some(_) if short => return FileForm::Bson,
            Some(_) => return FileForm::Unknown,
            None if head.len() < count || count >= SPACE_BYTES_MAX => return FileForm::Json,
            None => count *= 8,
        }
    }
}

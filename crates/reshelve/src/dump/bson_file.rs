//! A `.bson` file: documents back to back, framed by their lengths.

use super::content::{Content, Fault};
use super::intake::Intake;
use crate::ends::{
    Batch, BatchLimits, DOCUMENT_BYTES_MAX, Damage, DamageKind, Form, Item, Operation, Place,
    Source,
};
use reshelve_core::raw::Document;

/// How many documents are checked after a document with broken content, to decide whether its
/// length can be right.
const LOOK_AHEAD_DOCS: usize = 4;
/// How many bytes of such a document are checked.
const LOOK_AHEAD_BYTES: usize = 64 * 1024;

/// The documents of a `.bson` file.
pub(super) struct BsonFile {
    intake: Intake,
    pending: Option<Damage>,
    done: bool,
}

impl BsonFile {
    pub(super) fn new(content: Content) -> BsonFile {
        BsonFile { intake: Intake::new(content), pending: None, done: false }
    }

    /// Frames documents into the batch; returns where they end.
    fn frame(&mut self, batch: &mut Batch, limits: BatchLimits) -> usize {
        let mut at = 0;
        while batch.items.len() < limits.docs_max.max(1) {
            let length = match self.length(&mut batch.bytes, at) {
                Ok(Some(length)) => length,
                Ok(None) => {
                    self.done = true;
                    break;
                }
                Err(fault) => {
                    self.stop(fault, at);
                    break;
                }
            };
            let end = at + length;
            if end > limits.bytes_max && !batch.items.is_empty() {
                break;
            }
            if let Err(fault) = self.whole(&mut batch.bytes, at, length) {
                self.stop(fault, at);
                break;
            }
            let place = Place { offset: self.intake.offset(at), line: 0, column: 0 };
            batch.items.push(Item { start: at, end, place, operation: Operation::Upsert });
            at = end;
        }
        at
    }

    fn stop(&mut self, fault: Fault, at: usize) {
        let place = Place { offset: self.intake.offset(at), line: 0, column: 0 };
        // A read error explains a cut-off document better than the cut does.
        self.pending = if fault.kind == DamageKind::Truncated {
            self.intake.damage(Some(fault), place)
        } else {
            Some(self.intake.damage_seen(fault, place))
        };
        self.done = true;
    }

    /// The length of the document at `at`; `None` at the end.
    fn length(&mut self, bytes: &mut Vec<u8>, at: usize) -> Result<Option<usize>, Fault> {
        while bytes.len() < at + 4 {
            if self.intake.more(bytes, at + 4 - bytes.len()) {
                continue;
            }
            if bytes.len() > at {
                return Err(truncated(bytes.len() - at, None));
            }
            let place = Place { offset: self.intake.offset(at), line: 0, column: 0 };
            self.pending = self.intake.damage(None, place);
            return Ok(None);
        }
        document_length(&bytes[at..]).map(Some)
    }

    /// Makes sure that the whole document is there, and that its length can be right.
    fn whole(&mut self, bytes: &mut Vec<u8>, at: usize, length: usize) -> Result<(), Fault> {
        let end = at + length;
        while bytes.len() < end {
            if self.intake.more(bytes, end - bytes.len()) {
                continue;
            }
            if let Some(earlier) = elements_end(&bytes[at..]) {
                return Err(wrong_length(length, earlier));
            }
            return Err(truncated(bytes.len() - at, Some(length)));
        }
        match elements_end(&bytes[at..end]) {
            Some(earlier) if earlier == length => return Ok(()),
            Some(earlier) if swallows_documents(&bytes[at + earlier..end]) => {
                return Err(wrong_length(length, earlier));
            }
            _ => {}
        }
        // Either the content is broken, which costs this document alone, or the length is wrong;
        // then what follows is not a document either.
        if self.documents_follow(bytes, end) {
            return Ok(());
        }
        let detail =
            format!("neither the inside of a document nor what follows fits its length {length}");
        Err(Fault::new(DamageKind::Corrupt, detail))
    }

    /// Whether documents follow at `at`, or the end.
    fn documents_follow(&mut self, bytes: &mut Vec<u8>, mut at: usize) -> bool {
        for _ in 0..LOOK_AHEAD_DOCS {
            while bytes.len() < at + 5 && self.intake.more(bytes, 5) {}
            if bytes.len() <= at {
                return true;
            }
            let Ok(length) = document_length(&bytes[at..]) else { return false };
            let look = at + length.min(LOOK_AHEAD_BYTES);
            while bytes.len() < look && self.intake.more(bytes, look - bytes.len()) {}
            let Some(document) = bytes.get(at..at + length) else {
                // Only its head is there.
                return bytes[at..].get(5..).is_some_and(|head| head.starts_with(b"_id\0"));
            };
            // Embedded documents look the same, except for the name that every stored one begins
            // with.
            if elements_end(document) == Some(length) && document[5..].starts_with(b"_id\0") {
                return true;
            }
            // Several documents in a row may have broken content: their lengths still lead from one
            // to the next, which other bytes do not.
            at += length;
        }
        true
    }
}

impl Source for BsonFile {
    fn fill(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Damage> {
        if self.done {
            batch.clear();
            return self.pending.take().map_or(Ok(false), Err);
        }
        self.intake.begin(batch, limits);
        batch.form = Form::Bson;
        let end = self.frame(batch, limits);
        self.intake.keep(&mut batch.bytes, end);
        if batch.items.is_empty() { self.pending.take().map_or(Ok(false), Err) } else { Ok(true) }
    }

    fn bytes_read(&self) -> u64 {
        self.intake.bytes_read()
    }

    fn bytes_total(&self) -> Option<u64> {
        self.intake.content.bytes_total
    }
}

/// The length that a document states, if a document can be that long. Fewer than four bytes state
/// none.
pub(super) fn document_length(bytes: &[u8]) -> Result<usize, Fault> {
    let stated = bytes.first_chunk().map_or(0, |prefix| i32::from_le_bytes(*prefix));
    match usize::try_from(stated) {
        Ok(length @ 5..=DOCUMENT_BYTES_MAX) => Ok(length),
        _ => Err(Fault::new(
            DamageKind::Corrupt,
            format!("a document cannot be {stated} bytes long"),
        )),
    }
}

/// A document ends with a zero.
pub(super) fn check_end(document: &[u8]) -> Result<(), Fault> {
    if document.last() == Some(&0) {
        return Ok(());
    }
    let length = document.len();
    let detail = format!("a document of length {length} does not end with a zero byte");
    Err(Fault::new(DamageKind::Corrupt, detail))
}

/// A document of which only `there` bytes are present.
pub(super) fn truncated(there: usize, length: Option<usize>) -> Fault {
    let detail = match length {
        Some(length) => format!("truncated: only {there} of the {length} bytes of a document"),
        None => format!("truncated: only {there} bytes of a document"),
    };
    Fault::new(DamageKind::Truncated, detail)
}

fn wrong_length(length: usize, earlier: usize) -> Fault {
    let detail = format!("a document states {length} bytes and ends after {earlier}");
    Fault::new(DamageKind::Corrupt, detail)
}

/// Whether the bytes that a length covers after the end of its document are whole documents: then
/// the length is wrong, and they must not be lost with it.
fn swallows_documents(mut rest: &[u8]) -> bool {
    let mut found = false;
    while let Ok(length) = document_length(rest) {
        let Some(document) = rest.get(..length) else { return false };
        if elements_end(document) != Some(length) || !document[5..].starts_with(b"_id\0") {
            return false;
        }
        found = true;
        rest = &rest[length..];
    }
    found && rest.is_empty()
}

/// Where the elements of a document end by their own lengths, including its closing zero.
pub(super) fn elements_end(document: &[u8]) -> Option<usize> {
    let end = Document::new(document)
        .elements()
        .last()
        .map_or(4, |last| last.offset + 2 + last.name.len() + last.value.bytes.len());
    (document.get(end) == Some(&0)).then_some(end + 1)
}

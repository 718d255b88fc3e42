//! Extended JSON, lines or one array, plain or pretty: cut into the texts of its documents.

use super::content::{Content, Fault};
use super::detect::BYTE_ORDER_MARK;
use super::intake::Intake;
use super::json_scan::{Found, Scanner, Start};
use crate::ends::{
    Batch, BatchLimits, DOCUMENT_BYTES_MAX, Damage, DamageKind, Form, Item, Operation, Place,
    Source,
};

/// The text of one document may be longer than its BSON, but not without limit: a document that
/// never ends must not fill the memory.
const DOCUMENT_TEXT_BYTES_MAX: usize = 2 * DOCUMENT_BYTES_MAX;

/// The documents of a JSON file.
pub(super) struct JsonFile {
    intake: Intake,
    scanner: Scanner,
    /// A document that the last batch had no room for, and where it ends.
    ready: Option<(Start, usize)>,
    begun: bool,
    pending: Option<Damage>,
    done: bool,
}

impl JsonFile {
    pub(super) fn new(content: Content) -> JsonFile {
        JsonFile {
            intake: Intake::new(content),
            scanner: Scanner::new(),
            ready: None,
            begun: false,
            pending: None,
            done: false,
        }
    }

    /// Cuts documents into the batch; returns how many of its bytes have been used.
    fn cut(&mut self, batch: &mut Batch, limits: BatchLimits) -> usize {
        let mut used = 0;
        let mut last = false;
        while batch.items.len() < limits.docs_max.max(1) {
            let found = match self.ready.take() {
                Some((start, end)) => Found::Document(start, end),
                None => self.scanner.find(&batch.bytes, last),
            };
            match found {
                Found::Document(start, end) => {
                    if end > limits.bytes_max && !batch.items.is_empty() {
                        self.ready = Some((start, end));
                        return start.at;
                    }
                    let place = self.place(start);
                    batch.items.push(Item {
                        start: start.at,
                        end,
                        place,
                        operation: Operation::Upsert,
                    });
                    used = self.scanner.at;
                }
                Found::Stray(reason) => {
                    self.stop(DamageKind::Corrupt, reason);
                    return self.scanner.at;
                }
                Found::More => {
                    if self.too_long(&batch.bytes) {
                        return self.scanner.at;
                    }
                    let from = self.scanner.start.map_or(self.scanner.at, |start| start.at);
                    if !batch.items.is_empty() && batch.bytes.len() > limits.bytes_max {
                        return from;
                    }
                    if !self.intake.more(&mut batch.bytes, 1) {
                        if !last {
                            last = true;
                            continue;
                        }
                        self.finish();
                        return self.scanner.at;
                    }
                }
            }
        }
        used
    }

    /// The text has ended: at a proper place, or in the middle of something.
    fn finish(&mut self) {
        self.done = true;
        let missing = self.scanner.end().err().map(|it| Fault::new(DamageKind::Truncated, it));
        let place = match self.scanner.start {
            Some(start) => self.place(start),
            None => self.here(),
        };
        self.pending = self.intake.damage(missing, place);
    }

    fn stop(&mut self, kind: DamageKind, reason: &'static str) {
        let fault = Fault::new(kind, reason);
        self.pending = Some(self.intake.damage_seen(fault, self.here()));
        self.done = true;
    }

    fn too_long(&mut self, bytes: &[u8]) -> bool {
        let Some(start) = self.scanner.start else { return false };
        if bytes.len() - start.at <= DOCUMENT_TEXT_BYTES_MAX {
            return false;
        }
        let detail = format!("no end of the document within {DOCUMENT_TEXT_BYTES_MAX} bytes");
        let fault = Fault::new(DamageKind::Corrupt, detail);
        self.pending = Some(self.intake.damage_seen(fault, self.place(start)));
        self.done = true;
        true
    }

    fn place(&self, start: Start) -> Place {
        Place { offset: self.intake.offset(start.at), line: start.line, column: start.column }
    }

    /// Where the scanner is.
    fn here(&self) -> Place {
        let (line, column) = self.scanner.place();
        Place { offset: self.intake.offset(self.scanner.at), line, column }
    }
}

impl Source for JsonFile {
    fn fill(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Damage> {
        if self.done {
            batch.clear();
            return self.pending.take().map_or(Ok(false), Err);
        }
        self.intake.begin(batch, limits);
        batch.form = Form::Json;
        if !self.begun {
            self.begun = true;
            while batch.bytes.len() < 3 && self.intake.more(&mut batch.bytes, 3) {}
            if batch.bytes.starts_with(BYTE_ORDER_MARK) {
                self.scanner.skip(BYTE_ORDER_MARK.len());
            }
        }
        let end = self.cut(batch, limits);
        self.intake.keep(&mut batch.bytes, end);
        if !self.done {
            self.scanner.rebase(end);
        }
        if let Some((start, ready_end)) = &mut self.ready {
            start.at -= end;
            *ready_end -= end;
        }
        if batch.items.is_empty() { self.pending.take().map_or(Ok(false), Err) } else { Ok(true) }
    }

    fn bytes_read(&self) -> u64 {
        self.intake.bytes_read()
    }

    fn bytes_total(&self) -> Option<u64> {
        self.intake.content.bytes_total
    }
}

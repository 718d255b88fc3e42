//! Reads straight into the buffer of a batch, and keeps what the batch has no room for.

use super::content::{Content, Fault, READ_BYTES};
use crate::ends::{Batch, BatchLimits, Compression, Damage, DamageKind, Place};

/// The content of a source whose documents follow each other.
pub(super) struct Intake {
    pub(super) content: Content,
    /// What comes after the documents of the last batch.
    carry: Vec<u8>,
    /// Where the buffer of the current batch starts in the content.
    base: u64,
    ended: bool,
    fault: Option<Fault>,
}

impl Intake {
    pub(super) fn new(content: Content) -> Intake {
        Intake { content, carry: Vec::new(), base: 0, ended: false, fault: None }
    }

    /// Begins a batch with what the last one left over.
    pub(super) fn begin(&mut self, batch: &mut Batch, limits: BatchLimits) {
        batch.clear();
        std::mem::swap(&mut self.carry, &mut batch.bytes);
        // One enormous document must not leave every buffer enormous.
        if self.carry.capacity() > limits.bytes_max.saturating_mul(4).max(READ_BYTES * 4) {
            self.carry = Vec::new();
        }
    }

    /// Reads more: at least `wanted` bytes, if there are that many. Returns `false` at the end.
    pub(super) fn more(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> bool {
        if self.ended {
            return false;
        }
        let before = bytes.len();
        match self.content.append(bytes, wanted.max(READ_BYTES)) {
            Ok(appended) => self.ended = appended == 0,
            Err(fault) => {
                self.fault = Some(fault);
                self.ended = true;
            }
        }
        bytes.len() > before
    }

    /// Ends a batch: everything after `end` is for the next one.
    pub(super) fn keep(&mut self, bytes: &mut Vec<u8>, end: usize) {
        self.carry.clear();
        self.carry.extend_from_slice(&bytes[end..]);
        bytes.truncate(end);
        self.base = self.offset(end);
    }

    /// Where a byte of the batch's buffer is in the content.
    pub(super) fn offset(&self, at: usize) -> u64 {
        self.base + u64::try_from(at).unwrap_or(0)
    }

    /// Bytes of the file up to the end of the last batch; of a compressed file, those read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        match self.content.compression {
            Compression::None => self.base,
            _ => self.content.bytes_read(),
        }
    }

    /// The damage at a place where something is missing: the fault that ended the reading, if there
    /// was one.
    pub(super) fn damage(&mut self, missing: Option<Fault>, place: Place) -> Option<Damage> {
        let fault = match (self.fault.take(), missing) {
            // What follows the compressed data does not explain what is missing in them.
            (Some(Fault { kind: DamageKind::Trailing { .. }, .. }), Some(missing)) => missing,
            (fault, missing) => fault.or(missing)?,
        };
        Some(self.content.damage(fault, place))
    }

    /// The damage that the bytes themselves show.
    pub(super) fn damage_seen(&self, fault: Fault, place: Place) -> Damage {
        self.content.damage(fault, place)
    }
}

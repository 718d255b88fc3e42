//! A buffer between the content and its consumers, who skip most of it.

use super::bson_file::{check_end, document_length, truncated};
use super::content::{Content, Fault, READ_BYTES};
use crate::ends::DamageKind;

/// Content most of which may be skipped.
pub(super) struct Feed {
    pub(super) content: Content,
    buffer: Vec<u8>,
    at: usize,
    offset: u64,
    /// Met while reading ahead; reported when everything before it is used up.
    fault: Option<Fault>,
    /// Met after the end of the content: everything is there.
    trailing: Option<Fault>,
}

impl Feed {
    pub(super) fn new(content: Content) -> Feed {
        Feed { content, buffer: Vec::new(), at: 0, offset: 0, fault: None, trailing: None }
    }

    /// Where the next byte is in the content.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What has been read and not yet skipped.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// Makes sure that `count` bytes are there; returns `false` if the content ends before.
    pub(super) fn need(&mut self, count: usize) -> Result<bool, Fault> {
        if self.bytes().len() >= count {
            return Ok(true);
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        if self.buffer.capacity() > READ_BYTES * 16 && count < READ_BYTES {
            self.buffer.shrink_to(READ_BYTES * 2);
        }
        while self.buffer.len() < count {
            let wanted = (count - self.buffer.len()).max(READ_BYTES);
            if self.trailing.is_some() {
                return Ok(false);
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            match self.content.append(&mut self.buffer, wanted) {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(fault) if matches!(fault.kind, DamageKind::Trailing { .. }) => {
                    self.trailing = Some(fault);
                }
                Err(fault) => self.fault = Some(fault),
            }
        }
        Ok(true)
    }

    /// What follows the end of the content in its file, and does not belong to it.
    pub(super) fn trailing(&mut self) -> Option<Fault> {
        self.trailing.take()
    }

    /// Skips bytes that are there.
    pub(super) fn advance(&mut self, count: usize) {
        self.at = (self.at + count).min(self.buffer.len());
        self.offset += u64::try_from(count).unwrap_or(0);
    }

    /// The length of the next document, which is there to its end.
    pub(super) fn document(&mut self) -> Result<usize, Fault> {
        if !self.need(4)? {
            return Err(truncated(self.bytes().len(), None));
        }
        let length = document_length(self.bytes())?;
        if !self.need(length)? {
            return Err(truncated(self.bytes().len(), Some(length)));
        }
        check_end(&self.bytes()[..length])?;
        Ok(length)
    }
}

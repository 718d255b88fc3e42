//! Documents that an earlier process of the run dealt with, and that the source gives again.

use super::super::RunError;
use super::super::refusal::Refusal;
use super::Engine;
use crate::ends::Sink;

/// The documents that were dealt with by an earlier process, and that the source gives again.
pub(super) struct Known {
    /// The position after the last of them.
    pub(super) end: u64,
    pub(super) hash: String,
    /// The position after the last one that was seen again.
    pub(super) seen: u64,
}

impl Known {
    pub(super) fn are_seen(&self) -> bool {
        self.seen >= self.end
    }
}

impl<S: Sink + ?Sized> Engine<'_, S> {
    /// The source must not end before the documents that were dealt with.
    pub(super) fn expect_known_seen(&self) -> Result<(), RunError> {
        if !self.known.are_seen() {
            let Known { end, seen, .. } = self.known;
            let detail = format!("it has {seen} documents, and the run had read {end}");
            return Err(Refusal::OtherSource { detail }.into());
        }
        Ok(())
    }

    /// A document that an earlier process dealt with: only its hash counts.
    pub(super) fn see_again(&mut self) -> Result<(), RunError> {
        self.known.seen += 1;
        if self.known.are_seen() && self.hash.hex() != self.known.hash {
            let detail = format!(
                "its first {} documents are not the ones that the run had read",
                self.known.end
            );
            return Err(Refusal::OtherSource { detail }.into());
        }
        Ok(())
    }
}

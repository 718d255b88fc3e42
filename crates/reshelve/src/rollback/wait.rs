//! Between two batches that are taken back: what the throttle holds back.

use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Instant;

use super::progress::Telling;
use super::steps::Rollback;
use crate::ends::{ChangedDocuments, EndError};
use crate::run::Checkpoint;
use crate::run::hold::Hold;
use crate::target_schema::Collection;

/// How many documents a run wrote, about: those of jobs that it replaced may have been there.
pub(super) fn documents_of(checkpoint: &Checkpoint) -> u64 {
    let parts = Collection::ALL.len() - 1;
    let totals = &checkpoint.totals;
    totals.documents.written * u64::try_from(parts).unwrap_or(1) + totals.events
}

impl Rollback<'_> {
    /// Waits before the next batch as long as the throttle says; tells whether it is to stop.
    pub(super) fn wait(
        &self,
        hold: &mut Hold,
        telling: &mut Telling<'_>,
        (begun, before, now): (Instant, ChangedDocuments, ChangedDocuments),
    ) -> Result<bool, EndError> {
        let changed = |documents: ChangedDocuments| documents.deleted + documents.put_back;
        hold.wrote(begun.elapsed());
        let documents = changed(now).saturating_sub(changed(before));
        hold.took(begun, documents, now.bytes.saturating_sub(before.bytes));
        hold.waiting = None;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(true);
            }
            hold.look(&mut |text| telling.note(text));
            let Some(nap) = hold.nap(&mut |text| telling.note(text))? else { return Ok(false) };
            telling.waits(hold.waiting);
            sleep(nap);
        }
    }
}

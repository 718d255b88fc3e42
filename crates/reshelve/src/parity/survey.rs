//! What a pass over the source finds independently of the target: counts, records that contradict
//! their parts, statuses that contradict the chapters, jobs in flight.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::carried::{Carried, Fate};
use super::cost_and_tokens::{CostAndTokenTotals, Deltas, LISTED_MAX, add_job, empty_deltas};
use super::sum::SetHash;
use super::texts::{Texts, show};
use super::walk::{Reading, Taken, Walked, walk};
use super::{VerifyError, only_rejects};
use crate::ends::Origin;
use crate::target_schema::Collection;
use reshelve_core::mapping::{Mapped, Status, WarningCode};
use reshelve_core::raw::{self, Document, Value};

/// How many characters of a title are shown.
const TITLE_CHARS_MAX: usize = 200;

/// How many documents there are on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Documents in the source.
    pub legacy: u64,
    /// Of these, rejected.
    pub rejected: u64,
    /// Of these, left out because they were in flight.
    pub skipped: u64,
    /// Documents in each target collection that belong to the source; none if no target was read.
    #[serde(flatten)]
    pub collections: BTreeMap<&'static str, u64>,
    /// Target documents that belong to no legacy document, and are left alone.
    pub left_alone: u64,
    /// Documents of the source that the run rejected and a retry carried over. They are not among
    /// the rejected ones.
    pub retried: u64,
    /// Of these, documents of which the retry read another version than the source holds.
    pub repaired: u64,
    /// Documents that a retry carried over and the source no longer holds.
    pub not_in_source: u64,
}

impl Counts {
    /// Whether every document of the source, and no other one, was carried over as it is.
    pub fn are_whole(&self) -> bool {
        [self.rejected, self.skipped, self.repaired, self.not_in_source] == [0; 4]
    }

    /// How many jobs there should be in the target.
    pub fn jobs(&self) -> u64 {
        let of_source = self.legacy.saturating_sub(self.rejected).saturating_sub(self.skipped);
        of_source + self.not_in_source
    }
}

/// Identifies the documents of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceFingerprint {
    /// How many were read, taken or not.
    pub documents: u64,
    /// The running hash over them, as in the checkpoint of a run: `h = BLAKE3(h ‖ BLAKE3(document))`.
    pub hash: String,
    /// The sum of the BLAKE3 hashes of these documents, modulo 2^256: it does not depend on their
    /// order.
    pub set_hash: String,
}

/// A job that needs attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedJob {
    /// The job id.
    pub job: String,
    /// Its title; empty if it has none.
    pub title: String,
    /// The status that legacy stored.
    pub status: String,
}

/// Jobs that have something in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobList {
    /// How many.
    pub count: u64,
    /// The first of them, at most [`LISTED_MAX`].
    pub jobs: Vec<ListedJob>,
}

impl JobList {
    fn add(&mut self, legacy: Document<'_>) {
        self.count += 1;
        if self.jobs.len() < LISTED_MAX {
            let text = |name: &str| {
                let bytes = legacy.get(name).and_then(Value::string).unwrap_or_default();
                String::from_utf8_lossy(bytes).chars().take(TITLE_CHARS_MAX).collect::<String>()
            };
            let job = id_text(legacy);
            self.jobs.push(ListedJob { job, title: text("title"), status: text("status") });
        }
    }
}

/// The `_id` of a legacy document as people write it.
fn id_text(legacy: Document<'_>) -> String {
    let Some(id) = legacy.get("_id") else { return String::new() };
    match (id.string(), id.object_id()) {
        (Some(text), _) => String::from_utf8_lossy(text).into_owned(),
        (_, Some(bytes)) => raw::hex(&bytes),
        _ => show(id, Texts::Quoted),
    }
}

/// Jobs whose stored status contradicts their chapters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusConflicts {
    /// Stored as failed, and every chapter is written.
    pub novels_behind_failed: JobList,
    /// Stored as completed, and every chapter failed.
    pub failures_behind_completed: JobList,
}

/// What a pass over the source finds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Survey {
    /// The documents that were read.
    pub source: SourceFingerprint,
    /// Documents on both sides.
    pub counts: Counts,
    /// Cost and tokens.
    pub totals: CostAndTokenTotals,
    /// How far the records of cost and tokens differ from the sums of the parts.
    pub deltas: Deltas,
    /// Statuses that contradict the chapters.
    pub status_conflicts: StatusConflicts,
    /// Jobs that were queued or running.
    pub in_flight: JobList,
    /// The documents of the source that belong in the target: what a restore gives back. Documents
    /// that a retry carried over are not among them.
    #[serde(skip)]
    pub mapped: SetHash,
}

impl Survey {
    pub(crate) fn new() -> Self {
        Survey { deltas: empty_deltas(), ..Survey::default() }
    }

    pub(crate) fn take(&mut self, taken: &Taken<'_>) {
        self.counts.legacy += 1;
        match taken {
            Taken::Rejected | Taken::Conflict { .. } => self.counts.rejected += 1,
            Taken::Carried { fate: Fate::Skipped, .. } => self.counts.skipped += 1,
            Taken::Carried { fate: Fate::Mapped, is_same } => {
                self.counts.retried += 1;
                self.counts.repaired += u64::from(!is_same);
            }
            Taken::Skipped { .. } => self.counts.skipped += 1,
            Taken::Mapped { hash, .. } => self.mapped.add_hash(hash),
        }
        self.take_content(taken);
    }

    /// What a document says of its job, whichever pass it is read in.
    pub(crate) fn take_content(&mut self, taken: &Taken<'_>) {
        match taken {
            Taken::Rejected | Taken::Conflict { .. } | Taken::Carried { .. } => {}
            Taken::Skipped { legacy, .. } => self.in_flight.add(Document::new(legacy)),
            Taken::Mapped { mapped, parts, legacy, .. } => {
                self.take_status(mapped, Document::new(legacy));
                let job = String::from_utf8_lossy(&mapped.job_id);
                add_job(
                    &mut self.totals,
                    &mut self.deltas,
                    &job,
                    legacy,
                    parts[Collection::Metrics.index()],
                );
            }
        }
    }

    fn take_status(&mut self, mapped: &Mapped, legacy: Document<'_>) {
        let stored = legacy.get("status").and_then(Value::string).and_then(Status::of_legacy);
        if stored.is_some_and(Status::is_in_flight) {
            self.in_flight.add(legacy);
        }
        let contradicts =
            |warning: &reshelve_core::mapping::Warning| warning.code == WarningCode::StatusConflict;
        if mapped.warnings.iter().any(contradicts) {
            let conflicts = &mut self.status_conflicts;
            match stored {
                Some(Status::Completed) => conflicts.failures_behind_completed.add(legacy),
                _ => conflicts.novels_behind_failed.add(legacy),
            }
        }
    }

    pub(crate) fn end(&mut self, walked: Walked) {
        let Walked { documents, hash, set } = walked;
        self.source = SourceFingerprint { documents, hash, set_hash: set.hex() };
    }
}

/// Reads a source, maps every document and proves that it can be restored, as a dry run does; the
/// target is not read.
///
/// # Errors
/// If the source cannot be read to its end.
pub fn survey(reading: &Reading, origin: &dyn Origin) -> Result<Survey, VerifyError> {
    let only = only_rejects(reading)?;
    let mut survey = Survey::new();
    let walked = walk(reading, origin, only.as_ref(), &mut Carried::default(), &mut |taken| {
        survey.take(taken);
        Ok(())
    })?;
    survey.end(walked);
    Ok(survey)
}

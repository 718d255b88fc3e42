//! What a comparison found.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::causes::Cause;
use super::groups::Group;
use super::survey::Survey;
use crate::store::Key;
use crate::target_schema::Collection;

/// How many mismatches are kept for display.
const SHOWN_MAX: usize = 100;

/// One place where the target differs from what the legacy document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The job id.
    pub job: String,
    /// The collection.
    pub collection: Collection,
    /// The path in the document; `_id` if the whole document is missing or extra.
    pub path: String,
    /// What should be there, as canonical Extended JSON; null if nothing should.
    pub expected: Option<String>,
    /// What is there; null if nothing is.
    pub actual: Option<String>,
}

/// How many jobs were restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredCounts {
    /// Restored from the target, byte for byte.
    pub identical: u64,
    /// Restored as another document, or not restorable.
    pub different: u64,
    /// Not in the target.
    pub missing: u64,
    /// In the target, but in no source; null for a sample, which cannot know.
    pub extra: Option<u64>,
}

/// How much of the source a sample covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Documents that were compared.
    pub documents: u64,
    /// Documents in the source.
    pub of: u64,
}

/// The verdict of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agreement {
    /// Every legacy document is in the target as it should be.
    Holds,
    /// All that was to be carried over is there; some documents were rejected or left out, the
    /// source holds another version of one that was carried over, or only a sample was compared.
    HoldsWithExceptions,
    /// Something is missing, extra or different.
    DoesNotHold,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verification {
    /// Documents on both sides, cost and tokens, and what legacy recorded of them.
    #[serde(flatten)]
    pub survey: Survey,
    /// How much of the source was compared; null for all of it.
    pub sample: Option<Sample>,
    /// How many jobs were restored.
    pub restored: RestoredCounts,
    /// How many mismatches there are.
    pub mismatches_total: u64,
    /// How many jobs of the source have one.
    pub mismatched_jobs: u64,
    /// The same mismatches, put together: each is in one group.
    pub groups: Vec<Group>,
    /// What may have caused them all, if they are all of one kind.
    pub causes: Vec<Cause>,
    /// The first of them.
    pub mismatches: Vec<Mismatch>,
    /// The keys of the job ids that retries carried over, or left out in flight.
    #[serde(skip)]
    pub carried_over: HashSet<Key>,
}

impl Verification {
    pub(super) fn add(&mut self, mismatch: Mismatch) {
        self.mismatches_total += 1;
        if self.mismatches.len() < SHOWN_MAX {
            self.mismatches.push(mismatch);
        }
    }

    /// Whether nothing was found in everything that was compared.
    pub fn is_clean(&self) -> bool {
        let totals = &self.survey.totals;
        self.mismatches_total == 0
            && self.restored.different == 0
            && totals.cost_usd.named().iter().all(|(_, total)| total.within_tolerance)
            && totals.tokens.named().iter().all(|(_, total)| total.within_tolerance)
    }

    /// Whether parity holds: nothing was found, and both sides were compared completely.
    pub fn holds(&self) -> bool {
        self.is_clean() && self.sample.is_none()
    }

    /// The verdict.
    pub fn agreement(&self) -> Agreement {
        let counts = &self.survey.counts;
        match (self.is_clean(), self.sample) {
            (false, _) => Agreement::DoesNotHold,
            (true, None) if counts.are_whole() => Agreement::Holds,
            _ => Agreement::HoldsWithExceptions,
        }
    }
}

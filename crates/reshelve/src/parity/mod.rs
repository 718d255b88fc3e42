//! Parity: the source against the target, by value.

mod checksums;
mod compare;
mod sample;
mod side;
mod survey;
mod totals;
mod verification;
mod verify;
mod walk;

pub use checksums::{CollectionChecksum, checksums};
pub use compare::Difference;
pub use sample::SAMPLE_MAX;
pub use survey::{Counts, JobList, ListedJob, SourceFingerprint, StatusConflicts, Survey, survey};
pub use totals::{
    Bucket, CostAndTokens, Deltas, Histogram, LISTED_MAX, Measure, StageTotals, Stages, Totals,
};
pub use verification::{Mismatch, RestoredCounts, Sample, Verification};
use verify::only_rejects;
pub use verify::{TOLERANCE_USD_DEFAULT, VerifyError, VerifyRequest, verify};
pub use walk::Reading;

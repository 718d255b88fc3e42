//! Parity: compares the source with the target, value by value.

mod carried;
mod causes;
mod checksums;
mod compare;
mod conflicts;
mod cost_and_tokens;
mod doubles;
mod edited;
mod groups;
mod index;
mod sample;
mod side;
mod sum;
mod survey;
mod texts;
mod verification;
mod verifier;
mod verify;
mod walk;

pub use crate::ends::CollectionChecksum;
pub use causes::Cause;
pub use checksums::checksums;
pub use compare::Difference;
pub use cost_and_tokens::{
    Bucket, CostAndTokenTotals, CostAndTokens, Deltas, Histogram, LISTED_MAX, Measure, StageTotals,
    Stages,
};
pub use edited::{EditedPart, first_paths};
pub use groups::{Group, GroupKind};
pub use sample::SAMPLE_MAX;
pub use sum::SetHash;
pub use survey::{Counts, JobList, ListedJob, SourceFingerprint, StatusConflicts, Survey, survey};
pub use texts::{Texts, says_nothing, shape_of_text};
pub use verification::{Agreement, Mismatch, RestoredCounts, Sample, Verification};
use verify::only_rejects;
pub use verify::{Retry, RetryRequest, TOLERANCE_USD_DEFAULT, VerifyError, VerifyRequest, verify};
pub use walk::{Reading, RejectedByTarget};

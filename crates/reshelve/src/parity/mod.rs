//! Parity: the source against the target, by value.

mod checksums;
mod compare;
mod side;
mod verify;

pub use checksums::{CollectionChecksum, checksums};
pub use compare::Difference;
pub use verify::{
    Counts, Mismatch, RestoredCounts, Totals, TotalsPair, Verification, VerifyError, VerifyRequest,
    verify,
};

//! A pass over a source: reading and mapping in source order, and what becomes of each document.
//! Run, profile and parity share it.

pub(crate) mod pipeline;
mod rejection;
pub(crate) mod repeated_ids;

pub use rejection::{RejectReason, Rejection};

//! Carries the legacy `jobs` collection into four normalised collections, and proves that
//! nothing was lost.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod raw;
pub mod source;

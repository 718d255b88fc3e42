//! Carries the legacy `jobs` collection of generated novels into four normalised collections, and
//! proves that nothing was lost.
//!
//! The mapping itself is in `reshelve-core`; here is everything around it: reading, writing,
//! running, proving, reporting.

pub mod anonymize;
pub mod dump;
pub mod ends;
pub mod folder;
pub mod generate;
pub mod lookup;
pub mod parity;
pub mod pass;
pub mod plan;
pub mod profile;
pub mod report;
pub mod restore;
pub mod rollback;
pub mod run;
pub mod snapshot;
pub mod standing;
pub mod store;
pub mod target_schema;

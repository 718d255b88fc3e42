//! Whether a job stands in a target as a run wrote it, and which of its documents are the run's.

mod own;
mod part;

pub use own::{Fate, OwnDocuments, was_changed};
pub use part::{Half, Part, are_own, of_job};

//! The four target collections: their names, their indexes, and what a target has of both.

mod collection;
mod events;
mod indexes;
mod metadata_file;
mod state;

pub use collection::Collection;
pub use events::{OwnEvents, id_bytes, is_of_a_version, job_id};
pub use indexes::{Index, IndexSpec, LEGACY_INDEXES, indexes_of};
pub use state::{IndexState, IndexStatus, TargetState};

pub(crate) use metadata_file::metadata_json;

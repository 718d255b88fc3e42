//! The folder target: a database folder as `mongodump` makes it, which `mongorestore` takes.

mod documents;
mod existing;
mod indexes;
mod layout;
mod replace;
mod restore;
mod sink;

pub use documents::{Documents, DocumentsError};
pub use indexes::{IndexState, IndexStatus, TargetState};
pub use layout::{Compression, Held, IndexSpec, TargetFolder, free_bytes, indexes_of};
pub use restore::{ChangedJob, RestoreFolderError, RestoreSummary, restore, write_legacy_metadata};
pub use sink::FolderSink;

pub(crate) use existing::Existing;
pub(crate) use replace::{Replacing, finish_collection, take_up};

//! The folder target: a database folder as `mongodump` makes it, which `mongorestore` takes.

mod destination;
mod existing;
mod indexes;
mod layout;
mod lock;
mod reader;
mod replace;
mod sink;

pub use destination::FolderDestination;
pub use indexes::{IndexState, IndexStatus, TargetState};
pub use layout::{Compression, Held, IndexSpec, TargetFolder, free_bytes, indexes_of};
pub use lock::{Abandoned, Holder};
pub use sink::FolderSink;

pub(crate) use existing::Existing;
pub(crate) use layout::legacy_metadata_json;
pub(crate) use lock::Lock;
pub(crate) use replace::{Replacing, finish_collection, take_up};

//! The folder target: a database folder as `mongodump` makes it, which `mongorestore` takes.

mod existing;
mod layout;
mod replace;
mod sink;

pub use layout::{Compression, Held, IndexSpec, TargetFolder, free_bytes, indexes_of};
pub(crate) use layout::legacy_metadata_json;
pub use sink::FolderSink;

pub(crate) use existing::Existing;
pub(crate) use replace::{Replacing, finish_collection, take_up};

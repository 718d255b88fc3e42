//! The folder target: a database folder as `mongodump` makes it, which `mongorestore` takes.

mod compressor;
mod destination;
mod existing;
mod follows;
mod indexes;
mod layout;
mod lengths;
mod lock;
mod preflight;
mod reader;
mod replace;
mod sink;
mod tail;
mod take_back;
mod used_plans;

pub use crate::ends::{Compression, TargetFolder};
pub use destination::FolderDestination;
pub use follows::taken_over_by;
pub use layout::{Held, free_bytes};
pub use lengths::Lengths;
pub use lock::Holder;
pub use sink::FolderSink;

pub(crate) use existing::Existing;
pub(crate) use lock::Lock;

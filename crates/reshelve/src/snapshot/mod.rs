//! A safe copy of the legacy collection, as `mongodump` writes it, and the manifest that says what is
//! in it.
//!
//! A snapshot is a few objects, each under a name, and a manifest with their hashes and the checksum
//! of the documents. [`take`] writes the objects, [`check`] reads them again against a manifest.

mod check;
mod error;
mod manifest;
mod object;
mod take;

pub use crate::dump::{MANIFEST, SNAPSHOT_ARCHIVE};
pub use check::check;
pub use error::SnapshotError;
pub use manifest::{Form, Manifest, SCHEMA, StoredObject, TakenFrom};
pub use take::{Heard, Reading, Taken, Wanted, take};

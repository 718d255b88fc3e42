//! Files: a seam to the file system, and what this crate makes of files.
//!
//! - [`Files`] and [`OpenFile`]: what run folders and target folders do with a file system.
//!   [`Disk`] is the real one; [`Memory`] is one for tests, which fails on demand and loses what
//!   was not synced.
//! - [`Replacement`] and [`Files::replace`]: a file that takes another one's place in one step.
//! - [`write_state`] and [`read_state`]: versioned JSON files; only regular ones, of bounded size.
//! - [`Appender`], [`JsonLines`], [`read_lines`]: files that only grow.
//! - [`Scratch`]: files without a name, for what memory should not hold; on it `Sorter` and
//!   `SortedRun`, records found by key, and [`Spool`], documents found by key.
//! - [`Records`]: records of one length, read back; `SealedKeys`: keys that tell whether they are as
//!   they were written.
//!
//! Errors name their path. Nothing here knows about the other rooms of this crate.

mod appender;
mod bounded;
#[cfg(test)]
mod crash_tests;
mod disk;
mod error;
mod files;
#[cfg(test)]
mod files_tests;
mod json_lines;
mod memory;
mod paths;
mod records;
mod replacement;
mod scratch;
mod sealed;
mod size;
mod sorted;
mod spool;
mod state_file;

pub use appender::Appender;
pub use disk::Disk;
pub use error::DiskError;
pub use files::{Files, Found, Identity, Kind, Locking, Open, OpenFile, folder_of};
pub use json_lines::{JsonLines, Lines, read_lines};
pub use memory::{Fault, Keep, Memory, Operation, OperationKind};
pub use records::Records;
pub use replacement::{Replacement, original_of, temporary_beside};
pub use scratch::Scratch;
pub use size::size;
pub use sorted::{Key, key_of};
pub use spool::{Spool, Spooled};
pub use state_file::{StateError, read_short_state, read_state, write_checked_state, write_state};

pub(crate) use error::At;
pub use paths::absolute;
pub(crate) use sealed::{SealedKeys, read_sealed};
pub(crate) use sorted::{Sorted, SortedRun, Sorter};

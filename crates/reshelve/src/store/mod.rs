//! Files: errors that name their path, state that is written in one step, sorted records.

mod files;
mod sorted;
pub(crate) mod state_file;

pub use files::DiskError;
pub(crate) use files::{At, absolute, open_at, sync_folder, unnamed_file, write_atomic};
pub use sorted::Key;
pub(crate) use sorted::{Sorted, SortedRun, Sorter, key_of};

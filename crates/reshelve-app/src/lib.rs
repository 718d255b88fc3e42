//! The use cases of `reshelve`: what its commands do, for a command line, a server, or a program
//! that embeds them.
//!
//! Each command is a module with a `Request`, an `Outcome` and a function of the command's name.
//! An outcome serialises as the document that `--json` prints. Nothing here parses arguments,
//! prints, or keeps global state: what a caller wants to hear while a command works comes through a
//! [`Handle`], which also cancels it.

mod beside;
mod exit_code;
mod failure;
mod family;
mod handle;
mod last_run;
mod lines;
mod noted;
mod options;
mod overlap;
mod passwords;
mod retries;
mod unfinished;

pub mod groups;
pub mod hints;
pub mod lately;
pub mod outside;
pub mod places;
pub mod secret_file;
pub mod served_runs;
pub mod sides;
pub mod states;
pub mod text;

pub mod anonymize;
pub mod checksums;
pub mod control;
pub mod crosscheck;
pub mod demo;
pub mod explain;
pub mod generate;
pub mod indexes;
pub mod inspect;
pub mod plan;
pub mod profile;
pub mod rehearse;
pub mod report;
pub mod restore;
pub mod resume;
pub mod rollback;
pub mod run;
pub mod runs;
pub mod shadow;
pub mod snapshot;
pub mod status;
pub mod verify;

pub use exit_code::ExitCode;
pub use failure::Failure;
pub use family::{rejected_by_parent, reported_with, reported_with_named};
pub use handle::{Comparing, Handle, Reading, Watcher};
pub use options::{
    BatchOptions, GivenOptions, LIVE_BATCH_BYTES, MappingOptions, ReadPreference, RunName,
};
pub use passwords::{Ask, Passwords};

pub use anonymize::anonymize;
pub use checksums::checksums;
pub use control::{cancel, pause, throttle};
pub use crosscheck::crosscheck;
pub use demo::demo;
pub use explain::explain;
pub use generate::generate;
pub use indexes::indexes;
pub use inspect::inspect;
pub use profile::profile;
pub use rehearse::rehearse;
pub use report::report;
pub use restore::restore;
pub use resume::resume;
pub use rollback::rollback;
pub use run::run;
pub use runs::runs;
pub use shadow::shadow;
pub use snapshot::snapshot;
pub use status::status;
pub use verify::verify;

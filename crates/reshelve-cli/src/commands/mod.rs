//! One file per command: arguments become a request, an outcome becomes text or JSON.

pub(crate) mod checksums;
pub(crate) mod completions;
pub(crate) mod control;
pub(crate) mod demo;
mod differences;
pub(crate) mod explain;
pub(crate) mod generate;
pub(crate) mod indexes;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod profile;
mod profile_fields;
pub(crate) mod rehearse;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod resume;
pub(crate) mod rollback;
pub(crate) mod run;
mod run_page;
pub(crate) mod runs;
pub(crate) mod serve;
pub(crate) mod shadow;
pub(crate) mod status;
mod table;
pub(crate) mod verify;
mod watch;

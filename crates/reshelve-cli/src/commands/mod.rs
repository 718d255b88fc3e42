//! One file per command.

pub(crate) mod checksums;
pub(crate) mod demo;
pub(crate) mod ends;
pub(crate) mod explain;
pub(crate) mod generate;
pub(crate) mod indexes;
pub(crate) mod inspect;
pub(crate) mod outcome;
pub(crate) mod pages;
pub(crate) mod profile;
pub(crate) mod profile_fields;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod status;
pub(crate) mod verify;

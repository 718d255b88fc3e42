//! What the figures were measured on.

use std::fs;

use super::corpus::Place;
use crate::machine::{Fact, commit, hardware, rust, unknown};
use crate::tools::told;

/// Facts about the machine, in the order in which they are shown.
pub(super) fn facts(place: &Place) -> Vec<Fact> {
    let folder = place.folder.display().to_string();
    let file_system = told("findmnt", &["--noheadings", "--output", "FSTYPE", "--target", &folder])
        .or_else(|| told("stat", &["--file-system", "--format", "%T", &folder]));
    let mut facts = Vec::from(hardware());
    facts.extend([
        ("file system", file_system.unwrap_or_else(unknown)),
        ("load before", load().unwrap_or_else(unknown)),
        rust(),
        ("Node", told("node", &["--version"]).unwrap_or_else(|| "not installed".to_owned())),
        ("version", told(&place.reshelve, &["--version"]).unwrap_or_else(unknown)),
        commit(),
    ]);
    facts
}

/// How many processes wanted to run in the last minute: a busy machine shows here.
fn load() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next().map(str::to_owned)
}

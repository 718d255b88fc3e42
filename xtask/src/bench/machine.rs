//! What the figures were measured on.

use std::fs;

use super::corpus::Place;
use super::meter::told;

/// Facts about the machine, as name and value, in the order in which they are shown.
pub(super) fn facts(place: &Place) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let cores = std::thread::available_parallelism().map_or_else(|_| unknown(), |n| n.to_string());
    let folder = place.folder.display().to_string();
    let file_system = told("findmnt", &["--noheadings", "--output", "FSTYPE", "--target", &folder])
        .or_else(|| told("stat", &["--file-system", "--format", "%T", &folder]));
    vec![
        ("processor", line_of("/proc/cpuinfo", "model name").unwrap_or_else(unknown)),
        ("cores", cores),
        ("memory", line_of("/proc/meminfo", "MemTotal").unwrap_or_else(unknown)),
        ("system", told("uname", &["-sr"]).unwrap_or_else(unknown)),
        ("file system", file_system.unwrap_or_else(unknown)),
        ("load before", load().unwrap_or_else(unknown)),
        ("Rust", told("rustc", &["--version"]).unwrap_or_else(unknown)),
        ("Node", told("node", &["--version"]).unwrap_or_else(|| "not installed".to_owned())),
        ("version", told(&place.reshelve, &["--version"]).unwrap_or_else(unknown)),
        ("commit", told("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(unknown)),
    ]
}

/// The value of `name: value`.
fn line_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// How many processes wanted to run in the last minute: a busy machine shows here.
fn load() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next().map(str::to_owned)
}

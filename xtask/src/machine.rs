//! What something was measured or tried on.

use std::fs;

use crate::tools::told;

/// A fact about the machine: its name, and its value.
pub(crate) type Fact = (&'static str, String);

/// Processor, cores, memory and system, in the order in which they are shown.
pub(crate) fn hardware() -> [Fact; 4] {
    let cores = std::thread::available_parallelism().map_or_else(|_| unknown(), |n| n.to_string());
    [
        ("processor", line_of("/proc/cpuinfo", "model name").unwrap_or_else(unknown)),
        ("cores", cores),
        ("memory", line_of("/proc/meminfo", "MemTotal").unwrap_or_else(unknown)),
        ("system", told("uname", &["-sr"]).unwrap_or_else(unknown)),
    ]
}

/// The Rust that builds here.
pub(crate) fn rust() -> Fact {
    ("Rust", told("rustc", &["--version"]).unwrap_or_else(unknown))
}

/// The commit that is checked out.
pub(crate) fn commit() -> Fact {
    ("commit", told("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(unknown))
}

/// What stands where a machine does not tell.
pub(crate) fn unknown() -> String {
    "unknown".to_owned()
}

/// The value of `name: value`.
fn line_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

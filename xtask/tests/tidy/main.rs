//! Rules of the house that no compiler knows, each with the table of what it allows.
//!
//! A list of exceptions may only shrink: an entry that is no longer needed fails its test.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on fails the test")]

mod bounds;
mod files;
mod imports;
mod paths;
mod rooms;
mod sizes;
mod sources;
mod words;

use std::path::Path;

/// The root of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn assert_none(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

//! The example of an embedding program does what it says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "the example's own main")]
#[path = "../examples/embed.rs"]
mod embed;

use std::path::Path;

use reshelve_app::ExitCode;

/// A folder in memory, where there is one: what is synced costs nothing there.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("reshelve-").tempdir_in(parent).unwrap()
}

#[test]
fn a_run_is_watched_cancelled_resumed_and_verified_without_a_terminal() {
    let folder = folder();
    let told = embed::move_novels(folder.path()).unwrap();
    assert_eq!(told.cancelled, ExitCode::Interrupted, "{told:?}");
    assert!(told.read_before > 0 && told.read_before < told.read, "{told:?}");
    assert_eq!([told.resumed, told.verified], [ExitCode::Done; 2], "{told:?}");
    assert_eq!([told.read, told.identical], [3_000; 2], "{told:?}");
}

//! Who may touch the operating system: files only through `store/`, the core nothing at all.

use std::fs;

use crate::paths;
use crate::sources::rust_files;
use crate::{assert_none, root};

/// Where files are opened, read and written: there, errors name their path.
const STORE: &str = "crates/reshelve/src/store/";

/// Files that still go to the file system by themselves. To be mended one by one.
const STILL_WITH_FILES: &[&str] = &[
    "crates/reshelve-app/src/demo.rs",
    "crates/reshelve-app/src/lines.rs",
    "crates/reshelve-app/src/restore.rs",
    "crates/reshelve-cli/src/commands/man.rs",
    "crates/reshelve-cli/src/config.rs",
    "crates/reshelve-mongo/src/target/lease/claim.rs",
    "crates/reshelve/src/dump/content.rs",
    "crates/reshelve/src/dump/dump_folder.rs",
    "crates/reshelve/src/dump/inspect.rs",
    "crates/reshelve/src/dump/mod.rs",
    "crates/reshelve/src/dump/pipe.rs",
    "crates/reshelve/src/dump/status_scan.rs",
    "crates/reshelve/src/generate/faults.rs",
    "crates/reshelve/src/generate/files.rs",
    "crates/reshelve/src/run/mod.rs",
];

/// What makes a file touch the file system.
const FILE_SYSTEM: [&[&str]; 4] =
    [&["std", "fs"], &["std", "os", "unix", "fs"], &["rustix", "fs"], &["tokio", "fs"]];

/// All that the core takes from the standard library: nothing that reaches an operating system.
/// Hash maps seed themselves, but no output depends on their order; `LazyLock` is for tables that
/// are made once. `crates/reshelve-core/clippy.toml` forbids the methods of what is not here.
const CORE_TAKES: [&[&str]; 10] = [
    &["std", "array"],
    &["std", "borrow"],
    &["std", "cmp"],
    &["std", "collections"],
    &["std", "fmt"],
    &["std", "iter"],
    &["std", "mem"],
    &["std", "ops"],
    &["std", "str"],
    &["std", "sync", "LazyLock"],
];

#[test]
fn files_are_opened_in_the_store_alone() {
    let mut offenders = Vec::new();
    let mut needed = Vec::new();
    for source in rust_files().iter().filter(|source| source.is_in_crate()) {
        if source.path.starts_with(STORE) {
            continue;
        }
        for named in paths::paths(&source.shipped(), &["std", "rustix", "tokio"]) {
            if !FILE_SYSTEM.iter().any(|prefix| named.starts_with(prefix)) {
                continue;
            }
            if STILL_WITH_FILES.contains(&source.path.as_str()) {
                needed.push(source.path.clone());
            } else {
                offenders.push(format!("{}:{} names {}", source.path, named.line, named.text()));
            }
        }
    }
    for path in STILL_WITH_FILES.iter().filter(|&path| !needed.iter().any(|used| used == path)) {
        offenders.push(format!("{path} needs its exception no longer: remove it"));
    }
    assert_none("the file system is for `store/`, whose errors name their path", &offenders);
}

#[test]
fn the_core_knows_of_no_operating_system() {
    let mut offenders = Vec::new();
    for source in rust_files() {
        if !source.path.starts_with("crates/reshelve-core/src/") {
            continue;
        }
        for named in paths::paths(&source.shipped(), &["std", "core", "alloc"]) {
            if !CORE_TAKES.iter().any(|prefix| named.starts_with(prefix)) {
                offenders.push(format!("{}:{} names {}", source.path, named.line, named.text()));
            }
        }
    }
    assert_none("the core has no files, network, threads, clock, environment", &offenders);
}

/// A crate's own `clippy.toml` takes the place of the workspace's, so it has to hold its settings.
#[test]
fn the_settings_of_clippy_for_the_core_hold_those_for_all() {
    let settings = |path: &str| {
        let text = fs::read_to_string(root().join(path)).unwrap();
        text.lines().filter(|line| line.contains('=')).map(str::to_owned).collect::<Vec<_>>()
    };
    let core = settings("crates/reshelve-core/clippy.toml");
    for line in settings("clippy.toml") {
        assert!(core.contains(&line), "crates/reshelve-core/clippy.toml lacks `{line}`");
    }
}

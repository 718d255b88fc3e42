//! The promise of the crate: no I/O, no threads, no clock, no environment, few dependencies.
//!
//! A compiler does not check it: `std::fs` compiles on every target that has a standard library.
//! This test searches the sources for the modules of the standard library that they name, and
//! refuses those that are not in its list.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// What the crate takes from the standard library. Hash maps seed themselves, but no output
/// depends on their order; `LazyLock` is for tables that are made once.
const ALLOWED: [&str; 11] = [
    "array",
    "borrow",
    "cmp",
    "collections",
    "error",
    "fmt",
    "iter",
    "mem",
    "ops",
    "str",
    "sync::LazyLock",
];

/// What the crate depends on. `serde` is optional, and off by default.
const DEPENDENCIES: [&str; 5] = ["blake3", "memchr", "serde", "simdutf8", "thiserror"];

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a source without its comments and its tests, which come last.
fn code(source: &str) -> String {
    let code = source.split("\n#[cfg(test)]\n").next().unwrap();
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths in the standard library that a source names and the list does not allow.
fn forbidden(code: &str) -> Vec<String> {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut found = Vec::new();
    for root in ["std", "core", "alloc"] {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at + root.len()..];
            let part_of_a_name = code[..at].ends_with(|letter| is_name(letter) || letter == '.');
            if part_of_a_name || rest.starts_with(is_name) {
                continue;
            }
            // The root by itself is a word of a message, unless it is imported.
            let Some(path) = rest.strip_prefix("::") else {
                if code[..at].ends_with("use ") || code[..at].ends_with("extern crate ") {
                    found.push(root.to_owned());
                }
                continue;
            };
            let allowed = ALLOWED.iter().any(|allowed| {
                path.strip_prefix(allowed).is_some_and(|rest| !rest.starts_with(is_name))
            });
            if !allowed {
                let end = path.find(|letter| !is_name(letter) && letter != ':');
                found.push(format!("{root}::{}", &path[..end.unwrap_or(path.len())]));
            }
        }
    }
    found
}

#[test]
fn the_sources_name_nothing_that_reaches_outside() {
    let mut paths = Vec::new();
    sources(&crate_folder().join("src"), &mut paths);
    assert!(paths.len() > 20, "only {} sources were found", paths.len());
    let mut found = Vec::new();
    for path in paths {
        let code = code(&fs::read_to_string(&path).unwrap());
        let name = path.strip_prefix(crate_folder()).unwrap().display().to_string();
        found.extend(forbidden(&code).into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(found.is_empty(), "not for this crate:\n{}", found.join("\n"));
}

#[test]
fn the_search_finds_every_way_to_name_a_module() {
    for (source, expected) in [
        ("use std::fs;", vec!["std::fs"]),
        ("use std::{fmt, net};", vec!["std::"]),
        ("use std as other;", vec!["std"]),
        ("extern crate std;", vec!["std"]),
        ("let now = ::std::time::Instant::now();", vec!["std::time::Instant::now"]),
        ("std::thread::spawn(f)", vec!["std::thread::spawn"]),
        ("use std::io::Write as _;", vec!["std::io::Write"]),
        (
            "use std::sync::Mutex;\nuse core::arch::asm;",
            vec!["std::sync::Mutex", "core::arch::asm"],
        ),
        ("std::format_args!()", vec!["std::format_args"]),
        ("use std::fmt::Write; // std::env\nuse std::sync::LazyLock;", vec![]),
        ("use reshelve_core::raw; mystd::fs(); self.alloc::<u8>();", vec![]),
        ("a()\n#[cfg(test)]\nmod tests { use std::fs; }", vec![]),
    ] {
        assert_eq!(forbidden(&code(source)), expected, "{source}");
    }
}

#[test]
fn no_dependency_came_in_unseen() {
    let manifest = fs::read_to_string(crate_folder().join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap();
    let section = section.split("\n[").next().unwrap();
    let names = section.lines().filter(|line| !line.is_empty());
    let names: Vec<&str> = names.map(|line| line.split(['.', ' ', '=']).next().unwrap()).collect();
    assert_eq!(names, DEPENDENCIES);
    for other in ["\n[target.", "\n[build-dependencies]"] {
        assert!(!manifest.contains(other), "Cargo.toml holds {other}");
    }
}

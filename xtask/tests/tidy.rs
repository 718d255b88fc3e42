//! Rules of the house that no compiler knows: purpose lines, file lengths, nothing left behind.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// What a file should stay below.
const LINES_AIM: usize = 400;
/// What no file may pass.
const LINES_MAX: usize = 600;

/// Words that mark unfinished work, split so that this file does not hold them itself.
const BANNED: [(&str, &str); 3] = [("todo", "!"), ("dbg", "!"), ("unimplemented", "!")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Every Rust file of the project, with its text.
fn rust_files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for folder in ["crates", "fuzz", "xtask"] {
        walk(&root().join(folder), &mut found);
    }
    found.sort();
    assert!(found.len() > 10, "the walk finds almost nothing: it looks in the wrong place");
    found
}

fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Build output and what the fuzzer grows are not ours.
        if name.starts_with('.') || ["target", "corpus", "artifacts"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
        }
    }
}

fn assert_none(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

#[test]
fn every_file_says_what_it_is_for() {
    let offenders: Vec<String> = rust_files()
        .iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none("these files do not open with `//!`", &offenders);
}

#[test]
fn no_file_is_too_long() {
    let mut offenders = Vec::new();
    for (path, text) in rust_files() {
        let lines = text.lines().count();
        if lines > LINES_AIM {
            println!("{} has {lines} lines, more than the {LINES_AIM} we aim at", path.display());
        }
        if lines > LINES_MAX {
            offenders.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert_none(&format!("these files have more than {LINES_MAX} lines"), &offenders);
}

#[test]
fn no_line_ends_in_white_space() {
    let mut offenders = Vec::new();
    for (path, text) in rust_files() {
        for (at, line) in text.split('\n').enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                offenders.push(format!("{}:{}", path.display(), at + 1));
            }
        }
        if !text.ends_with('\n') || text.ends_with("\n\n") {
            offenders.push(format!("{}: does not end with one newline", path.display()));
        }
    }
    assert_none("white space at the end of lines", &offenders);
}

#[test]
fn nothing_unfinished_is_left_behind() {
    let mut offenders = Vec::new();
    for (path, text) in rust_files() {
        for (at, line) in text.lines().enumerate() {
            if let Some((word, _)) =
                BANNED.iter().find(|(word, mark)| line.contains(&format!("{word}{mark}")))
            {
                offenders.push(format!("{}:{} holds {word}", path.display(), at + 1));
            }
        }
    }
    assert_none("unfinished work", &offenders);
}

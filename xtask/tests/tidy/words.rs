//! What no file may hold or lack: its purpose, unfinished work, loose spaces, traces of one machine.

use std::fs;

use crate::assert_none;
use crate::sources::{files, from_root, rust_files};

/// Words that mark unfinished work, split so that this file does not hold them itself.
const UNFINISHED: [(&str, &str); 3] = [("todo", "!"), ("dbg", "!"), ("unimplemented", "!")];

/// Traces of the place where something was written, which mean nothing to any other reader. Split
/// for the same reason.
const TRACES: [(&str, &str); 10] = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/tmp/ba", "sh"),
    ("/Us", "ers/"),
    ("C:\\Us", "ers"),
    ("as an A", "I "),
    ("anth", "ropic"),
    ("cla", "ude"),
    ("chat", "gpt"),
];

/// What holds text. Other files, such as dumps, hold whatever their origin put in.
const TEXT_ENDINGS: [&str; 11] =
    ["rs", "md", "toml", "py", "mjs", "json", "css", "yml", "yaml", "sh", "run"];

#[test]
fn every_file_says_what_it_is_for() {
    let offenders: Vec<String> = rust_files()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path)
        .collect();
    assert_none("these files do not open with `//!`", &offenders);
}

#[test]
fn no_line_ends_in_white_space() {
    let mut offenders = Vec::new();
    for source in rust_files() {
        for (at, line) in source.text.split('\n').enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                offenders.push(format!("{}:{}", source.path, at + 1));
            }
        }
        if !source.text.ends_with('\n') || source.text.ends_with("\n\n") {
            offenders.push(format!("{}: does not end with one newline", source.path));
        }
    }
    assert_none("white space at the end of lines", &offenders);
}

#[test]
fn nothing_unfinished_is_left_behind() {
    let mut offenders = Vec::new();
    for source in rust_files() {
        for (at, line) in source.text.lines().enumerate() {
            let holds = |(word, mark): &(&str, &str)| line.contains(&format!("{word}{mark}"));
            if let Some((word, _)) = UNFINISHED.iter().find(|pair| holds(pair)) {
                offenders.push(format!("{}:{} holds {word}", source.path, at + 1));
            }
        }
    }
    assert_none("unfinished work", &offenders);
}

#[test]
fn no_file_tells_where_it_was_written() {
    let traces = TRACES.map(|(one, other)| format!("{one}{other}").to_lowercase());
    let mut offenders = Vec::new();
    let mut read = 0;
    for path in files(&[""]) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let ending = name.rsplit('.').next().unwrap();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if !TEXT_ENDINGS.contains(&ending) {
            continue;
        }
        read += 1;
        for (at, line) in text.to_lowercase().lines().enumerate() {
            if let Some(trace) = traces.iter().find(|trace| line.contains(trace.as_str())) {
                offenders.push(format!("{}:{} holds {trace}", from_root(&path), at + 1));
            }
        }
    }
    assert!(read > 200, "only {read} files are read");
    assert_none("traces of one machine or tool", &offenders);
}

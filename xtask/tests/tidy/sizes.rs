//! How long files and functions may be: what does not fit on a screen is not read.

use crate::assert_none;
use crate::sources::{Source, rust_files};

/// What a file should stay below.
const FILE_LINES_AIM: usize = 400;
/// What no file may pass, whatever its reason.
const FILE_LINES_MAX: usize = 600;
/// What no function may pass, from its name to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Files above the aim, and why. To be cut one by one.
const LONG_FILES: &[(&str, &str)] =
    &[("crates/reshelve-cli/tests/live.rs", "tests that share a server and a database")];

/// Functions above the limit, and why. To be cut one by one.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

#[test]
fn no_file_is_too_long() {
    let mut offenders = Vec::new();
    let mut long = Vec::new();
    for source in rust_files() {
        let lines = source.text.lines().count();
        let excused = LONG_FILES.iter().any(|(path, _)| *path == source.path);
        if lines > FILE_LINES_MAX || lines > FILE_LINES_AIM && !excused {
            offenders.push(format!("{}: {lines} lines", source.path));
        }
        if lines > FILE_LINES_AIM {
            long.push(source.path);
        }
    }
    for (path, _) in LONG_FILES.iter().filter(|(path, _)| !long.iter().any(|long| long == path)) {
        offenders.push(format!("{path}: no longer too long; remove it from LONG_FILES"));
    }
    assert_none(&format!("files aim at {FILE_LINES_AIM} lines"), &offenders);
}

/// The functions of a file: the line where each begins, its name, and how many lines it has.
fn functions(source: &Source) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = source.code.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((before, name)) = line.split_once("fn ") else { continue };
        if !before.is_empty() && !before.ends_with(' ') {
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        // Formatted code closes a function where it began; one without a body has a semicolon.
        let closes = format!("{indent}}}");
        let end = lines[at..].iter().position(|line| {
            line.starts_with(&closes)
                || line.trim_end().ends_with(['}', ';'])
                    && line.starts_with(indent)
                    && !line[indent.len()..].starts_with(' ')
        });
        let name = name.split(['(', '<']).next().unwrap().to_owned();
        found.push((at + 1, name, end.map_or(1, |end| end + 1)));
    }
    found
}

#[test]
fn no_function_is_too_long() {
    let mut offenders = Vec::new();
    let mut long = Vec::new();
    let mut counted = 0;
    for source in rust_files() {
        for (line, name, lines) in functions(&source) {
            counted += 1;
            if lines <= FUNCTION_LINES_MAX {
                continue;
            }
            let key = format!("{} {name}", source.path);
            if !LONG_FUNCTIONS.iter().any(|(long, _)| *long == key) {
                offenders.push(format!("{}:{line} {name} has {lines} lines", source.path));
            }
            long.push(key);
        }
    }
    assert!(counted > 1000, "only {counted} functions are found");
    for (key, _) in LONG_FUNCTIONS.iter().filter(|(key, _)| !long.iter().any(|long| long == key)) {
        offenders.push(format!("{key}: no longer too long; remove it from LONG_FUNCTIONS"));
    }
    assert_none(&format!("functions have at most {FUNCTION_LINES_MAX} lines"), &offenders);
}

#[test]
fn lines_of_functions_are_counted() {
    let text = "pub(crate) fn one() -> u8 {\n    1\n}\n\nimpl X {\n    fn two(\n        a: u8,\n    ) {\n        b();\n    }\n    fn three();\n}\nfn four() {}\n";
    let source = Source { path: String::new(), text: text.to_owned(), code: text.to_owned() };
    let expected = [(1, "one", 3), (6, "two", 5), (11, "three", 1), (13, "four", 1)]
        .map(|(line, name, lines)| (line, name.to_owned(), lines));
    assert_eq!(functions(&source), expected);
}

//! The Rust files of the project: their text, and their code without comments, texts and tests.

use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

/// A Rust file.
pub(crate) struct Source {
    /// From the root of the workspace, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The text with spaces in the place of comments and of what quotes hold: line by line the same.
    pub(crate) code: String,
}

impl Source {
    /// The code without items that are for tests alone; empty where the file is such an item.
    pub(crate) fn shipped(&self) -> String {
        let name = self.path.rsplit('/').next().unwrap();
        let for_tests = self.path.contains("/tests/") || self.path.contains("/benches/");
        if for_tests || name == "tests.rs" || name.ends_with("_tests.rs") {
            return String::new();
        }
        without_test_items(&self.code)
    }

    /// Whether the file is part of what a crate ships.
    pub(crate) fn is_in_crate(&self) -> bool {
        self.path.starts_with("crates/") && self.path.contains("/src/")
    }
}

/// Every Rust file of the project, sorted by path.
pub(crate) fn rust_files() -> Vec<Source> {
    let found: Vec<Source> = files(&["crates", "fuzz", "xtask"])
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let code = blanked(&text);
            Source { path: from_root(&path), text, code }
        })
        .collect();
    assert!(found.len() > 10, "the walk finds almost nothing: it looks in the wrong place");
    found
}

/// Every file below these folders of the workspace, but for build output and what tools grow.
pub(crate) fn files(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &mut found);
    }
    found.sort();
    found
}

pub(crate) fn from_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    const NOT_OURS: [&str; 7] = [
        ".git",
        "corpus",
        "artifacts",
        "node_modules",
        "__pycache__",
        ".reshelve",
        "reshelve-demo",
    ];
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Build output lies beside a manifest; a folder of sources may have that name too.
        let is_build_output = name == "target" && folder.join("Cargo.toml").is_file();
        if is_build_output || NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Puts spaces in the place of comments and of what stands in quotes.
fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = out.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => quoted(rest),
            'r' | 'b' | 'c' if !after_word => raw_string(rest).unwrap_or(0),
            '\'' => character(rest),
            _ => 0,
        };
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (gone, left) = rest.split_at(length);
            out.extend(gone.chars().map(|each| if each == '\n' { '\n' } else { ' ' }));
            rest = left;
        }
    }
    out
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a text in quotes, from its opening quote on.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, each) in text.char_indices().skip(1) {
        match each {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `r"…"`, `br#"…"#` and the like, of `b"…"`, or nothing where it is a word.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = text.find(|each: char| !matches!(each, 'b' | 'c' | 'r'))?;
    let raw = text[..prefix].contains('r');
    let rest = &text[prefix..];
    if !raw {
        return rest.starts_with('"').then(|| prefix + quoted(rest));
    }
    let hashes = rest.find(|each| each != '#')?;
    let body = rest[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(prefix + hashes + 1 + body.find(&end)? + end.len())
}

/// The length of a character in quotes, or 0 where the quote begins a lifetime.
fn character(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => text[2..].find('\'').map_or(0, |at| {
            // `'\''` holds a quote itself.
            if at == 0 || text[2..].starts_with("\\'") { 4 } else { at + 3 }
        }),
        Some((at, letter)) if text[at + letter.len_utf8()..].starts_with('\'') => {
            at + letter.len_utf8() + 1
        }
        _ => 0,
    }
}

/// Blanks each item after `#[cfg(test)]`.
fn without_test_items(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        let item = &rest[at..];
        let end = end_of_item(item, MARK.len());
        out.extend(item[..end].chars().map(|each| if each == '\n' { '\n' } else { ' ' }));
        rest = &item[end..];
    }
    out.push_str(rest);
    out
}

/// Where an item ends: at its semicolon or closing brace, whichever is outside all brackets.
fn end_of_item(code: &str, from: usize) -> usize {
    let mut depth = 0;
    for (at, each) in code.char_indices().skip_while(|&(at, _)| at < from) {
        match each {
            '{' | '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '}' => {
                depth -= 1;
                if depth == 0 && !code[at + 1..].trim_start().starts_with(';') {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn comments_and_quotes_are_blanked() {
    for (text, expected) in [
        ("a // crate::b\nc", "a            \nc"),
        ("/* x /* y */ */ z", "                z"),
        ("f(\"crate::x \\\" y\") + 1", "f(               ) + 1"),
        ("r#\"a\"b\"# c", "         c"),
        ("b\"x\" bar r", "     bar r"),
        ("'\"' + '\\'' + '\\n' + b'\\\\'", "    +      +      + b    "),
        ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
        ("'é' x", "    x"),
    ] {
        let blank = blanked(text);
        assert_eq!(blank.trim_end(), expected.trim_end(), "{text}");
        assert_eq!(blank.lines().count(), text.lines().count());
    }
}

#[test]
fn items_of_tests_are_blanked() {
    let code = "use a;\n#[cfg(test)]\nuse b::{c, d};\nfn e() {}\n#[cfg(test)]\nmod tests {\n  fn f() {}\n}\nfn g() {}\n";
    let shipped = without_test_items(code);
    assert_eq!(
        shipped.split_whitespace().collect::<Vec<_>>().join(" "),
        "use a; fn e() {} fn g() {}"
    );
    assert_eq!(shipped.lines().count(), code.lines().count());
}

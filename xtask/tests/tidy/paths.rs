//! The paths that code names: `crate::dump::open`, each branch of `std::{fs, io::Read}`.

/// A path, and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
}

impl Named {
    pub(crate) fn text(&self) -> String {
        self.segments.join("::")
    }

    pub(crate) fn starts_with(&self, prefix: &[&str]) -> bool {
        self.segments.len() >= prefix.len()
            && prefix.iter().zip(&self.segments).all(|(one, other)| one == other)
    }
}

/// Every path that begins with one of these names, from blanked code.
pub(crate) fn paths(code: &str, first: &[&str]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((start, word)) = next_word(code, at) {
        at = start + word.len();
        let before = code[..start].trim_end();
        let begins = !before.ends_with("::") && !before.ends_with('.') && !before.ends_with('\'');
        if !begins || !first.contains(&word) {
            continue;
        }
        let line = code[..start].matches('\n').count() + 1;
        let imported = before.ends_with("use") || code[at..].trim_start().starts_with("::");
        if imported {
            let mut branches = Vec::new();
            branch(&code[start..], Vec::new(), &mut branches);
            found.extend(branches.into_iter().map(|segments| Named { line, segments }));
        }
    }
    found
}

fn next_word(code: &str, from: usize) -> Option<(usize, &str)> {
    let is_word = |each: char| each.is_alphanumeric() || each == '_';
    let start = from + code[from..].find(is_word)?;
    let length = code[start..].find(|each| !is_word(each)).unwrap_or(code.len() - start);
    Some((start, &code[start..start + length]))
}

/// Follows a path into its branches, and gives the code after it.
fn branch<'c>(code: &'c str, mut so_far: Vec<String>, found: &mut Vec<Vec<String>>) -> &'c str {
    let code = code.trim_start();
    if let Some(group) = code.strip_prefix('{') {
        let mut rest = group.trim_start();
        while !rest.starts_with('}') && !rest.is_empty() {
            rest = branch(rest, so_far.clone(), found).trim_start();
            // ` as name` and commas part the branches.
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            rest = rest[end..].trim_start_matches(',').trim_start();
        }
        return rest.strip_prefix('}').unwrap_or(rest);
    }
    match next_word(code, 0) {
        Some((0, word)) => {
            if word != "self" || so_far.is_empty() {
                so_far.push(word.to_owned());
            }
            let rest = &code[word.len()..];
            match rest.trim_start().strip_prefix("::") {
                Some(further) if further.trim_start().starts_with('<') => {
                    found.push(so_far);
                    further
                }
                Some(further) => branch(further, so_far, found),
                None => {
                    found.push(so_far);
                    rest
                }
            }
        }
        _ => {
            // `*`: what it brings in is below what was named.
            found.push(so_far);
            code.strip_prefix('*').unwrap_or(code)
        }
    }
}

#[test]
fn every_branch_of_a_path_is_found() {
    let code = "use std::{\n  fs::{self, File},\n  io as input,\n};\nuse crate::a::*;\n\
                let x: Vec<crate::b::C> = crate::d::<u8>(std::e!()); pub(crate) fn f() {}\n\
                use super::super::{g::H, i}; my::crate::no; use std as other;";
    let found = paths(code, &["std", "crate", "super"]);
    let found: Vec<(usize, String)> =
        found.into_iter().map(|named| (named.line, named.text())).collect();
    let expected = [
        (1, "std::fs"),
        (1, "std::fs::File"),
        (1, "std::io"),
        (5, "crate::a"),
        (6, "crate::b::C"),
        (6, "crate::d"),
        (6, "std::e"),
        (7, "super::super::g::H"),
        (7, "super::super::i"),
        (7, "std"),
    ];
    let expected: Vec<(usize, String)> =
        expected.into_iter().map(|(line, text)| (line, text.to_owned())).collect();
    assert_eq!(found, expected);
}

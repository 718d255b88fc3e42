//! The table of bounds in `ARCHITECTURE.md`: every constant that it names is where it says.

use std::fs;

use crate::sources::{Source, rust_files};
use crate::{assert_none, root};

/// How the table begins.
const TABLE: &str = "| what | bound | name |";

/// What stands between backticks, in order.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn is_constant(name: &str) -> bool {
    let is_part =
        |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    name.starts_with(|first: char| first.is_ascii_uppercase()) && name.chars().all(is_part)
}

/// Whether a source lies where the table says: a file by the end of its path, a folder by a part of
/// it, both with or without `src`.
fn lies_in(source: &Source, place: &str) -> bool {
    let place = place.trim_end_matches('/').replace("/src/", "/");
    let path = source.path.replace("/src/", "/");
    match place.strip_suffix(".rs") {
        Some(_) => path.ends_with(&format!("/{place}")),
        None => format!("{path}/").contains(&format!("/{place}/")),
    }
}

fn declares(source: &Source, name: &str) -> bool {
    source.code.contains(&format!("const {name}:"))
}

#[test]
fn bounds_are_where_the_architecture_says() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, table) = text.split_once(TABLE).unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let sources = rust_files();
    let (mut offenders, mut checked) = (Vec::new(), 0);
    for row in rows.filter(|row| !row.starts_with("|-")) {
        let where_it_is = row.trim_end_matches(" |").rsplit_once(" | ").unwrap().1;
        let mut place = None;
        for name in quoted(where_it_is) {
            if !is_constant(name) {
                // A type, a crate that says of which `lookup` a file is, or a place.
                if name.contains('/') || name.ends_with(".rs") {
                    place = Some(name);
                    if !sources.iter().any(|source| lies_in(source, name)) {
                        offenders.push(format!("`{name}` is not there: {row}"));
                    }
                }
                continue;
            }
            checked += 1;
            let is_there = sources.iter().any(|source| {
                declares(source, name) && place.is_none_or(|place| lies_in(source, place))
            });
            if !is_there {
                offenders.push(format!("`{name}` is not in `{}`", place.unwrap_or("crates")));
            }
        }
    }
    assert!(checked > 100, "only {checked} constants were found in the table");
    assert_none("the table of bounds in ARCHITECTURE.md", &offenders);
}

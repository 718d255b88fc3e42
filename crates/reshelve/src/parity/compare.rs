//! Where two documents differ.

use crate::extjson::{Style, write_value};
use crate::raw::{Document, Value, kind};

/// At most so many differences of one document are named.
const DIFFERENCES_MAX: usize = 20;
/// Values are shown up to this many bytes of text.
const VALUE_BYTES_MAX: usize = 200;

/// One place where two documents differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The path in the target document, names and positions joined with dots.
    pub path: String,
    /// What should be there, as canonical Extended JSON; none where nothing should.
    pub expected: Option<String>,
    /// What is there; none where nothing is.
    pub actual: Option<String>,
}

/// Compares two documents that are known to differ; never returns an empty list.
pub(crate) fn differences(expected: &[u8], actual: &[u8]) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(Document::new(expected), Document::new(actual), "", &mut found);
    if found.is_empty() {
        // The same values in other bytes: array keys, or bytes that no walk reaches.
        let at = expected.iter().zip(actual).take_while(|(one, other)| one == other).count();
        let bytes =
            |bytes: &[u8]| Some(format!("{} bytes, differing from byte {at} on", bytes.len()));
        let (expected, actual) = (bytes(expected), bytes(actual));
        found.push(Difference { path: String::new(), expected, actual });
    }
    found.truncate(DIFFERENCES_MAX);
    found
}

fn compare(expected: Document<'_>, actual: Document<'_>, path: &str, found: &mut Vec<Difference>) {
    let (mut left, mut right) = (expected.elements(), actual.elements());
    loop {
        if found.len() >= DIFFERENCES_MAX {
            return;
        }
        let (one, other) = (left.next(), right.next());
        match (one, other) {
            (None, None) => return,
            (Some(one), Some(other)) if one.name == other.name => {
                compare_values(one.value, other.value, &join(path, &one.name_text()), found);
            }
            _ => return compare_by_name(expected, actual, path, found),
        }
    }
}

/// Fields were added, lost or moved: each is looked up by its name.
fn compare_by_name(
    expected: Document<'_>,
    actual: Document<'_>,
    path: &str,
    found: &mut Vec<Difference>,
) {
    let before = found.len();
    for element in expected.elements() {
        let path = join(path, &element.name_text());
        match actual.elements().find(|other| other.name == element.name) {
            Some(other) => compare_values(element.value, other.value, &path, found),
            None => {
                found.push(Difference { path, expected: Some(show(element.value)), actual: None })
            }
        }
    }
    for element in actual.elements() {
        if !expected.elements().any(|other| other.name == element.name) {
            let path = join(path, &element.name_text());
            found.push(Difference { path, expected: None, actual: Some(show(element.value)) });
        }
    }
    if found.len() == before {
        let names = |document: Document<'_>| {
            let names: Vec<String> =
                document.elements().map(|element| element.name_text().into_owned()).collect();
            Some(format!("fields in the order {}", names.join(", ")))
        };
        let path = path.to_owned();
        found.push(Difference { path, expected: names(expected), actual: names(actual) });
    }
}

fn compare_values(one: Value<'_>, other: Value<'_>, path: &str, found: &mut Vec<Difference>) {
    if one == other || found.len() >= DIFFERENCES_MAX {
        return;
    }
    if one.kind == other.kind && matches!(one.kind, kind::DOCUMENT | kind::ARRAY) {
        let before = found.len();
        compare(Document::new(one.bytes), Document::new(other.bytes), path, found);
        if found.len() > before {
            return;
        }
    }
    let (expected, actual) = (Some(show(one)), Some(show(other)));
    found.push(Difference { path: path.to_owned(), expected, actual });
}

/// A value as text, cut where it is long.
pub(crate) fn show(value: Value<'_>) -> String {
    let mut text = Vec::new();
    write_value(&mut text, value, Style::Canonical);
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if text.len() > VALUE_BYTES_MAX {
        let end = (0..=VALUE_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

fn join(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

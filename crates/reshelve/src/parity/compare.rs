//! Where two documents differ.

use reshelve_core::extjson::{Style, write_value};
use reshelve_core::raw::{self, Document, Value, kind};

/// How many differences of one document are reported.
const DIFFERENCES_MAX: usize = 20;
/// How many bytes of a value's text are shown.
const VALUE_BYTES_MAX: usize = 200;

/// One place where two documents differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The path in the target document, names and positions joined with dots.
    pub path: String,
    /// What should be there, as canonical Extended JSON; `None` if nothing should.
    pub expected: Option<String>,
    /// What is there; `None` if nothing is.
    pub actual: Option<String>,
}

/// Compares an expected document with another one that is known to differ, and may be malformed;
/// never returns an empty list.
pub(crate) fn differences(expected: &[u8], actual: &[u8]) -> Vec<Difference> {
    let mut found = Vec::new();
    let is_readable = raw::check(actual).is_ok();
    if is_readable {
        compare(Document::new(expected), Document::new(actual), "", &mut found);
    }
    if found.is_empty() {
        // The same values in other bytes, such as array keys; or bytes that the comparison does not
        // reach.
        let at = expected.iter().zip(actual).take_while(|(one, other)| one == other).count();
        let (path, value) = place_of(Document::new(expected), at);
        let what = if is_readable { "" } else { ", not a well-formed document" };
        let text = format!("{} bytes, which differ from byte {at} on{what}", actual.len());
        let expected = Some(value.map_or_else(|| format!("{} bytes", expected.len()), show));
        found.push(Difference { path, expected, actual: Some(text) });
    }
    found.truncate(DIFFERENCES_MAX);
    found
}

/// The innermost element that a byte of a well-formed document belongs to.
fn place_of(document: Document<'_>, at: usize) -> (String, Option<Value<'_>>) {
    let (mut path, mut value) = (String::new(), None);
    let (mut document, mut at) = (document, at);
    'deeper: loop {
        for element in document.elements() {
            // Type, name, zero, value.
            let body = element.offset + 1 + element.name.len() + 1;
            let end = body + element.value.bytes.len();
            if !(element.offset..end).contains(&at) {
                continue;
            }
            path = join(&path, &element.name_text());
            value = Some(element.value);
            if at >= body && matches!(element.value.kind, kind::DOCUMENT | kind::ARRAY) {
                document = Document::new(element.value.bytes);
                at -= body;
                continue 'deeper;
            }
            break;
        }
        return (path, value);
    }
}

fn compare(expected: Document<'_>, actual: Document<'_>, path: &str, found: &mut Vec<Difference>) {
    let (mut left, mut right) = (expected.elements(), actual.elements());
    let before = found.len();
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
            _ => {
                // Those before this place are compared again, by their names.
                found.truncate(before);
                return compare_by_name(expected, actual, path, found);
            }
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

/// A value as text, cut if it is long.
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

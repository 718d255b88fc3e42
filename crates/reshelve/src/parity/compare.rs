//! Where two documents differ.

use super::texts::{Texts, show, show_both};
use reshelve_core::raw::{self, Document, Value, kind};

/// How many differences of one document are reported.
const DIFFERENCES_MAX: usize = 20;

/// One place where two documents differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The path in the target document, names and positions joined with dots.
    pub path: String,
    /// What should be there, as canonical Extended JSON or as its shape; `None` if nothing should.
    pub expected: Option<String>,
    /// What is there; `None` if nothing is.
    pub actual: Option<String>,
}

/// What was found, and how it is shown.
struct Found {
    differences: Vec<Difference>,
    texts: Texts,
}

impl Found {
    fn is_full(&self) -> bool {
        self.differences.len() >= DIFFERENCES_MAX
    }

    fn add(&mut self, path: String, expected: Option<String>, actual: Option<String>) {
        self.differences.push(Difference { path, expected, actual });
    }
}

/// Compares an expected document with another one that is known to differ, and may be malformed;
/// never returns an empty list.
pub(crate) fn differences(expected: &[u8], actual: &[u8], texts: Texts) -> Vec<Difference> {
    let mut found = Found { differences: Vec::new(), texts };
    let is_readable = raw::check(actual).is_ok();
    if is_readable {
        compare(Document::new(expected), Document::new(actual), "", &mut found);
    }
    if found.differences.is_empty() {
        // The same values in other bytes, such as array keys; or bytes that the comparison does not
        // reach.
        let at = expected.iter().zip(actual).take_while(|(one, other)| one == other).count();
        let (path, value) = place_of(Document::new(expected), at);
        let what = if is_readable { "" } else { ", not a well-formed document" };
        let text = format!("{} bytes, which differ from byte {at} on{what}", actual.len());
        let whole = || format!("{} bytes", expected.len());
        let expected = value.map_or_else(whole, |value| show(value, texts));
        found.add(path, Some(expected), Some(text));
    }
    found.differences.truncate(DIFFERENCES_MAX);
    found.differences
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

fn compare(expected: Document<'_>, actual: Document<'_>, path: &str, found: &mut Found) {
    let (mut left, mut right) = (expected.elements(), actual.elements());
    let before = found.differences.len();
    loop {
        if found.is_full() {
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
                found.differences.truncate(before);
                return compare_by_name(expected, actual, path, found);
            }
        }
    }
}

/// Fields were added, lost or moved: each is looked up by its name.
fn compare_by_name(expected: Document<'_>, actual: Document<'_>, path: &str, found: &mut Found) {
    let before = found.differences.len();
    for element in expected.elements() {
        let path = join(path, &element.name_text());
        match actual.elements().find(|other| other.name == element.name) {
            Some(other) => compare_values(element.value, other.value, &path, found),
            None => found.add(path, Some(show(element.value, found.texts)), None),
        }
    }
    for element in actual.elements() {
        if !expected.elements().any(|other| other.name == element.name) {
            let path = join(path, &element.name_text());
            found.add(path, None, Some(show(element.value, found.texts)));
        }
    }
    if found.differences.len() == before {
        let texts = found.texts;
        let names = |document: Document<'_>| {
            let names: Vec<String> =
                document.elements().map(|element| element.name_text().into_owned()).collect();
            Some(match texts {
                Texts::Quoted => format!("fields in the order {}", names.join(", ")),
                Texts::Withheld => format!("{} fields, not in the same order", names.len()),
            })
        };
        found.add(path.to_owned(), names(expected), names(actual));
    }
}

fn compare_values(one: Value<'_>, other: Value<'_>, path: &str, found: &mut Found) {
    if one == other || found.is_full() {
        return;
    }
    if one.kind == other.kind && matches!(one.kind, kind::DOCUMENT | kind::ARRAY) {
        let before = found.differences.len();
        compare(Document::new(one.bytes), Document::new(other.bytes), path, found);
        if found.differences.len() > before {
            return;
        }
    }
    let (expected, actual) = show_both(one, other, found.texts);
    found.add(path.to_owned(), Some(expected), Some(actual));
}

fn join(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

//! How a value is shown: quoted, or as its shape if the texts of novels must not be read by whoever
//! reads the result.

use reshelve_core::extjson::{Style, write_value};
use reshelve_core::raw::{Document, Value, kind};

/// How many bytes of a value's text are shown.
const VALUE_BYTES_MAX: usize = 200;
/// How much of what two values have in common is shown before their first difference, in bytes.
const LEAD_BYTES: usize = 60;

/// Whether texts are quoted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Texts {
    /// They are, cut if they are long.
    #[default]
    Quoted,
    /// Only their shape is shown: what they are, and how long. Numbers, dates, ids and the words of
    /// the two schemas are shown as they are.
    Withheld,
}

/// The words that the two schemas define as values: a text that is one of them says nothing about a
/// novel.
const WORDS: [&str; 51] = [
    "ai_completed",
    "ai_generating",
    "analyzing",
    "cancelled",
    "chapter-cost-tracked",
    "chapter-progress",
    "chapter_writing",
    "cleaned_up",
    "completed",
    "cost-tracking",
    "critical",
    "debug",
    "domain",
    "emergency_cleanup",
    "error",
    "failed",
    "finalization",
    "generating",
    "generation",
    "generation-progress",
    "high",
    "in-progress",
    "info",
    "job-completed",
    "job-status",
    "job-status-updated",
    "job-update",
    "legacy",
    "low",
    "medium",
    "mock",
    "novel-generation",
    "openai",
    "outline_generation",
    "outlining",
    "pending",
    "phase-transition",
    "phase-transitioned",
    "planning",
    "premise_analysis",
    "processing",
    "quality_validation",
    "queued",
    "recovering",
    "reshelve",
    "running",
    "stage-log",
    "v1",
    "warn",
    "warning",
    "writing",
];

/// The shape of a text; a word of the schemas, an id or a date is shown as it is.
pub fn shape_of_text(text: &str) -> String {
    if text.is_empty() || says_nothing(text) {
        return text.to_owned();
    }
    counted("text of", text.chars().count(), "character")
}

/// Whether a text is a word of the two schemas, an id or a date: it says nothing about a novel.
pub fn says_nothing(text: &str) -> bool {
    is_word(text) || is_object_id(text) || is_date(text)
}

fn is_word(text: &str) -> bool {
    WORDS.binary_search(&text).is_ok()
}

fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A date as the target stores it.
fn is_date(text: &str) -> bool {
    const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == *form,
        })
}

fn counted(what: &str, count: usize, noun: &str) -> String {
    format!("{what} {count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A value as text.
pub(crate) fn show(value: Value<'_>, texts: Texts) -> String {
    match texts {
        Texts::Quoted => cut(&text_of(value), 0),
        Texts::Withheld => shape(value),
    }
}

/// Two values that differ, so that the difference shows.
pub(crate) fn show_both(one: Value<'_>, other: Value<'_>, texts: Texts) -> (String, String) {
    if texts == Texts::Withheld {
        let (shape, mut other_shape) = (shape(one), shape(other));
        if let (Some(text), Some(other)) = (one.string(), other.string()) {
            let at = 1 + String::from_utf8_lossy(&text[..common(text, other)]).chars().count();
            other_shape.push_str(&format!(", different from character {at} on"));
        } else if shape == other_shape {
            other_shape.push_str(", another one");
        }
        return (shape, other_shape);
    }
    let (text, other) = (text_of(one), text_of(other));
    let same = common(text.as_bytes(), other.as_bytes());
    let is_long = text.len().max(other.len()) > VALUE_BYTES_MAX;
    let from = if is_long { same.saturating_sub(LEAD_BYTES) } else { 0 };
    (cut(&text, from), cut(&other, from))
}

/// How many bytes two texts have in common at their beginning.
fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

fn text_of(value: Value<'_>) -> String {
    let mut text = Vec::new();
    write_value(&mut text, value, Style::Canonical);
    String::from_utf8_lossy(&text).into_owned()
}

/// At most [`VALUE_BYTES_MAX`] bytes of a text, from the character on that holds that byte.
fn cut(text: &str, from: usize) -> String {
    let from = text.floor_char_boundary(from);
    let end = text.floor_char_boundary(from.saturating_add(VALUE_BYTES_MAX));
    let (before, after) =
        (if from > 0 { "…" } else { "" }, if end < text.len() { "…" } else { "" });
    format!("{before}{}{after}", &text[from..end])
}

fn shape(value: Value<'_>) -> String {
    let bytes = |what: &str| counted(what, value.bytes.len(), "byte");
    match value.kind {
        kind::STRING => {
            let text = String::from_utf8_lossy(value.string().unwrap_or_default());
            let shape = shape_of_text(&text);
            if shape == text { text_of(value) } else { shape }
        }
        kind::DOCUMENT => {
            counted("object with", Document::new(value.bytes).elements().count(), "field")
        }
        kind::ARRAY => counted("list of", Document::new(value.bytes).elements().count(), "element"),
        kind::BINARY => bytes("binary data of"),
        kind::REGEX => bytes("regular expression of"),
        kind::CODE | kind::CODE_WITH_SCOPE => bytes("code of"),
        kind::SYMBOL => bytes("symbol of"),
        kind::DB_POINTER => bytes("reference of"),
        // Numbers, dates, ids, and what has no content.
        _ => text_of(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reshelve_core::raw::Writer;

    fn shown(write: impl Fn(&mut Writer), texts: Texts) -> String {
        let mut out = Writer::default();
        let mark = out.begin();
        write(&mut out);
        out.end(mark);
        let bytes = out.into_bytes();
        show(Document::new(&bytes).get("x").unwrap(), texts)
    }

    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn a_shape_says_what_a_value_is_but_not_what_it_says() {
        let withheld = |text: &str| shown(|out| out.string("x", text.as_bytes()), Texts::Withheld);
        assert_eq!(withheld("The élan of Mr. Ox"), "text of 18 characters");
        assert_eq!(withheld("x"), "text of 1 character");
        assert_eq!(withheld("completed"), "\"completed\"");
        assert_eq!(withheld("2025-08-01T10:00:00.000Z"), "\"2025-08-01T10:00:00.000Z\"");
        assert_eq!(withheld("687f22696249a18dd8533d4a"), "\"687f22696249a18dd8533d4a\"");
        let object = |out: &mut Writer| {
            let inside = out.begin_document("x");
            out.string("Anna", b"secret");
            out.end(inside);
        };
        assert_eq!(shown(object, Texts::Withheld), "object with 1 field");
        assert_eq!(shown(|out| out.int32("x", 5), Texts::Withheld), "{\"$numberInt\":\"5\"}");
    }

    #[test]
    fn a_difference_far_inside_a_long_text_is_shown() {
        let mut out = Writer::default();
        let mark = out.begin();
        out.string("one", format!("{}é then this", "long ".repeat(400)).as_bytes());
        out.string("two", format!("{}é then that", "long ".repeat(400)).as_bytes());
        out.end(mark);
        let bytes = out.into_bytes();
        let document = Document::new(&bytes);
        let (one, two) = (document.get("one").unwrap(), document.get("two").unwrap());
        let (expected, actual) = show_both(one, two, Texts::Quoted);
        assert!(expected.starts_with('…') && expected.ends_with("this\""), "{expected}");
        assert!(actual.starts_with('…') && actual.ends_with("that\""), "{actual}");
        let (expected, actual) = show_both(one, two, Texts::Withheld);
        assert_eq!(expected, "text of 2011 characters");
        assert_eq!(actual, "text of 2011 characters, different from character 2010 on");
    }
}

//! Values of target documents, read with cursors, as pages show them. What is absent or of another
//! type is nothing.

use reshelve_core::extjson::parse_iso;
use reshelve_core::raw::{Document, Value, iso, kind};

/// A document that may not be there.
#[derive(Clone, Copy)]
pub(super) struct Part<'d>(Option<Document<'d>>);

impl<'d> Part<'d> {
    pub(super) fn of(bytes: &'d [u8]) -> Self {
        Part(Some(Document::new(bytes)))
    }

    pub(super) fn get(self, name: &str) -> Option<Value<'d>> {
        self.0?.get(name).filter(|value| !value.is_nullish())
    }

    /// A document in it.
    pub(super) fn part(self, name: &str) -> Part<'d> {
        Part(self.get(name).and_then(Value::document))
    }

    /// A document at the end of a path.
    pub(super) fn at(self, path: &[&str]) -> Part<'d> {
        path.iter().fold(self, |part, name| part.part(name))
    }

    /// The values of an array in it.
    pub(super) fn values(self, name: &str) -> impl Iterator<Item = Value<'d>> {
        self.get(name).and_then(Value::array).into_iter().flat_map(Document::values)
    }

    /// The documents of an array in it.
    pub(super) fn parts(self, name: &str) -> Vec<Part<'d>> {
        self.values(name).map(|value| Part(value.document())).collect()
    }

    /// Names and values.
    pub(super) fn elements(self) -> impl Iterator<Item = (String, Value<'d>)> {
        let elements = self.0.into_iter().flat_map(Document::elements);
        elements.map(|element| (element.name_text().into_owned(), element.value))
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_none_or(Document::is_empty)
    }

    /// Whatever stands there, as one line of text; empty for nothing.
    pub(super) fn text(self, name: &str) -> String {
        self.get(name).map(text).unwrap_or_default()
    }

    /// A number.
    pub(super) fn number(self, name: &str) -> Option<f64> {
        self.get(name).and_then(Value::numeric).filter(|number| number.is_finite())
    }

    /// Texts of an array, without empty ones; a single text counts as one.
    pub(super) fn texts(self, name: &str) -> Vec<String> {
        let single = self.get(name).filter(|value| value.array().is_none()).map(text);
        let all = self.values(name).map(text).chain(single);
        all.filter(|text| !text.is_empty()).collect()
    }

    /// A point in time, in milliseconds since 1970: a date, or a text that is one.
    pub(super) fn time_ms(self, name: &str) -> Option<i64> {
        time_in(self.get(name)?)
    }
}

impl<'d> From<Value<'d>> for Part<'d> {
    fn from(value: Value<'d>) -> Self {
        Part(value.document())
    }
}

/// The point in time that a value is: a date, or a text that is one.
pub(super) fn time_in(value: Value<'_>) -> Option<i64> {
    value.date_ms().or_else(|| time_of(std::str::from_utf8(value.string()?).ok()?))
}

/// A value as text: texts as they are, numbers as people write them, what has parts as its parts.
pub(super) fn text(value: Value<'_>) -> String {
    if let Some(text) = value.string() {
        return String::from_utf8_lossy(text).into_owned();
    }
    if let Some(number) = value.numeric() {
        return super::words::decimal(number);
    }
    if let Some(ms) = value.date_ms() {
        return super::words::time(ms);
    }
    if let Some(id) = value.object_id() {
        return reshelve_core::raw::hex(&id);
    }
    match value.kind {
        kind::BOOLEAN if value.boolean() == Some(true) => "yes".to_owned(),
        kind::BOOLEAN => "no".to_owned(),
        kind::ARRAY | kind::DOCUMENT => parts_text(value),
        _ => String::new(),
    }
}

/// How deep parts of parts are shown.
const DEPTH_MAX: usize = 4;

fn parts_text(value: Value<'_>) -> String {
    fn push(value: Value<'_>, depth: usize, out: &mut String) {
        let parts = value.array().or_else(|| value.document());
        let Some(parts) = parts.filter(|_| depth < DEPTH_MAX) else {
            if parts.is_some() {
                out.push('…');
            } else {
                out.push_str(&text(value));
            }
            return;
        };
        for (index, element) in parts.elements().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            if value.kind == kind::DOCUMENT {
                out.push_str(&element.name_text());
                out.push_str(": ");
            }
            push(element.value, depth + 1, out);
        }
    }
    let mut out = String::new();
    push(value, 0, &mut out);
    out
}

/// The time of a text like `2025-07-24T10:00:00.000Z`, the only form that the mapping writes.
pub(super) fn time_of(text: &str) -> Option<i64> {
    let ms = parse_iso(text.as_bytes())?;
    (iso(ms).as_str() == text).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for ms in [0, 1_753_351_200_123, -2_208_988_800_001, 951_782_400_000, 4_107_542_399_999] {
            assert_eq!(time_of(iso(ms).as_str()), Some(ms));
        }
        for odd in ["", "yesterday", "2025-02-30T10:00:00.000Z", "2025-07-24T10:00:00Z"] {
            assert_eq!(time_of(odd), None, "{odd}");
        }
    }
}

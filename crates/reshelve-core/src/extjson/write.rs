//! BSON to Extended JSON text, compact, the way `mongoexport` writes it.
//!
//! The canonical style reads back as the same bytes, except for what the format itself cannot
//! express: the payload of a NaN, the keys of an array that are not its indexes, a non-canonical
//! Decimal128, a Binary of subtype 2 whose inner length is wrong, and documents that look like one
//! of the format's type wrappers.

use super::double::push_double;
use super::scalar::{push_base64, push_integer};
use super::{decimal, quoted};
use crate::raw::{Document, Elements, Value, kind, push_hex};

/// How much of the types the text keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Every type is kept: `{"$numberInt":"1"}`.
    Canonical,
    /// Numbers and dates for people: `1`, `{"$date":"2025-07-20T17:24:32.733Z"}`.
    Relaxed,
}

/// Appends a document as text. Text that is not UTF-8 (in a document that was not checked) is
/// replaced, so that the output is always valid.
pub fn write_document(out: &mut Vec<u8>, document: Document<'_>, style: Style) {
    write_value(out, Value { kind: kind::DOCUMENT, bytes: document.bytes() }, style);
}

/// Appends a value as text; see [`write_document`].
pub fn write_value(out: &mut Vec<u8>, value: Value<'_>, style: Style) {
    // Documents can be nested as deeply as their bytes allow: the stack is not the thread's.
    let mut open = Vec::new();
    begin(out, value, style, &mut open);
    while let Some(top) = open.last_mut() {
        let Some(element) = top.elements.next() else {
            out.extend_from_slice(top.closing);
            open.pop();
            continue;
        };
        if !std::mem::replace(&mut top.first, false) {
            out.push(b',');
        }
        if !top.array {
            quoted::push(out, element.name);
            out.push(b':');
        }
        begin(out, element.value, style, &mut open);
    }
}

struct Open<'a> {
    elements: Elements<'a>,
    array: bool,
    first: bool,
    closing: &'static [u8],
}

/// Writes a scalar, or opens what holds elements.
fn begin<'a>(out: &mut Vec<u8>, value: Value<'a>, style: Style, open: &mut Vec<Open<'a>>) {
    let (bytes, array, closing) = match value.kind {
        kind::DOCUMENT => (value.bytes, false, b"}".as_slice()),
        kind::ARRAY => (value.bytes, true, b"]".as_slice()),
        kind::CODE_WITH_SCOPE => {
            let (code, scope) = code_and_scope(value.bytes);
            out.extend_from_slice(b"{\"$code\":");
            quoted::push(out, code);
            out.extend_from_slice(b",\"$scope\":");
            (scope, false, b"}}".as_slice())
        }
        _ => return scalar_value(out, value, style),
    };
    out.push(if array { b'[' } else { b'{' });
    let elements = Document::new(bytes).elements();
    open.push(Open { elements, array, first: true, closing });
}

fn scalar_value(out: &mut Vec<u8>, value: Value<'_>, style: Style) {
    let canonical = style == Style::Canonical;
    match value.kind {
        kind::STRING => quoted::push(out, text_of(value.bytes)),
        kind::BOOLEAN => out.extend_from_slice(if value.bytes == [0] { b"false" } else { b"true" }),
        kind::INT32 => {
            integer(out, "$numberInt", i64::from(i32::from_le_bytes(head(value.bytes))), canonical)
        }
        kind::INT64 => {
            integer(out, "$numberLong", i64::from_le_bytes(head(value.bytes)), canonical)
        }
        kind::DOUBLE => double(out, f64::from_le_bytes(head(value.bytes)), canonical),
        kind::DATE => date(out, i64::from_le_bytes(head(value.bytes)), canonical),
        kind::OBJECT_ID => object_id(out, value.bytes),
        kind::BINARY => binary(out, value.bytes),
        kind::DECIMAL128 => {
            out.extend_from_slice(b"{\"$numberDecimal\":\"");
            decimal::push(out, u128::from_le_bytes(head(value.bytes)));
            out.extend_from_slice(b"\"}");
        }
        kind::TIMESTAMP => {
            let [increment, seconds] = halves(u64::from_le_bytes(head(value.bytes)));
            out.extend_from_slice(b"{\"$timestamp\":{\"t\":");
            push_integer(out, i64::from(seconds));
            out.extend_from_slice(b",\"i\":");
            push_integer(out, i64::from(increment));
            out.extend_from_slice(b"}}");
        }
        kind::REGEX => regex(out, value.bytes),
        kind::CODE => wrapped_text(out, "$code", text_of(value.bytes)),
        kind::SYMBOL => wrapped_text(out, "$symbol", text_of(value.bytes)),
        kind::DB_POINTER => {
            let split = value.bytes.len().saturating_sub(12);
            out.extend_from_slice(b"{\"$dbPointer\":{\"$ref\":");
            quoted::push(out, text_of(value.bytes.get(..split).unwrap_or(&[])));
            out.extend_from_slice(b",\"$id\":");
            object_id(out, value.bytes.get(split..).unwrap_or(&[]));
            out.extend_from_slice(b"}}");
        }
        kind::UNDEFINED => out.extend_from_slice(b"{\"$undefined\":true}"),
        kind::MIN_KEY => out.extend_from_slice(b"{\"$minKey\":1}"),
        kind::MAX_KEY => out.extend_from_slice(b"{\"$maxKey\":1}"),
        _ => out.extend_from_slice(b"null"),
    }
}

/// The bytes of a number; zeros where a value that was not checked is too short.
fn head<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

/// The low and the high half.
fn halves(number: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

/// The text of a value that is a length, text, and a closing zero.
fn text_of(bytes: &[u8]) -> &[u8] {
    bytes.get(4..bytes.len().saturating_sub(1)).unwrap_or(&[])
}

fn code_and_scope(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = usize::try_from(i32::from_le_bytes(head(bytes.get(4..).unwrap_or(&[]))));
    let end = length.unwrap_or(0).saturating_add(8);
    let code = bytes.get(4..end).map_or(&[][..], text_of);
    (code, bytes.get(end..).unwrap_or(&[]))
}

fn wrapped_text(out: &mut Vec<u8>, key: &str, text: &[u8]) {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    quoted::push(out, text);
    out.push(b'}');
}

fn integer(out: &mut Vec<u8>, key: &str, number: i64, canonical: bool) {
    if !canonical {
        return push_integer(out, number);
    }
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":\"");
    push_integer(out, number);
    out.extend_from_slice(b"\"}");
}

fn double(out: &mut Vec<u8>, number: f64, canonical: bool) {
    if !canonical && number.is_finite() {
        return push_double(out, number);
    }
    out.extend_from_slice(b"{\"$numberDouble\":\"");
    if number.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if number.is_infinite() {
        out.extend_from_slice(if number > 0.0 { b"Infinity" } else { b"-Infinity" });
    } else {
        push_double(out, number);
    }
    out.extend_from_slice(b"\"}");
}

fn date(out: &mut Vec<u8>, date_ms: i64, canonical: bool) {
    out.extend_from_slice(b"{\"$date\":");
    if canonical || !(0..=crate::raw::DATE_MAX).contains(&date_ms) {
        integer(out, "$numberLong", date_ms, true);
    } else {
        let iso = crate::raw::iso(date_ms);
        // The driver's layout drops the zeros that end a fraction.
        let mut end = 23;
        while iso.as_bytes()[end - 1] == b'0' && end > 20 {
            end -= 1;
        }
        let end = if end == 20 { 19 } else { end };
        out.push(b'"');
        out.extend_from_slice(&iso.as_bytes()[..end]);
        out.extend_from_slice(b"Z\"");
    }
    out.push(b'}');
}

fn object_id(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{\"$oid\":\"");
    push_hex(out, bytes);
    out.extend_from_slice(b"\"}");
}

fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    let subtype = bytes.get(4).copied().unwrap_or(0);
    let mut content = bytes.get(5..).unwrap_or(&[]);
    // The old subtype repeats the length inside; the text form leaves it out.
    if subtype == 2
        && let Some((inner, rest)) = content.split_first_chunk::<4>()
        && usize::try_from(i32::from_le_bytes(*inner)) == Ok(rest.len())
    {
        content = rest;
    }
    out.extend_from_slice(b"{\"$binary\":{\"base64\":\"");
    push_base64(out, content);
    out.extend_from_slice(b"\",\"subType\":\"");
    push_hex(out, &[subtype]);
    out.extend_from_slice(b"\"}}");
}

fn regex(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut parts = bytes.split(|&byte| byte == 0);
    out.extend_from_slice(b"{\"$regularExpression\":{\"pattern\":");
    quoted::push(out, parts.next().unwrap_or(&[]));
    out.extend_from_slice(b",\"options\":");
    quoted::push(out, parts.next().unwrap_or(&[]));
    out.extend_from_slice(b"}}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_drop_trailing_zeros() {
        for (date_ms, text) in [
            (0, r#"{"$date":"1970-01-01T00:00:00Z"}"#),
            (120, r#"{"$date":"1970-01-01T00:00:00.12Z"}"#),
            (1_001, r#"{"$date":"1970-01-01T00:00:01.001Z"}"#),
            (-1, r#"{"$date":{"$numberLong":"-1"}}"#),
            (253_402_300_800_000, r#"{"$date":{"$numberLong":"253402300800000"}}"#),
        ] {
            let mut out = Vec::new();
            date(&mut out, date_ms, false);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}

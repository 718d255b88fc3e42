//! BSON to Extended JSON text, compact, in the way `mongoexport` writes it.
//!
//! The canonical style reads back as the same bytes, with these exceptions, which the format
//! itself cannot express: the payload of a NaN, the keys of an array that are not its indexes, a
//! non-canonical Decimal128, a Binary of subtype 2 whose inner length is wrong, and documents that
//! look like one of the format's own wrappers.

use std::fmt::Write;

use super::decimal;
use super::scalar::{escape_control, push_base64, push_hex, push_integer};
use crate::raw::{Document, Elements, Value, kind};

/// How much of the types the text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Every type is kept: `{"$numberInt":"1"}`.
    Canonical,
    /// Numbers and dates for human eyes: `1`, `{"$date":"2025-07-20T17:24:32.733Z"}`.
    Relaxed,
}

/// Appends a document. Text that is not UTF-8 (in a document never checked) is replaced, so that
/// the output is valid in any case.
pub fn write_document(out: &mut Vec<u8>, document: Document<'_>, style: Style) {
    write_value(out, Value { kind: kind::DOCUMENT, bytes: document.bytes() }, style);
}

/// Appends a value; see [`write_document`].
pub fn write_value(out: &mut Vec<u8>, value: Value<'_>, style: Style) {
    // Documents can be nested as deeply as their bytes allow: the stack is ours, not the thread's.
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
            push_string(out, element.name);
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
            push_string(out, code);
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
        kind::STRING => push_string(out, text_of(value.bytes)),
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
            push_string(out, text_of(value.bytes.get(..split).unwrap_or(&[])));
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

/// The bytes of a number; zeros where a value never checked is too short.
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
    push_string(out, text);
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

/// A few bytes of text, held without an allocation.
#[derive(Default)]
struct ShortText {
    bytes: [u8; 32],
    length: usize,
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Shortest digits that read back as the same number, in the layout of Go's `%G`, to which the
/// driver appends `.0` where it shows neither point nor exponent.
fn push_double(out: &mut Vec<u8>, number: f64) {
    let mut buffer = ShortText::default();
    // 17 digits, a sign, a point and an exponent fit: the write cannot fail.
    if write!(buffer, "{number:e}").is_err() {
        return;
    }
    let text = &buffer.bytes[..buffer.length];
    let (sign, text) = match text.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let e = text.iter().position(|&byte| byte == b'e').unwrap_or(text.len());
    let exponent = text
        .get(e + 1..)
        .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
        .unwrap_or(0i64);
    let mut digits = Vec::with_capacity(20);
    digits.extend(text[..e].iter().filter(|byte| byte.is_ascii_digit()));
    if sign {
        out.push(b'-');
    }
    if (-4..6).contains(&exponent) {
        return positional(out, &mut digits, exponent);
    }
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    out.extend_from_slice(if exponent < 0 { b"E-" } else { b"E+" });
    if exponent.abs() < 10 {
        out.push(b'0');
    }
    push_integer(out, exponent.abs());
}

/// Digits without an exponent; `exponent` is that of the first digit, -4 to 5.
fn positional(out: &mut Vec<u8>, digits: &mut Vec<u8>, exponent: i64) {
    let Ok(before) = usize::try_from(exponent + 1) else {
        out.extend_from_slice(b"0.");
        (exponent + 1..0).for_each(|_| out.push(b'0'));
        return out.extend_from_slice(digits);
    };
    if before == 0 {
        out.push(b'0');
    }
    while digits.len() <= before {
        digits.push(b'0');
    }
    out.extend_from_slice(&digits[..before]);
    out.push(b'.');
    out.extend_from_slice(&digits[before..]);
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
    push_string(out, parts.next().unwrap_or(&[]));
    out.extend_from_slice(b",\"options\":");
    push_string(out, parts.next().unwrap_or(&[]));
    out.extend_from_slice(b"}}");
}

/// Appends text in quotes, escaped as the driver does it: line and paragraph separators
/// (U+2028 and U+2029) too, which JavaScript once took for line ends.
fn push_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    if text.len() < 32 && text.is_ascii() || simdutf8::basic::from_utf8(text).is_ok() {
        push_escaped(out, text);
    } else {
        push_escaped(out, String::from_utf8_lossy(text).as_bytes());
    }
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut copied = 0;
    let mut at = 0;
    while let Some(step) = text[at..].iter().position(|&byte| SPECIAL[usize::from(byte)]) {
        at += step;
        let byte = text[at];
        let mut width = 1;
        let separator;
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0C => b"\\f",
            0xE2 => match text.get(at + 1..at + 3) {
                Some([0x80, last @ (0xA8 | 0xA9)]) => {
                    width = 3;
                    if *last == 0xA8 { b"\\u2028" } else { b"\\u2029" }
                }
                _ => {
                    at += 1;
                    continue;
                }
            },
            _ => {
                separator = escape_control(byte);
                &separator
            }
        };
        out.extend_from_slice(&text[copied..at]);
        out.extend_from_slice(escape);
        at += width;
        copied = at;
    }
    out.extend_from_slice(&text[copied..]);
}

/// Bytes at which the copying of a string must stop and look.
static SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[0x22] = true;
    table[0x5C] = true;
    table[0xE2] = true;
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn double_text(number: f64) -> String {
        let mut out = Vec::new();
        push_double(&mut out, number);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_look_as_go_writes_them() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-12.5, "-12.5"),
            (123_456.0, "123456.0"),
            (1_234_567.0, "1.234567E+06"),
            (1e20, "1E+20"),
            (1e100, "1E+100"),
            (0.5, "0.5"),
            (0.012, "0.012"),
            (0.00012, "0.00012"),
            (0.000012, "1.2E-05"),
            (100_000.0, "100000.0"),
            (1_000_000.0, "1E+06"),
            (5e-324, "5E-324"),
            (f64::MAX, "1.7976931348623157E+308"),
            (0.1 + 0.2, "0.30000000000000004"),
        ] {
            assert_eq!(double_text(number), text);
        }
    }

    #[test]
    fn strings_are_escaped_as_the_driver_does() {
        let mut out = Vec::new();
        push_string(
            &mut out,
            "a\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}\u{2028}“\u{2029}é<&>/\0".as_bytes(),
        );
        let expected = "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\u{7f}\\u2028“\\u2029é<&>/\\u0000\"";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

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

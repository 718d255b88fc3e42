//! What Mongoose makes of stored values in fields that its model declares as strings or dates.

use reshelve_core::raw::{Value, kind, push_hex};

use super::javascript::{Field, number, text};
use super::{date, json, number as numbers, text as texts};

/// A field that is declared as a string.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cast {
    /// Nothing stored, or something of which no string can be made.
    Absent,
    /// Null.
    Null,
    /// A string, or what was made one.
    Text(Vec<u8>),
}

impl Cast {
    /// What becomes of a stored value.
    pub(super) fn of(field: Field<'_>) -> Self {
        let Some(value) = field else { return Cast::Absent };
        if value.kind == kind::NULL {
            return Cast::Null;
        }
        string(value).map_or(Cast::Absent, Cast::Text)
    }
}

/// Appends a field that is declared as a string and a comma, or nothing where it is absent.
pub(super) fn push_text(out: &mut Vec<u8>, name: &'static str, field: Field<'_>) {
    // Nearly all of them are strings already, and need no copy.
    if let Some(text) = field.and_then(text) {
        return push_named(out, name, text);
    }
    match Cast::of(field) {
        Cast::Absent => {}
        Cast::Null => {
            json::push_name(out, name.as_bytes());
            out.extend_from_slice(b"null,");
        }
        Cast::Text(text) => push_named(out, name, &text),
    }
}

fn push_named(out: &mut Vec<u8>, name: &'static str, text: &[u8]) {
    json::push_name(out, name.as_bytes());
    texts::push_string(out, text);
    out.push(b',');
}

/// What `toString` gives, where the value has one of its own.
fn string(value: Value<'_>) -> Option<Vec<u8>> {
    if let Some(text) = text(value) {
        return Some(text.to_vec());
    }
    let mut out = Vec::new();
    match value.kind {
        // A document gives its `_id`, where that is a string.
        kind::DOCUMENT => {
            let [id] = super::javascript::fields_of(value, ["_id"]);
            out.extend_from_slice(id.and_then(text).filter(|id| !id.is_empty())?);
        }
        kind::DOUBLE | kind::INT32 => push_double(&mut out, value.numeric()?),
        kind::INT64 => numbers::push_integer(&mut out, value.int64()?),
        kind::BOOLEAN => out.extend_from_slice(value.boolean()?.to_string().as_bytes()),
        kind::DATE => match value.date_ms().and_then(date::valid) {
            Some(date_ms) => date::push_long_form(&mut out, date_ms),
            None => out.extend_from_slice(b"Invalid Date"),
        },
        kind::OBJECT_ID => push_hex(&mut out, value.bytes),
        kind::DECIMAL128 => numbers::push_decimal(&mut out, value.bytes.try_into().ok()?),
        kind::TIMESTAMP => {
            let bits = u64::from_le_bytes(value.bytes.try_into().ok()?);
            numbers::push_unsigned(&mut out, bits);
        }
        kind::BINARY => match json::binary(value.bytes) {
            (content, true) => texts::push_uuid(&mut out, content),
            (content, false) => {
                out.extend_from_slice(String::from_utf8_lossy(content).as_bytes());
            }
        },
        kind::REGEX => push_regex(&mut out, value.bytes),
        _ => return None,
    }
    Some(out)
}

/// A regular expression between slashes, with the flags that the driver makes of its options.
fn push_regex(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut parts = bytes.split(|byte| *byte == 0);
    let (pattern, options) = (parts.next().unwrap_or(&[]), parts.next().unwrap_or(&[]));
    out.push(b'/');
    if pattern.is_empty() {
        out.extend_from_slice(b"(?:)");
    }
    let (mut is_escaped, mut in_class) = (false, false);
    for &byte in pattern {
        match byte {
            b'/' if !is_escaped && !in_class => out.extend_from_slice(b"\\/"),
            b'\n' | b'\r' => {
                out.extend_from_slice(if is_escaped { b"" } else { b"\\" });
                out.push(if byte == b'\n' { b'n' } else { b'r' });
            }
            _ => out.push(byte),
        }
        in_class = (in_class || (byte == b'[' && !is_escaped)) && (byte != b']' || is_escaped);
        is_escaped = byte == b'\\' && !is_escaped;
    }
    out.push(b'/');
    for (option, flag) in [(b's', b'g'), (b'i', b'i'), (b'm', b'm')] {
        if options.contains(&option) {
            out.push(flag);
        }
    }
}

fn push_double(out: &mut Vec<u8>, number: f64) {
    let name: &[u8] = match number {
        f64::INFINITY => b"Infinity",
        f64::NEG_INFINITY => b"-Infinity",
        _ if number.is_nan() => b"NaN",
        _ => return numbers::push_number(out, number),
    };
    out.extend_from_slice(name);
}

/// The date of a field that is declared as one, in milliseconds; none where it is absent or
/// unreadable. Of texts, those in the form of ECMAScript are read, and numbers that can be no year.
pub(super) fn date_ms(field: Field<'_>) -> Option<i64> {
    let value = field?;
    if let Some(number) = number(value) {
        return date::from_number(number);
    }
    if let Some(text) = text(value) {
        return date::from_text(std::str::from_utf8(text).ok()?);
    }
    value.date_ms().and_then(date::valid)
}

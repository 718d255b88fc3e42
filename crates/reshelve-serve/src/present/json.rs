//! Any stored value as `JSON.stringify` writes it after the driver has read it.

use reshelve_core::raw::{Document, Value, kind, push_hex};

use super::javascript::{Reference, counted_text, number};
use super::{Cause, Unpresentable, date, number as numbers, object, text};

/// How deep a document that is presented may nest; the document itself is level 1. Servers store
/// 200 levels at most, and take 100.
pub(super) const DEPTH_MAX: usize = 250;

/// Appends a value; `depth` is the level that it lies in. Returns whether there was one: an
/// undefined one is left to the caller.
pub(super) fn push_value(out: &mut Vec<u8>, value: Value<'_>, depth: usize) -> Result<bool, Cause> {
    match value.kind {
        kind::STRING => text::push_string(out, counted_text(value.bytes)),
        kind::DOCUMENT => object::push(out, Document::new(value.bytes), depth + 1)?,
        kind::ARRAY => push_array(out, Document::new(value.bytes), depth + 1)?,
        kind::INT32 => numbers::push_integer(out, value.int32().unwrap_or(0).into()),
        kind::DOUBLE => numbers::push_number(out, value.double().unwrap_or(0.0)),
        kind::BOOLEAN => out.extend_from_slice(match value.boolean() {
            Some(true) => b"true",
            _ => b"false",
        }),
        kind::NULL => out.extend_from_slice(b"null"),
        kind::UNDEFINED => return Ok(false),
        _ => push_rare(out, value, depth)?,
    }
    Ok(true)
}

/// Appends a value that has a JSON form of the driver's own.
fn push_rare(out: &mut Vec<u8>, value: Value<'_>, depth: usize) -> Result<(), Cause> {
    match value.kind {
        kind::DATE => push_date(out, value),
        kind::INT64 => push_int64(out, value),
        kind::OBJECT_ID => push_quoted(out, |out| push_hex(out, value.bytes)),
        kind::BINARY => push_quoted(out, |out| push_binary(out, value.bytes)),
        kind::DECIMAL128 => {
            let bytes = value.bytes.try_into().unwrap_or([0; 16]);
            out.extend_from_slice(b"{\"$numberDecimal\":\"");
            numbers::push_decimal(out, bytes);
            out.extend_from_slice(b"\"}");
        }
        kind::TIMESTAMP => {
            let bytes = value.bytes.try_into().unwrap_or([0; 8]);
            out.extend_from_slice(b"{\"$timestamp\":\"");
            numbers::push_unsigned(out, u64::from_le_bytes(bytes));
            out.extend_from_slice(b"\"}");
        }
        kind::SYMBOL => text::push_string(out, counted_text(value.bytes)),
        kind::CODE => {
            out.extend_from_slice(b"{\"code\":");
            text::push_string(out, counted_text(value.bytes));
            out.push(b'}');
        }
        kind::CODE_WITH_SCOPE => push_scoped_code(out, value.bytes, depth)?,
        kind::DB_POINTER => {
            object::push_reference(out, &pointer(value.bytes), Document::EMPTY, depth)?;
        }
        // Regular expressions and the keys at both ends have no fields that are listed.
        _ => out.extend_from_slice(b"{}"),
    }
    Ok(())
}

/// Appends an array. Its keys are ignored, and undefined elements are null.
fn push_array(out: &mut Vec<u8>, array: Document<'_>, depth: usize) -> Result<(), Cause> {
    if depth > DEPTH_MAX {
        return Err(Cause::TooDeep);
    }
    out.push(b'[');
    for value in array.values() {
        if !push_value(out, value, depth)? {
            out.extend_from_slice(b"null");
        }
        out.push(b',');
    }
    close(out, b']');
    Ok(())
}

/// Ends an object or array whose parts are each followed by a comma.
pub(super) fn close(out: &mut Vec<u8>, end: u8) {
    match out.last_mut() {
        Some(last) if *last == b',' => *last = end,
        _ => out.push(end),
    }
}

/// Appends a name and its colon.
#[inline]
pub(super) fn push_name(out: &mut Vec<u8>, name: &[u8]) {
    text::push_string(out, name);
    out.push(b':');
}

/// Appends a field of a composed object and a comma, or nothing where it is absent.
pub(super) fn push_field(
    out: &mut Vec<u8>,
    name: &'static str,
    field: Option<Value<'_>>,
) -> Result<(), Unpresentable> {
    let Some(value) = field.filter(|value| value.kind != kind::UNDEFINED) else { return Ok(()) };
    push_name(out, name.as_bytes());
    push_value(out, value, 1).map_err(|cause| Unpresentable::new(name, cause))?;
    out.push(b',');
    Ok(())
}

/// As [`push_field`], with null where it is absent.
pub(super) fn push_field_or_null(
    out: &mut Vec<u8>,
    name: &'static str,
    field: Option<Value<'_>>,
) -> Result<(), Unpresentable> {
    push_field(out, name, Some(field.unwrap_or(Value { kind: kind::NULL, bytes: &[] })))
}

/// Appends a date as a string, or null where JavaScript cannot hold it.
fn push_date(out: &mut Vec<u8>, value: Value<'_>) {
    match value.date_ms().and_then(date::valid) {
        Some(date_ms) => push_quoted(out, |out| date::push_iso(out, date_ms)),
        None => out.extend_from_slice(b"null"),
    }
}

fn push_int64(out: &mut Vec<u8>, value: Value<'_>) {
    match number(value) {
        Some(_) => numbers::push_integer(out, value.int64().unwrap_or(0)),
        None => numbers::push_long(out, value.bytes.try_into().unwrap_or([0; 8]), "false"),
    }
}

/// Appends what needs no escapes, in quotes.
fn push_quoted(out: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    push(out);
    out.push(b'"');
}

/// The content of a Binary and whether it is a UUID. Subtype 2 repeats its length inside.
pub(super) fn binary(bytes: &[u8]) -> (&[u8], bool) {
    const SUBTYPE_OLD: u8 = 2;
    const SUBTYPE_UUID: u8 = 4;
    let content = bytes.get(5..).unwrap_or(&[]);
    match bytes.get(4) {
        Some(&SUBTYPE_OLD) => (content.get(4..).unwrap_or(&[]), false),
        Some(&SUBTYPE_UUID) => (content, content.len() == 16),
        _ => (content, false),
    }
}

fn push_binary(out: &mut Vec<u8>, bytes: &[u8]) {
    match binary(bytes) {
        (content, true) => text::push_uuid(out, content),
        (content, false) => text::push_base64(out, content),
    }
}

/// Code with scope: its length, a string, a document.
fn push_scoped_code(out: &mut Vec<u8>, bytes: &[u8], depth: usize) -> Result<(), Cause> {
    let inner = bytes.get(4..).unwrap_or(&[]);
    let (code, scope) = inner.split_at_checked(string_length(inner)).unwrap_or((inner, &[]));
    out.extend_from_slice(b"{\"code\":");
    text::push_string(out, counted_text(code));
    out.extend_from_slice(b",\"scope\":");
    object::push(out, Document::new(scope), depth + 1)?;
    out.push(b'}');
    Ok(())
}

/// The bytes that a string takes at the start of these: its length and its text.
fn string_length(bytes: &[u8]) -> usize {
    let length = bytes.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    usize::try_from(length).map_or(0, |length| length.saturating_add(4))
}

/// A pointer is read as a reference.
pub(super) fn pointer(bytes: &[u8]) -> Reference<'_> {
    let (name, id) = bytes.split_at(bytes.len().saturating_sub(12));
    Reference::split(counted_text(name), Value { kind: kind::OBJECT_ID, bytes: id }, None)
}

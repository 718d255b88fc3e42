//! The object that the application copies a value into field by field, as it does with alerts and
//! decisions: of what is no document, the fields that the driver's own object for it has.

use reshelve_core::raw::{Document, Value, kind};

use super::javascript::{Reference, counted_text, number as as_number, text};
use super::json::{self, close, push_name, push_value};
use super::object::{self, Names, push_element, visit};
use super::{Cause, number, text as texts};

/// The level of the fields of what is copied: it lies in an array of the document.
const DEPTH: usize = 3;

/// Appends the copy, without the field of that name where it counts as false.
pub(super) fn push(out: &mut Vec<u8>, value: Value<'_>, optional: &str) -> Result<(), Cause> {
    match value.kind {
        kind::DOCUMENT => return push_document(out, Document::new(value.bytes), optional),
        kind::NULL | kind::UNDEFINED => return Err(Cause::Null),
        kind::STRING | kind::SYMBOL => push_units(out, text(value).unwrap_or(&[])),
        kind::ARRAY => return push_elements(out, Document::new(value.bytes)),
        kind::INT64 if as_number(value).is_none() => push_halves(out, value.bytes, "false"),
        kind::TIMESTAMP => push_halves(out, value.bytes, "true"),
        kind::DECIMAL128 => {
            out.extend_from_slice(b"{\"bytes\":");
            push_buffer(out, value.bytes);
            out.push(b'}');
        }
        kind::BINARY => {
            let (content, _) = json::binary(value.bytes);
            out.extend_from_slice(b"{\"sub_type\":");
            number::push_integer(out, value.bytes.get(4).copied().unwrap_or(0).into());
            out.extend_from_slice(b",\"buffer\":");
            push_buffer(out, content);
            out.extend_from_slice(b",\"position\":");
            number::push_unsigned(out, u64::try_from(content.len()).unwrap_or(0));
            out.push(b'}');
        }
        kind::CODE => {
            out.extend_from_slice(b"{\"code\":");
            texts::push_string(out, counted_text(value.bytes));
            out.extend_from_slice(b",\"scope\":null}");
        }
        // Its JSON has the same fields.
        kind::CODE_WITH_SCOPE => return push_value(out, value, DEPTH - 1).map(|_| ()),
        kind::DB_POINTER => {
            return push_reference(out, &json::pointer(value.bytes), Document::EMPTY);
        }
        // Numbers, booleans, dates and the like have no fields of their own.
        _ => out.extend_from_slice(b"{}"),
    }
    Ok(())
}

fn push_document(out: &mut Vec<u8>, document: Document<'_>, optional: &str) -> Result<(), Cause> {
    match Reference::of(document) {
        Some(reference) => push_reference(out, &reference, document),
        None => object::push_unless_false(out, document, DEPTH, Some(optional)),
    }
}

fn push_reference(
    out: &mut Vec<u8>,
    reference: &Reference<'_>,
    document: Document<'_>,
) -> Result<(), Cause> {
    out.extend_from_slice(b"{\"collection\":");
    texts::push_string(out, reference.collection);
    out.extend_from_slice(b",\"oid\":");
    push_value(out, reference.id, DEPTH)?;
    if let Some(database) = reference.database {
        out.extend_from_slice(b",\"db\":");
        texts::push_string(out, database);
    }
    out.extend_from_slice(b",\"fields\":{");
    visit(document, Names::of(document), |name, value| {
        if object::is_part_of_reference(name) {
            return Ok(());
        }
        push_element(out, name, value, DEPTH + 1)
    })?;
    close(out, b'}');
    out.push(b'}');
    Ok(())
}

/// The elements of an array, by their place.
fn push_elements(out: &mut Vec<u8>, array: Document<'_>) -> Result<(), Cause> {
    out.push(b'{');
    for (at, value) in array.values().enumerate() {
        push_element(out, at.to_string().as_bytes(), value, DEPTH)?;
    }
    close(out, b'}');
    Ok(())
}

/// The UTF-16 units of a text, by their place. One that is half of a letter is escaped.
fn push_units(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'{');
    for (at, unit) in String::from_utf8_lossy(text).encode_utf16().enumerate() {
        push_name(out, at.to_string().as_bytes());
        match char::from_u32(unit.into()) {
            Some(letter) => {
                texts::push_string(out, letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => out.extend_from_slice(format!("\"\\u{unit:04x}\"").as_bytes()),
        }
        out.push(b',');
    }
    close(out, b'}');
}

/// The halves of an integer of 64 bits.
fn push_halves(out: &mut Vec<u8>, bytes: &[u8], unsigned: &str) {
    number::push_long(out, bytes.try_into().unwrap_or([0; 8]), unsigned);
}

/// Bytes as Node writes a buffer of them.
fn push_buffer(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{\"type\":\"Buffer\",\"data\":[");
    for byte in bytes {
        number::push_integer(out, (*byte).into());
        out.push(b',');
    }
    close(out, b']');
    out.push(b'}');
}

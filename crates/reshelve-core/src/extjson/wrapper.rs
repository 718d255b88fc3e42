//! The objects of Extended JSON that stand for values.
//!
//! Those with one name and plain content are parsed on the way. Those whose names may come in any
//! order (`$binary` and `$type`, `$code` and `$scope`), or that hold a document, are parsed as
//! documents first and converted at their end.

use super::parse::{TOO_LARGE, patch_length};
use super::scalar;
use crate::raw::{Document, Value, kind};

/// A wrapper with one name.
#[derive(Clone, Copy)]
pub(super) enum Single {
    /// `$date`, in three forms.
    Date,
    /// A string that stands for a value of that type, [`UUID`] for a UUID.
    Text(u8),
    /// A type without content, and the literal that is expected.
    Constant(u8, &'static [u8]),
}

/// Not an element type: `$uuid` becomes a Binary.
pub(super) const UUID: u8 = 0;

/// The wrapper with one name that has this name.
pub(super) fn single(name: &[u8]) -> Option<Single> {
    Some(match name {
        b"$oid" => Single::Text(kind::OBJECT_ID),
        b"$date" => Single::Date,
        b"$numberInt" => Single::Text(kind::INT32),
        b"$numberLong" => Single::Text(kind::INT64),
        b"$numberDouble" => Single::Text(kind::DOUBLE),
        b"$numberDecimal" => Single::Text(kind::DECIMAL128),
        b"$symbol" => Single::Text(kind::SYMBOL),
        b"$uuid" => Single::Text(UUID),
        b"$undefined" => Single::Constant(kind::UNDEFINED, b"true"),
        b"$minKey" => Single::Constant(kind::MIN_KEY, b"1"),
        b"$maxKey" => Single::Constant(kind::MAX_KEY, b"1"),
        _ => return None,
    })
}

/// Whether a wrapper with several names may begin with this name.
pub(super) fn begins(name: &[u8]) -> bool {
    matches!(
        name,
        b"$binary"
            | b"$type"
            | b"$regularExpression"
            | b"$regex"
            | b"$options"
            | b"$timestamp"
            | b"$code"
            | b"$scope"
            | b"$dbPointer"
    )
}

/// Examines a document that [`begins`] like a wrapper. Appends the bytes of the value that it
/// stands for and returns their type; `None` where it is a document after all (`{"$type":"x"}`).
pub(super) fn convert(document: &[u8], out: &mut Vec<u8>) -> Result<Option<u8>, &'static str> {
    let parts = Parts(Document::new(document));
    let has = |name: &str| parts.0.get(name).is_some();
    if has("$binary") {
        binary(parts, out).map(Some)
    } else if has("$regularExpression") {
        let content = parts.only("$regularExpression").and_then(Value::document);
        let content = content.and_then(|content| Parts(content).both("pattern", "options"));
        let (pattern, options) = content.ok_or("$regularExpression is not well formed")?;
        regex(pattern.string(), options.string(), out).map(Some)
    } else if has("$regex") {
        version_1_regex(parts, out)
    } else if has("$timestamp") {
        timestamp(parts, out).map(Some)
    } else if has("$code") {
        code(parts, out).map(Some)
    } else if has("$dbPointer") {
        db_pointer(parts, out).map(Some)
    } else {
        Ok(None)
    }
}

#[derive(Clone, Copy)]
struct Parts<'a>(Document<'a>);

impl<'a> Parts<'a> {
    fn count(self) -> usize {
        self.0.elements().take(3).count()
    }

    /// The value of that name where it is the only element.
    fn only(self, name: &str) -> Option<Value<'a>> {
        self.0.get(name).filter(|_| self.count() == 1)
    }

    /// The values of these two names where they are the only elements.
    fn both(self, first: &str, second: &str) -> Option<(Value<'a>, Value<'a>)> {
        self.0.get(first).zip(self.0.get(second)).filter(|_| self.count() == 2)
    }
}

fn binary(parts: Parts<'_>, out: &mut Vec<u8>) -> Result<u8, &'static str> {
    let canonical = parts.only("$binary").and_then(Value::document);
    let content = match canonical {
        Some(content) => Parts(content).both("base64", "subType"),
        None => parts.both("$binary", "$type"),
    };
    let bad = "$binary is not well formed";
    let (base64, subtype) = content.ok_or(bad)?;
    let subtype = subtype_of(subtype).ok_or(bad)?;
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, subtype]);
    // The old subtype repeats the length inside; the text form leaves it out.
    let inner = out.len();
    if subtype == 2 {
        out.extend_from_slice(&[0; 4]);
    }
    let base64 = base64.string().ok_or(bad)?;
    scalar::parse_base64(base64, out).ok_or("$binary does not hold base64")?;
    if subtype == 2 {
        patch_length(out, inner, 4)?;
    }
    patch_length(out, start, 5)?;
    Ok(kind::BINARY)
}

/// One or two hex digits; old tools wrote the user's subtypes as negative numbers of 32 bits
/// (`ffffff80`), PyMongo wrote plain numbers.
fn subtype_of(value: Value<'_>) -> Option<u8> {
    if let Some(number) = value.int32() {
        return u8::try_from(number).ok();
    }
    let text = value.string()?;
    let digits = match text.strip_prefix(b"ffffff") {
        Some(digits) if digits.len() == 2 && digits[0] >= b'8' => digits,
        _ => text,
    };
    match *digits {
        [low] => scalar::hex_digit(low),
        [high, low] => Some(scalar::hex_digit(high)? << 4 | scalar::hex_digit(low)?),
        _ => None,
    }
}

/// `$regex` with a string, with or without `$options`. With anything else it is the query operator,
/// which is a document.
fn version_1_regex(parts: Parts<'_>, out: &mut Vec<u8>) -> Result<Option<u8>, &'static str> {
    let pattern = parts.0.get("$regex").and_then(Value::string);
    if pattern.is_none() {
        return Ok(None);
    }
    let options = match parts.count() {
        1 => Some(&b""[..]),
        2 => parts.0.get("$options").and_then(Value::string),
        _ => None,
    };
    regex(pattern, options, out).map(Some)
}

fn regex(
    pattern: Option<&[u8]>,
    options: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<u8, &'static str> {
    let (pattern, options) = pattern.zip(options).ok_or("regular expression is not well formed")?;
    for text in [pattern, options] {
        if memchr::memchr(0, text).is_some() {
            return Err("null character in a regular expression");
        }
        out.extend_from_slice(text);
        out.push(0);
    }
    Ok(kind::REGEX)
}

fn timestamp(parts: Parts<'_>, out: &mut Vec<u8>) -> Result<u8, &'static str> {
    let content = parts.only("$timestamp").and_then(Value::document);
    let content = content.and_then(|content| Parts(content).both("t", "i"));
    let (seconds, increment) = content.ok_or("$timestamp is not well formed")?;
    for part in [increment, seconds] {
        let number = part.int32().map(i64::from).or_else(|| part.int64());
        let number = number.and_then(|number| u32::try_from(number).ok());
        let number = number.ok_or("$timestamp holds a number that is out of range")?;
        out.extend_from_slice(&number.to_le_bytes());
    }
    Ok(kind::TIMESTAMP)
}

fn code(parts: Parts<'_>, out: &mut Vec<u8>) -> Result<u8, &'static str> {
    let bad = "$code is not well formed";
    let code = parts.0.get("$code").filter(|code| code.kind == kind::STRING).ok_or(bad)?;
    if parts.count() == 1 {
        out.extend_from_slice(code.bytes);
        return Ok(kind::CODE);
    }
    let (_, scope) = parts.both("$code", "$scope").ok_or(bad)?;
    let scope = scope.document().ok_or(bad)?;
    let length = 4 + code.bytes.len() + scope.bytes().len();
    let length = i32::try_from(length).map_err(|_| TOO_LARGE)?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(code.bytes);
    out.extend_from_slice(scope.bytes());
    Ok(kind::CODE_WITH_SCOPE)
}

fn db_pointer(parts: Parts<'_>, out: &mut Vec<u8>) -> Result<u8, &'static str> {
    let bad = "$dbPointer is not well formed";
    let content = parts.only("$dbPointer").and_then(Value::document);
    let (namespace, id) = content.and_then(|it| Parts(it).both("$ref", "$id")).ok_or(bad)?;
    if namespace.kind != kind::STRING || id.kind != kind::OBJECT_ID {
        return Err(bad);
    }
    out.extend_from_slice(namespace.bytes);
    out.extend_from_slice(id.bytes);
    Ok(kind::DB_POINTER)
}

//! Strings and numbers of JSON.

use super::scalar::hex_digit;
use crate::raw::kind;

/// An error and where in the text it is.
type Failed = (usize, &'static str);

/// Appends the string whose first byte (after the quote) is `text[at]`, its escapes resolved.
/// Returns the position after the closing quote.
pub(super) fn push_string(text: &[u8], mut at: usize, out: &mut Vec<u8>) -> Result<usize, Failed> {
    loop {
        let rest = text.get(at..).unwrap_or(&[]);
        let length = plain_length(rest);
        out.extend_from_slice(&rest[..length]);
        at += length;
        match rest.get(length) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = push_escape(text, at, out)?,
            Some(_) => return Err((at, "control character in a string")),
            None => return Err((at, "string is cut off")),
        }
    }
}

/// How many bytes at the start of `bytes` stand for themselves in a string: up to a quote, a
/// backslash or a control character.
#[inline]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    // Eight bytes at a time: a byte of a word is zero where subtracting one from it borrows. The
    // first hit is right; only after it can a borrow produce a false one.
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
    const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
    let (words, tail) = bytes.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ QUOTES;
        let backslash = word ^ BACKSLASHES;
        let found = (quote.wrapping_sub(ONES) & !quote
            | backslash.wrapping_sub(ONES) & !backslash
            | word.wrapping_sub(SPACES) & !word)
            & HIGHS;
        if found != 0 {
            return at + usize::try_from(found.trailing_zeros() / 8).unwrap_or(0);
        }
        at += 8;
    }
    let special = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < 0x20;
    at + tail.iter().position(special).unwrap_or(tail.len())
}

/// Appends what the escape at `text[at]` stands for; returns the position after it.
fn push_escape(text: &[u8], at: usize, out: &mut Vec<u8>) -> Result<usize, Failed> {
    let plain = match text.get(at + 1) {
        Some(b'n') => b'\n',
        Some(&byte @ (b'"' | b'\\' | b'/')) => byte,
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 0x08,
        Some(b'f') => 0x0C,
        Some(b'u') => return push_unicode(text, at, out),
        Some(_) => return Err((at, "unknown escape")),
        None => return Err((at, "string is cut off")),
    };
    out.push(plain);
    Ok(at + 2)
}

fn push_unicode(text: &[u8], at: usize, out: &mut Vec<u8>) -> Result<usize, Failed> {
    let lone = Err((at, "unpaired surrogate"));
    let unit = code_unit(text, at + 2).ok_or((at, "\\u without four hex digits"))?;
    let (code, end) = match unit {
        0xD800..=0xDBFF => {
            if text.get(at + 6..at + 8) != Some(b"\\u") {
                return lone;
            }
            match code_unit(text, at + 8) {
                Some(low @ 0xDC00..=0xDFFF) => {
                    (0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00), at + 12)
                }
                _ => return lone,
            }
        }
        _ => (unit, at + 6),
    };
    let Some(character) = char::from_u32(code) else { return lone };
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(end)
}

fn code_unit(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | u32::from(hex_digit(digit)?)))
}

/// A number of JSON text with the type that it gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Neither point nor exponent, and it fits.
    Int32(i32),
    /// The same, larger.
    Int64(i64),
    /// Point or exponent, or larger still.
    Double(f64),
}

impl Number {
    /// Appends its bytes.
    #[inline]
    pub(super) fn push(self, out: &mut Vec<u8>) {
        match self {
            Number::Int32(number) => out.extend_from_slice(&number.to_le_bytes()),
            Number::Int64(number) => out.extend_from_slice(&number.to_le_bytes()),
            Number::Double(number) => out.extend_from_slice(&number.to_le_bytes()),
        }
    }

    /// Its element type.
    pub(super) fn kind(self) -> u8 {
        match self {
            Number::Int32(_) => kind::INT32,
            Number::Int64(_) => kind::INT64,
            Number::Double(_) => kind::DOUBLE,
        }
    }
}

/// The number at the start of `text`, and its length.
pub(super) fn number(text: &[u8]) -> Result<(Number, usize), &'static str> {
    let (length, integer) = number_length(text).ok_or("malformed number")?;
    let text = &text[..length];
    if integer && let Some(number) = super::scalar::parse_integer(text) {
        let number = i32::try_from(number).map_or(Number::Int64(number), Number::Int32);
        return Ok((number, length));
    }
    let number = parse_double(text).ok_or("number is too large for a Double")?;
    Ok((Number::Double(number), length))
}

/// How long the number at the start of `text` is, by the grammar of JSON, and whether it has
/// neither point nor exponent.
fn number_length(text: &[u8]) -> Option<(usize, bool)> {
    let digits = |from: usize| {
        text[from..].iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len() - from)
    };
    let start = usize::from(text.first() == Some(&b'-'));
    let mut at = start + digits(start);
    if at == start || at > start + 1 && text[start] == b'0' {
        return None;
    }
    let mut integer = true;
    if text.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
        integer = false;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at);
        if exponent == 0 {
            return None;
        }
        at += exponent;
        integer = false;
    }
    Some((at, integer))
}

/// The nearest Double; none where that would be an infinity.
fn parse_double(text: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}

/// What the string of a `$numberDouble` stands for.
pub(super) fn wrapped_double(text: &[u8]) -> Option<f64> {
    match text {
        b"NaN" => Some(f64::NAN),
        b"Infinity" => Some(f64::INFINITY),
        b"-Infinity" => Some(f64::NEG_INFINITY),
        _ => match number_length(text) {
            Some((length, _)) if length == text.len() => parse_double(text),
            _ => None,
        },
    }
}

/// The Double that a word at the start of `text` stands for, and how long the word is:
/// `mongoexport` before 4.2 writes `NaN`, `+Infinity` and `-Infinity`, PyMongo before 4 `Infinity`.
#[cold]
pub(super) fn bare_double(text: &[u8]) -> Result<(Number, usize), &'static str> {
    let end = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'_');
    let length = text.iter().position(end).unwrap_or(text.len());
    let number = match &text[..length] {
        b"+Infinity" => Some(f64::INFINITY),
        word => wrapped_double(word).filter(|number| !number.is_finite()),
    };
    Ok((Number::Double(number.ok_or_else(|| no_value(text))?), length))
}

/// What is wrong where no value begins.
#[cold]
pub(super) fn no_value(text: &[u8]) -> &'static str {
    // Such as `ObjectId(…)`, or `new Date(…)`.
    let text = text.strip_prefix(b"new ").unwrap_or(text);
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    match end {
        Some(end @ 1..) if text[end..].trim_ascii_start().starts_with(b"(") => {
            "ObjectId(…) and the like are notation of the mongo shell, not JSON"
        }
        _ => "expected a value",
    }
}

/// Appends an array key in decimal.
#[inline]
pub(super) fn push_index(out: &mut Vec<u8>, index: u32) {
    match u8::try_from(index) {
        Ok(digit @ 0..=9) => out.push(b'0' + digit),
        _ => super::scalar::push_integer(out, i64::from(index)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_their_types() {
        for (text, number) in [
            ("0", Number::Int32(0)),
            ("-0", Number::Int32(0)),
            ("2147483647", Number::Int32(i32::MAX)),
            ("2147483648", Number::Int64(2_147_483_648)),
            ("-2147483648", Number::Int32(i32::MIN)),
            ("-2147483649", Number::Int64(-2_147_483_649)),
            ("9223372036854775807", Number::Int64(i64::MAX)),
            ("-9223372036854775808", Number::Int64(i64::MIN)),
            ("9223372036854775808", Number::Double(9_223_372_036_854_775_808.0)),
            ("1.0", Number::Double(1.0)),
            ("1E+20", Number::Double(1e20)),
            ("1e5", Number::Double(1e5)),
            ("0.1", Number::Double(0.1)),
            ("2.2250738585072011e-308", Number::Double(2.225_073_858_507_201e-308)),
        ] {
            assert_eq!(super::number(text.as_bytes()), Ok((number, text.len())), "{text}");
        }
        let (zero, _) = super::number(b"-0.0").unwrap();
        assert!(matches!(zero, Number::Double(zero) if zero.is_sign_negative()));
    }

    #[test]
    fn not_numbers() {
        for text in ["", "-", "01", "-01", "1.", "1.e5", "1e", "1e+", "00", "1e999", "-.5"] {
            assert!(super::number(text.as_bytes()).is_err(), "{text}");
        }
        // The caller judges what follows a number.
        assert_eq!(super::number(b"12}"), Ok((Number::Int32(12), 2)));
    }

    #[test]
    fn plain_runs_end_where_they_must() {
        for length in 0..100 {
            for stop in [b'"', b'\\', 0, 0x1F] {
                let mut bytes = vec![b'x'; length];
                assert_eq!(plain_length(&bytes), length);
                bytes.push(stop);
                bytes.extend_from_slice(&[b'y'; 40]);
                assert_eq!(plain_length(&bytes), length);
            }
        }
    }
}

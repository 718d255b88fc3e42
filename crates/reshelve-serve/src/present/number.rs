//! Numbers as JavaScript and its driver write them.

use reshelve_core::raw::push_index;

/// Appends a number as `JSON.stringify` does: null where it is not finite.
pub(super) fn push_number(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Appends an integer in decimal.
pub(super) fn push_integer(out: &mut Vec<u8>, integer: i64) {
    if integer < 0 {
        out.push(b'-');
    }
    push_unsigned(out, integer.unsigned_abs());
}

/// Appends an integer without a sign in decimal.
pub(super) fn push_unsigned(out: &mut Vec<u8>, integer: u64) {
    match usize::try_from(integer) {
        Ok(integer) => push_index(out, integer),
        Err(_) => out.extend_from_slice(integer.to_string().as_bytes()),
    }
}

/// Appends an Int64 that is too large for a number, as the object that the driver makes of it.
pub(super) fn push_long(out: &mut Vec<u8>, bytes: [u8; 8], unsigned: &str) {
    let [a, b, c, d, e, f, g, h] = bytes;
    out.extend_from_slice(b"{\"low\":");
    push_integer(out, i32::from_le_bytes([a, b, c, d]).into());
    out.extend_from_slice(b",\"high\":");
    push_integer(out, i32::from_le_bytes([e, f, g, h]).into());
    out.extend_from_slice(b",\"unsigned\":");
    out.extend_from_slice(unsigned.as_bytes());
    out.push(b'}');
}

/// Appends the text of a Decimal128 as the JavaScript driver writes it. It differs from other
/// drivers only in coefficients that are too large, which it does not take for zero.
pub(super) fn push_decimal(out: &mut Vec<u8>, bytes: [u8; 16]) {
    let bits = u128::from_le_bytes(bytes);
    let (negative, combination) = (bits >> 127 == 1, bits >> 122 & 0b1_1111);
    if combination == 0b1_1111 {
        return out.extend_from_slice(b"NaN");
    }
    if negative {
        out.push(b'-');
    }
    if combination == 0b1_1110 {
        return out.extend_from_slice(b"Infinity");
    }
    // Two bits say where the exponent is, and whether the coefficient begins with 0 or with 100.
    let (exponent, head) = match combination >> 3 {
        0b11 => (bits >> 111, 0b1000 | bits >> 110 & 1),
        _ => (bits >> 113, bits >> 110 & 0b111),
    };
    let coefficient = head << 110 | bits & ((1 << 110) - 1);
    let exponent = i64::try_from(exponent & 0x3FFF).unwrap_or(0) - 6176;
    push_scaled(out, &coefficient.to_string(), exponent);
}

/// Digits times a power of ten.
fn push_scaled(out: &mut Vec<u8>, digits: &str, exponent: i64) {
    let digits = digits.as_bytes();
    let length = i64::try_from(digits.len()).unwrap_or(0);
    let scientific = length - 1 + exponent;
    if exponent > 0 || scientific <= -7 || scientific >= 34 {
        return push_scientific(out, digits, exponent, scientific);
    }
    // The exponent is not above 0, and not far below: this many digits stand before the point.
    let before = usize::try_from(length + exponent).unwrap_or(0).min(digits.len());
    match before {
        0 => {
            out.extend_from_slice(b"0.");
            (length + exponent..0).for_each(|_| out.push(b'0'));
        }
        _ => {
            out.extend_from_slice(&digits[..before]);
            if before < digits.len() {
                out.push(b'.');
            }
        }
    }
    out.extend_from_slice(&digits[before..]);
}

fn push_scientific(out: &mut Vec<u8>, digits: &[u8], exponent: i64, scientific: i64) {
    /// How many digits a Decimal128 has, at most.
    const DIGITS_MAX: usize = 34;
    let (head, tail) = digits.split_at(1);
    let shown = if digits.len() > DIGITS_MAX {
        out.push(b'0');
        if exponent == 0 {
            return;
        }
        exponent
    } else {
        out.extend_from_slice(head);
        if !tail.is_empty() {
            out.push(b'.');
            out.extend_from_slice(tail);
        }
        scientific
    };
    out.push(b'E');
    if shown > 0 {
        out.push(b'+');
    }
    push_integer(out, shown);
}

/// The number that JavaScript makes of a text: NaN where it is none, 0 where it is blank.
pub(crate) fn from_text(text: &str) -> f64 {
    let text = trim(text);
    let radix = match text.as_bytes() {
        [] => return 0.0,
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 10,
    };
    if radix != 10 {
        return in_radix(&text[2..], radix).unwrap_or(f64::NAN);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let of_digits =
        unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !of_digits && unsigned != "Infinity" {
        return f64::NAN;
    }
    text.parse().unwrap_or(f64::NAN)
}

fn in_radix(digits: &str, radix: u32) -> Option<f64> {
    // Beyond 2⁵³ the last digits are rounded one after the other: nothing here is that large.
    let digit = |number: f64, digit: char| {
        Some(number * f64::from(radix) + f64::from(digit.to_digit(radix)?))
    };
    (!digits.is_empty()).then(|| digits.chars().try_fold(0.0, digit))?
}

/// The text without what JavaScript takes for white space at its ends.
pub(crate) fn trim(text: &str) -> &str {
    const NEXT_LINE: char = '\u{85}';
    const BYTE_ORDER_MARK: char = '\u{feff}';
    text.trim_matches(|letter: char| {
        letter == BYTE_ORDER_MARK || (letter.is_whitespace() && letter != NEXT_LINE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(high: u64, low: u64) -> String {
        let mut out = Vec::new();
        push_decimal(&mut out, (u128::from(high) << 64 | u128::from(low)).to_le_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_those_of_javascript() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (-1.0, "-1"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (0.1 + 0.2, "0.30000000000000004"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (f64::NAN, "null"),
            (f64::INFINITY, "null"),
            (f64::NEG_INFINITY, "null"),
        ] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(out, text.as_bytes(), "{number}");
        }
    }

    #[test]
    fn integers_are_decimal() {
        for integer in [0, 7, -7, 100, -2_147_483_648, 9_007_199_254_740_992, i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            push_integer(&mut out, integer);
            assert_eq!(out, integer.to_string().as_bytes());
        }
    }

    #[test]
    fn large_int64_are_halves() {
        for (long, text) in [
            (i64::MAX, r#"{"low":-1,"high":2147483647,"unsigned":false}"#),
            (i64::MIN, r#"{"low":0,"high":-2147483648,"unsigned":false}"#),
            ((1 << 53) + 1, r#"{"low":1,"high":2097152,"unsigned":false}"#),
        ] {
            let mut out = Vec::new();
            push_long(&mut out, long.to_le_bytes(), "false");
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn texts_are_the_numbers_of_javascript() {
        for (text, number) in [
            ("", 0.0),
            (" \u{feff}\n5\u{2028}", 5.0),
            ("1e1", 10.0),
            ("0x10", 16.0),
            ("0B11", 3.0),
            ("0o17", 15.0),
            ("-1.5E-3", -0.0015),
            (".5", 0.5),
            ("5.", 5.0),
            ("+Infinity", f64::INFINITY),
        ] {
            assert_eq!(from_text(text), number, "{text}");
        }
        for text in [
            "abc", "1_000", "inf", "nan", "NaN", "infinity", "-0x10", "0x", "1e", ".", "1 2",
            "\u{85}5", "1n",
        ] {
            assert!(from_text(text).is_nan(), "{text}");
        }
    }

    /// What bson 5.5 for JavaScript gave.
    #[test]
    fn decimals_are_those_of_the_driver() {
        for (high, low, text) in [
            (0x3040_0000_0000_0000, 0, "0"),
            (0xB040_0000_0000_0000, 0, "-0"),
            (0x3040_0000_0000_0000, 15, "15"),
            (0xB03E_0000_0000_0000, 15, "-1.5"),
            (0x303A_0000_0000_0000, 0, "0.000"),
            (0x3046_0000_0000_0000, 0, "0E+3"),
            (0x3042_0000_0000_0000, 1, "1E+1"),
            (0x3034_0000_0000_0000, 1, "0.000001"),
            (0x3032_0000_0000_0000, 1, "1E-7"),
            (0x3032_0000_0000_0000, 12, "0.0000012"),
            (0x7800_0000_0000_0000, 0, "Infinity"),
            (0xF800_0000_0000_0000, 0, "-Infinity"),
            (0x7C00_0000_0000_0000, 0, "NaN"),
            (0xFC00_0000_0000_0000, 0, "NaN"),
            (
                0x5FFF_ED09_BEAD_87C0,
                0x378D_8E63_FFFF_FFFF,
                "9.999999999999999999999999999999999E+6144",
            ),
        ] {
            assert_eq!(decimal(high, low), text);
        }
    }
}

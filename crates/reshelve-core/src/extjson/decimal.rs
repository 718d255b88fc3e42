//! Decimal128 in the binary encoding (BID) of IEEE 754-2008, to text and back, exactly or not at
//! all.

use super::scalar::push_integer;

/// Largest exponent of a Decimal128.
const EXPONENT_MAX: i64 = 6111;

/// Largest coefficient of a Decimal128.
const COEFFICIENT_MAX: u128 = 10u128.pow(34) - 1;
/// Smallest exponent of a Decimal128; what is stored counts from it.
const EXPONENT_MIN: i64 = -6176;
/// The sign bit of a Decimal128.
const SIGN: u128 = 1 << 127;
/// The bits that say infinity.
const INFINITY: u128 = 0x78 << 120;
/// The bits that say not a number.
const NAN: u128 = 0x7C << 120;

/// Appends the text of a Decimal128 as the drivers write it: scientific where the exponent is
/// positive or the number small.
pub(super) fn push(out: &mut Vec<u8>, bits: u128) {
    if bits & NAN == NAN {
        return out.extend_from_slice(b"NaN");
    }
    if bits & SIGN != 0 {
        out.push(b'-');
    }
    if bits & NAN == INFINITY {
        return out.extend_from_slice(b"Infinity");
    }
    let (coefficient, exponent) = split(bits);
    let digits = coefficient.to_string();
    let length = i64::try_from(digits.len()).unwrap_or(0);
    let first = exponent + length - 1;
    if exponent > 0 || first < -6 {
        let (head, tail) = digits.split_at(1);
        out.extend_from_slice(head.as_bytes());
        if !tail.is_empty() {
            out.push(b'.');
            out.extend_from_slice(tail.as_bytes());
        }
        out.extend_from_slice(if first < 0 { b"E-" } else { b"E+" });
        return push_integer(out, first.abs());
    }
    match usize::try_from(length + exponent) {
        Ok(before) if before > 0 => {
            out.extend_from_slice(&digits.as_bytes()[..before]);
            if before < digits.len() {
                out.push(b'.');
                out.extend_from_slice(&digits.as_bytes()[before..]);
            }
        }
        _ => {
            out.extend_from_slice(b"0.");
            (length + exponent..0).for_each(|_| out.push(b'0'));
            out.extend_from_slice(digits.as_bytes());
        }
    }
}

/// Coefficient and exponent of a finite number. A coefficient that is too large counts as zero, as
/// the standard says.
fn split(bits: u128) -> (u128, i64) {
    let large = bits >> 125 & 3 == 3;
    let shift = if large { 111 } else { 113 };
    let exponent = i64::try_from(bits >> shift & 0x3FFF).unwrap_or(0) + EXPONENT_MIN;
    let coefficient = if large { 0 } else { bits & ((1 << 113) - 1) };
    (if coefficient > COEFFICIENT_MAX { 0 } else { coefficient }, exponent)
}

/// The Decimal128 that a text stands for; none where it is not a number, or where the number cannot
/// be represented exactly.
pub(super) fn parse(text: &[u8]) -> Option<u128> {
    let (sign, text) = match text.split_first()? {
        (b'-', rest) => (SIGN, rest),
        (b'+', rest) => (0, rest),
        _ => (0, text),
    };
    if text.eq_ignore_ascii_case(b"nan") {
        return Some(NAN);
    }
    if text.eq_ignore_ascii_case(b"infinity") || text.eq_ignore_ascii_case(b"inf") {
        return Some(sign | INFINITY);
    }
    let (number, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], exponent_of(&text[at + 1..])?),
        None => (text, 0),
    };
    let point = number.iter().position(|&byte| byte == b'.').unwrap_or(number.len());
    let before = &number[..point];
    let after = number.get(point + 1..).unwrap_or(&[]);
    if before.is_empty() && after.is_empty() {
        return None;
    }
    let mut digits = Vec::with_capacity(number.len());
    for &byte in before.iter().chain(after) {
        if !byte.is_ascii_digit() {
            return None;
        }
        // Leading zeros carry nothing.
        if byte != b'0' || !digits.is_empty() {
            digits.push(byte - b'0');
        }
    }
    let exponent = exponent.checked_sub(i64::try_from(after.len()).ok()?)?;
    let (coefficient, exponent) = fit(digits, exponent)?;
    let biased = u128::try_from(exponent - EXPONENT_MIN).ok()?;
    Some(sign | biased << 113 | coefficient)
}

/// The number after the `e`; one that is too long for an i64 becomes one that is out of range.
fn exponent_of(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits
        .iter()
        .fold(0i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1_000_000_000_000));
    Some(if negative { -size } else { size })
}

/// Brings digits and exponent into range without changing the value.
fn fit(mut digits: Vec<u8>, mut exponent: i64) -> Option<(u128, i64)> {
    if digits.is_empty() {
        return Some((0, exponent.clamp(EXPONENT_MIN, EXPONENT_MAX)));
    }
    while (digits.len() > 34 || exponent < EXPONENT_MIN) && digits.last() == Some(&0) {
        digits.pop();
        exponent += 1;
    }
    while exponent > EXPONENT_MAX && digits.len() < 34 {
        digits.push(0);
        exponent -= 1;
    }
    if digits.len() > 34 || !(EXPONENT_MIN..=EXPONENT_MAX).contains(&exponent) {
        return None;
    }
    let coefficient = digits.iter().fold(0, |sum, &digit| sum * 10 + u128::from(digit));
    Some((coefficient, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bits: u128) -> String {
        let mut out = Vec::new();
        push(&mut out, bits);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn same_text_again() {
        for number in [
            "0",
            "-0",
            "1",
            "-1",
            "0.1",
            "0.10",
            "1.000",
            "1E+3",
            "1.5E+10",
            "0.000001",
            "1E-7",
            "1.23E-7",
            "0E+3",
            "0E-6176",
            "0E+6111",
            "1E-6176",
            "NaN",
            "Infinity",
            "-Infinity",
            "9999999999999999999999999999999999",
            "9.999999999999999999999999999999999E+6144",
            "123456.789",
            "-0.00",
            "0.001234567890123456789012345678901234",
            "12345678901234567.00",
        ] {
            assert_eq!(text(parse(number.as_bytes()).unwrap()), number);
        }
    }

    #[test]
    fn other_spellings() {
        for (given, written) in [
            ("+1", "1"),
            ("01", "1"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e3", "1E+3"),
            ("-nan", "NaN"),
            ("inf", "Infinity"),
            ("-INFINITY", "-Infinity"),
            ("0e99999", "0E+6111"),
            ("0e-99999", "0E-6176"),
            ("1E+6112", "1.0E+6112"),
            ("1E6144", "1.000000000000000000000000000000000E+6144"),
            ("10E-6177", "1E-6176"),
            ("100000000000000000000000000000000000", "1.000000000000000000000000000000000E+35"),
        ] {
            assert_eq!(text(parse(given.as_bytes()).unwrap()), written, "{given}");
        }
    }

    #[test]
    fn not_numbers_or_not_exact() {
        for given in [
            "",
            "-",
            ".",
            "e1",
            "1e",
            "1e+",
            "1.2.3",
            "1 ",
            " 1",
            "0x1",
            "1E6145",
            "1E-6177",
            "12345678901234567890123456789012345",
            "1E99999999999999999999999",
            "nano",
            "--1",
        ] {
            assert_eq!(parse(given.as_bytes()), None, "{given}");
        }
    }

    #[test]
    fn bits_of_known_numbers() {
        assert_eq!(parse(b"1").unwrap() >> 64, 0x3040_0000_0000_0000);
        assert_eq!(parse(b"0.1").unwrap() >> 64, 0x303E_0000_0000_0000);
        assert_eq!(parse(b"-0").unwrap() >> 64, 0xB040_0000_0000_0000);
        // Non-canonical coefficients count as zero.
        assert_eq!(text(3 << 125 | 6179 << 111 | 7), "0E+3");
    }
}

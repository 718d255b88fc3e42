//! The two text forms that the target gives to dates and numbers.

/// The earliest date of the contract: 0000-01-01T00:00:00.000Z, in milliseconds.
pub const DATE_MIN: i64 = -62_167_219_200_000;
/// The latest date of the contract: 9999-12-31T23:59:59.999Z, in milliseconds.
pub const DATE_MAX: i64 = 253_402_300_799_999;

/// A date as `YYYY-MM-DDTHH:mm:ss.sssZ`, without an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Iso([u8; 24]);

impl Iso {
    /// The 24 bytes of ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The ISO form of a date in milliseconds since 1970-01-01 UTC, clamped to the years 0000–9999:
/// only these have that width.
pub fn iso(date_ms: i64) -> Iso {
    let date_ms = date_ms.clamp(DATE_MIN, DATE_MAX);
    let (days, of_day) = (date_ms.div_euclid(86_400_000), date_ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    // Below 86 400 000, and years below 10 000: nothing is cut off.
    let of_day = usize::try_from(of_day).unwrap_or(0);
    let (of_second, seconds) = (of_day % 1_000, of_day / 1_000);
    let minutes = seconds / 60;
    let mut text = *b"0000-00-00T00:00:00.000Z";
    text[0..2].copy_from_slice(&PAIRS[year / 100]);
    text[2..4].copy_from_slice(&PAIRS[year % 100]);
    text[5..7].copy_from_slice(&PAIRS[month]);
    text[8..10].copy_from_slice(&PAIRS[day]);
    text[11..13].copy_from_slice(&PAIRS[minutes / 60]);
    text[14..16].copy_from_slice(&PAIRS[minutes % 60]);
    text[17..19].copy_from_slice(&PAIRS[seconds % 60]);
    text[20..22].copy_from_slice(&PAIRS[of_second / 10]);
    text[22] = PAIRS[of_second % 10][1];
    Iso(text)
}

/// The numbers below 100 as two digits.
const PAIRS: [[u8; 2]; 100] = pairs();

const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [*b"00"; 100];
    let mut number = 0;
    let mut tens = b'0';
    while number < 100 {
        let mut ones = b'0';
        while ones <= b'9' {
            pairs[number] = [tens, ones];
            number += 1;
            ones += 1;
        }
        tens += 1;
    }
    pairs
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
/// The algorithm is Howard Hinnant's `civil_from_days` (public domain): years that start in March
/// put the leap day last. Days are those of the years 0000–9999.
fn civil(days: i64) -> (usize, usize, usize) {
    // 0000-01-01 lies in the era before that of 0000-03-01; counted from that era nothing is
    // negative.
    let shifted = usize::try_from(days + 719_468 + 146_097).unwrap_or(0);
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + usize::from(month <= 2) - 400, month, day)
}

/// The shortest decimal digits that read back as the same f64, without exponent and without `.0`;
/// -0.0 is `0`.
pub fn plain_decimal(number: f64) -> String {
    let mut text = Vec::new();
    push_plain_decimal(&mut text, number);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends what [`plain_decimal`] gives.
pub fn push_plain_decimal(text: &mut Vec<u8>, number: f64) {
    if let Some(integer) = as_int32(number + 0.0)
        && let Ok(index) = usize::try_from(integer)
    {
        return push_index(text, index);
    }
    // The standard library's Display writes exactly this form: shortest round-trip digits, never
    // an exponent, no `.0`. Adding 0.0 turns -0.0 into 0.0.
    text.extend_from_slice(format!("{}", number + 0.0).as_bytes());
}

/// Appends bytes as lower-case hexadecimal digits.
pub fn push_hex(text: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        text.extend_from_slice(&hex_pair(*byte));
    }
}

/// Bytes as lower-case hexadecimal digits: an ObjectId as people write it.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| hex_pair(*byte)).map(char::from).collect()
}

/// The two lower-case hexadecimal digits of a byte.
pub fn hex_pair(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// Appends a position in decimal, as array keys are written.
pub fn push_index(text: &mut Vec<u8>, index: usize) {
    match PAIRS.get(index) {
        Some([_, ones]) if index < 10 => text.push(*ones),
        Some(pair) => text.extend_from_slice(pair),
        None => {
            push_index(text, index / 100);
            text.extend_from_slice(&PAIRS[index % 100]);
        }
    }
}

/// The Int32 that a JavaScript driver would write: integral, within int32, not -0.0.
#[expect(clippy::as_conversions, reason = "tested by the way back")]
#[inline]
pub(super) fn as_int32(number: f64) -> Option<i32> {
    let integer = number as i32;
    // Out of range, with a fraction or not a number: it does not come back.
    (f64::from(integer) == number && (integer != 0 || number.is_sign_positive())).then_some(integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_agrees_with_jiff() {
        for date_ms in [
            0,
            -1,
            DATE_MIN,
            DATE_MIN + 86_399_999,
            -62_162_121_600_001,
            951_782_400_000,
            1_753_351_200_123,
            -62_162_035_200_001,
        ] {
            let stamp = jiff::Timestamp::from_millisecond(date_ms).unwrap();
            let expected = stamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
            assert_eq!(iso(date_ms).as_str(), expected);
        }
        // The last day is outside what jiff's time stamps hold.
        assert_eq!(iso(DATE_MAX).as_str(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn positions_are_decimal() {
        for index in (0..12_000).chain([99_999, 100_000, 1_234_567, usize::MAX]) {
            let mut text = Vec::new();
            push_index(&mut text, index);
            assert_eq!(text, index.to_string().into_bytes());
        }
    }

    #[test]
    fn whole_numbers_are_int32_where_they_fit() {
        for (number, integer) in [
            (0.0, Some(0)),
            (-0.0, None),
            (1.5, None),
            (-7.0, Some(-7)),
            (2_147_483_647.0, Some(i32::MAX)),
            (2_147_483_648.0, None),
            (-2_147_483_648.0, Some(i32::MIN)),
            (-2_147_483_649.0, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
            (1e-320, None),
        ] {
            assert_eq!(as_int32(number), integer, "{number}");
        }
    }

    #[test]
    fn decimals_have_no_exponent() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-3.0, "-3"),
            (1e21, "1000000000000000000000"),
            (1.5e-7, "0.00000015"),
            (0.1 + 0.2, "0.30000000000000004"),
            (9_007_199_254_740_992.0, "9007199254740992"),
        ] {
            assert_eq!(plain_decimal(number), text);
        }
    }
}

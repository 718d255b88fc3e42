//! The two text forms that the target gives to dates and numbers.

/// The earliest date of the contract: 0000-01-01T00:00:00.000Z, in milliseconds.
pub const DATE_MIN: i64 = -62_167_219_200_000;
/// The latest date of the contract: 9999-12-31T23:59:59.999Z, in milliseconds.
pub const DATE_MAX: i64 = 253_402_300_799_999;

/// A date as `YYYY-MM-DDTHH:mm:ss.sssZ`, held without an allocation.
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

/// The ISO form of a date in milliseconds since the epoch; clamped to the years 0000–9999, the
/// only ones of that width (the mapping never asks for others).
pub fn iso(date_ms: i64) -> Iso {
    let date_ms = date_ms.clamp(DATE_MIN, DATE_MAX);
    let (days, of_day) = (date_ms.div_euclid(86_400_000), date_ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    digits(&mut text[0..4], year);
    digits(&mut text[5..7], month);
    digits(&mut text[8..10], day);
    digits(&mut text[11..13], of_day / 3_600_000);
    digits(&mut text[14..16], of_day / 60_000 % 60);
    digits(&mut text[17..19], of_day / 1_000 % 60);
    digits(&mut text[20..23], of_day % 1_000);
    Iso(text)
}

fn digits(place: &mut [u8], mut number: i64) {
    for byte in place.iter_mut().rev() {
        *byte = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
/// The algorithm is Howard Hinnant's `civil_from_days` (public domain): years that start in March
/// put the leap day last.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
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

/// Appends a position in decimal, as array keys are written.
pub fn push_index(text: &mut Vec<u8>, index: usize) {
    let mut buffer = [0u8; 20];
    let mut at = buffer.len();
    let mut rest = index;
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(&buffer[at..]);
}

/// The Int32 that a JavaScript driver would write: integral, within int32, not -0.0.
#[expect(clippy::as_conversions, reason = "the range was tested the line before")]
pub(super) fn as_int32(number: f64) -> Option<i32> {
    if !(-2_147_483_648.0..=2_147_483_647.0).contains(&number) || number.fract() != 0.0 {
        return None;
    }
    let integer = number as i32;
    (integer != 0 || number.is_sign_positive()).then_some(integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_agrees_with_jiff() {
        for date_ms in [0, -1, DATE_MIN, 951_782_400_000, 1_753_351_200_123, -62_162_035_200_001] {
            let stamp = jiff::Timestamp::from_millisecond(date_ms).unwrap();
            let expected = stamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
            assert_eq!(iso(date_ms).as_str(), expected);
        }
        // The last day is outside what jiff's time stamps hold.
        assert_eq!(iso(DATE_MAX).as_str(), "9999-12-31T23:59:59.999Z");
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

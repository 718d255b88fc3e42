//! ISO dates of any year, in milliseconds since the epoch.
//!
//! The arithmetic is here because the timestamps of common libraries end before the year 10000, or
//! lose a day at the far ends.

const DAY_MS: i64 = 86_400_000;

/// The date that a text stands for: `2025-07-20T17:24:32.733Z`, with or without a fraction, with
/// `Z`, `+0000`, `-07:00` or `+00`; years of four digits, or a sign and six. A fraction finer than
/// a millisecond is cut off, as the drivers do. In milliseconds since 1970; nothing if it is no
/// date.
pub fn parse_iso(text: &[u8]) -> Option<i64> {
    let mut reader = Reader { text };
    let year = match text.first()? {
        b'+' => {
            reader.expect(b'+')?;
            reader.digits(6)?
        }
        b'-' => {
            reader.expect(b'-')?;
            -reader.digits(6)?
        }
        _ => reader.digits(4)?,
    };
    reader.expect(b'-')?;
    let month = reader.digits(2)?;
    reader.expect(b'-')?;
    let day = reader.digits(2)?;
    if !(1..=12).contains(&month) || day < 1 || day > month_days(year, month) {
        return None;
    }
    reader.expect(b'T')?;
    let hour = reader.digits(2)?;
    reader.expect(b':')?;
    let minute = reader.digits(2)?;
    reader.expect(b':')?;
    let second = reader.digits(2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction_ms = if reader.expect(b'.').is_some() { reader.fraction_ms()? } else { 0 };
    let zone_minutes = reader.zone()?;
    if !reader.text.is_empty() {
        return None;
    }
    let of_day = ((hour * 60 + minute - zone_minutes) * 60 + second) * 1_000 + fraction_ms;
    Some(days(year, month, day) * DAY_MS + of_day)
}

struct Reader<'a> {
    text: &'a [u8],
}

impl Reader<'_> {
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.text = self.text.strip_prefix(&[byte])?;
        Some(())
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.text.split_at_checked(count)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.text = rest;
        Some(digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    }

    fn fraction_ms(&mut self) -> Option<i64> {
        let length = self.text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.text.split_at(length);
        self.text = rest;
        let digit = |at: usize| digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
        (length > 0).then(|| digit(0) * 100 + digit(1) * 10 + digit(2))
    }

    /// Minutes east of Greenwich.
    fn zone(&mut self) -> Option<i64> {
        if self.expect(b'Z').is_some() {
            return Some(0);
        }
        let sign = if self.expect(b'+').is_some() {
            1
        } else {
            self.expect(b'-')?;
            -1
        };
        let hours = self.digits(2)?;
        let colon = self.expect(b':').is_some();
        let minutes = if colon || !self.text.is_empty() { self.digits(2)? } else { 0 };
        (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
    }
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar: Howard Hinnant's `days_from_civil`
/// (public domain).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let march_month = (month + 9) % 12;
    let of_year = (153 * march_month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling() {
        for (text, date_ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.001Z", 1),
            ("1969-12-31T23:59:59.999Z", -1),
            ("1970-01-01T00:00:00.1Z", 100),
            ("1970-01-01T00:00:00.123456789Z", 123),
            ("1970-01-01T00:00:00+0000", 0),
            ("1970-01-01T00:00:00+00", 0),
            ("1970-01-01T00:00:00+00:00", 0),
            ("1969-12-31T17:00:00-07:00", 0),
            ("1970-01-01T05:30:00.5+0530", 500),
            ("2025-07-20T17:24:32.733Z", 1_753_032_272_733),
            ("0000-01-01T00:00:00.000Z", crate::raw::DATE_MIN),
            ("9999-12-31T23:59:59.999Z", crate::raw::DATE_MAX),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000),
            ("+010000-01-01T00:00:00Z", crate::raw::DATE_MAX + 1),
            ("-000001-12-31T23:59:59.999Z", crate::raw::DATE_MIN - 1),
        ] {
            assert_eq!(parse_iso(text.as_bytes()), Some(date_ms), "{text}");
        }
    }

    #[test]
    fn not_dates() {
        for text in [
            "",
            "2025",
            "2025-07-20",
            "2025-07-20T17:24:32",
            "2025-07-20T17:24Z",
            "2025-13-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-00-01T00:00:00Z",
            "2025-01-00T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:60:00Z",
            "2025-01-01T00:00:60Z",
            "2025-01-01T00:00:00.Z",
            "2025-01-01T00:00:00ZZ",
            "2025-01-01T00:00:00+0",
            "2025-01-01T00:00:00+00:",
            "2025-01-01 00:00:00Z",
            "2025-01-01T00:00:00+24:00",
            "x",
            "25-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_iso(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn agrees_with_the_writer_of_dates() {
        let mut date_ms = crate::raw::DATE_MIN;
        while date_ms <= crate::raw::DATE_MAX {
            assert_eq!(parse_iso(crate::raw::iso(date_ms).as_bytes()), Some(date_ms));
            // A step that shares no factor with days or years.
            date_ms += 86_400_000 * 97 + 12_345_677;
        }
    }
}

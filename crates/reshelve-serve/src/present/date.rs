//! Dates as JavaScript writes them and reads them.

use reshelve_core::raw::{DATE_MAX, DATE_MIN, iso};

use super::number::{self, push_unsigned};

/// The largest distance from 1970 of a date in JavaScript, in milliseconds.
const JAVASCRIPT_MAX: u64 = 8_640_000_000_000_000;

/// The milliseconds of 400 years, after which the calendar repeats itself.
const CYCLE_MS: i64 = 146_097 * 86_400_000;

/// The date, if JavaScript can hold it.
pub(super) fn valid(date_ms: i64) -> Option<i64> {
    (date_ms.unsigned_abs() <= JAVASCRIPT_MAX).then_some(date_ms)
}

/// Appends a valid date as `toISOString` writes it, without quotes: years outside 0–9999 have a
/// sign and six digits.
pub(super) fn push_iso(out: &mut Vec<u8>, date_ms: i64) {
    if (DATE_MIN..=DATE_MAX).contains(&date_ms) {
        return out.extend_from_slice(iso(date_ms).as_bytes());
    }
    let (year, near) = split(date_ms);
    out.push(if year < 0 { b'-' } else { b'+' });
    let mut digits = Vec::new();
    push_unsigned(&mut digits, year.unsigned_abs());
    out.extend(std::iter::repeat_n(b'0', 6_usize.saturating_sub(digits.len())));
    out.extend_from_slice(&digits);
    out.extend_from_slice(&near[4..]);
}

/// The year of a valid date, and the ISO form of the same day and time in a year from 0 to 9999.
pub(super) fn split(date_ms: i64) -> (i64, [u8; 24]) {
    let cycles = (date_ms - DATE_MIN).div_euclid(CYCLE_MS);
    let near = iso(date_ms - cycles * CYCLE_MS);
    let mut text = [0; 24];
    text.copy_from_slice(near.as_bytes());
    let year = text[..4].iter().fold(0, |year, digit| year * 10 + i64::from(digit - b'0'));
    (year + cycles * 400, text)
}

/// Appends a date as its `toString` writes it in a process whose time zone is UTC.
pub(super) fn push_long_form(out: &mut Vec<u8>, date_ms: i64) {
    const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
    const MONTHS: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let (year, near) = split(date_ms);
    let day = usize::try_from(date_ms.div_euclid(86_400_000).rem_euclid(7)).unwrap_or(0);
    let month = usize::from(near[5] - b'0') * 10 + usize::from(near[6] - b'0');
    out.extend_from_slice(DAYS[day]);
    out.push(b' ');
    out.extend_from_slice(MONTHS[month.saturating_sub(1).min(11)]);
    out.push(b' ');
    out.extend_from_slice(&near[8..10]);
    out.extend_from_slice(if year < 0 { b" -" } else { b" " });
    let mut digits = Vec::new();
    push_unsigned(&mut digits, year.unsigned_abs());
    out.extend(std::iter::repeat_n(b'0', 4_usize.saturating_sub(digits.len())));
    out.extend_from_slice(&digits);
    out.push(b' ');
    out.extend_from_slice(&near[11..19]);
    out.extend_from_slice(b" GMT+0000 (Coordinated Universal Time)");
}

/// The date of a number of milliseconds: its fraction is cut.
pub(super) fn from_number(date_ms: f64) -> Option<i64> {
    #[expect(clippy::as_conversions, reason = "the range is checked, and the fraction goes")]
    let whole = date_ms as i64;
    if date_ms.is_nan() { None } else { valid(whole) }
}

/// The date that a text stands for where Mongoose casts it: a date in the form of ECMAScript (UTC
/// where it names no zone, a space in place of the `T` too), or a number that can be no year.
pub(super) fn from_text(text: &str) -> Option<i64> {
    let number = number::from_text(text);
    if number.is_nan() || (-271_820.0..275_761.0).contains(&number) {
        return Reader(text.as_bytes()).date().and_then(valid);
    }
    from_number(number)
}

/// What is left of a date to be read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn date(&mut self) -> Option<i64> {
        let year = match self.sign() {
            Some(-1) => self.digits(6).map(|year| -year).filter(|year| *year != 0)?,
            Some(_) => self.digits(6)?,
            None => self.digits(4)?,
        };
        let month = if self.takes(b'-') { self.within(2, 1..=12)? } else { 1 };
        let day = if self.takes(b'-') { self.within(2, 1..=31)? } else { 1 };
        let midnight_ms = days(year, month, day) * 86_400_000;
        if self.0.is_empty() {
            return Some(midnight_ms);
        }
        if !self.takes(b'T') && !self.takes(b' ') {
            return None;
        }
        Some(midnight_ms + self.time()?)
    }

    fn time(&mut self) -> Option<i64> {
        let mut time_ms = self.hour_and_minute(24)? * 60_000;
        if self.takes(b':') {
            time_ms += self.within(2, 0..=59)? * 1_000;
            if self.takes(b'.') {
                time_ms += self.fraction_ms()?;
            }
        }
        if time_ms > 86_400_000 {
            return None;
        }
        if self.0.is_empty() || self.takes(b'Z') {
            return self.0.is_empty().then_some(time_ms);
        }
        let sign = self.sign()?;
        let zone_ms = sign * self.hour_and_minute(23)? * 60_000;
        self.0.is_empty().then_some(time_ms - zone_ms)
    }

    fn hour_and_minute(&mut self, hour_max: i64) -> Option<i64> {
        let hour = self.within(2, 0..=hour_max)?;
        if !self.takes(b':') {
            return None;
        }
        Some(hour * 60 + self.within(2, 0..=59)?)
    }

    /// One digit or more, of which three count.
    fn fraction_ms(&mut self) -> Option<i64> {
        let length = self.0.iter().take_while(|digit| digit.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        let digit = |at: usize| digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
        (length > 0).then(|| digit(0) * 100 + digit(1) * 10 + digit(2))
    }

    fn sign(&mut self) -> Option<i64> {
        if self.takes(b'-') {
            return Some(-1);
        }
        self.takes(b'+').then_some(1)
    }

    fn takes(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn within(&mut self, length: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.digits(length).filter(|number| range.contains(number))
    }

    fn digits(&mut self, length: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    }
}

/// The days from 1970-01-01 to a day in the proleptic Gregorian calendar: Howard Hinnant's
/// `days_from_civil` (public domain).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso_text(date_ms: i64) -> String {
        let mut out = Vec::new();
        push_iso(&mut out, date_ms);
        String::from_utf8(out).unwrap()
    }

    fn long_form(date_ms: i64) -> String {
        let mut out = Vec::new();
        push_long_form(&mut out, date_ms);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn years_outside_four_digits_have_a_sign_and_six() {
        for (date_ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (DATE_MIN, "0000-01-01T00:00:00.000Z"),
            (DATE_MIN - 1, "-000001-12-31T23:59:59.999Z"),
            (DATE_MAX, "9999-12-31T23:59:59.999Z"),
            (DATE_MAX + 1, "+010000-01-01T00:00:00.000Z"),
            (8_640_000_000_000_000, "+275760-09-13T00:00:00.000Z"),
            (-8_640_000_000_000_000, "-271821-04-20T00:00:00.000Z"),
        ] {
            assert_eq!(iso_text(date_ms), text);
            assert_eq!(from_text(text), Some(date_ms), "{text}");
        }
        assert_eq!(valid(8_640_000_000_000_001), None);
        assert_eq!(valid(i64::MIN), None);
    }

    #[test]
    fn the_long_form_is_that_of_utc() {
        for (date_ms, text) in [
            (0, "Thu Jan 01 1970 00:00:00"),
            (1_753_351_200_123, "Thu Jul 24 2025 10:00:00"),
            (DATE_MIN, "Sat Jan 01 0000 00:00:00"),
            (DATE_MIN - 1, "Fri Dec 31 -0001 23:59:59"),
            (8_640_000_000_000_000, "Sat Sep 13 275760 00:00:00"),
        ] {
            let text = format!("{text} GMT+0000 (Coordinated Universal Time)");
            assert_eq!(long_form(date_ms), text);
        }
    }

    /// What `new Date` gave for these texts, cast by Mongoose, in a process in UTC.
    #[test]
    fn texts_are_read_as_mongoose_casts_them() {
        for (text, date_ms) in [
            ("2025", Some(1_735_689_600_000)),
            ("2025-07", Some(1_751_328_000_000)),
            ("2025-07-24", Some(1_753_315_200_000)),
            ("2025-07-24T10:00Z", Some(1_753_351_200_000)),
            ("2025-07-24T10:00:00.1Z", Some(1_753_351_200_100)),
            ("2025-07-24T10:00:00.123456+02:00", Some(1_753_344_000_123)),
            ("2025-07-24 10:00:00", Some(1_753_351_200_000)),
            ("2025-07-24T24:00:00Z", Some(1_753_401_600_000)),
            ("1753351200000", Some(1_753_351_200_000)),
            ("-1e12", Some(-1_000_000_000_000)),
            ("2025-13-01", None),
            ("2025-07-24T", None),
            ("2025-07-24T10", None),
            ("2025-07-24T10:60Z", None),
            ("-000000-01-01", None),
            ("soon", None),
            ("", None),
            ("1e300", None),
            ("Infinity", None),
        ] {
            assert_eq!(from_text(text), date_ms, "{text}");
        }
        assert_eq!(from_number(1.9), Some(1));
        assert_eq!(from_number(-1.9), Some(-1));
        assert_eq!(from_number(f64::NAN), None);
        assert_eq!(from_number(9e15), None);
    }
}

//! Dates: all of a job are shifted by one offset, so that differences and order stay.

use super::key::Key;
use reshelve_core::raw::{DATE_MAX, DATE_MIN};
use reshelve_words::Draw;

const DAY_S: i64 = 86_400;
/// The smallest offset: a month.
const OFFSET_MIN_S: i64 = 30 * DAY_S;
/// The largest offset: five and a half years.
const OFFSET_MAX_S: i64 = 2_000 * DAY_S;
/// A date so near to the first or the last one of its kind says what kind it is, not when something
/// happened: it stays.
const MARGIN_S: i64 = OFFSET_MAX_S + DAY_S;
/// Milliseconds since 1970 that are too early for anything to have happened, as numbers.
const EPOCH_MARGIN_MS: i64 = MARGIN_S * 1_000;

/// How the dates of a job are shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    offset_s: i64,
}

impl Shift {
    /// The offset of a job, or, to keep the order of jobs, of all of them.
    pub(super) fn of_job(key: &Key, job: &[u8], keep_order: bool) -> Shift {
        let mut draw = match keep_order {
            true => key.draw("offset of all", &[]),
            false => key.draw("offset", &[job]),
        };
        let range = usize::try_from(OFFSET_MAX_S - OFFSET_MIN_S).unwrap_or(1);
        let size = OFFSET_MIN_S + i64::try_from(draw.below(range)).unwrap_or(0);
        Shift { offset_s: if draw.byte() & 1 == 0 { size } else { -size } }
    }

    /// The offset in milliseconds.
    pub(super) fn offset_ms(self) -> i64 {
        self.offset_s * 1_000
    }

    /// Seconds since 1970, as in an ObjectId.
    pub(super) fn seconds(self, seconds: u32) -> u32 {
        let shifted = i64::from(seconds) + self.offset_s;
        let is_extreme =
            i64::from(seconds) < MARGIN_S || i64::from(seconds) > i64::from(u32::MAX) - MARGIN_S;
        if is_extreme { seconds } else { u32::try_from(shifted).unwrap_or(seconds) }
    }

    /// A date in milliseconds since 1970. One that no reader takes for a date is replaced by
    /// another such one.
    pub(super) fn date(self, date_ms: i64, draw: impl FnOnce() -> Draw) -> i64 {
        const MARGIN_MS: i64 = MARGIN_S * 1_000;
        if (DATE_MIN + MARGIN_MS..=DATE_MAX - MARGIN_MS).contains(&date_ms) {
            return date_ms + self.offset_ms();
        }
        let is_limit = date_ms == i64::MIN || date_ms == i64::MAX;
        if is_limit || (DATE_MIN - MARGIN_MS..=DATE_MAX + MARGIN_MS).contains(&date_ms) {
            return date_ms;
        }
        unreadable(date_ms, &mut draw())
    }

    /// A number that is read as milliseconds since 1970; none for one that is no such date.
    pub(super) fn epoch_ms(self, number: i64) -> Option<i64> {
        if !(EPOCH_MARGIN_MS..=DATE_MAX - EPOCH_MARGIN_MS).contains(&number) {
            return None;
        }
        Some(number + self.offset_ms())
    }
}

/// A date outside the years that are read, on the same side and of about the same size.
fn unreadable(date_ms: i64, draw: &mut Draw) -> i64 {
    let drawn = i64::from_le_bytes(draw.bytes());
    // Between half of it and itself, unless that is readable.
    let size = date_ms / 2;
    let near = size + drawn.checked_rem(size).unwrap_or(0).wrapping_abs() * size.signum();
    match (DATE_MIN..=DATE_MAX).contains(&near) {
        true => date_ms,
        false => near,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::parse(&"a".repeat(64)).unwrap()
    }

    fn shift(job: &[u8]) -> Shift {
        Shift::of_job(&key(), job, false)
    }

    #[test]
    fn each_job_has_an_offset_of_its_own() {
        let offsets: std::collections::BTreeSet<i64> =
            (0..100u8).map(|job| shift(&[job]).offset_s).collect();
        assert_eq!(offsets.len(), 100);
        assert!(offsets.iter().all(|it| (OFFSET_MIN_S..OFFSET_MAX_S).contains(&it.abs())));
        assert!(*offsets.first().unwrap() < 0 && *offsets.last().unwrap() > 0);
        assert_eq!(Shift::of_job(&key(), b"a", true), Shift::of_job(&key(), b"b", true));
    }

    #[test]
    fn differences_stay_and_extremes_stay_what_they_are() {
        let shift = shift(b"job");
        let draw = || key().draw("test", &[]);
        let created = 1_753_351_200_123;
        assert_eq!(shift.date(created, draw) - created, shift.offset_ms());
        assert_eq!(shift.date(-5, draw) + 5, shift.offset_ms(), "before 1970");
        for extreme in [DATE_MIN, DATE_MAX, DATE_MIN - 1, DATE_MAX + 1, i64::MIN, i64::MAX] {
            assert_eq!(shift.date(extreme, draw), extreme);
        }
        // Microseconds: they would still say when it was.
        for unread in [1_753_351_200_123_456, -1_753_351_200_123_456] {
            let drawn = shift.date(unread, draw);
            assert!(!(DATE_MIN..=DATE_MAX).contains(&drawn) && drawn.signum() == unread.signum());
            assert!((drawn - unread).abs() > 1_000_000_000_000, "{drawn}");
        }
    }

    #[test]
    fn seconds_and_numbers_move_with_the_dates() {
        let shift = shift(b"job");
        assert_eq!(i64::from(shift.seconds(1_753_351_200)) - 1_753_351_200, shift.offset_s);
        assert_eq!(shift.seconds(0), 0);
        assert_eq!(shift.seconds(u32::MAX), u32::MAX);
        assert_eq!(shift.epoch_ms(1_753_351_200_123), Some(1_753_351_200_123 + shift.offset_ms()));
        assert_eq!(shift.epoch_ms(1_753_351_200), None, "seconds are no milliseconds");
    }
}

//! Days, months and years: `2025-07-24`, `2025-07`, `2025`.

use std::ops::Range;

use reshelve_core::extjson::parse_iso;
use reshelve_core::raw::{DATE_MIN, iso};

/// By what novels are asked for of which no time is known.
pub(super) const UNDATED: &str = "-";

const DAY_MS: i64 = 86_400_000;

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    Day,
    Month,
    Year,
}

impl Grain {
    /// The number of the day, month or year that a day is in: neighbours have neighbouring numbers.
    pub(super) fn of(self, day: i64) -> i64 {
        let date = iso(day.saturating_mul(DAY_MS));
        let number = |from: usize, to: usize| {
            date.as_str().get(from..to).and_then(|it| it.parse::<i64>().ok()).unwrap_or(0)
        };
        match self {
            Grain::Day => day,
            Grain::Month => number(0, 4) * 12 + number(5, 7) - 1,
            Grain::Year => number(0, 4),
        }
    }

    /// The text of such a number, which [`range`] reads.
    pub(super) fn text(self, number: i64) -> String {
        match self {
            Grain::Day => {
                let date = iso(number.saturating_mul(DAY_MS));
                date.as_str().get(..10).unwrap_or_default().to_owned()
            }
            Grain::Month => {
                format!("{:04}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1)
            }
            Grain::Year => format!("{number:04}"),
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Grain::Day => "day",
            Grain::Month => "month",
            Grain::Year => "year",
        }
    }
}

/// The milliseconds since 1970 that a text stands for; nothing if it is no such text.
pub(super) fn range(text: &str) -> Option<Range<i64>> {
    if text == UNDATED {
        return Some(i64::MIN..DATE_MIN);
    }
    let (grain, rest) = match text.len() {
        10 => (Grain::Day, "T00:00:00Z"),
        7 => (Grain::Month, "-01T00:00:00Z"),
        4 => (Grain::Year, "-01-01T00:00:00Z"),
        _ => return None,
    };
    let begin = |text: &str| parse_iso(format!("{text}{rest}").as_bytes());
    let from = begin(text)?;
    let next = grain.of(from.div_euclid(DAY_MS)) + 1;
    let until = match grain {
        Grain::Day => next.saturating_mul(DAY_MS),
        Grain::Month | Grain::Year => begin(&grain.text(next)).unwrap_or(i64::MAX),
    };
    Some(from..until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stands_for_the_time_from_its_begin_to_that_of_the_next() {
        for (text, from, until) in [
            ("2025-07-24", "2025-07-24T00:00:00Z", "2025-07-25T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
            ("2025-12", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("1969", "1969-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ] {
            let [from, until] = [from, until].map(|it| parse_iso(it.as_bytes()).unwrap());
            assert_eq!(range(text), Some(from..until), "{text}");
            let grain = [Grain::Year, Grain::Month, Grain::Day][text.len() / 3 - 1];
            assert_eq!(grain.text(grain.of(from.div_euclid(DAY_MS))), text);
        }
        assert_eq!(range("9999").unwrap().end, i64::MAX);
        for odd in ["", "x", "2025-13", "2025-02-30", "20250724", "-025"] {
            assert_eq!(range(odd), None, "{odd}");
        }
    }
}

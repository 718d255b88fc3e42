//! What is counted at one path: numbers, lengths, dates, and the values of apparent enumerations.

use std::collections::BTreeMap;

use super::model::{Dates, Numbers};
use reshelve_core::raw::{Value, kind};

/// How many distinct values an enumeration may have.
pub const VALUES_MAX: usize = 50;
/// How long a value of an enumeration may be, in bytes.
pub const VALUE_BYTES_MAX: usize = 64;
/// How many distinct values are held over all paths; a path that would hold one more does not count
/// as an enumeration.
pub const VALUES_TOTAL_MAX: usize = 100_000;

/// MongoDB's alias of a type.
pub(crate) fn alias(of: u8) -> &'static str {
    kind::ALIASES[slot(of)]
}

fn slot(kind: u8) -> usize {
    match kind {
        kind::MIN_KEY => 19,
        kind::MAX_KEY => 20,
        known => usize::from(known.clamp(1, 19)) - 1,
    }
}

/// How often each type occurs.
#[derive(Debug, Default)]
pub(crate) struct Types([u64; 21]);

impl Types {
    #[inline]
    pub(crate) fn add(&mut self, kind: u8) {
        self.0[slot(kind)] += 1;
    }

    pub(crate) fn of(&self, kind: u8) -> u64 {
        self.0[slot(kind)]
    }

    pub(crate) fn finish(&self) -> BTreeMap<&'static str, u64> {
        kind::ALIASES.into_iter().zip(self.0).filter(|(_, count)| *count > 0).collect()
    }
}

/// Larger numbers are added up separately, scaled down: their sum may exceed all numbers, while
/// their mean does not.
const LARGE: f64 = 1e290;
/// A power of two, so that nothing is rounded.
const LARGE_UNIT: f64 = 18_446_744_073_709_551_616.0;

/// Some numbers.
#[derive(Debug, Default)]
pub(crate) struct Spread {
    count: u64,
    sum: f64,
    /// The sum of the large ones, in [`LARGE_UNIT`]s.
    large: f64,
    min: f64,
    max: f64,
}

impl Spread {
    #[inline]
    pub(crate) fn add(&mut self, number: f64) {
        if self.count == 0 {
            (self.min, self.max) = (number, number);
        }
        self.count += 1;
        if number.abs() < LARGE {
            self.sum += number;
        } else {
            self.large += number / LARGE_UNIT;
        }
        self.min = self.min.min(number);
        self.max = self.max.max(number);
    }

    #[inline]
    pub(crate) fn add_length(&mut self, length: usize) {
        self.add(f64::from(u32::try_from(length).unwrap_or(u32::MAX)));
    }

    pub(crate) fn finish(&self) -> Option<Numbers> {
        let Spread { count, sum, large, min, max } = *self;
        let number = float(count);
        let mean = sum / number + large / number * LARGE_UNIT;
        (count > 0).then(|| Numbers { count, min, mean: mean.clamp(min, max), max })
    }
}

/// A count as a number.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53 of anything")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// The distinct strings of a path, until there are too many of them.
#[derive(Debug, Default)]
pub(crate) struct Values {
    list: Vec<(Box<[u8]>, u64)>,
    /// The value that was met last: often the next one too.
    last: usize,
    given_up: bool,
    count: u64,
}

impl Values {
    /// Counts a string; `held` is how many values are held over all paths.
    #[inline]
    pub(crate) fn add(&mut self, text: &[u8], held: &mut usize) {
        if self.given_up {
            return;
        }
        if let Some((value, count)) = self.list.get_mut(self.last)
            && **value == *text
        {
            *count += 1;
            self.count += 1;
            return;
        }
        self.add_other(text, held);
    }

    fn add_other(&mut self, text: &[u8], held: &mut usize) {
        if let Some(at) = self.list.iter().position(|(value, _)| **value == *text) {
            self.list[at].1 += 1;
            self.last = at;
        } else if text.len() > VALUE_BYTES_MAX
            || self.list.len() >= VALUES_MAX
            || *held >= VALUES_TOTAL_MAX
        {
            *held -= self.list.len();
            *self = Values { given_up: true, ..Values::default() };
            return;
        } else {
            *held += 1;
            self.last = self.list.len();
            self.list.push((text.into(), 1));
        }
        self.count += 1;
    }

    /// The values, if the path looks like an enumeration: each occurs twice on average, or the
    /// schema says that it is one.
    pub(crate) fn finish(&self, is_enumeration: bool) -> Option<BTreeMap<String, u64>> {
        let distinct = u64::try_from(self.list.len()).unwrap_or(u64::MAX);
        if distinct == 0 || !(is_enumeration || self.count >= distinct.saturating_mul(2)) {
            return None;
        }
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Some(self.list.iter().map(|(value, count)| (text(value), *count)).collect())
    }
}

/// Everything that is reported about the values at one path.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    pub(crate) types: Types,
    pub(crate) numbers: Spread,
    pub(crate) string_bytes: Spread,
    pub(crate) items: Spread,
    pub(crate) dates: Option<Dates>,
    pub(crate) booleans: [u64; 2],
    pub(crate) values: Values,
}

impl Tallies {
    #[inline]
    pub(crate) fn add(&mut self, value: Value<'_>, held: &mut usize) {
        self.types.add(value.kind);
        match value.kind {
            kind::STRING => {
                let text = value.string().unwrap_or_default();
                self.string_bytes.add_length(text.len());
                self.values.add(text, held);
            }
            kind::INT32 | kind::INT64 | kind::DOUBLE => {
                if let Some(number) = value.numeric().filter(|number| number.is_finite()) {
                    self.numbers.add(number);
                }
            }
            kind::DATE => {
                if let Some(date_ms) = value.date_ms() {
                    self.dates = Dates::with(self.dates, date_ms);
                }
            }
            kind::BOOLEAN => self.booleans[usize::from(value.bytes == [1])] += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_between_the_least_and_the_greatest() {
        let mean = |numbers: &[f64]| {
            let mut spread = Spread::default();
            numbers.iter().for_each(|number| spread.add(*number));
            spread.finish().map(|numbers| numbers.mean)
        };
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(mean(&[f64::MAX, f64::MAX, f64::MAX]), Some(f64::MAX));
        assert_eq!(mean(&[f64::MAX, f64::MIN, 3.0]), Some(1.0));
    }

    #[test]
    fn values_are_told_where_they_repeat_and_are_few() {
        let told = |texts: &[&str], is_enumeration| {
            let (mut values, mut held) = (Values::default(), 0);
            texts.iter().for_each(|text| values.add(text.as_bytes(), &mut held));
            let told = values.finish(is_enumeration);
            assert_eq!(held, values.list.len());
            told.map(|values| values.into_iter().collect::<Vec<_>>())
        };
        let pair = |value: &str, count| (value.to_owned(), count);
        assert_eq!(told(&["a", "b", "a", "b"], false), Some(vec![pair("a", 2), pair("b", 2)]));
        assert_eq!(told(&["a", "b", "a"], false), None);
        assert_eq!(told(&["a", "b", "a"], true), Some(vec![pair("a", 2), pair("b", 1)]));
        let long = "x".repeat(VALUE_BYTES_MAX + 1);
        assert_eq!(told(&["a", "a", &long, "a"], true), None);
        let many: Vec<String> = (0..=VALUES_MAX).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().chain(&many).map(String::as_str).collect();
        assert_eq!(told(&many, true), None);
    }
}

//! Reads fields with the types that the contract expects, and warns where they have another.

use super::warning::{Path, WarningCode, Warnings};
use crate::raw::{DATE_MAX, DATE_MIN, Document, Value, kind};

/// The first field of each of these names, including null ones: where a name repeats, the first
/// one counts, even if it is null.
///
/// Stored documents nearly always have their fields in schema order, so the name after the last hit
/// is tried first.
pub(crate) fn pick<'a, const N: usize>(
    document: Document<'a>,
    names: &[&str; N],
) -> [Option<Value<'a>>; N] {
    let mut found = [None; N];
    let mut expected = 0;
    for element in document.elements() {
        let hit = if expected < N && names[expected].as_bytes() == element.name {
            Some(expected)
        } else {
            names.iter().position(|name| name.as_bytes() == element.name)
        };
        if let Some(index) = hit {
            found[index].get_or_insert(element.value);
            expected = index + 1;
        }
    }
    found
}

/// Reads values by type. Null and undefined count as absent, without a warning.
pub(crate) struct Typed<'w> {
    pub(crate) warnings: &'w mut Warnings,
}

impl Typed<'_> {
    pub(crate) fn mismatch(&mut self, path: &Path<'_>) {
        self.warnings.add(WarningCode::TypeMismatch, path);
    }

    /// The value where it is neither null nor undefined.
    fn present(value: Option<Value<'_>>) -> Option<Value<'_>> {
        value.filter(|value| !value.is_nullish())
    }

    fn typed<'a, T>(
        &mut self,
        value: Option<Value<'a>>,
        path: &Path<'_>,
        read: impl Fn(Value<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = Self::present(value)?;
        let read = read(value);
        if read.is_none() {
            self.mismatch(path);
        }
        read
    }

    pub(crate) fn string<'a>(
        &mut self,
        value: Option<Value<'a>>,
        path: &Path<'_>,
    ) -> Option<&'a [u8]> {
        self.typed(value, path, Value::string)
    }

    pub(crate) fn boolean(&mut self, value: Option<Value<'_>>, path: &Path<'_>) -> Option<bool> {
        self.typed(value, path, Value::boolean)
    }

    pub(crate) fn document<'a>(
        &mut self,
        value: Option<Value<'a>>,
        path: &Path<'_>,
    ) -> Option<Document<'a>> {
        self.typed(value, path, Value::document)
    }

    pub(crate) fn array<'a>(
        &mut self,
        value: Option<Value<'a>>,
        path: &Path<'_>,
    ) -> Option<Document<'a>> {
        self.typed(value, path, Value::array)
    }

    /// Int32, Int64 or a finite Double.
    pub(crate) fn number(&mut self, value: Option<Value<'_>>, path: &Path<'_>) -> Option<f64> {
        let number = self.typed(value, path, Value::numeric)?;
        if !number.is_finite() {
            self.warnings.add(WarningCode::InvalidNumber, path);
            return None;
        }
        Some(number)
    }

    /// A number ≥ 0.
    pub(crate) fn count(&mut self, value: Option<Value<'_>>, path: &Path<'_>) -> Option<f64> {
        self.signed_count(value, path).filter(|number| *number >= 0.0)
    }

    /// A number that should be a count; a negative one is returned too, with a warning.
    pub(crate) fn signed_count(
        &mut self,
        value: Option<Value<'_>>,
        path: &Path<'_>,
    ) -> Option<f64> {
        let number = self.number(value, path)?;
        if number < 0.0 {
            self.warnings.add(WarningCode::InvalidNumber, path);
        }
        Some(number)
    }

    /// A BSON date of the years 0000–9999, in milliseconds.
    pub(crate) fn date(&mut self, value: Option<Value<'_>>, path: &Path<'_>) -> Option<i64> {
        let date_ms = self.typed(value, path, Value::date_ms)?;
        if !(DATE_MIN..=DATE_MAX).contains(&date_ms) {
            self.warnings.add(WarningCode::InvalidDate, path);
            return None;
        }
        Some(date_ms)
    }

    /// A date, or a number of epoch milliseconds, as the `timestamp`s of alerts, decisions,
    /// enhancements and errors may hold.
    pub(crate) fn timestamp(&mut self, value: Option<Value<'_>>, path: &Path<'_>) -> Option<i64> {
        let present = Self::present(value)?;
        let epoch_ms = match present.kind {
            kind::INT32 => present.int32().map(i64::from),
            kind::INT64 => present.int64(),
            kind::DOUBLE => present.double().and_then(whole_ms),
            _ => return self.date(value, path),
        };
        let date_ms = epoch_ms.filter(|date_ms| (0..=DATE_MAX).contains(date_ms));
        if date_ms.is_none() {
            self.warnings.add(WarningCode::InvalidDate, path);
        }
        date_ms
    }

    /// Calls `each` with the documents of an array and their positions; any other element is of an
    /// unexpected type.
    pub(crate) fn documents<'a>(
        &mut self,
        array: Option<Document<'a>>,
        path: &Path<'_>,
        mut each: impl FnMut(&mut Self, usize, Document<'a>, &Path<'_>),
    ) {
        let Some(array) = array else { return };
        for (index, value) in array.values().enumerate() {
            let path = path.index(index);
            match value.document() {
                Some(document) => each(self, index, document, &path),
                None => self.mismatch(&path),
            }
        }
    }

    /// Warns of every element of an array that is not a string.
    pub(crate) fn expect_strings(&mut self, array: Option<Document<'_>>, path: &Path<'_>) {
        let Some(array) = array else { return };
        for (index, value) in array.values().enumerate() {
            if value.string().is_none() {
                self.mismatch(&path.index(index));
            }
        }
    }
}

/// Cuts the fraction off epoch milliseconds; none outside 1970–9999, or for NaN. The limit is
/// tested before the cut: a value between the last millisecond and the next is out of range.
#[expect(clippy::as_conversions, reason = "the range was tested the line before")]
#[expect(clippy::cast_precision_loss, reason = "the limit is below 2^53")]
fn whole_ms(number: f64) -> Option<i64> {
    (0.0..=DATE_MAX as f64).contains(&number).then_some(number as i64)
}

/// The strings of an array, in order, without any other element.
pub(crate) fn strings(array: Option<Document<'_>>) -> impl Iterator<Item = &[u8]> {
    array.into_iter().flat_map(|array| array.elements()).filter_map(|item| item.value.string())
}

/// A string where it is not empty.
pub(crate) fn text(string: Option<&[u8]>) -> Option<&[u8]> {
    string.filter(|string| !string.is_empty())
}

/// A count of things in memory as the f64 that is written.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "no array has 2^53 elements"
)]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// A left fold in f64 from 0; a step beyond the largest finite number stays there.
pub(crate) fn sum(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().fold(0.0, |total: f64, number| (total + number).clamp(f64::MIN, f64::MAX))
}

//! The order of jobs in a list, as bytes that are compared.

use super::record::{Record, TITLE_BYTES, beginning};
use crate::ends::{JobCursor, JobSort, SortOrder};

/// Where a job stands in an order: the least is the first, and no two are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) key: Vec<u8>,
    pub(super) ordinal: u64,
}

impl Rank {
    pub(super) fn of(record: &Record<'_>, ordinal: u64, sort: JobSort, order: SortOrder) -> Self {
        let mut key = match sort {
            JobSort::Created => signed(record.created_ms),
            JobSort::Updated => signed(record.updated_ms),
            JobSort::Activity => signed(record.activity_ms),
            JobSort::Words => record.words.to_be_bytes().to_vec(),
            JobSort::Cost => float(record.cost_usd),
            JobSort::Title => title(record.title),
        };
        if order == SortOrder::Descending {
            key.iter_mut().for_each(|byte| *byte = !*byte);
        }
        Rank { key, ordinal }
    }

    pub(super) fn at(cursor: &JobCursor) -> Self {
        Rank { key: cursor.key.clone(), ordinal: cursor.ordinal }
    }
}

fn signed(number: i64) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes[0] ^= 0x80;
    bytes
}

/// The order of `f64::total_cmp`.
fn float(number: f64) -> Vec<u8> {
    let bits = number.to_bits();
    let is_negative = bits >> 63 == 1;
    let bits = if is_negative { !bits } else { bits | 1 << 63 };
    bits.to_be_bytes().to_vec()
}

/// All of one length, so that the opposite order is that of the opposite bytes.
fn title(title: &[u8]) -> Vec<u8> {
    let lower = String::from_utf8_lossy(title).to_lowercase();
    let mut key = beginning(lower.trim_start().as_bytes(), TITLE_BYTES).to_vec();
    key.resize(TITLE_BYTES, 0);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_compare_as_what_they_stand_for() {
        let numbers = [f64::NEG_INFINITY, -2.5, -0.0, 0.0, 1e-9, 3.0, f64::INFINITY];
        assert!(numbers.windows(2).all(|pair| float(pair[0]) < float(pair[1])));
        let dates = [i64::MIN, -1, 0, 1, i64::MAX];
        assert!(dates.windows(2).all(|pair| signed(pair[0]) < signed(pair[1])));
        let titles = ["", "A", "ab", "Abc", "b", "Ä"];
        let keys = titles.map(|it| title(it.as_bytes()));
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
        let down = |it: &str| {
            let record = Record { title: it.as_bytes(), ..Record::default() };
            Rank::of(&record, 0, JobSort::Title, SortOrder::Descending)
        };
        assert!(titles.windows(2).all(|pair| down(pair[0]) > down(pair[1])));
    }
}

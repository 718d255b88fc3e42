//! Exact percentiles of document sizes, in bounded memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::model::Sizes;
use super::tallies::float;
use crate::store::DiskError;
use crate::store::Sorter;

/// How many distinct sizes are counted in memory before they are sorted into files.
const HELD_MAX: usize = 1 << 18;
/// A record: the size as a 16-byte big-endian number, so that records sort by size, and its count.
const RECORD: usize = 24;

/// Collects sizes.
#[derive(Debug)]
pub(crate) struct SizeCounts {
    counts: HashMap<u64, u64>,
    held_max: usize,
    sorter: Sorter<RECORD>,
    documents: u64,
    pub(crate) bytes: u64,
    max: u64,
    folder: PathBuf,
}

impl SizeCounts {
    pub(crate) fn new(folder: &Path) -> Self {
        Self::holding(folder, HELD_MAX)
    }

    fn holding(folder: &Path, held_max: usize) -> Self {
        SizeCounts {
            counts: HashMap::new(),
            held_max,
            sorter: Sorter::new(folder, held_max),
            documents: 0,
            bytes: 0,
            max: 0,
            folder: folder.to_owned(),
        }
    }

    pub(crate) fn add(&mut self, bytes: u64) -> Result<(), DiskError> {
        self.documents += 1;
        self.bytes += bytes;
        self.max = self.max.max(bytes);
        *self.counts.entry(bytes).or_default() += 1;
        if self.counts.len() >= self.held_max { self.hand_over() } else { Ok(()) }
    }

    fn hand_over(&mut self) -> Result<(), DiskError> {
        for (size, count) in self.counts.drain() {
            let mut record = [0; RECORD];
            record[8..16].copy_from_slice(&size.to_be_bytes());
            record[16..].copy_from_slice(&count.to_be_bytes());
            self.sorter.add(record)?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Sizes, DiskError> {
        self.hand_over()?;
        let ranks = [50, 90, 99].map(|percent| rank(self.documents, percent));
        let mut found = [0; 3];
        let mut before = 0;
        let empty = Sorter::new(&self.folder, self.held_max);
        let sorted = std::mem::replace(&mut self.sorter, empty).finish()?;
        sorted.each(|record| {
            let (size, count) = (number(&record[8..16]), number(&record[16..]));
            for (found, rank) in found.iter_mut().zip(ranks) {
                if before < rank && rank <= before + count {
                    *found = size;
                }
            }
            before += count;
            Ok(())
        })?;
        let mean =
            if self.documents == 0 { 0.0 } else { float(self.bytes) / float(self.documents) };
        let [p50, p90, p99] = found;
        Ok(Sizes { mean, p50, p90, p99, max: self.max })
    }
}

/// The nearest rank of a percentile, from 1.
fn rank(documents: u64, percent: u64) -> u64 {
    let rank = (u128::from(documents) * u128::from(percent)).div_ceil(100);
    u64::try_from(rank).unwrap_or(u64::MAX)
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_list() {
        let folder = tempfile::tempdir().unwrap();
        for (documents, held_max) in
            [(1, 100), (2, 100), (10, 100), (99, 7), (1_000, 100), (101, 2)]
        {
            let mut counts = SizeCounts::holding(folder.path(), held_max);
            let mut sizes: Vec<u64> =
                (0..documents).map(|at| (at * 7_919 % 613) * 1_000 + 5).collect();
            for size in &sizes {
                counts.add(*size).unwrap();
            }
            sizes.sort_unstable();
            let nearest = |percent: u64| {
                let rank = (documents * percent).div_ceil(100);
                sizes[usize::try_from(rank).unwrap() - 1]
            };
            let found = counts.finish().unwrap();
            let expected = [nearest(50), nearest(90), nearest(99), *sizes.last().unwrap()];
            assert_eq!([found.p50, found.p90, found.p99, found.max], expected, "{documents}");
        }
        let none = SizeCounts::new(folder.path()).finish().unwrap();
        assert_eq!(none, Sizes::default());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the files are unnamed");
    }
}

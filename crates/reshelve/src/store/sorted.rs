//! Records with a 16-byte key, sorted, in memory or in a file: for finding something among more
//! documents than memory should hold.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{BufWriter, Write};

use super::error::{At, DiskError};
use super::files::OpenFile;
use super::records::Records;
use super::scratch::Scratch;

/// The first 16 bytes of a BLAKE3 hash.
pub type Key = [u8; 16];

/// The key of some bytes.
pub fn key_of(bytes: &[u8]) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    key
}

/// One in this many records keeps its key in memory, to find the others by.
const SPARSE: usize = 128;

/// Sorted records of `N` bytes in a file without a name.
#[derive(Debug)]
pub(crate) struct SortedRun<const N: usize> {
    file: Box<dyn OpenFile>,
    count: usize,
    sparse: Vec<Key>,
}

impl<const N: usize> SortedRun<N> {
    /// Writes sorted records.
    pub(crate) fn write(
        scratch: &Scratch,
        sorted: impl Iterator<Item = Result<[u8; N], DiskError>>,
    ) -> Result<Self, DiskError> {
        let file = scratch.file()?;
        let mut out = BufWriter::with_capacity(1 << 16, file.try_clone()?);
        let mut sparse = Vec::new();
        let mut count = 0;
        for record in sorted {
            let record = record?;
            if count % SPARSE == 0 {
                sparse.push(key_in(&record));
            }
            out.write_all(&record).at("writing", file.path())?;
            count += 1;
        }
        out.flush().at("writing", file.path())?;
        drop(out);
        Ok(SortedRun { file, count, sparse })
    }

    /// The first record with that key.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<[u8; N]>, DiskError> {
        // Records with one key may begin in the block before the one that begins with that key.
        let block = self.sparse.partition_point(|first| first < key);
        if let Some(before) = block.checked_sub(1)
            && let Some(found) = self.get_in(before, key)?
        {
            return Ok(Some(found));
        }
        if self.sparse.get(block) == Some(key) { self.get_in(block, key) } else { Ok(None) }
    }

    /// Every record with that key, in order.
    fn all(&self, key: &Key) -> Result<Vec<[u8; N]>, DiskError> {
        let mut found = Vec::new();
        let first = self.sparse.partition_point(|first| first < key).saturating_sub(1);
        for block in first..self.sparse.len() {
            if self.sparse[block] > *key {
                break;
            }
            let bytes = self.block(block)?;
            let records = bytes.chunks_exact(N).filter(|record| record.starts_with(key));
            found.extend(records.filter_map(|record| <[u8; N]>::try_from(record).ok()));
        }
        Ok(found)
    }

    /// The first record with that key in one block.
    fn get_in(&self, block: usize, key: &Key) -> Result<Option<[u8; N]>, DiskError> {
        let bytes = self.block(block)?;
        let found = bytes.chunks_exact(N).find(|record| record.starts_with(key));
        Ok(found.and_then(|record| record.try_into().ok()))
    }

    /// The bytes of one block.
    fn block(&self, block: usize) -> Result<Vec<u8>, DiskError> {
        let first = block * SPARSE;
        let count = SPARSE.min(self.count - first);
        let mut bytes = vec![0; count * N];
        let offset = u64::try_from(first * N).unwrap_or(u64::MAX);
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    fn records(&self) -> Result<Records<N>, DiskError> {
        Records::of(self.file.try_clone()?, u64::try_from(self.count).unwrap_or(u64::MAX))
    }
}

fn key_in<const N: usize>(record: &[u8; N]) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&record[..16]);
    key
}

/// Collects records in any order, then finds them by key.
#[derive(Debug)]
pub(crate) struct Sorter<const N: usize> {
    held: Vec<[u8; N]>,
    held_max: usize,
    spilled: Vec<SortedRun<N>>,
    scratch: Scratch,
}

impl<const N: usize> Sorter<N> {
    /// Holds at most `held_max` records in memory, the rest in files without a name.
    pub(crate) fn new(scratch: impl Into<Scratch>, held_max: usize) -> Self {
        Sorter { held: Vec::new(), held_max, spilled: Vec::new(), scratch: scratch.into() }
    }

    pub(crate) fn add(&mut self, record: [u8; N]) -> Result<(), DiskError> {
        self.held.push(record);
        if self.held.len() >= self.held_max {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<(), DiskError> {
        self.held.sort_unstable();
        let run = SortedRun::write(&self.scratch, self.held.drain(..).map(Ok))?;
        self.spilled.push(run);
        Ok(())
    }

    /// Ends the collecting.
    pub(crate) fn finish(mut self) -> Result<Sorted<N>, DiskError> {
        if self.spilled.is_empty() {
            self.held.sort_unstable();
            return Ok(Sorted::Held(self.held));
        }
        self.spill()?;
        self.held = Vec::new();
        let merged = Merge::new(&self.spilled)?;
        Ok(Sorted::Spilled(SortedRun::write(&self.scratch, merged)?))
    }
}

/// Sorted runs read as one.
struct Merge<I, const N: usize> {
    runs: Vec<I>,
    heads: BinaryHeap<Reverse<([u8; N], usize)>>,
    failed: Option<DiskError>,
}

impl<const N: usize> Merge<(), N> {
    fn new(
        runs: &[SortedRun<N>],
    ) -> Result<Merge<impl Iterator<Item = Result<[u8; N], DiskError>>, N>, DiskError> {
        let runs = runs.iter().map(SortedRun::records).collect::<Result<Vec<_>, _>>()?;
        let mut merge = Merge { runs, heads: BinaryHeap::new(), failed: None };
        for run in 0..merge.runs.len() {
            merge.advance(run);
        }
        Ok(merge)
    }
}

impl<I: Iterator<Item = Result<[u8; N], DiskError>>, const N: usize> Merge<I, N> {
    fn advance(&mut self, run: usize) {
        match self.runs[run].next() {
            Some(Ok(record)) => self.heads.push(Reverse((record, run))),
            Some(Err(error)) => self.failed = Some(error),
            None => {}
        }
    }
}

impl<I: Iterator<Item = Result<[u8; N], DiskError>>, const N: usize> Iterator for Merge<I, N> {
    type Item = Result<[u8; N], DiskError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        let Reverse((record, run)) = self.heads.pop()?;
        self.advance(run);
        Some(Ok(record))
    }
}

/// Records that can be found by key.
#[derive(Debug)]
pub(crate) enum Sorted<const N: usize> {
    /// In memory.
    Held(Vec<[u8; N]>),
    /// In a file.
    Spilled(SortedRun<N>),
}

impl<const N: usize> Sorted<N> {
    /// Whether two records have the same key.
    pub(crate) fn has_repeated_keys(&self) -> Result<bool, DiskError> {
        match self {
            Sorted::Held(records) => {
                Ok(records.windows(2).any(|pair| key_in(&pair[0]) == key_in(&pair[1])))
            }
            Sorted::Spilled(run) => {
                let mut last = None;
                for record in run.records()? {
                    let key = key_in(&record?);
                    if last.replace(key) == Some(key) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> u64 {
        let count = match self {
            Sorted::Held(records) => records.len(),
            Sorted::Spilled(run) => run.count,
        };
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// Gives every record, in order, until one cannot be taken.
    pub(crate) fn each(
        &self,
        mut take: impl FnMut(&[u8; N]) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        match self {
            Sorted::Held(records) => records.iter().try_for_each(take),
            Sorted::Spilled(run) => run.records()?.try_for_each(|record| take(&record?)),
        }
    }

    /// The first record with that key.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<[u8; N]>, DiskError> {
        match self {
            Sorted::Held(records) => {
                let at = records.partition_point(|record| key_in(record) < *key);
                Ok(records.get(at).filter(|record| record.starts_with(key)).copied())
            }
            Sorted::Spilled(run) => run.get(key),
        }
    }

    /// Every record with that key, in order.
    pub(crate) fn all(&self, key: &Key) -> Result<Vec<[u8; N]>, DiskError> {
        match self {
            Sorted::Held(records) => {
                let from = records.partition_point(|record| key_in(record) < *key);
                let of_key = records[from..].iter().take_while(|record| record.starts_with(key));
                Ok(of_key.copied().collect())
            }
            Sorted::Spilled(run) => run.all(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_records_with_one_key_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let record = |key: u32, number: u32| {
            let mut record = [0; 20];
            record[12..16].copy_from_slice(&key.to_be_bytes());
            record[16..].copy_from_slice(&number.to_be_bytes());
            record
        };
        for held_max in [100_000, 70] {
            let mut sorter: Sorter<20> = Sorter::new(folder.path(), held_max);
            // Runs of one key that begin and end anywhere in a block.
            let runs: Vec<u32> = (1..40).collect();
            for &key in &runs {
                for number in (0..key * 7).rev() {
                    sorter.add(record(key, number)).unwrap();
                }
            }
            let sorted = sorter.finish().unwrap();
            assert_eq!(matches!(sorted, Sorted::Spilled(_)), held_max == 70);
            for &key in &runs {
                let found = sorted.get(&record(key, 0)[..16].try_into().unwrap()).unwrap();
                assert_eq!(found, Some(record(key, 0)), "{key}");
                let all: Vec<[u8; 20]> = (0..key * 7).map(|number| record(key, number)).collect();
                assert_eq!(sorted.all(&record(key, 0)[..16].try_into().unwrap()).unwrap(), all);
            }
            let absent = record(40, 0)[..16].try_into().unwrap();
            assert_eq!(sorted.get(&absent).unwrap(), None);
            assert!(sorted.all(&absent).unwrap().is_empty());
        }
    }

    #[test]
    fn records_are_found_in_memory_and_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        for held_max in [100_000, 300] {
            let mut sorter: Sorter<20> = Sorter::new(folder.path(), held_max);
            let record = |number: u32| {
                let mut record = [0; 20];
                record[..16].copy_from_slice(&key_of(&number.to_le_bytes()));
                record[16..].copy_from_slice(&number.to_le_bytes());
                record
            };
            for number in 0..1_000 {
                sorter.add(record(number)).unwrap();
            }
            let sorted = sorter.finish().unwrap();
            for number in 0..1_000u32 {
                let found = sorted.get(&key_of(&number.to_le_bytes())).unwrap();
                assert_eq!(found, Some(record(number)));
            }
            assert_eq!(sorted.get(&key_of(b"other")).unwrap(), None);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the files are unnamed");
    }
}

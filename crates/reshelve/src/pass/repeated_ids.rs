//! Which jobs a run has mapped already: 16-byte hashes, spilled to disk past a limit, so that
//! memory does not grow with the number of documents.

use std::collections::HashSet;

use crate::store::{DiskError, Key, Scratch, SortedRun};

/// How many hashes are held in memory: a hash set of them takes at most about 64 MiB.
pub(crate) const HELD_MAX: usize = 1_835_008;
/// A set of hashes.
#[derive(Debug)]
pub(crate) struct Seen {
    held: HashSet<Key>,
    held_max: usize,
    spilled: Vec<SortedRun<16>>,
    scratch: Scratch,
}

impl Seen {
    /// An empty set that spills into `scratch`.
    pub(crate) fn new(scratch: impl Into<Scratch>, held_max: usize) -> Self {
        Seen { held: HashSet::new(), held_max, spilled: Vec::new(), scratch: scratch.into() }
    }

    /// Adds a hash; whether it is new.
    pub(crate) fn insert(&mut self, hash: Key) -> Result<bool, DiskError> {
        for run in &self.spilled {
            if run.get(&hash)?.is_some() {
                return Ok(false);
            }
        }
        if !self.held.insert(hash) {
            return Ok(false);
        }
        if self.held.len() >= self.held_max {
            let mut sorted: Vec<Key> = self.held.drain().collect();
            sorted.sort_unstable();
            self.spilled.push(SortedRun::write(&self.scratch, sorted.into_iter().map(Ok))?);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::key_of;

    #[test]
    fn repeated_hashes_are_found_in_memory_and_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut seen = Seen::new(folder.path(), 300);
        let hash = |number: u32| key_of(&number.to_le_bytes());
        for number in 0..1_000 {
            assert!(seen.insert(hash(number)).unwrap());
        }
        assert!(!seen.spilled.is_empty());
        for number in 0..1_000 {
            assert!(!seen.insert(hash(number)).unwrap(), "{number}");
        }
        assert!(seen.insert(hash(1_000)).unwrap());
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "spilled runs are unnamed"
        );
    }
}

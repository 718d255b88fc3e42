//! What the retries of a run carried over: documents that the run itself rejected, perhaps repaired
//! since, perhaps with other options. The comparison expects of them what the retry read.

use std::collections::{HashMap, HashSet};

use crate::store::Key;

/// What became of a document in a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The retry carried it over.
    Mapped,
    /// The retry left it out, in flight.
    Skipped,
}

#[derive(Debug)]
struct Carry {
    fate: Fate,
    /// BLAKE3 of the document that the retry read.
    hash: [u8; 32],
    /// Whether the source of the first run still has a document of that `_id`.
    is_met: bool,
}

/// Documents that retries dealt with, by the key of their job id.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    jobs: HashMap<Key, Carry>,
}

impl Carried {
    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Whether a retry dealt with a job of that key.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.jobs.contains_key(key)
    }

    /// Takes a document of a retry, the newest retry first; whether it is for this one to say what
    /// the target holds: a newer one has not carried it over.
    pub(crate) fn take(&mut self, key: Key, hash: [u8; 32], fate: Fate) -> bool {
        let known = self.jobs.get(&key).map(|carry| carry.fate);
        if known == Some(Fate::Mapped) || known == Some(fate) {
            return false;
        }
        self.jobs.insert(key, Carry { fate, hash, is_met: false });
        true
    }

    /// A document of the source of the first run: what became of it in a retry, and whether that
    /// read the same bytes; `None` if no retry dealt with it, or another document of that `_id` was
    /// met before.
    pub(crate) fn meet(&mut self, key: &Key, hash: &[u8; 32]) -> Option<(Fate, bool)> {
        let carry = self.jobs.get_mut(key).filter(|carry| !carry.is_met)?;
        carry.is_met = true;
        Some((carry.fate, carry.hash == *hash))
    }

    /// The jobs that retries carried over or left out, by their keys.
    pub(crate) fn keys(&self) -> HashSet<Key> {
        self.jobs.keys().copied().collect()
    }

    /// How many jobs a retry carried over that the source of the first run no longer has.
    pub(crate) fn not_met(&self) -> u64 {
        let not_met = |carry: &&Carry| carry.fate == Fate::Mapped && !carry.is_met;
        u64::try_from(self.jobs.values().filter(not_met).count()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_retry_that_carried_a_document_over_counts() {
        let mut carried = Carried::default();
        let (one, two) = ([1; 16], [2; 16]);
        assert!(carried.take(one, [7; 32], Fate::Mapped));
        assert!(!carried.take(one, [8; 32], Fate::Mapped), "an older retry had another version");
        assert!(carried.take(two, [9; 32], Fate::Skipped));
        assert!(carried.take(two, [9; 32], Fate::Mapped), "an older retry carried it over");
        assert_eq!(carried.not_met(), 2);
        assert_eq!(carried.meet(&one, &[7; 32]), Some((Fate::Mapped, true)));
        assert_eq!(carried.meet(&one, &[7; 32]), None, "a second document of that _id");
        assert_eq!(carried.meet(&two, &[1; 32]), Some((Fate::Mapped, false)));
        assert_eq!(carried.not_met(), 0);
    }
}

//! Sets of documents: their order does not count, and what is repeated does.

use crate::pass::HashSum;

/// Which documents there are, in whatever order: how many, and the sum of their BLAKE3 hashes,
/// modulo 2^256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetHash {
    documents: u64,
    sum: HashSum,
}

impl SetHash {
    /// Adds a document.
    pub fn add(&mut self, document: &[u8]) {
        self.add_hash(blake3::hash(document).as_bytes());
    }

    /// Adds a document by its BLAKE3 hash.
    pub(crate) fn add_hash(&mut self, hash: &[u8; 32]) {
        self.documents += 1;
        self.sum.add(hash);
    }

    /// How many documents there are.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// The sum, as 64 hex digits.
    pub fn hex(&self) -> String {
        self.sum.hex()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_no_order_and_counts_what_is_repeated() {
        let set = |documents: &[&[u8]]| {
            let mut set = SetHash::default();
            documents.iter().for_each(|document| set.add(document));
            set
        };
        assert_eq!(set(&[b"a", b"b", b"c"]), set(&[b"c", b"a", b"b"]));
        assert_ne!(set(&[b"a", b"a"]), set(&[b"a"]));
        assert_ne!(set(&[b"a", b"b"]).hex(), set(&[b"a", b"c"]).hex());
        assert_eq!(set(&[b"a"]).hex(), blake3::hash(b"a").to_hex().to_string());
        assert_eq!(set(&[]).hex(), "0".repeat(64));
    }
}

//! A checksum of documents that does not depend on their order.
//!
//! It is the sum, modulo 2^256, of the SHA-256 hashes of their BSON bytes, each read as a big-endian
//! number; it is written as 64 hex digits. A sum does not depend on the order and, unlike an
//! exclusive or, counts repeated documents. Anyone can compute it: SHA-256 is in every standard
//! library. Two collections that differ by accident have the same sum with a probability of about
//! 2^-256. Building such collections on purpose is easier than breaking SHA-256, but an attacker who
//! can write documents of their choice has no need to: the checksum guards against loss and damage, not against forgery.

use sha2::{Digest, Sha256};

use super::HashSum;
use crate::ends::CollectionChecksum;

/// A checksum that is being computed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checksum {
    documents: u64,
    bytes: u64,
    hashes: HashSum,
}

impl Checksum {
    pub(crate) fn add(&mut self, document: &[u8]) {
        self.add_hashed(document.len(), &hash(document));
    }

    /// Adds a document of so many bytes by its [`hash`].
    pub(crate) fn add_hashed(&mut self, bytes: usize, hash: &[u8; 32]) {
        self.documents += 1;
        self.bytes += u64::try_from(bytes).unwrap_or(0);
        self.hashes.add(hash);
    }

    /// Adds everything that another sum has added.
    pub(crate) fn add_all(&mut self, other: &Checksum) {
        self.documents += other.documents;
        self.bytes += other.bytes;
        self.hashes.add_sum(other.hashes);
    }

    pub(crate) fn finish(self) -> CollectionChecksum {
        let Checksum { documents, bytes, hashes } = self;
        CollectionChecksum { documents, bytes, checksum: hashes.hex() }
    }
}

/// The hash of a document in a checksum.
pub(crate) fn hash(document: &[u8]) -> [u8; 32] {
    Sha256::digest(document).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_and_repetition_does() {
        let sum = |documents: &[&[u8]]| {
            let mut sum = Checksum::default();
            documents.iter().for_each(|document| sum.add(document));
            sum.finish().checksum
        };
        assert_eq!(sum(&[b"a", b"b", b"c"]), sum(&[b"c", b"a", b"b"]));
        assert_ne!(sum(&[b"a", b"a"]), sum(&[]));
        assert_ne!(sum(&[b"a", b"b"]), sum(&[b"a"]));
        // int(sha256(b"a").hexdigest(), 16), and the sum of twice that, modulo 2^256, in Python.
        assert_eq!(
            sum(&[b"a"]),
            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
        );
        assert_eq!(
            sum(&[b"a", b"a"]),
            "952f022594377b95f58463673447b89b4f0ddff028f89ce57300ef0b5fdc9176"
        );
    }
}

//! Checksums of a target that do not depend on the order of its documents.
//!
//! The checksum of a collection is the sum, modulo 2^256, of the SHA-256 hashes of its documents'
//! BSON bytes, each read as a big-endian number; it is written as 64 hex digits. A sum does not
//! depend on the order and, unlike an exclusive or, counts repeated documents. Anyone can compute
//! it: SHA-256 is in every standard library. Two collections that differ by accident have the same
//! sum with a probability of about 2^-256. Building such collections on purpose is easier than
//! breaking SHA-256, but an attacker who can write documents of their choice into the target has no
//! need to: the checksum guards against loss and damage, not against forgery.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::ends::{CollectionChecksum, EndError, TargetReader};
use crate::pass::HashSum;
use crate::target_schema::Collection;

/// Computes the checksums of the four target collections, each on its own thread.
///
/// # Errors
/// If a collection cannot be read, or is damaged.
pub fn checksums(
    target: &dyn TargetReader,
) -> Result<BTreeMap<&'static str, CollectionChecksum>, EndError> {
    let results = std::thread::scope(|scope| {
        let threads: Vec<_> = Collection::ALL
            .into_iter()
            .map(|collection| scope.spawn(move || of_collection(target, collection)))
            .collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut checksums = BTreeMap::new();
    for (collection, result) in Collection::ALL.into_iter().zip(results) {
        // A panic of the thread is passed on.
        let checksum = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        checksums.insert(collection.name(), checksum);
    }
    Ok(checksums)
}

fn of_collection(
    target: &dyn TargetReader,
    collection: Collection,
) -> Result<CollectionChecksum, EndError> {
    let mut documents = target.documents(collection)?;
    let mut sum = Sum::default();
    while let Some(document) = documents.next_document()? {
        sum.add(document);
    }
    Ok(sum.finish())
}

/// A checksum that is being computed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    documents: u64,
    bytes: u64,
    hashes: HashSum,
}

impl Sum {
    pub(crate) fn add(&mut self, document: &[u8]) {
        self.documents += 1;
        self.bytes += u64::try_from(document.len()).unwrap_or(0);
        self.hashes.add(&Sha256::digest(document).into());
    }

    /// Adds everything that another sum has added.
    pub(crate) fn add_all(&mut self, other: &Sum) {
        self.documents += other.documents;
        self.bytes += other.bytes;
        self.hashes.add_sum(other.hashes);
    }

    pub(crate) fn finish(self) -> CollectionChecksum {
        let Sum { documents, bytes, hashes } = self;
        CollectionChecksum { documents, bytes, checksum: hashes.hex() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_and_repetition_does() {
        let sum = |documents: &[&[u8]]| {
            let mut sum = Sum::default();
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

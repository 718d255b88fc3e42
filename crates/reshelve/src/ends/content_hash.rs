//! The hash that tells whether documents of a target are still what a run wrote.

use twox_hash::XxHash3_128;

/// XXH3, 128 bits, in its canonical order (big-endian), as `xxhsum -H2` prints it.
pub type ContentHash = [u8; 16];

/// The hash of the documents of one job in one collection, one after the other.
///
/// It is made for speed, because every byte that a run writes passes through it, and it tells
/// content apart, not authors: somebody who wants two documents with one hash can make them. What
/// proves a migration (fingerprints, ids, checksums) is hashed with BLAKE3 and SHA-256 instead.
pub fn content_hash(documents: &[u8]) -> ContentHash {
    XxHash3_128::oneshot(documents).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use reshelve_core::raw::hex;

    use super::content_hash;

    /// The first two values are those of the reference implementation (`xxhsum -H2`).
    #[test]
    fn the_hash_is_the_canonical_one() {
        assert_eq!(hex(&content_hash(b"")), "99aa06d3014798d86001c324468d497f");
        assert_eq!(hex(&content_hash(b"a")), "a96faf705af16834e6c632b61e964e1f");
    }
}

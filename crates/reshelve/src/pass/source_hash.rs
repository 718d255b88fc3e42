//! A running hash over the documents of a source.

/// A running hash of documents: each step takes the fingerprint of one more, so that it can be
/// written down after any document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceHash([u8; 32]);

impl SourceHash {
    pub(crate) fn add(&mut self, fingerprint: &[u8; 32]) {
        let mut input = [0; 64];
        input[..32].copy_from_slice(&self.0);
        input[32..].copy_from_slice(fingerprint);
        self.0 = *blake3::hash(&input).as_bytes();
    }

    /// Continues from a hash that was written down; anything else is the hash of no documents.
    pub(crate) fn from_hex(hex: &str) -> Self {
        blake3::Hash::from_hex(hex)
            .map_or_else(|_| SourceHash::default(), |hash| SourceHash(*hash.as_bytes()))
    }

    pub(crate) fn hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

//! The key, and what is drawn with it: keyed BLAKE3 as a stream of bytes for each purpose and place.

use blake3::{Hasher, OutputReader};
use reshelve_words::Draw;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// The key of a copy. It has no `Debug` and no `Display`: nothing prints it.
#[derive(Clone)]
pub struct Key([u8; KEY_BYTES]);

impl Key {
    /// The key that a line of text holds: 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Key> {
        let hash = blake3::Hash::from_hex(text).ok()?;
        Some(Key(*hash.as_bytes()))
    }

    /// A new key of random bytes, from the operating system.
    ///
    /// # Errors
    /// If the operating system gives none.
    pub fn random() -> Result<Key, getrandom::Error> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Key(bytes))
    }

    /// The line that [`Key::parse`] reads, for the file that keeps it.
    pub fn to_line(&self) -> String {
        format!("{}\n", blake3::Hash::from_bytes(self.0).to_hex())
    }

    /// A key for one purpose, which says nothing about any other.
    pub(super) fn derive(&self, purpose: &str, parts: &[&[u8]]) -> Key {
        Key(*self.hasher(purpose, parts).finalize().as_bytes())
    }

    /// As many bytes as wanted for one purpose.
    pub(super) fn stream(&self, purpose: &str) -> OutputReader {
        self.hasher(purpose, &[]).finalize_xof()
    }

    /// Bytes that depend on the key, the purpose and the parts.
    pub(super) fn draw(&self, purpose: &str, parts: &[&[u8]]) -> Draw {
        Draw::from(self.hasher(purpose, parts).finalize_xof())
    }

    /// Purpose and parts, each after its length, so that no two lists of parts are read alike.
    fn hasher(&self, purpose: &str, parts: &[&[u8]]) -> Hasher {
        let mut hasher = Hasher::new_keyed(&self.0);
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hasher.update(part);
        }
        hasher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key([byte; KEY_BYTES])
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let line = key(7).to_line();
        assert_eq!(Key::parse(line.trim_end()).map(|key| key.0), Some([7; KEY_BYTES]));
        assert!(Key::parse("").is_none());
        assert!(Key::parse(&line).is_none(), "the line end is not part of it");
        assert_ne!(Key::random().unwrap().0, Key::random().unwrap().0);
    }

    #[test]
    fn what_is_drawn_depends_on_everything() {
        let drawn =
            |key: &Key, purpose: &str, parts: &[&[u8]]| key.draw(purpose, parts).bytes::<16>();
        let one = drawn(&key(1), "a", &[b"bc", b"d"]);
        assert_eq!(one, drawn(&key(1), "a", &[b"bc", b"d"]));
        for other in [
            drawn(&key(2), "a", &[b"bc", b"d"]),
            drawn(&key(1), "b", &[b"bc", b"d"]),
            drawn(&key(1), "a", &[b"b", b"cd"]),
            drawn(&key(1), "a", &[b"bcd"]),
        ] {
            assert_ne!(one, other);
        }
    }
}

//! Which words of a text may begin a name: nearly all of them are told from names by two letters.

use super::words::Word;

/// The classes of words that begin a name.
#[derive(Clone, Debug, Default)]
pub struct Beginnings([u64; 4]);

impl Beginnings {
    /// Adds a word, whatever its case.
    pub fn add(&mut self, word: &[u8]) {
        let (at, bit) = class(word);
        self.0[at] |= bit;
    }

    /// The first word of a text from that one on which may be one of those that were added.
    #[inline(never)]
    pub fn next(&self, text: &[u8], words: &[Word], from: usize) -> Option<usize> {
        let may_begin = |word: &Word| {
            let (at, bit) = class(word.of(text));
            self.0[at] & bit != 0
        };
        let found = words.get(from..)?.iter().position(may_begin)?;
        Some(from + found)
    }
}

/// The class of a word.
#[inline]
fn class(word: &[u8]) -> (usize, u64) {
    // The bytes beyond ASCII are not those of the same letter in another case.
    let of = |byte: Option<&u8>| byte.copied().filter(u8::is_ascii).unwrap_or(0);
    let first = of(word.first()).to_ascii_lowercase();
    let last = of(word.last()).to_ascii_lowercase();
    let mixed = first.wrapping_mul(31).wrapping_add(last.wrapping_mul(7));
    (usize::from(mixed / 64), 1 << (mixed % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    #[test]
    fn every_word_that_was_added_is_found_in_any_case() {
        let mut beginnings = Beginnings::default();
        for name in ["Mara", "Østergård"] {
            beginnings.add(name.as_bytes());
        }
        let text = "then mara saw MARA and østergård, who".as_bytes();
        let words = words(text);
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(next) = beginnings.next(text, &words, at) {
            found.push(next);
            at = next + 1;
        }
        for expected in [1, 3, 5] {
            assert!(found.contains(&expected), "{found:?}");
        }
        assert!(!found.contains(&0) && !found.contains(&2), "{found:?}");
        assert_eq!(beginnings.next(text, &words, words.len() + 1), None);
    }
}

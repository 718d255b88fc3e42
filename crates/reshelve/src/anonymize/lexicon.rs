//! The two lists that are compiled in: common words, which say nothing about anybody, and the words
//! that prose is replaced by, which are nobody's.
//!
//! Our own words are made up of syllables, so that a copy does not read as if it were somebody's
//! text, and what recurs in it cannot be mistaken for a word of the source.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use twox_hash::XxHash3_128;

use super::words::folded;

/// The most common words of English, and little words of its neighbours.
const COMMON: &str = include_str!("common_words.txt");

/// The longest word of our own, in bytes. Longer ones are put together.
pub(super) const LENGTH_MAX: usize = 12;
/// How many words of our own there are of each length from 1 on.
const COUNTS: [usize; LENGTH_MAX] = [5, 40, 160, 256, 256, 256, 256, 256, 256, 192, 128, 128];

/// A word, folded and hashed. What is written to a file without a name is this, never a word.
pub(super) type WordHash = u128;

/// What is known of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// It is common.
    Common,
    /// It is one of our own, the one with that number.
    Own(usize),
}

/// The lists, found by the hash of a word.
pub(super) struct Lexicon {
    seed: u64,
    listed: HashMap<u64, Listed, BuildHasherDefault<AlreadyHashed>>,
    /// Our own words, shortest first.
    own: Vec<Vec<u8>>,
    /// Where those of each length begin; the last entry is their number.
    begins: [usize; LENGTH_MAX + 2],
}

impl Lexicon {
    /// The lists, hashed with that seed.
    pub(super) fn new(seed: u64) -> Lexicon {
        let mut lexicon = Lexicon {
            seed,
            listed: HashMap::default(),
            own: Vec::new(),
            begins: [0; LENGTH_MAX + 2],
        };
        for word in COMMON.split_ascii_whitespace() {
            let hash = lexicon.hash_folded(word.as_bytes());
            lexicon.listed.insert(short(hash), Listed::Common);
        }
        let mut syllables = Syllables(0x5eed);
        for (at, count) in COUNTS.into_iter().enumerate() {
            lexicon.begins[at + 1] = lexicon.own.len();
            let mut left = count;
            while left > 0 {
                let word = syllables.word(at + 1);
                let key = short(lexicon.hash_folded(&word));
                // One letter is in every list of words; it is ours all the same.
                let is_new = at == 0 || !lexicon.listed.contains_key(&key);
                if is_new && !lexicon.own.contains(&word) {
                    let number = lexicon.own.len();
                    lexicon.listed.entry(key).or_insert(Listed::Own(number));
                    lexicon.own.push(word);
                    left -= 1;
                }
            }
        }
        lexicon.begins[LENGTH_MAX + 1] = lexicon.own.len();
        lexicon
    }

    /// The hash of a word, whatever its case.
    pub(super) fn hash(&self, word: &[u8]) -> WordHash {
        let mut lower = [0; 32];
        if let Some(lower) = lower.get_mut(..word.len())
            && word.is_ascii()
        {
            lower.copy_from_slice(word);
            lower.make_ascii_lowercase();
            return self.hash_folded(lower);
        }
        self.hash_folded(folded(word, &mut Vec::new()))
    }

    pub(super) fn hash_folded(&self, word: &[u8]) -> WordHash {
        XxHash3_128::oneshot_with_seed(self.seed, word)
    }

    /// Which list a word is in.
    pub(super) fn listed(&self, hash: WordHash) -> Option<Listed> {
        self.listed.get(&short(hash)).copied()
    }

    /// Whether a word is common, or a short number: every corpus has all of those.
    pub(super) fn is_common(&self, word: &[u8], hash: WordHash) -> bool {
        is_short(word) || self.listed(hash) == Some(Listed::Common)
    }

    /// The numbers of our own words of a length, from 1 to [`LENGTH_MAX`].
    pub(super) fn of_length(&self, length: usize) -> std::ops::Range<usize> {
        self.begins[length]..self.begins[length + 1]
    }

    /// One of our own words.
    pub(super) fn own(&self, number: usize) -> &[u8] {
        self.own.get(number).map_or(b"", Vec::as_slice)
    }

    /// How many words of our own there are.
    pub(super) fn own_count(&self) -> usize {
        self.own.len()
    }
}

/// Whether a word is too short to say anything: one letter, or a number of at most four digits.
pub(super) fn is_short(word: &[u8]) -> bool {
    const DIGITS_MAX: usize = 4;
    let is_one = match word {
        [_] => true,
        [first, rest @ ..] => !first.is_ascii() && rest.iter().all(|byte| byte & 0xC0 == 0x80),
        [] => true,
    };
    is_one || word.len() <= DIGITS_MAX && word.iter().all(u8::is_ascii_digit)
}

/// The half of a hash that tables in memory go by.
fn short(hash: WordHash) -> u64 {
    u64::try_from(hash & u128::from(u64::MAX)).unwrap_or(0)
}

/// Keys that are hashes are not hashed again.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Makes words up, always the same ones.
struct Syllables(u64);

impl Syllables {
    fn below(&mut self, bound: usize) -> usize {
        // The generator of Knuth's MMIX: nothing depends on its quality.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).unwrap_or(0) % bound
    }

    fn one_of(&mut self, letters: &[u8]) -> u8 {
        letters[self.below(letters.len())]
    }

    /// A word of that length that no language is likely to have.
    fn word(&mut self, length: usize) -> Vec<u8> {
        let mut word = Vec::with_capacity(length);
        let mut vowel = length == 1 || self.below(4) == 0;
        while word.len() < length {
            let is_last = word.len() + 1 == length;
            word.push(match (vowel, is_last && length > 2) {
                (true, false) => self.one_of(b"aeiouy"),
                (true, true) => self.one_of(b"uyi"),
                (false, false) => self.one_of(b"zvkjdlmnrtbgp"),
                (false, true) => self.one_of(b"zvkj"),
            });
            vowel = !vowel;
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_words_of_every_length_and_none_is_common() {
        let lexicon = Lexicon::new(3);
        for (at, count) in COUNTS.into_iter().enumerate() {
            let range = lexicon.of_length(at + 1);
            assert_eq!(range.len(), count);
            for number in range {
                let word = lexicon.own(number);
                assert_eq!(word.len(), at + 1);
                if at > 0 {
                    assert_eq!(lexicon.listed(lexicon.hash(word)), Some(Listed::Own(number)));
                }
            }
        }
        assert_eq!(lexicon.own_count(), COUNTS.iter().sum::<usize>());
    }

    #[test]
    fn the_words_are_always_the_same() {
        let (one, other) = (Lexicon::new(1), Lexicon::new(2));
        assert_eq!(one.own, other.own);
        assert_ne!(one.hash(b"lantern"), other.hash(b"lantern"), "the hashes have a seed");
        assert_eq!(one.hash("ÉCLAIR".as_bytes()), one.hash("éclair".as_bytes()));
        assert_eq!(one.hash(b"Lantern"), one.hash(b"lantern"));
    }

    #[test]
    fn common_words_and_short_numbers_say_nothing() {
        let lexicon = Lexicon::new(1);
        for word in ["The", "hope", "x", "1984", "é", ""] {
            assert!(lexicon.is_common(word.as_bytes(), lexicon.hash(word.as_bytes())), "{word}");
        }
        for word in ["Mara", "19840", "éé", "xq"] {
            assert!(!lexicon.is_common(word.as_bytes(), lexicon.hash(word.as_bytes())), "{word}");
        }
    }
}

//! The two lists that are compiled in: common words, which say nothing about anybody, and the words
//! that prose is replaced by, which are nobody's.
//!
//! Our own words are made up of syllables, so that a copy does not read as if it were somebody's
//! text, and what recurs in it cannot be mistaken for a word of the source.

use super::draw::Draw;
use super::hashing::{Hashing, KEPT_BYTES, WordHash, half};
use super::syllables::Syllables;
use super::words::{Word, Words};

/// The most common words of English, and little words of its neighbours.
const COMMON: &str = include_str!("common_words.txt");

/// The longest word of our own, in bytes. Longer ones are put together.
pub const LENGTH_MAX: usize = 12;
/// How many words of our own there are of each length from 1 on.
const COUNTS: [usize; LENGTH_MAX] = [5, 40, 160, 256, 256, 256, 256, 256, 256, 192, 128, 128];

/// How often a word is drawn that is blocked, or the one that is replaced.
const TRIES: usize = 32;

/// What is known of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// It is common.
    Common,
    /// It is one of our own, the one with that number.
    Own(usize),
}

/// Places of the table of lists, about twice as many as there are words.
const PLACES: usize = 1 << 13;
/// An entry of the table is the upper part of a hash, and below that which word it is.
const NUMBER_BITS: u32 = 16;
/// The number of a common word; those of our own words begin after it, and 0 is an empty place.
const COMMON_NUMBER: u64 = 1;

/// The words of a text.
#[derive(Default)]
pub struct Reading {
    /// Where they are, in order.
    pub words: Vec<Word>,
    /// The hash of each.
    pub hashes: Vec<WordHash>,
}

/// The lists, found by the hash of a word.
pub struct Lexicon {
    hashing: Hashing,
    listed: Vec<u64>,
    /// Our own words, shortest first.
    own: Vec<[u8; KEPT_BYTES]>,
    /// Where those of each length begin; the last entry is their number.
    begins: [usize; LENGTH_MAX + 2],
}

impl Lexicon {
    /// The lists, hashed with that seed.
    pub fn new(seed: u64) -> Lexicon {
        let mut lexicon = Lexicon {
            hashing: Hashing::new(seed),
            listed: vec![0; PLACES],
            own: Vec::new(),
            begins: [0; LENGTH_MAX + 2],
        };
        for word in COMMON.split_ascii_whitespace() {
            lexicon.list(lexicon.hash(word.as_bytes()), COMMON_NUMBER);
        }
        let mut syllables = Syllables(0x5eed);
        for (at, count) in COUNTS.into_iter().enumerate() {
            lexicon.begins[at + 1] = lexicon.own.len();
            let mut left = count;
            while left > 0 {
                let word = syllables.word(at + 1);
                let hash = lexicon.hash(&word);
                let mut kept = [0; KEPT_BYTES];
                kept[..word.len()].copy_from_slice(&word);
                // One letter is in every list of words; it is ours all the same.
                let is_new = at == 0 || lexicon.listed(hash).is_none();
                if is_new && !lexicon.own.contains(&kept) {
                    let number = u64::try_from(lexicon.own.len()).unwrap_or(0);
                    lexicon.list(hash, COMMON_NUMBER + 1 + number);
                    lexicon.own.push(kept);
                    left -= 1;
                }
            }
        }
        lexicon.begins[LENGTH_MAX + 1] = lexicon.own.len();
        lexicon
    }

    /// Puts a word into the table, unless it is there.
    fn list(&mut self, hash: WordHash, number: u64) {
        if self.listed(hash).is_none() {
            let (mut at, entry) = entry(hash);
            while self.listed[at] != 0 {
                at = (at + 1) % PLACES;
            }
            self.listed[at] = entry | number;
        }
    }

    /// The hash of a word, whatever its case.
    pub fn hash(&self, word: &[u8]) -> WordHash {
        self.hashing.of(word)
    }

    /// The hash of bytes that are in lower case, or have none, and of any length.
    pub fn hash_folded(&self, word: &[u8]) -> WordHash {
        self.hashing.of_folded(word)
    }

    /// Finds the words of a text, and their hashes, instead of those that were there.
    pub fn read(&self, text: &[u8], into: &mut Reading) {
        into.words.clear();
        into.hashes.clear();
        let mut words = Words::of(text);
        while let Some(word) = words.next() {
            into.hashes.push(self.hashing.in_text(text, &word));
            into.words.push(word);
        }
    }

    /// The hashes of the words of a text, after those that are there.
    pub fn hashes(&self, text: &[u8], into: &mut Vec<WordHash>) {
        let mut words = Words::of(text);
        while let Some(word) = words.next() {
            into.push(self.hashing.in_text(text, &word));
        }
    }

    /// Which list a word is in.
    #[inline]
    pub fn listed(&self, hash: WordHash) -> Option<Listed> {
        let (mut at, entry) = entry(hash);
        loop {
            let found = self.listed[at];
            let number = found & NUMBER_MASK;
            match number {
                0 => return None,
                _ if found ^ number != entry => at = (at + 1) % PLACES,
                COMMON_NUMBER => return Some(Listed::Common),
                _ => {
                    let number = number - COMMON_NUMBER - 1;
                    return usize::try_from(number).ok().map(Listed::Own);
                }
            }
        }
    }

    /// The places of the words of a text but for those of our own that are absent, by their
    /// numbers, instead of the places that were there. Words of one letter are never left out.
    #[inline(never)]
    pub fn sift(&self, reading: &Reading, absent: &[bool], into: &mut Vec<usize>) {
        into.clear();
        for (at, hash) in reading.hashes.iter().enumerate() {
            let is_absent = match self.listed(*hash) {
                Some(Listed::Own(number)) => absent.get(number).copied().unwrap_or(false),
                _ => false,
            };
            if !is_absent || reading.words[at].len() == 1 {
                into.push(at);
            }
        }
    }

    /// Whether a word is common, or a short number: every corpus has all of those.
    pub fn is_common(&self, word: &[u8], hash: WordHash) -> bool {
        is_short(word) || self.listed(hash) == Some(Listed::Common)
    }

    /// The numbers of our own words of a length, from 1 to [`LENGTH_MAX`].
    pub fn of_length(&self, length: usize) -> std::ops::Range<usize> {
        self.begins[length]..self.begins[length + 1]
    }

    /// One of our own words.
    pub fn own(&self, number: usize) -> &[u8] {
        let Some(word) = self.own.get(number) else { return b"" };
        &word[..word.iter().position(|byte| *byte == 0).unwrap_or(KEPT_BYTES)]
    }

    /// Appends one of our own words, which has that length.
    #[inline]
    fn append_own(&self, number: usize, length: usize, out: &mut Vec<u8>) {
        let Some(word) = self.own.get(number) else { return };
        let end = out.len() + length;
        out.extend_from_slice(word);
        out.truncate(end);
    }

    /// Appends one of our own words of about that length, or several in one if it is too long; not
    /// that word, and none that is blocked.
    pub fn draw_own(
        &self,
        not: &[u8],
        length: usize,
        blocked: &[bool],
        draw: &mut Draw,
        out: &mut Vec<u8>,
    ) {
        let mut left = length;
        while left > LENGTH_MAX {
            // What is left after a part should be a part itself.
            let part = if left < LENGTH_MAX + 3 { LENGTH_MAX - 3 } else { LENGTH_MAX };
            let range = self.of_length(part);
            self.append_own(range.start + draw.below(range.len()), part, out);
            left -= part;
        }
        let is_alone = left == length;
        let mut length = left.clamp(1, LENGTH_MAX);
        for attempt in 0..TRIES {
            let range = self.of_length(length);
            let number = range.start + draw.below(range.len());
            let start = out.len();
            self.append_own(number, length, out);
            let is_blocked = blocked.get(number).copied().unwrap_or(false);
            let is_free = !is_blocked || length == 1;
            let is_same = is_alone && out[start..].eq_ignore_ascii_case(not);
            if is_free && !is_same || attempt + 1 == TRIES {
                return;
            }
            out.truncate(start);
            if attempt % 8 == 7 {
                length = (length + 1).min(LENGTH_MAX);
            }
        }
    }

    /// How many words of our own there are.
    pub fn own_count(&self) -> usize {
        self.own.len()
    }
}

/// Whether a word is too short to say anything: one letter, or a number of at most four digits.
pub fn is_short(word: &[u8]) -> bool {
    const DIGITS_MAX: usize = 4;
    let is_one = match word {
        [_] => true,
        [first, rest @ ..] => !first.is_ascii() && rest.iter().all(|byte| byte & 0xC0 == 0x80),
        [] => true,
    };
    is_one || word.len() <= DIGITS_MAX && word.iter().all(u8::is_ascii_digit)
}

/// The bits of an entry that are a number.
const NUMBER_MASK: u64 = (1 << NUMBER_BITS) - 1;

/// Where a hash is looked for in the table, and its entry there without a number. Together they are
/// 61 bits of it.
#[inline]
fn entry(hash: WordHash) -> (usize, u64) {
    let half = half(hash);
    (usize::try_from(half).unwrap_or(0) % PLACES, half & !NUMBER_MASK)
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
    fn a_word_has_one_hash_wherever_it_stands() {
        let lexicon = Lexicon::new(5);
        let text = "The LANTERN of Überlingen İzmir i\u{307}zmir 2nd abcdefghijklmnopqrstuvwx \
            ABCDEFGHIJKLMNOP abcdefghijklmnop Q é x1";
        let mut reading = Reading::default();
        lexicon.read(text.as_bytes(), &mut reading);
        let mut hashes = Vec::new();
        lexicon.hashes(text.as_bytes(), &mut hashes);
        assert_eq!(reading.hashes, hashes);
        assert_eq!(reading.words, crate::words(text.as_bytes()));
        for (word, hash) in reading.words.iter().zip(&hashes) {
            let word = &text[word.start..word.end];
            assert_eq!(lexicon.hash(word.as_bytes()), *hash, "{word}");
            assert_eq!(lexicon.hash(word.to_lowercase().as_bytes()), *hash, "{word}");
            assert_eq!(lexicon.hash(format!("{word}.").trim_end_matches('.').as_bytes()), *hash);
        }
        let distinct: std::collections::BTreeSet<WordHash> = hashes.iter().copied().collect();
        assert_eq!(distinct.len(), hashes.len() - 1, "the longest word in capitals is itself");
    }

    #[test]
    fn our_own_words_that_are_absent_are_sifted_out() {
        let lexicon = Lexicon::new(1);
        let of_five = lexicon.of_length(5);
        let (there, not) = (lexicon.own(of_five.start), lexicon.own(of_five.start + 1));
        let text = [b"The a b ", there, b" ", not, b" lantern 1984 ", not].concat();
        let mut absent = vec![true; lexicon.own_count()];
        absent[of_five.start] = false;
        let mut reading = Reading::default();
        lexicon.read(&text, &mut reading);
        let mut left = vec![7];
        lexicon.sift(&reading, &absent, &mut left);
        assert_eq!(left, [0, 1, 2, 3, 5, 6]);
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

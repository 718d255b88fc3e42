//! Words, and what is between them.
//!
//! A word is a run of letters and digits, of any script. What is between words (white space,
//! punctuation, Markdown) stays where it is, so that words, sentences and paragraphs stay as many
//! as they were.

use super::letters::{self, char_at};

/// What a word is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// ASCII letters.
    Letters,
    /// ASCII digits.
    Digits,
    /// ASCII letters and digits.
    Mixed,
    /// At least one letter or digit beyond ASCII.
    Wide,
}

/// A word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The byte at which it begins.
    pub start: usize,
    /// The byte after its last one.
    pub end: usize,
    /// What it is made of.
    pub script: Script,
}

impl Word {
    /// The word itself, from the text in which it was found.
    #[inline]
    pub fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.start..self.end]
    }

    /// Its bytes; at least one.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "no word is empty")]
    pub fn len(&self) -> usize {
        self.end - self.start
    }
}

const OTHER: u8 = 0;
const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const WIDE: u8 = 4;

/// Bytes that are classed at once: one bit of a number for each.
const BLOCK: usize = 64;

/// The classes of the bytes from a place on, the first one in the lowest bit.
#[derive(Clone, Copy, Default)]
struct Classes {
    letters: u64,
    digits: u64,
    wide: u64,
}

impl Classes {
    fn of(bytes: &[u8; BLOCK]) -> Classes {
        let mut all = Classes::default();
        for (at, eight) in bytes.as_chunks().0.iter().enumerate() {
            let [letters, digits, wide] = classes_of_eight(u64::from_le_bytes(*eight));
            all.letters |= letters << (8 * at);
            all.digits |= digits << (8 * at);
            all.wide |= wide << (8 * at);
        }
        all
    }

    #[inline]
    fn after(self, bytes: usize) -> Classes {
        let Classes { letters, digits, wide } = self;
        Classes { letters: letters >> bytes, digits: digits >> bytes, wide: wide >> bytes }
    }
}

/// Which of eight bytes are letters, digits, and beyond ASCII: a bit for each.
#[inline]
fn classes_of_eight(bytes: u64) -> [u64; 3] {
    /// The top bit of each byte.
    const TOPS: u64 = 0x8080_8080_8080_8080;
    /// The lowest bit of each byte.
    const ONES: u64 = 0x0101_0101_0101_0101;
    /// Moves the top bits of the eight bytes, in their order, to the uppermost byte.
    const GATHER: u64 = 0x0002_0408_1020_4081;
    let wide = bytes & TOPS;
    let low = bytes & !TOPS;
    // Letters of both cases differ in one bit, which no other byte needs.
    let lower = low | (ONES * 0x20);
    // The addition reaches the top bit from that byte on, and never goes beyond it.
    let from = |bytes: u64, first: u8| bytes + ONES * u64::from(0x80 - first);
    let letters = from(lower, b'a') & !from(lower, b'z' + 1) & TOPS & !wide;
    let digits = from(low, b'0') & !from(low, b'9' + 1) & TOPS & !wide;
    [letters, digits, wide].map(|tops| tops.wrapping_mul(GATHER) >> 56)
}

/// Finds the words of a text, one after the other. Bytes that are not UTF-8 are between words.
pub(crate) struct Words<'t> {
    text: &'t [u8],
    /// Where the next word is looked for.
    at: usize,
    /// The classes of the bytes from `begin` to `end`; what is beyond the text is between words.
    classes: Classes,
    begin: usize,
    end: usize,
}

impl<'t> Words<'t> {
    pub(crate) fn of(text: &'t [u8]) -> Words<'t> {
        Words { text, at: 0, classes: Classes::default(), begin: 0, end: 0 }
    }

    #[inline(always)]
    fn classes_at(&mut self, at: usize) -> Classes {
        if at >= self.end {
            let rest = &self.text[at..];
            self.classes = match rest.first_chunk() {
                Some(block) => Classes::of(block),
                None => {
                    let mut block = [0; BLOCK];
                    block[..rest.len()].copy_from_slice(rest);
                    Classes::of(&block)
                }
            };
            (self.begin, self.end) = (at, at + BLOCK);
        }
        self.classes.after(at - self.begin)
    }

    /// Where the next word begins.
    #[inline(always)]
    fn start(&mut self) -> Option<usize> {
        let mut at = self.at;
        while at < self.text.len() {
            let Classes { letters, digits, wide } = self.classes_at(at);
            let found = letters | digits | wide;
            if found == 0 {
                at = self.end;
                continue;
            }
            let first = found.trailing_zeros();
            at += bytes(first);
            if (wide >> first) & 1 == 0 {
                return Some(at);
            }
            match wide_at(self.text, at) {
                (_, true) => return Some(at),
                (length, false) => at += length,
            }
        }
        None
    }

    /// The next word. Always inlined: what it knows of a block stays in registers then.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<Word> {
        let start = self.start()?;
        let (mut at, mut seen) = (start, OTHER);
        while at < self.text.len() {
            let Classes { letters, digits, wide } = self.classes_at(at);
            let first = (!(letters | digits)).trailing_zeros();
            let within = 1_u64.checked_shl(first).unwrap_or(0).wrapping_sub(1);
            seen |= if letters & within == 0 { OTHER } else { LETTER };
            seen |= if digits & within == 0 { OTHER } else { DIGIT };
            at += bytes(first);
            if at == self.end {
                continue;
            }
            if (wide >> first) & 1 == 0 {
                break;
            }
            match wide_at(self.text, at) {
                (length, true) => at += length,
                (_, false) => break,
            }
            seen |= WIDE;
        }
        self.at = at;
        let script = match seen {
            LETTER => Script::Letters,
            DIGIT => Script::Digits,
            seen if seen & WIDE == 0 => Script::Mixed,
            _ => Script::Wide,
        };
        Some(Word { start, end: at, script })
    }
}

#[inline]
fn bytes(bits: u32) -> usize {
    usize::try_from(bits).unwrap_or(0)
}

/// How long the character beyond ASCII is that starts there, and whether it can be part of a word.
/// What is no character is one byte.
fn wide_at(text: &[u8], at: usize) -> (usize, bool) {
    match char_at(text, at) {
        Some(letter) => (letter.len_utf8(), letters::is_alphanumeric(letter)),
        None => (1, false),
    }
}

/// The words of a text.
pub fn words(text: &[u8]) -> Vec<Word> {
    let (mut words, mut found) = (Vec::with_capacity(text.len() / 6), Words::of(text));
    while let Some(word) = found.next() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::Strategy;

    fn split(text: &str) -> Vec<(&str, Script)> {
        let bytes = text.as_bytes();
        words(bytes).iter().map(|word| (&text[word.start..word.end], word.script)).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        use Script::{Digits, Letters, Mixed, Wide};
        assert_eq!(
            split("Mara’s 2nd — *naïve* plan, 1984: 東京の夜! 🌊 x_y"),
            [
                ("Mara", Letters),
                ("s", Letters),
                ("2nd", Mixed),
                ("naïve", Wide),
                ("plan", Letters),
                ("1984", Digits),
                ("東京の夜", Wide),
                ("x", Letters),
                ("y", Letters)
            ]
        );
        assert!(split("").is_empty());
        assert!(split(" —\n").is_empty());
    }

    #[test]
    fn every_character_is_in_a_word_if_it_is_a_letter_or_digit() {
        for letter in (0..0x3000).filter_map(char::from_u32) {
            let text = format!("a{letter}b");
            let expected = if letter.is_alphanumeric() { 1 } else { 2 };
            assert_eq!(words(text.as_bytes()).len(), expected, "{letter:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_between_words() {
        let mixed = b"\xFFab\xC3\x28cd\xE2\x82";
        let found: Vec<&[u8]> = words(mixed).iter().map(|word| word.of(mixed)).collect();
        assert_eq!(found, [&b"ab"[..], b"cd"]);
    }

    /// Words as a reader would find them who looks at one character after the other.
    fn slowly(text: &[u8]) -> Vec<Word> {
        let (mut found, mut at) = (Vec::<Word>::new(), 0);
        while at < text.len() {
            let chunk = text[at..].utf8_chunks().next();
            let letter = chunk.and_then(|chunk| chunk.valid().chars().next());
            let (length, seen) = match letter {
                None => (1, OTHER),
                Some(letter @ ('a'..='z' | 'A'..='Z')) => (letter.len_utf8(), LETTER),
                Some(letter @ '0'..='9') => (letter.len_utf8(), DIGIT),
                Some(letter) if !letter.is_ascii() && letter.is_alphanumeric() => {
                    (letter.len_utf8(), WIDE)
                }
                Some(letter) => (letter.len_utf8(), OTHER),
            };
            if seen != OTHER {
                let script = match seen {
                    LETTER => Script::Letters,
                    DIGIT => Script::Digits,
                    _ => Script::Wide,
                };
                match found.last_mut().filter(|word| word.end == at) {
                    None => found.push(Word { start: at, end: at + length, script }),
                    Some(word) => {
                        word.end += length;
                        word.script = match (word.script, script) {
                            (one, other) if one == other => one,
                            (Script::Wide, _) | (_, Script::Wide) => Script::Wide,
                            _ => Script::Mixed,
                        };
                    }
                }
            }
            at += length;
        }
        found
    }

    proptest::proptest! {
        #[test]
        fn words_are_found_a_block_at_a_time(
            text in proptest::collection::vec(
                proptest::prop_oneof![
                    proptest::string::string_regex("[a-zA-Z0-9 .,é東д—_@\\[`{/:]{0,90}").unwrap()
                        .prop_map(String::into_bytes),
                    proptest::collection::vec(proptest::prelude::any::<u8>(), 0..6),
                ],
                0..8,
            )
        ) {
            let text = text.concat();
            proptest::prop_assert_eq!(words(&text), slowly(&text));
        }
    }
}

//! Words, and what is between them.
//!
//! A word is a run of letters and digits, of any script. What is between words (white space,
//! punctuation, Markdown) stays where it is, so that words, sentences and paragraphs stay as many
//! as they were.

use super::letters;

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

/// What each byte can be part of.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte {
            0x30..=0x39 => DIGIT,
            0x41..=0x5A | 0x61..=0x7A => LETTER,
            0x80..=0xFF => WIDE,
            _ => OTHER,
        };
        byte += 1;
    }
    classes
}

/// The classes of eight bytes at once: the top bit of each byte.
struct Eight {
    letters: u64,
    digits: u64,
    wide: u64,
}

/// The top bit of each byte.
const TOPS: u64 = 0x8080_8080_8080_8080;
/// The lowest bit of each byte.
const ONES: u64 = 0x0101_0101_0101_0101;

impl Eight {
    /// The classes of the eight bytes from a place on, if there are as many.
    fn at(text: &[u8], at: usize) -> Option<Eight> {
        let bytes = u64::from_le_bytes(*text.get(at..)?.first_chunk()?);
        let wide = bytes & TOPS;
        let low = bytes & !TOPS;
        // Letters of both cases differ in one bit, which no other byte needs.
        let lower = low | (ONES * 0x20);
        // The addition reaches the top bit from that byte on, and never goes beyond it.
        let from = |bytes: u64, first: u8| bytes + ONES * u64::from(0x80 - first);
        let letters = from(lower, b'a') & !from(lower, b'z' + 1) & TOPS & !wide;
        let digits = from(low, b'0') & !from(low, b'9' + 1) & TOPS & !wide;
        Some(Eight { letters, digits, wide })
    }

    /// The first byte with one of these bits.
    fn first(tops: u64) -> usize {
        usize::try_from(tops.trailing_zeros() / 8).unwrap_or(0)
    }
}

/// The first word of a text from a place on. Bytes that are not UTF-8 are between words.
#[inline]
pub(crate) fn next_word(text: &[u8], from: usize) -> Option<Word> {
    word_at(text, word_start(text, from)?)
}

/// Where the first word from a place on begins.
#[inline]
fn word_start(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        if let Some(Eight { letters, digits, wide }) = Eight::at(text, at) {
            let found = letters | digits | wide;
            if found == 0 {
                at += 8;
                continue;
            }
            at += Eight::first(found);
        }
        match CLASSES[usize::from(*text.get(at)?)] {
            OTHER => at += 1,
            WIDE => match wide(text, at) {
                (_, true) => return Some(at),
                (length, false) => at += length,
            },
            _ => return Some(at),
        }
    }
}

/// The word that begins there.
#[inline]
fn word_at(text: &[u8], start: usize) -> Option<Word> {
    let (mut at, mut seen) = (start, OTHER);
    loop {
        if let Some(Eight { letters, digits, .. }) = Eight::at(text, at) {
            let ends = !(letters | digits) & TOPS;
            // All bits below the first end, which are all of them where there is none.
            let within = (ends & ends.wrapping_neg()).wrapping_sub(1);
            seen |= if letters & within == 0 { OTHER } else { LETTER };
            seen |= if digits & within == 0 { OTHER } else { DIGIT };
            if ends == 0 {
                at += 8;
                continue;
            }
            at += Eight::first(ends);
        }
        let class = text.get(at).map_or(OTHER, |byte| CLASSES[usize::from(*byte)]);
        match class {
            OTHER => break,
            WIDE => match wide(text, at) {
                (length, true) => at += length,
                (_, false) => break,
            },
            _ => at += 1,
        }
        seen |= class;
    }
    let script = match seen {
        LETTER => Script::Letters,
        DIGIT => Script::Digits,
        seen if seen & WIDE == 0 => Script::Mixed,
        _ => Script::Wide,
    };
    Some(Word { start, end: at, script })
}

/// How long the character beyond ASCII is that starts there, and whether it can be part of a word.
/// What is no character is one byte.
fn wide(text: &[u8], at: usize) -> (usize, bool) {
    match char_at(text, at) {
        Some(letter) => (letter.len_utf8(), letters::is_alphanumeric(letter)),
        None => (1, false),
    }
}

/// The words of a text.
pub fn words(text: &[u8]) -> Vec<Word> {
    let (mut words, mut at) = (Vec::with_capacity(text.len() / 6), 0);
    while let Some(word) = next_word(text, at) {
        at = word.end;
        words.push(word);
    }
    words
}

/// The character that starts there, if one does.
#[inline]
pub fn char_at(text: &[u8], at: usize) -> Option<char> {
    let rest = text.get(at..)?;
    let bits = |byte: &u8| u32::from(*byte & 0x3F);
    let code = match rest {
        [first @ 0..=0x7F, ..] => return Some(char::from(*first)),
        [first @ 0xC2..=0xDF, second @ 0x80..=0xBF, ..] => {
            u32::from(*first & 0x1F) << 6 | bits(second)
        }
        [first @ 0xE0..=0xEF, second @ 0x80..=0xBF, third @ 0x80..=0xBF, ..] => {
            let code = u32::from(*first & 0x0F) << 12 | bits(second) << 6 | bits(third);
            // Shorter characters can be written in three bytes, too: those are not UTF-8.
            if code < 0x800 {
                return None;
            }
            code
        }
        [
            first @ 0xF0..=0xF4,
            second @ 0x80..=0xBF,
            third @ 0x80..=0xBF,
            fourth @ 0x80..=0xBF,
            ..,
        ] => {
            let upper = u32::from(*first & 0x07) << 18 | bits(second) << 12;
            let code = upper | bits(third) << 6 | bits(fourth);
            if code < 0x1_0000 {
                return None;
            }
            code
        }
        _ => return None,
    };
    // Halves of a pair, and what is beyond the last character, are none.
    char::from_u32(code)
}

/// A word in lower case.
pub(crate) fn folded(word: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(word) {
        Ok(text) if !word.is_ascii() => {
            text.chars().flat_map(char::to_lowercase).collect::<String>().into_bytes()
        }
        _ => word.to_ascii_lowercase(),
    }
}

/// Puts a word in lower case, if that keeps the length of each of its characters.
pub(crate) fn fold(word: &mut [u8]) -> bool {
    let mut at = 0;
    while let Some(letter) = char_at(word, at) {
        let length = letter.len_utf8();
        if letters::has_lower(letter) {
            let mut lower = letter.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(lower), None) if lower.len_utf8() == length => {
                    lower.encode_utf8(&mut word[at..at + length]);
                }
                _ => return false,
            }
        }
        at += length;
    }
    at == word.len()
}

/// Whether two words are the same but for the case of their letters.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    folded(one) == folded(other)
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

    #[test]
    fn letters_are_folded_in_place_as_they_are_elsewhere() {
        let mut folded_in_place = 0;
        for letter in (0..0x1_1000).filter_map(char::from_u32) {
            let text = format!("aB{letter}C");
            let mut lower = text.clone().into_bytes();
            if fold(&mut lower) {
                assert_eq!(lower, folded(text.as_bytes()), "{letter:?}");
                folded_in_place += 1;
            } else {
                assert!(!('\0'..='ÿ').contains(&letter), "{letter:?}");
            }
        }
        assert!(folded_in_place > 0xF000, "{folded_in_place}");
        assert!(!fold(&mut b"a\xFFb".to_vec()), "what is not text is left to `folded`");
    }

    #[test]
    fn characters_are_those_of_the_standard_library() {
        for text in ["é", "東", "\u{FFFF}", "\u{10000}", "\u{10FFFF}", "\u{7FF}", "\u{800}", "x"]
        {
            assert_eq!(char_at(text.as_bytes(), 0), text.chars().next());
        }
        for odd in [
            &b"\xC0\x80"[..],
            b"\xC1\xBF",
            b"\xE0\x80\x80",
            b"\xE0\x9F\xBF",
            b"\xED\xA0\x80",
            b"\xF0\x8F\xBF\xBF",
            b"\xF4\x90\x80\x80",
            b"\xF5\x80\x80\x80",
            b"\x80",
            b"\xE2\x82",
        ] {
            assert!(std::str::from_utf8(odd).is_err());
            assert_eq!(char_at(odd, 0), None, "{odd:x?}");
        }
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
        fn words_are_found_eight_bytes_at_a_time(
            text in proptest::collection::vec(
                proptest::prop_oneof![
                    proptest::string::string_regex("[a-zA-Z0-9 .,é東д—_@\\[`{/:]{0,20}").unwrap()
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

    #[test]
    fn case_is_folded_in_every_script() {
        assert!(is_same("ÉCLAIR".as_bytes(), "éclair".as_bytes()));
        assert!(is_same(b"Mara", b"mARA"));
        assert!(!is_same("Σοφία".as_bytes(), b"Sofia"));
    }
}

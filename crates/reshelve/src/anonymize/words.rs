//! Text as words and what is between them.
//!
//! A word is a run of letters and digits, of any script. What is between words (white space,
//! punctuation, Markdown) stays where it is, so that words, sentences and paragraphs stay as many
//! as they were.

/// What a word is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
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
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) script: Script,
}

impl Word {
    pub(super) fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.start..self.end]
    }

    pub(super) fn len(&self) -> usize {
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

/// The first word of a text from a place on. Bytes that are not UTF-8 are between words.
pub(super) fn next_word(text: &[u8], from: usize) -> Option<Word> {
    let mut at = from;
    let start = loop {
        match CLASSES[usize::from(*text.get(at)?)] {
            OTHER => at += 1,
            WIDE => match wide(text, at) {
                (_, true) => break at,
                (length, false) => at += length,
            },
            _ => break at,
        }
    };
    let mut seen = OTHER;
    while let Some(&byte) = text.get(at) {
        let class = CLASSES[usize::from(byte)];
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
    match text[at..] {
        // Latin-1, whose letters have × and ÷ among them, and general punctuation are most of what
        // novels have beyond ASCII; tables of all characters take ten times as long.
        [0xC3, second @ 0x80..=0xBF, ..] => (2, second != 0x97 && second != 0xB7),
        [0xE2, 0x80, 0x80..=0xBF, ..] => (3, false),
        _ => match char_at(text, at) {
            Some(letter) => (letter.len_utf8(), letter.is_alphanumeric()),
            None => (1, false),
        },
    }
}

/// Calls `each` with the words of a text, in order.
pub(super) fn each_word(text: &[u8], mut each: impl FnMut(Word)) {
    let mut at = 0;
    while let Some(word) = next_word(text, at) {
        at = word.end;
        each(word);
    }
}

/// The words of a text.
pub(super) fn words(text: &[u8]) -> Vec<Word> {
    let mut words = Vec::new();
    each_word(text, |word| words.push(word));
    words
}

/// The character that starts there, if one does.
pub(super) fn char_at(text: &[u8], at: usize) -> Option<char> {
    let rest = text.get(at..)?;
    let first = *rest.first()?;
    if first.is_ascii() {
        return Some(char::from(first));
    }
    let length = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    std::str::from_utf8(rest.get(..length)?).ok()?.chars().next()
}

/// A word in lower case, in a buffer that is used again.
pub(super) fn folded<'b>(word: &[u8], buffer: &'b mut Vec<u8>) -> &'b [u8] {
    buffer.clear();
    match std::str::from_utf8(word) {
        Ok(text) if !word.is_ascii() => {
            let lower = text.chars().flat_map(char::to_lowercase);
            for letter in lower {
                buffer.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        _ => buffer.extend(word.iter().map(u8::to_ascii_lowercase)),
    }
    buffer
}

/// Puts a word in lower case into a buffer of its length; tells whether it could, as it can for ASCII
/// and Latin-1.
pub(super) fn is_folded_into(word: &[u8], lower: &mut [u8]) -> bool {
    lower.copy_from_slice(word);
    if word.is_ascii() {
        lower.make_ascii_lowercase();
        return true;
    }
    let mut at = 0;
    while let Some(rest) = lower.get_mut(at..).filter(|rest| !rest.is_empty()) {
        match rest {
            [ascii @ 0..=0x7F, ..] => {
                ascii.make_ascii_lowercase();
                at += 1;
            }
            [0xC3, second @ 0x80..=0xBF, ..] => {
                // From À to Þ, but for ×.
                if *second < 0x9F && *second != 0x97 {
                    *second += 0x20;
                }
                at += 2;
            }
            _ => return false,
        }
    }
    true
}

/// Whether two words are the same but for the case of their letters.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    folded(one, &mut Vec::new()) == folded(other, &mut Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn latin_letters_are_folded_as_all_are() {
        let mut lower = [0; 8];
        for letter in (0..0x250).filter_map(char::from_u32) {
            let text = format!("aB{letter}");
            let lower = &mut lower[..text.len()];
            if is_folded_into(text.as_bytes(), lower) {
                assert_eq!(lower, folded(text.as_bytes(), &mut Vec::new()), "{letter:?}");
            } else {
                assert!(!('À'..='ÿ').contains(&letter), "{letter:?}");
            }
        }
    }

    #[test]
    fn case_is_folded_in_every_script() {
        assert!(is_same("ÉCLAIR".as_bytes(), "éclair".as_bytes()));
        assert!(is_same(b"Mara", b"mARA"));
        assert!(!is_same("Σοφία".as_bytes(), b"Sofia"));
    }
}

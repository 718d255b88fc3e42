//! A text retold: as many words, at the same places between the same punctuation, and as long in
//! total. Words of plain letters become words of our own; others are left to whoever asks.

use super::draw::Draw;
use super::lexicon::Lexicon;
use super::words::{Script, Word};

/// The lengths of words are drawn between these parts of their mean, in sixteenths.
const SHORTEST: usize = 6;
/// See [`SHORTEST`].
const LONGEST: usize = 26;

/// A word of a text whose replacement is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which word of the text.
    pub word: usize,
    /// What replaces it.
    pub text: Vec<u8>,
}

/// Replaces what is not made of ASCII letters alone.
pub trait Others {
    /// Appends the replacement of a word. `mean` is the mean length of the words that are left, in
    /// sixteenths of a byte.
    fn word(&self, word: &[u8], script: Script, mean: usize, draw: &mut Draw, out: &mut Vec<u8>);

    /// Appends what stands between two words where the text has that, which is not ASCII alone.
    fn between(&self, between: &[u8], draw: &mut Draw, out: &mut Vec<u8>);
}

/// A text that is retold.
pub struct Retelling<'t> {
    /// The text.
    pub text: &'t [u8],
    /// Its words.
    pub words: &'t [Word],
    /// Those of them whose replacement is settled, in order.
    pub settled: &'t [Settled],
    /// How many bytes more than itself it may have, because the texts before it came out shorter;
    /// negative where they came out longer.
    pub owed: i64,
    /// For each of our own words, whether it is not to be drawn.
    pub blocked: &'t [bool],
}

impl Retelling<'_> {
    /// Appends the replacement of the text. Never inlined: it would be compiled as its caller is.
    #[inline(never)]
    pub fn append(
        &self,
        lexicon: &Lexicon,
        others: &dyn Others,
        draw: &mut Draw,
        out: &mut Vec<u8>,
    ) {
        let text = self.text;
        let total: i64 = self.words.iter().map(|word| length(word.len())).sum();
        let mut left = total + self.owed.clamp(-total / 2, total / 2);
        let mut count = length(self.words.len());
        let mut settled = self.settled.iter().peekable();
        let mut at = 0;
        for (index, word) in self.words.iter().enumerate() {
            between(&text[at..word.start], others, draw, out);
            at = word.end;
            let start = out.len();
            if let Some(found) = settled.next_if(|settled| settled.word == index) {
                out.extend_from_slice(&found.text);
            } else if is_check_mark(text, word) {
                out.extend_from_slice(word.of(text));
            } else {
                let mean = usize::try_from((left * 16 / count.max(1)).max(16)).unwrap_or(16);
                if word.script == Script::Letters {
                    let length = drawn_length(mean, draw);
                    lexicon.draw_own(word.of(text), length, self.blocked, draw, out);
                    take_case(word.of(text), &mut out[start..]);
                } else {
                    others.word(word.of(text), word.script, mean, draw, out);
                }
            }
            left -= length(out.len() - start);
            count -= 1;
        }
        between(&text[at..], others, draw, out);
    }
}

/// Appends what stands between two words.
#[inline]
fn between(between: &[u8], others: &dyn Others, draw: &mut Draw, out: &mut Vec<u8>) {
    match between {
        // Nearly always: the space between two words.
        [byte] if byte.is_ascii() => out.push(*byte),
        _ if between.is_ascii() => out.extend_from_slice(between),
        _ => others.between(between, draw, out),
    }
}

/// A number of bytes or words, for sums that may be negative.
#[inline]
fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The `x` of a task in a Markdown list is no word.
#[inline]
fn is_check_mark(text: &[u8], word: &Word) -> bool {
    word.of(text).eq_ignore_ascii_case(b"x")
        && word.start > 0
        && text[word.start - 1] == b'['
        && text.get(word.end) == Some(&b']')
}

/// A length whose mean is that, in sixteenths.
#[inline]
pub fn drawn_length(mean: usize, draw: &mut Draw) -> usize {
    let (from, to) = (mean * SHORTEST / 16, mean * LONGEST / 16);
    let drawn = from + draw.below(to - from + 1);
    ((drawn + 8) / 16).max(1)
}

/// Gives a word in lower case the case of another one.
#[inline]
pub fn take_case(source: &[u8], word: &mut [u8]) {
    let mut letters = source.iter().filter(|byte| byte.is_ascii_alphabetic());
    let Some(first) = letters.next() else { return };
    if !first.is_ascii_uppercase() {
        return;
    }
    let mut rest = letters.peekable();
    if rest.peek().is_some() && rest.all(u8::is_ascii_uppercase) {
        return word.make_ascii_uppercase();
    }
    if let Some(first) = word.first_mut() {
        first.make_ascii_uppercase();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words;

    /// Leaves everything as it is.
    struct AsTheyAre;

    impl Others for AsTheyAre {
        fn word(&self, word: &[u8], _: Script, _: usize, _: &mut Draw, out: &mut Vec<u8>) {
            out.extend_from_slice(word);
        }

        fn between(&self, between: &[u8], _: &mut Draw, out: &mut Vec<u8>) {
            out.extend_from_slice(between);
        }
    }

    #[test]
    fn a_text_is_retold_word_by_word() {
        let lexicon = Lexicon::new(1);
        let text = "The LANTERN of Mara — 1984: [x] naïve, über.".as_bytes();
        let found = words(text);
        let settled = [Settled { word: 3, text: b"Tove".to_vec() }];
        let retelling = Retelling { text, words: &found, settled: &settled, owed: 0, blocked: &[] };
        let mut draw = Draw::from(blake3::Hasher::new().finalize_xof());
        let mut out = Vec::new();
        retelling.append(&lexicon, &AsTheyAre, &mut draw, &mut out);
        let told = String::from_utf8(out).unwrap();
        let told_words: Vec<&str> =
            words(told.as_bytes()).iter().map(|word| &told[word.start..word.end]).collect();
        assert_eq!(told_words.len(), found.len(), "{told}");
        assert_eq!(told_words[3..], ["Tove", "1984", "x", "naïve", "über"]);
        assert!(told.contains(" — 1984: [x] naïve, über."), "{told}");
        let is_ours = |word: &str| lexicon.listed(lexicon.hash(word.as_bytes())).is_some();
        assert!(told_words[0].starts_with(|first: char| first.is_ascii_uppercase()));
        assert_eq!(told_words[1], told_words[1].to_uppercase());
        assert!(!told.contains("LANTERN") && told_words[..3].iter().all(|word| is_ours(word)));
    }

    #[test]
    fn what_is_owed_makes_a_text_longer_or_shorter() {
        let lexicon = Lexicon::new(1);
        let text = "so many words of about the same length stand here ".repeat(40);
        let found = words(text.as_bytes());
        let length_for = |owed: i64| {
            let (text, words) = (text.as_bytes(), found.as_slice());
            let retelling = Retelling { text, words, settled: &[], owed, blocked: &[] };
            let mut draw = Draw::from(blake3::Hasher::new().finalize_xof());
            let mut out = Vec::new();
            retelling.append(&lexicon, &AsTheyAre, &mut draw, &mut out);
            out.len().abs_diff(text.len().saturating_add_signed(isize::try_from(owed).unwrap()))
        };
        for owed in [-300, 0, 300] {
            assert!(length_for(owed) <= 16, "{owed}: {}", length_for(owed));
        }
    }
}

//! Text for text: as many words, at the same places between the same punctuation, in the same
//! script and case, and as long in total; which words these are depends on the key alone.

use super::alphabet::{alike, symbol_for};
use super::corpus::Corpus;
use super::ids::Ids;
use super::names::Names;
use reshelve_words::{Draw, Lexicon, Script, Word, char_at, is_same, is_short, words};

/// How often a word is drawn that hits something.
const TRIES: usize = 32;
/// The lengths of words are drawn between these parts of their mean, in sixteenths.
const SHORTEST: usize = 6;
/// See [`SHORTEST`].
const LONGEST: usize = 26;

/// Draws words.
#[derive(Clone, Copy)]
pub(super) struct Pen<'a> {
    pub(super) lexicon: &'a Lexicon,
    pub(super) corpus: &'a Corpus,
}

/// What a text is replaced with.
pub(super) struct Ink<'a> {
    pub(super) draw: Draw,
    /// The names of the job, if they are replaced by their pseudonyms.
    pub(super) names: Option<&'a Names>,
    pub(super) ids: &'a Ids<'a>,
}

impl Pen<'_> {
    /// Appends the replacement of a text. `owed` is how many bytes more than itself it may have,
    /// because the texts before it came out shorter; negative where they came out longer.
    pub(super) fn text(&self, source: &[u8], ink: &mut Ink<'_>, owed: i64, out: &mut Vec<u8>) {
        let words = words(source);
        let named = ink.names.map_or_else(Vec::new, |names| names.find(self, source, &words));
        let total: i64 = words.iter().map(|word| length(word.len())).sum();
        let mut left = total + owed.clamp(-total / 2, total / 2);
        let mut count = length(words.len());
        let (mut at, mut next) = (0, 0);
        for (index, word) in words.iter().enumerate() {
            self.between(&source[at..word.start], &mut ink.draw, out);
            at = word.end;
            let start = out.len();
            let pseudonym = named.get(next).filter(|found| found.word == index);
            if let Some(found) = pseudonym {
                out.extend_from_slice(&found.text);
                next += 1;
            } else if is_check_mark(source, word) {
                out.extend_from_slice(word.of(source));
            } else {
                let mean = usize::try_from((left * 16 / count.max(1)).max(16)).unwrap_or(16);
                self.word(word.of(source), word.script, mean, ink, out);
            }
            left -= length(out.len() - start);
            count -= 1;
        }
        self.between(&source[at..], &mut ink.draw, out);
    }

    /// Appends what stands between two words.
    fn between(&self, source: &[u8], draw: &mut Draw, out: &mut Vec<u8>) {
        match source {
            // Nearly always: the space between two words.
            [byte] if byte.is_ascii() => return out.push(*byte),
            _ if source.is_ascii() => return out.extend_from_slice(source),
            _ => {}
        }
        let mut at = 0;
        while at < source.len() {
            let Some(symbol) = char_at(source, at) else {
                out.push(source[at]);
                at += 1;
                continue;
            };
            let drawn = symbol_for(symbol, draw);
            out.extend_from_slice(drawn.encode_utf8(&mut [0; 4]).as_bytes());
            at += symbol.len_utf8();
        }
    }

    /// Appends a word for one of that script. `mean` is its mean length, in sixteenths of a byte.
    fn word(
        &self,
        source: &[u8],
        script: Script,
        mean: usize,
        ink: &mut Ink<'_>,
        out: &mut Vec<u8>,
    ) {
        if script == Script::Letters {
            let start = out.len();
            let length = drawn_length(mean, &mut ink.draw);
            let blocked = self.corpus.blocked();
            self.lexicon.draw_own(source, length, blocked, &mut ink.draw, out);
            return take_case(source, &mut out[start..]);
        }
        if let Some(id) = ink.ids.of_hex(source) {
            return out.extend_from_slice(&id);
        }
        let start = out.len();
        for attempt in 0..TRIES {
            out.truncate(start);
            let longer = attempt / 8;
            match script {
                Script::Wide => wide_word(source, mean, longer, &mut ink.draw, out),
                _ => same_shape(source, longer, &mut ink.draw, out),
            }
            let drawn = &out[start..];
            if !is_same(drawn, source) && (is_short(drawn) || !self.hits(drawn)) {
                return;
            }
        }
    }

    /// Whether a word may be one of the source.
    pub(super) fn hits(&self, word: &[u8]) -> bool {
        let hash = self.lexicon.hash(word);
        self.corpus.may_have(self.lexicon, word, hash)
    }
}

/// A number of bytes or words, for sums that may be negative.
fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The `x` of a task in a Markdown list is no word.
fn is_check_mark(text: &[u8], word: &Word) -> bool {
    word.of(text).eq_ignore_ascii_case(b"x")
        && word.start > 0
        && text[word.start - 1] == b'['
        && text.get(word.end) == Some(&b']')
}

/// A length whose mean is that, in sixteenths.
fn drawn_length(mean: usize, draw: &mut Draw) -> usize {
    let (from, to) = (mean * SHORTEST / 16, mean * LONGEST / 16);
    let drawn = from + draw.below(to - from + 1);
    ((drawn + 8) / 16).max(1)
}

/// Gives a word in lower case the case of another one.
pub(super) fn take_case(source: &[u8], word: &mut [u8]) {
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

/// Letters for letters and digits for digits, and so many digits more. A number does not begin with
/// 0 unless it did.
fn same_shape(source: &[u8], longer: usize, draw: &mut Draw, out: &mut Vec<u8>) {
    let start = out.len();
    for byte in source {
        let drawn = loop {
            let drawn = alike(char::from(*byte), draw);
            if drawn != '0' || out.len() > start || *byte == b'0' {
                break drawn;
            }
        };
        out.extend_from_slice(drawn.encode_utf8(&mut [0; 4]).as_bytes());
    }
    for _ in 0..longer {
        out.push(b'0' + u8::try_from(draw.below(10)).unwrap_or(0));
    }
}

/// A word with letters beyond ASCII: letters like those of the source, in its order, but not as
/// many.
fn wide_word(source: &[u8], mean: usize, longer: usize, draw: &mut Draw, out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(source);
    let letters: Vec<char> = text.chars().collect();
    let start = out.len();
    // Its bytes are counted as those of the other words are; its own letters may be wider.
    let wanted = drawn_length(mean.min(source.len() * 24), draw) + longer;
    let mut at = 0;
    while out.len() - start < wanted {
        let letter = letters[at * letters.len() / (at + 1).max(letters.len())];
        let drawn = alike(letter, draw);
        out.extend_from_slice(drawn.encode_utf8(&mut [0; 4]).as_bytes());
        at += 1;
    }
    if out[start..].is_ascii()
        && let Some(wide) = letters.iter().find(|letter| !letter.is_ascii())
    {
        let drawn = alike(*wide, draw);
        out.extend_from_slice(drawn.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

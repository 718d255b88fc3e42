//! Text for text: as many words, at the same places between the same punctuation, in the same
//! script and case, and as long in total; which words these are depends on the key alone.

use super::alphabet::{alike, symbol_for};
use super::corpus::Corpus;
use super::ids::Ids;
use super::names::Names;
use reshelve_words::{
    Draw, Lexicon, Others, Retelling, Script, char_at, drawn_length, is_same, is_short, words,
};

/// How often a word is drawn that hits something.
const TRIES: usize = 32;

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
    pub(super) fn text(&self, text: &[u8], ink: &mut Ink<'_>, owed: i64, out: &mut Vec<u8>) {
        let words = words(text);
        let settled = ink.names.map_or_else(Vec::new, |names| names.find(self, text, &words));
        let blocked = self.corpus.blocked();
        let retelling = Retelling { text, words: &words, settled: &settled, owed, blocked };
        let others = OtherWords { pen: self, ids: ink.ids };
        retelling.append(self.lexicon, &others, &mut ink.draw, out);
    }

    /// Whether a word may be one of the source.
    pub(super) fn hits(&self, word: &[u8]) -> bool {
        let hash = self.lexicon.hash(word);
        self.corpus.may_have(self.lexicon, word, hash)
    }
}

/// Ids, numbers, words with letters beyond ASCII, and symbols.
struct OtherWords<'a> {
    pen: &'a Pen<'a>,
    ids: &'a Ids<'a>,
}

impl Others for OtherWords<'_> {
    fn word(&self, word: &[u8], script: Script, mean: usize, draw: &mut Draw, out: &mut Vec<u8>) {
        if let Some(id) = self.ids.of_hex(word) {
            return out.extend_from_slice(&id);
        }
        let start = out.len();
        for attempt in 0..TRIES {
            out.truncate(start);
            let longer = attempt / 8;
            match script {
                Script::Wide => wide_word(word, mean, longer, draw, out),
                _ => same_shape(word, longer, draw, out),
            }
            let drawn = &out[start..];
            if !is_same(drawn, word) && (is_short(drawn) || !self.pen.hits(drawn)) {
                return;
            }
        }
    }

    fn between(&self, between: &[u8], draw: &mut Draw, out: &mut Vec<u8>) {
        let mut at = 0;
        while at < between.len() {
            let Some(symbol) = char_at(between, at) else {
                out.push(between[at]);
                at += 1;
                continue;
            };
            let drawn = symbol_for(symbol, draw);
            out.extend_from_slice(drawn.encode_utf8(&mut [0; 4]).as_bytes());
            at += symbol.len_utf8();
        }
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

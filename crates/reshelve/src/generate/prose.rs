//! Cheap prose that behaves like text: paragraphs, quotes, apostrophes, accents, CJK, emoji.
//!
//! A sentence is a pattern of literals and word classes. One draw of 64 bits chooses many words,
//! because every class has a power of two of them: text must not be the bottleneck of a generator
//! that writes gigabytes.

use super::{
    rng::Rng,
    words::{ADJECTIVES, ADVERBS, FOREIGN, NAMES, NOUNS, PLACES, VERBS},
};

/// Sentences in a paragraph, at most.
const PARAGRAPH_SENTENCES_MAX: u64 = 7;

/// The longest literal or word.
const WORD_BYTES: usize = 32;

/// Text with room after it: a copy of fixed length, cut back afterwards, costs a fraction of a copy
/// whose length is not known.
#[derive(Clone, Copy)]
struct Word {
    bytes: [u8; WORD_BYTES],
    length: usize,
}

const fn word(text: &str) -> Word {
    let text = text.as_bytes();
    let mut word = Word { bytes: [0; WORD_BYTES], length: text.len() };
    let mut at = 0;
    while at < text.len() {
        word.bytes[at] = text[at];
        at += 1;
    }
    word
}

const fn class<const N: usize>(texts: &[&str; N]) -> [Word; N] {
    assert!(N.is_power_of_two() && N <= 64, "a class is chosen by at most six bits");
    let mut words = [word(""); N];
    let mut at = 0;
    while at < N {
        words[at] = word(texts[at]);
        at += 1;
    }
    words
}

static NOUN: [Word; 64] = class(&NOUNS);
static ADJECTIVE: [Word; 64] = class(&ADJECTIVES);
static VERB: [Word; 64] = class(&VERBS);
static ADVERB: [Word; 32] = class(&ADVERBS);
static NAME: [Word; 32] = class(&NAMES);
static PLACE: [Word; 16] = class(&PLACES);
static OTHER: [Word; 16] = class(&FOREIGN);

/// One piece of a sentence pattern: a literal or a class of words.
#[derive(Clone, Copy)]
enum Piece {
    Text(Word),
    Class(&'static [Word]),
}

const N: Piece = Piece::Class(&NOUN);
const A: Piece = Piece::Class(&ADJECTIVE);
const V: Piece = Piece::Class(&VERB);
const D: Piece = Piece::Class(&ADVERB);
const P: Piece = Piece::Class(&NAME);
const L: Piece = Piece::Class(&PLACE);
const F: Piece = Piece::Class(&OTHER);

#[expect(non_snake_case, reason = "reads like the other pieces of a pattern")]
const fn T(text: &str) -> Piece {
    Piece::Text(word(text))
}

/// The patterns. Those with rare characters are as rare as they are in a translated novel.
#[rustfmt::skip]
static SENTENCES: [&[Piece]; 16] = [
    &[T("The "), A, T(" "), N, T(" "), V, T(" the "), N, T(" "), D, T(".")],
    &[T("The "), A, T(" "), N, T(" "), V, T(" the "), N, T(", because the "), A, T(" "), N,
        T(" "), V, T(" it "), D, T(".")],
    &[P, T(" "), V, T(" the "), N, T(" "), D, T(" — the "), A, T(" "), N,
        T(" had never been so "), A, T(".")],
    &[T("“The "), A, T(" "), N, T(" "), V, T(" us "), D, T(",” "), P, T(" said, “and the "), N,
        T(" knows it.”")],
    &[T("In "), L, T(", the "), A, T(" "), N, T(" "), V, T(" the "), N, T("; nobody "), V,
        T(" the "), A, T(" one.")],
    &[P, T("’s "), N, T(" was "), A, T(", "), A, T(" and "), A, T(".")],
    &[T("'It isn't the "), N, T(",' "), P, T(" whispered "), D, T(". 'It's the "), N, T(".'")],
    &[T("It was "), A, T(" in "), L, T(", and "), P, T(" "), V, T(" a "), N, T(" "), D, T("…")],
    &[T("Did "), P, T(" know that the "), A, T(" "), N, T(" "), V, T(" "), D, T("?")],
    &[T("She "), V, T(" the "), N, T(" and "), V, T(" the "), N, T(", one "), A,
        T(" evening after another.")],
    &[T("He "), V, T(" the "), A, T(" "), N, T(" the way other men "), V, T(" a "), N, T(".")],
    &[T("Nothing in the "), N, T(" "), V, T(" the "), A, T(" "), N, T(" that "), P, T(" "), V,
        T(" "), D, T(".")],
    &[T("There was a word for it, "), F, T(", but the "), N, T(" "), V, T(" it "), D, T(".")],
    &[T("“Again,” said "), P, T(". “The \""), A, T("\" "), N, T("! Who "), V, T(" it?”")],
    &[T("Between the "), N, T(" and the "), N, T(" lay "), L, T(", "), A, T(" and "), A,
        T(", where "), P, T(" "), V, T(" the "), N, T(".")],
    &[T("By the time the "), N, T(" "), V, T(" the "), N, T(", the "), A, T(" "), N,
        T(" had gone.")],
];

static TITLES: [&[Piece]; 8] = [
    &[T("The "), A, T(" "), N],
    &[P, T(" and the "), N],
    &[N, T(" — "), N],
    &[T("“"), N, T("”")],
    &[T("A "), N, T(" in "), L],
    &[T("What the "), N, T(" "), V],
    &[P, T("'s "), N],
    &[T("The "), N, T(" of "), L],
];

static PHRASE: [Piece; 7] = [N, T(" "), N, T(" "), N, T(" "), N];

/// Writes paragraphs until there are at least `bytes` of them; ends with a whole sentence, so a
/// little more comes out. Returns the number of words, as the legacy application counted them:
/// pieces between white space.
pub(super) fn paragraphs(rng: &mut Rng, out: &mut Vec<u8>, bytes: usize) -> usize {
    let start = out.len();
    let mut left = 0;
    while out.len() - start < bytes || out.len() == start {
        if out.len() > start {
            if left == 0 {
                out.extend_from_slice(b"\n\n");
            } else {
                out.push(b' ');
            }
        }
        if left == 0 {
            left = 1 + rng.below(PARAGRAPH_SENTENCES_MAX);
        }
        sentence(rng, out);
        left -= 1;
    }
    words(&out[start..])
}

/// Writes one sentence.
#[inline]
pub(super) fn sentence(rng: &mut Rng, out: &mut Vec<u8>) {
    let pattern = rng.pick(&SENTENCES);
    write(rng, out, pattern);
}

/// Writes a title: of a novel, a chapter or a thread of the plot.
pub(super) fn title(rng: &mut Rng, out: &mut Vec<u8>) {
    let start = out.len();
    let pattern = rng.pick(&TITLES);
    write(rng, out, pattern);
    if let Some(first) = out.get_mut(start) {
        first.make_ascii_uppercase();
    }
}

/// Writes `count` nouns (1 to 4), as the keywords of a story bible.
pub(super) fn phrase(rng: &mut Rng, out: &mut Vec<u8>, count: usize) {
    write(rng, out, &PHRASE[..count.clamp(1, 4) * 2 - 1]);
}

fn words(text: &[u8]) -> usize {
    // A paragraph break is two line feeds and one gap.
    memchr::memchr2_iter(b' ', b'\n', text).count()
        - memchr::memmem::find_iter(text, "\n\n").count()
        + 1
}

#[inline]
fn write(rng: &mut Rng, out: &mut Vec<u8>, pattern: &[Piece]) {
    // At most 6 bits per piece: ten draws per word of random bits.
    let (mut bits, mut draws) = (0, 0);
    for piece in pattern {
        let word = match piece {
            Piece::Text(word) => word,
            Piece::Class(words) => {
                if draws == 0 {
                    (bits, draws) = (rng.bits(), 10);
                }
                // The length is a power of two of at most 64.
                let choice = usize::try_from(bits & 63).unwrap_or(0) & (words.len() - 1);
                bits >>= 6;
                draws -= 1;
                &words[choice]
            }
        };
        let length = out.len() + word.length;
        out.extend_from_slice(&word.bytes);
        out.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_text_with_everything_in_it() {
        let mut text = Vec::new();
        let count = paragraphs(&mut Rng::new(1, 2), &mut text, 200_000);
        let text = String::from_utf8(text).unwrap();
        assert!(text.len() < 200_300);
        assert_eq!(count, text.split_whitespace().count());
        for part in ["\n\n", "“", "'", "\"", "’", "é", "京", "🌊", "—"] {
            assert!(text.contains(part), "{part} does not occur");
        }
    }

    #[test]
    fn titles_begin_with_a_capital() {
        let mut rng = Rng::new(3, 4);
        for _ in 0..100 {
            let mut text = Vec::new();
            title(&mut rng, &mut text);
            assert!(!text[0].is_ascii_lowercase());
        }
    }
}

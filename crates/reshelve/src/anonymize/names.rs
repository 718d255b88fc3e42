//! Pseudonyms of characters and locations within one job.
//!
//! The mapping sorts their keys, and looks for one key in another and in relationships. So the words
//! of all names are renamed together, as a tree of letters: words that begin alike begin alike
//! afterwards, and words that sort before others sort before them.

use std::collections::{BTreeMap, HashMap};

use super::alphabet::{alike, pronounceable, sorted_alike};
use super::key::Key;
use super::pen::Pen;
use reshelve_words::{Beginnings, Draw, Settled, Word, WordHash, is_same, take_case, words};

/// How often the letters after a beginning are drawn again because a word hits something.
const TRIES: usize = 8;
/// How often all names of a job are drawn.
const ATTEMPTS: u8 = 64;
/// How often that happens in one job before everything is drawn again.
const STEPS_MAX: usize = 20_000;
/// Keys of which each is looked for in each other one. A job with more is left to the comparison of
/// what the mapping makes of both sides.
const COMPARED_MAX: usize = 2_000;
/// Words of names are told apart by so many letters.
const WORD_CHARS_MAX: usize = 200;
/// Words of a name that are looked for in prose.
pub(super) const SEQUENCE_MAX: usize = 8;

/// The names of a job and their pseudonyms.
#[derive(Default)]
pub(super) struct Names {
    /// By the keys of the maps.
    keys: HashMap<Vec<u8>, Vec<u8>>,
    /// Names that are looked for in prose, by their first word; longer ones first.
    sequences: HashMap<WordHash, Vec<Sequence>>,
    /// Those first words.
    beginnings: Beginnings,
}

/// A name as words.
struct Sequence {
    words: Vec<Vec<u8>>,
    renamed: Vec<Vec<u8>>,
}

/// The words of names are renamed so that something of them changed that the mapping sees.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit;

impl Names {
    /// Pseudonyms for the keys of the maps of a job.
    pub(super) fn new(key: &Key, pen: &Pen<'_>, keys: &[&[u8]]) -> Result<Names, Unfit> {
        let mut originals: Vec<&[u8]> = keys.to_vec();
        originals.sort_unstable();
        originals.dedup();
        let parts = Parts::of(&originals);
        for attempt in 0..ATTEMPTS {
            let draw = key.draw("names", &[&[attempt]]);
            let Some(renamed) = rename(draw, pen, &parts) else { continue };
            let mut names = Names::default();
            for original in &originals {
                names.keys.insert(original.to_vec(), parts.renamed(original, &renamed));
            }
            if names.are_alike(&originals) && names.are_changed() {
                names.look_for(&originals, &parts, &renamed, pen);
                return Ok(names);
            }
        }
        Err(Unfit)
    }

    /// Whether no key has two neighbouring words that are as they were: letters of a large cast have
    /// few places to go to.
    fn are_changed(&self) -> bool {
        self.keys.iter().all(|(key, new)| {
            let (words, new_words) = (words(key), words(new));
            let both = words.iter().zip(&new_words);
            let same: Vec<bool> =
                both.map(|(one, other)| is_same(one.of(key), other.of(new))).collect();
            !same.windows(2).any(|pair| pair[0] && pair[1])
        })
    }

    /// The pseudonym of a key.
    pub(super) fn of_key(&self, key: &[u8]) -> Option<&[u8]> {
        self.keys.get(key).map(Vec::as_slice)
    }

    /// Whether order, containment and emptiness of the keys are those of their pseudonyms.
    fn are_alike(&self, originals: &[&[u8]]) -> bool {
        let pseudonyms: Vec<&[u8]> = originals.iter().filter_map(|key| self.of_key(key)).collect();
        let in_order = pseudonyms.windows(2).all(|pair| pair[0] < pair[1]);
        if !in_order || originals.len() > COMPARED_MAX {
            return in_order;
        }
        let contains = |outer: &[u8], inner: &[u8]| memchr::memmem::find(outer, inner).is_some();
        originals.iter().zip(&pseudonyms).all(|(outer, new_outer)| {
            originals
                .iter()
                .zip(&pseudonyms)
                .all(|(inner, new_inner)| contains(outer, inner) == contains(new_outer, new_inner))
        })
    }

    /// Which names are looked for in prose: those with a word that is not common, whole, and each
    /// such word by itself.
    fn look_for(
        &mut self,
        originals: &[&[u8]],
        parts: &Parts,
        renamed: &BTreeMap<Vec<char>, Vec<char>>,
        pen: &Pen<'_>,
    ) {
        let is_common = |word: &[u8]| pen.lexicon.is_common(word, pen.lexicon.hash(word));
        for original in originals {
            let found = words(original);
            let whole: Vec<Vec<u8>> = found.iter().map(|word| word.of(original).to_vec()).collect();
            if whole.len() > 1
                && whole.len() <= SEQUENCE_MAX
                && !whole.iter().all(|it| is_common(it))
            {
                self.add(whole.clone(), parts, renamed, pen);
            }
            for word in whole.into_iter().filter(|word| !is_common(word)) {
                self.add(vec![word], parts, renamed, pen);
            }
        }
        for sequences in self.sequences.values_mut() {
            sequences.sort_by(|one, other| {
                other.words.len().cmp(&one.words.len()).then_with(|| one.words.cmp(&other.words))
            });
            sequences.dedup_by(|one, other| one.words == other.words);
        }
    }

    fn add(
        &mut self,
        words: Vec<Vec<u8>>,
        parts: &Parts,
        renamed: &BTreeMap<Vec<char>, Vec<char>>,
        pen: &Pen<'_>,
    ) {
        let Some(first) = words.first() else { return };
        let hash = pen.lexicon.hash(first);
        self.beginnings.add(first);
        let renamed = words.iter().map(|word| parts.renamed(word, renamed)).collect();
        self.sequences.entry(hash).or_default().push(Sequence { words, renamed });
    }

    /// The words of a text that are parts of names, in order, and their pseudonyms.
    pub(super) fn find(&self, pen: &Pen<'_>, text: &[u8], words: &[Word]) -> Vec<Settled> {
        let mut all = Vec::new();
        let mut from = 0;
        while let Some(mut at) = self.beginnings.next(text, words, from) {
            from = at + 1;
            let Some(sequence) = self.sequence_at(pen, text, &words[at..]) else { continue };
            for ((name, new), word) in
                sequence.words.iter().zip(&sequence.renamed).zip(&words[at..])
            {
                all.push(Settled { word: at, text: in_case(name, new, word.of(text)) });
                at += 1;
            }
            from = at;
        }
        all
    }

    /// The longest name that begins there; one in the same case before others.
    fn sequence_at(&self, pen: &Pen<'_>, text: &[u8], words: &[Word]) -> Option<&Sequence> {
        let sequences = self.sequences.get(&pen.lexicon.hash(words.first()?.of(text)))?;
        let fits = |sequence: &&Sequence, exactly: bool| {
            let compared = sequence.words.iter().zip(words);
            sequence.words.len() <= words.len()
                && compared.clone().all(|(name, word)| match exactly {
                    true => name == word.of(text),
                    false => is_same(name, word.of(text)),
                })
                && words[..sequence.words.len()]
                    .windows(2)
                    .all(|pair| is_one_name(&text[pair[0].end..pair[1].start]))
        };
        let folded = sequences.iter().find(|sequence| fits(sequence, false))?;
        let exact = sequences.iter().find(|sequence| fits(sequence, true));
        Some(exact.filter(|exact| exact.words.len() == folded.words.len()).unwrap_or(folded))
    }
}

/// Whether two words with that between them can be parts of one name.
fn is_one_name(between: &[u8]) -> bool {
    !between.is_empty()
        && !between.iter().any(|byte| matches!(byte, b'!' | b'?' | b';' | b':' | b'"'))
}

/// A pseudonym in the case in which the name occurs.
fn in_case(name: &[u8], new: &[u8], occurring: &[u8]) -> Vec<u8> {
    if name == occurring {
        return new.to_vec();
    }
    let text = String::from_utf8_lossy(new);
    let mut lower = text.to_lowercase().into_bytes();
    if lower.is_ascii() {
        take_case(occurring, &mut lower);
    }
    lower
}

/// How the words of names are divided: a name that is part of a word of another one is a word of
/// its own there.
struct Parts {
    /// Words that are divided, and their parts.
    divided: BTreeMap<Vec<char>, Vec<Vec<char>>>,
    /// All words and parts, sorted.
    all: Vec<Vec<char>>,
}

impl Parts {
    fn of(keys: &[&[u8]]) -> Parts {
        let mut tokens: Vec<Vec<char>> = Vec::new();
        let mut single: Vec<Vec<char>> = Vec::new();
        for key in keys {
            let found = words(key);
            let letters = |word: &Word| String::from_utf8_lossy(word.of(key)).chars().collect();
            tokens.extend(found.iter().map(letters));
            if let [word] = found.as_slice()
                && word.len() == key.len()
            {
                single.push(letters(word));
            }
        }
        tokens.sort_unstable();
        tokens.dedup();
        // Longest first: what is left of a word may hold a shorter name.
        single.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        single.dedup();
        single.truncate(COMPARED_MAX);
        let mut parts = Parts { divided: BTreeMap::new(), all: Vec::new() };
        for token in tokens {
            let pieces = divide(&token, &single);
            if pieces.len() > 1 {
                parts.divided.insert(token, pieces.clone());
            }
            parts.all.extend(pieces);
        }
        parts.all.sort_unstable();
        parts.all.dedup();
        parts
    }

    /// A text with its words renamed, and all else as it is.
    fn renamed(&self, text: &[u8], renamed: &BTreeMap<Vec<char>, Vec<char>>) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for word in words(text) {
            out.extend_from_slice(&text[at..word.start]);
            at = word.end;
            let letters: Vec<char> = String::from_utf8_lossy(word.of(text)).chars().collect();
            let whole = [letters];
            let pieces = self.divided.get(&whole[0]).map_or(&whole[..], Vec::as_slice);
            for piece in pieces {
                let new: String = renamed.get(piece).unwrap_or(piece).iter().collect();
                out.extend_from_slice(new.as_bytes());
            }
        }
        out.extend_from_slice(&text[at..]);
        out
    }
}

/// A word in parts: the names that it holds beyond its beginning, and what is around them.
fn divide(token: &[char], names: &[Vec<char>]) -> Vec<Vec<char>> {
    for name in names {
        let at = token.windows(name.len()).position(|part| part == name.as_slice());
        if let Some(at) = at.filter(|at| *at > 0) {
            let mut pieces = divide(&token[..at], names);
            pieces.push(name.clone());
            if at + name.len() < token.len() {
                pieces.extend(divide(&token[at + name.len()..], names));
            }
            return pieces;
        }
    }
    vec![token.to_vec()]
}

/// Renames all parts.
fn rename(draw: Draw, pen: &Pen<'_>, parts: &Parts) -> Option<BTreeMap<Vec<char>, Vec<char>>> {
    let mut renaming = Renaming { draw, pen, steps: 0, renamed: BTreeMap::new() };
    let all: Vec<&[char]> = parts.all.iter().map(Vec::as_slice).collect();
    let fits = renaming.below(&all, 0, &mut Vec::new());
    fits.then_some(renaming.renamed)
}

struct Renaming<'a> {
    draw: Draw,
    pen: &'a Pen<'a>,
    steps: usize,
    renamed: BTreeMap<Vec<char>, Vec<char>>,
}

impl Renaming<'_> {
    /// Renames words that have their first `depth` letters in common, which became `beginning`.
    /// Recursion is as deep as the longest word; see [`WORD_CHARS_MAX`].
    fn below(&mut self, words: &[&[char]], depth: usize, beginning: &mut Vec<char>) -> bool {
        let mut words = words;
        if let Some((first, rest)) = words.split_first()
            && (first.len() == depth || depth >= WORD_CHARS_MAX)
        {
            let mut whole = beginning.clone();
            whole.extend(first[depth..].iter().map(|letter| alike(*letter, &mut self.draw)));
            if depth > 0 && !self.is_fit(first, &whole) {
                return false;
            }
            self.renamed.insert(first.to_vec(), whole);
            words = rest;
            if depth >= WORD_CHARS_MAX {
                // Names that long have nothing in common but by intent.
                return words.is_empty();
            }
        }
        if words.is_empty() {
            return true;
        }
        let groups: Vec<&[&[char]]> =
            words.chunk_by(|one, other| one[depth] == other[depth]).collect();
        let letters: Vec<char> = groups.iter().map(|group| group[0][depth]).collect();
        for _ in 0..TRIES {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return false;
            }
            let drawn = match letters.as_slice() {
                [only] => vec![pronounceable(*only, beginning.last().copied(), &mut self.draw)],
                several => sorted_alike(several, &mut self.draw),
            };
            let fits = groups.iter().zip(&drawn).all(|(group, letter)| {
                beginning.push(*letter);
                let fits = self.below(group, depth + 1, beginning);
                beginning.pop();
                fits
            });
            if fits {
                return true;
            }
        }
        false
    }

    /// Whether a word can be the pseudonym of another one: it is another word, and none of the
    /// source.
    fn is_fit(&self, original: &[char], new: &[char]) -> bool {
        let text = |letters: &[char]| letters.iter().collect::<String>().into_bytes();
        let (original, new) = (text(original), text(new));
        let is_one_letter = new.len() == 1;
        is_one_letter || !is_same(&original, &new) && !self.pen.hits(&new)
    }
}

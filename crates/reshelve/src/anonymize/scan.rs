//! The leak scan of one document: what of the source stands in the copy.
//!
//! Three rules. No two neighbouring words stand unchanged at their place; no run of four words of
//! the source document recurs anywhere in the copy; no name, id or uncommon word of the whole source
//! recurs at all. The third is decided when everything was read: see [`Suspect`].

use std::collections::BTreeSet;

use super::corpus::Corpus;
use super::names::SEQUENCE_MAX;
use super::policy::Policy;
use super::survey::phrase;
use super::walk::{Piece, Spot, Visitor, walk};
use crate::store::DiskError;
use reshelve_core::raw::{Document, hex};
use reshelve_words::{Lexicon, Reading, Runs, WordHash};

/// A shorter binary may be drawn as it was, by chance.
const BYTES_MIN: usize = 8;
/// A run of letters in a binary of the copy is a word if it is at least this long.
const WORD_IN_COPY_MIN: usize = 3;

/// What of the source stands in a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leak {
    /// Two neighbouring words, or a binary, at their place.
    InPlace,
    /// Four words in a row, anywhere in the document.
    Run,
    /// A name, an id or an uncommon word, of any document.
    Word,
    /// The whole document belongs to none of the source, in its order.
    Unpaired,
}

impl Leak {
    /// The word for it in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Leak::InPlace => "in-place",
            Leak::Run => "run",
            Leak::Word => "word",
            Leak::Unpaired => "unpaired",
        }
    }
}

/// Something in a copy that is probably a word or id of the source.
pub(super) struct Suspect {
    pub(super) hash: WordHash,
    pub(super) spot: Spot,
}

/// Scans copies beside their originals. It keeps its memory from one document to the next.
pub(super) struct Scanner<'a> {
    policy: &'a Policy,
    lexicon: &'a Lexicon,
    corpus: &'a Corpus,
    original: Original,
    reading: Reading,
}

/// What a scan of a document found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) leaks: Vec<(Leak, Spot)>,
    pub(super) suspects: Vec<Suspect>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(policy: &'a Policy, lexicon: &'a Lexicon, corpus: &'a Corpus) -> Scanner<'a> {
        let (original, reading) = (Original::default(), Reading::default());
        Scanner { policy, lexicon, corpus, original, reading }
    }

    /// Compares a copy with its original. Without one, only the third rule can be looked at.
    pub(super) fn scan(&mut self, copy: Document<'_>, original: Option<Document<'_>>) -> Found {
        self.original.clear();
        if let Some(original) = original {
            let mut collecting = Collecting { lexicon: self.lexicon, original: &mut self.original };
            walk(self.policy, original, None, &mut collecting);
            self.original.runs.index();
        }
        let mut scan = Scan {
            lexicon: self.lexicon,
            corpus: self.corpus,
            original: &self.original,
            next: 0,
            reading: &mut self.reading,
            runs: Vec::new(),
            found: Found::default(),
        };
        walk(self.policy, copy, original, &mut scan);
        scan.find_runs();
        scan.found
    }
}

impl Scanner<'_> {
    /// What is certain of what was found: each leak with its path, once.
    pub(super) fn certain(&self, found: Found) -> Result<BTreeSet<(Leak, String)>, DiskError> {
        let mut leaks: BTreeSet<(Leak, String)> =
            found.leaks.into_iter().map(|(leak, spot)| (leak, spot.path(self.policy))).collect();
        for Suspect { hash, spot } in found.suspects {
            if self.corpus.has(hash)? {
                leaks.insert((Leak::Word, spot.path(self.policy)));
            }
        }
        Ok(leaks)
    }
}

/// Takes the words of the original.
struct Collecting<'s> {
    lexicon: &'s Lexicon,
    original: &'s mut Original,
}

impl Visitor for Collecting<'_> {
    fn piece(&mut self, _: Spot, piece: Piece<'_>, _: Option<Piece<'_>>) {
        let (Piece::Text(text) | Piece::Name(text)) = piece else { return };
        let Original { words, pieces, runs } = &mut *self.original;
        let start = words.len();
        self.lexicon.hashes(text, words);
        pieces.push((text.as_ptr().addr(), start));
        runs.add(&words[start..]);
    }
}

/// The words of an original, and its runs of words.
#[derive(Default)]
struct Original {
    words: Vec<WordHash>,
    /// Where each text lies in memory, and where its words begin, in the order of the walk.
    pieces: Vec<(usize, usize)>,
    runs: Runs,
}

/// Above this many words the memory is given back: it was for one large document.
const KEPT_MAX: usize = 1 << 19;

impl Original {
    fn clear(&mut self) {
        if self.words.len() > KEPT_MAX {
            *self = Original::default();
        }
        self.words.clear();
        self.pieces.clear();
        self.runs.clear();
    }

    /// The words of a text, which is the next one of the walk or one after that.
    fn words_of(&self, text: &[u8], next: &mut usize) -> Option<&[WordHash]> {
        let pieces = self.pieces.get(*next..)?;
        let found = pieces.iter().position(|(at, _)| *at == text.as_ptr().addr())?;
        *next += found + 1;
        let end = self.pieces.get(*next).map_or(self.words.len(), |(_, start)| *start);
        self.words.get(pieces[found].1..end)
    }
}

/// A copy that is being scanned.
struct Scan<'s> {
    lexicon: &'s Lexicon,
    corpus: &'s Corpus,
    original: &'s Original,
    /// The text of the original that comes next.
    next: usize,
    /// The text that is looked at.
    reading: &'s mut Reading,
    /// Runs of the copy that may be in the original.
    runs: Vec<(u64, Spot)>,
    found: Found,
}

impl Scan<'_> {
    fn text(&mut self, spot: Spot, text: &[u8], twin: Option<&[u8]>) {
        self.words(spot, text, 0);
        if let Some(twin) = twin {
            let mut own = Vec::new();
            let words = match self.original.words_of(twin, &mut self.next) {
                Some(words) => words,
                // A value that needs not be hidden.
                None => {
                    self.lexicon.hashes(twin, &mut own);
                    &own
                }
            };
            let are_same = words.iter().zip(&self.reading.hashes).map(|(one, other)| one == other);
            let mut unchanged = 0;
            for is_same in are_same {
                unchanged = if is_same { unchanged + 1 } else { 0 };
                if unchanged == 2 {
                    self.found.leaks.push((Leak::InPlace, spot));
                }
            }
        }
        self.runs(spot);
        self.phrases(spot);
    }

    /// The words of a text, and those of at least that length which are suspects.
    fn words(&mut self, spot: Spot, text: &[u8], length_min: usize) {
        self.lexicon.read(text, self.reading);
        for (word, &hash) in self.reading.words.iter().zip(&self.reading.hashes) {
            let word = word.of(text);
            if word.len() >= length_min && self.corpus.may_have(self.lexicon, word, hash) {
                self.found.suspects.push(Suspect { hash, spot });
            }
        }
    }

    /// Runs of these words that the original may have.
    fn runs(&mut self, spot: Spot) {
        let (original, runs) = (&self.original.runs, &mut self.runs);
        original.find(&self.reading.hashes, &mut |run| runs.push((run, spot)));
    }

    /// Which of these runs the original has: it is read once for all of them.
    fn find_runs(&mut self) {
        if self.runs.is_empty() {
            return;
        }
        self.runs.sort_unstable_by_key(|(run, _)| *run);
        let mut are_there = vec![false; self.runs.len()];
        for run in self.original.runs.all() {
            let first = self.runs.partition_point(|(other, _)| other < run);
            if self.runs.get(first).is_some_and(|(other, _)| other == run) {
                are_there[first] = true;
            }
        }
        let mut first = 0;
        for same in self.runs.chunk_by(|one, other| one.0 == other.0) {
            if are_there[first] {
                self.found.leaks.extend(same.iter().map(|(_, spot)| (Leak::Run, *spot)));
            }
            first += same.len();
        }
    }

    /// Names of several common words.
    fn phrases(&mut self, spot: Spot) {
        for (at, first) in self.reading.hashes.iter().enumerate() {
            if !self.corpus.may_begin(*first) {
                continue;
            }
            for words in 2..=SEQUENCE_MAX {
                let Some(words) = self.reading.hashes.get(at..at + words) else { break };
                let hash = phrase(self.lexicon, words);
                if self.corpus.may_have_hash(hash) {
                    self.found.suspects.push(Suspect { hash, spot });
                }
            }
        }
    }

    fn bytes(&mut self, spot: Spot, bytes: &[u8], twin: Option<Piece<'_>>) {
        if bytes.len() >= BYTES_MIN && twin == Some(Piece::Bytes(bytes)) {
            self.found.leaks.push((Leak::InPlace, spot));
        }
        self.words(spot, bytes, WORD_IN_COPY_MIN);
        self.runs(spot);
    }
}

impl Visitor for Scan<'_> {
    fn piece(&mut self, spot: Spot, piece: Piece<'_>, twin: Option<Piece<'_>>) {
        match piece {
            Piece::Text(text) | Piece::Name(text) => {
                let twin = match twin {
                    Some(Piece::Text(twin) | Piece::Name(twin)) => Some(twin),
                    _ => None,
                };
                self.text(spot, text, twin);
            }
            Piece::Bytes(bytes) => self.bytes(spot, bytes, twin),
            Piece::Id(id) => {
                let hash = self.lexicon.hash_folded(hex(&id).as_bytes());
                if self.corpus.may_have_hash(hash) {
                    self.found.suspects.push(Suspect { hash, spot });
                }
            }
        }
    }
}

//! The leak scan of one document: what of the source stands in the copy.
//!
//! Three rules. No two neighbouring words stand unchanged at their place; no run of four words of
//! the source document recurs anywhere in the copy; no name, id or uncommon word of the whole source
//! recurs at all. The third is decided when everything was read: see [`Suspect`].

use std::collections::BTreeSet;

use super::corpus::Corpus;
use super::lexicon::{Lexicon, WordHash};
use super::names::SEQUENCE_MAX;
use super::policy::Policy;
use super::survey::phrase;
use super::walk::{Piece, Spot, Visitor, walk};
use super::words::{Word, each_word, is_same, words};
use crate::store::DiskError;
use reshelve_core::raw::{Document, hex};

/// Words in a run that must not recur.
const RUN: usize = 4;
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
    runs: Runs,
}

/// What a scan of a document found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) leaks: Vec<(Leak, Spot)>,
    pub(super) suspects: Vec<Suspect>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(policy: &'a Policy, lexicon: &'a Lexicon, corpus: &'a Corpus) -> Scanner<'a> {
        Scanner { policy, lexicon, corpus, runs: Runs::default() }
    }

    /// Compares a copy with its original. Without one, only the third rule can be looked at.
    pub(super) fn scan(&mut self, copy: Document<'_>, original: Option<Document<'_>>) -> Found {
        self.runs.clear();
        if let Some(original) = original {
            let mut collecting =
                Collecting { lexicon: self.lexicon, runs: &mut self.runs, hashes: Vec::new() };
            walk(self.policy, original, None, &mut collecting);
            self.runs.index();
        }
        let (lexicon, corpus, runs) = (self.lexicon, self.corpus, &self.runs);
        let mut scan = Scan { lexicon, corpus, runs, hashes: Vec::new(), found: Found::default() };
        walk(self.policy, copy, original, &mut scan);
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

/// Takes the runs of the original.
struct Collecting<'s> {
    lexicon: &'s Lexicon,
    runs: &'s mut Runs,
    hashes: Vec<u64>,
}

impl Visitor for Collecting<'_> {
    fn piece(&mut self, _: Spot, piece: Piece<'_>, _: Option<Piece<'_>>) {
        let (Piece::Text(text) | Piece::Name(text)) = piece else { return };
        self.hashes.clear();
        each_word(text, |word| self.hashes.push(half(self.lexicon.hash(word.of(text)))));
        self.runs.all.extend(self.hashes.windows(RUN).map(run));
    }
}

fn half(hash: WordHash) -> u64 {
    u64::try_from(hash & u128::from(u64::MAX)).unwrap_or(0)
}

/// The hash of a run of words; never 0.
fn run(words: &[u64]) -> u64 {
    let mixed = words.iter().fold(0x9E37_79B9_7F4A_7C15_u64, |run, word| {
        (run.rotate_left(23) ^ word).wrapping_mul(0xD6E8_FEB8_6659_FD93)
    });
    (mixed ^ (mixed >> 32)) | 1
}

/// The runs of words of a document: a table with open addressing, twice as large as it has to be.
#[derive(Default)]
struct Runs {
    all: Vec<u64>,
    table: Vec<u64>,
}

/// Above this many entries the table's memory is given back: it was for one large document.
const TABLE_KEPT_MAX: usize = 1 << 20;

impl Runs {
    fn clear(&mut self) {
        self.all.clear();
        if self.table.len() > TABLE_KEPT_MAX {
            *self = Runs::default();
        }
        self.table.clear();
    }

    fn index(&mut self) {
        self.table.resize((self.all.len() * 2).next_power_of_two(), 0);
        for index in 0..self.all.len() {
            let run = self.all[index];
            let mut at = self.place(run);
            while self.table[at] != 0 && self.table[at] != run {
                at = (at + 1) & (self.table.len() - 1);
            }
            self.table[at] = run;
        }
    }

    fn place(&self, run: u64) -> usize {
        usize::try_from(run >> 8).unwrap_or(0) & (self.table.len() - 1)
    }

    fn has(&self, run: u64) -> bool {
        if self.table.is_empty() {
            return false;
        }
        let mut at = self.place(run);
        loop {
            match self.table[at] {
                0 => return false,
                found if found == run => return true,
                _ => at = (at + 1) & (self.table.len() - 1),
            }
        }
    }
}

/// A copy that is being scanned.
struct Scan<'s> {
    lexicon: &'s Lexicon,
    corpus: &'s Corpus,
    runs: &'s Runs,
    hashes: Vec<WordHash>,
    found: Found,
}

impl Scan<'_> {
    fn text(&mut self, spot: Spot, text: &[u8], twin: Option<&[u8]>) {
        let words = words(text);
        self.words(spot, text, &words, 0);
        if let Some(twin) = twin {
            let mut unchanged = 0;
            let mut index = 0;
            each_word(twin, |word| {
                let is_unchanged =
                    words.get(index).is_some_and(|copy| is_same(copy.of(text), word.of(twin)));
                index += 1;
                unchanged = if is_unchanged { unchanged + 1 } else { 0 };
                if unchanged == 2 {
                    self.found.leaks.push((Leak::InPlace, spot));
                }
            });
        }
        self.runs(spot);
        self.phrases(spot);
    }

    /// The words of a text, and those of at least that length which are suspects.
    fn words(&mut self, spot: Spot, text: &[u8], words: &[Word], length_min: usize) {
        self.hashes.clear();
        for word in words {
            let word = word.of(text);
            let hash = self.lexicon.hash(word);
            self.hashes.push(hash);
            if word.len() >= length_min && self.corpus.may_have(self.lexicon, word, hash) {
                self.found.suspects.push(Suspect { hash, spot });
            }
        }
    }

    /// Runs of these words that the original has.
    fn runs(&mut self, spot: Spot) {
        let halves: Vec<u64> = self.hashes.iter().map(|hash| half(*hash)).collect();
        if halves.windows(RUN).any(|words| self.runs.has(run(words))) {
            self.found.leaks.push((Leak::Run, spot));
        }
    }

    /// Names of several common words.
    fn phrases(&mut self, spot: Spot) {
        for (at, first) in self.hashes.iter().enumerate() {
            if !self.corpus.may_begin(*first) {
                continue;
            }
            for words in 2..=SEQUENCE_MAX {
                let Some(words) = self.hashes.get(at..at + words) else { break };
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
        self.words(spot, bytes, &words(bytes), WORD_IN_COPY_MIN);
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

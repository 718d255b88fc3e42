//! The leak scan of one document: what of the source stands in the copy.
//!
//! Three rules. No two neighbouring words stand unchanged at their place; no run of four words of
//! the source document recurs anywhere in the copy; no name, id or uncommon word of the whole source
//! recurs at all. The third is decided when everything was read: see [`Suspect`].

use std::collections::BTreeSet;

use super::corpus::{Asked, Corpus, Presence};
use super::names::SEQUENCE_MAX;
use super::policy::Policy;
use super::survey::phrase;
use super::walk::{Piece, Spot, Visitor, walk};
use crate::store::DiskError;
use reshelve_core::raw::{Document, hex};
use reshelve_words::{Lexicon, RUN, Reading, WordHash, run};

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
    reading: Reading,
    there: Vec<usize>,
    asked: Asked,
}

/// What a scan of a document found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) leaks: Vec<(Leak, Spot)>,
    pub(super) suspects: Vec<Suspect>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(policy: &'a Policy, lexicon: &'a Lexicon, corpus: &'a Corpus) -> Scanner<'a> {
        let (reading, there) = (Reading::default(), Vec::new());
        Scanner { policy, lexicon, corpus, reading, there, asked: Asked::default() }
    }

    /// Compares a copy with its original. Without one, only the third rule can be looked at.
    pub(super) fn scan(&mut self, copy: Document<'_>, original: Option<Document<'_>>) -> Found {
        let mut scan = Scan {
            lexicon: self.lexicon,
            corpus: self.corpus,
            reading: &mut self.reading,
            there: &mut self.there,
            asked: &mut self.asked,
            runs: Vec::new(),
            found: Found::default(),
        };
        walk(self.policy, copy, original, &mut scan);
        if let Some(original) = original {
            scan.find_runs(self.policy, original);
        }
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

/// Looks for runs of words in the original.
struct Finding<'s> {
    lexicon: &'s Lexicon,
    /// The words of the text that is looked at.
    hashes: Vec<WordHash>,
    /// The runs that are looked for, sorted.
    wanted: &'s [(u64, Spot)],
    /// Whether the original has the first of those that are the same.
    are_there: Vec<bool>,
}

impl Visitor for Finding<'_> {
    fn piece(&mut self, _: Spot, piece: Piece<'_>, _: Option<Piece<'_>>) {
        let (Piece::Text(text) | Piece::Name(text)) = piece else { return };
        self.hashes.clear();
        self.lexicon.hashes(text, &mut self.hashes);
        for run in self.hashes.windows(RUN).map(run) {
            let first = self.wanted.partition_point(|(other, _)| *other < run);
            if self.wanted.get(first).is_some_and(|(other, _)| *other == run) {
                self.are_there[first] = true;
            }
        }
    }
}

/// A copy that is being scanned.
struct Scan<'s> {
    lexicon: &'s Lexicon,
    corpus: &'s Corpus,
    /// The text that is looked at.
    reading: &'s mut Reading,
    /// The places of those of its words that the source may have. Most words of a copy are our own,
    /// and the first reading has shown that the source has no such word: what goes by several words
    /// looks at the original only where these may all be there.
    there: &'s mut Vec<usize>,
    asked: &'s mut Asked,
    /// Runs of the copy that may be in the original.
    runs: Vec<(u64, Spot)>,
    found: Found,
}

impl Scan<'_> {
    fn text(&mut self, spot: Spot, text: &[u8], twin: Option<&[u8]>) {
        self.words(spot, text, 0);
        let is_pair = |pair: &[usize]| pair[1] == pair[0] + 1;
        if let Some(twin) = twin.filter(|_| self.there.windows(2).any(is_pair)) {
            self.in_place(spot, twin);
        }
        self.runs(spot);
        self.phrases(spot);
    }

    /// Neighbouring words that are as they were.
    fn in_place(&mut self, spot: Spot, twin: &[u8]) {
        let mut words = Vec::new();
        self.lexicon.hashes(twin, &mut words);
        let mut unchanged = 0;
        for (one, other) in words.iter().zip(&self.reading.hashes) {
            unchanged = if one == other { unchanged + 1 } else { 0 };
            if unchanged == 2 {
                self.found.leaks.push((Leak::InPlace, spot));
            }
        }
    }

    /// The words of a text, and those of at least that length which are suspects.
    fn words(&mut self, spot: Spot, text: &[u8], length_min: usize) {
        self.lexicon.read(text, self.reading);
        self.lexicon.sift(self.reading, self.corpus.absent(), self.there);
        let Reading { words, hashes } = &*self.reading;
        let (lexicon, corpus, asked) = (self.lexicon, self.corpus, &mut *self.asked);
        let suspects = &mut self.found.suspects;
        self.there.retain(|&at| {
            let (word, hash) = (words[at].of(text), hashes[at]);
            let presence = corpus.presence(lexicon, word, hash, asked);
            if presence == Presence::Telling && word.len() >= length_min {
                suspects.push(Suspect { hash, spot });
            }
            presence != Presence::Absent
        });
    }

    /// Runs of these words that the original may have.
    fn runs(&mut self, spot: Spot) {
        for places in self.there.windows(RUN) {
            let (first, last) = (places[0], places[RUN - 1]);
            if last - first == RUN - 1 {
                self.runs.push((run(&self.reading.hashes[first..=last]), spot));
            }
        }
    }

    /// Which of these runs the original has: it is read once for all of them.
    fn find_runs(&mut self, policy: &Policy, original: Document<'_>) {
        if self.runs.is_empty() {
            return;
        }
        self.runs.sort_unstable_by_key(|(run, _)| *run);
        let mut finding = Finding {
            lexicon: self.lexicon,
            hashes: Vec::new(),
            wanted: &self.runs,
            are_there: vec![false; self.runs.len()],
        };
        walk(policy, original, None, &mut finding);
        let are_there = finding.are_there;
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
        for &at in &*self.there {
            if !self.corpus.may_begin(self.reading.hashes[at]) {
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

//! What one document of the source adds to what is known of the whole: paths that the policy does
//! not know, and what could recur in a copy.

use std::collections::BTreeSet;

use super::corpus::Trace;
use super::names::SEQUENCE_MAX;
use super::policy::{NodeId, Policy};
use super::rewrite::job_of;
use super::rule::Class;
use super::walk::{Piece, Spot, Visitor, walk};
use reshelve_core::raw::{Document, hex};
use reshelve_words::{Lexicon, Listed, Reading, WordHash, is_short, words};

/// Words that were seen lately are not given again: most words of a novel are among them.
const RECENT: usize = 1 << 13;
/// A run of letters in a binary is a word if it is at least this long: shorter ones come about by
/// chance.
pub(super) const WORD_IN_BYTES_MIN: usize = 5;
/// Unknown paths that are told apart.
pub const UNKNOWN_PATHS_MAX: usize = 1_000;
/// How long an unknown path may be, in bytes.
const PATH_BYTES_MAX: usize = 1_024;

/// Looks at documents, one after the other.
pub(super) struct Surveyor<'a> {
    policy: &'a Policy,
    lexicon: &'a Lexicon,
    recent: Vec<WordHash>,
    /// The text that is looked at.
    reading: Reading,
    /// What was found since it was last taken.
    pub(super) traces: Vec<Trace>,
    /// The paths that the policy does not know.
    pub(super) unknown: BTreeSet<String>,
}

impl<'a> Surveyor<'a> {
    pub(super) fn new(policy: &'a Policy, lexicon: &'a Lexicon) -> Surveyor<'a> {
        Surveyor {
            policy,
            lexicon,
            recent: vec![0; RECENT],
            reading: Reading::default(),
            traces: Vec::new(),
            unknown: BTreeSet::new(),
        }
    }

    /// Looks at a document.
    pub(super) fn look(&mut self, document: Document<'_>) {
        let job = self.lexicon.hash_folded(&job_of(document));
        self.traces.push(Trace::Job(job));
        walk(self.policy, document, None, self);
    }

    /// The words of a text that are at least that long.
    fn text(&mut self, text: &[u8], length_min: usize) {
        let mut reading = std::mem::take(&mut self.reading);
        self.lexicon.read(text, &mut reading);
        for (word, hash) in reading.words.iter().zip(&reading.hashes) {
            if word.len() >= length_min {
                self.word(word.of(text), *hash, false);
            }
        }
        self.reading = reading;
    }

    fn word(&mut self, word: &[u8], hash: WordHash, is_name: bool) {
        if let Some(recent) = self.recent.get_mut(place(hash)) {
            if *recent == hash && !is_name {
                return;
            }
            *recent = hash;
        }
        if is_short(word) {
            return;
        }
        self.traces.push(match self.lexicon.listed(hash) {
            Some(Listed::Common) => return,
            Some(Listed::Own(number)) if is_name => Trace::OwnName(number),
            Some(Listed::Own(number)) => Trace::Own(number),
            None => Trace::Word(hash),
        });
    }

    /// A name: its words, or, where all of them are common, all of it.
    fn name(&mut self, name: &[u8]) {
        let words = words(name);
        for word in &words {
            let word = word.of(name);
            self.word(word, self.lexicon.hash(word), true);
        }
        let is_common = |word: &[u8]| self.lexicon.is_common(word, self.lexicon.hash(word));
        if (2..=SEQUENCE_MAX).contains(&words.len())
            && words.iter().all(|word| is_common(word.of(name)))
        {
            let hashes: Vec<WordHash> =
                words.iter().map(|word| self.lexicon.hash(word.of(name))).collect();
            self.traces.push(Trace::Phrase(hashes[0], phrase(self.lexicon, &hashes)));
        }
    }
}

/// The hash of several words, one after the other.
pub(super) fn phrase(lexicon: &Lexicon, words: &[WordHash]) -> WordHash {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    lexicon.hash_folded(&bytes)
}

fn place(hash: WordHash) -> usize {
    usize::try_from(hash >> 64).unwrap_or(0) % RECENT
}

impl Visitor for Surveyor<'_> {
    fn unknown(&mut self, above: NodeId, name: Option<&[u8]>) {
        if self.unknown.len() >= UNKNOWN_PATHS_MAX {
            return;
        }
        let above = self.policy.path(above);
        let mut path = match name {
            None => format!("{above}[]"),
            Some(name) if above.is_empty() => String::from_utf8_lossy(name).into_owned(),
            Some(name) => format!("{above}.{}", String::from_utf8_lossy(name)),
        };
        path.truncate(path.floor_char_boundary(PATH_BYTES_MAX));
        self.unknown.insert(path);
    }

    fn piece(&mut self, spot: Spot, piece: Piece<'_>, _: Option<Piece<'_>>) {
        match piece {
            Piece::Name(name) if self.policy.class(spot.node()) == Some(Class::Name) => {
                self.name(name)
            }
            Piece::Text(text) | Piece::Name(text) => self.text(text, 0),
            Piece::Bytes(bytes) => self.text(bytes, WORD_IN_BYTES_MIN),
            Piece::Id(id) => {
                let id = hex(&id);
                self.word(id.as_bytes(), self.lexicon.hash(id.as_bytes()), false);
            }
        }
    }
}

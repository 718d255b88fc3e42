//! What the words and ids of the whole source are: hashes, in a filter of fixed size for drawing,
//! and sorted on disk for the last word.

use crate::store::{DiskError, Scratch, Sorted, Sorter};
use reshelve_words::{LENGTH_MAX, Lexicon, Listed, WordHash, is_short};

/// Bits of the filter: 32 MiB. With 40 million words and ids it takes 4 in 100 for one of them.
const FILTER_BITS: usize = 1 << 28;
/// One bit in so many is set, in a corpus that is not too large for it: it takes 1 word in a million
/// for one of the source.
const SPARSE: usize = 32;
/// Bits that are read from memory at once.
const LINE_BITS: usize = 512;
/// Hashes that are sorted in memory: 16 MiB of them.
const HELD_MAX: usize = 1 << 20;
/// One in this many of our own words of a length may be blocked because the source has it; with
/// more, only those are blocked that are part of a name.
const BLOCKED_SHARE: usize = 2;

/// Tells for certain that a hash is not there; what it takes for there is nearly always there.
/// What it answers depends on the hashes alone, not on their order.
struct Filter(Vec<u64>);

impl Filter {
    /// Four bits, all of them in one line of the processor's caches: that of a large corpus is much
    /// larger than these, and each line that is read takes as long as everything else about a word.
    fn places(&self, hash: WordHash) -> impl Iterator<Item = (usize, u64)> + use<> {
        let lines = (self.0.len() / (LINE_BITS / 64)).max(1);
        let line = usize::try_from(hash >> 64).unwrap_or_default() % lines;
        (0..4).map(move |part| {
            let within = usize::try_from(hash >> (16 * part) & 0xFFFF).unwrap_or(0) % LINE_BITS;
            (line * (LINE_BITS / 64) + within / 64, 1 << (within % 64))
        })
    }

    fn add(&mut self, hash: WordHash) {
        for (at, bit) in self.places(hash) {
            if let Some(word) = self.0.get_mut(at) {
                *word |= bit;
            }
        }
    }

    fn has(&self, hash: WordHash) -> bool {
        self.places(hash).all(|(at, bit)| self.0.get(at).is_some_and(|word| word & bit != 0))
    }

    /// The same filter, no larger than it has to be: a small one stays in the processor's caches. How
    /// large that is depends on the hashes that it has, and not on how often each was added: what is
    /// drawn depends on what the filter takes for there.
    fn folded(mut self) -> Filter {
        let bits: usize =
            self.0.iter().map(|word| usize::try_from(word.count_ones()).unwrap_or(0)).sum();
        let wanted = (bits.saturating_mul(SPARSE)).max(LINE_BITS) / 64;
        // The lines of both halves are as many as the places of a hash in one half.
        while self.0.len() / 2 >= wanted {
            let half = self.0.len() / 2;
            let (lower, upper) = self.0.split_at_mut(half);
            lower.iter_mut().zip(upper).for_each(|(word, upper)| *word |= *upper);
            self.0.truncate(half);
        }
        self.0.shrink_to_fit();
        self
    }
}

/// Something of one document that the corpus keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Trace {
    /// A word that is not common.
    Word(WordHash),
    /// One of our own words that the source has too.
    Own(usize),
    /// The same as a part of a name.
    OwnName(usize),
    /// A name of several common words, and its first word.
    Phrase(WordHash, WordHash),
    /// The id of a job.
    Job(WordHash),
}

/// The corpus while it is being collected.
pub(super) struct Collecting {
    filter: Filter,
    words: Sorter<16>,
    jobs: Sorter<16>,
    starts: Vec<u64>,
    own: Vec<bool>,
    own_names: Vec<bool>,
}

impl Collecting {
    pub(super) fn new(scratch: &Scratch, lexicon: &Lexicon) -> Collecting {
        Collecting {
            filter: Filter(vec![0; FILTER_BITS / 64]),
            words: Sorter::new(scratch, HELD_MAX),
            jobs: Sorter::new(scratch, HELD_MAX),
            starts: vec![0; STARTS / 64],
            own: vec![false; lexicon.own_count()],
            own_names: vec![false; lexicon.own_count()],
        }
    }

    pub(super) fn add(&mut self, lexicon: &Lexicon, trace: Trace) -> Result<(), DiskError> {
        let mut mark = |number: usize, is_name: bool| -> Result<(), DiskError> {
            let marks = if is_name { &mut self.own_names } else { &mut self.own };
            if let Some(known) = marks.get_mut(number).filter(|known| !**known) {
                *known = true;
                let hash = lexicon.hash(lexicon.own(number));
                self.filter.add(hash);
                self.words.add(hash.to_be_bytes())?;
            }
            Ok(())
        };
        match trace {
            Trace::Own(number) => mark(number, false),
            Trace::OwnName(number) => {
                mark(number, false)?;
                mark(number, true)
            }
            Trace::Word(hash) => {
                self.filter.add(hash);
                self.words.add(hash.to_be_bytes())
            }
            Trace::Phrase(first, hash) => {
                let (at, bit) = start(first);
                self.starts[at] |= bit;
                self.filter.add(hash);
                self.words.add(hash.to_be_bytes())
            }
            Trace::Job(hash) => self.jobs.add(hash.to_be_bytes()),
        }
    }

    pub(super) fn finish(self, lexicon: &Lexicon) -> Result<Corpus, DiskError> {
        let enough = (1..=LENGTH_MAX).all(|length| {
            let range = lexicon.of_length(length);
            let blocked = self.own[range.clone()].iter().filter(|blocked| **blocked).count();
            length == 1 || blocked * BLOCKED_SHARE <= range.len()
        });
        let words = self.words.finish()?;
        Ok(Corpus {
            filter: self.filter.folded(),
            words,
            jobs: self.jobs.finish()?,
            starts: self.starts,
            absent: self.own.iter().map(|is_there| !is_there).collect(),
            blocked: if enough { self.own } else { self.own_names },
        })
    }
}

/// Classes of hashes that the first words of phrases are told apart by.
const STARTS: usize = 1 << 16;

fn start(first: WordHash) -> (usize, u64) {
    let class = usize::try_from(first & 0xFFFF).unwrap_or(0);
    (class / 64, 1 << (class % 64))
}

/// The words and ids of the source.
pub(super) struct Corpus {
    filter: Filter,
    words: Sorted<16>,
    jobs: Sorted<16>,
    starts: Vec<u64>,
    /// For each of our own words, whether the source does not have it.
    absent: Vec<bool>,
    /// For each of our own words, whether it is not drawn.
    blocked: Vec<bool>,
}

/// Answers that are remembered.
const ASKED: usize = 1 << 10;

/// What the filter answered lately. That of a large corpus does not fit the processor's caches, and a
/// copy says the same names over and over.
pub(super) struct Asked(Vec<(WordHash, bool)>);

impl Default for Asked {
    fn default() -> Self {
        // An answer that is never wrong, should a word ever have that hash.
        Asked(vec![(WordHash::MAX, true); ASKED])
    }
}

impl Asked {
    fn lately(&mut self, filter: &Filter, hash: WordHash) -> bool {
        let place = usize::try_from(hash >> 64).unwrap_or(0) % ASKED;
        match self.0.get_mut(place) {
            Some((known, answer)) if *known == hash => *answer,
            Some(kept) => {
                *kept = (hash, filter.has(hash));
                kept.1
            }
            None => filter.has(hash),
        }
    }
}

/// What the source may have of a word. Nearly always right where it may be there, always where it
/// is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is not there.
    Absent,
    /// It may be there, and says nothing.
    Common,
    /// It may be there, and would say something.
    Telling,
}

impl Corpus {
    /// For each of our own words, whether it is not to be drawn.
    pub(super) fn blocked(&self) -> &[bool] {
        &self.blocked
    }

    /// For each of our own words, whether the source does not have it.
    pub(super) fn absent(&self) -> &[bool] {
        &self.absent
    }

    fn is_absent(&self, number: usize) -> bool {
        self.absent.get(number).copied().unwrap_or(true)
    }

    /// Whether one of our own words is not to be drawn.
    fn is_blocked(&self, number: usize) -> bool {
        self.blocked.get(number).copied().unwrap_or(false)
    }

    /// What the source may have of a word, where `asked` remembers what the filter said lately.
    pub(super) fn presence(
        &self,
        lexicon: &Lexicon,
        word: &[u8],
        hash: WordHash,
        asked: &mut Asked,
    ) -> Presence {
        self.presence_by(lexicon, word, hash, || asked.lately(&self.filter, hash))
    }

    /// Whether a word of a copy may be one of the source that says something.
    pub(super) fn may_have(&self, lexicon: &Lexicon, word: &[u8], hash: WordHash) -> bool {
        self.presence_by(lexicon, word, hash, || self.filter.has(hash)) == Presence::Telling
    }

    /// What the source may have of a word; the filter is asked only of words that are in no list.
    fn presence_by(
        &self,
        lexicon: &Lexicon,
        word: &[u8],
        hash: WordHash,
        is_in_the_filter: impl FnOnce() -> bool,
    ) -> Presence {
        if is_short(word) {
            return Presence::Common;
        }
        let is_there = |is_there: bool, how| if is_there { how } else { Presence::Absent };
        match lexicon.listed(hash) {
            Some(Listed::Common) => Presence::Common,
            Some(Listed::Own(number)) if self.is_blocked(number) => Presence::Telling,
            Some(Listed::Own(number)) => is_there(!self.is_absent(number), Presence::Common),
            None => is_there(is_in_the_filter(), Presence::Telling),
        }
    }

    /// Whether the source may have the id of a job, a document or a part of one, or a phrase.
    pub(super) fn may_have_hash(&self, hash: WordHash) -> bool {
        self.filter.has(hash)
    }

    /// Whether a phrase may begin with that word.
    pub(super) fn may_begin(&self, first: WordHash) -> bool {
        let (at, bit) = start(first);
        self.starts[at] & bit != 0
    }

    /// Whether the source has that word or id, for certain.
    pub(super) fn has(&self, hash: WordHash) -> Result<bool, DiskError> {
        Ok(self.words.get(&hash.to_be_bytes())?.is_some())
    }

    /// Whether that is the id of a job of the source.
    pub(super) fn has_job(&self, hash: WordHash) -> Result<bool, DiskError> {
        Ok(self.jobs.get(&hash.to_be_bytes())?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(traces: &[Trace], lexicon: &Lexicon) -> Corpus {
        let folder = tempfile::tempdir().unwrap();
        let mut collecting = Collecting::new(&Scratch::from(folder.path()), lexicon);
        for trace in traces {
            collecting.add(lexicon, *trace).unwrap();
        }
        collecting.finish(lexicon).unwrap()
    }

    #[test]
    fn words_of_the_source_are_known_and_others_are_not() {
        let lexicon = Lexicon::new(9);
        let hash = |word: &str| lexicon.hash(word.as_bytes());
        let corpus = collected(&[Trace::Word(hash("lantern")), Trace::Job(hash("job"))], &lexicon);
        let may_have = |word: &str| corpus.may_have(&lexicon, word.as_bytes(), hash(word));
        assert!(may_have("Lantern") && !may_have("harbor") && !may_have("the"));
        assert!(corpus.has(hash("lantern")).unwrap() && !corpus.has(hash("harbor")).unwrap());
        assert!(corpus.has_job(hash("job")).unwrap() && !corpus.has_job(hash("lantern")).unwrap());
    }

    #[test]
    fn a_filter_that_was_folded_knows_what_it_knew() {
        let lexicon = Lexicon::new(9);
        let hash = |number: usize| lexicon.hash(format!("word{number}").as_bytes());
        let mut filter = Filter(vec![0; FILTER_BITS / 64]);
        // How often each was added, and in which order, makes no other filter.
        (0..5_000).chain((0..900).rev()).for_each(|number| filter.add(hash(number)));
        let mut once = Filter(vec![0; FILTER_BITS / 64]);
        (0..5_000).for_each(|number| once.add(hash(number)));
        let filter = filter.folded();
        assert!(filter.0 == once.folded().0);
        assert_eq!(filter.0.len() * 64, 1 << 20, "20 000 bits, 32 times, and up to a power of two");
        assert!((0..5_000).all(|number| filter.has(hash(number))));
        let wrong = (5_000..105_000).filter(|number| filter.has(hash(*number))).count();
        assert!(wrong < 5, "{wrong}");
        assert_eq!(Filter(vec![0; 64]).folded().0.len(), LINE_BITS / 64);
    }

    #[test]
    fn our_own_words_are_blocked_while_enough_are_left() {
        let lexicon = Lexicon::new(9);
        let of_five: Vec<usize> = lexicon.of_length(5).collect();
        let few: Vec<Trace> = of_five[..9].iter().map(|number| Trace::Own(*number)).collect();
        let corpus = collected(&few, &lexicon);
        assert!(corpus.is_blocked(of_five[0]) && !corpus.is_blocked(of_five[9]));
        assert!(corpus.has(lexicon.hash(lexicon.own(of_five[0]))).unwrap());

        let mut many: Vec<Trace> = of_five.iter().map(|number| Trace::Own(*number)).collect();
        many.push(Trace::OwnName(of_five[3]));
        let corpus = collected(&many, &lexicon);
        let blocked: Vec<usize> =
            of_five.iter().copied().filter(|number| corpus.is_blocked(*number)).collect();
        assert_eq!(blocked, [of_five[3]], "names are blocked in any case");
    }
}

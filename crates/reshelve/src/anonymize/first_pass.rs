//! The first reading: what is in the source that the policy does not know, which words and ids it
//! has, and, for a sample, which documents are chosen.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use super::corpus::{Collecting, Corpus};
use super::error::AnonymizeError;
use super::key::Key;
use super::policy::Policy;
use super::readable::Read;
use super::sample::{Sample, Stratum};
use super::spool::{Spool, Spooled};
use super::survey::Surveyor;
use crate::ends::{ContentHash, Source, content_hash};
use crate::pass::{Original, Round, in_parallel_while};
use crate::store::{DiskError, Scratch};
use reshelve_core::mapping::{Mapper, Options, TargetDocuments};
use reshelve_core::raw::Document;
use reshelve_words::Lexicon;

/// What both readings are asked.
#[derive(Clone)]
pub struct Reading<'r> {
    /// Which rules apply.
    pub policy: &'r Policy,
    /// What the mapping decides, for the comparison of both sides and for a sample.
    pub options: Options,
    /// How many threads work.
    pub threads: usize,
    /// Where files without a name are made.
    pub scratch: Scratch,
    /// Set from outside: ends the reading.
    pub stop: &'r AtomicBool,
}

/// What the first reading found.
pub struct FirstPass {
    pub(super) lexicon: Lexicon,
    pub(super) corpus: Corpus,
    /// Documents of the source.
    pub documents: u64,
    /// The running hash of its documents.
    pub(super) hash: ContentHash,
    /// The positions that were chosen, if it is a sample.
    pub(super) chosen: Option<BTreeSet<u64>>,
    /// Paths that the policy does not know.
    pub unknown: Vec<String>,
    /// The documents, where the source can be read only once.
    spooled: Option<Spooled>,
}

impl FirstPass {
    /// The documents once more, where the source can be read only once.
    pub fn take_spooled(&mut self) -> Option<Box<dyn Source>> {
        let spooled = self.spooled.take()?;
        Some(Box::new(spooled))
    }
}

/// The next value of the running hash, after a document with that hash of its own.
pub(super) fn running(hash: ContentHash, document: ContentHash) -> ContentHash {
    content_hash(&[hash, document].concat())
}

/// The hashes in files without a name depend on the key, as everything does; a scan has none.
fn seed(key: Option<&Key>) -> u64 {
    key.map_or(0x7265_7368_656C_7665, |key| u64::from_le_bytes(key.draw("seed", &[]).bytes()))
}

struct Worker<'a> {
    surveyor: Surveyor<'a>,
    mapper: Mapper,
    target: TargetDocuments,
    bson: Vec<u8>,
}

/// What a copy needs of the first reading beside the words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// How many documents are chosen; none for all.
    pub sample: Option<usize>,
    /// Whether the documents are kept, because the source can be read only once.
    pub spool: bool,
}

/// Reads a source to its end. `tell` hears how many documents were read, and how much of the file.
///
/// # Errors
/// If the source cannot be read, or the file system refuses.
pub fn first_pass(
    source: &mut dyn Source,
    key: Option<&Key>,
    reading: &Reading<'_>,
    wanted: Wanted,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<FirstPass, AnonymizeError> {
    let lexicon = Lexicon::new(seed(key));
    let mut spooling = if wanted.spool { Some(Spooling::new(&reading.scratch)?) } else { None };
    let mut collecting = Collecting::new(&reading.scratch, &lexicon);
    let mut sample = match (wanted.sample, key) {
        (Some(size), Some(key)) => Some(Sample::new(size, key)),
        _ => None,
    };
    let mut workers = workers(reading, &lexicon);
    let (mut documents, mut hash) = (0_u64, ContentHash::default());
    let (mut round, mut next_round) = (Round::default(), Round::default());
    let mut is_more = round.read(source, reading.stop)?;
    while is_more {
        let originals = round.documents();
        let bytes_read = source.bytes_read();
        let is_sample = sample.is_some();
        let look = |worker: &mut Worker<'_>, original: &Original<'_>| {
            (content_hash(original.bytes), worker.look(original, is_sample))
        };
        let (looked, is_more_then) = in_parallel_while(&mut workers, &originals, look, || {
            next_round.read(source, reading.stop)
        });
        for (original, (of_document, stratum)) in originals.iter().zip(looked) {
            hash = running(hash, of_document);
            if let (Some(sample), Some(stratum)) = (&mut sample, stratum) {
                sample.add(documents, stratum);
            }
            if let Some(spooling) = &mut spooling {
                spooling.add(original)?;
            }
            documents += 1;
        }
        for worker in &mut workers {
            for trace in worker.surveyor.traces.drain(..) {
                collecting.add(&lexicon, trace)?;
            }
        }
        is_more = is_more_then?;
        std::mem::swap(&mut round, &mut next_round);
        tell(documents, bytes_read);
    }
    let unknown: BTreeSet<String> = workers
        .iter_mut()
        .flat_map(|worker| std::mem::take(&mut worker.surveyor.unknown))
        .collect();
    drop(workers);
    Ok(FirstPass {
        corpus: collecting.finish(&lexicon)?,
        lexicon,
        documents,
        hash,
        chosen: sample.map(Sample::choose),
        unknown: unknown.into_iter().collect(),
        spooled: spooling.map(Spooling::finish).transpose()?.flatten(),
    })
}

/// Keeps the documents of a source that can be read only once, encrypted with a key that nobody
/// else has.
struct Spooling<'s> {
    scratch: &'s Scratch,
    key: Key,
    /// None before the first document.
    spool: Option<Spool>,
}

impl<'s> Spooling<'s> {
    fn new(scratch: &'s Scratch) -> Result<Spooling<'s>, AnonymizeError> {
        let key = Key::random().map_err(|error| AnonymizeError::Random(error.to_string()))?;
        Ok(Spooling { scratch, key, spool: None })
    }

    fn add(&mut self, original: &Original<'_>) -> Result<(), DiskError> {
        let spool = match &mut self.spool {
            Some(spool) => spool,
            None => self.spool.insert(Spool::new(self.scratch, &self.key, original.form)?),
        };
        spool.add(original.bytes)
    }

    fn finish(self) -> Result<Option<Spooled>, DiskError> {
        self.spool.map(|spool| spool.finish(&self.key)).transpose()
    }
}

/// A worker for each thread.
fn workers<'a>(reading: &Reading<'a>, lexicon: &'a Lexicon) -> Vec<Worker<'a>> {
    let worker = || Worker {
        surveyor: Surveyor::new(reading.policy, lexicon),
        mapper: Mapper::new(reading.options),
        target: TargetDocuments::default(),
        bson: Vec::new(),
    };
    (0..reading.threads.max(1)).map(|_| worker()).collect()
}

impl Worker<'_> {
    /// Looks at a document; for a sample, says what kind it is of.
    fn look(&mut self, original: &Original<'_>, is_sample: bool) -> Option<Stratum> {
        let mut bson = std::mem::take(&mut self.bson);
        let stratum = match Read::of(original, &mut bson) {
            Read::Bson(document) => {
                self.surveyor.look(Document::new(document));
                is_sample.then(|| {
                    self.target.clear();
                    let outcome = self.mapper.map(document, &mut self.target);
                    Stratum::of(Document::new(document), &outcome)
                })
            }
            Read::Malformed | Read::TooDeep => None,
        };
        self.bson = bson;
        stratum
    }
}

//! The second reading: each document becomes its copy, which is compared and scanned before it is
//! given on.

use std::collections::VecDeque;

use super::check::{Checker, Difference, are_sizes_alike};
use super::error::AnonymizeError;
use super::first_pass::{FirstPass, Reading, running};
use super::key::Key;
use super::pen::Pen;
use super::readable::Read;
use super::relationships;
use super::rewrite::{Rewriting, job_of};
use super::scan::{Leak, Scanner};
use crate::ends::{ContentHash, Source, content_hash};
use crate::pass::{Original, Round, id_text, in_parallel_while};
use reshelve_core::raw::Document;

/// How often a document is drawn.
pub const ATTEMPTS: u8 = 8;
/// Documents that are named because they were left out, or leak.
pub const NAMED_MAX: usize = 1_000;

/// Why a document is not in the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It cannot be read.
    Malformed,
    /// It nests too deep.
    TooDeep,
    /// No drawing of it was true to life.
    Unlike(Difference),
}

impl LeftOut {
    /// The word for it in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            LeftOut::Malformed => "malformed",
            LeftOut::TooDeep => "too-deep",
            LeftOut::Unlike(difference) => difference.as_str(),
        }
    }
}

/// How a copy is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Copying {
    /// Whether both sides are mapped and compared.
    pub check: bool,
    /// Whether the dates of all jobs are shifted alike.
    pub keep_order: bool,
}

/// Something of the source that was found in a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLeak {
    /// Which rule it breaks.
    pub leak: Leak,
    /// The job.
    pub job: String,
    /// The path, without any name that is data.
    pub path: String,
}

/// What a second reading, or a scan, found.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Documents that were read, or, for a sample, chosen.
    pub read: u64,
    /// Documents of the copy.
    pub written: u64,
    /// Bytes of the documents that were copied, as BSON.
    pub bytes_read: u64,
    /// Bytes of their copies.
    pub bytes_written: u64,
    /// How many documents were left out.
    pub left_out: u64,
    /// The first of them, and why.
    pub left_out_named: Vec<(String, LeftOut)>,
    /// How many leaks were found.
    pub leaks: u64,
    /// The first of them.
    pub leaks_named: Vec<FoundLeak>,
}

impl Summary {
    /// Whether more than one in a hundred documents was left out.
    pub fn is_too_much_left_out(&self) -> bool {
        self.left_out * 100 > self.read
    }

    pub(super) fn add_leak(&mut self, found: FoundLeak) {
        self.leaks += 1;
        if self.leaks_named.len() < NAMED_MAX {
            self.leaks_named.push(found);
        }
    }

    fn leave_out(&mut self, job: String, why: LeftOut) {
        self.left_out += 1;
        if self.left_out_named.len() < NAMED_MAX {
            self.left_out_named.push((job, why));
        }
    }
}

/// What the documents of a source are rewritten with.
pub(super) fn rewriting<'a>(
    key: &'a Key,
    (first, reading): (&'a FirstPass, &Reading<'a>),
    copying: Copying,
) -> Rewriting<'a> {
    let pen = Pen { lexicon: &first.lexicon, corpus: &first.corpus };
    Rewriting { key, policy: reading.policy, pen, keep_order: copying.keep_order }
}

/// What became of a document.
enum Copied {
    Copy { bytes: Vec<u8>, of: usize, leaks: Vec<FoundLeak> },
    LeftOut(String, LeftOut),
    Failed(AnonymizeError),
}

/// The copies of a source, in its order.
pub struct Copies<'a> {
    source: Box<dyn Source>,
    first: &'a FirstPass,
    reading: &'a Reading<'a>,
    workers: Vec<Worker<'a>>,
    /// The documents that are copied next; none before the first reading, and at the end.
    round: Option<Round>,
    is_begun: bool,
    /// Memory for those after them.
    next_round: Round,
    /// How much of the source was read for those that were copied.
    bytes_read: u64,
    ready: VecDeque<Vec<u8>>,
    position: u64,
    hash: ContentHash,
    summary: Summary,
}

impl<'a> Copies<'a> {
    /// Makes copies of the documents of a source that was read before.
    pub fn new(
        source: Box<dyn Source>,
        key: &'a Key,
        first: &'a FirstPass,
        reading: &'a Reading<'a>,
        copying: Copying,
    ) -> Copies<'a> {
        let rewriting = rewriting(key, (first, reading), copying);
        let worker = || Worker {
            rewriting,
            scanner: Scanner::new(reading.policy, &first.lexicon, &first.corpus),
            checker: copying.check.then(|| Checker::new(reading.options)),
            bson: Vec::new(),
        };
        Copies {
            source,
            first,
            reading,
            workers: (0..reading.threads.max(1)).map(|_| worker()).collect(),
            round: None,
            is_begun: false,
            next_round: Round::default(),
            bytes_read: 0,
            ready: VecDeque::new(),
            position: 0,
            hash: ContentHash::default(),
            summary: Summary::default(),
        }
    }

    /// Appends the next copy; `false` at the end.
    ///
    /// # Errors
    /// If the source cannot be read, or is not the one that was read before.
    pub fn append_next(&mut self, out: &mut Vec<u8>) -> Result<bool, AnonymizeError> {
        while self.ready.is_empty() {
            if !self.next_round()? {
                let is_same = self.hash == self.first.hash && self.position == self.first.documents;
                return if is_same { Ok(false) } else { Err(AnonymizeError::Changed) };
            }
        }
        if let Some(copy) = self.ready.pop_front() {
            out.extend_from_slice(&copy);
        }
        Ok(true)
    }

    fn next_round(&mut self) -> Result<bool, AnonymizeError> {
        let stop = self.reading.stop;
        if !std::mem::replace(&mut self.is_begun, true) {
            let mut first = Round::default();
            self.round = first.read(self.source.as_mut(), stop)?.then_some(first);
        }
        let Some(round) = self.round.take() else { return Ok(false) };
        let chosen = self.first.chosen.as_ref();
        let is_chosen = |position| chosen.is_none_or(|it| it.contains(&position));
        let tasks: Vec<(Original<'_>, bool)> = (self.position..)
            .zip(round.documents())
            .map(|(position, original)| (original, is_chosen(position)))
            .collect();
        let copy = |worker: &mut Worker<'_>, (original, is_chosen): &(Original<'_>, bool)| {
            let hash = content_hash(original.bytes);
            (hash, is_chosen.then(|| worker.copy(original)))
        };
        self.bytes_read = self.source.bytes_read();
        let (source, next_round) = (self.source.as_mut(), &mut self.next_round);
        let (done, is_more) =
            in_parallel_while(&mut self.workers, &tasks, copy, || next_round.read(source, stop));
        for (hash, copied) in done {
            self.hash = running(self.hash, hash);
            self.position += 1;
            let Some(copied) = copied else { continue };
            self.summary.read += 1;
            match copied {
                Copied::Failed(error) => return Err(error),
                Copied::LeftOut(job, why) => self.summary.leave_out(job, why),
                Copied::Copy { bytes, of, leaks } => {
                    self.summary.written += 1;
                    self.summary.bytes_read += u64::try_from(of).unwrap_or(0);
                    self.summary.bytes_written += u64::try_from(bytes.len()).unwrap_or(0);
                    leaks.into_iter().for_each(|leak| self.summary.add_leak(leak));
                    self.ready.push_back(bytes);
                }
            }
        }
        if is_more? {
            self.round = Some(std::mem::replace(&mut self.next_round, round));
        }
        Ok(true)
    }

    /// What was found so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Documents and bytes of the source that were read so far.
    pub fn progress(&self) -> (u64, u64) {
        (self.position, self.bytes_read)
    }
}

struct Worker<'a> {
    rewriting: Rewriting<'a>,
    scanner: Scanner<'a>,
    checker: Option<Checker>,
    bson: Vec<u8>,
}

impl Worker<'_> {
    fn copy(&mut self, original: &Original<'_>) -> Copied {
        let mut bson = std::mem::take(&mut self.bson);
        let copied = match Read::of(original, &mut bson) {
            Read::Bson(document) => self.copy_bson(document),
            Read::Malformed => Copied::LeftOut(String::new(), LeftOut::Malformed),
            Read::TooDeep => Copied::LeftOut(String::new(), LeftOut::TooDeep),
        };
        self.bson = bson;
        copied
    }

    fn copy_bson(&mut self, document: &[u8]) -> Copied {
        let mut why = LeftOut::Unlike(Difference::Names);
        let mut leaking = None;
        for attempt in 0..ATTEMPTS {
            let copy = match self.attempt(document, attempt) {
                Ok(copy) => copy,
                Err(difference) => {
                    why = LeftOut::Unlike(difference);
                    continue;
                }
            };
            match self.leaks(document, &copy) {
                Ok(leaks) if leaks.is_empty() => {
                    return Copied::Copy { bytes: copy, of: document.len(), leaks };
                }
                Ok(leaks) => leaking = Some((copy, leaks)),
                Err(error) => return Copied::Failed(error),
            }
        }
        match leaking {
            Some((bytes, leaks)) => Copied::Copy { bytes, of: document.len(), leaks },
            None => Copied::LeftOut(id_text(Some(document)), why),
        }
    }

    /// Draws a copy that is true to life.
    fn attempt(&mut self, document: &[u8], attempt: u8) -> Result<Vec<u8>, Difference> {
        let original = Document::new(document);
        let room = Vec::with_capacity(document.len() + document.len() / 32);
        let copy = self.rewriting.rewrite(original, attempt, room);
        let copy = copy.map_err(|_unfit| Difference::Names)?;
        if !are_sizes_alike(document.len(), copy.len()) {
            return Err(Difference::Size);
        }
        if !relationships::are_alike(original, Document::new(&copy)) {
            return Err(Difference::Relationships);
        }
        if let Some(checker) = &mut self.checker {
            let shift = self.rewriting.shift(&job_of(original));
            checker.compare(document, &copy, shift)?;
        }
        Ok(copy)
    }

    fn leaks(&mut self, document: &[u8], copy: &[u8]) -> Result<Vec<FoundLeak>, AnonymizeError> {
        let found = self.scanner.scan(Document::new(copy), Some(Document::new(document)));
        let leaks = self.scanner.certain(found)?;
        let job = || id_text(Some(document));
        Ok(leaks.into_iter().map(|(leak, path)| FoundLeak { leak, job: job(), path }).collect())
    }
}

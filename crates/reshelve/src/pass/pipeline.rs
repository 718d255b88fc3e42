//! Reading and mapping beside each other: a reader, some mappers, and results in source order.
//!
//! Every queue is bounded by the bytes that are on their way, so that memory does not depend on
//! the source: a document larger than the budget travels alone.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::OnlyRejects;
use super::budget::{Budget, IN_FLIGHT_BYTES_MAX};
use crate::ends::{Batch, BatchLimits, ContentHash, Damage, Form, Item, Source, content_hash};
use crate::store::{Key, key_of};
use reshelve_core::extjson;
use reshelve_core::mapping::{
    Mapped, Mapper, Options, Outcome, Reject, RejectCode, TargetDocuments,
};

/// What is held of a document beside its own bytes, about: four target documents, their hashes,
/// its outcome with its warnings. Tiny documents are made of this.
const DOCUMENT_BYTES: usize = 1024;

/// A batch with more bytes than that holds a document larger than the budget. Its memory is given
/// back: many such buffers that wait for another such document would be most of what is held.
const KEPT_BYTES_MAX: usize = IN_FLIGHT_BYTES_MAX;

/// What a batch takes of the budget.
fn cost(batch: &Batch) -> usize {
    batch.bytes.len() + batch.items.len() * DOCUMENT_BYTES
}

/// How much the next batches may hold. It may change while a source is read.
#[derive(Debug)]
pub(crate) struct BatchSize {
    docs_max: AtomicUsize,
    bytes_max: AtomicUsize,
}

impl BatchSize {
    pub(crate) fn new(limits: BatchLimits) -> Self {
        let BatchLimits { docs_max, bytes_max } = limits;
        BatchSize { docs_max: AtomicUsize::new(docs_max), bytes_max: AtomicUsize::new(bytes_max) }
    }

    /// From now on batches hold no more than that.
    pub(crate) fn set(&self, limits: BatchLimits) {
        self.docs_max.store(limits.docs_max, Ordering::Relaxed);
        self.bytes_max.store(limits.bytes_max, Ordering::Relaxed);
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits {
            docs_max: self.docs_max.load(Ordering::Relaxed),
            bytes_max: self.bytes_max.load(Ordering::Relaxed),
        }
    }
}

/// What the pipeline is told.
pub(crate) struct PipelineOptions<'o> {
    pub(crate) mapping: Options,
    pub(crate) batch: &'o BatchSize,
    pub(crate) jobs: usize,
    /// The position of the first document that the source gives.
    pub(crate) first: u64,
    /// Documents that were dealt with before: only their hash is wanted.
    pub(crate) known: u64,
    /// Most documents to take from the source, those included.
    pub(crate) documents_max: Option<u64>,
    pub(crate) only: Option<&'o OnlyRejects>,
    /// Whether the target documents are hashed, for the journal.
    pub(crate) hash_targets: bool,
    /// Set from outside: ends the reading.
    pub(crate) stop: &'o AtomicBool,
}

/// A batch that was mapped.
pub(crate) struct MappedBatch {
    /// The position of its first document in the source.
    pub(crate) first: u64,
    pub(crate) batch: Batch,
    pub(crate) target: TargetDocuments,
    pub(crate) documents: Vec<MappedDocument>,
    /// The documents of a JSON batch as BSON.
    bson: Vec<u8>,
    /// How far this batch is in the file, in bytes.
    pub(crate) file_bytes_read: u64,
}

impl MappedBatch {
    /// A document as BSON, where it is that.
    pub(crate) fn bson(&self, index: usize) -> Option<&[u8]> {
        match &self.documents[index].bson {
            Some(range) => Some(&self.bson[range.clone()]),
            None if self.batch.form == Form::Bson => {
                Some(self.batch.document(&self.batch.items[index]))
            }
            None => None,
        }
    }
}

/// What became of one document.
pub(crate) struct MappedDocument {
    /// BLAKE3 of the document as BSON, or of its text where it is none.
    pub(crate) fingerprint: [u8; 32],
    /// The outcome; none where the document is not taken.
    pub(crate) outcome: Option<Outcome>,
    /// The key of its job id, where it was mapped.
    pub(crate) key: Key,
    /// The hash over its documents in each collection, where they are hashed.
    pub(crate) target_hashes: [ContentHash; 4],
    bson: Option<Range<usize>>,
}

/// What the pipeline gives, in source order.
pub(crate) enum Step {
    Batch(MappedBatch),
    /// The end of the source.
    End,
    /// The reader was told to stop.
    Stopped,
    Damaged(Damage),
}

enum Message {
    Mapped(u64, Box<MappedBatch>),
    /// The reader ended behind so many batches.
    Ended(u64, Box<Step>),
}

struct Task {
    sequence: u64,
    mapped: Box<MappedBatch>,
}

/// Runs reader and mappers around `consume`, which is given the way to the next step.
pub(crate) fn run<R>(
    source: &mut dyn Source,
    options: &PipelineOptions<'_>,
    consume: impl FnOnce(&mut Steps<'_>) -> R,
) -> R {
    let budget = Budget::default();
    let (tasks, todo) = bounded::<Task>(options.jobs.max(1));
    let (results, done) = unbounded::<Message>();
    let (recycle, recycled) = unbounded::<Box<MappedBatch>>();
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            let (todo, results) = (todo.clone(), results.clone());
            scope.spawn(move || work(options, &todo, &results));
        }
        drop(todo);
        let reader = Reader { options, budget: &budget, tasks, results, recycled };
        scope.spawn(move || reader.read(source));
        let mut steps = Steps {
            done,
            waiting: BTreeMap::new(),
            next: 0,
            ended: None,
            budget: &budget,
            recycle,
        };
        let result = consume(&mut steps);
        // The reader may be waiting for room that nobody will make any more.
        budget.close();
        result
    })
}

/// The way to the next step.
pub(crate) struct Steps<'b> {
    done: Receiver<Message>,
    waiting: BTreeMap<u64, Box<MappedBatch>>,
    next: u64,
    ended: Option<(u64, Box<Step>)>,
    budget: &'b Budget,
    recycle: Sender<Box<MappedBatch>>,
}

impl Steps<'_> {
    /// The next step; after the last one, [`Step::End`] again.
    pub(crate) fn next(&mut self) -> Step {
        loop {
            if let Some(batch) = self.waiting.remove(&self.next) {
                self.next += 1;
                return Step::Batch(*batch);
            }
            if let Some((after, _)) = &self.ended
                && *after == self.next
            {
                return self.ended.take().map_or(Step::End, |(_, step)| *step);
            }
            match self.done.recv() {
                Ok(message) => self.take(message),
                Err(_) => return Step::End,
            }
        }
    }

    /// Whether the next step is there, or comes while no more than this time passes between two
    /// results.
    pub(crate) fn is_ready_within(&mut self, wait: Duration) -> bool {
        let is_at_end = |ended: &Option<(u64, _)>, next| {
            ended.as_ref().is_some_and(|(after, _)| *after == next)
        };
        while !self.waiting.contains_key(&self.next) && !is_at_end(&self.ended, self.next) {
            match self.done.recv_timeout(wait) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
        true
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Mapped(sequence, batch) => {
                self.waiting.insert(sequence, batch);
            }
            Message::Ended(after, step) => self.ended = Some((after, step)),
        }
    }

    /// Gives a batch back: its memory is used again, and the reader may go on.
    pub(crate) fn give_back(&mut self, batch: MappedBatch) {
        let cost = cost(&batch.batch);
        if batch.batch.bytes.len() <= KEPT_BYTES_MAX {
            // Nobody takes it where the reader has ended.
            drop(self.recycle.send(Box::new(batch)));
        } else {
            drop(batch);
        }
        self.budget.release(cost);
    }
}

struct Reader<'r> {
    options: &'r PipelineOptions<'r>,
    budget: &'r Budget,
    tasks: Sender<Task>,
    results: Sender<Message>,
    recycled: Receiver<Box<MappedBatch>>,
}

impl Reader<'_> {
    fn read(self, source: &mut dyn Source) {
        let mut position = self.options.first;
        let mut sequence = 0;
        let step = loop {
            if self.options.stop.load(Ordering::Relaxed) {
                break Step::Stopped;
            }
            let limits = self.limits(position);
            if limits.docs_max == 0 {
                break Step::End;
            }
            let mut mapped = self.empty_batch();
            mapped.first = position;
            match source.fill(&mut mapped.batch, limits) {
                Ok(true) => {}
                Ok(false) => break Step::End,
                // Waiting for a silent pipe ends with an error when it is to stop.
                Err(_) if self.options.stop.load(Ordering::Relaxed) => break Step::Stopped,
                Err(damage) => break Step::Damaged(damage),
            }
            position += u64::try_from(mapped.batch.items.len()).unwrap_or(0);
            mapped.file_bytes_read = source.bytes_read();
            if !self.budget.acquire(cost(&mapped.batch)) {
                return;
            }
            if self.tasks.send(Task { sequence, mapped }).is_err() {
                return;
            }
            sequence += 1;
        };
        drop(self.results.send(Message::Ended(sequence, Box::new(step))));
    }

    /// A batch ends where the documents that were dealt with before end, and where enough were
    /// read.
    fn limits(&self, position: u64) -> BatchLimits {
        let mut limits = self.options.batch.limits();
        let mut bound = |end: u64| {
            let left = usize::try_from(end.saturating_sub(position)).unwrap_or(usize::MAX);
            limits.docs_max = limits.docs_max.min(left);
        };
        if position < self.options.known {
            bound(self.options.known);
        }
        if let Some(documents_max) = self.options.documents_max {
            bound(documents_max);
        }
        limits
    }

    fn empty_batch(&self) -> Box<MappedBatch> {
        match self.recycled.try_recv() {
            Ok(mut used) => {
                used.batch.clear();
                used.target.clear();
                used.documents.clear();
                used.bson.clear();
                used
            }
            Err(_) => Box::new(MappedBatch {
                first: 0,
                batch: Batch::default(),
                target: TargetDocuments::default(),
                documents: Vec::new(),
                bson: Vec::new(),
                file_bytes_read: 0,
            }),
        }
    }
}

fn work(options: &PipelineOptions<'_>, todo: &Receiver<Task>, results: &Sender<Message>) {
    let mut mapper = Mapper::new(options.mapping);
    for Task { sequence, mut mapped } in todo {
        map_batch(options, &mut mapper, &mut mapped);
        if mapped.batch.bytes.len() > KEPT_BYTES_MAX {
            mapper = Mapper::new(options.mapping);
        }
        if results.send(Message::Mapped(sequence, mapped)).is_err() {
            return;
        }
    }
}

fn map_batch(options: &PipelineOptions<'_>, mapper: &mut Mapper, mapped: &mut MappedBatch) {
    let MappedBatch { first, batch, target, documents, bson, .. } = mapped;
    for (index, item) in batch.items.iter().enumerate() {
        let position = *first + u64::try_from(index).unwrap_or(0);
        let original = batch.document(item);
        let (range, broken) = match batch.form {
            Form::Bson => (None, None),
            Form::Json => {
                let start = bson.len();
                match extjson::parse(original, bson) {
                    Ok(()) => (Some(start..bson.len()), None),
                    Err(error) => (None, Some(error.to_string())),
                }
            }
        };
        let document = match &range {
            Some(range) => &bson[range.clone()],
            None => original,
        };
        let fingerprint = *blake3::hash(document).as_bytes();
        let read = broken.is_none().then_some(document);
        let taken = position >= options.known
            && options.only.is_none_or(|only| only.takes(position, read, &fingerprint));
        let outcome = taken.then(|| match broken {
            Some(reason) => Outcome::Rejected(Reject::new(RejectCode::MalformedJson, reason)),
            None => mapper.map_fingerprinted(document, fingerprint, target),
        });
        let key = match &outcome {
            Some(Outcome::Mapped(mapped)) => key_of(&mapped.job_id),
            _ => Key::default(),
        };
        let target_hashes = match &outcome {
            Some(Outcome::Mapped(mapped)) if options.hash_targets => hashes(target, mapped),
            _ => [ContentHash::default(); 4],
        };
        documents.push(MappedDocument { fingerprint, outcome, key, target_hashes, bson: range });
    }
}

/// The hashes of the documents that were appended last.
fn hashes(target: &TargetDocuments, mapped: &Mapped) -> [ContentHash; 4] {
    let bytes = target.bytes();
    std::array::from_fn(|at| content_hash(&bytes[at][bytes[at].len() - mapped.lengths[at]..]))
}

/// The fingerprint of one document of a batch: of its BSON, or of its text where it is none.
pub(crate) fn fingerprint(batch: &Batch, item: &Item, bson: &mut Vec<u8>) -> [u8; 32] {
    let original = batch.document(item);
    bson.clear();
    let is_text = batch.form == Form::Json && extjson::parse(original, bson).is_ok();
    *blake3::hash(if is_text { bson } else { original }).as_bytes()
}

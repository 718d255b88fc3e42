//! The engine: takes batches in source order, decides, writes, checkpoints.
//!
//! Effects come in one order: the write is acknowledged, the checkpoint is durable, the progress
//! is told. Never the other way round.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::checkpoint::{Checkpoint, SourceHash};
use super::pipeline::{self, MappedBatch, PipelineOptions, Step, Steps};
use super::plan::{OnExisting, Plan};
use super::preflight::Refusal;
use super::rejects::{Appender, OnlyRejects, RejectFiles, Rejected};
use super::run_folder::RunFolder;
use super::saver::{Saver, Saving};
use super::seen::{HELD_MAX, Seen};
use super::{Observer, Progress, RunError, peak_rss_bytes};
use crate::disk::At;
use crate::mapping::{Mapped, Outcome, Reject, RejectCode, Target};
use crate::sink::{Section, Sink, Verdict};
use crate::source::{BatchLimits, Damage, Source};

/// A checkpoint is due when this many target bytes were written since the last one, unless told
/// otherwise …
pub const CHECKPOINT_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// … or when this much time has passed.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// How the reading of a source ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Everything is written.
    AtEnd,
    /// Stopped from outside.
    Interrupted,
    /// Stopped at the first reject.
    FirstReject,
    /// The source is damaged; everything before it is written.
    Damaged(Damage),
}

/// What does not change while the engine runs.
pub(crate) struct Context<'c> {
    pub(crate) plan: &'c Plan,
    pub(crate) folder: &'c RunFolder,
    pub(crate) batch: BatchLimits,
    pub(crate) jobs: usize,
    /// A checkpoint is due after so many target bytes.
    pub(crate) checkpoint_bytes: u64,
    pub(crate) stop: &'c AtomicBool,
    pub(crate) bytes_total: Option<u64>,
    pub(crate) only: Option<OnlyRejects>,
}

/// What the engine leaves behind.
pub(crate) struct Outturn {
    pub(crate) ended: Ended,
    /// The last state that can be gone on from; everything in it is handed to the operating
    /// system, nothing of it is synced yet.
    pub(crate) checkpoint: Checkpoint,
    /// What syncs it.
    pub(crate) saving: Saving,
}

/// The engine between two documents.
pub(crate) struct Engine<'e, S: ?Sized> {
    context: &'e Context<'e>,
    sink: &'e mut S,
    observer: &'e mut dyn Observer,
    /// The state behind the last document.
    now: Checkpoint,
    hash: SourceHash,
    /// The last state that can be gone on from: the one at the last cut.
    resumable: Checkpoint,
    /// Target bytes of the checkpoint that was asked for last, and when that was.
    asked: (u64, Instant),
    begun: Instant,
    elapsed_before_ms: u64,
    seen: Seen,
    ids: Appender,
    replaced: Appender,
    rejects: RejectFiles,
    /// Target bytes since the last cut.
    since_cut: usize,
    file_bytes_read: u64,
    batches: u64,
    /// Documents that an earlier process got to.
    furthest: u64,
    known: Known,
}

/// The documents that were dealt with by an earlier process.
struct Known {
    documents: u64,
    hash: String,
    /// How many of them were seen again.
    seen: u64,
}

impl<'e, S: Sink + ?Sized> Engine<'e, S> {
    /// Takes up a run at a checkpoint.
    pub(crate) fn new(
        context: &'e Context<'e>,
        sink: &'e mut S,
        observer: &'e mut dyn Observer,
        from: Checkpoint,
    ) -> Result<Self, RunError> {
        let folder = context.folder;
        Ok(Engine {
            context,
            sink,
            observer,
            hash: SourceHash::default(),
            resumable: from.clone(),
            asked: (from.totals.bytes_mapped, Instant::now()),
            begun: Instant::now(),
            elapsed_before_ms: from.elapsed_ms,
            seen: read_ids(folder, from.ids)?,
            ids: Appender::open(folder.ids_file(), from.ids * 16)?,
            replaced: Appender::open(folder.replaced_file(), from.totals.replaced * 16)?,
            rejects: RejectFiles::open(folder.path(), from.rejects)?,
            since_cut: 0,
            file_bytes_read: 0,
            batches: 0,
            furthest: from.furthest,
            known: Known { documents: from.documents, hash: from.source_hash.clone(), seen: 0 },
            now: from,
        })
    }

    /// Reads the source to its end, or as far as it goes.
    pub(crate) fn run(mut self, source: &mut dyn Source) -> Result<Outturn, RunError> {
        let mut files = self.rejects.handles()?;
        files.extend([self.ids.handle()?, self.replaced.handle()?]);
        let checkpoint_file = self.context.folder.checkpoint_file();
        let mut saver = Saver::start(Saving { sink: self.sink.syncer()?, files, checkpoint_file });
        let plan = self.context.plan;
        let context = self.context;
        let options = PipelineOptions {
            mapping: plan.options,
            batch: context.batch,
            jobs: context.jobs,
            known: self.known.documents,
            documents_max: plan.limit.filter(|_| context.only.is_none()),
            only: context.only.as_ref(),
            stop: context.stop,
        };
        let ended = pipeline::run(source, &options, |steps| self.take_steps(steps, &mut saver));
        // A save that is under way ends before anything else is written down.
        let saving = saver.end();
        let (ended, saving) = (ended?, saving?);
        // What lies behind the last cut is written too, so that the target holds all there is;
        // a resumed run takes up at the cut, and writes the rest anew.
        self.sink.cut()?;
        if matches!(ended, Ended::AtEnd) {
            self.mark_resumable();
        }
        self.rejects.flush()?;
        self.ids.flush()?;
        self.replaced.flush()?;
        let mut checkpoint = self.resumable;
        checkpoint.furthest = self.now.documents.max(self.furthest);
        checkpoint.elapsed_ms = self.elapsed_before_ms + elapsed_ms(self.begun);
        checkpoint.peak_rss_bytes = checkpoint.peak_rss_bytes.max(peak_rss_bytes());
        Ok(Outturn { ended, checkpoint, saving })
    }

    fn take_steps(&mut self, steps: &mut Steps<'_>, saver: &mut Saver) -> Result<Ended, RunError> {
        loop {
            match steps.next() {
                Step::Batch(batch) => {
                    let ended = self.take_batch(&batch)?;
                    steps.give_back(batch);
                    if let Some(ended) = ended {
                        return Ok(ended);
                    }
                    self.save_if_due(saver)?;
                }
                Step::Stopped => return Ok(Ended::Interrupted),
                Step::End => {
                    self.expect_known_seen()?;
                    return Ok(Ended::AtEnd);
                }
                Step::Damaged(damage) => {
                    self.expect_known_seen()?;
                    return Ok(Ended::Damaged(damage));
                }
            }
        }
    }

    /// The source must not end before the documents that were dealt with.
    fn expect_known_seen(&self) -> Result<(), RunError> {
        if self.known.seen < self.known.documents {
            let Known { documents, seen, .. } = self.known;
            let detail = format!("it has {seen} documents, and the run had read {documents}");
            return Err(Refusal::OtherSource { detail }.into());
        }
        Ok(())
    }

    fn take_batch(&mut self, batch: &MappedBatch) -> Result<Option<Ended>, RunError> {
        self.file_bytes_read = batch.file_bytes_read;
        self.batches += 1;
        let mut sections = Sections::default();
        let mut lengths = [0; 4];
        for index in 0..batch.documents.len() {
            let fingerprint = &batch.documents[index].fingerprint;
            self.hash.add(fingerprint);
            if self.known.seen < self.known.documents {
                self.see_again()?;
                continue;
            }
            let rejected_before = self.now.totals.documents.rejected;
            self.take_document(batch, index, &mut lengths, &mut sections)?;
            self.now.documents += 1;
            if self.sink.cut_bytes().is_some_and(|bytes| self.since_cut >= bytes) {
                sections.write(self.sink, &batch.target)?;
                self.sink.cut()?;
                self.mark_resumable();
            }
            let totals = &self.now.totals.documents;
            let plan = self.context.plan;
            let rejected = totals.rejected > rejected_before;
            let ended = if plan.fail_fast && rejected && self.now.documents > self.furthest {
                Some(Ended::FirstReject)
            } else if plan.limit.is_some_and(|limit| totals.read >= limit) {
                Some(Ended::AtEnd)
            } else {
                None
            };
            if ended.is_some() {
                self.end_batch(&mut sections, &batch.target)?;
                return Ok(ended);
            }
        }
        self.end_batch(&mut sections, &batch.target)?;
        Ok(None)
    }

    fn end_batch(&mut self, sections: &mut Sections, target: &Target) -> Result<(), RunError> {
        sections.write(self.sink, target)?;
        if self.sink.cut_bytes().is_none() {
            self.mark_resumable();
        }
        Ok(())
    }

    /// A document that an earlier process dealt with: only its hash counts.
    fn see_again(&mut self) -> Result<(), RunError> {
        self.known.seen += 1;
        if self.known.seen == self.known.documents && self.hash.hex() != self.known.hash {
            let detail = format!(
                "its first {} documents are not the ones that the run had read",
                self.known.documents
            );
            return Err(Refusal::OtherSource { detail }.into());
        }
        Ok(())
    }

    fn take_document(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        lengths: &mut [usize; 4],
        sections: &mut Sections,
    ) -> Result<(), RunError> {
        let document = &batch.documents[index];
        let Some(outcome) = &document.outcome else { return Ok(()) };
        let item = &batch.batch.items[index];
        self.now.totals.documents.read += 1;
        self.now.totals.bytes_read += bytes(item.end - item.start);
        match outcome {
            Outcome::Skipped => {
                self.now.totals.documents.skipped += 1;
                Ok(())
            }
            Outcome::Rejected(reject) => self.reject(batch, index, reject),
            Outcome::Mapped(mapped) => {
                let section: Section =
                    std::array::from_fn(|at| lengths[at]..lengths[at] + mapped.lengths[at]);
                *lengths = std::array::from_fn(|at| section[at].end);
                if !self.seen.insert(document.key)? {
                    let message = "an earlier document has the same job id";
                    let reject = Reject::new(RejectCode::DuplicateId, message);
                    return self.reject(batch, index, &reject);
                }
                self.take_mapped(batch, index, mapped, section, sections)?;
                self.ids.append(&document.key)?;
                self.now.ids += 1;
                Ok(())
            }
        }
    }

    fn take_mapped(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        mapped: &Mapped,
        section: Section,
        sections: &mut Sections,
    ) -> Result<(), RunError> {
        let size: usize = mapped.lengths.iter().sum();
        let mut written = size;
        let verdict = self.sink.judge(&batch.target, &section)?;
        let totals = &mut self.now.totals;
        match verdict {
            Verdict::Absent => sections.add(section),
            Verdict::Unchanged => written = 0,
            Verdict::Partly(missing) => {
                written = missing.iter().flatten().map(ExactSizeIterator::len).sum();
                missing.into_iter().for_each(|section| sections.add(section));
            }
            Verdict::Conflict(what) if self.context.plan.on_existing == OnExisting::Replace => {
                drop(what);
                self.replaced.append(&batch.documents[index].key)?;
                sections.add(section);
                totals.replaced += 1;
            }
            Verdict::Conflict(what) => {
                let reject = Reject::new(RejectCode::TargetConflict, what);
                return self.reject(batch, index, &reject);
            }
        }
        totals.documents.mapped += 1;
        totals.events += bytes(mapped.events);
        totals.bytes_mapped += bytes(size);
        totals.residue_bytes += bytes(mapped.residue_bytes);
        totals.warn(&mapped.job_id, &mapped.warnings);
        if written == 0 {
            totals.documents.unchanged += 1;
        } else if self.context.plan.apply {
            totals.documents.written += 1;
            totals.bytes_written += bytes(written);
        }
        self.since_cut += written;
        Ok(())
    }

    fn reject(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        reject: &Reject,
    ) -> Result<(), RunError> {
        let bson = batch.bson(index);
        let item = &batch.batch.items[index];
        self.rejects.add(&Rejected {
            position: batch.first + bytes(index),
            place: item.place,
            reject,
            bson,
            original: batch.batch.document(item),
        })?;
        self.now.totals.reject(reject, || super::rejects::id_text(bson));
        Ok(())
    }

    /// The state behind the last document becomes one that can be gone on from.
    fn mark_resumable(&mut self) {
        // While documents are seen again, the state to go on from stays the one taken up.
        if self.known.seen < self.known.documents {
            return;
        }
        self.since_cut = 0;
        self.now.source_hash = self.hash.hex();
        self.now.target = self.sink.position();
        self.now.rejects = self.rejects.lengths();
        self.resumable = self.now.clone();
    }

    fn save_if_due(&mut self, saver: &mut Saver) -> Result<(), RunError> {
        if let Some(saved) = saver.saved()? {
            self.tell(&saved);
        }
        let (asked_bytes, asked_at) = self.asked;
        let bytes = self.resumable.totals.bytes_mapped;
        let due = bytes.saturating_sub(asked_bytes) >= self.context.checkpoint_bytes
            || asked_at.elapsed() >= CHECKPOINT_INTERVAL;
        if !due || saver.is_busy() || self.known.seen < self.known.documents {
            return Ok(());
        }
        self.rejects.flush()?;
        self.ids.flush()?;
        self.replaced.flush()?;
        let mut checkpoint = self.resumable.clone();
        checkpoint.elapsed_ms = self.elapsed_before_ms + elapsed_ms(self.begun);
        checkpoint.peak_rss_bytes = checkpoint.peak_rss_bytes.max(peak_rss_bytes());
        saver.save(checkpoint);
        self.asked = (bytes, Instant::now());
        Ok(())
    }

    fn tell(&mut self, saved: &Checkpoint) {
        let progress = Progress {
            totals: saved.totals.clone(),
            file_bytes_read: self.file_bytes_read,
            file_bytes_total: self.context.bytes_total,
            batch: self.batches,
            elapsed_ms: saved.elapsed_ms,
        };
        self.observer.progress(&progress);
    }
}

/// Sections that are to be written, neighbours joined.
#[derive(Default)]
struct Sections {
    list: Vec<Section>,
}

impl Sections {
    fn add(&mut self, section: Section) {
        if let Some(last) = self.list.last_mut()
            && last.iter().zip(&section).all(|(last, next)| last.end == next.start)
        {
            for (last, next) in last.iter_mut().zip(section) {
                last.end = next.end;
            }
            return;
        }
        self.list.push(section);
    }

    fn write<S: Sink + ?Sized>(&mut self, sink: &mut S, target: &Target) -> Result<(), RunError> {
        sink.write(target, &self.list)?;
        self.list.clear();
        Ok(())
    }
}

/// The jobs that a run had mapped, as its list of ids tells.
fn read_ids(folder: &RunFolder, count: u64) -> Result<Seen, RunError> {
    let mut seen = Seen::new(folder.path(), HELD_MAX);
    if count == 0 {
        return Ok(seen);
    }
    let path = folder.ids_file();
    let file = std::fs::File::open(&path).at("opening", &path)?;
    let mut reader = std::io::BufReader::with_capacity(1 << 16, file);
    let mut key = [0; 16];
    for _ in 0..count {
        std::io::Read::read_exact(&mut reader, &mut key).at("reading", &path)?;
        seen.insert(key)?;
    }
    Ok(seen)
}

pub(crate) fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn bytes(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

//! The engine: takes batches in source order, decides, writes, checkpoints.
//!
//! Effects come in one order: the write is acknowledged, the checkpoint is durable, the progress
//! is told. Never the other way round.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::checkpoint::{Checkpoint, SourceHash};
use super::plan::{OnExisting, Plan};
use super::preflight::Refusal;
use super::rejects::{Appender, OnlyRejects, RejectFiles, Rejected};
use super::run_folder::RunFolder;
use super::saver::{Saver, Saving};
use super::{Observer, Progress, RunError, peak_rss_bytes};
use crate::ends::{BatchLimits, Damage, Source};
use crate::ends::{Fate, Section, Sink, Verdict};
use crate::pass::pipeline::{self, MappedBatch, PipelineOptions, Step, Steps};
use crate::pass::repeated_ids::{HELD_MAX, Seen};
use crate::pass::{RejectReason, Rejection};
use crate::store::At;
use crate::store::Key;
use reshelve_core::mapping::{Mapped, Outcome};
use reshelve_core::raw::Document;

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
    /// Whether the source is gone on with behind the `_id` of the last document, and not by
    /// reading it again: documents that were dealt with do not come a second time.
    pub(crate) marks: bool,
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
            hash: if context.marks {
                SourceHash::from_hex(&from.source_hash)
            } else {
                SourceHash::default()
            },
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
            known: Known {
                documents: if context.marks { 0 } else { from.documents },
                hash: from.source_hash.clone(),
                seen: 0,
            },
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
            first: if context.marks { self.now.documents } else { 0 },
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
                    // What was read and is not written yet is read again by whoever goes on.
                    if self.context.stop.load(Ordering::Relaxed) {
                        return Ok(Ended::Interrupted);
                    }
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
        batch.batch.notes.iter().for_each(|note| self.observer.note(note));
        let mut decided = Decided::default();
        let mut lengths = [0; 4];
        for index in 0..batch.documents.len() {
            let fingerprint = &batch.documents[index].fingerprint;
            self.hash.add(fingerprint);
            if self.known.seen < self.known.documents {
                self.see_again()?;
                continue;
            }
            let decision = self.decide(batch, index, &mut lengths, &mut decided.sections)?;
            let rejected = matches!(decision, Decision::Rejected { .. });
            decided.read += u64::from(!matches!(decision, Decision::NotTaken));
            decided.list.push((index, decision));
            if self.sink.cut_bytes().is_some_and(|bytes| self.since_cut >= bytes) {
                self.settle(batch, &mut decided)?;
                self.sink.cut()?;
                self.mark_resumable();
            }
            let plan = self.context.plan;
            let documents = self.now.documents + bytes(decided.list.len());
            let read = self.now.totals.documents.read + decided.read;
            let ended = if plan.fail_fast && rejected && documents > self.furthest {
                Some(Ended::FirstReject)
            } else if plan.limit.is_some_and(|limit| read >= limit) {
                Some(Ended::AtEnd)
            } else {
                None
            };
            if ended.is_some() {
                self.end_batch(batch, &mut decided)?;
                return Ok(ended);
            }
        }
        let first_reject = self.end_batch(batch, &mut decided)?;
        Ok(first_reject.then_some(Ended::FirstReject))
    }

    /// Settles what was decided; tells whether the target refused a document, where the run is to
    /// stop at that.
    fn end_batch(&mut self, batch: &MappedBatch, decided: &mut Decided) -> Result<bool, RunError> {
        let refused = self.settle(batch, decided)?;
        if self.sink.cut_bytes().is_none() {
            self.mark_resumable();
        }
        Ok(refused && self.context.plan.fail_fast && self.now.documents > self.furthest)
    }

    /// Writes what was decided, and counts what became of it, in source order. Tells whether the
    /// target refused a document.
    fn settle(&mut self, batch: &MappedBatch, decided: &mut Decided) -> Result<bool, RunError> {
        let exceptions = self.sink.write(&batch.target, &decided.sections)?;
        let mut exceptions = exceptions.into_iter().peekable();
        let mut refused = false;
        let last = decided.list.last().map(|(index, _)| *index);
        for (index, decision) in decided.list.drain(..) {
            self.now.documents += 1;
            if matches!(decision, Decision::NotTaken) {
                continue;
            }
            let item = &batch.batch.items[index];
            self.now.totals.documents.read += 1;
            self.now.totals.bytes_read += bytes(item.end - item.start);
            match decision {
                Decision::NotTaken => {}
                Decision::Skipped => self.now.totals.documents.skipped += 1,
                Decision::Rejected { reject, listed } => {
                    self.reject(batch, index, &reject)?;
                    if listed {
                        self.list_id(&batch.documents[index].key)?;
                    }
                }
                Decision::Mapped { sections, mut written, mut replaced } => {
                    let Some(Outcome::Mapped(mapped)) = &batch.documents[index].outcome else {
                        continue;
                    };
                    let exception = exceptions.next_if(|next| sections.contains(&next.section));
                    let mut reject = None;
                    match exception.map(|exception| exception.fate) {
                        None => {}
                        Some(Fate::Unchanged) => written = 0,
                        Some(Fate::Partly(bytes)) => written = bytes,
                        Some(Fate::Replaced) => replaced = true,
                        Some(Fate::Conflict(what)) => {
                            reject = Some(Rejection::new(RejectReason::TargetConflict, what));
                        }
                        Some(Fate::Refused(why)) => {
                            reject = Some(Rejection::new(RejectReason::TargetRefused, why));
                        }
                    }
                    let key = &batch.documents[index].key;
                    match reject {
                        Some(reject) => {
                            refused = true;
                            self.reject(batch, index, &reject)?;
                        }
                        None => {
                            if replaced {
                                self.replaced.append(key)?;
                            }
                            self.count_mapped(mapped, written, replaced);
                        }
                    }
                    self.list_id(key)?;
                }
            }
        }
        if self.context.marks
            && let Some(index) = last
        {
            self.now.last_id = batch.bson(index).and_then(id_mark);
        }
        decided.sections.clear();
        decided.read = 0;
        Ok(refused)
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

    /// Decides what becomes of a document, as far as that can be known before it is written.
    fn decide(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        lengths: &mut [usize; 4],
        sections: &mut Vec<Section>,
    ) -> Result<Decision, RunError> {
        let document = &batch.documents[index];
        let mapped = match &document.outcome {
            None => return Ok(Decision::NotTaken),
            Some(Outcome::Skipped) => return Ok(Decision::Skipped),
            Some(Outcome::Rejected(reject)) => {
                return Ok(Decision::Rejected { reject: reject.clone().into(), listed: false });
            }
            Some(Outcome::Mapped(mapped)) => mapped,
        };
        let section: Section =
            std::array::from_fn(|at| lengths[at]..lengths[at] + mapped.lengths[at]);
        *lengths = std::array::from_fn(|at| section[at].end);
        if !self.seen.insert(document.key)? {
            let reject = Rejection::duplicate_id();
            return Ok(Decision::Rejected { reject, listed: false });
        }
        let verdict = self.sink.judge(&batch.target, &section)?;
        let first = sections.len();
        let mut replaced = false;
        match verdict {
            Verdict::Unchanged => {}
            Verdict::Absent => sections.push(section),
            Verdict::Partly(missing) => sections.extend(missing),
            Verdict::Conflict(what) => {
                if self.context.plan.on_existing != OnExisting::Replace {
                    let reject = Rejection::new(RejectReason::TargetConflict, what);
                    return Ok(Decision::Rejected { reject, listed: true });
                }
                replaced = true;
                sections.push(section);
            }
        }
        let written = sections[first..].iter().flatten().map(ExactSizeIterator::len).sum::<usize>();
        self.since_cut += written;
        Ok(Decision::Mapped { sections: first..sections.len(), written, replaced })
    }

    fn list_id(&mut self, key: &Key) -> Result<(), RunError> {
        self.ids.append(key)?;
        self.now.ids += 1;
        Ok(())
    }

    fn count_mapped(&mut self, mapped: &Mapped, written: usize, replaced: bool) {
        let totals = &mut self.now.totals;
        totals.replaced += u64::from(replaced);
        totals.documents.mapped += 1;
        totals.events += bytes(mapped.events);
        totals.bytes_mapped += bytes(mapped.lengths.iter().sum());
        totals.residue_bytes += bytes(mapped.residue_bytes);
        totals.warn(&mapped.job_id, &mapped.warnings);
        if written == 0 {
            totals.documents.unchanged += 1;
        } else if self.context.plan.apply {
            totals.documents.written += 1;
            totals.bytes_written += bytes(written);
        }
    }

    fn reject(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        reject: &Rejection,
    ) -> Result<(), RunError> {
        let bson = batch.bson(index);
        let item = &batch.batch.items[index];
        self.rejects.add(&Rejected {
            position: batch.first + bytes(index),
            place: item.place,
            rejection: reject,
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

/// What becomes of a document, before it is written.
enum Decision {
    /// It is not among those that the run takes.
    NotTaken,
    Skipped,
    Rejected {
        reject: Rejection,
        /// Whether its job id goes into the run's list all the same.
        listed: bool,
    },
    /// It goes to the target.
    Mapped {
        /// Which of the sections are its own; none where it is there already.
        sections: Range<usize>,
        /// Bytes that are to be written.
        written: usize,
        replaced: bool,
    },
}

/// What was decided and is not written yet.
#[derive(Default)]
struct Decided {
    list: Vec<(usize, Decision)>,
    sections: Vec<Section>,
    /// How many of them count as read.
    read: u64,
}

/// A document's `_id` as a checkpoint keeps it: the element as BSON, in hex.
fn id_mark(document: &[u8]) -> Option<String> {
    let id = Document::new(document).get("_id")?;
    let mut mark = format!("{:02x}", id.kind);
    id.bytes.iter().for_each(|byte| mark.push_str(&format!("{byte:02x}")));
    Some(mark)
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

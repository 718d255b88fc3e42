//! The engine: takes batches in source order, decides, writes, checkpoints.
//!
//! Effects come in one order: the decision is in the journal, the write is acknowledged, the
//! checkpoint is durable, the progress is told. Never the other way round.

mod batch;
mod decide;
mod known;
mod obey;
mod settle;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::known::Known;
use super::checkpoint::Checkpoint;
use super::hold::{Hold, LOOK_EVERY};
use super::journal::{Journal, Tail};
use super::plan::Plan;
use super::rejects::RejectFiles;
use super::run_folder::RunFolder;
use super::saver::{Saver, Saving};
use super::{Observer, Progress, RunError, millis, peak_rss_bytes};
use crate::ends::{BatchLimits, Damage, Members, Opened, Sink};
use crate::pass::pipeline::{self, BatchSize, PipelineOptions, Step, Steps};
use crate::pass::repeated_ids::{HELD_MAX, Seen};
use crate::pass::{OnlyRejects, SourceHash};
use crate::store::{Appender, Key, Records};
use reshelve_core::raw::{self, Document};

/// A checkpoint is due when this many target bytes were written since the last one, unless told
/// otherwise …
pub const CHECKPOINT_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;
/// … or when this much time has passed.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);
/// How long to wait for documents before it is looked whether a cut can be written.
const CUT_WAIT: Duration = Duration::from_millis(20);
/// The longest `_id` that a checkpoint keeps; a source that needs a longer one is read again.
const ID_BYTES_MAX: usize = 64 * 1024;

/// How the reading of a source ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Everything is written.
    AtEnd,
    /// Stopped from outside.
    Interrupted,
    /// Stopped from outside, for good.
    Cancelled,
    /// Stopped at the first reject.
    FirstReject,
    /// A job is in flight, and nobody decided what becomes of these; everything before it is
    /// written.
    InFlight {
        /// Its id.
        job: String,
    },
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
    /// The last state that can be resumed from; everything in it is handed to the operating
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
    /// The state after the last document.
    now: Checkpoint,
    hash: SourceHash,
    /// The last state that can be resumed from: the one at the last cut.
    resumable: Checkpoint,
    /// Target bytes of the checkpoint that was asked for last, and when that was.
    asked: (u64, Instant),
    begun: Instant,
    elapsed_before_ms: u64,
    seen: Seen,
    ids: Appender,
    /// What is about to be written; none in a dry run.
    journal: Option<Journal>,
    rejects: RejectFiles,
    /// The state at each cut that is not written yet; none at one that is not resumed from.
    cuts: VecDeque<Option<Checkpoint>>,
    /// Target bytes since the last cut.
    since_cut: usize,
    file_bytes_read: u64,
    batches: u64,
    /// Documents that an earlier process got to.
    furthest: u64,
    known: Known,
    hold: Hold,
    /// How many documents there are before the first one that the source gives.
    first: u64,
}

impl<'e, S: Sink + ?Sized> Engine<'e, S> {
    /// Takes up a run at a checkpoint; `first` is how many documents there are before the first
    /// one that the source gives.
    pub(crate) fn new(
        context: &'e Context<'e>,
        sink: &'e mut S,
        observer: &'e mut dyn Observer,
        (from, first): (Checkpoint, u64),
        members: Option<Box<dyn Members>>,
    ) -> Result<Self, RunError> {
        let folder = context.folder;
        let from = Checkpoint { in_flight: context.plan.options.in_flight, ..from };
        let end = from.source.count;
        let tail = if sink.is_undone_by_position() { Tail::Undone } else { Tail::Stands };
        let journal = match context.plan.apply {
            true => Some(Journal::open(folder, from.journal, tail)?),
            false => None,
        };
        Ok(Engine {
            context,
            sink,
            observer,
            hash: if first == end {
                SourceHash::from_hex(&from.source_hash)
            } else {
                SourceHash::default()
            },
            resumable: from.clone(),
            asked: (from.totals.bytes_mapped, Instant::now()),
            begun: Instant::now(),
            elapsed_before_ms: from.elapsed_ms,
            seen: read_ids(folder, &from)?,
            ids: Appender::open(folder.files(), &folder.ids_file(), from.ids * 16)?,
            journal,
            rejects: RejectFiles::open(folder, from.rejects)?,
            cuts: VecDeque::new(),
            since_cut: 0,
            file_bytes_read: 0,
            batches: 0,
            furthest: from.furthest,
            known: Known { end, hash: from.source_hash.clone(), seen: first },
            hold: Hold::new(folder, &context.plan.run, members)?,
            first,
            now: from,
        })
    }

    /// Reads the source to its end, or as far as it goes.
    pub(crate) fn run(mut self, opened: &mut Opened) -> Result<Outturn, RunError> {
        let mut files = self.rejects.handles()?;
        files.push(self.ids.handle()?);
        if let Some(journal) = &self.journal {
            files.extend(journal.handles()?);
        }
        let folder = self.context.folder.clone();
        let mut saver = Saver::start(Saving { sink: self.sink.syncer()?, files, folder });
        let plan = self.context.plan;
        let context = self.context;
        let size = BatchSize::new(self.hold.limits(self.context.batch));
        let options = PipelineOptions {
            mapping: plan.options.mapping(),
            batch: &size,
            jobs: context.jobs,
            first: self.first,
            known: self.known.end,
            documents_max: plan.limit.filter(|_| context.only.is_none()),
            only: context.only.as_ref(),
            hash_targets: plan.apply,
            stop: context.stop,
        };
        let source = opened.source.as_mut();
        let ended =
            pipeline::run(source, &options, |steps| self.take_steps(steps, &size, &mut saver));
        // A save that is under way ends before anything else is written down.
        let saving = saver.end();
        let (ended, saving) = (ended?, saving?);
        // What lies after the last cut is written too, so that the target holds all there is;
        // a resumed run continues at the cut, and writes the rest again.
        let is_at_end = matches!(ended, Ended::AtEnd);
        if self.sink.cut_bytes().is_some() {
            self.cut(is_at_end)?;
            self.take_written_cuts(true)?;
        } else if is_at_end {
            self.mark_resumable();
        }
        self.flush()?;
        let mut checkpoint = self.measured();
        checkpoint.furthest = self.now.source.count.max(self.furthest);
        Ok(Outturn { ended, checkpoint, saving })
    }

    fn take_steps(
        &mut self,
        steps: &mut Steps<'_>,
        size: &BatchSize,
        saver: &mut Saver,
    ) -> Result<Ended, RunError> {
        loop {
            if let Some(ended) = self.obey(size, saver)? {
                return Ok(ended);
            }
            let wait = if self.cuts.is_empty() { LOOK_EVERY } else { CUT_WAIT };
            // A source may be slow: what is compressed meanwhile is written.
            if !steps.is_ready_within(wait) {
                self.save_if_due(saver)?;
                continue;
            }
            match steps.next() {
                Step::Batch(batch) => {
                    let begun = Instant::now();
                    let before = (self.now.totals.documents.read, self.now.totals.bytes_mapped);
                    let ended = self.take_batch(&batch)?;
                    self.took(begun, before);
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

    fn is_stopped(&self) -> bool {
        self.context.stop.load(Ordering::Relaxed)
    }

    /// The state after the last document becomes one that can be resumed from.
    fn mark_resumable(&mut self) {
        // While documents are seen again, the state to resume from stays the one taken up.
        if self.known.are_seen() {
            self.now.target = self.sink.position();
            self.resumable = self.snapshot();
        }
    }

    /// The state after the last document, but for the position in the target.
    fn snapshot(&mut self) -> Checkpoint {
        self.now.source_hash = self.hash.hex();
        self.now.rejects = self.rejects.lengths();
        self.now.journal = self.journal.as_ref().map(Journal::lengths).unwrap_or_default();
        self.now.clone()
    }

    /// Has the target cut after the last document. That state can be resumed from when the cut is
    /// written, if it is to be.
    fn cut(&mut self, is_resumable: bool) -> Result<(), RunError> {
        self.sink.cut()?;
        self.since_cut = 0;
        let state = (is_resumable && self.known.are_seen()).then(|| self.snapshot());
        self.cuts.push_back(state);
        self.take_written_cuts(false)
    }

    /// Takes up where cuts were written.
    fn take_written_cuts(&mut self, is_waiting: bool) -> Result<(), RunError> {
        for target in self.sink.written_cuts(is_waiting)? {
            if let Some(state) = self.cuts.pop_front().flatten() {
                self.resumable = Checkpoint { target, ..state };
            }
        }
        Ok(())
    }

    fn save_if_due(&mut self, saver: &mut Saver) -> Result<(), RunError> {
        self.take_written_cuts(false)?;
        if let Some(saved) = saver.saved()? {
            self.tell(&saved);
        }
        let (asked_bytes, asked_at) = self.asked;
        let bytes = self.resumable.totals.bytes_mapped;
        let due = bytes.saturating_sub(asked_bytes) >= self.context.checkpoint_bytes
            || asked_at.elapsed() >= CHECKPOINT_INTERVAL;
        if !due || saver.is_busy() || !self.known.are_seen() {
            return Ok(());
        }
        self.flush()?;
        saver.save(self.measured());
        self.asked = (bytes, Instant::now());
        Ok(())
    }

    /// The state to resume from, with the time and the memory that were spent.
    fn measured(&self) -> Checkpoint {
        let mut checkpoint = self.resumable.clone();
        checkpoint.elapsed_ms = self.elapsed_before_ms + millis(self.begun.elapsed());
        checkpoint.peak_rss_bytes = checkpoint.peak_rss_bytes.max(peak_rss_bytes());
        checkpoint.waiting = self.hold.waiting;
        checkpoint
    }

    /// Hands everything that the run has written of its own to the operating system.
    fn flush(&mut self) -> Result<(), RunError> {
        self.rejects.flush()?;
        self.ids.flush()?;
        if let Some(journal) = &mut self.journal {
            journal.flush()?;
        }
        Ok(())
    }

    fn tell(&mut self, saved: &Checkpoint) {
        let progress = Progress {
            totals: saved.totals.clone(),
            file_bytes_read: self.file_bytes_read,
            file_bytes_total: self.context.bytes_total,
            batch: self.batches,
            elapsed_ms: saved.elapsed_ms,
            waiting: saved.waiting,
        };
        self.observer.progress(&progress);
    }

    fn list_id(&mut self, key: &Key) -> Result<(), RunError> {
        self.ids.append(key)?;
        self.now.ids += 1;
        self.now.ids_sum = self.now.ids_sum.map(|sum| sum_with(sum, key));
        Ok(())
    }
}

/// A document's `_id` as a position keeps it: the element as BSON, in hex.
fn id_mark(document: &[u8]) -> Option<String> {
    let id = Document::new(document).get("_id").filter(|id| id.bytes.len() <= ID_BYTES_MAX)?;
    Some(raw::hex(&[id.kind]) + &raw::hex(id.bytes))
}

/// The jobs that a run had mapped, as its list of ids tells.
fn read_ids(folder: &RunFolder, from: &Checkpoint) -> Result<Seen, RunError> {
    let mut seen = Seen::new(folder.scratch(), HELD_MAX);
    let mut sum = 0;
    if from.ids > 0 {
        for key in Records::open(folder.files(), &folder.ids_file(), from.ids)? {
            let key = key?;
            sum = sum_with(sum, &key);
            seen.insert(key)?;
        }
    }
    if from.ids_sum.is_some_and(|written| written != sum) {
        let detail = "it is not as it was written: it was damaged, or edited".to_owned();
        return Err(RunError::State { path: folder.ids_file(), detail });
    }
    Ok(seen)
}

/// The sum over the keys of a list, with one more: a bit that changes in any of them changes it.
fn sum_with(sum: u64, key: &Key) -> u64 {
    let halves = key.chunks_exact(8).map(|half| half.try_into().map_or(0, u64::from_le_bytes));
    halves.fold(sum, |sum, half| sum.rotate_left(1).wrapping_add(half))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

//! How far a rollback is.

use std::time::{Duration, Instant};

use super::record::Record;
use super::wait::documents_of;
use crate::ends::Notes;
use crate::run::{RunError, RunFolder, Waiting, millis};

/// How often it is told, at most.
const EVERY: Duration = Duration::from_millis(200);

/// What a rollback does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It looks at the jobs of the run; nothing is changed.
    Looking,
    /// It takes documents back.
    TakingBack,
    /// Everything is taken back, and it reads the target once more.
    Checking,
}

/// How far a rollback is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What it does.
    pub phase: Phase,
    /// Jobs that were looked at, or documents that were taken back and that this is written down of.
    pub done: u64,
    /// Of so many, about.
    pub total: u64,
    /// Time spent by this process in this phase.
    pub elapsed_ms: u64,
    /// What it waits for.
    pub waiting: Option<Waiting>,
}

/// How far a rollback is that was begun, as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenBackSoFar {
    /// Documents that were deleted.
    pub documents: u64,
    /// Of so many, about.
    pub of: u64,
    /// Time spent with that, in all processes, in milliseconds.
    pub elapsed_ms: u64,
    /// Jobs that were edited, and are left as they are.
    pub kept: u64,
}

impl TakenBackSoFar {
    /// What is written down of the rollback of a run.
    ///
    /// # Errors
    /// Where its files cannot be used.
    pub fn read(folder: &RunFolder) -> Result<TakenBackSoFar, RunError> {
        let record = Record::read(folder, &folder.plan()?.run)?;
        let documents = record.documents.deleted;
        let of = documents_of(&folder.checkpoint()?).max(documents);
        let (elapsed_ms, kept) = (record.elapsed_ms, record.jobs.kept);
        Ok(TakenBackSoFar { documents, of, elapsed_ms, kept })
    }
}

/// Is told how a rollback goes on.
pub trait Observer: Notes {
    /// So far it is.
    fn progress(&mut self, progress: &Progress);
}

/// Tells an observer, not too often.
pub(super) struct Telling<'o> {
    observer: &'o mut dyn Observer,
    phase: Phase,
    done: u64,
    total: u64,
    begun: Instant,
    told: Instant,
}

impl<'o> Telling<'o> {
    pub(super) fn new(phase: Phase, total: u64, observer: &'o mut dyn Observer) -> Self {
        let begun = Instant::now();
        Telling { observer, phase, done: 0, total, begun, told: begun }
    }

    pub(super) fn note(&mut self, text: &str) {
        self.observer.note(text);
    }

    pub(super) fn add(&mut self, count: u64) {
        self.done += count;
        self.waits(None);
    }

    /// It waits for this, or for nothing.
    pub(super) fn waits(&mut self, waiting: Option<Waiting>) {
        if self.told.elapsed() >= EVERY {
            self.tell(waiting);
        }
    }

    /// It begins to read the target once more.
    pub(super) fn checks(&mut self) {
        self.phase = Phase::Checking;
        self.tell(None);
    }

    fn tell(&mut self, waiting: Option<Waiting>) {
        self.told = Instant::now();
        let elapsed_ms = millis(self.begun.elapsed());
        let (phase, done) = (self.phase, self.done);
        let total = self.total.max(done);
        self.observer.progress(&Progress { phase, done, total, elapsed_ms, waiting });
    }
}

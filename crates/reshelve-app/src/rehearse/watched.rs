//! What a rehearsal puts around its source and its commands: a source that stops the run that reads
//! it, or ends when the rehearsal is to; a watcher that repeats nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reshelve::ends::{
    Batch, BatchLimits, Damage, DamageKind, EndError, Opened, Origin, Place, PlannedSource, Source,
    SourceDescription,
};
use reshelve::rollback;
use reshelve::run::Progress;

use crate::handle::{Handle, Reading, Watcher};

/// Which part of a source is read before the run that reads it is interrupted: one in so many. What
/// was read before is read again when the run is resumed.
const READ_BEFORE: u64 = 16;
/// How often it is looked whether the rehearsal is to stop.
const LOOK: Duration = Duration::from_millis(20);

/// What a source does while it is read.
#[derive(Clone)]
pub(super) enum Way {
    /// After a part of its bytes, it sets this flag, which interrupts the run that reads it.
    Interrupts(Arc<AtomicBool>),
    /// Once this flag is set, it cannot be read on.
    EndsWith(Arc<AtomicBool>),
}

/// A source that is watched while it is read.
pub(super) struct Watched<'o> {
    pub(super) origin: &'o dyn Origin,
    pub(super) way: Way,
}

impl Origin for Watched<'_> {
    fn open(&self) -> Result<Opened, EndError> {
        let opened = self.origin.open()?;
        let name = opened.description.path.display().to_string();
        let source = WatchedSource { source: opened.source, way: self.way.clone(), name };
        Ok(Opened { source: Box::new(source), ..opened })
    }

    fn is_rewindable(&self) -> bool {
        self.origin.is_rewindable()
    }

    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), EndError> {
        self.origin.for_each_status(give)
    }

    fn planned(&self, description: &SourceDescription) -> PlannedSource {
        self.origin.planned(description)
    }
}

struct WatchedSource {
    source: Box<dyn Source>,
    way: Way,
    name: String,
}

impl Source for WatchedSource {
    fn fill(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Damage> {
        if let Way::EndsWith(stop) = &self.way
            && stop.load(Ordering::Relaxed)
        {
            return Err(Damage {
                kind: DamageKind::Io,
                name: self.name.clone(),
                place: Place::default(),
                detail: "the rehearsal was told to stop".to_owned(),
                earlier_in_doubt: false,
                source: None,
            });
        }
        let is_filled = self.source.fill(batch, limits)?;
        if let Way::Interrupts(stop) = &self.way {
            let total = self.source.bytes_total();
            // Of a source of an unknown size, the first batch.
            if total.is_none_or(|total| self.source.bytes_read() >= total / READ_BEFORE) {
                stop.store(true, Ordering::Relaxed);
            }
        }
        Ok(is_filled)
    }

    fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    fn bytes_total(&self) -> Option<u64> {
        self.source.bytes_total()
    }
}

/// Does something that is cancelled by a flag of its own, and also if the rehearsal is: whoever
/// waits for a server must not wait longer than the person at the terminal.
pub(super) fn stopping_too<R>(rehearsal: &Handle, own: &AtomicBool, work: impl FnOnce() -> R) -> R {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                if rehearsal.stop().load(Ordering::Relaxed) {
                    own.store(true, Ordering::Relaxed);
                }
                std::thread::sleep(LOOK);
            }
        });
        let result = work();
        is_done.store(true, Ordering::Relaxed);
        result
    })
}

/// Passes on what the commands of a rehearsal report, without what each of them would say of the
/// same source, and without the runs, which are no runs of the user.
pub(super) struct Backstage {
    pub(super) front: Handle,
}

impl Watcher for Backstage {
    fn note(&self, text: &str) {
        if !text.starts_with("note:") {
            self.front.watcher().note(text);
        }
    }

    fn progress(&self, progress: &Progress) {
        self.front.watcher().progress(progress);
    }

    fn taking_back(&self, progress: &rollback::Progress) {
        self.front.watcher().taking_back(progress);
    }

    fn reading(&self, reading: Reading) {
        self.front.watcher().reading(reading);
    }
}

//! Between two batches: what other processes ask, and what the throttle holds back.

use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Instant;

use super::super::RunError;
use super::super::control::Asked;
use super::super::hold::NAP;
use super::super::pace::Why;
use super::super::saver::Saver;
use super::super::states::State;
use super::{Ended, Engine};
use crate::ends::Sink;
use crate::pass::pipeline::BatchSize;

impl<S: Sink + ?Sized> Engine<'_, S> {
    /// Does what was asked since the last batch, and waits as long as the throttle says. Tells how
    /// the run ends, if it does not go on.
    pub(super) fn obey(
        &mut self,
        size: &BatchSize,
        saver: &mut Saver,
    ) -> Result<Option<Ended>, RunError> {
        let mut has_waited = false;
        loop {
            // What was read and is not written yet is read again by a resumed run.
            if self.is_stopped() {
                return Ok(Some(Ended::Interrupted));
            }
            self.look_at_control(size);
            match self.hold.asked {
                Asked::Cancel => {
                    // A reader that waits for a silent source ends too.
                    self.context.stop.store(true, Ordering::Relaxed);
                    return Ok(Some(Ended::Cancelled));
                }
                Asked::Pause => {
                    self.pause(size, saver)?;
                    continue;
                }
                Asked::Run => {}
            }
            let observer = &mut *self.observer;
            let Some(nap) = self.hold.nap(&mut |text| observer.note(text))? else { break };
            has_waited = true;
            sleep(nap);
            self.save_if_due(saver)?;
        }
        if !has_waited {
            self.hold.waiting = None;
        }
        Ok(None)
    }

    fn look_at_control(&mut self, size: &BatchSize) {
        let observer = &mut *self.observer;
        self.hold.look(&mut |text| observer.note(text));
        size.set(self.hold.limits(self.context.batch));
    }

    /// Waits until it is told to go on. Everything is checkpointed; the lock is kept.
    fn pause(&mut self, size: &BatchSize, saver: &mut Saver) -> Result<(), RunError> {
        let begun = Instant::now();
        self.hold.hold_back(Why::Pause, None, None);
        for state in [State::Pausing, State::Paused] {
            self.resumable.enter(state)?;
        }
        self.save_now(saver)?;
        while self.hold.asked == Asked::Pause && !self.is_stopped() {
            sleep(NAP);
            self.look_at_control(size);
        }
        // The time of a pause is no time of the run.
        self.begun += begun.elapsed();
        self.hold.waiting = None;
        self.resumable.enter(State::Running)?;
        self.save_now(saver)
    }

    /// Saves the state that can be resumed from, and returns when that is durable.
    fn save_now(&mut self, saver: &mut Saver) -> Result<(), RunError> {
        saver.wait()?;
        self.flush()?;
        saver.save(self.measured());
        if let Some(saved) = saver.wait()? {
            self.tell(&saved);
        }
        Ok(())
    }

    /// A batch that was begun then, after so many documents and bytes, is dealt with.
    pub(super) fn took(&mut self, begun: Instant, (documents, bytes): (u64, u64)) {
        let totals = &self.now.totals;
        let documents = totals.documents.read.saturating_sub(documents);
        self.hold.took(begun, documents, totals.bytes_mapped.saturating_sub(bytes));
    }
}

//! Between two batches: what other processes ask, and what the throttle holds back.

use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::super::control::{Asked, Throttle};
use super::super::pace::{Pace, Waiting, Why};
use super::super::run_folder::RunFolder;
use super::super::saver::Saver;
use super::super::states::State;
use super::super::{RunError, now_ms};
use super::{Ended, Engine};
use crate::ends::{BatchLimits, Sink};
use crate::pass::pipeline::BatchSize;

/// How often it is looked whether anybody asks anything.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The longest sleep: Ctrl-C and `control.json` are seen to after it.
const NAP: Duration = Duration::from_millis(100);
/// How often a target is asked how far its members are behind.
const ASK_LAG_EVERY: Duration = Duration::from_secs(1);

/// What is asked of a run, and what it has taken.
pub(super) struct Hold {
    asked: Asked,
    throttle: Throttle,
    pub(super) pace: Pace,
    looked: Instant,
    /// How far the target's slowest member was behind, and when it was asked.
    lag: Option<(Instant, Option<Duration>)>,
    /// What the run waits for, or was held back by before the batch in hand.
    pub(super) waiting: Option<Waiting>,
    /// Whether it was said that something cannot be told.
    is_said: bool,
}

impl Hold {
    pub(super) fn new(folder: &RunFolder, run: &str) -> Result<Self, RunError> {
        let control = folder.control_of(run)?;
        let mut pace = Pace::default();
        pace.set(control.throttle, Duration::ZERO);
        Ok(Hold {
            asked: control.asked,
            throttle: control.throttle,
            pace,
            looked: Instant::now(),
            lag: None,
            waiting: None,
            is_said: false,
        })
    }
}

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
            let lag = self.lag()?;
            let Some(wait) = self.hold.pace.wait(self.begun.elapsed(), lag) else { break };
            has_waited = true;
            self.held_back(wait.why, Some(wait.limit), wait.found);
            sleep(wait.rest.min(NAP));
            self.save_if_due(saver)?;
        }
        if !has_waited {
            self.hold.waiting = None;
        }
        Ok(None)
    }

    fn held_back(&mut self, why: Why, limit: Option<u64>, found: Option<u64>) {
        let before = self.hold.waiting.filter(|waiting| waiting.why == why);
        let since_ms = before.map_or_else(now_ms, |waiting| waiting.since_ms);
        self.hold.waiting = Some(Waiting { why, limit, found, since_ms });
    }

    fn look_at_control(&mut self, size: &BatchSize) {
        if self.hold.looked.elapsed() < LOOK_EVERY {
            return;
        }
        self.hold.looked = Instant::now();
        match self.context.folder.control_of(&self.context.plan.run) {
            Ok(control) => {
                self.hold.asked = control.asked;
                if control.throttle != self.hold.throttle {
                    self.hold.throttle = control.throttle;
                    self.hold.pace.set(control.throttle, self.begun.elapsed());
                    self.resize(size);
                }
            }
            // A file that somebody spoiled asks nothing; the run is as it was.
            Err(error) => self.say_once(&format!("warning: {error}: the run goes on as before")),
        }
    }

    /// Has the next batches hold what the throttle allows.
    pub(super) fn resize(&self, size: &BatchSize) {
        size.set(self.hold.pace.limits(self.context.batch));
    }

    /// Waits until it is told to go on. Everything is checkpointed; the lock is kept.
    fn pause(&mut self, size: &BatchSize, saver: &mut Saver) -> Result<(), RunError> {
        let begun = Instant::now();
        self.held_back(Why::Pause, None, None);
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

    /// How far the target is behind, where that holds the run back.
    fn lag(&mut self) -> Result<Option<Duration>, RunError> {
        if self.hold.throttle.max_lag_s.is_none() {
            return Ok(None);
        }
        if let Some((asked, lag)) = self.hold.lag
            && asked.elapsed() < ASK_LAG_EVERY
        {
            return Ok(lag);
        }
        let lag = self.sink.lag()?;
        self.hold.lag = Some((Instant::now(), lag));
        if lag.is_none() {
            self.say_once(
                "note: the target does not tell how far its members are behind, so --max-lag \
                 holds nothing back",
            );
        }
        Ok(lag)
    }

    fn say_once(&mut self, text: &str) {
        if !self.hold.is_said {
            self.hold.is_said = true;
            self.observer.note(text);
        }
    }

    /// A batch that was begun then is dealt with.
    pub(super) fn took(&mut self, begun: Duration, before: (u64, u64), size: &BatchSize) {
        let totals = &self.now.totals;
        let documents = totals.documents.read.saturating_sub(before.0);
        let bytes = totals.bytes_mapped.saturating_sub(before.1);
        self.hold.pace.took(begun, documents, bytes);
        self.resize(size);
    }

    /// The target has acknowledged a batch after this time.
    pub(super) fn wrote(&mut self, spent: Duration) {
        self.hold.pace.wrote(spent, self.begun.elapsed());
    }

    /// What a batch may hold at the start.
    pub(super) fn first_limits(&self) -> BatchLimits {
        self.hold.pace.limits(self.context.batch)
    }
}

//! What is asked of a process between two batches, and how long its throttle has it wait: for a run,
//! and for one that is taken back.

use std::time::{Duration, Instant};

use super::control::Asked;
use super::pace::{Pace, Waiting, Why};
use super::run_folder::RunFolder;
use super::{RunError, now_ms};
use crate::ends::{BatchLimits, EndError, Members};

/// How often it is looked whether anybody asks anything.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The longest sleep: Ctrl-C and `control.json` are seen to after it.
pub(crate) const NAP: Duration = Duration::from_millis(100);
/// How often a target is asked how far its members are behind.
const ASK_LAG_EVERY: Duration = Duration::from_secs(1);

/// What is asked of a process, and what it has taken.
pub(crate) struct Hold {
    folder: RunFolder,
    run: String,
    pub(crate) asked: Asked,
    pace: Pace,
    begun: Instant,
    looked: Instant,
    members: Option<Box<dyn Members>>,
    /// How far the slowest member was behind, and when it was asked.
    lag: Option<(Instant, Option<Duration>)>,
    /// What it waits for, or was held back by before the batch in hand.
    pub(crate) waiting: Option<Waiting>,
    /// Whether it was said that something cannot be told.
    is_said: bool,
}

impl Hold {
    pub(crate) fn new(
        folder: &RunFolder,
        run: &str,
        members: Option<Box<dyn Members>>,
    ) -> Result<Self, RunError> {
        let (control, _) = folder.control_or_anew(run)?;
        let mut pace = Pace::default();
        pace.set(control.throttle, Duration::ZERO);
        Ok(Hold {
            folder: folder.clone(),
            run: run.to_owned(),
            asked: control.asked,
            pace,
            begun: Instant::now(),
            looked: Instant::now(),
            members,
            lag: None,
            waiting: None,
            is_said: false,
        })
    }

    /// Looks whether anybody asks anything; not more often than is worth it.
    pub(crate) fn look(&mut self, note: &mut dyn FnMut(&str)) {
        if self.looked.elapsed() < LOOK_EVERY {
            return;
        }
        self.looked = Instant::now();
        match self.folder.control_of(&self.run) {
            Ok(control) => {
                self.asked = control.asked;
                self.pace.set(control.throttle, self.begun.elapsed());
            }
            // A file that somebody spoiled asks nothing: everything is as it was.
            Err(error) => self.say_once(&format!("warning: {error}: it asks nothing"), note),
        }
    }

    /// How long to sleep before the next batch; none if that may begin. After it, this is asked
    /// again: what it waits for may have changed.
    pub(crate) fn nap(&mut self, note: &mut dyn FnMut(&str)) -> Result<Option<Duration>, EndError> {
        let lag = self.lag(note)?;
        let Some(wait) = self.pace.wait(self.begun.elapsed(), lag) else { return Ok(None) };
        self.hold_back(wait.why, Some(wait.limit), wait.found);
        Ok(Some(wait.rest.min(NAP)))
    }

    /// It waits for this from now on, or still.
    pub(crate) fn hold_back(&mut self, why: Why, limit: Option<u64>, found: Option<u64>) {
        let before = self.waiting.filter(|waiting| waiting.why == why);
        let since_ms = before.map_or_else(now_ms, |waiting| waiting.since_ms);
        self.waiting = Some(Waiting { why, limit, found, since_ms });
    }

    /// How far the target is behind, where that holds anything back.
    fn lag(&mut self, note: &mut dyn FnMut(&str)) -> Result<Option<Duration>, EndError> {
        if !self.pace.minds_lag() {
            return Ok(None);
        }
        if let Some((asked, lag)) = self.lag
            && asked.elapsed() < ASK_LAG_EVERY
        {
            return Ok(lag);
        }
        let lag = match &mut self.members {
            Some(members) => members.lag()?,
            None => None,
        };
        self.lag = Some((Instant::now(), lag));
        if lag.is_none() {
            let text = "note: the target does not tell how far its members are behind, so \
                 --max-lag holds nothing back";
            self.say_once(text, note);
        }
        Ok(lag)
    }

    fn say_once(&mut self, text: &str, note: &mut dyn FnMut(&str)) {
        if !self.is_said {
            self.is_said = true;
            note(text);
        }
    }

    /// A batch that was begun then is dealt with.
    pub(crate) fn took(&mut self, begun: Instant, documents: u64, bytes: u64) {
        let begun = begun.saturating_duration_since(self.begun);
        self.pace.took(begun, documents, bytes);
    }

    /// The target has acknowledged a batch after this time.
    pub(crate) fn wrote(&mut self, spent: Duration) {
        self.pace.wrote(spent, self.begun.elapsed());
    }

    /// What a batch may hold under the throttle.
    pub(crate) fn limits(&self, usual: BatchLimits) -> BatchLimits {
        self.pace.limits(usual)
    }
}

//! What a rollback would do: found out in a thread of its own, one at a time, and kept for a while.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use reshelve_serve::runs::{Forecast, Looked};

use super::board::Heard;
use crate::failure::Failure;
use crate::handle::Watcher;

/// How long it is waited for at a time; then its progress is shown.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// How often it is looked whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long what was found out is shown again, without another look.
const KEPT_FOR: Duration = Duration::from_secs(30);

struct Look {
    run: String,
    /// What the run was like.
    seen: String,
    heard: Arc<Heard>,
    stop: Arc<AtomicBool>,
    found: Option<(Instant, Result<Forecast, Failure>)>,
}

/// The last look.
#[derive(Clone, Default)]
pub(super) struct Looks(Arc<Mutex<Option<Look>>>);

impl Looks {
    fn last(&self) -> MutexGuard<'_, Option<Look>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `work` finds out about a run that is as `seen`; what it found a moment ago, if that
    /// was about the same.
    pub(super) fn at(
        &self,
        run: &str,
        seen: &str,
        work: impl FnOnce(Arc<dyn Watcher>, Arc<AtomicBool>) -> Result<Forecast, Failure>
        + Send
        + 'static,
    ) -> Result<Looked, Failure> {
        if self.is_needed(run, seen)? {
            self.begin(run, seen, work)?;
        }
        let begun = Instant::now();
        loop {
            if let Some(look) = &*self.last()
                && look.run == run
            {
                match &look.found {
                    Some((_, found)) => return found.clone().map(|it| Looked::Ready(Box::new(it))),
                    None if begun.elapsed() >= WAIT_MAX => {
                        return Ok(Looked::Working(look.heard.progress().unwrap_or_default()));
                    }
                    None => {}
                }
            } else if begun.elapsed() >= WAIT_MAX {
                // Somebody else began a look at another run in the same moment.
                let message = "this server looks at another run";
                return Err(Failure::refused(message, crate::hints::LOOK_AGAIN));
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Whether another look is needed.
    fn is_needed(&self, run: &str, seen: &str) -> Result<bool, Failure> {
        let last = self.last();
        let Some(look) = &*last else { return Ok(true) };
        match &look.found {
            Some((at, _)) => Ok(look.run != run || look.seen != seen || at.elapsed() > KEPT_FOR),
            None if look.run == run => Ok(false),
            None => {
                let message = format!("this server looks at what to take back of {}", look.run);
                Err(Failure::refused(message, crate::hints::LOOK_AGAIN))
            }
        }
    }

    fn begin(
        &self,
        run: &str,
        seen: &str,
        work: impl FnOnce(Arc<dyn Watcher>, Arc<AtomicBool>) -> Result<Forecast, Failure>
        + Send
        + 'static,
    ) -> Result<(), Failure> {
        let (heard, stop) = (Arc::new(Heard::default()), Arc::<AtomicBool>::default());
        let (looks, watcher) = (self.clone(), Arc::clone(&heard) as Arc<dyn Watcher>);
        let flag = Arc::clone(&stop);
        let mut last = self.last();
        // Of two that come at once, one looks.
        if last.as_ref().is_some_and(|look| look.found.is_none()) {
            return Ok(());
        }
        let body = move || {
            let found = catch_unwind(AssertUnwindSafe(|| work(watcher, flag)));
            let found = found.unwrap_or_else(|_| Err(Failure::failed("it ended because of a bug")));
            if let Some(look) = &mut *looks.last() {
                look.found = Some((Instant::now(), found));
            }
        };
        let started = thread::Builder::new().name("look".to_owned()).spawn(body);
        started.map_err(|error| Failure::failed(error.to_string()))?;
        let (run, seen) = (run.to_owned(), seen.to_owned());
        *last = Some(Look { run, seen, heard, stop, found: None });
        Ok(())
    }

    /// Forgets what was found out: it was changed.
    pub(super) fn forget(&self) {
        let mut last = self.last();
        if last.as_ref().is_some_and(|look| look.found.is_some()) {
            *last = None;
        }
    }

    /// Stops a look.
    pub(super) fn close(&self) {
        if let Some(look) = &*self.last() {
            look.stop.store(true, Ordering::Relaxed);
        }
    }
}

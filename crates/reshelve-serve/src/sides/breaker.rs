//! Leaving a side alone for a while that takes long to fail: each request would wait for it before
//! the other side answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A failure that takes as long as this makes requests wait; a quick one costs them nothing.
pub(super) const SLOW: Duration = Duration::from_secs(1);
/// So many slow failures in a row open the breaker.
pub(super) const FAILURES_MAX: u32 = 3;
/// For so long the side is left alone then, before one request tries it again.
pub(super) const PAUSE: Duration = Duration::from_secs(30);

/// Whether a side is asked.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
    /// How often the side was left alone.
    pauses: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Until when nobody asks the side; none where everybody does.
    closed_until: Option<Instant>,
}

impl Breaker {
    /// Whether a request may ask the side. After a pause one may, and the others wait for what it
    /// finds, for as long as another pause.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.closed_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                state.closed_until = Some(now + PAUSE);
                true
            }
        }
    }

    /// Whether the side is left alone; if so, for how long still.
    pub(super) fn paused_for(&self, now: Instant) -> Option<Duration> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed_until.map(|until| until.saturating_duration_since(now))
    }

    /// Takes into account that the side has answered.
    pub(super) fn answered(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// Takes into account that the side has failed, after so long.
    pub(super) fn failed(&self, took: Duration, now: Instant) {
        if took < SLOW {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES_MAX {
            if state.closed_until.is_none() {
                self.pauses.fetch_add(1, Ordering::Relaxed);
            }
            state.closed_until = Some(now + PAUSE);
        }
    }

    /// How often the side was left alone.
    pub(super) fn pauses(&self) -> u64 {
        self.pauses.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_that_fails_slowly_is_left_alone_until_it_answers() {
        let breaker = Breaker::default();
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        for _ in 0..10 {
            breaker.failed(SLOW / 2, begun);
        }
        for _ in 1..FAILURES_MAX {
            breaker.failed(SLOW, begun);
        }
        assert!(breaker.may_ask(begun) && breaker.paused_for(begun).is_none());
        breaker.failed(SLOW, begun);
        // One that was asked before, and fails afterwards.
        breaker.failed(SLOW, begun);
        assert_eq!(
            (breaker.pauses(), breaker.paused_for(at(10))),
            (1, Some(PAUSE - at(10).duration_since(begun)))
        );
        assert!(!breaker.may_ask(at(29)));
        assert!(breaker.may_ask(at(30)));
        assert!(!breaker.may_ask(at(30)), "one request tries it");
        breaker.failed(SLOW, at(40));
        assert!(!breaker.may_ask(at(69)));
        assert!(breaker.may_ask(at(70)));
        breaker.answered();
        assert!(breaker.may_ask(at(70)) && breaker.may_ask(at(70)));
        assert_eq!((breaker.pauses(), breaker.paused_for(at(70))), (1, None));
        // A side that answers between two failures is not broken.
        breaker.failed(SLOW, at(71));
        breaker.failed(SLOW, at(71));
        breaker.answered();
        breaker.failed(SLOW, at(72));
        assert!(breaker.may_ask(at(72)));
    }
}

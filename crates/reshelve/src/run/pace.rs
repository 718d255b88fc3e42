//! How long a run waits before its next batch, so that it takes no more than its throttle allows.
//!
//! Nothing here reads a clock: times are spans since the run began.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::control::Throttle;
use super::millis;
use crate::ends::BatchLimits;

/// Over how many batches the time of a write is averaged.
const WRITES: usize = 10;
/// The longest that a run waits at a time because writes are slow.
const SLOW_WRITE_WAIT_MAX: Duration = Duration::from_secs(5);
/// A batch takes at most this part of what a second may take: what goes on is even then, and is
/// seen to.
const BATCHES_PER_S: u64 = 4;

/// Why a run waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It was told to pause.
    Pause,
    /// Documents in a second.
    MaxDocsPerS,
    /// Bytes in a second.
    MaxBytesPerS,
    /// Seconds that a member of the replica set is behind.
    MaxLag,
    /// Milliseconds that writes take.
    MaxWriteMs,
}

/// What a run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Why it waits.
    pub why: Why,
    /// The limit, in the unit that `why` names; none for a pause.
    pub limit: Option<u64>,
    /// What was found instead; none if the limit is a rate, which is kept.
    pub found: Option<u64>,
    /// Since when it has been held back for this, in milliseconds since 1970.
    pub since_ms: i64,
}

/// A reason to wait, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) why: Why,
    pub(crate) limit: u64,
    pub(crate) found: Option<u64>,
    pub(crate) rest: Duration,
}

/// Keeps account of what a run has taken.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    throttle: Throttle,
    /// When the next batch may begin, by documents and by bytes.
    docs_free_at: Duration,
    bytes_free_at: Duration,
    /// Until when it waits because writes were slow, and how slow.
    slow_until: Option<(Duration, u64)>,
    writes: VecDeque<Duration>,
    /// By which power of two batches are smaller, because writes are slow.
    halvings: u32,
}

impl Pace {
    /// From now on this throttle counts. What was taken before does not count against it.
    pub(crate) fn set(&mut self, throttle: Throttle, now: Duration) {
        if throttle == self.throttle {
            return;
        }
        *self = Pace { throttle, docs_free_at: now, bytes_free_at: now, ..Pace::default() };
    }

    /// Whether it matters how far the target is behind.
    pub(crate) fn minds_lag(&self) -> bool {
        self.throttle.max_lag_s.is_some()
    }

    /// What was taken between `begun` and now.
    pub(crate) fn took(&mut self, begun: Duration, documents: u64, bytes: u64) {
        let free_at = |free_at: Duration, count: u64, limit: Option<u64>| match limit {
            Some(limit) => free_at.max(begun) + share(count, limit),
            None => begun,
        };
        self.docs_free_at = free_at(self.docs_free_at, documents, self.throttle.max_docs_per_s);
        self.bytes_free_at = free_at(self.bytes_free_at, bytes, self.throttle.max_bytes_per_s);
    }

    /// A batch was acknowledged after this time.
    pub(crate) fn wrote(&mut self, spent: Duration, now: Duration) {
        let Some(limit) = self.throttle.max_write_ms.map(Duration::from_millis) else { return };
        self.writes.push_back(spent);
        if self.writes.len() > WRITES {
            self.writes.pop_front();
        }
        let count = u32::try_from(self.writes.len()).unwrap_or(1);
        let average = self.writes.iter().sum::<Duration>() / count.max(1);
        self.slow_until = None;
        if average > limit {
            let wait = (average - limit).min(SLOW_WRITE_WAIT_MAX);
            self.slow_until = Some((now + wait, millis(average)));
        }
        if self.writes.len() == WRITES {
            let halvings = match () {
                () if average > limit => (self.halvings + 1).min(20),
                () if average < limit / 2 => self.halvings.saturating_sub(1),
                () => self.halvings,
            };
            // Batches of another size take other times.
            if halvings != self.halvings {
                self.halvings = halvings;
                self.writes.clear();
            }
        }
    }

    /// How long the next batch has to wait, and why: the longest wait.
    pub(crate) fn wait(&self, now: Duration, lag: Option<Duration>) -> Option<Wait> {
        let Throttle { max_docs_per_s, max_bytes_per_s, max_lag_s, .. } = self.throttle;
        let until = |free_at: Duration| free_at.saturating_sub(now);
        let rate = |why, limit: Option<u64>, free_at| {
            Some(Wait { why, limit: limit?, found: None, rest: until(free_at) })
        };
        let slow = self.slow_until.and_then(|(until_then, found)| {
            let limit = self.throttle.max_write_ms?;
            let (found, rest) = (Some(found), until(until_then));
            Some(Wait { why: Why::MaxWriteMs, limit, found, rest })
        });
        let behind = max_lag_s.zip(lag).filter(|(limit, lag)| *lag > Duration::from_secs(*limit));
        let behind = behind.map(|(limit, lag)| {
            let found = Some(lag.as_secs());
            Wait { why: Why::MaxLag, limit, found, rest: Duration::from_secs(1) }
        });
        let waits = [
            rate(Why::MaxDocsPerS, max_docs_per_s, self.docs_free_at),
            rate(Why::MaxBytesPerS, max_bytes_per_s, self.bytes_free_at),
            slow,
            behind,
        ];
        let longest = waits.into_iter().flatten().max_by_key(|wait| wait.rest);
        longest.filter(|wait| !wait.rest.is_zero())
    }

    /// What a batch may hold under this throttle.
    pub(crate) fn limits(&self, usual: BatchLimits) -> BatchLimits {
        let most = |usual: usize, limit: Option<u64>| {
            let a_part = limit.map(|limit| usize::try_from(limit / BATCHES_PER_S));
            a_part.map_or(usual, |part| usual.min(part.unwrap_or(usual))) >> self.halvings
        };
        BatchLimits {
            docs_max: most(usual.docs_max, self.throttle.max_docs_per_s).max(1),
            bytes_max: most(usual.bytes_max, self.throttle.max_bytes_per_s).max(1),
        }
    }
}

/// The time that so many take, at so many a second.
fn share(count: u64, per_s: u64) -> Duration {
    let ns = u128::from(count) * 1_000_000_000 / u128::from(per_s.max(1));
    Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: BatchLimits = BatchLimits { docs_max: 1_000, bytes_max: 1 << 20 };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn of(throttle: Throttle) -> Pace {
        let mut pace = Pace::default();
        pace.set(throttle, ms(0));
        pace
    }

    #[test]
    fn without_a_throttle_nothing_waits_and_batches_are_as_usual() {
        let mut pace = Pace::default();
        pace.took(ms(0), 1 << 40, 1 << 60);
        pace.wrote(ms(60_000), ms(0));
        assert_eq!(pace.wait(ms(0), Some(ms(900_000))), None);
        assert_eq!(pace.limits(USUAL), USUAL);
    }

    #[test]
    fn a_rate_is_kept_however_the_batches_fall() {
        let mut pace = of(Throttle { max_docs_per_s: Some(100), ..Throttle::default() });
        let (mut now, mut taken) = (ms(0), 0);
        for batch in [1, 25, 7, 25, 25, 3, 25].into_iter().cycle().take(700) {
            if let Some(wait) = pace.wait(now, None) {
                assert_eq!((wait.why, wait.limit), (Why::MaxDocsPerS, 100));
                now += wait.rest;
            }
            pace.took(now, batch, 0);
            now += ms(2);
            taken += batch;
        }
        let at_most = 100.0 * now.as_secs_f64() + 25.0;
        assert!(taken as f64 <= at_most, "{taken} in {now:?}");
        assert!(taken as f64 >= at_most * 0.99, "{taken} in {now:?}");
    }

    #[test]
    fn time_that_was_not_used_is_not_made_up_for() {
        let mut pace = of(Throttle { max_bytes_per_s: Some(1_000), ..Throttle::default() });
        pace.took(ms(0), 1, 500);
        assert_eq!(pace.wait(ms(0), None).unwrap().rest, ms(500));
        // After an hour without a batch, two batches wait for each other as ever.
        pace.took(ms(3_600_000), 1, 500);
        assert_eq!(pace.wait(ms(3_600_000), None).unwrap().rest, ms(500));
    }

    #[test]
    fn slow_writes_are_waited_for_and_make_batches_smaller_until_they_are_fast() {
        let mut pace = of(Throttle { max_write_ms: Some(100), ..Throttle::default() });
        pace.wrote(ms(300), ms(1_000));
        let wait = pace.wait(ms(1_000), None).unwrap();
        assert_eq!((wait.why, wait.found, wait.rest), (Why::MaxWriteMs, Some(300), ms(200)));
        for _ in 0..9 {
            pace.wrote(ms(300), ms(1_000));
        }
        assert_eq!(pace.limits(USUAL).docs_max, 500);
        for _ in 0..10 {
            pace.wrote(ms(150), ms(2_000));
        }
        assert_eq!(pace.limits(USUAL).docs_max, 250);
        for _ in 0..10 {
            pace.wrote(ms(80), ms(3_000));
        }
        assert_eq!((pace.wait(ms(3_000), None), pace.limits(USUAL).docs_max), (None, 250));
        for _ in 0..20 {
            pace.wrote(ms(10), ms(4_000));
        }
        assert_eq!(pace.limits(USUAL), USUAL);
    }

    #[test]
    fn lag_is_waited_for_while_it_is_above_the_limit() {
        let pace = of(Throttle { max_lag_s: Some(5), ..Throttle::default() });
        let wait = pace.wait(ms(0), Some(ms(12_000))).unwrap();
        assert_eq!((wait.why, wait.limit, wait.found), (Why::MaxLag, 5, Some(12)));
        assert_eq!(pace.wait(ms(0), Some(ms(5_000))), None);
        assert_eq!(pace.wait(ms(0), None), None);
    }

    #[test]
    fn batches_are_small_enough_for_a_slow_rate_and_never_empty() {
        let pace = of(Throttle { max_docs_per_s: Some(40), ..Throttle::default() });
        assert_eq!(pace.limits(USUAL).docs_max, 10);
        let pace = of(Throttle { max_docs_per_s: Some(1), ..Throttle::default() });
        assert_eq!(pace.limits(USUAL).docs_max, 1);
    }
}

//! How fast a run has been lately, by the checkpoints that somebody saw who looks at it again and
//! again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::status::RunStatus;

/// The rate is that of this span of the run's time.
const RATE_MS: u64 = 10_000;
/// Checkpoints that are kept of a run, at most: more than a run writes in that span.
const SEEN_MAX: usize = 64;

/// What was seen of a run.
#[derive(Clone, Debug)]
pub struct Lately {
    /// The checkpoints of the last seconds.
    seen: VecDeque<Figures>,
    /// Whether these are the figures of its rollback.
    is_rollback: bool,
    /// When the last checkpoint was seen first.
    changed: Instant,
}

/// The time, the documents and the bytes that a rate is made of: of a rollback its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Figures {
    elapsed_ms: u64,
    documents: u64,
    bytes: u64,
}

/// What a run did in a span of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Did {
    /// Documents read; of a rollback, documents taken back.
    pub documents: u64,
    /// Bytes read; 0 of a rollback.
    pub bytes: u64,
    /// The span, in milliseconds.
    pub elapsed_ms: u64,
    /// Whether the span is that of the last seconds; else it is the whole time.
    pub is_recent: bool,
}

impl Default for Lately {
    fn default() -> Self {
        Lately { seen: VecDeque::new(), is_rollback: false, changed: Instant::now() }
    }
}

impl Lately {
    /// Keeps what a new checkpoint says.
    pub fn note(&mut self, status: &RunStatus) {
        let now = figures(status);
        if self.is_rollback != status.rollback.is_some() {
            self.is_rollback = status.rollback.is_some();
            self.seen.clear();
        }
        if self.seen.back() == Some(&now) {
            return;
        }
        self.changed = Instant::now();
        // A run that began again has read less than before.
        let is_back =
            |last: &Figures| last.elapsed_ms > now.elapsed_ms || last.documents > now.documents;
        if self.seen.back().is_some_and(is_back) {
            self.seen.clear();
        }
        self.seen.push_back(now);
        let is_old = |second: &Figures| second.elapsed_ms.saturating_add(RATE_MS) <= now.elapsed_ms;
        while self.seen.len() > 2 && (is_old(&self.seen[1]) || self.seen.len() > SEEN_MAX) {
            self.seen.pop_front();
        }
    }

    /// What the run did in the last seconds; in all of its time, until there are two checkpoints to
    /// compare.
    pub fn did(&self, status: &RunStatus) -> Did {
        let first = self.seen.front().filter(|_| self.seen.len() > 1);
        let (from, now) = (first.copied().unwrap_or_default(), figures(status));
        Did {
            documents: now.documents.saturating_sub(from.documents),
            bytes: now.bytes.saturating_sub(from.bytes),
            elapsed_ms: now.elapsed_ms.saturating_sub(from.elapsed_ms),
            is_recent: first.is_some(),
        }
    }

    /// How long no new checkpoint was seen.
    pub fn silent(&self) -> Duration {
        self.changed.elapsed()
    }
}

fn figures(status: &RunStatus) -> Figures {
    match &status.rollback {
        Some(back) => Figures { elapsed_ms: back.elapsed_ms, documents: back.documents, bytes: 0 },
        None => Figures {
            elapsed_ms: status.elapsed_ms,
            documents: status.documents.read,
            bytes: status.bytes_read,
        },
    }
}

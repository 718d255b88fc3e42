//! A run as a server's lists and measures show it.

use reshelve::run::{State, Why};
use reshelve_serve::runs::{Rate, Run, TakenBack, Waiting};

use super::known::{Known, is_into};
use super::{FOLLOWED_MAX, ServedRuns};
use crate::lately::{Did, Lately};
use crate::status::RunStatus;
use crate::text::{ratio, waiting};

/// States in which a run stays with what it has.
const STOPPED: [State; 5] =
    [State::Partial, State::Interrupted, State::Failed, State::Killed, State::Cancelled];

impl ServedRuns {
    pub(super) fn summary(&self, known: &Known, status: RunStatus) -> Run {
        let did = self.followed(&status);
        let rate = Rate {
            docs_per_s: ratio(did.documents.saturating_mul(1000), did.elapsed_ms),
            bytes_per_s: ratio(did.bytes.saturating_mul(1000), did.elapsed_ms),
            is_recent: did.is_recent,
        };
        Run {
            is_applied: status.applied,
            is_partial: STOPPED.iter().any(|state| state.as_str() == status.state),
            is_at_work: status.at_work,
            is_of_place: status.applied && is_into(self.target.as_ref(), &known.plan),
            left_ms: status.left_ms.or(status.rollback.and_then(|back| back.left_ms)),
            waiting: status.waiting.as_ref().map(|held| Waiting {
                words: waiting(held),
                since_ms: held.since_ms,
                lag_s: held.found.filter(|_| held.why == Why::MaxLag),
            }),
            told: status.asked,
            rollback: status
                .rollback
                .map(|back| TakenBack { documents: back.documents, of: back.of }),
            progressed_at_ms: known.folder.progressed_at_ms(),
            rate,
            id: status.run,
            retry_of: status.retry_of,
            state: status.state,
            reason: status.reason,
            begun_at: status.begun_at,
            source: status.source,
            target: status.target,
            documents: status.documents,
            events: status.events,
            bytes_read: status.bytes_read,
            bytes_written: status.bytes_written,
            elapsed_ms: status.elapsed_ms,
        }
    }

    /// What a run did lately, if somebody looked at it before; else in all of its time.
    fn followed(&self, status: &RunStatus) -> Did {
        let mut all = self.lately();
        if !status.at_work {
            all.remove(&status.run);
            return Lately::default().did(status);
        }
        if all.len() >= FOLLOWED_MAX && !all.contains_key(&status.run) {
            all.clear();
        }
        let lately = all.entry(status.run.clone()).or_default();
        lately.note(status);
        lately.did(status)
    }
}

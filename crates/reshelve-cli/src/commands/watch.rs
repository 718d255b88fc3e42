//! `reshelve status --watch`: follows a run that another process is at work on.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use reshelve::run::millis;
use reshelve_app::status::{Outcome, RunStatus};
use reshelve_app::text::{
    bytes_per_second, counted, moment, number, per_second, size, span, waiting,
};

use crate::printer::{self, Block, Printer};

/// How often a plain line is printed, at most; so long a run is silent before that is said.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);
/// The rate is that of this span of the run's time.
const RATE_MS: u64 = 10_000;

/// What is shown of a run.
pub(super) struct Watch {
    printer: Printer,
    /// Where standard output is a terminal.
    block: Option<Block>,
    printed: Option<Instant>,
    /// The checkpoints of the last seconds: the run's time, documents and bytes read.
    seen: VecDeque<(u64, u64, u64)>,
    /// Whether these are the figures of its rollback.
    is_rollback: bool,
    /// When the last checkpoint was seen first.
    changed: Instant,
}

impl Watch {
    pub(super) fn new(printer: Printer) -> Watch {
        let block = (printer.is_text() && printer::can_redraw()).then(Block::default);
        Watch {
            printer,
            block,
            printed: None,
            seen: VecDeque::new(),
            is_rollback: false,
            changed: Instant::now(),
        }
    }

    /// Shows the run as it is now.
    pub(super) fn show(&mut self, outcome: &Outcome) {
        self.note(&outcome.status);
        let lines = self.lines(&outcome.status);
        if let Some(block) = &mut self.block {
            block.show(&lines);
        } else if self.printed.is_none_or(|printed| printed.elapsed() >= PLAIN_INTERVAL) {
            self.printed = Some(Instant::now());
            self.printer.text(&lines.join(", "));
            self.printer.json(outcome);
            self.printer.flush();
        }
    }

    /// Makes room for the last word.
    pub(super) fn end(&mut self) {
        if let Some(block) = &mut self.block {
            block.clear();
        }
    }

    /// Keeps what a new checkpoint says.
    fn note(&mut self, status: &RunStatus) {
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
        if self.seen.back().is_some_and(|last| last.0 > now.0 || last.1 > now.1) {
            self.seen.clear();
        }
        self.seen.push_back(now);
        while self.seen.len() > 2 && self.seen[1].0 + RATE_MS <= now.0 {
            self.seen.pop_front();
        }
    }

    /// The run in a few short lines.
    fn lines(&self, status: &RunStatus) -> Vec<String> {
        let what = if status.applied { "run" } else { "dry run" };
        let documents = status.documents;
        let done = match &status.rollback {
            Some(back) => {
                let of = counted(back.of, "document");
                format!("{} of about {of} taken back", number(back.documents))
            }
            None => format!("{}, {}", counted(documents.read, "document"), size(status.bytes_read)),
        };
        let first = format!("{what} {}: {}", status.run, status.state);
        let mut lines = vec![first, done, self.rate(status)];
        if let Some(left_ms) = status.rollback.and_then(|back| back.left_ms) {
            lines.push(format!("{} left", span(left_ms)));
        }
        if documents.rejected > 0 && status.rollback.is_none() {
            lines.push(format!("{} rejected", number(documents.rejected)));
        }
        if let Some(left_ms) = status.left_ms {
            lines.push(format!("{} left", span(left_ms)));
        }
        if status.is_finishing {
            lines.push("removing what it replaced".to_owned());
        }
        if let Some(asked) = status.asked {
            lines.push(format!("told to {asked}"));
        }
        if let Some(held) = &status.waiting {
            lines.push(format!("waits: {}, since {}", waiting(held), moment(held.since_ms)));
        }
        let silent = self.changed.elapsed();
        if status.waiting.is_none() && silent >= PLAIN_INTERVAL {
            let silent_ms = millis(silent);
            lines.push(format!("no checkpoint for {}: its terminal says why", span(silent_ms)));
        }
        if self.block.is_some() {
            lines.iter_mut().skip(1).for_each(|line| line.insert_str(0, "  "));
            lines.push("  Ctrl-C ends this view, not the run".to_owned());
        }
        lines
    }

    /// How fast the run has been lately; on average, until there are two checkpoints to compare.
    fn rate(&self, status: &RunStatus) -> String {
        let first = match self.seen.front() {
            Some(first) if self.seen.len() > 1 => *first,
            _ => (0, 0, 0),
        };
        let now = figures(status);
        let elapsed_ms = now.0.saturating_sub(first.0);
        let documents = per_second(now.1.saturating_sub(first.1), elapsed_ms);
        if status.rollback.is_some() {
            return format!("{documents} documents/s");
        }
        let bytes = now.2.saturating_sub(first.2);
        format!("{documents} documents/s, {}", bytes_per_second(bytes, elapsed_ms))
    }
}

/// The time, the documents and the bytes that a rate is made of: of a rollback its own.
fn figures(status: &RunStatus) -> (u64, u64, u64) {
    match &status.rollback {
        Some(back) => (back.elapsed_ms, back.documents, 0),
        None => (status.elapsed_ms, status.documents.read, status.bytes_read),
    }
}

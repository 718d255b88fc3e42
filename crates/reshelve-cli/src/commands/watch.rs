//! `reshelve status --watch`: follows a run that another process is at work on.

use std::time::{Duration, Instant};

use reshelve::run::millis;
use reshelve_app::lately::{Did, Lately};
use reshelve_app::status::{Outcome, RunStatus};
use reshelve_app::text::{
    bytes_per_second, counted, moment, number, per_second, size, span, waiting,
};

use crate::printer::{self, Block, Printer};

/// How often a plain line is printed, at most; so long a run is silent before that is said.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// What is shown of a run.
pub(super) struct Watch {
    printer: Printer,
    /// Where standard output is a terminal.
    block: Option<Block>,
    printed: Option<Instant>,
    /// What was seen of the run.
    lately: Lately,
}

impl Watch {
    pub(super) fn new(printer: Printer) -> Watch {
        let block = (printer.is_text() && printer::can_redraw()).then(Block::default);
        Watch { printer, block, printed: None, lately: Lately::default() }
    }

    /// Shows the run as it is now.
    pub(super) fn show(&mut self, outcome: &Outcome) {
        self.lately.note(&outcome.status);
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
        let silent = self.lately.silent();
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
        let Did { documents, bytes, elapsed_ms, .. } = self.lately.did(status);
        let documents = per_second(documents, elapsed_ms);
        if status.rollback.is_some() {
            return format!("{documents} documents/s");
        }
        format!("{documents} documents/s, {}", bytes_per_second(bytes, elapsed_ms))
    }
}

//! Shows how a command progresses: a bar on a terminal, a plain line every few seconds elsewhere.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reshelve::run::{Plan, Progress, RunFolder, millis};
use reshelve_app::{Comparing, Handle, Reading, Watcher, rollback};

use crate::interrupt;
use crate::printer::{error_columns, has_terminal, note, shows_progress};
use crate::progress_line::{Compared, Line, Parts};

/// How often a plain line is printed.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// What is shown of a command; called from its threads.
#[derive(Default)]
pub(crate) struct View {
    shown: Mutex<Shown>,
    /// Is set by Ctrl-C, once the command can stop in order.
    stop: Arc<AtomicBool>,
}

struct Shown {
    bar: Option<ProgressBar>,
    begun: Instant,
    printed: Instant,
}

impl Default for Shown {
    fn default() -> Self {
        Shown { bar: None, begun: Instant::now(), printed: Instant::now() }
    }
}

impl View {
    /// A handle that reports to this view, and is cancelled by Ctrl-C.
    pub(crate) fn handle(self: &Arc<Self>) -> Handle {
        Handle::with_flag(Arc::clone(self) as Arc<dyn Watcher>, Arc::clone(&self.stop))
    }

    /// Removes the bar.
    pub(crate) fn end(&self) {
        if let Some(bar) = self.shown().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn show(&mut self, line: &impl Parts) {
        if !shows_progress() {
            return;
        }
        if let Some(bar) = &self.bar {
            bar.set_message(line.fitted(error_columns().map_or(80, usize::from)));
        } else if self.printed.elapsed() >= PLAIN_INTERVAL {
            self.printed = Instant::now();
            note(&line.whole());
        }
    }
}

impl Watcher for View {
    fn note(&self, text: &str) {
        match &self.shown().bar {
            Some(bar) => bar.suspend(|| note(text)),
            None => note(text),
        }
    }

    fn ready(&self) {
        if let Err(error) = interrupt::listen(&self.stop) {
            self.note(&format!("warning: cannot listen for Ctrl-C: {error}"));
        }
    }

    fn begun(&self, plan: &Plan, folder: &RunFolder, bytes_total: Option<u64>) {
        let what = if plan.apply { "run" } else { "dry run" };
        note(&format!("{what} {}  ({})", plan.run, folder.path().display()));
        let mut shown = self.shown();
        shown.bar = bar();
        if let Some(bar) = &shown.bar {
            let share = bytes_total.map(|total| (0, total));
            let line = Line { share, ..Line::default() };
            bar.set_message(line.fitted(error_columns().map_or(80, usize::from)));
        }
    }

    fn progress(&self, progress: &Progress) {
        self.shown().show(&Line::of(progress));
    }

    fn taking_back(&self, progress: &rollback::Progress) {
        let mut shown = self.shown();
        if shown.bar.is_none() {
            shown.bar = bar();
        }
        shown.show(progress);
    }

    fn comparing(&self, comparing: Comparing) {
        let mut shown = self.shown();
        if shown.bar.is_none() {
            shown.bar = bar();
        }
        let elapsed_ms = millis(shown.begun.elapsed());
        shown.show(&Compared { comparing, elapsed_ms });
    }

    fn step(&self, text: &str) {
        self.note(text);
        let mut shown = self.shown();
        // What follows has a rate of its own.
        shown.begun = Instant::now();
        if shown.bar.is_none() {
            shown.bar = bar();
        }
    }

    fn reading(&self, reading: Reading) {
        let mut shown = self.shown();
        if shown.bar.is_none() {
            shown.bar = bar();
        }
        let elapsed_ms = millis(shown.begun.elapsed());
        let line = Line {
            documents: reading.documents,
            bytes: reading.file_bytes,
            share: reading.file_bytes_total.map(|total| (reading.file_bytes, total)),
            elapsed_ms,
            ..Line::default()
        };
        shown.show(&line);
    }
}

/// A bar, if there is a terminal to show it on.
fn bar() -> Option<ProgressBar> {
    if !has_terminal() || !shows_progress() {
        return None;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
    // The line is made to fit; what is left over after the window has shrunk is cut, not wrapped.
    if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
        bar.set_style(style);
    }
    Some(bar)
}

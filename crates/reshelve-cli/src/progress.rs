//! Shows how a command progresses: a bar on a terminal, a plain line every few seconds elsewhere.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reshelve::run::{Plan, Progress, RunFolder};
use reshelve_app::text::{number, size, span};
use reshelve_app::{Handle, Reading, Watcher};

use crate::interrupt;
use crate::printer::{has_terminal, note};

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
    fn show(&mut self, file_bytes: u64, text: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_position(file_bytes);
            bar.set_message(text());
        } else if self.printed.elapsed() >= PLAIN_INTERVAL {
            self.printed = Instant::now();
            note(&text());
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
        self.shown().bar = bar(bytes_total);
    }

    fn progress(&self, progress: &Progress) {
        self.shown().show(progress.file_bytes_read, || line(progress));
    }

    fn reading(&self, reading: Reading) {
        let mut shown = self.shown();
        if shown.bar.is_none() {
            shown.bar = bar(reading.file_bytes_total);
        }
        let elapsed_ms = u64::try_from(shown.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let per_second = reading.file_bytes.saturating_mul(1000) / elapsed_ms.max(1);
        shown.show(reading.file_bytes, || {
            format!("{} documents, {}/s", number(reading.documents), size(per_second))
        });
    }
}

/// A bar, if there is a terminal to show it on.
fn bar(bytes_total: Option<u64>) -> Option<ProgressBar> {
    if !has_terminal() {
        return None;
    }
    let target = ProgressDrawTarget::stderr_with_hz(8);
    let bar = ProgressBar::with_draw_target(bytes_total, target);
    let template = match bytes_total {
        Some(_) => "{bar:30} {percent:>3} %  {bytes}/{total_bytes}  {msg}",
        None => "{spinner} {bytes}  {msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("#>-"));
    }
    bar.tick();
    Some(bar)
}

fn line(progress: &Progress) -> String {
    let documents = &progress.totals.documents;
    let per_second = progress.totals.bytes_read.saturating_mul(1000) / progress.elapsed_ms.max(1);
    let mut text = format!(
        "{} documents, {}/s, batch {}",
        number(documents.read),
        size(per_second),
        number(progress.batch)
    );
    if documents.rejected > 0 {
        text.push_str(&format!(", {} rejected", number(documents.rejected)));
    }
    if let Some(total) = progress.file_bytes_total
        && progress.file_bytes_read > 0
    {
        let left = total.saturating_sub(progress.file_bytes_read);
        let eta_ms = u128::from(progress.elapsed_ms) * u128::from(left)
            / u128::from(progress.file_bytes_read);
        text.push_str(&format!(", {} left", span(u64::try_from(eta_ms).unwrap_or(u64::MAX))));
    }
    text
}

//! Shows how a run goes on: a bar on a terminal, a plain line every few seconds elsewhere.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reshelve::ends::Notes;
use reshelve::run::{Observer, Plan, Progress, RunFolder};

use crate::printer::{has_terminal, note, number, size, span};

/// How often a plain line is printed.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Told by the engine after every checkpoint: what is shown is safe.
pub(crate) struct ProgressView {
    bar: Option<ProgressBar>,
    /// The folder of the run, once it has begun.
    folder: Option<PathBuf>,
    printed: Instant,
    quiet: bool,
}

impl ProgressView {
    pub(crate) fn new(quiet: bool) -> Self {
        ProgressView { bar: None, folder: None, printed: Instant::now(), quiet }
    }

    /// The folder of the run, once it has begun: from then on it can be resumed.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Takes the bar away.
    pub(crate) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Notes for ProgressView {
    fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note(text)),
            None => note(text),
        }
    }
}

impl Observer for ProgressView {
    fn begun(&mut self, plan: &Plan, folder: &RunFolder, bytes_total: Option<u64>) {
        self.folder = Some(folder.path().to_owned());
        if self.quiet {
            return;
        }
        let what = if plan.apply { "run" } else { "dry run" };
        note(&format!("{what} {}  ({})", plan.run, folder.path().display()));
        self.bar = bar(bytes_total);
    }

    fn progress(&mut self, progress: &Progress) {
        if self.quiet {
            return;
        }
        let text = line(progress);
        if let Some(bar) = &self.bar {
            bar.set_position(progress.file_bytes_read);
            bar.set_message(text);
        } else if self.printed.elapsed() >= PLAIN_INTERVAL {
            self.printed = Instant::now();
            note(&text);
        }
    }
}

/// A bar, where there is a terminal to show it on.
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

/// Shows how far a source is read by a command that writes nothing.
pub(crate) struct ReadingView {
    bar: Option<ProgressBar>,
    begun: Instant,
    printed: Instant,
}

impl ReadingView {
    /// Begins to show; `bytes_total` are the bytes of the source's file, where known.
    pub(crate) fn new(bytes_total: Option<u64>) -> Self {
        ReadingView { bar: bar(bytes_total), begun: Instant::now(), printed: Instant::now() }
    }

    /// So many documents and bytes of the source's file were read.
    pub(crate) fn read(&mut self, documents: u64, file_bytes: u64) {
        let elapsed_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let per_second = file_bytes.saturating_mul(1000) / elapsed_ms.max(1);
        let text = || format!("{} documents, {}/s", number(documents), size(per_second));
        if let Some(bar) = &self.bar {
            bar.set_position(file_bytes);
            bar.set_message(text());
        } else if self.printed.elapsed() >= PLAIN_INTERVAL {
            self.printed = Instant::now();
            note(&text());
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
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

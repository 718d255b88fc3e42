//! The only place that prints: data to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::OnceLock;

use reshelve_app::{Failure, Watcher};
use serde::Serialize;

/// How a command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    format: Format,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Printer { format: if json { Format::Json } else { Format::Text } }
    }

    /// A line of data. The reader may have closed the pipe: that is not an error.
    pub(crate) fn line(self, text: &str) {
        self.raw(text.as_bytes());
        self.raw(b"\n");
    }

    /// Data as it is.
    pub(crate) fn raw(self, bytes: &[u8]) {
        keep_first(std::io::stdout().write_all(bytes));
    }

    /// A line of data, if the answer is for people.
    pub(crate) fn text(self, text: &str) {
        if self.format == Format::Text {
            self.line(text);
        }
    }

    /// Whether the answer is for people.
    pub(crate) fn is_text(self) -> bool {
        self.format == Format::Text
    }

    /// Hands over what was printed so far: the reader waits for it while the command works.
    pub(crate) fn flush(self) {
        keep_first(std::io::stdout().flush());
    }

    /// The answer as JSON, if that was requested.
    pub(crate) fn json(self, value: &impl Serialize) {
        if self.format == Format::Json {
            let text = serde_json::to_string(value).unwrap_or_default();
            self.line(&text);
        }
    }

    /// Something to know that is not the answer.
    pub(crate) fn note(self, text: &str) {
        note(text);
    }
}

/// The first part of the answer that could not be written.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Keeps why a part of the answer was lost. A reader that has closed the pipe has had enough: that
/// is not an error.
fn keep_first(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        drop(LOST.set(error));
    }
}

/// Prints help or the version.
pub(crate) fn help(text: &clap::Error) {
    keep_first(text.print());
}

/// Hands over all that was printed.
///
/// # Errors
/// If a part of it could not be written: on a full disk, half an answer looks like a whole one.
pub(crate) fn finish() -> Result<(), Failure> {
    keep_first(std::io::stdout().flush());
    match LOST.get() {
        None => Ok(()),
        Some(error) => Err(Failure {
            hint: Some("the answer is not whole; what the command did, it has done".to_owned()),
            ..Failure::failed(format!("standard output cannot be written: {error}"))
        }),
    }
}

/// A line on standard error.
pub(crate) fn note(text: &str) {
    // If standard error is closed, there is nowhere left to report to.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Notes of a command that shows nothing else.
pub(crate) struct Notes;

impl Watcher for Notes {
    fn note(&self, text: &str) {
        note(text);
    }
}

/// An error, with what to do about it on a line of its own.
pub(crate) fn failure(failure: &Failure) {
    note(&masked(&format!("error: {}", failure.message)));
    if let Some(hint) = &failure.hint {
        note(&masked(&format!("hint: {hint}")));
    }
}

/// Text without the credentials of connection strings: messages quote command lines and settings
/// files.
pub(crate) fn masked(text: &str) -> String {
    const WORD: &str = "mongodb";
    // Lower case has the same length for what is looked for; other letters do not matter.
    let lower = text.to_ascii_lowercase();
    let mut out = String::new();
    let mut at = 0;
    while let Some(found) = lower[at..].find(WORD) {
        let begin = at + found + WORD.len();
        out.push_str(&text[at..begin]);
        let rest = &text[begin..];
        let end =
            rest.find(|c: char| c.is_whitespace() || "\"'`".contains(c)).unwrap_or(rest.len());
        at = begin;
        if rest.starts_with([':', '+'])
            && let Some(host) = rest[..end].rfind('@')
        {
            let scheme = rest.find(':').unwrap_or(0);
            let slashes = rest[scheme + 1..host].bytes().take_while(|byte| *byte == b'/').count();
            out.push_str(&rest[..scheme + 1 + slashes]);
            out.push_str("***");
            at = begin + host;
        }
    }
    out.push_str(&text[at..]);
    out
}

/// A few lines on a terminal that are shown in place of the ones before; standard output must be
/// one that can do so.
#[derive(Default)]
pub(crate) struct Block {
    rows: usize,
}

impl Block {
    /// Shows these lines, each cut to the width of the terminal: a line that wraps would take more
    /// rows than are cleared for the next ones.
    pub(crate) fn show(&mut self, lines: &[String]) {
        let width = columns().map_or(80, usize::from);
        let mut text = self.cleared();
        for line in lines {
            text.extend(line.chars().take(width.saturating_sub(1)));
            text.push('\n');
        }
        self.rows = lines.len();
        keep_first(std::io::stdout().write_all(text.as_bytes()));
        keep_first(std::io::stdout().flush());
    }

    /// Removes the lines.
    pub(crate) fn clear(&mut self) {
        keep_first(std::io::stdout().write_all(self.cleared().as_bytes()));
        self.rows = 0;
    }

    /// Moves up to the first line, and clears everything from there.
    fn cleared(&self) -> String {
        match self.rows {
            0 => String::new(),
            rows => format!("\x1b[{rows}A\r\x1b[J"),
        }
    }
}

/// Whether standard output is a terminal on which lines can be shown in place of others.
pub(crate) fn can_redraw() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    std::io::stdout().is_terminal() && !is_dumb
}

/// Whether standard error is a terminal that can show a bar.
pub(crate) fn has_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Columns of standard output, if it is a terminal.
pub(crate) fn columns() -> Option<u16> {
    width(&std::io::stdout())
}

/// Columns of standard error, if it is a terminal.
pub(crate) fn error_columns() -> Option<u16> {
    width(&std::io::stderr())
}

fn width(stream: &(impl IsTerminal + AsFd)) -> Option<u16> {
    let size = stream.is_terminal().then(|| rustix::termios::tcgetwinsize(stream).ok())??;
    (size.ws_col > 0).then_some(size.ws_col)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked() {
        for (text, expected) in [
            ("'mongodb://u:p@h/db' and x@y", "'mongodb://***@h/db' and x@y"),
            ("mongodb+srv://u:p@s@h", "mongodb+srv://***@h"),
            ("mongodb://h/db", "mongodb://h/db"),
            ("MongoDB://u:p@h", "MongoDB://***@h"),
            ("mongodb:/u:p?x@h", "mongodb:/***@h"),
            ("a mongodb of mongodb://u:p@h", "a mongodb of mongodb://***@h"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }
}

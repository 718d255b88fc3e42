//! The only place that prints: data to standard output, everything else to standard error.

mod colour;
mod terminal;
mod wrap;

use std::io::{self, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use reshelve_app::text::plain;
use reshelve_app::{Failure, Watcher};
use serde::Serialize;

use crate::next::Next;

pub(crate) use colour::{Colour, Tone, toned};
pub(crate) use terminal::{Block, can_redraw, columns, error_columns, has_terminal};

use colour::toned_note;

/// How much is said beside the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Errors only.
    Quiet,
    /// Notes and warnings too.
    #[default]
    Normal,
    /// And where settings come from.
    Verbose,
}

/// Whether it is shown how a command progresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is.
    #[default]
    Shown,
    /// It is not.
    Hidden,
}

/// How everything is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looks {
    pub(crate) voice: Voice,
    pub(crate) progress: Progress,
    pub(crate) colour: Colour,
    /// Whether a failure is a document too.
    pub(crate) failures: Format,
}

static LOOKS: Mutex<Looks> = Mutex::new(Looks {
    voice: Voice::Normal,
    progress: Progress::Shown,
    colour: Colour::Auto,
    failures: Format::Text,
});

/// From now on everything is printed like this.
pub(crate) fn set(looks: Looks) {
    *LOOKS.lock().unwrap_or_else(PoisonError::into_inner) = looks;
}

fn looks() -> Looks {
    *LOOKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it is shown how a command progresses.
pub(crate) fn shows_progress() -> bool {
    looks().progress == Progress::Shown && looks().voice != Voice::Quiet
}

/// Whether more is to be said than most people need.
pub(crate) fn is_verbose() -> bool {
    looks().voice == Voice::Verbose
}

/// How a command answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    #[default]
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

    /// Lines of data, if the answer is for people.
    pub(crate) fn text(self, text: &str) {
        if self.format == Format::Text {
            match columns() {
                Some(columns) => self.line(&wrap::wrapped(text, usize::from(columns))),
                None => self.line(text),
            }
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

    /// What to do next, for people who read the answer.
    pub(crate) fn next(self, next: &Next) {
        if self.format == Format::Text
            && let Some(line) = next.line()
        {
            note(&format!("\nNext: {line}"));
        }
    }

    /// Something that went wrong, although there is an answer.
    pub(crate) fn error(self, text: &str) {
        error(text);
    }

    /// What to do about it.
    pub(crate) fn hint(self, text: &str) {
        hint(text);
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

/// Something to know that is not the answer: a line on standard error, unless only errors are
/// wanted.
pub(crate) fn note(text: &str) {
    if looks().voice == Voice::Quiet {
        return;
    }
    match text.strip_prefix("warning:") {
        Some(rest) => on_stderr(&(toned_note(Tone::Careful, "warning:") + rest)),
        None => on_stderr(text),
    }
}

/// That something was changed, and by whom: a line on standard error, whatever is wanted.
pub(crate) fn audit(text: &str) {
    on_stderr(&format!("audit: {}", masked(text)));
}

/// What went wrong.
pub(crate) fn error(text: &str) {
    on_stderr(&format!("{} {}", toned_note(Tone::Bad, "error:"), masked(text)));
}

/// What to do about it.
pub(crate) fn hint(text: &str) {
    on_stderr(&format!("{} {}", toned_note(Tone::Good, "hint:"), masked(text)));
}

fn on_stderr(text: &str) {
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

/// An error, with what to do about it on a line of its own; and as a document, if an answer in JSON
/// was asked for.
pub(crate) fn failure(failure: &Failure) {
    // Names in it may be other people's; some messages have several lines.
    let lines: Vec<String> = failure.message.split('\n').map(plain).collect();
    error(&lines.join("\n"));
    if let Some(text) = &failure.hint {
        hint(text);
    }
    failure_document(failure);
}

/// A faulty command line, in the parser's words; as JSON, in those of the failure.
pub(crate) fn faulty_command_line(words: &str, origin: Option<&str>, failure: &Failure) {
    match words.strip_prefix("error: ") {
        Some(words) => error(words),
        None => on_stderr(words),
    }
    if let Some(origin) = origin {
        hint(origin);
    }
    failure_document(failure);
}

fn failure_document(failure: &Failure) {
    if looks().failures == Format::Json {
        let hint = failure.hint.as_deref().map(masked);
        let failure = Failure { message: masked(&failure.message), hint, code: failure.code };
        Printer { format: Format::Json }.json(&failure);
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
    without_options(&out)
}

/// The options of a connection string may be secret too.
fn without_options(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.to_ascii_lowercase().find("mongodb") {
        let (before, found) = rest.split_at(begin);
        let end = found.find(|c: char| c.is_whitespace() || c == '\'').unwrap_or(found.len());
        out.push_str(before);
        let (string, after) = found.split_at(end);
        match string.split_once('?') {
            Some((place, _)) if place.contains(':') => {
                out.push_str(place);
                out.push_str("?***");
            }
            _ => out.push_str(string),
        }
        rest = after;
        if string.is_empty() {
            break;
        }
    }
    out.push_str(rest);
    out
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
            ("'mongodb://h/db?tlsKey=S&x=y' is", "'mongodb://h/db?***' is"),
            ("mongodb://u:p@h/db?a=S or not?", "mongodb://***@h/db?*** or not?"),
            ("a mongodb of mongodb://u:p@h", "a mongodb of mongodb://***@h"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }
}

//! The only place that prints: data to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;

/// How a command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    pub(crate) format: Format,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Printer { format: if json { Format::Json } else { Format::Text } }
    }

    /// A line of data. Whoever reads may have heard enough: a closed pipe is no error.
    pub(crate) fn line(self, text: &str) {
        self.raw(text.as_bytes());
        self.raw(b"\n");
    }

    /// Data as it is.
    pub(crate) fn raw(self, bytes: &[u8]) {
        drop(std::io::stdout().write_all(bytes));
    }

    /// Whether the answer is to be JSON.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// A line of data where the answer is for people.
    pub(crate) fn text(self, text: &str) {
        if self.format == Format::Text {
            self.line(text);
        }
    }

    /// The answer as JSON, where that was asked for.
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

/// A line on standard error.
pub(crate) fn note(text: &str) {
    // There is nobody left to tell where standard error is closed.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// An error, with what to do about it on a line of its own.
pub(crate) fn failure(failure: &Failure) {
    note(&masked(&format!("error: {}", failure.message)));
    if let Some(hint) = &failure.hint {
        note(&masked(&format!("hint: {hint}")));
    }
}

/// Text without the credentials of connection strings: what is wrong with a command line or a
/// settings file is told by quoting it.
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

/// Whether standard error is a terminal that can show a bar.
pub(crate) fn has_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Columns of standard output, where it is a terminal.
pub(crate) fn columns() -> Option<u16> {
    let stdout = std::io::stdout();
    let size = stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok())??;
    (size.ws_col > 0).then_some(size.ws_col)
}

/// Text of a document made safe for a terminal: control characters are shown, not obeyed.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped: Box<dyn Iterator<Item = char>> = if c.is_control() {
                Box::new(c.escape_default())
            } else {
                Box::new([c].into_iter())
            };
            escaped
        })
        .collect()
}

/// A number with its thousands apart.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut rest = bytes;
    let mut tenths = 0;
    while rest >= 1024 && unit + 1 < UNITS.len() {
        tenths = (rest % 1024) * 10 / 1024;
        rest /= 1024;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{rest}.{tenths} {}", UNITS[unit]) }
}

/// A span of time for people.
pub(crate) fn span(elapsed_ms: u64) -> String {
    let seconds = elapsed_ms / 1000;
    match seconds {
        0..10 => format!("{}.{:02} s", seconds, elapsed_ms % 1000 / 10),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_easy_to_read() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1_234_567), "1 234 567");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_572_864), "1.5 MiB");
        assert_eq!(span(1_234), "1.23 s");
        assert_eq!(span(3_725_000), "62 min 5 s");
        assert_eq!(plain("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
    }

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

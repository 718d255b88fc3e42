//! What is known of the terminal, and what can only be shown on one.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;

use super::keep_first;

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

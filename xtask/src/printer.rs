//! The only place of the task runner that prints.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is the purpose here")]

/// A line for the reader of the log.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// The head of a part of the run.
pub(crate) fn heading(text: &str) {
    println!("\n== {text}");
}

/// Something that stopped the task runner itself.
pub(crate) fn error(text: &str) {
    eprintln!("error: {text}");
}

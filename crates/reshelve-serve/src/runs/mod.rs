//! The seam to runs: what the pages and the measures of a server need to know of them, and what can
//! be done to them. Who starts a server implements [`Runs`]; the server only shows what it is told,
//! and renders nothing of it as markup.

mod confirming;
mod control;
mod parity;

use std::fmt;

pub use reshelve::run::{DocumentCounts, Throttle};

pub use confirming::Confirming;
pub use control::{
    Change, Command, Edited, Ended, Forecast, InFlight, Looked, Offer, Refused, RefusedKind, Task,
};
pub use parity::{Answers, Checked, DeltaBucket, Figures, RouteAnswers, Said};

/// The runs that a server knows. Its methods read files: they are called away from the threads that
/// serve connections.
pub trait Runs: Send + Sync {
    /// The runs from the newest one on, after so many newer ones; at most `count`.
    ///
    /// # Errors
    /// If the run folders cannot be read; as a sentence.
    fn newest(&self, after: u64, count: usize) -> Result<RunList, String>;

    /// One run, by its whole id; none if there is none.
    ///
    /// # Errors
    /// If its files cannot be used; as a sentence.
    fn run(&self, id: &str) -> Result<Option<RunPage>, String>;

    /// Rejects of a run in source order, after so many others; at most `count`. None if there is no
    /// such run.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    fn rejects(&self, id: &str, after: u64, count: usize) -> Result<Option<RejectList>, String>;

    /// A reject with its document, by its place in the list, from 0; none if there is none.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    fn reject(&self, id: &str, at: u64) -> Result<Option<RejectedDocument>, String>;

    /// One of the [files](RunPage::files) of a run, by its name; none if there is none.
    ///
    /// # Errors
    /// If it cannot be read, or is too long.
    fn file(&self, id: &str, name: &str) -> Result<Option<RunFile>, String>;

    /// What is known of the parity of the newest runs that wrote something; at most `count`, newest
    /// first. It reads what reports say, and neither side.
    ///
    /// # Errors
    /// If the run folders cannot be read; as a sentence.
    fn checked(&self, count: usize) -> Result<Vec<Checked>, String>;

    /// The same of one run, by its whole id; none if there is none.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    fn checked_run(&self, id: &str) -> Result<Option<Checked>, String>;

    /// What a run is like, as far as it matters to a command: what was looked at holds as long as
    /// this stays the same.
    ///
    /// # Errors
    /// If there is no such run, or its files cannot be used.
    fn seen(&self, id: &str, command: Command) -> Result<String, Refused>;

    /// What a command would do. It changes nothing.
    ///
    /// # Errors
    /// If the command is not legal now, or that cannot be found out.
    fn look(&self, id: &str, change: &Change) -> Result<Looked, Refused>;

    /// Carries out a command, or begins it, for a reason that is kept; says what it did.
    ///
    /// # Errors
    /// If the command is not legal now, or fails.
    fn make(&self, id: &str, change: &Change, reason: &str) -> Result<String, Refused>;
}

/// Some runs, newest first.
#[derive(Clone, Debug, Default)]
pub struct RunList {
    /// These.
    pub runs: Vec<Run>,
    /// How many there are in all.
    pub total: u64,
    /// Where they were looked for, for people.
    pub looked_in: Vec<String>,
    /// What could not be read, a sentence each.
    pub unreadable: Vec<String>,
}

/// A run, as lists and measures show it.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Its id: letters, digits, dashes.
    pub id: String,
    /// Whether it writes; else it is a dry run.
    pub is_applied: bool,
    /// The run whose rejects it takes again.
    pub retry_of: Option<String>,
    /// The state in which it is found, in a word.
    pub state: &'static str,
    /// Why it stopped.
    pub reason: Option<String>,
    /// Whether it covers a part of its source only, and will not cover more by itself.
    pub is_partial: bool,
    /// Whether a process is at work on it, or waits.
    pub is_at_work: bool,
    /// When it was begun, as ISO text in UTC.
    pub begun_at: String,
    /// The source, without credentials.
    pub source: String,
    /// The target, without credentials.
    pub target: String,
    /// Whether its target is what is served.
    pub is_of_place: bool,
    /// What became of its documents, up to the last checkpoint.
    pub documents: DocumentCounts,
    /// Events of the mapped documents.
    pub events: u64,
    /// Bytes of the source documents read.
    pub bytes_read: u64,
    /// Bytes of the target documents written.
    pub bytes_written: u64,
    /// Time spent, in all processes of the run, in milliseconds.
    pub elapsed_ms: u64,
    /// How fast it is.
    pub rate: Rate,
    /// Time left, in milliseconds, if that can be told.
    pub left_ms: Option<u64>,
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// What it was told and has not done yet.
    pub told: Option<&'static str>,
    /// How far its rollback is, while it is taken back.
    pub rollback: Option<TakenBack>,
    /// When its last checkpoint was written, in milliseconds since 1970.
    pub progressed_at_ms: Option<i64>,
}

/// How fast a run is; of a rollback, documents taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Documents in a second.
    pub docs_per_s: f64,
    /// Bytes read in a second.
    pub bytes_per_s: f64,
    /// Whether that is of the last seconds; else it is the average.
    pub is_recent: bool,
}

/// What a run waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// That in a few words.
    pub words: String,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
    /// How far replication is behind, in seconds, if that is why.
    pub lag_s: Option<u64>,
}

/// How far a rollback is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenBack {
    /// Documents of the target that were taken back.
    pub documents: u64,
    /// Of so many, about.
    pub of: u64,
}

/// Everything that the page of a run shows.
#[derive(Clone, Debug, Default)]
pub struct RunPage {
    /// The run.
    pub run: Run,
    /// Its folder.
    pub folder: String,
    /// What was decided, with which version: names and values.
    pub facts: Vec<(&'static str, String)>,
    /// The limits that it keeps, in words; none if it keeps none.
    pub limits: Option<String>,
    /// Warnings by code.
    pub warnings: Vec<Coded>,
    /// Rejects by code.
    pub rejects: Vec<Coded>,
    /// What its journal holds, if it writes.
    pub journal: Option<Journal>,
    /// Files that can be looked at.
    pub files: Vec<FileName>,
    /// A command line that writes a report, if there is something to report.
    pub report_with: Option<String>,
    /// Commands that the run can be given in its state.
    pub offers: Vec<Offer>,
    /// What this server does with it.
    pub task: Option<Task>,
    /// What became of commands that were given through this server, newest first.
    pub ended: Vec<Ended>,
}

/// How often something was found, with examples.
#[derive(Clone, Debug, Default)]
pub struct Coded {
    /// The code.
    pub code: String,
    /// How often.
    pub count: u64,
    /// The first ones: the job id, which may be empty, and the path.
    pub examples: Vec<(String, String)>,
}

/// What the journal of a run holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Its length in bytes, as far as the checkpoint vouches for it.
    pub bytes: u64,
    /// Its records by kind; none if they are too many to count for a page, or are being written.
    pub records: Option<JournalRecords>,
}

/// The records of a journal, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalRecords {
    /// Jobs that were about to be inserted.
    pub inserted: u64,
    /// Jobs of which a part was there before.
    pub completed: u64,
    /// Jobs whose earlier version was replaced.
    pub replaced: u64,
    /// Jobs of which nothing is left because the target did not take them.
    pub withdrawn: u64,
    /// Batches that were completed.
    pub batches: u64,
}

/// A file of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub what: &'static str,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A file of a run with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFile {
    /// What it is.
    pub content_type: &'static str,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// The only styles that a page may use, by their SHA-256.
    pub style_sha256: Option<[u8; 32]>,
}

/// Some rejects.
#[derive(Clone, Debug, Default)]
pub struct RejectList {
    /// These.
    pub rejects: Vec<Reject>,
    /// How many there are in all, up to the last checkpoint.
    pub total: u64,
    /// How many of them can be looked at here; the others are in the file.
    pub reachable: u64,
}

/// A rejected document, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reject {
    /// Position in the source, from 0.
    pub position: u64,
    /// The `_id` as text; empty if none can be read.
    pub id: String,
    /// The reason.
    pub code: String,
    /// The legacy path.
    pub path: String,
    /// The reason as a sentence.
    pub message: String,
}

/// A reject with its document.
#[derive(Clone, Debug, Default)]
pub struct RejectedDocument {
    /// The reject.
    pub reject: Reject,
    /// The document as text, cut to a length that can be shown; none if it was not found.
    pub text: Option<String>,
    /// Whether the text was cut.
    pub is_cut: bool,
}

/// No runs at all, of a server that knows of none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRuns;

impl Runs for NoRuns {
    fn newest(&self, _after: u64, _count: usize) -> Result<RunList, String> {
        Ok(RunList::default())
    }

    fn run(&self, _id: &str) -> Result<Option<RunPage>, String> {
        Ok(None)
    }

    fn rejects(&self, _id: &str, _after: u64, _count: usize) -> Result<Option<RejectList>, String> {
        Ok(None)
    }

    fn reject(&self, _id: &str, _at: u64) -> Result<Option<RejectedDocument>, String> {
        Ok(None)
    }

    fn file(&self, _id: &str, _name: &str) -> Result<Option<RunFile>, String> {
        Ok(None)
    }

    fn checked(&self, _count: usize) -> Result<Vec<Checked>, String> {
        Ok(Vec::new())
    }

    fn checked_run(&self, _id: &str) -> Result<Option<Checked>, String> {
        Ok(None)
    }

    fn seen(&self, _id: &str, _command: Command) -> Result<String, Refused> {
        Err(no_run())
    }

    fn look(&self, _id: &str, _change: &Change) -> Result<Looked, Refused> {
        Err(no_run())
    }

    fn make(&self, _id: &str, _change: &Change, _reason: &str) -> Result<String, Refused> {
        Err(no_run())
    }
}

fn no_run() -> Refused {
    let message = "there is no such run".to_owned();
    Refused { kind: RefusedKind::NoRun, message, hint: None }
}

impl fmt::Debug for dyn Runs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Runs")
    }
}

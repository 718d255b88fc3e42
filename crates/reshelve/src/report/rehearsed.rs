//! What a report says of the rehearsal before a run.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A step of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsedStep {
    /// Its name, such as `verify`.
    pub step: String,
    /// How it ended: `done`, `failed`, `interrupted`.
    pub outcome: String,
    /// What came of it, in a sentence.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// How long the target will be needed for the real move: run, comparison and report, in
/// milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The run, without an interruption.
    pub run_ms: u64,
    /// The same, interrupted once and resumed.
    pub interrupted_run_ms: u64,
    /// The comparison of both sides.
    pub verify_ms: u64,
    /// The report; as a command of its own it compares both sides again, and profiles the source.
    pub report_ms: u64,
    /// All of them, if nothing interrupts them.
    pub from_ms: u64,
    /// All of them, with the interruption.
    pub to_ms: u64,
}

/// A rehearsal, as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// Its id.
    pub rehearsal: String,
    /// When it began, as ISO text.
    pub begun_at: String,
    /// How it ended: `passed`, `failed`, `interrupted`.
    pub outcome: String,
    /// Where it was held: `folder` or `database`.
    pub scratch: String,
    /// The folder with its record.
    pub record: PathBuf,
    /// Its steps, in order.
    pub steps: Vec<RehearsedStep>,
    /// What the maintenance window will need; null if it was not held to its end.
    pub window: Option<Window>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

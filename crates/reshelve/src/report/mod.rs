//! The report of a run: what was run on what, what came of it, and what both sides hold now.
//!
//! To gather it, the source and the target are read again, as by `verify`: a report uses the run's
//! files only for what nothing else can answer (time, memory). Its appearance is decided elsewhere.

mod family;
mod rehearsed;
mod rollback;
mod run_files;
mod verdict;
mod withheld;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

pub use family::{Member, family_request};
pub use rehearsed::{Rehearsed, RehearsedStep, Window};
pub use rollback::{Rollback, TargetFile};
pub use run_files::withheld_rejects;
pub use verdict::{Verdict, Word};
pub use withheld::{withheld_id, withheld_place};

use crate::ends::Origin;
use crate::ends::TargetReader;
use crate::parity::{
    self, CollectionChecksum, Reading, Retry, RetryRequest, Survey, Texts, Verification,
    VerifyError, VerifyRequest,
};
use crate::pass::RejectRecord;
use crate::profile::{self, Profile, ProfileRequest};
use crate::run::{Checkpoint, Plan, RunError, RunFolder, State};

/// Most bytes of an `_id` or a sentence that a report quotes.
const QUOTED_BYTES_MAX: usize = 500;

/// What a report is made from.
#[derive(Clone, Debug)]
pub struct ReportRequest {
    /// The run.
    pub folder: RunFolder,
    /// The retries that are reported with it, oldest first.
    pub retries: Vec<RunFolder>,
    /// The ids of its other retries.
    pub other_retries: Vec<String>,
    /// The ids of the runs that should be reported as one, these among them; one where it stands
    /// alone.
    pub one_with: Vec<String>,
    /// Why the source cannot be read at all, if so.
    pub no_source: Option<String>,
    /// Why the target cannot be read at all, if so.
    pub no_target: Option<String>,
    /// Whether the report quotes the texts of the documents.
    pub texts: Texts,
    /// When it is made, as ISO text.
    pub made_at: String,
    /// What was found a moment ago: then neither side is read again, and the source is not
    /// profiled. None to read both sides.
    pub verified: Option<Verified>,
}

impl ReportRequest {
    /// The command that reports all that belong together, as a sentence after a caution.
    fn as_one(&self) -> String {
        match self.one_with.as_slice() {
            [] | [_] => String::new(),
            all => format!(" `reshelve report {}` reports all of them as one.", all.join(" ")),
        }
    }
}

/// What a comparison found, and the checksums of the target that it compared.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What the comparison found.
    pub verification: Verification,
    /// The checksums.
    pub checksums: BTreeMap<&'static str, CollectionChecksum>,
}

/// The two sides of a report, as they are now.
pub struct Sides<'s> {
    /// Where the source is now; `None` if that is not known.
    pub origin: Option<&'s dyn Origin>,
    /// Where the sources of the retries are now, or why one of them is not known.
    pub retries: Result<Vec<&'s dyn Origin>, String>,
    /// The target; `None` if there is none to read.
    pub target: Option<&'s dyn TargetReader>,
}

impl std::fmt::Debug for Sides<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sides").finish_non_exhaustive()
    }
}

/// How fast it went.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rates {
    /// Documents per second; 0 if no time passed. One decimal, like the others.
    pub docs_per_s: f64,
    /// Milliseconds per thousand documents.
    pub ms_per_1k_docs: f64,
    /// Rejected documents, in per cent.
    pub error_percent: f64,
}

/// Everything there is to say about a run.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// The conclusion.
    pub verdict: Verdict,
    /// Whether texts of the documents are quoted; else their shapes are in their places.
    pub with_texts: bool,
    /// What a reader must know before believing the rest: sentences.
    pub cautions: Vec<String>,
    /// When the two sides were read for it, as ISO text.
    pub made_at: String,
    /// What was run on what: `run.json`.
    pub plan: Plan,
    /// How it went: `checkpoint.json`; with retries, of all together.
    pub checkpoint: Checkpoint,
    /// The run and the retries that are reported with it, oldest first.
    pub runs: Vec<Member>,
    /// The ids of its other retries: this report is not about them.
    pub other_retries: Vec<String>,
    /// How fast it went.
    pub rates: Rates,
    /// What is in the source, all of it; null if it could not be read.
    pub profile: Option<Profile>,
    /// The source as it is now, as far as the run took it; null if it could not be read.
    pub survey: Option<Survey>,
    /// Source and target compared as they are now; null if that was not done.
    pub parity: Option<Verification>,
    /// The target as it is now; null if there is none, or it could not be read.
    pub checksums: Option<BTreeMap<&'static str, CollectionChecksum>>,
    /// The first rejects, with their sentences.
    pub rejects: Vec<RejectRecord>,
    /// How to undo what the run wrote; null if it wrote nothing.
    pub rollback: Option<Rollback>,
    /// The newest rehearsal of the same source with the same options; null if none is known.
    pub rehearsal: Option<Rehearsed>,
    /// What both sides would answer, compared: `reshelve.shadow/1`; null if that was not done.
    pub answers: Option<Value>,
    /// What the running application answered, compared: `reshelve.crosscheck/1`; null if none was
    /// named.
    pub crosscheck: Option<Value>,
}

/// Gathers everything that belongs in the report of a run.
///
/// # Errors
/// If the run's own files cannot be used. A source or a target that cannot be read is not
/// an error: the report says so, and its verdict is that nothing was checked.
pub fn gather(request: &ReportRequest, sides: &Sides<'_>) -> Result<RunReport, RunError> {
    let folders: Vec<RunFolder> =
        std::iter::once(&request.folder).chain(&request.retries).cloned().collect();
    let plan = request.folder.plan()?;
    let runs = members(&folders)?;
    let checkpoints: Vec<Checkpoint> = runs.iter().map(|run| run.checkpoint.clone()).collect();
    let (compared, retries) = family_request(&request.folder, &request.retries)?;
    let compared = VerifyRequest { texts: request.texts, ..compared };
    let mut checkpoint = family::together(&checkpoints, None);
    let looked = match &request.verified {
        Some(verified) => Looked::Compared(Box::new(verified.verification.clone())),
        None => look(request, (&compared, &retries), sides, &plan, &checkpoint),
    };
    let mut rejects = run_files::first_rejects(&request.folder, &checkpoint)?;
    if let (Looked::Compared(verification), [_, _, ..]) = (&looked, &folders[..]) {
        checkpoint = family::together(&checkpoints, Some(verification));
        let left = family::left(&folders, &checkpoints, verification)?;
        checkpoint.totals.rejects = left.tallies;
        rejects = left.first;
    }
    let checksums = match (&request.verified, sides.target) {
        (Some(verified), _) => Some(verified.checksums.clone()),
        (None, Some(target)) if plan.apply => parity::checksums(target).ok(),
        _ => None,
    };
    let profile = match (&looked, sides.origin) {
        (Looked::Compared(_) | Looked::Surveyed { .. }, Some(origin))
            if request.verified.is_none() =>
        {
            profile(origin, &compared.reading)
        }
        _ => None,
    };
    let verdict = verdict::of(&plan, &checkpoint, &looked, checksums.as_ref());
    let rollback = rollback::of(&runs, &rollback::undo_folders(&folders)?);
    let (survey, parity) = match looked {
        Looked::Compared(verification) => (Some(verification.survey.clone()), Some(*verification)),
        Looked::Surveyed { survey, .. } => (Some(*survey), None),
        Looked::Nothing { .. } => (None, None),
    };
    let mut report = RunReport {
        verdict,
        with_texts: request.texts == Texts::Quoted,
        cautions: verdict::cautions(&plan, &checkpoint, survey.as_ref(), request),
        made_at: request.made_at.clone(),
        rates: rates(&checkpoint),
        rejects,
        rollback,
        rehearsal: None,
        answers: None,
        crosscheck: None,
        runs,
        other_retries: request.other_retries.clone(),
        plan,
        checkpoint,
        profile,
        survey,
        parity,
        checksums,
    };
    if request.texts == Texts::Withheld {
        withheld::withhold(&mut report);
    }
    Ok(report)
}

/// The run and its retries, in the states in which they are found.
fn members(folders: &[RunFolder]) -> Result<Vec<Member>, RunError> {
    let member = |folder: &RunFolder| {
        let mut checkpoint = folder.checkpoint()?;
        // A run that was killed says that it is running.
        checkpoint.state = folder.found(&checkpoint);
        Ok(Member { plan: folder.plan()?, checkpoint })
    };
    folders.iter().map(member).collect()
}

/// How far the two sides could be read.
enum Looked {
    Compared(Box<Verification>),
    /// The source alone; and for a run that wrote something, why there is no more.
    Surveyed {
        survey: Box<Survey>,
        why: Option<String>,
    },
    Nothing {
        why: String,
    },
}

fn look(
    request: &ReportRequest,
    (compared, requests): (&VerifyRequest, &[RetryRequest]),
    sides: &Sides<'_>,
    plan: &Plan,
    checkpoint: &Checkpoint,
) -> Looked {
    let Some(origin) = sides.origin else {
        let why = request.no_source.clone();
        return Looked::Nothing { why: why.unwrap_or_else(|| "there is no source".to_owned()) };
    };
    if !origin.is_rewindable() {
        let why = "the source came through standard input or a pipe, and no other source was named";
        return Looked::Nothing { why: why.into() };
    }
    let origins = match &sides.retries {
        Ok(origins) => origins,
        Err(why) => return Looked::Nothing { why: why.clone() },
    };
    let retries = requests.iter().zip(origins);
    let retries: Vec<Retry<'_>> =
        retries.map(|(request, origin)| Retry { request, origin: *origin }).collect();
    let why = if !plan.apply {
        None
    } else if checkpoint.state == State::RolledBack {
        Some("the run was rolled back".to_owned())
    } else if !checkpoint.state.is_ended() {
        Some(format!(
            "the run is not finished: its state is {}, and the figures are those of its last \
             checkpoint",
            checkpoint.state.as_str()
        ))
    } else if let Some(target) = sides.target {
        match parity::verify(compared, origin, &retries, target, &mut |_| {}) {
            Ok(verification) => return Looked::Compared(Box::new(verification)),
            Err(
                error @ (VerifyError::Open(_)
                | VerifyError::Source(_)
                | VerifyError::Rejects(_)
                | VerifyError::OfRetry { .. }),
            ) => {
                return Looked::Nothing { why: error.to_string() };
            }
            Err(error) => Some(error.to_string()),
        }
    } else {
        Some(request.no_target.clone().unwrap_or_else(|| "there is no target".to_owned()))
    };
    match parity::survey(&compared.reading, origin) {
        Ok(survey) => Looked::Surveyed { survey: Box::new(survey), why },
        Err(error) => Looked::Nothing { why: why.unwrap_or_else(|| error.to_string()) },
    }
}

/// `None` if the source cannot be read to its end: a part would look like the whole.
fn profile(origin: &dyn Origin, reading: &Reading) -> Option<Profile> {
    let mut source = origin.open().ok()?.source;
    let request = ProfileRequest {
        options: reading.options,
        jobs: reading.jobs,
        scratch: reading.scratch.clone(),
    };
    profile::profile(source.as_mut(), &request, &mut |_, _| {}).ok()
}

fn rates(checkpoint: &Checkpoint) -> Rates {
    let documents = checkpoint.totals.documents;
    Rates {
        docs_per_s: ratio(documents.read * 1000, checkpoint.elapsed_ms),
        ms_per_1k_docs: ratio(checkpoint.elapsed_ms * 1000, documents.read),
        error_percent: ratio(documents.rejected * 100, documents.read),
    }
}

/// A number with what it counts: `1 mismatch`, `2 mismatches`.
fn counted(count: u64, noun: &str) -> String {
    let ending = match noun {
        _ if count == 1 => "",
        noun if noun.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{} {noun}{ending}", number(count))
}

/// A number with its thousands apart, as everywhere that people read one.
pub fn number(number: u64) -> String {
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

/// A quotient with one decimal, which is enough for people and for comparisons; 0 if there is
/// nothing to divide by.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "rates, not counts")]
pub fn ratio(dividend: u64, divisor: u64) -> f64 {
    if divisor == 0 {
        return 0.0;
    }
    (dividend as f64 / divisor as f64 * 10.0).round() / 10.0
}

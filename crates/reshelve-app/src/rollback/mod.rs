//! `rollback`: what a run wrote is taken back.

mod later;
mod words;

use std::path::PathBuf;

use reshelve::ends::ChangedDocuments;
use reshelve::parity::{EditedPart, Reading, first_paths};
use reshelve::rollback::{self, EditedJob, JobCounts, RollbackReport, RollbackRequest};
use reshelve::run::{Plan, RunFolder, Throttle};
use serde::{Serialize, Serializer};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::family::other_retries;
use crate::handle::{Handle, Relay};
use crate::options::RunName;
use crate::places::{self, SourceAgain};
use crate::states::{self, Command};

use later::LaterRuns;
pub use reshelve::rollback::{Ended, LISTED_MAX, OnEdited, Phase, Progress};

/// What `rollback` is asked.
pub struct Request {
    /// The run.
    pub run: RunName,
    /// Whether to change the target; else it only says what it would do.
    pub apply: bool,
    /// What becomes of jobs that were changed since the run wrote them.
    pub edited: Option<OnEdited>,
    /// The target's connection string, if that has credentials.
    pub target: Option<PathBuf>,
    /// What changes of the throttle; 0 takes a limit away. Documents and bytes are those of the
    /// target.
    pub throttle: Throttle,
}

impl Request {
    /// Says what would be taken back of a run.
    pub fn new(run: RunName) -> Self {
        Request { run, apply: false, edited: None, target: None, throttle: Throttle::default() }
    }
}

/// What was taken back, or would be; as JSON, `reshelve.rollback/1`.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What it did.
    pub report: RollbackReport,
    /// The path of the first difference of each edited job that is listed; none if it can no longer
    /// be told.
    pub paths: Vec<Option<String>>,
}

impl Outcome {
    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        match self.report.ended {
            Ended::Dry | Ended::RolledBack | Ended::Already => ExitCode::Done,
            Ended::Undecided => ExitCode::Refused,
            Ended::Interrupted => ExitCode::Interrupted,
        }
    }

    /// Whether the target was changed, by this process or one before it.
    pub fn is_applied(&self) -> bool {
        !matches!(self.report.ended, Ended::Dry | Ended::Undecided)
    }
}

#[derive(Serialize)]
struct RollbackDocument<'o> {
    schema: &'static str,
    run: &'o str,
    applied: bool,
    ended: &'static str,
    jobs: JobCounts,
    documents: ChangedDocuments,
    edited: Vec<EditedDocument<'o>>,
    exit: u8,
}

#[derive(Serialize)]
struct EditedDocument<'o> {
    job: &'o str,
    collection: &'static str,
    what: &'static str,
    path: Option<&'o str>,
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RollbackReport { plan, ended, jobs, documents, edited } = &self.report;
        let paths = self.paths.iter().map(Option::as_deref).chain(std::iter::repeat(None));
        let edited = edited.iter().zip(paths).map(|(EditedJob { job, edit, .. }, path)| {
            EditedDocument { job, collection: edit.collection.name(), what: edit.what, path }
        });
        let document = RollbackDocument {
            schema: "reshelve.rollback/1",
            run: &plan.run,
            applied: self.is_applied(),
            ended: match ended {
                Ended::Dry => "dry-run",
                Ended::RolledBack => "rolled-back",
                Ended::Already => "already",
                Ended::Undecided => "undecided",
                Ended::Interrupted => "interrupted",
            },
            jobs: *jobs,
            documents: *documents,
            edited: edited.collect(),
            exit: self.exit_code().number(),
        };
        document.serialize(serializer)
    }
}

/// Takes back what a run wrote, and nothing else; or says what it would take back.
///
/// # Errors
/// If the run cannot be rolled back now, or disk or server fail: then the same command goes on.
pub fn rollback(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let folder = request.run.find()?;
    states::check(Command::Rollback, &folder)?;
    if request.apply {
        handle.check_may_write("`rollback --apply`")?;
    }
    let plan = folder.plan()?;
    let later = LaterRuns::of(&request.run.runs_folder, &folder, &plan)?;
    let mut in_its_place = later.refusal(&folder)?;
    // Whoever only asks is shown what is in the way.
    if request.apply || request.edited.is_some() {
        in_its_place.clone().map_or(Ok(()), Err)?;
    }
    let target = request.target.as_deref();
    let mut destination = places::destination_again(&plan.target, target, handle)?;
    later.check_place(&folder, &plan, destination.as_ref())?;
    if in_its_place.is_none() {
        in_its_place = later.refusal_by_identity(&folder, &plan, destination.as_ref())?;
        if request.apply || request.edited.is_some() {
            in_its_place.clone().map_or(Ok(()), Err)?;
        }
    }
    let unknown = later.unknown(&plan, destination.as_mut())?;
    let asked = RollbackRequest {
        folder,
        // Only a look, which may find a better reason.
        apply: request.apply && unknown.is_none(),
        edited: request.edited,
        throttle: request.throttle,
    };
    if let Some(note) = retries_stand(&asked.folder, &plan) {
        handle.watcher().note(&note);
    }
    handle.watcher().ready();
    let mut relay = Relay::new(handle);
    let report = rollback::roll_back(&asked, destination.as_mut(), handle.stop(), &mut relay)?;
    drop(destination);
    if let (Ended::Undecided, Some(failure)) = (report.ended, &in_its_place) {
        let what = &failure.message;
        handle.watcher().note(&format!("note: whatever is decided, first: {what}"));
    }
    if report.ended == Ended::Dry {
        let in_its_place = in_its_place.or(unknown.map(|later| later::wrote_elsewhere(&later)));
        in_its_place.map_or(Ok(()), Err)?;
    }
    let paths = paths(&report, request, handle);
    Ok(Outcome { report, paths })
}

/// That runs stand which carried over what this one had rejected: whoever takes back the one may
/// want the others back, too.
fn retries_stand(folder: &RunFolder, plan: &Plan) -> Option<String> {
    if folder.checkpoint().is_ok_and(|checkpoint| checkpoint.totals.documents.rejected == 0) {
        return None;
    }
    let retries = other_retries(&[(folder.clone(), plan.clone())]);
    let (stands, each) = match retries.as_slice() {
        [] => return None,
        [_] => ("stands", "it"),
        _ => ("stand", "each of them"),
    };
    Some(format!(
        "note: what it rejected was run again by {}, which {stands}: `rollback` of {each} takes that \
         back",
        retries.join(", ")
    ))
}

/// Where the edited jobs that still stand differ first from what the run wrote. A help to look at
/// them: what cannot be read for it says nothing against the rollback.
fn paths(report: &RollbackReport, request: &Request, handle: &Handle) -> Vec<Option<String>> {
    let RollbackReport { plan, edited, .. } = report;
    let is_gone = matches!(request.edited, Some(OnEdited::Discard { .. }))
        && report.ended == Ended::RolledBack;
    if edited.is_empty() || is_gone {
        return vec![None; edited.len()];
    }
    let parts: Vec<EditedPart<'_>> = edited
        .iter()
        .map(|EditedJob { job, edit, wrote }| EditedPart {
            job,
            collection: edit.collection,
            wrote,
        })
        .collect();
    let reading = Reading {
        only_rejects: plan.only_rejects.clone(),
        limit: plan.limit,
        scratch: request.run.runs_folder.clone(),
        ..Reading::new(plan.options.mapping())
    };
    let source = places::origin_again(&plan.source, &SourceAgain::default(), handle).ok();
    let found = places::reader_again(&plan.target, request.target.as_deref(), handle)
        .ok()
        .and_then(|it| first_paths(&parts, it.as_ref(), &reading, source.as_deref()).ok());
    found.unwrap_or_else(|| vec![None; edited.len()])
}

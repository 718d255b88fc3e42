//! `rollback`: what a run wrote is taken back.

mod words;

use std::path::{Path, PathBuf};

use reshelve::ends::{ChangedDocuments, PlannedTarget};
use reshelve::parity::{EditedPart, Reading, first_paths};
use reshelve::rollback::{self, EditedJob, JobCounts, RollbackReport, RollbackRequest};
use reshelve::run::{Plan, RunFolder, Throttle};
use serde::{Serialize, Serializer};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::family::without_copies;
use crate::handle::{Handle, Relay};
use crate::hints;
use crate::options::RunName;
use crate::overlap::is_same_target;
use crate::places::{self, SourceAgain};
use crate::states::{self, Command};

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
    let (in_its_place, known) = refuse_written_again(&request.run.runs_folder, &folder, &plan)?;
    // Whoever only asks is shown what is in the way.
    if request.apply || request.edited.is_some() {
        in_its_place.clone().map_or(Ok(()), Err)?;
    }
    let target = request.target.as_deref();
    let mut destination = places::destination_again(&plan.target, target, handle)?;
    let later = destination.later_writers(&plan.run)?;
    let unknown = later.into_iter().find(|later| !known.contains(later));
    let asked = RollbackRequest {
        folder,
        // Only a look, which may find a better reason.
        apply: request.apply && unknown.is_none(),
        edited: request.edited,
        throttle: request.throttle,
    };
    handle.watcher().ready();
    let mut relay = Relay::new(handle);
    let report = rollback::roll_back(&asked, destination.as_mut(), handle.stop(), &mut relay)?;
    drop(destination);
    if report.ended == Ended::Dry {
        let in_its_place = in_its_place.or(unknown.map(|later| wrote_elsewhere(&later)));
        in_its_place.map_or(Ok(()), Err)?;
    }
    let paths = paths(&report, request, handle);
    Ok(Outcome { report, paths })
}

/// Refuses to take back a run of which a later one has written jobs anew; gives the refusal where it
/// has replaced or completed them, and the ids of all runs that were looked at.
fn refuse_written_again(
    runs: &Path,
    folder: &RunFolder,
    plan: &Plan,
) -> Result<(Option<Failure>, Vec<String>), Failure> {
    // It may be named by its folder, from anywhere.
    let parent = folder.path().parent().filter(|parent| !parent.as_os_str().is_empty());
    let beside = parent.unwrap_or(Path::new("."));
    let is_elsewhere = runs.canonicalize().ok() != beside.canonicalize().ok();
    let mut known = Vec::new();
    for runs in [Some(beside), Some(runs).filter(|_| is_elsewhere)].into_iter().flatten() {
        for other in RunFolder::list(runs)? {
            match other.plan() {
                Ok(plan) => known.push((other, plan)),
                Err(_) if other.path().file_name() > folder.path().file_name() => {
                    return Err(unreadable(&other));
                }
                Err(_) => {}
            }
        }
    }
    let known = without_copies(known);
    let own = known.iter().position(|(_, other)| other.run == plan.run);
    // Who took over a run that is not done, its target tells.
    let is_done = folder.checkpoint()?.state.is_ended();
    let own_target = (folder.written_target().ok().flatten().filter(|_| is_done), &plan.target);
    let later = known.iter().enumerate().filter(|(at, (folder, other))| {
        let is_later = match own {
            // Those of one folder are in the order in which they were begun, whatever the clock.
            Some(own) if folder.path().parent() == parent => *at > own,
            _ => other.run != plan.run && other.begun_at > plan.begun_at,
        };
        is_later && other.apply && wrote_to_the_same((folder, &other.target), &own_target)
    });
    let later = later.map(|(_, (folder, plan))| (plan.run.as_str(), folder));
    let in_its_place = rollback::refuse_written_again(folder, later)?.map(Failure::from);
    Ok((in_its_place, known.into_iter().map(|(_, plan)| plan.run).collect()))
}

/// The refusal where the target names a later run whose journal is not there to be asked.
fn wrote_elsewhere(later: &str) -> Failure {
    let message = format!(
        "the run {later} has written into this target since, and its run folder is not beside that of \
         this one: it may have written jobs of this run again"
    );
    Failure::refused(message, hints::BRING_THE_LATER_RUN)
}

/// Whether another run wrote to the same target, for all that is known. A server has several names:
/// what both runs found out about their targets tells too.
fn wrote_to_the_same(
    (other, planned): (&RunFolder, &PlannedTarget),
    (own_written, own_planned): &(Option<String>, &PlannedTarget),
) -> bool {
    let is_known =
        || own_written.is_some() && other.written_target().ok().flatten() == *own_written;
    is_same_target(planned, own_planned) || is_known()
}

/// The refusal where a later run beside this one may have written the same jobs.
fn unreadable(other: &RunFolder) -> Failure {
    let message = format!(
        "the run in {} cannot be read: it may have written jobs of this run again",
        other.path().display()
    );
    Failure::refused(message, hints::READ_THE_LATER_RUN)
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

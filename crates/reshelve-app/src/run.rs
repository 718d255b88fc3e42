//! `run`: a new run, dry or applied; and how a run ended, as JSON and as an exit code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reshelve::dump::STANDARD_INPUT;
use reshelve::ends::{Compression, Hint, OnExisting, Origin};
use reshelve::folder::free_bytes;
use reshelve::run::{
    self, Checkpoint, DocumentCounts, Ends, Plan, Report, RunError, RunRequest, State, Stop, Tally,
    Throttle,
};
use reshelve::store::{Disk, absolute};
use serde::{Serialize, Serializer};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::{Handle, Relay};
use crate::hints;
use crate::options::{BatchOptions, MappingOptions, RunName};
use crate::outside;
use crate::overlap;
use crate::places::{self, SourcePlace, TargetPlace};
use crate::plan::PlanNote;
use crate::text::{ratio, size};

/// What `run` is asked.
pub struct Request {
    /// Where the legacy documents come from.
    pub source: SourcePlace,
    /// Where the target documents go.
    pub target: TargetPlace,
    /// How the files of a target folder are compressed.
    pub compression: Compression,
    /// Whether to write; else it is a dry run.
    pub apply: bool,
    /// The decisions of the mapping; if jobs are in flight, applying needs one.
    pub mapping: MappingOptions,
    /// What to do with a target that holds documents. Taking only rejects and taking over both keep
    /// them at least.
    pub on_existing: OnExisting,
    /// Take only the documents that this run rejected.
    pub only_rejects: Option<RunName>,
    /// Whether to break the lock of a run that was cut off.
    pub take_over: bool,
    /// How the work is divided.
    pub batch: BatchOptions,
    /// How much the run may take.
    pub throttle: Throttle,
    /// Read at most this many documents.
    pub limit: Option<u64>,
    /// Whether to stop at the first reject.
    pub fail_fast: bool,
    /// Whether to start even if the disk looks too small.
    pub skip_disk_check: bool,
    /// Whether to write documents that an oplog in the dump would change.
    pub ignore_oplog: bool,
    /// The folder of run folders.
    pub runs_folder: PathBuf,
}

impl Request {
    /// A dry run with the usual options.
    pub fn new(source: SourcePlace, target: TargetPlace, runs_folder: impl Into<PathBuf>) -> Self {
        Request {
            source,
            target,
            compression: Compression::None,
            apply: false,
            mapping: MappingOptions::default(),
            on_existing: OnExisting::Refuse,
            only_rejects: None,
            take_over: false,
            batch: BatchOptions::default(),
            throttle: Throttle::default(),
            limit: None,
            fail_fast: false,
            skip_disk_check: false,
            ignore_oplog: false,
            runs_folder: runs_folder.into(),
        }
    }

    /// The same as the library takes it, with every place checked.
    pub(crate) fn request(&self) -> Result<RunRequest, Failure> {
        overlap::refuse_run(&self.source, &self.target)?;
        refuse_unstorable(self)?;
        outside::check("--runs-dir", &self.runs_folder)?;
        let only_rejects = match &self.only_rejects {
            Some(run) => Some(run.find()?.path().to_owned()),
            None => None,
        };
        let keeps = self.take_over || only_rejects.is_some();
        let is_live = self.target.uri()?.is_some();
        Ok(RunRequest {
            apply: self.apply,
            on_unknown_status: self.mapping.on_unknown_status,
            status_policy: self.mapping.status_policy,
            in_flight: self.mapping.in_flight,
            on_existing: match self.on_existing {
                OnExisting::Refuse if keeps => OnExisting::Keep,
                asked => asked,
            },
            only_rejects,
            take_over: self.take_over,
            batch: self.batch.limits(is_live),
            jobs: self.batch.threads(),
            checkpoint_bytes: self.batch.checkpoint_bytes,
            throttle: self.throttle,
            limit: self.limit,
            fail_fast: self.fail_fast,
            skip_disk_check: self.skip_disk_check,
            ignore_oplog: self.ignore_oplog,
            from_plan: None,
            saves_plan: None,
            runs_folder: self.runs_folder.clone(),
            files: Arc::new(Disk),
        })
    }
}

/// How a run ended; as JSON, `reshelve.run/1`.
#[derive(Debug)]
pub struct Outcome {
    /// What it left.
    pub report: Report,
    /// The plan that it made or carries out, if it does.
    pub plan: Option<PlanNote>,
    /// Whether it is a dry run of what the disk of the target folder has no room for.
    pub lacks_room: bool,
}

/// Starts a run, and returns when it has ended or was stopped. The run folder then has its
/// `report.json`.
///
/// # Errors
/// If the run is refused, or disk or server fail: if it had begun, the hint says how to resume.
pub fn run(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    if request.apply {
        handle.check_may_write("--apply")?;
    }
    let asked = request.request()?;
    let origin = places::origin(&request.source, handle)?;
    run_from(request, &asked, origin.as_ref(), handle)
}

/// The same run with its source at hand.
pub(crate) fn run_from(
    request: &Request,
    asked: &RunRequest,
    origin: &dyn Origin,
    handle: &Handle,
) -> Result<Outcome, Failure> {
    let mut destination = places::destination(&request.target, request.compression, handle)?;
    let ends = Ends { origin, destination: destination.as_mut() };
    handle.watcher().ready();
    let mut relay = Relay::new(handle);
    let ended = run::start(asked, ends, handle.stop(), &mut relay);
    let outcome = Outcome::of(ended, &relay)?;
    match request.skip_disk_check {
        true => Ok(outcome),
        false => outcome.with_room(handle),
    }
}

/// Refuses paths that `run.json` cannot hold: the run could not be resumed.
fn refuse_unstorable(request: &Request) -> Result<(), Failure> {
    let runs = request.only_rejects.as_ref().map(|_| request.runs_folder.as_path());
    let named = [Some(request.source.name.as_path()), Some(request.target.name.as_path()), runs];
    for path in named.into_iter().flatten().filter(|path| *path != Path::new(STANDARD_INPUT)) {
        // A run keeps where things are, wherever it is resumed from.
        let absolute = absolute(path);
        if absolute.to_str().is_none() {
            let message =
                format!("{absolute:?} is not UTF-8, and a run could not keep it to be resumed");
            return Err(Failure::usage(message, hints::NAME_IN_UTF8));
        }
    }
    Ok(())
}

impl Outcome {
    /// Writes down how a run ended, or says why it failed.
    pub(crate) fn of(ended: Result<Report, RunError>, relay: &Relay<'_>) -> Result<Self, Failure> {
        let report = match ended {
            Ok(report) => report,
            Err(error) => return Err(failure(error, relay.folder())),
        };
        let plan = report.plan.from_plan.as_ref().map(PlanNote::pending);
        let outcome = Outcome { report, plan, lacks_room: false };
        outcome.write()?;
        Ok(outcome)
    }

    /// The same with what became of its plan, in its `report.json` too.
    pub(crate) fn with_plan(self, note: PlanNote) -> Result<Self, Failure> {
        let outcome = Outcome { plan: Some(note), ..self };
        outcome.write()?;
        Ok(outcome)
    }

    /// The same, compared with the room that the disk has, of which a dry run knows exactly what it
    /// takes.
    fn with_room(self, handle: &Handle) -> Result<Self, Failure> {
        let Report { plan, checkpoint, stop, .. } = &self.report;
        let totals = &checkpoint.totals;
        let is_whole = matches!(stop, Stop::Done) && totals.documents.unchanged == 0;
        let Some(target) = plan.target.folder().filter(|_| is_whole && !plan.apply) else {
            return Ok(self);
        };
        let needed = totals.bytes_mapped;
        let free = free_bytes(&target.root).unwrap_or(u64::MAX);
        if target.compression != Compression::None || needed <= free {
            return Ok(self);
        }
        handle.watcher().note(&format!(
            "warning: the target would have {}, and {} are free at {}",
            size(needed),
            size(free),
            target.root.display()
        ));
        let outcome = Outcome { lacks_room: true, ..self };
        outcome.write()?;
        Ok(outcome)
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        match &self.report.stop {
            Stop::Damaged(_) => ExitCode::Failed,
            Stop::Interrupted => ExitCode::Interrupted,
            // It cannot be resumed.
            Stop::Cancelled => ExitCode::Failed,
            Stop::InFlight { .. } => ExitCode::Refused,
            Stop::FirstReject => ExitCode::Rejects,
            Stop::Done if self.plan.as_ref().is_some_and(PlanNote::is_missed) => ExitCode::NoParity,
            Stop::Done if self.report.checkpoint.totals.documents.rejected > 0 => ExitCode::Rejects,
            Stop::Done if self.lacks_room => ExitCode::Refused,
            Stop::Done => ExitCode::Done,
        }
    }

    /// How to resume a run that is not finished.
    pub fn hint(&self) -> Option<String> {
        let folder = self.report.folder.path();
        match &self.report.stop {
            Stop::Done if self.plan.as_ref().is_some_and(PlanNote::is_missed) => {
                Some(hints::plans::NOT_REACHED.to_owned())
            }
            Stop::Done if self.lacks_room => Some(hints::of_end(&Hint::MakeRoom)),
            Stop::Done => None,
            _ if self.report.plan.saves_plan.is_some() => Some(hints::plans::SAVE_AGAIN.to_owned()),
            Stop::Interrupted => Some(hints::resume(folder)),
            Stop::Cancelled => Some(hints::cancelled(folder, self.report.plan.apply)),
            Stop::FirstReject => Some(hints::first_reject(folder)),
            Stop::InFlight { .. } => Some(hints::in_flight(folder)),
            Stop::Damaged(damage) => Some(hints::damaged(damage.kind, folder)),
        }
    }

    /// Milliseconds for a thousand documents.
    pub fn ms_per_1k_docs(&self) -> f64 {
        let checkpoint = &self.report.checkpoint;
        ratio(checkpoint.elapsed_ms * 1000, checkpoint.totals.documents.read)
    }

    /// About how long the run will take with `--apply`, in milliseconds, going by the dry run.
    pub fn forecast_ms(&self) -> u64 {
        let checkpoint = &self.report.checkpoint;
        checkpoint.elapsed_ms + checkpoint.totals.bytes_mapped / 200_000
    }

    fn summary(&self) -> Summary<'_> {
        let Report { plan, checkpoint, .. } = &self.report;
        let Checkpoint { totals, elapsed_ms, peak_rss_bytes, .. } = checkpoint;
        Summary {
            schema: "reshelve.run/1",
            run: &plan.run,
            applied: plan.apply,
            state: checkpoint.state.as_str(),
            partial: checkpoint.state != State::Done,
            documents: totals.documents,
            events: totals.events,
            warnings: counts(&totals.warnings),
            rejects: counts(&totals.rejects),
            bytes: Bytes {
                read: totals.bytes_read,
                written: totals.bytes_written,
                mapped: totals.bytes_mapped,
                residue: totals.residue_bytes,
            },
            replaced: totals.replaced,
            elapsed_ms: *elapsed_ms,
            docs_per_s: ratio(totals.documents.read * 1000, *elapsed_ms),
            ms_per_1k_docs: self.ms_per_1k_docs(),
            peak_rss_bytes: *peak_rss_bytes,
            plan: self.plan.as_ref(),
            exit: self.exit_code().number(),
        }
    }

    /// Writes the run's `report.json`.
    fn write(&self) -> Result<(), Failure> {
        let Report { plan, checkpoint, .. } = &self.report;
        let file = ReportFile {
            schema: "reshelve.outcome/1",
            summary: &self.summary(),
            state: checkpoint.state.as_str(),
            reason: checkpoint.reason.as_deref(),
            plan,
            warning_examples: &checkpoint.totals.warnings,
            reject_examples: &checkpoint.totals.rejects,
        };
        let text = serde_json::to_string_pretty(&file).unwrap_or_default();
        Ok(self.report.folder.write_report(text.as_bytes())?)
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.summary().serialize(serializer)
    }
}

/// The last line of `run --json` and `resume --json`.
#[derive(Debug, Serialize)]
struct Summary<'s> {
    schema: &'static str,
    run: &'s str,
    applied: bool,
    /// The state of the run.
    state: &'static str,
    /// Whether it covers a part of its source only: limited, filtered, or not ended.
    partial: bool,
    documents: DocumentCounts,
    events: u64,
    warnings: BTreeMap<&'s str, u64>,
    rejects: BTreeMap<&'s str, u64>,
    bytes: Bytes,
    /// Jobs whose earlier version was replaced.
    replaced: u64,
    elapsed_ms: u64,
    docs_per_s: f64,
    ms_per_1k_docs: f64,
    peak_rss_bytes: u64,
    /// The plan that it made or carries out; left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'s PlanNote>,
    exit: u8,
}

#[derive(Debug, Serialize)]
struct Bytes {
    read: u64,
    written: u64,
    /// What the target documents have, written or not.
    mapped: u64,
    /// How much of that is residue.
    residue: u64,
}

/// `report.json` in the run folder.
#[derive(Debug, Serialize)]
struct ReportFile<'s> {
    schema: &'static str,
    summary: &'s Summary<'s>,
    state: &'static str,
    reason: Option<&'s str>,
    plan: &'s Plan,
    warning_examples: &'s BTreeMap<String, Tally>,
    reject_examples: &'s BTreeMap<String, Tally>,
}

pub(crate) fn counts(tallies: &BTreeMap<String, Tally>) -> BTreeMap<&str, u64> {
    tallies.iter().map(|(code, tally)| (code.as_str(), tally.count)).collect()
}

/// An error of a run; if the run had begun, the hint says how to resume it.
fn failure(error: RunError, begun: Option<&Path>) -> Failure {
    let hint = begun.and_then(|folder| hints::failed_run(&error, folder));
    let failure = Failure::from(error);
    Failure { hint: hint.or(failure.hint), ..failure }
}

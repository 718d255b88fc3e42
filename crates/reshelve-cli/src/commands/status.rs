//! `reshelve status`.

use reshelve::run::{DocumentCounts, RunFolder, State};
use serde::Serialize;

use crate::cli::StatusArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number, plain, size, span};

/// How a run stands.
#[derive(Debug, Serialize)]
pub(crate) struct RunStatus {
    pub(crate) run: String,
    folder: String,
    pub(crate) applied: bool,
    /// `killed` where a run neither ended nor is there any more.
    pub(crate) state: &'static str,
    reason: Option<String>,
    can_be_resumed: bool,
    begun_at: String,
    pub(crate) source: String,
    target: String,
    pub(crate) documents: DocumentCounts,
    events: u64,
    bytes_read: u64,
    bytes_written: u64,
    elapsed_ms: u64,
}

#[derive(Debug, Serialize)]
struct StatusDocument {
    schema: &'static str,
    #[serde(flatten)]
    status: RunStatus,
}

pub(crate) fn run(args: &StatusArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let runs = &args.runs.runs_dir;
    let folder = match &args.run {
        Some(name) => RunFolder::find(runs, name)?,
        None => RunFolder::list(runs)?.pop().ok_or_else(|| {
            let hint = "--runs-dir says where runs are";
            Failure::usage(format!("there are no runs in {}", runs.display()), Some(hint))
        })?,
    };
    let status = status_of(&folder)?;
    printer.text(&page(&status));
    printer.json(&StatusDocument { schema: "reshelve.status/1", status });
    Ok(ExitCode::Done)
}

pub(crate) fn status_of(folder: &RunFolder) -> Result<RunStatus, Failure> {
    let plan = folder.plan()?;
    let checkpoint = folder.checkpoint()?;
    let going_on = folder.is_held();
    let state = checkpoint.state.found(going_on).as_str();
    let totals = checkpoint.totals;
    Ok(RunStatus {
        folder: folder.path().display().to_string(),
        applied: plan.apply,
        state,
        reason: checkpoint.reason,
        can_be_resumed: checkpoint.state != State::Done && !going_on,
        begun_at: plan.begun_at,
        source: plan.source.path.display().to_string(),
        target: plan.target.name(),
        documents: totals.documents,
        events: totals.events,
        bytes_read: totals.bytes_read,
        bytes_written: totals.bytes_written,
        elapsed_ms: checkpoint.elapsed_ms,
        run: plan.run,
    })
}

fn page(status: &RunStatus) -> String {
    let what = if status.applied { "run" } else { "dry run" };
    let documents = status.documents;
    let mut lines = vec![format!("{what} {}: {}", status.run, status.state)];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<12} {value}"));
    if let Some(reason) = &status.reason {
        row("why", plain(reason));
    }
    row("begun", status.begun_at.clone());
    row("source", status.source.clone());
    row("target", status.target.clone());
    row("read", format!("{} documents, {}", number(documents.read), size(status.bytes_read)));
    row("mapped", format!("{} documents", number(documents.mapped)));
    row("written", format!("{} jobs, {}", number(documents.written), size(status.bytes_written)));
    row("unchanged", number(documents.unchanged));
    row("skipped", number(documents.skipped));
    row("rejected", number(documents.rejected));
    row("took", span(status.elapsed_ms));
    row("run folder", status.folder.clone());
    if status.can_be_resumed {
        row("next", format!("reshelve resume {}", status.folder));
    }
    lines.join("\n")
}

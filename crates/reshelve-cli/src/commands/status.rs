//! `reshelve status`.

use reshelve_app::status::{self, Request, RunStatus};
use reshelve_app::text::{counted, number, plain, size, span};
use reshelve_app::{ExitCode, Failure, Handle, RunName};

use crate::cli::StatusArgs;
use crate::printer::Printer;

pub(crate) fn run(args: &StatusArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let run = match &args.run {
        Some(name) => args.runs.run(name),
        None => RunName::latest(&args.runs.runs_dir),
    };
    let request = Request { run };
    let outcome = status::status(&request, &Handle::silent())?;
    printer.text(&page(&outcome.status));
    printer.json(&outcome);
    Ok(ExitCode::Done)
}

fn page(status: &RunStatus) -> String {
    let what = if status.applied { "run" } else { "dry run" };
    let documents = status.documents;
    let mut lines = vec![format!("{what} {}: {}", status.run, status.state)];
    let mut row = |name: &str, value: String| lines.push(format!("  {name:<12} {value}"));
    if let Some(reason) = &status.reason {
        row("reason", plain(reason));
    }
    row("started", status.begun_at.clone());
    row("source", status.source.clone());
    row("target", status.target.clone());
    row("read", format!("{}, {}", counted(documents.read, "document"), size(status.bytes_read)));
    row("mapped", counted(documents.mapped, "document"));
    row(
        "written",
        format!("{}, {}", counted(documents.written, "job"), size(status.bytes_written)),
    );
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

//! `reshelve runs`.

use std::sync::Arc;

use reshelve_app::runs::{self, Request};
use reshelve_app::status::RunStatus;
use reshelve_app::text::{number, plain};
use reshelve_app::{ExitCode, Failure, Handle, hints};

use super::table::plain_table;
use crate::cli::RunsArgs;
use crate::next;
use crate::printer::{Notes, Printer};

pub(crate) fn run(args: &RunsArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let runs_folder = args.runs.runs_dir.clone();
    let outcome = runs::runs(&Request { runs_folder }, &Handle::new(Arc::new(Notes)))?;
    if outcome.runs.is_empty() {
        printer.text(&format!("no runs in {}", args.runs.runs_dir.display()));
        printer.hint(hints::WHERE_RUNS_ARE);
    } else {
        printer.text(&table(&outcome.runs));
    }
    printer.json(&outcome);
    if let Some(newest) = outcome.runs.last() {
        printer.next(&next::of_run(newest, &args.runs.runs_dir));
    }
    Ok(ExitCode::Done)
}

fn table(runs: &[RunStatus]) -> String {
    let mut table = plain_table();
    table.set_header(["run", "what", "state", "read", "written", "rejected", "source", "target"]);
    for run in runs {
        table.add_row([
            run.run.clone(),
            what(run),
            run.state.to_owned(),
            number(run.documents.read),
            number(run.documents.written),
            number(run.documents.rejected),
            run.source_name.clone(),
            run.target.clone(),
        ]);
    }
    table.trim_fmt()
}

fn what(run: &RunStatus) -> String {
    let what = if run.applied { "run" } else { "dry run" };
    match &run.retry_of {
        Some(parent) if run.is_into_another_target => {
            format!("{what}, with rejects of {}", plain(parent))
        }
        Some(parent) => format!("{what}, a retry of {}", plain(parent)),
        None => what.to_owned(),
    }
}

//! `reshelve runs`.

use comfy_table::Table;
use comfy_table::presets;
use reshelve::run::RunFolder;
use serde::Serialize;

use super::status::{RunStatus, status_of};
use crate::cli::RunsArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{Printer, number};

#[derive(Debug, Serialize)]
struct RunList {
    schema: &'static str,
    runs: Vec<RunStatus>,
}

pub(crate) fn run(args: &RunsArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let mut runs = Vec::new();
    for folder in RunFolder::list(&args.runs.runs_dir)? {
        match status_of(&folder) {
            Ok(status) => runs.push(status),
            // One folder that cannot be read is no reason not to list the others.
            Err(failure) => printer.note(&format!("warning: {}", failure.message)),
        }
    }
    if runs.is_empty() {
        printer.text(&format!("no runs in {}", args.runs.runs_dir.display()));
    } else {
        printer.text(&table(&runs));
    }
    printer.json(&RunList { schema: "reshelve.runs/1", runs });
    Ok(ExitCode::Done)
}

fn table(runs: &[RunStatus]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["run", "what", "state", "read", "written", "rejected", "source"]);
    for run in runs {
        table.add_row([
            run.run.clone(),
            if run.applied { "run" } else { "dry run" }.to_owned(),
            run.state.to_owned(),
            number(run.documents.read),
            number(run.documents.written),
            number(run.documents.rejected),
            run.source.clone(),
        ]);
    }
    table.trim_fmt()
}

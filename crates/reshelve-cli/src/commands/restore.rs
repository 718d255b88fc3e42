//! `reshelve restore`.

use std::path::Path;
use std::sync::Arc;

use reshelve_app::restore::{self, Outcome, Request};
use reshelve_app::text::{counted, length, number, plain, size};
use reshelve_app::{ExitCode, Failure};

use crate::cli::RestoreArgs;
use crate::next::Next;
use crate::printer::{Printer, Tone, toned};
use crate::progress::View;

/// How many changed or foreign jobs a page names.
const NAMED_MAX: usize = 20;

pub(crate) fn run(args: &RestoreArgs) -> Result<ExitCode, Failure> {
    let printer = Printer::new(args.json.json);
    let (target, out) = (args.target(), args.out());
    let runs_folder = args.runs.runs_dir.clone();
    let request = Request { target, out, overwrite: args.overwrite, runs_folder };
    let handle = args.dry_run.handle(Arc::new(View::default()).handle());
    let handle = args.password.handle(handle);
    let outcome = restore::restore(&request, &handle)?;
    printer.text(&page(&outcome));
    printer.json(&outcome);
    printer.next(&Next::new("inspect").place(Path::new(&outcome.out)));
    Ok(ExitCode::Done)
}

fn page(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    let mut lines = vec![
        format!(
            "Restored {} of {}, {}.",
            number(summary.documents),
            counted(summary.jobs, "job"),
            size(summary.bytes)
        ),
        String::new(),
        format!("  {} byte for byte as mapped", number(summary.identical)),
    ];
    if !summary.changed.is_empty() {
        lines.push(format!(
            "  {} changed, because the target was edited:",
            number(length(&summary.changed))
        ));
        for job in summary.changed.iter().take(NAMED_MAX) {
            let lost = match job.lost.as_slice() {
                [] => String::new(),
                lost => format!("  (no longer in the target: {})", plain(&lost.join(", "))),
            };
            lines.push(format!("    {}{lost}", plain(&job.job)));
        }
    }
    if !summary.foreign.is_empty() {
        lines.push(format!(
            "  {} left out: without the metadata that this tool writes",
            counted(length(&summary.foreign), "job")
        ));
        for job in summary.foreign.iter().take(NAMED_MAX) {
            lines.push(format!("    {}", plain(job)));
        }
    }
    if summary.metadata_without_job > 0 {
        let text = format!(
            "{} without a job: the legacy document of a job that is gone does not come back",
            counted(summary.metadata_without_job, "metadata document")
        );
        lines.push(format!("  {}", toned(Tone::Careful, &text)));
    }
    if !outcome.unfinished.is_empty() {
        let runs = outcome.unfinished.join(", ");
        let text = "It is not all of the legacy collection: not done in the target is";
        lines.push(format!("\n  {} {runs}.", toned(Tone::Careful, text)));
    }
    lines.push(format!("\n  {}", outcome.out));
    lines.join("\n")
}

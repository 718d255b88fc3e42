//! `reshelve resume`.

use reshelve::run::{self, ResumeRequest, RunFolder};

use super::outcome;
use super::run::{batch_limits, jobs, refuse_live};
use crate::cli::ResumeArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;
use crate::progress::ProgressView;

pub(crate) fn run(args: &ResumeArgs) -> Result<ExitCode, Failure> {
    if let Some(source) = &args.source {
        refuse_live(source)?;
    }
    let request = ResumeRequest {
        folder: RunFolder::find(&args.runs.runs_dir, &args.run)?,
        runs_folder: args.runs.runs_dir.clone(),
        source: args.source.clone(),
        batch: batch_limits(&args.batch),
        jobs: jobs(&args.batch),
        checkpoint_bytes: args.batch.checkpoint_bytes,
    };
    let stop = interrupt::flag()?;
    let mut view = ProgressView::new(false);
    let report = run::resume(&request, &stop, &mut view);
    view.end();
    let report = report.map_err(|error| outcome::failure(error, view.folder()))?;
    outcome::tell(&report, Printer::new(args.json.json))
}

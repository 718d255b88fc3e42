//! `reshelve resume`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reshelve::run::{self, Ends, ResumeRequest, RunFolder};
use reshelve_mongo::Patience;

use super::run::{batch_limits, jobs};
use super::{ends, outcome};
use crate::cli::ResumeArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::{self, Printer};
use crate::progress::ProgressView;

pub(crate) fn run(args: &ResumeArgs) -> Result<ExitCode, Failure> {
    let folder = RunFolder::find(&args.runs.runs_dir, &args.run)?;
    let plan = folder.plan()?;
    let stop = Arc::new(AtomicBool::new(false));
    let patience = Patience::new(Arc::clone(&stop), printer::note);
    let origin =
        ends::origin_again(&plan.source, args.source.as_deref(), args.read_preference, &patience)?;
    let mut destination = ends::destination_again(&plan.target, args.target.as_deref(), &patience)?;
    let ends = Ends { origin: origin.as_ref(), destination: destination.as_mut() };
    let request = ResumeRequest {
        folder,
        batch: batch_limits(&args.batch, plan.target.folder().is_none()),
        jobs: jobs(&args.batch),
        checkpoint_bytes: args.batch.checkpoint_bytes,
    };
    interrupt::listen(&stop)?;
    let mut view = ProgressView::new(false);
    let report = run::resume(&request, ends, &stop, &mut view);
    view.end();
    let report = report.map_err(|error| outcome::failure(error, view.folder()))?;
    outcome::tell(&report, Printer::new(args.json.json))
}

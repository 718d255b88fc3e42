//! `reshelve resume`.

use std::sync::Arc;

use reshelve_app::resume::{self, Request};
use reshelve_app::states::Command;
use reshelve_app::{ExitCode, Failure};

use super::{control, run_page};
use crate::cli::{ResumeArgs, target_again};
use crate::next::{self, Next};
use crate::printer::Printer;
use crate::progress::View;

pub(crate) fn run(args: &ResumeArgs) -> Result<ExitCode, Failure> {
    let request = Request {
        run: args.runs.run_for(&args.run, Command::Resume),
        source: args.source.clone(),
        allow_empty: args.allow_empty,
        target: target_again(args.target.as_ref()),
        in_flight: args.in_flight.map(Into::into),
        read_preference: args.read_preference.map(Into::into),
        batch: args.batch.options(),
        throttle: args.limits.throttle(),
    };
    if let Some(code) = control::go_on(args, &request.run)? {
        return Ok(code);
    }
    let view = Arc::new(View::default());
    let ran = resume::resume(&request, &args.password.handle(args.dry_run.handle(view.handle())));
    view.end();
    let outcome = ran?;
    let plan = &outcome.report.plan;
    let next = if plan.apply { next::verify(plan, &args.runs.runs_dir) } else { Next::nothing() };
    Ok(run_page::print(&outcome, Printer::new(args.json.json), &next))
}

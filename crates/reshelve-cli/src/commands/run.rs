//! `reshelve run`.

use std::path::Path;
use std::sync::Arc;

use reshelve::ends::{Compression, OnExisting};
use reshelve::run::Throttle;
use reshelve_app::plan::{self, CarryOut, Given, PlanNote};
use reshelve_app::run::{self, Outcome, Request};
use reshelve_app::states::Command;
use reshelve_app::{ExitCode, Failure, RunName, hints};

use super::run_page;
use crate::cli::RunArgs;
use crate::next::{self, Next};
use crate::printer::Printer;
use crate::progress::View;

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let view = Arc::new(View::default());
    let handle = args.password.handle(args.dry_run.handle(view.handle()));
    let ran = match (&args.save_plan, &args.plan) {
        (Some(_), Some(_)) => Err(plan::both()),
        (_, Some(_)) if !args.apply => Err(plan::without_apply()),
        (_, Some(file)) => carry_out(args, file).and_then(|it| plan::carry_out(&it, &handle)),
        (Some(file), _) => request(args).and_then(|it| plan::save(&it, file, &handle)),
        (None, None) => request(args).and_then(|it| run::run(&it, &handle)),
    };
    view.end();
    let outcome = ran?;
    let next = next(args, &outcome);
    Ok(run_page::print(&outcome, Printer::new(args.json.json), &next))
}

/// The same run for good after a dry run of the whole source; the comparison after a run.
fn next(args: &RunArgs, outcome: &Outcome) -> Next {
    let totals = &outcome.report.checkpoint.totals;
    let documents = totals.documents;
    match &outcome.report.plan {
        _ if outcome.lacks_room => Next::nothing(),
        _ if outcome.plan.as_ref().is_some_and(PlanNote::is_missed) => Next::nothing(),
        // Probably the wrong collection.
        _ if run_page::is_wrong_collection(&outcome.report) => {
            next::of_source("inspect", &args.source.place())
        }
        // All of the source would be compared: what was not taken is missing.
        plan if plan.apply && plan.part(documents.read).is_some() && plan.parent().is_none() => {
            next::report(&[&plan.run], &args.runs.runs_dir)
        }
        plan if plan.apply => next::verify(plan, &args.runs.runs_dir),
        _ if let Some(file) = &args.save_plan => Next::new("plan show").place(file),
        _ if args.limit.is_some() || args.dry_run.is_asked() => Next::nothing(),
        // It would be refused without a decision, which nobody else can take.
        plan if plan.options.in_flight.is_none() && totals.in_flight > 0 => Next::nothing(),
        plan => match plan.parent() {
            Some(parent) => Next::same_with("--apply").for_latest(parent),
            None => Next::same_with("--apply"),
        },
    }
}

/// How a target folder is compressed, by the flags `--gzip` and `--zstd`; none if neither is given.
pub(super) fn compression(gzip_and_zstd: (bool, bool)) -> Result<Option<Compression>, Failure> {
    match gzip_and_zstd {
        (true, true) => {
            let message = "--gzip and --zstd contradict each other";
            Err(Failure::usage(message, hints::GZIP_OR_ZSTD))
        }
        (true, false) => Ok(Some(Compression::Gzip)),
        (false, true) => Ok(Some(Compression::Zstd)),
        (false, false) => Ok(None),
    }
}

fn on_existing(args: &RunArgs) -> Option<OnExisting> {
    match (args.replace, args.allow_existing) {
        (true, _) => Some(OnExisting::Replace),
        (_, true) => Some(OnExisting::Keep),
        _ => None,
    }
}

fn only_rejects(args: &RunArgs) -> Option<RunName> {
    args.only_rejects.as_deref().map(|name| args.runs.run_for(name, Command::OnlyRejects))
}

fn request(args: &RunArgs) -> Result<Request, Failure> {
    Ok(Request {
        compression: compression((args.gzip, args.zstd))?.unwrap_or_default(),
        apply: args.apply,
        mapping: args.mapping.options(),
        on_existing: on_existing(args).unwrap_or_default(),
        only_rejects: only_rejects(args),
        take_over: args.take_over,
        batch: args.batch.options(),
        throttle: Throttle::default().changed(args.limits.throttle()),
        limit: args.limit,
        fail_fast: args.fail_fast,
        skip_disk_check: args.skip_disk_check,
        ignore_oplog: args.ignore_oplog,
        ..Request::new(args.source.place(), args.target(), &args.runs.runs_dir)
    })
}

/// What was given, so that it can be compared with the plan.
fn carry_out(args: &RunArgs, file: &Path) -> Result<CarryOut, Failure> {
    Ok(CarryOut {
        file: file.to_owned(),
        source: args.source.place(),
        target: args.target(),
        given: Given {
            mapping: args.mapping.given(),
            on_existing: on_existing(args),
            only_rejects: only_rejects(args),
            take_over: args.take_over,
            compression: compression((args.gzip, args.zstd))?,
            limit: args.limit,
            fail_fast: args.fail_fast,
            ignore_oplog: args.ignore_oplog,
        },
        batch: args.batch.options(),
        throttle: Throttle::default().changed(args.limits.throttle()),
        skip_disk_check: args.skip_disk_check,
        runs_folder: args.runs.runs_dir.clone(),
    })
}

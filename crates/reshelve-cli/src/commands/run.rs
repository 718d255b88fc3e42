//! `reshelve run`.

use std::sync::Arc;

use reshelve::ends::{Compression, OnExisting};
use reshelve::run::Throttle;
use reshelve_app::run::{self, Outcome, Request};
use reshelve_app::{ExitCode, Failure, hints};

use super::run_page;
use crate::cli::RunArgs;
use crate::next::{self, Next};
use crate::printer::Printer;
use crate::progress::View;

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let request = request(args)?;
    let view = Arc::new(View::default());
    let ran = run::run(&request, &args.password.handle(args.dry_run.handle(view.handle())));
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
        // Probably the wrong collection.
        _ if documents.read > 0 && documents.rejected == documents.read => {
            next::of_source("inspect", &args.source.place())
        }
        // All of the source would be compared: what was not taken is missing.
        plan if plan.apply && plan.part(documents.read).is_some() && plan.parent().is_none() => {
            next::report(&[&plan.run], &args.runs.runs_dir)
        }
        plan if plan.apply => next::verify(plan, &args.runs.runs_dir),
        _ if args.limit.is_some() || args.dry_run.is_asked() => Next::nothing(),
        // It would be refused without a decision, which nobody else can take.
        plan if plan.options.in_flight.is_none() && totals.in_flight > 0 => Next::nothing(),
        _ => Next::same_with("--apply"),
    }
}

fn request(args: &RunArgs) -> Result<Request, Failure> {
    let compression = compression((args.gzip, args.zstd))?;
    let on_existing = match (args.replace, args.allow_existing) {
        (true, _) => OnExisting::Replace,
        (_, true) => OnExisting::Keep,
        _ => OnExisting::Refuse,
    };
    Ok(Request {
        compression,
        apply: args.apply,
        mapping: args.mapping.options(),
        on_existing,
        only_rejects: args.only_rejects.as_deref().map(|name| args.runs.run(name)),
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

/// How a target folder is compressed, by the flags `--gzip` and `--zstd`.
pub(super) fn compression(gzip_and_zstd: (bool, bool)) -> Result<Compression, Failure> {
    match gzip_and_zstd {
        (true, true) => {
            let message = "--gzip and --zstd contradict each other";
            Err(Failure::usage(message, hints::GZIP_OR_ZSTD))
        }
        (true, false) => Ok(Compression::Gzip),
        (false, true) => Ok(Compression::Zstd),
        (false, false) => Ok(Compression::None),
    }
}

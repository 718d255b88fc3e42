//! `reshelve run`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reshelve::ends::OnExisting;
use reshelve::ends::{BATCH_BYTES_DEFAULT, BatchLimits};
use reshelve::folder::Compression;
use reshelve::run::{self, Ends, RunFolder, RunRequest};
use reshelve_mongo::Patience;

use super::{ends, outcome};
use crate::cli::{BatchArgs, RunArgs};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::{self, Printer};
use crate::progress::ProgressView;

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let request = request(args)?;
    let stop = Arc::new(AtomicBool::new(false));
    let patience = Patience::new(Arc::clone(&stop), printer::note);
    let origin = ends::origin(&args.source.source, &args.source.pick, &patience)?;
    let compression = match (args.gzip, args.zstd) {
        (true, _) => Compression::Gzip,
        (_, true) => Compression::Zstd,
        _ => Compression::None,
    };
    let mut destination =
        ends::destination(&args.target, args.target_db.as_deref(), compression, &patience)?;
    let ends = Ends { origin: origin.as_ref(), destination: destination.as_mut() };
    interrupt::listen(&stop)?;
    let mut view = ProgressView::new(false);
    let report = run::start(&request, ends, &stop, &mut view);
    view.end();
    let report = report.map_err(|error| outcome::failure(error, view.folder()))?;
    outcome::tell(&report, Printer::new(args.json.json))
}

fn request(args: &RunArgs) -> Result<RunRequest, Failure> {
    if args.apply && args.dry_run == Some(true) {
        let hint = "leave out --apply, or unset DRY_RUN";
        return Err(Failure::usage("--apply and DRY_RUN=true contradict each other", Some(hint)));
    }
    if args.gzip && args.zstd {
        let hint = "one of them may come from the environment or from reshelve.toml";
        return Err(Failure::usage("--gzip and --zstd contradict each other", Some(hint)));
    }
    let runs_folder = args.runs.runs_dir.clone();
    let only_rejects = match &args.only_rejects {
        Some(name) => Some(RunFolder::find(&runs_folder, name)?.path().to_owned()),
        None => None,
    };
    let keep = args.allow_existing || args.take_over || only_rejects.is_some();
    Ok(RunRequest {
        apply: args.apply,
        on_unknown_status: args.mapping.on_unknown_status.into(),
        status_policy: args.mapping.status_policy.into(),
        in_flight: args.mapping.in_flight.map(Into::into),
        on_existing: match (args.replace, keep) {
            (true, _) => OnExisting::Replace,
            (_, true) => OnExisting::Keep,
            _ => OnExisting::Refuse,
        },
        only_rejects,
        take_over: args.take_over,
        batch: batch_limits(&args.batch, ends::live(&args.target)?.is_some()),
        jobs: jobs(&args.batch),
        checkpoint_bytes: args.batch.checkpoint_bytes,
        limit: args.limit,
        fail_fast: args.fail_fast,
        skip_disk_check: args.skip_disk_check,
        runs_folder,
        files: Arc::new(reshelve::store::Disk),
    })
}

/// A live target is asked a few questions for each batch: there, larger ones are faster.
const LIVE_BATCH_BYTES: usize = 4 * 1024 * 1024;

pub(crate) fn batch_limits(args: &BatchArgs, is_live: bool) -> BatchLimits {
    let usual = if is_live { LIVE_BATCH_BYTES } else { BATCH_BYTES_DEFAULT };
    let given = args.batch_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    BatchLimits {
        docs_max: usize::try_from(args.batch_docs).unwrap_or(usize::MAX),
        bytes_max: given.unwrap_or(usual),
    }
}

pub(crate) fn jobs(args: &BatchArgs) -> usize {
    threads(args.jobs)
}

/// As many mapping threads as were asked for, else one for each core.
pub(crate) fn threads(jobs: Option<u16>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    jobs.map_or_else(cores, usize::from)
}

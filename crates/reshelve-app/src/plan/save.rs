//! `run --save-plan FILE`: a dry run, written down to be approved.

use std::path::Path;

use reshelve::ends::{Origin, TargetReader};
use reshelve::plan::{
    Forecast, Foresight, Keys, PlanDestination, PlanOptions, Role, SavedPlan, SourceState,
    TargetState, keys_file, read_source, used_file,
};
use reshelve::run::{self, Decisions, Ends, Plan, Report, RunRequest, Stop, now_iso};
use reshelve::store::{Disk, Files, absolute};

use super::parts::{reading, rejects_hash};
use super::{PlanNote, PlanState, build, tell};
use crate::failure::Failure;
use crate::handle::{Handle, Relay};
use crate::hints;
use crate::outside;
use crate::places::{self, TargetEnds};
use crate::run::{Outcome, Request, counts};

/// Does a dry run, and saves it as a plan if it is done.
///
/// # Errors
/// As for [`run`](crate::run()); refused too if the file is there, or the source can be read once
/// only.
pub fn save(request: &Request, file: &Path, handle: &Handle) -> Result<Outcome, Failure> {
    if request.apply {
        let message = "--save-plan saves a dry run, and --apply writes";
        return Err(Failure::usage(message, hints::plans::SAVE_THEN_APPLY));
    }
    outside::check("--save-plan", file)?;
    let file = absolute(file);
    let asked = RunRequest { saves_plan: Some(file.clone()), ..request.request()? };
    check_free(&file)?;
    let origin = places::origin(&request.source, handle)?;
    if !origin.is_rewindable() {
        let message = "standard input or a pipe cannot be compared with a plan later";
        return Err(Failure::refused(message, hints::plans::SOURCE_IN_A_FILE));
    }
    let TargetEnds { mut destination, reader } =
        places::target_ends(&request.target, request.compression, handle)?;
    let foresight = Foresight::default();
    let role = Role::Foreseeing { foresight, target: reader.as_ref() };
    let mut destination = PlanDestination { inner: destination.as_mut(), role };
    let ends = Ends { origin: origin.as_ref(), destination: &mut destination };
    handle.watcher().ready();
    let mut relay = Relay::new(handle);
    let ended = run::start(&asked, ends, handle.stop(), &mut relay);
    let outcome = Outcome::of(ended, &relay).map_err(|failure| match relay.folder() {
        Some(_) => Failure { hint: Some(hints::plans::SAVE_AGAIN.to_owned()), ..failure },
        None => failure,
    })?;
    let Role::Foreseeing { foresight, .. } = destination.role else { return Ok(outcome) };
    if !matches!(outcome.report.stop, Stop::Done) {
        handle.watcher().note("no plan was saved: the dry run is not finished");
        return Ok(outcome);
    }
    let ends = (origin.as_ref(), reader.as_ref());
    let plan = write(&asked, ends, foresight, (&outcome, &file), handle)?;
    let state = PlanState::Saved;
    outcome.with_plan(PlanNote { hash: plan.hash, file, state })
}

/// Refuses to resume a dry run that was to be saved as a plan, unless it was: what it foresaw is gone
/// with its process.
///
/// # Errors
/// A refusal.
pub(crate) fn refuse_resume(settings: &Plan) -> Result<(), Failure> {
    let Some(file) = &settings.saves_plan else { return Ok(()) };
    if SavedPlan::read(&Disk, file).is_ok_and(|plan| plan.dry_run == settings.run) {
        return Ok(());
    }
    let message = format!(
        "the dry run {} was to be saved as the plan {}, and was stopped before: only one that is not \
         interrupted is saved",
        settings.run,
        file.display()
    );
    Err(Failure::refused(message, hints::plans::SAVE_AGAIN))
}

/// No file of a plan may be there: a plan is approved by its name.
fn check_free(file: &Path) -> Result<(), Failure> {
    for path in [file.to_owned(), keys_file(file), used_file(file)] {
        if Disk.exists(&path)? {
            let message = format!("{} is there already", path.display());
            return Err(Failure::refused(message, hints::plans::SAVE_ELSEWHERE));
        }
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    if !Disk.is_folder(folder)? || !Disk.may_write_in(folder)? {
        let message =
            format!("the folder {} is not there, or may not be written to", folder.display());
        return Err(Failure::refused(message, hints::plans::SAVE_ELSEWHERE));
    }
    Ok(())
}

/// Reads the source once more for the hashes of its documents, and writes the plan: its keys first.
fn write(
    asked: &RunRequest,
    (origin, target): (&dyn Origin, &dyn TargetReader),
    mut foresight: Foresight,
    (outcome, file): (&Outcome, &Path),
    handle: &Handle,
) -> Result<SavedPlan, Failure> {
    let report = &outcome.report;
    let mut keys = Keys::begin(&Disk, file)?;
    let mut give = |entry| Ok(keys.add(&entry)?);
    let read = read_source(origin, &reading(asked, handle), &mut tell(handle), &mut give)?;
    let keys_state = keys.end()?;
    let options = options(asked, report)?;
    let reads_all = options.limit.is_none() || options.only_rejects.is_none();
    if reads_all && read.sums.running_hash != report.checkpoint.source_hash {
        let message = "the source was changed while the plan was made, and none was saved";
        return Err(Failure::refused(message, hints::plans::PLAN_AGAIN));
    }
    let reaches = foresight.reaches(target)?;
    let totals = &report.checkpoint.totals;
    let owned = |counts: std::collections::BTreeMap<&str, u64>| {
        counts.into_iter().map(|(code, count)| (code.to_owned(), count)).collect()
    };
    let plan = SavedPlan {
        schema: String::new(),
        hash: String::new(),
        saved_at: now_iso(),
        dry_run: report.plan.run.clone(),
        tool: build::tool()?,
        options,
        source: SourceState { place: read.place, sums: read.sums, keys: keys_state },
        target: TargetState {
            place: report.plan.target.clone(),
            collections: foresight.before().clone(),
        },
        forecast: forecast(outcome, &foresight),
        warnings: owned(counts(&totals.warnings)),
        rejects: owned(counts(&totals.rejects)),
        reaches,
    }
    .named();
    check_free(file)?;
    keys.commit()?;
    plan.write(&Disk, file)?;
    Ok(plan)
}

fn options(asked: &RunRequest, report: &Report) -> Result<PlanOptions, Failure> {
    Ok(PlanOptions {
        decisions: Decisions { ..report.plan.options },
        on_existing: asked.on_existing,
        take_over: asked.take_over,
        only_rejects: report.plan.only_rejects.clone(),
        rejects_hash: rejects_hash(asked)?,
        limit: asked.limit,
        fail_fast: asked.fail_fast,
        ignore_oplog: asked.ignore_oplog,
    })
}

fn forecast(outcome: &Outcome, foresight: &Foresight) -> Forecast {
    let report = &outcome.report;
    let totals = &report.checkpoint.totals;
    let folder = report.plan.target.folder();
    Forecast {
        documents: totals.documents,
        jobs_to_write: foresight.jobs_to_write(),
        replaced: totals.replaced,
        in_flight: totals.in_flight,
        events: totals.events,
        target_bytes: totals.bytes_mapped,
        free_bytes: folder.and_then(|folder| reshelve::folder::free_bytes(&folder.root).ok()),
        elapsed_ms: outcome.forecast_ms(),
    }
}

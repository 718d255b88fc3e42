//! `run --plan FILE --apply`: what was approved is done, or nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reshelve::plan::{Carrying, PlanDestination, Role, check_keys, used_by};
use reshelve::run::{self, Ends, FromPlan, Throttle};
use reshelve::store::{Disk, absolute};

use super::options::Given;
use super::parts::{Now, compare};
use super::{build, compared, read};
use crate::failure::Failure;
use crate::handle::{Handle, Relay};
use crate::hints;
use crate::options::BatchOptions;
use crate::outside;
use crate::places::{self, SourcePlace, TargetEnds, TargetPlace};
use crate::run::Outcome;
use crate::text::counted;

/// What carrying out a plan is asked.
pub struct CarryOut {
    /// The plan.
    pub file: PathBuf,
    /// Where the legacy documents come from.
    pub source: SourcePlace,
    /// Where the target documents go.
    pub target: TargetPlace,
    /// The options that were given.
    pub given: Given,
    /// How the work is divided.
    pub batch: BatchOptions,
    /// How much the run may take.
    pub throttle: Throttle,
    /// Whether to start even if the disk looks too small.
    pub skip_disk_check: bool,
    /// The folder of run folders.
    pub runs_folder: PathBuf,
}

/// Carries a plan out if it still holds, and compares what was reached with it.
///
/// # Errors
/// As for [`run`](crate::run()); refused too, before anything is written, if the plan was used, was
/// edited, or no longer holds.
pub fn carry_out(request: &CarryOut, handle: &Handle) -> Result<Outcome, Failure> {
    handle.check_may_write("--apply")?;
    outside::check("--plan", &request.file)?;
    let file = absolute(&request.file);
    // What says that it was used lies beside the file itself, not beside a link to it.
    let file = file.canonicalize().unwrap_or(file);
    let plan = read(&file)?;
    let places = (&request.source, &request.target);
    let usual = (request.batch, &request.runs_folder);
    let run = request.given.request(places, &plan, usual)?;
    let (skip_disk_check, throttle) = (request.skip_disk_check, request.throttle);
    let run = crate::run::Request { skip_disk_check, throttle, ..run };
    refuse_used(&file)?;
    check_keys(&Disk, &file, &plan.source.keys)?;
    let mut asked = run.request()?;
    let origin = places::origin(&run.source, handle)?;
    if !origin.is_rewindable() {
        let message =
            "standard input or a pipe cannot be compared with a plan before it is written";
        return Err(Failure::refused(message, hints::plans::SOURCE_IN_A_FILE));
    }
    let TargetEnds { mut destination, reader } =
        places::target_ends(&run.target, run.compression, handle)?;
    if let Some(by) = destination.plan_user(&plan.hash)? {
        let message = format!("the plan {} was used by the run {by}", file.display());
        return Err(Failure::refused(message, hints::plans::was_used(Path::new(&by))));
    }
    handle.watcher().ready();
    let tool = build::tool()?;
    let target = destination.planned();
    let now = Now {
        tool: &tool,
        origin: origin.as_ref(),
        target: &target,
        reader: reader.as_ref(),
        asked: &asked,
    };
    let found = compare(&plan, &file, &now, handle)?;
    if !found.moved.is_empty() {
        return Err(moved(&file, &found.moved));
    }
    let from_plan = FromPlan {
        hash: plan.hash.clone(),
        file,
        source_hash: plan.reads_all().then_some(found.source.running_hash),
        reaches: plan.reaches.clone(),
    };
    asked.from_plan = Some(from_plan.clone());
    let expected = Some((plan.target.collections, reader.as_ref()));
    let carrying = Carrying { files: Arc::new(Disk), from_plan, expected };
    let mut destination =
        PlanDestination { inner: destination.as_mut(), role: Role::Carrying(carrying) };
    let ends = Ends { origin: origin.as_ref(), destination: &mut destination };
    let mut relay = Relay::new(handle);
    let ended = run::start(&asked, ends, handle.stop(), &mut relay);
    compared(Outcome::of(ended, &relay)?, reader.as_ref())
}

/// A plan is used once.
fn refuse_used(file: &Path) -> Result<(), Failure> {
    let Some(used) = used_by(&Disk, file)? else { return Ok(()) };
    let message = format!("the plan {} was used by the run {}", file.display(), used.run);
    Err(Failure::refused(message, hints::plans::was_used(&used.folder)))
}

/// The refusal that names everything that moved.
fn moved(file: &Path, moved: &[String]) -> Failure {
    let parts = counted(u64::try_from(moved.len()).unwrap_or(u64::MAX), "part");
    let mut message =
        format!("the plan {} no longer holds: {parts} changed since it was saved", file.display());
    for part in moved {
        message.push_str("\n  ");
        message.push_str(part);
    }
    Failure::refused(message, hints::plans::SAVE_ANOTHER)
}

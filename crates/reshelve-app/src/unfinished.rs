//! Targets of runs that are not done: what reads one says so.

use std::path::Path;

use reshelve::ends::{PlannedSource, PlannedTarget};
use reshelve::run::{Plan, RunFolder, State};

use crate::failure::Failure;
use crate::family::without_copies;
use crate::handle::Handle;
use crate::overlap::{is_same_path, is_same_target, read_the_same};
use crate::text::counted;

/// The runs that wrote, or write, this target: those of a folder of runs, and the one that the
/// target's lock names. A run whose plan cannot be read says nothing.
pub(crate) fn runs_of(
    target: &PlannedTarget,
    runs_folder: &Path,
) -> Result<Vec<(RunFolder, Plan)>, Failure> {
    let planned = |run: RunFolder| run.plan().ok().map(|plan| (run, plan));
    let listed = RunFolder::list(runs_folder)?.into_iter().filter_map(planned);
    let mut runs = without_copies(listed.collect());
    runs.retain(|(_, plan)| plan.apply && is_same_target(&plan.target, target));
    if let PlannedTarget::Folder(folder) = target
        && let Some(holder) = folder.left_by()?
        // The folder of runs may be named in another way than the lock names it.
        && !runs.iter().any(|(run, _)| is_same_path(run.path(), &holder.folder))
    {
        let run = RunFolder::find(runs_folder, &holder.folder.to_string_lossy()).ok();
        runs.extend(run.and_then(planned));
    }
    Ok(runs)
}

/// Tells which of these runs are not done, and returns their ids. A run after them that is done and
/// read the same source has written what they had left.
pub(crate) fn note(
    target: &PlannedTarget,
    runs: &[(RunFolder, Plan)],
    handle: &Handle,
) -> Vec<String> {
    let mut unfinished: Vec<(&Plan, String)> = Vec::new();
    for (run, plan) in runs {
        let Ok(checkpoint) = run.checkpoint() else { continue };
        let state = run.found(&checkpoint);
        match state {
            State::Done => {
                let source = &plan.source;
                let is_its = |earlier: &PlannedSource| {
                    earlier.path == source.path || read_the_same(earlier, source)
                };
                unfinished.retain(|(earlier, _)| !is_its(&earlier.source));
                continue;
            }
            // Nothing of it is in the target.
            State::RolledBack => continue,
            // The rejects of another run, tried again: nothing was left out.
            State::Partial if plan.only_rejects.is_some() => continue,
            _ => {}
        }
        let text = format!(
            "warning: the run {} is not done ({state}, {} read): {} does not hold all of its source",
            plan.run,
            counted(checkpoint.totals.documents.read, "document"),
            target.name()
        );
        unfinished.push((plan, text));
    }
    let told = |(plan, text): (&Plan, String)| {
        handle.watcher().note(&text);
        plan.run.clone()
    };
    unfinished.into_iter().map(told).collect()
}

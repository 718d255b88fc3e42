//! A run and its retries: the runs that took again what it rejected, or what one of these rejected.

use std::collections::HashSet;
use std::path::Path;

use reshelve::run::{Plan, RunFolder};

use crate::failure::Failure;
use crate::hints;
use crate::options::RunName;
use crate::overlap::is_same_target;

/// A run's folder, with what the run was told.
pub(crate) type Known = (RunFolder, Plan);

/// These runs without copies of a run's folder beside it, which are no runs of their own. A folder
/// that was renamed is none.
pub(crate) fn without_copies(mut runs: Vec<Known>) -> Vec<Known> {
    let is_named = |(folder, plan): &Known| folder.path().ends_with(&plan.run);
    let named = runs.iter().filter(|run| is_named(run)).map(|(_, plan)| plan.run.clone());
    let mut met: HashSet<String> = named.collect();
    runs.retain(|run| is_named(run) || met.insert(run.1.run.clone()));
    runs
}

/// The runs that are named, which are one run and retries of it: that run first, the retries oldest
/// first, in whatever order they are named.
///
/// # Errors
/// If one of them is not known, or does not belong to the others.
pub(crate) fn family(names: &[RunName]) -> Result<Vec<Known>, Failure> {
    let mut runs: Vec<Known> = Vec::new();
    for name in names {
        let folder = name.find()?;
        let plan = folder.plan()?;
        if !runs.iter().any(|(_, known)| known.run == plan.run) {
            runs.push((folder, plan));
        }
    }
    runs.sort_by(|(_, one), (_, other)| {
        let order = |plan: &Plan| (plan.number, plan.begun_at.clone(), plan.run.clone());
        order(one).cmp(&order(other))
    });
    let ids: HashSet<String> = runs.iter().map(|(_, plan)| plan.run.clone()).collect();
    let is_first = |plan: &Plan| plan.parent().is_none_or(|parent| !ids.contains(parent));
    let mut firsts = runs.iter().map(|(_, plan)| plan).filter(|plan| is_first(plan));
    let (Some(first), other) = (firsts.next(), firsts.next()) else { return Ok(runs) };
    if let Some(other) = other {
        return Err(match other.parent() {
            Some(parent) => Failure::usage(
                format!("the run {} is a retry of {parent}, not of {}", other.run, first.run),
                hints::name_the_parent(parent),
            ),
            None => Failure::usage(
                format!("the run {} is not a retry of {}", other.run, first.run),
                hints::RETRIES_OF_ONE_RUN,
            ),
        });
    }
    let first = first.clone();
    for (_, plan) in &runs {
        if plan.run != first.run {
            check_retry(&first, plan)?;
        }
    }
    // A clock may have been set back.
    runs.sort_by_key(|(_, plan)| plan.run != first.run);
    Ok(runs)
}

/// A retry counts with its run only if it wrote into the same target.
fn check_retry(first: &Plan, retry: &Plan) -> Result<(), Failure> {
    let dry = [first, retry].into_iter().find(|plan| !plan.apply);
    if let Some(dry) = dry {
        let message = format!("the run {} is a dry run: it carried nothing over", dry.run);
        return Err(Failure::usage(message, hints::RETRIES_OF_ONE_RUN));
    }
    if !is_same_target(&first.target, &retry.target) {
        let (run, target) = (&retry.run, retry.target.name());
        let message = format!("the run {run} wrote another target than {}, {target}", first.run);
        return Err(Failure::usage(message, hints::RETRIES_OF_ONE_RUN));
    }
    Ok(())
}

/// The run whose rejects a run took again, if they can be reported as one: both wrote the same
/// target. Its folder is looked for in a folder of runs, and where it was.
pub fn counts_with(plan: &Plan, runs: &Path) -> Option<String> {
    let parent = parent_of(plan, runs)?;
    check_retry(&parent, plan).is_ok().then_some(parent.run)
}

/// Whether the run whose rejects a run took again has another target, as a copy is.
pub(crate) fn is_into_another_target(plan: &Plan, runs: &Path) -> bool {
    parent_of(plan, runs).is_some_and(|parent| !is_same_target(&parent.target, &plan.target))
}

fn parent_of(plan: &Plan, runs: &Path) -> Option<Plan> {
    let parent = plan.parent()?;
    let was = plan.only_rejects.as_deref().map(|folder| folder.to_string_lossy().into_owned());
    let names = [Some(parent.to_owned()), was];
    names.into_iter().flatten().find_map(|name| {
        let plan = RunFolder::find(runs, &name).ok()?.plan().ok()?;
        (plan.run == parent).then_some(plan)
    })
}

/// A run, and of these runs those that are retries of it and wrote into its target. They are listed
/// oldest first, so that a retry comes after its parent.
pub(crate) fn with_retries(first: &Plan, runs: Vec<Known>) -> Vec<Known> {
    let mut ids = HashSet::from([first.run.clone()]);
    let mut family = Vec::new();
    for (folder, plan) in runs {
        let is_retry = plan.parent().is_some_and(|parent| ids.contains(parent));
        if plan.run == first.run || is_retry && check_retry(first, &plan).is_ok() {
            ids.insert(plan.run.clone());
            family.push((folder, plan));
        }
    }
    family
}

/// The ids of the retries of these runs that are not among them, as far as their folders lie beside
/// that of the first one.
pub(crate) fn other_retries(family: &[Known]) -> Vec<String> {
    let Some((folder, first)) = family.first() else { return Vec::new() };
    let beside = folder.path().parent().unwrap_or(Path::new("."));
    let beside = if beside == Path::new("") { Path::new(".") } else { beside };
    let known = |folder: RunFolder| folder.plan().ok().map(|plan| (folder, plan));
    let Ok(listed) = RunFolder::list(beside) else { return Vec::new() };
    let listed = without_copies(listed.into_iter().filter_map(known).collect());
    let all = with_retries(first, listed);
    let ids = all.into_iter().map(|(_, plan)| plan.run);
    ids.filter(|id| !family.iter().any(|(_, plan)| plan.run == *id)).collect()
}

//! A run and its retries: the runs that took again what it rejected, or what one of these rejected.

use std::collections::HashSet;
use std::path::Path;

use reshelve::folder;
use reshelve::rollback::TakenBackSoFar;
use reshelve::run::{Plan, RunFolder, State};

use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::options::RunName;
use crate::overlap::is_same_target;
use crate::text::counted;

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

/// Whether a run was rolled back: nothing of it is in the target any more but jobs that somebody
/// edited.
pub(crate) fn is_rolled_back((folder, _): &Known) -> bool {
    folder.checkpoint().is_ok_and(|checkpoint| checkpoint.state == State::RolledBack)
}

/// Why a run does not count with the others of its family, if it does not.
fn is_out(run: &Known) -> Option<String> {
    let (folder, plan) = run;
    if is_rolled_back(run) {
        let kept = TakenBackSoFar::read(folder).map_or(0, |taken_back| taken_back.kept);
        return Some(match kept {
            0 => "was rolled back".to_owned(),
            kept => {
                format!("was rolled back, but for {} that somebody edited", counted(kept, "job"))
            }
        });
    }
    let by = folder::taken_over_by(&plan.run, folder.path()).ok().flatten()?;
    Some(format!("was taken over by {by}, which counts what it found"))
}

/// The runs that are named, which are one run and retries of it: that run first, the retries oldest
/// first, in whatever order they are named. A retry that was rolled back or taken over is left out,
/// and that is said.
///
/// # Errors
/// If one of them is not known, or does not belong to the others.
pub(crate) fn family(names: &[RunName], handle: &Handle) -> Result<Vec<Known>, Failure> {
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
    let is_first = |run: &&Known| !parents(run).iter().any(|parent| ids.contains(parent));
    let mut firsts = runs.iter().filter(is_first).map(|(_, plan)| plan);
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
    runs.retain(|run| {
        let why = is_out(run).filter(|_| run.1.run != first.run);
        if let Some(why) = &why {
            handle.watcher().note(&format!("note: the retry {} {why}: it is left out", run.1.run));
        }
        why.is_none()
    });
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

/// The ids of the runs that are reported as one with a run, that one among them: the first one,
/// then the retries, oldest first. Just itself if it stands alone, as a dry run or a retry into
/// another target does, or one of a run that was rolled back. They are looked for in a folder of
/// runs, and where they were.
pub fn reported_with(plan: &Plan, runs: &Path) -> Vec<String> {
    let itself = || RunFolder::find(runs, &plan.run).ok().map(|folder| (folder, plan.clone()));
    if !plan.apply || itself().is_some_and(|run| is_rolled_back(&run)) {
        return vec![plan.run.clone()];
    }
    let mut first = plan.clone();
    let mut met = vec![plan.run.clone()];
    let mut next = parent_of(plan, runs);
    while let Some(parent) = next
        && !met.contains(&parent.1.run)
        && check_retry(&parent.1, plan).is_ok()
    {
        met.push(parent.1.run.clone());
        next = parent_of(&parent.1, runs);
        if !is_rolled_back(&parent) {
            (_, first) = parent;
        }
    }
    let retries = with_retries(&first, known_in(runs)).into_iter().map(|(_, retry)| retry.run);
    let mut family = vec![first.run.clone()];
    family.extend(retries.filter(|run| *run != first.run));
    if !family.contains(&plan.run) {
        family.push(plan.run.clone());
    }
    family
}

/// How many documents the run has rejected whose rejects a run took again, if that is known.
pub fn rejected_by_parent(plan: &Plan, runs: &Path) -> Option<u64> {
    let (folder, _) = parent_of(plan, runs)?;
    Some(folder.checkpoint().ok()?.totals.documents.rejected)
}

/// The same as [`reported_with`] for a run that is named; just the name if there is none.
pub fn reported_with_named(name: &RunName) -> Vec<String> {
    let plan = name.find().and_then(|folder| Ok(folder.plan()?));
    plan.map_or_else(|_| vec![name.name.clone()], |plan| reported_with(&plan, &name.runs_folder))
}

/// The runs of a folder, oldest first, as far as they can be read.
fn known_in(runs: &Path) -> Vec<Known> {
    let known = |folder: RunFolder| folder.plan().ok().map(|plan| (folder, plan));
    let listed = RunFolder::list(runs).unwrap_or_default();
    without_copies(listed.into_iter().filter_map(known).collect())
}

/// The run whose rejects a run took again; if that was rolled back, also the one whose rejects that
/// took, and so on.
fn parents((folder, plan): &Known) -> Vec<String> {
    let mut parents: Vec<String> = plan.parent().map(str::to_owned).into_iter().collect();
    let counts = |parent: &Known| is_rolled_back(parent) && check_retry(&parent.1, plan).is_ok();
    let mut next = parent_of(plan, beside(folder));
    while let Some(parent) = next.filter(counts) {
        let Some(run) = parent.1.parent().filter(|run| !parents.iter().any(|it| it == run)) else {
            break;
        };
        parents.push(run.to_owned());
        next = parent_of(&parent.1, beside(folder));
    }
    parents
}

/// The folder in which a run's folder lies.
pub(crate) fn beside(folder: &RunFolder) -> &Path {
    match folder.path().parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Whether the run whose rejects a run took again has another target, as a copy is.
pub(crate) fn is_into_another_target(plan: &Plan, runs: &Path) -> bool {
    parent_of(plan, runs).is_some_and(|(_, parent)| !is_same_target(&parent.target, &plan.target))
}

/// The run whose rejects a run took again. Its folder is looked for in a folder of runs, and where
/// it was.
fn parent_of(plan: &Plan, runs: &Path) -> Option<Known> {
    let parent = plan.parent()?;
    let was = plan.only_rejects.as_deref().map(|folder| folder.to_string_lossy().into_owned());
    let names = [Some(parent.to_owned()), was];
    names.into_iter().flatten().find_map(|name| {
        let folder = RunFolder::find(runs, &name).ok()?;
        let plan = folder.plan().ok()?;
        (plan.run == parent).then_some((folder, plan))
    })
}

/// A run, and of these runs those that are retries of it, wrote into its target, and were neither
/// rolled back nor taken over. They are listed oldest first, so that a retry comes after its parent.
pub(crate) fn with_retries(first: &Plan, runs: Vec<Known>) -> Vec<Known> {
    let mut ids = HashSet::from([first.run.clone()]);
    let mut family = Vec::new();
    for run in runs {
        let plan = &run.1;
        let is_retry = plan.parent().is_some_and(|parent| ids.contains(parent));
        if plan.run != first.run && !(is_retry && check_retry(first, plan).is_ok()) {
            continue;
        }
        ids.insert(plan.run.clone());
        if plan.run == first.run || is_out(&run).is_none() {
            family.push(run);
        }
    }
    family
}

/// The ids of the retries of these runs that are not among them, as far as their folders lie beside
/// that of the first one, and they were neither rolled back nor taken over.
pub(crate) fn other_retries(family: &[Known]) -> Vec<String> {
    let Some((folder, first)) = family.first() else { return Vec::new() };
    let all = with_retries(first, known_in(beside(folder)));
    let ids = all.into_iter().map(|(_, plan)| plan.run);
    ids.filter(|id| !family.iter().any(|(_, plan)| plan.run == *id)).collect()
}

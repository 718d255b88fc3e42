//! Which run a comparison takes its options from, if none is named: the last one from this source
//! into this target.

use std::ffi::OsStr;
use std::path::Path;

use reshelve::ends::{LastWriter, PlannedTarget, TargetReader};
use reshelve::run::{Plan, RunFolder, State};
use reshelve_core::mapping::InFlight;

use crate::family::{Known, is_rolled_back, with_retries, without_copies};
use crate::overlap::{is_same_source, is_same_target};
use crate::places::SourcePlace;

/// What is known of the last run from a source into a target.
pub(crate) enum LastRun {
    /// This one, and after it the runs that took again what it rejected, oldest first.
    Known(Vec<Known>),
    /// Nothing that is certain, and why.
    Unknown(String),
}

/// The last run from this source into this target. A run that took only the rejects of another one
/// says nothing about the others, whose options are not its own: it counts only for a source of its
/// own.
pub(crate) fn last_run(
    source: &SourcePlace,
    planned: &PlannedTarget,
    target: &dyn TargetReader,
    runs_folder: &Path,
) -> LastRun {
    let writer = match target.last_writer() {
        Ok(writer) => writer,
        Err(error) => {
            return LastRun::Unknown(format!(
                "the run that wrote the target last is not known: {error}"
            ));
        }
    };
    let listed = match RunFolder::list(runs_folder) {
        Ok(listed) => listed,
        Err(error) => return LastRun::Unknown(format!("the runs cannot be listed: {error}")),
    };
    let known = |folder: RunFolder| folder.plan().ok().map(|plan| (folder, plan));
    // The names begin with the date: what cannot be read may be newer than what is found.
    let is_unreadable = |folder: &&RunFolder| folder.plan().is_err();
    let unreadable = listed.iter().rfind(is_unreadable).map(|folder| folder.path().to_owned());
    let mut runs = without_copies(listed.into_iter().filter_map(known).collect());
    let is_of_target = |plan: &Plan| plan.apply && is_same_target(&plan.target, planned);
    runs.retain(|run| is_of_target(&run.1));
    if let Err(why) = add_writer(&mut runs, writer.as_ref(), runs_folder) {
        return LastRun::Unknown(why);
    }
    let is_first = |plan: &Plan| plan.parent().is_none();
    let of_source = |plan: &Plan| is_same_source(&plan.source, source);
    let standing: Vec<&Known> = runs.iter().filter(|run| !is_rolled_back(run)).collect();
    let of_first = standing.iter().filter(|(_, plan)| is_first(plan) && of_source(plan));
    let firsts: Vec<&Known> = of_first.copied().collect();
    // What a run that ended early would have done says nothing of what the target holds.
    let first = firsts.iter().rfind(|run| is_whole(run)).or(firsts.last()).copied();
    if let Some(why) = first.and_then(|(_, last)| contradiction(last, &firsts)) {
        return LastRun::Unknown(why);
    }
    // The file of repaired documents is the source of nothing but a retry.
    let found = first.or_else(|| standing.iter().rfind(|(_, plan)| of_source(plan)).copied());
    if let Some((_, first)) = found {
        let first = first.clone();
        if let Some(path) =
            unreadable.filter(|path| path.file_name() > Some(OsStr::new(&first.run)))
        {
            return LastRun::Unknown(format!("the run in {} cannot be read", path.display()));
        }
        return LastRun::Known(with_retries(&first, runs));
    }
    LastRun::Unknown(match standing.iter().rfind(|(_, plan)| is_first(plan)) {
        Some((_, last)) => {
            let path = last.source.path.display();
            format!("the last run into the target, {}, read another source, {path}", last.run)
        }
        None => format!(
            "no run into the target is known in {} that was not rolled back",
            runs_folder.display()
        ),
    })
}

/// Adds the run that the target names as its last writer, if that lies elsewhere.
fn add_writer(
    runs: &mut Vec<Known>,
    writer: Option<&LastWriter>,
    runs_folder: &Path,
) -> Result<(), String> {
    let is_here = writer.is_some_and(|writer| runs.iter().any(|(_, plan)| plan.run == writer.run));
    let Some(writer) = writer.filter(|_| !is_here) else { return Ok(()) };
    match run_of(writer) {
        // Who took it back wrote last, and left nothing of it.
        Some(run) if is_rolled_back(&run) => {}
        Some(run) => runs.push(run),
        None => {
            let (run, runs) = (&writer.run, runs_folder.display());
            return Err(format!("the run {run} wrote the target last, and is not in {runs}"));
        }
    }
    Ok(())
}

/// What the last run left out, an earlier one may have carried over: it must still be there.
fn contradiction(last: &Plan, runs: &[&Known]) -> Option<String> {
    let leaves_out = |plan: &Plan| plan.options.in_flight == Some(InFlight::Skip);
    let other = runs.iter().find(|(run, plan)| !leaves_out(plan) && has_written(run));
    let (_, other) = other.filter(|_| leaves_out(last))?;
    Some(format!(
        "the run {} left out jobs in flight that the run {} may have carried over",
        last.run, other.run
    ))
}

/// Whether a run has taken all of its source.
fn is_whole((folder, _): &Known) -> bool {
    folder.checkpoint().is_ok_and(|checkpoint| checkpoint.state == State::Done)
}

/// Whether something in the target is the work of a run.
fn has_written(folder: &RunFolder) -> bool {
    folder.checkpoint().is_ok_and(|checkpoint| checkpoint.totals.documents.written > 0)
}

/// The run that a target names, if its folder is there.
pub(crate) fn run_of(writer: &LastWriter) -> Option<Known> {
    let folder = writer.folder.as_ref()?;
    let found = RunFolder::find(folder.parent()?, &folder.to_string_lossy()).ok()?;
    let plan = found.plan().ok().filter(|plan| plan.run == writer.run)?;
    Some((found, plan))
}

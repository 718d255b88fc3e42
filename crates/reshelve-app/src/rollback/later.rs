//! The runs that came after the one that is to be taken back, and may have written its jobs again.

use std::path::Path;

use reshelve::ends::Destination;
use reshelve::rollback;
use reshelve::run::{Plan, RunFolder};

use crate::failure::Failure;
use crate::family::without_copies;
use crate::hints;
use crate::overlap::is_same_target;

/// The later runs, as far as their folders are there.
pub(super) struct LaterRuns {
    /// All runs that were looked at.
    known: Vec<String>,
    /// Those of them that came earlier.
    earlier: Vec<RunFolder>,
    /// Those into the same target, by its name.
    by_name: Vec<(String, RunFolder)>,
    /// Those into a target of another name that may be the same: a server has several.
    by_identity: Vec<(String, RunFolder)>,
}

impl LaterRuns {
    /// Looks at the runs of a folder, and at those beside this one.
    pub(super) fn of(runs: &Path, folder: &RunFolder, plan: &Plan) -> Result<LaterRuns, Failure> {
        // It may be named by its folder, from anywhere.
        let parent = folder.path().parent().filter(|parent| !parent.as_os_str().is_empty());
        let beside = parent.unwrap_or(Path::new("."));
        let is_elsewhere = runs.canonicalize().ok() != beside.canonicalize().ok();
        let mut known = Vec::new();
        for runs in [Some(beside), Some(runs).filter(|_| is_elsewhere)].into_iter().flatten() {
            for other in RunFolder::list(runs)? {
                match other.plan() {
                    Ok(plan) => known.push((other, plan)),
                    Err(_) if other.path().file_name() > folder.path().file_name() => {
                        return Err(unreadable(&other));
                    }
                    Err(_) => {}
                }
            }
        }
        let known = without_copies(known);
        let own = known.iter().position(|(_, other)| other.run == plan.run);
        let ids = known.iter().map(|(_, plan)| plan.run.clone()).collect();
        let written = folder.written_target().ok().flatten();
        let mut later = LaterRuns {
            known: ids,
            earlier: Vec::new(),
            by_name: Vec::new(),
            by_identity: Vec::new(),
        };
        for (at, (other, of_other)) in known.into_iter().enumerate() {
            let is_later = match own {
                // Those of one folder are in the order in which they were begun, whatever the clock.
                Some(own) if other.path().parent() == parent => at > own,
                _ => of_other.run != plan.run && of_other.begun_at > plan.begun_at,
            };
            if !of_other.apply {
                continue;
            }
            if !is_later {
                later.earlier.push(other);
            } else if is_same_target(&of_other.target, &plan.target) {
                later.by_name.push((of_other.run, other));
            } else if written.is_some() && other.written_target().ok().flatten() == written {
                later.by_identity.push((of_other.run, other));
            }
        }
        Ok(later)
    }

    /// Refuses a target that an earlier run wrote to, and this one did not. The runs beside this one
    /// are looked at when it is taken back; its folder may be a copy that lies elsewhere.
    pub(super) fn check_place(
        &self,
        folder: &RunFolder,
        plan: &Plan,
        destination: &dyn Destination,
    ) -> Result<(), Failure> {
        // What names its runs is asked when this one is taken back.
        if destination.names_run(&plan.run)?.is_some() {
            return Ok(());
        }
        let earlier = || Ok(self.earlier.clone());
        Ok(folder.expect_target_of_none(&plan.run, destination, earlier)?)
    }

    /// Refuses to take back a run of which a later one has written jobs anew; gives the refusal where
    /// it has replaced or completed them.
    pub(super) fn refusal(&self, folder: &RunFolder) -> Result<Option<Failure>, Failure> {
        let later = self.by_name.iter().map(|(run, folder)| (run.as_str(), folder));
        Ok(rollback::refuse_written_again(folder, later)?.map(Failure::from))
    }

    /// The same of the runs into a target of another name, unless that is a copy: then it does not
    /// name them. Who took over a run that is not done, its target tells.
    pub(super) fn refusal_by_identity(
        &self,
        folder: &RunFolder,
        plan: &Plan,
        destination: &dyn Destination,
    ) -> Result<Option<Failure>, Failure> {
        if self.by_identity.is_empty() || !folder.checkpoint()?.state.is_ended() {
            return Ok(None);
        }
        let mut later = Vec::new();
        for (run, folder) in self.by_identity.iter().filter(|(run, _)| *run != plan.run) {
            if destination.names_run(run)? != Some(false) {
                later.push((run.as_str(), folder));
            }
        }
        Ok(rollback::refuse_written_again(folder, later.into_iter())?.map(Failure::from))
    }

    /// The first later run that the target names and whose folder is not there.
    pub(super) fn unknown(
        &self,
        plan: &Plan,
        destination: &mut dyn Destination,
    ) -> Result<Option<String>, Failure> {
        let later = destination.later_writers(&plan.run)?;
        Ok(later.into_iter().find(|later| !self.known.contains(later)))
    }
}

/// The refusal where the target names a later run whose journal is not there to be asked.
pub(super) fn wrote_elsewhere(later: &str) -> Failure {
    let message = format!(
        "the run {later} has written into this target since, and its run folder is not beside that of \
         this one: it may have written jobs of this run again"
    );
    Failure::refused(message, hints::BRING_THE_LATER_RUN)
}

/// The refusal where a later run beside this one may have written the same jobs.
fn unreadable(other: &RunFolder) -> Failure {
    let message = format!(
        "the run in {} cannot be read: it may have written jobs of this run again",
        other.path().display()
    );
    Failure::refused(message, hints::READ_THE_LATER_RUN)
}

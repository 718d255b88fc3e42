//! Jobs that a later run has written too: after they were gone, or in the place of what somebody had
//! made of them. Their content does not tell whose they are, and that run has to give back first
//! what it keeps.

use crate::ends::{Action, EndError, Hint, PlannedTarget};
use crate::run::journal::{self, Own};
use crate::run::{Checkpoint, RunError, RunFolder, State};
use crate::store::DiskError;

/// Refuses to take back a run of which a later one into the same target has written jobs anew, and
/// not taken back. `later` has their ids and folders. Gives the refusal where one has replaced what
/// stood there, or completed it: that is nothing to whoever only asks what was edited.
///
/// # Errors
/// The refusal, or that the files of one of the runs cannot be used.
pub fn refuse_written_again<'l>(
    run: &RunFolder,
    later: impl Iterator<Item = (&'l str, &'l RunFolder)>,
) -> Result<Option<RunError>, RunError> {
    let checkpoint = run.checkpoint()?;
    if checkpoint.state == State::RolledBack {
        return Ok(None);
    }
    let ours = own(run, &checkpoint)?;
    let mut in_its_place = None;
    for (id, folder) in later {
        let checkpoint = folder.checkpoint()?;
        if checkpoint.state == State::RolledBack {
            continue;
        }
        let (mut anew, mut others, mut named) = (0_u64, 0_u64, 0_u64);
        own(folder, &checkpoint)?.each(None, &mut |job| {
            let count = if job.action == Action::Insert { &mut anew } else { &mut others };
            *count += u64::from(ours.get(&job.key)?.is_some());
            named += 1;
            Ok(())
        })?;
        if named > 0 && goes_by_lengths(folder, &checkpoint)? {
            let message = format!(
                "the later run {id} is not done, and what it wrote is found by where it began"
            );
            let hint = Hint::TakeBackFirst { run: id.into() };
            return Err(EndError::refusal(message, hint).into());
        }
        if anew > 0 {
            return Err(refusal(id, "written again", anew));
        }
        if others > 0 && in_its_place.is_none() {
            in_its_place = Some(refusal(id, "replaced or completed", others));
        }
    }
    Ok(in_its_place)
}

/// Whether a run that is not done can neither go on nor be taken back where the files of its target
/// have become shorter than it found them.
fn goes_by_lengths(run: &RunFolder, checkpoint: &Checkpoint) -> Result<bool, RunError> {
    let is_done = matches!(checkpoint.state, State::Done | State::Partial);
    Ok(!is_done && matches!(run.plan()?.target, PlannedTarget::Folder(_)))
}

fn refusal(later: &str, how: &str, jobs: u64) -> RunError {
    let noun = if jobs == 1 { "job" } else { "jobs" };
    let message = format!("the later run {later} has {how} {jobs} {noun} of this run");
    EndError::refusal(message, Hint::TakeBackFirst { run: later.into() }).into()
}

fn own(folder: &RunFolder, checkpoint: &Checkpoint) -> Result<Own, DiskError> {
    Own::of_run(folder, journal::whole(folder, checkpoint.journal)?)
}

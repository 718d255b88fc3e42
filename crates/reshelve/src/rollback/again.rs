//! Jobs that were gone, and that a later run has written again: their content does not tell whose
//! they are.

use crate::ends::Action;
use crate::run::journal::{self, Own};
use crate::run::{RunError, RunFolder, State};

/// How many jobs of a run a later run into the same target has written again, and not taken back.
///
/// # Errors
/// If the files of one of the runs cannot be used.
pub fn written_again(run: &RunFolder, later: &RunFolder) -> Result<u64, RunError> {
    let taken = later.checkpoint()?;
    if taken.state == State::RolledBack {
        return Ok(0);
    }
    let whole = |folder: &RunFolder, lengths| journal::whole(folder, lengths);
    let theirs = Own::of_run(later, whole(later, taken.journal)?)?;
    if theirs.jobs() == 0 {
        return Ok(0);
    }
    let own = Own::of_run(run, whole(run, run.checkpoint()?.journal)?)?;
    let mut jobs = 0;
    theirs.each(None, &mut |job| {
        if job.action == Action::Insert && own.get(&job.key)?.is_some() {
            jobs += 1;
        }
        Ok(())
    })?;
    Ok(jobs)
}

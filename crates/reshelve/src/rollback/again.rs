//! Jobs that a later run has written too: after they were gone, or in the place of what somebody had
//! made of them. Their content does not tell whose they are, and that run has to give back first
//! what it keeps.

use crate::ends::{EndError, Hint};
use crate::run::journal::{self, Own};
use crate::run::{Checkpoint, RunError, RunFolder, State};
use crate::store::DiskError;

/// Refuses to take back a run of which a later one into the same target has written jobs again, and
/// not taken back. `later` has their ids and folders.
///
/// # Errors
/// The refusal, or that the files of one of the runs cannot be used.
pub fn refuse_written_again<'l>(
    run: &RunFolder,
    later: impl Iterator<Item = (&'l str, &'l RunFolder)>,
) -> Result<(), RunError> {
    let checkpoint = run.checkpoint()?;
    if checkpoint.state == State::RolledBack {
        return Ok(());
    }
    let ours = own(run, &checkpoint)?;
    for (id, folder) in later {
        let checkpoint = folder.checkpoint()?;
        if checkpoint.state == State::RolledBack {
            continue;
        }
        let mut jobs = 0_u64;
        own(folder, &checkpoint)?.each(None, &mut |job| {
            jobs += u64::from(ours.get(&job.key)?.is_some());
            Ok(())
        })?;
        if jobs > 0 {
            let noun = if jobs == 1 { "job" } else { "jobs" };
            let message = format!("the later run {id} has written {jobs} {noun} of this run again");
            return Err(EndError::refusal(message, Hint::TakeBackFirst { run: id.into() }).into());
        }
    }
    Ok(())
}

fn own(folder: &RunFolder, checkpoint: &Checkpoint) -> Result<Own, DiskError> {
    Own::of_run(folder, journal::whole(folder, checkpoint.journal)?)
}

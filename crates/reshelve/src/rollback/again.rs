//! Jobs that a later run has written too: after they were gone, or in the place of what somebody had
//! made of them. Their content does not tell whose they are, and that run has to give back first
//! what it keeps.

use crate::ends::{Action, EndError, Hint};
use crate::run::journal::{self, Own};
use crate::run::{Checkpoint, RunError, RunFolder, State};
use crate::store::DiskError;

/// How a later run has written a job of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Anew, after it was gone.
    Anew,
    /// It replaced what stood there, or completed it.
    InItsPlace,
}

/// Refuses to take back a run of which a later one into the same target has written jobs again, and
/// not taken back. `later` has their ids and folders.
///
/// # Errors
/// The refusal, or that the files of one of the runs cannot be used.
pub fn refuse_written_again<'l>(
    run: &RunFolder,
    later: impl Iterator<Item = (&'l str, &'l RunFolder)>,
    again: Again,
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
            let is_anew = job.action == Action::Insert;
            let counts = is_anew == (again == Again::Anew);
            jobs += u64::from(counts && ours.get(&job.key)?.is_some());
            Ok(())
        })?;
        if jobs > 0 {
            let noun = if jobs == 1 { "job" } else { "jobs" };
            let how = match again {
                Again::Anew => "written again",
                Again::InItsPlace => "replaced or completed",
            };
            let message = format!("the later run {id} has {how} {jobs} {noun} of this run");
            return Err(EndError::refusal(message, Hint::TakeBackFirst { run: id.into() }).into());
        }
    }
    Ok(())
}

fn own(folder: &RunFolder, checkpoint: &Checkpoint) -> Result<Own, DiskError> {
    Own::of_run(folder, journal::whole(folder, checkpoint.journal)?)
}

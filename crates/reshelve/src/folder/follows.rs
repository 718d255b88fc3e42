//! Which run took over a target folder from another one that was not finished: a file in the folder
//! of that run, so that the target holds nothing but documents.
//!
//! The run that took over counts what it found as its own result. As long as that stands, the one
//! that was taken over must not be taken back.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::Holder;
use crate::ends::{Claim, EndError};
use crate::store::{Disk, DiskError, Files, StateError, absolute, read_state, write_state};

/// The version of the file.
const SCHEMA: &str = "reshelve.taken-over/1";

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct TakenOver {
    schema: String,
    /// The run that was not finished.
    run: String,
    /// The run that began in its place.
    by: String,
    /// The folder of that run.
    folder: PathBuf,
}

fn path(run_folder: &Path) -> PathBuf {
    run_folder.join("taken-over.json")
}

/// The run that took over the target folder of this one, unless nothing is left of it.
///
/// # Errors
/// If what the folder of the run says of that cannot be used.
pub fn taken_over_by(run: &str, folder: &Path) -> Result<Option<String>, EndError> {
    standing(&Disk, run, folder)
}

/// The same for a run that claims the target.
pub(super) fn follower(files: &dyn Files, claim: &Claim) -> Result<Option<String>, EndError> {
    standing(files, &claim.run, &claim.folder)
}

fn standing(
    files: &dyn Files,
    taken: &str,
    taken_folder: &Path,
) -> Result<Option<String>, EndError> {
    let taken_over: TakenOver = match read_state(files, &path(taken_folder), SCHEMA) {
        Ok(taken_over) => taken_over,
        Err(error) if error.is_absent() => return Ok(None),
        Err(StateError::Disk(error)) => return Err(error.into()),
        Err(error @ StateError::Unusable { .. }) => {
            let hint = "it says which run took this one over: put back a copy of the run folder";
            return Err(EndError::refused(error.to_string(), hint));
        }
    };
    let TakenOver { run, by, folder, .. } = taken_over;
    let follower = Holder { run: by, folder, pid: 0 };
    let stands = run == taken && !follower.is_rolled_back(files);
    Ok(stands.then_some(follower.run))
}

/// Keeps that a run takes over from the one that left the lock. If the folder of that one is not
/// there, nobody can take it back either.
pub(super) fn note(files: &dyn Files, left: &Holder, by: &Claim) -> Result<(), DiskError> {
    if !files.is_folder(&left.folder)? {
        return Ok(());
    }
    let taken_over = TakenOver {
        schema: SCHEMA.to_owned(),
        run: left.run.clone(),
        by: by.run.clone(),
        folder: absolute(&by.folder),
    };
    write_state(files, &path(&left.folder), &taken_over)
}

/// The run that was to take over did not begin.
pub(super) fn forget(files: &dyn Files, left: &Holder) -> Result<(), DiskError> {
    match files.exists(&path(&left.folder))? {
        true => files.remove_file(&path(&left.folder)),
        false => Ok(()),
    }
}

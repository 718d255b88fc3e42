//! The files beside a plan: its keys, and the one that says who has used it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::PlanError;
use crate::store::{Files, StateError, read_state, write_state};

/// The version of the file.
const SCHEMA: &str = "reshelve.used-plan/1";

/// Who has used a plan, `FILE.used`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedBy {
    /// The version of the file: `reshelve.used-plan/1`.
    pub schema: String,
    /// The hash of the plan.
    pub plan: String,
    /// The run.
    pub run: String,
    /// Its folder.
    pub folder: PathBuf,
}

/// The file with the keys of a plan.
pub fn keys_file(plan: &Path) -> PathBuf {
    beside(plan, ".keys")
}

/// The file that says who has used a plan.
pub fn used_file(plan: &Path) -> PathBuf {
    beside(plan, ".used")
}

fn beside(plan: &Path, end: &str) -> PathBuf {
    let mut path = OsString::from(plan);
    path.push(end);
    path.into()
}

/// Who has used a plan, if anybody has.
///
/// # Errors
/// If the file cannot be read: then somebody may have.
pub fn used_by(files: &dyn Files, plan: &Path) -> Result<Option<UsedBy>, PlanError> {
    match read_state(files, &used_file(plan), SCHEMA) {
        Ok(used) => Ok(Some(used)),
        Err(error) if error.is_absent() => Ok(None),
        Err(StateError::Disk(error)) => Err(error.into()),
        Err(error @ StateError::Unusable { .. }) => {
            Err(PlanError::Edited { path: plan.to_owned(), detail: error.to_string() })
        }
    }
}

/// Writes down, durably, who uses a plan.
pub(super) fn note_use(
    files: &dyn Files,
    plan: &Path,
    (hash, run, folder): (&str, &str, &Path),
) -> Result<(), PlanError> {
    let used = UsedBy {
        schema: SCHEMA.to_owned(),
        plan: hash.to_owned(),
        run: run.to_owned(),
        folder: folder.to_owned(),
    };
    Ok(write_state(files, &used_file(plan), &used)?)
}

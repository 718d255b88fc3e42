//! Which saved plans were used in a target folder: a hidden file beside its documents, which no
//! reader of them takes for one. It is written under the lock, and a rollback leaves it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ends::{EndError, Hint, TargetFolder};
use crate::store::{Files, StateError, read_state, write_state};

/// The version of the file.
const SCHEMA: &str = "reshelve.used-plans/1";

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct UsedPlans {
    schema: String,
    plans: Vec<UsedPlan>,
}

#[derive(Debug, Serialize, Deserialize)]
struct UsedPlan {
    /// The hash of the plan.
    plan: String,
    /// The run that used it.
    run: String,
}

fn path(target: &TargetFolder) -> PathBuf {
    target.database().join(".reshelve.plans")
}

fn read(files: &dyn Files, target: &TargetFolder) -> Result<UsedPlans, EndError> {
    match read_state(files, &path(target), SCHEMA) {
        Ok(used) => Ok(used),
        Err(error) if error.is_absent() => {
            Ok(UsedPlans { schema: SCHEMA.to_owned(), plans: Vec::new() })
        }
        Err(StateError::Disk(error)) => Err(error.into()),
        Err(error @ StateError::Unusable { .. }) => {
            let hint = "it says which plans were used in this target: put back a copy of it";
            Err(EndError::refused(error.to_string(), hint))
        }
    }
}

/// The run that used a plan in this target.
pub(super) fn user(
    files: &dyn Files,
    target: &TargetFolder,
    plan: &str,
) -> Result<Option<String>, EndError> {
    let used = read(files, target)?;
    Ok(used.plans.into_iter().find(|used| used.plan == plan).map(|used| used.run))
}

/// Keeps that a run uses a plan.
pub(super) fn add(
    files: &dyn Files,
    target: &TargetFolder,
    plan: &str,
    run: &str,
) -> Result<(), EndError> {
    let mut used = read(files, target)?;
    match used.plans.iter().find(|used| used.plan == plan) {
        Some(by) if by.run == run => return Ok(()),
        Some(by) => {
            let message = format!("the plan was used by the run {}", by.run);
            return Err(EndError::refusal(message, Hint::SaveAnotherPlan));
        }
        None => {}
    }
    files.create_folders(&target.database())?;
    used.plans.push(UsedPlan { plan: plan.to_owned(), run: run.to_owned() });
    Ok(write_state(files, &path(target), &used)?)
}

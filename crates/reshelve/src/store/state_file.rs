//! Versioned JSON files that are replaced in one step: `run.json`, `checkpoint.json` and the like.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::error::{At, DiskError};
use super::files::Files;
use crate::run::RunError;

/// The longest state file that is read. They hold options and counts, with a few examples each.
const STATE_BYTES_MAX: u64 = 64 << 20;

/// Why a file of JSON cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It does not hold what it should.
    #[error("{} cannot be used: {detail}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

impl StateError {
    pub(super) fn unusable(path: &Path, detail: impl ToString) -> Self {
        StateError::Unusable { path: path.to_owned(), detail: detail.to_string() }
    }
}

/// What every state file has: the name and version of what is in it.
#[derive(Deserialize)]
struct Versioned {
    schema: String,
}

/// Replaces a state file in one step, durably.
///
/// # Errors
/// Where the file system refuses; see [`Files::replace`] for what is there then.
pub fn write_state(
    files: &dyn Files,
    path: &Path,
    state: &impl Serialize,
) -> Result<(), DiskError> {
    let bytes = serde_json::to_vec_pretty(state).map_err(std::io::Error::from);
    files.replace(path, &bytes.at("writing", path)?)
}

/// Reads a state file whose `schema` must be this one.
///
/// # Errors
/// Where it cannot be read, is of another version, or does not hold what it should.
pub fn read_state<T: DeserializeOwned>(
    files: &dyn Files,
    path: &Path,
    schema: &str,
) -> Result<T, StateError> {
    let bytes = files.read(path, STATE_BYTES_MAX)?;
    // Another version may have other fields: it is told by its name, before anything is missed.
    let found: Versioned =
        serde_json::from_slice(&bytes).map_err(|error| StateError::unusable(path, error))?;
    if found.schema != schema {
        let detail = format!("its version is {:?}, not {schema:?}", found.schema);
        return Err(StateError::unusable(path, detail));
    }
    serde_json::from_slice(&bytes).map_err(|error| StateError::unusable(path, error))
}

/// [`write_state`] on the file system of this machine.
pub(crate) fn write(path: &Path, state: &impl Serialize) -> Result<(), RunError> {
    Ok(write_state(&Disk, path, state)?)
}

/// [`read_state`] on the file system of this machine.
pub(crate) fn read<T: DeserializeOwned>(
    path: &Path,
    schema: &str,
    _: impl Fn(&T) -> &str,
) -> Result<T, RunError> {
    read_state(&Disk, path, schema).map_err(|error| match error {
        StateError::Disk(error) => error.into(),
        StateError::Unusable { path, detail } => RunError::State { path, detail },
    })
}

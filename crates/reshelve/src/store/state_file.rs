//! The versioned JSON files of a run: `run.json` and `checkpoint.json`.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::run::RunError;
use crate::store::{At, write_atomic};

/// Replaces the file in one step.
pub(crate) fn write(path: &Path, state: &impl Serialize) -> Result<(), RunError> {
    let bytes = serde_json::to_vec_pretty(state).map_err(std::io::Error::from);
    Ok(write_atomic(path, &bytes.at("writing", path)?)?)
}

/// Reads the file, which must be of the version `schema`; `schema_of` tells its own.
pub(crate) fn read<T: DeserializeOwned>(
    path: &Path,
    schema: &str,
    schema_of: impl Fn(&T) -> &str,
) -> Result<T, RunError> {
    let bytes = std::fs::read(path).at("reading", path)?;
    let unreadable = |detail: String| RunError::State { path: path.to_owned(), detail };
    let state: T = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    let found = schema_of(&state);
    if found != schema {
        return Err(unreadable(format!("its version is {found:?}, not {schema:?}")));
    }
    Ok(state)
}

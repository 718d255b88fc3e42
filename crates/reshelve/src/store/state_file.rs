//! Versioned JSON files that are replaced in one step: `run.json`, `checkpoint.json` and the like.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{At, DiskError};
use super::files::Files;

/// The longest state file that is read. State files hold options and counts, and few examples.
const STATE_BYTES_MAX: u64 = 64 << 20;

/// Why a file of JSON cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Its content is not what it should be.
    #[error("{} cannot be used: {detail}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

impl StateError {
    /// Whether there is no such file.
    pub fn is_absent(&self) -> bool {
        matches!(self, StateError::Disk(error) if error.is_absent())
    }

    pub(super) fn unusable(path: &Path, detail: impl ToString) -> Self {
        StateError::Unusable { path: path.to_owned(), detail: detail.to_string() }
    }
}

/// What every state file has, whatever its version.
#[derive(Deserialize)]
struct Versioned {
    schema: String,
}

/// Replaces a state file in one step, durably.
///
/// # Errors
/// If the file system refuses; [`Files::replace`] says what is there then.
pub fn write_state(
    files: &dyn Files,
    path: &Path,
    state: &impl Serialize,
) -> Result<(), DiskError> {
    let bytes = serde_json::to_vec_pretty(state).map_err(std::io::Error::from);
    files.replace(path, &bytes.at("writing", path)?)
}

/// The same, with a hash of its content in it, by which [`read_state`] tells that it was changed.
///
/// # Errors
/// As for [`write_state`].
pub fn write_checked_state(
    files: &dyn Files,
    path: &Path,
    state: &impl Serialize,
) -> Result<(), DiskError> {
    let text = serde_json::to_string_pretty(state).map_err(std::io::Error::from);
    let text = text.at("writing", path)?;
    let check = check_of(&text);
    let open = text.strip_suffix("\n}").unwrap_or(&text);
    files.replace(path, format!("{open},\n  \"{CHECK}\": \"{check}\"\n}}").as_bytes())
}

/// The field with the hash of the others.
const CHECK: &str = "check";

/// The hash of a state file without its own field.
fn check_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}

/// Refuses a state file whose content is not what its hash says. One without a hash is believed.
fn expect_unchanged(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let mut state: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(bytes).map_err(|error| StateError::unusable(path, error))?;
    let Some(check) = state.shift_remove(CHECK) else { return Ok(()) };
    let text = serde_json::to_string_pretty(&state).unwrap_or_default();
    if check.as_str() == Some(check_of(&text).as_str()) {
        return Ok(());
    }
    Err(StateError::unusable(path, "it is not as it was written: it was damaged, or edited"))
}

/// Reads a state file of that schema.
///
/// # Errors
/// If it cannot be read, is of another version, or has other content.
pub fn read_state<T: DeserializeOwned>(
    files: &dyn Files,
    path: &Path,
    schema: &str,
) -> Result<T, StateError> {
    read_short_state(files, path, schema, STATE_BYTES_MAX)
}

/// The same of a file that is never longer than this, however often it is read.
///
/// # Errors
/// As for [`read_state`].
pub fn read_short_state<T: DeserializeOwned>(
    files: &dyn Files,
    path: &Path,
    schema: &str,
    bytes_max: u64,
) -> Result<T, StateError> {
    let bytes = files.read(path, bytes_max).map_err(|error| match error.is_unfit() {
        true => StateError::unusable(path, error.source),
        false => error.into(),
    })?;
    // Another version may have other fields, so its name is checked before they are.
    let found: Versioned =
        serde_json::from_slice(&bytes).map_err(|error| StateError::unusable(path, error))?;
    if found.schema != schema {
        let detail = format!("its version is {:?}, not {schema:?}", found.schema);
        return Err(StateError::unusable(path, detail));
    }
    expect_unchanged(path, &bytes)?;
    serde_json::from_slice(&bytes).map_err(|error| StateError::unusable(path, error))
}

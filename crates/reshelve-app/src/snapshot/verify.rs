//! `snapshot verify`: a snapshot read again, against its manifest.

use std::path::Path;

use reshelve::snapshot::{self, MANIFEST, Manifest, Reading, SnapshotError};
use reshelve::store::{Disk, StateError, folder_of};
use serde::Serialize;

use super::kept::{manifest_at, read};
use super::unfinished::is_unfinished;
use super::{failure, interrupted, stored, told};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::options::threads;

/// What was found; as JSON, `reshelve.snapshot-verify/1`.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyOutcome {
    schema: &'static str,
    /// The manifest.
    pub manifest: String,
    /// Documents that it should hold; none if the manifest cannot be used.
    pub documents: Option<u64>,
    /// The bytes of its objects.
    pub bytes_stored: u64,
    /// What is not as it was written, a sentence each.
    pub mismatches: Vec<String>,
    /// The exit code.
    pub exit: u8,
}

impl VerifyOutcome {
    fn new(path: &Path, manifest: Option<&Manifest>, mismatches: Vec<String>) -> Self {
        let exit = exit_code(&mismatches);
        VerifyOutcome {
            schema: "reshelve.snapshot-verify/1",
            manifest: path.display().to_string(),
            documents: manifest.map(|manifest| manifest.content.documents),
            bytes_stored: manifest.map_or(0, stored),
            mismatches,
            exit: exit.number(),
        }
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        exit_code(&self.mismatches)
    }
}

fn exit_code(mismatches: &[String]) -> ExitCode {
    if mismatches.is_empty() { ExitCode::Done } else { ExitCode::NoParity }
}

/// Reads a snapshot again.
///
/// # Errors
/// If there is none, or the file system refuses.
pub fn verify(
    place: &Path,
    asked: Option<usize>,
    handle: &Handle,
) -> Result<VerifyOutcome, Failure> {
    crate::places::refuse_live(place)?;
    if is_unfinished(place) {
        let message = format!("{} is an unfinished snapshot", place.display());
        return Err(Failure::usage(message, hints::snapshot::IT_HAS_NO_NAME));
    }
    let path = manifest_at(place);
    let manifest = match read(&path) {
        Ok(manifest) => manifest,
        Err(error) if error.is_absent() => {
            let message = format!("{}: no snapshot there", place.display());
            return Err(Failure::usage(message, hints::snapshot::NAME_THE_SNAPSHOT));
        }
        Err(StateError::Disk(error)) => return Err(error.into()),
        Err(error) => return Ok(VerifyOutcome::new(&path, None, vec![error.to_string()])),
    };
    handle.watcher().ready();
    let reading = Reading { threads: threads(asked), stop: handle.stop() };
    let mut tell = told(handle, manifest.objects.first().map(|object| object.bytes));
    let is_all_of_it = path.file_name().is_some_and(|name| name == MANIFEST);
    let checked = (&manifest, is_all_of_it);
    let found = snapshot::check(&Disk, folder_of(&path), checked, reading, &mut tell);
    let found = found.map_err(|error| match error {
        SnapshotError::Interrupted => interrupted("the snapshot was not read to its end"),
        error => failure(error),
    })?;
    Ok(VerifyOutcome::new(&path, Some(&manifest), found))
}

//! `snapshot list`: the snapshots in a folder.

use std::path::Path;

use reshelve::snapshot::{MANIFEST, Manifest, StoredObject};
use reshelve::store::{Disk, Files, StateError, folder_of};
use serde::Serialize;

use super::dest::archive_of;
use super::kept::read;
use super::stored;
use super::unfinished::{is_unfinished, unfinished_in};
use crate::failure::Failure;
use crate::hints;

/// What is there; as JSON, `reshelve.snapshots/1`.
#[derive(Clone, Debug, Serialize)]
pub struct ListOutcome {
    schema: &'static str,
    /// By the time at which they were taken, then by name.
    pub snapshots: Vec<Listed>,
    /// Places whose snapshot is being taken, or was killed: the next one into the folder removes what
    /// was killed.
    pub unfinished: Vec<String>,
}

/// A snapshot.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// The folder, or the archive.
    pub place: String,
    /// The bytes of its objects.
    pub bytes_stored: u64,
    /// What is in it; none if its manifest cannot be used.
    pub manifest: Option<Manifest>,
    /// Why it cannot be used.
    pub unusable: Option<String>,
}

/// Lists the snapshots in a folder: the folder itself, and what lies right in it.
///
/// # Errors
/// If it cannot be read.
pub fn list(folder: &Path) -> Result<ListOutcome, Failure> {
    crate::places::refuse_live(folder)?;
    if !folder.is_dir() {
        let message = format!("{}: no folder there", folder.display());
        return Err(Failure::usage(message, hints::snapshot::NAME_A_FOLDER));
    }
    let mut snapshots: Vec<Listed> = of(folder, &folder.join(MANIFEST)).into_iter().collect();
    for name in Disk.list(folder)? {
        let path = folder.join(&name);
        snapshots.extend(match archive_of(&path) {
            _ if is_unfinished(&path) => None,
            Some(archive) => of(&archive, &path),
            None => of(&path, &path.join(MANIFEST)),
        });
    }
    let when = |it: &Listed| it.manifest.as_ref().map(|manifest| manifest.created_at.clone());
    snapshots.sort_by(|one, other| (when(one), &one.place).cmp(&(when(other), &other.place)));
    let unfinished = unfinished_in(folder)?.iter().map(|it| it.display().to_string()).collect();
    Ok(ListOutcome { schema: "reshelve.snapshots/1", snapshots, unfinished })
}

fn of(place: &Path, path: &Path) -> Option<Listed> {
    let (manifest, mut unusable) = match read(path) {
        Ok(manifest) => (Some(manifest), None),
        Err(error) if error.is_absent() => return None,
        // A folder that nobody may look into is no snapshot that anybody knows of.
        Err(StateError::Disk(_)) => return None,
        Err(error) => (None, Some(error.to_string())),
    };
    if place.symlink_metadata().is_err() {
        unusable = Some(format!("{} is missing", place.display()));
    }
    let objects = manifest.iter().flat_map(|manifest| &manifest.objects);
    for StoredObject { name, bytes, .. } in objects {
        let found = Disk.look(&folder_of(path).join(name)).ok().flatten();
        if found.is_none_or(|found| found.length != *bytes) {
            unusable.get_or_insert_with(|| format!("{name} is missing, or has another length"));
        }
    }
    let bytes_stored = manifest.as_ref().map_or(0, stored);
    Some(Listed { place: place.display().to_string(), bytes_stored, manifest, unusable })
}

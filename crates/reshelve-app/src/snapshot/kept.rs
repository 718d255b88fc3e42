//! Snapshots that are there: where their manifests are.

use std::path::{Path, PathBuf};

use reshelve::snapshot::{Form, MANIFEST, Manifest, SCHEMA};
use reshelve::store::{Disk, StateError, folder_of, read_state};

use super::dest::{archive_of, manifest_of};

/// The manifest of what somebody calls a snapshot: a folder, an archive, or the manifest itself.
pub(super) fn manifest_at(place: &Path) -> PathBuf {
    let is_manifest = place.file_name().is_some_and(|name| name == MANIFEST);
    let neighbour = beside(place).join(MANIFEST);
    match place {
        place if place.is_dir() => place.join(MANIFEST),
        place if is_manifest || archive_of(place).is_some() => place.to_owned(),
        place if !manifest_of(place).is_file() && neighbour.is_file() => neighbour,
        place => manifest_of(place),
    }
}

/// Reads a manifest.
pub(super) fn read(manifest: &Path) -> Result<Manifest, StateError> {
    read_state(&Disk, manifest, SCHEMA)
}

/// Where the objects of a manifest are.
pub(super) fn beside(manifest: &Path) -> &Path {
    folder_of(manifest)
}

/// The archive that a folder is a snapshot of, if it is one: the folder itself is no dump.
pub(crate) fn archive_in(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(MANIFEST);
    let manifest = path.is_file().then(|| read(&path).ok())??;
    (manifest.form == Form::Archive).then(|| manifest.documents_in(folder))
}

//! Snapshots that are there: where their manifests are, and what these say.

use std::path::{Component, Path, PathBuf};

use reshelve::snapshot::{MANIFEST, Manifest, SCHEMA};
use reshelve::store::{Disk, StateError, folder_of, read_state};

use super::dest::{archive_of, manifest_of};

/// The manifest of what somebody calls a snapshot: a folder, an archive, or the manifest itself.
pub(super) fn manifest_at(place: &Path) -> PathBuf {
    let is_manifest = place.file_name().is_some_and(|name| name == MANIFEST);
    if place.is_dir() {
        return place.join(MANIFEST);
    }
    if is_manifest || archive_of(place).is_some() {
        return place.to_owned();
    }
    let (beside, around) = (manifest_of(place), folder_of(place).join(MANIFEST));
    // A file of a folder that is a snapshot stands for it.
    let is_its_object = |manifest: &Manifest| {
        let objects = manifest.objects.iter().map(|object| folder_of(&around).join(&object.name));
        objects.into_iter().any(|object| object == *place)
    };
    let is_around = !beside.is_file() && place.is_file();
    match is_around && read(&around).is_ok_and(|manifest| is_its_object(&manifest)) {
        true => around,
        false => beside,
    }
}

/// The snapshot that a place is, or lies in.
pub(crate) fn around(place: &Path) -> Option<PathBuf> {
    let is_ours = |manifest: PathBuf| manifest.is_file() && read(&manifest).is_ok();
    let archive = archive_of(place).unwrap_or_else(|| place.to_owned());
    if is_ours(manifest_of(&archive)) {
        return Some(archive);
    }
    place.ancestors().find(|folder| is_ours(folder.join(MANIFEST))).map(Path::to_owned)
}

/// Reads a manifest. That of an archive is about the file that has the name now: both may have been
/// renamed.
pub(super) fn read(path: &Path) -> Result<Manifest, StateError> {
    let mut manifest: Manifest = read_state(&Disk, path, SCHEMA)?;
    let is_inside = |name: &str| {
        let mut parts = Path::new(name).components();
        !name.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    if manifest.objects.is_empty() || !manifest.objects.iter().all(|it| is_inside(&it.name)) {
        let detail = "it does not name files that lie beside it".to_owned();
        return Err(StateError::Unusable { path: path.to_owned(), detail });
    }
    if let Some((archive, object)) = archive_of(path).zip(manifest.objects.first_mut()) {
        object.name = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    Ok(manifest)
}

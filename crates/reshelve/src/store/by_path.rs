//! The same on this machine's disk, for callers that are not handed a [`Files`] yet.
//!
//! [`Files`]: super::Files

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::{At, DiskError};

/// A path that does not depend on the working directory.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), DiskError> {
    File::open(path).and_then(|folder| folder.sync_all()).at("syncing the folder", path)
}

/// Replaces a file in one step: written beside it, synced, renamed, and the name synced.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = folder.join(format!(".{name}.tmp"));
    let mut file = File::create(&temporary).at("creating", &temporary)?;
    file.write_all(bytes).at("writing", &temporary)?;
    file.sync_all().at("syncing", &temporary)?;
    drop(file);
    fs::rename(&temporary, path).at("renaming to", path)?;
    sync_folder(folder)
}

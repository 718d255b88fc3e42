//! What a command writes beside its place: a file or a folder that gets its name when it is whole, and
//! the lock that keeps others away meanwhile.

use std::path::{Path, PathBuf};

use reshelve::store::{Disk, DiskError, Files, Kind, Open, OpenFile, folder_of, temporary_beside};

/// Something that has no name yet; it is removed unless it gets one.
pub(crate) struct Beside {
    path: PathBuf,
    is_named: bool,
}

impl Beside {
    /// For something that will be at `out`; nothing is written yet.
    pub(crate) fn new(out: &Path) -> Beside {
        Beside { path: temporary_beside(out), is_named: false }
    }

    /// Where it is until then.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, durably. A file that has that name is replaced in one step.
    pub(crate) fn name(mut self, out: &Path) -> Result<(), DiskError> {
        sync(&self.path)?;
        Disk.rename(&self.path, out)?;
        self.is_named = true;
        Disk.sync_folder(folder_of(out))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if self.is_named {
            return;
        }
        let is_folder = Disk.is_folder(&self.path).unwrap_or(false);
        // The caller has a better error to report than this one.
        let path = &self.path;
        drop(if is_folder { Disk.remove_folder(path) } else { Disk.remove_file(path) });
    }
}

/// Takes an empty lock file away that is held. A file that has taken its place, or that somebody has
/// filled, is not touched.
pub(crate) fn release(held: &dyn OpenFile) -> Result<(), DiskError> {
    match Disk.is_still_there(held)? && held.length()? == 0 {
        true => Disk.remove_file(held.path()),
        false => Ok(()),
    }
}

/// Makes a file, or everything in a folder, durable.
pub(crate) fn sync(path: &Path) -> Result<(), DiskError> {
    if Disk.look(path)?.is_none_or(|found| found.kind != Kind::Folder) {
        return Disk.open(path, Open::Read)?.sync_all();
    }
    for name in Disk.list(path)? {
        sync(&path.join(name))?;
    }
    Disk.sync_folder(path)
}

//! A snapshot that has no name yet. It is written under a hidden name beside its place, under a lock;
//! it is removed unless it gets its name, and what a killed process left is removed by the next one.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use reshelve::snapshot::MANIFEST;
use reshelve::store::{Disk, DiskError, Files, Locking, Open, OpenFile, folder_of};

use super::dest::{Dest, LOCK, UNFINISHED, manifest_of};
use super::kept::read;
use crate::beside::{release, sync};
use crate::failure::Failure;
use crate::hints;
use crate::overlap;
use crate::text::plain;

/// A snapshot that has no name yet.
pub(super) struct Unfinished {
    place: PathBuf,
    lock: Box<dyn OpenFile>,
    /// Whether the folder is there, made by this process, and has no other name.
    has_folder: bool,
}

impl Unfinished {
    /// Begins one for that place, and keeps others from it. What a killed process left of one for the
    /// same place is removed, unless the source is in it.
    pub(super) fn begin(dest: &Dest, source: &Path) -> Result<Unfinished, Failure> {
        let parent = folder_of(&dest.out);
        Disk.create_folders(parent)?;
        if !Disk.may_write_in(parent)? {
            let message = format!("the folder {} may not be written to", parent.display());
            return Err(Failure::refused(message, hints::snapshot::WHERE_YOU_MAY_WRITE));
        }
        let Some(lock) = lock(&dest.out)? else {
            let message = format!(
                "another process takes a snapshot to the same place (lock: {})",
                hidden(&dest.out, LOCK).display()
            );
            return Err(Failure::refused(message, hints::snapshot::WAIT_FOR_THE_SNAPSHOT));
        };
        let place = dest.out.clone();
        let mut unfinished = Unfinished { place, lock, has_folder: false };
        overlap::refuse_copy(source, &unfinished.folder())?;
        remove_unfinished(&unfinished.place)?;
        refuse_existing(dest)?;
        Disk.create_folder(&unfinished.folder())?;
        unfinished.has_folder = true;
        Ok(unfinished)
    }

    /// Where its objects go.
    pub(super) fn folder(&self) -> PathBuf {
        hidden(&self.place, UNFINISHED)
    }

    /// Whether the lock is still the one that others see: somebody may have removed it, and then the
    /// folder may be another one's.
    fn is_ours(&self) -> bool {
        Disk.is_still_there(self.lock.as_ref()).unwrap_or(false)
    }

    /// Refuses to go on where somebody has removed the lock.
    pub(super) fn expect_ours(&self) -> Result<(), Failure> {
        if self.is_ours() {
            return Ok(());
        }
        let lock = self.lock.path().display();
        let message = format!("the lock {lock} was removed while the snapshot was taken");
        Err(Failure::failed(message).hinting(hints::snapshot::LEAVE_THE_LOCK))
    }

    /// Gives it its name, durably; never one that something has.
    pub(super) fn name(mut self, dest: &Dest) -> Result<(), Failure> {
        let folder = self.folder();
        sync(&folder)?;
        refuse_existing(dest)?;
        self.expect_ours()?;
        let parent = folder_of(&dest.out);
        if dest.is_file {
            let manifest = manifest_of(&dest.out);
            Disk.rename_new(&folder.join(MANIFEST), &manifest)?;
            // The archive comes last: under its name, it has its manifest.
            let named = Disk
                .sync_folder(parent)
                .and_then(|()| Disk.rename_new(&folder.join(dest.archive()), &dest.out));
            if let Err(error) = named {
                drop(Disk.remove_file(&manifest));
                return Err(error.into());
            }
        } else {
            Disk.rename_new(&folder, &dest.out)?;
            self.has_folder = false;
        }
        Disk.sync_folder(parent).map_err(|error| {
            let place = dest.out.display();
            Failure::failed(format!(
                "{place} is whole, and may not survive a loss of power: {error}"
            ))
        })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_ours() {
            return;
        }
        // The caller has a better error to report than these.
        if self.has_folder {
            drop(Disk.remove_folder(&self.folder()));
        }
        drop(release(self.lock.as_ref()));
    }
}

/// Refuses a place where something is, a broken link too.
pub(super) fn refuse_existing(dest: &Dest) -> Result<(), Failure> {
    let manifest = manifest_of(&dest.out);
    let taken = [Some(&dest.out), Some(&manifest).filter(|_| dest.is_file)];
    match taken.into_iter().flatten().find(|path| is_there(path)) {
        None => Ok(()),
        // The one that was cut off between the two is removed when the next one begins.
        Some(found) if *found == manifest && was_cut_off(&dest.out) => Ok(()),
        Some(found) => {
            let message = format!("{} already exists", found.display());
            Err(Failure::refused(message, hints::snapshot::SNAPSHOT_ELSEWHERE))
        }
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// A hidden name that belongs to a place.
fn hidden(place: &Path, ending: &str) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    folder_of(place).join(format!(".{name}{ending}"))
}

/// Whether a process was killed after an archive got its manifest, and before it got its name: the
/// archive that the manifest names is still where it was written.
fn was_cut_off(place: &Path) -> bool {
    let archive = hidden(place, UNFINISHED).join(place.file_name().unwrap_or_default());
    let written = Disk.look(&archive).ok().flatten().map(|found| found.length);
    let named = read(&manifest_of(place)).ok().and_then(|it| it.objects.first().map(|it| it.bytes));
    !is_there(place) && written.is_some() && written == named
}

/// Removes what was written for a place, under its lock.
fn remove_unfinished(place: &Path) -> Result<(), DiskError> {
    let folder = hidden(place, UNFINISHED);
    if !is_there(&folder) {
        return Ok(());
    }
    if was_cut_off(place) {
        Disk.remove_file(&manifest_of(place))?;
    }
    Disk.remove_folder(&folder)
}

/// Removes what killed processes left of snapshots to other places in the same folder: nothing that is
/// whole, and not the source, which may be all that there is. What cannot be removed stays.
pub(super) fn sweep(dest: &Dest, source: &Path, note: &mut dyn FnMut(&str)) {
    let parent = folder_of(&dest.out);
    let places = hidden_places(parent).unwrap_or_default();
    for place in places.into_iter().filter(|place| *place != dest.out) {
        let folder = hidden(&place, UNFINISHED);
        let is_source = overlap::refuse_copy(source, &folder).is_err();
        if is_source || !is_there(&folder) && !is_there(&hidden(&place, LOCK)) {
            continue;
        }
        let Ok(Some(held)) = lock(&place) else { continue };
        let name = plain(&folder.to_string_lossy());
        if read(&folder.join(MANIFEST)).is_ok() {
            note(&format!("note: {name} is a whole snapshot that was not given its name"));
            continue;
        }
        let was_there = is_there(&folder);
        match remove_unfinished(&place) {
            Ok(()) if was_there => note(&format!("note: removed {name}: its process was killed")),
            Ok(()) => {}
            Err(error) => note(&format!("note: {name} was left by a killed process: {error}")),
        }
        // Without it, the next one makes its own.
        drop(release(held.as_ref()));
    }
}

/// The places in a folder that have hidden names.
fn hidden_places(folder: &Path) -> Result<BTreeSet<PathBuf>, DiskError> {
    let names = Disk.list(folder)?;
    Ok(names.iter().filter_map(|name| Some(folder.join(place_of(name)?))).collect())
}

/// Whether a path is where a snapshot is written that has no name yet.
pub(super) fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| place_of(name).is_some())
}

/// The places in a folder of which a snapshot is unfinished: it is being taken, or was killed.
pub(super) fn unfinished_in(folder: &Path) -> Result<Vec<PathBuf>, DiskError> {
    Ok(hidden_places(folder)?
        .into_iter()
        .filter(|place| is_there(&hidden(place, UNFINISHED)))
        .collect())
}

/// The name of the place that a hidden name belongs to.
fn place_of(name: &OsStr) -> Option<&str> {
    let name = name.to_str()?.strip_prefix('.')?;
    name.strip_suffix(LOCK).or_else(|| name.strip_suffix(UNFINISHED))
}

/// Takes the lock of a place; none if another process holds it.
fn lock(place: &Path) -> Result<Option<Box<dyn OpenFile>>, Failure> {
    let path = hidden(place, LOCK);
    loop {
        let file = Disk.open(&path, Open::Write)?;
        match file.try_lock()? {
            Locking::Obtained => {}
            Locking::HeldByAnother => return Ok(None),
            Locking::NotSupported => {
                drop(Disk.remove_file(&path));
                let message = format!("{}: the file system has no locks", path.display());
                return Err(Failure::failed(message));
            }
        }
        if file.length()? > 0 {
            let message = format!("{} is not a lock: it has content", path.display());
            return Err(Failure::refused(message, hints::snapshot::SNAPSHOT_ELSEWHERE));
        }
        // The one that held it may have removed the file meanwhile.
        if Disk.is_still_there(file.as_ref())? {
            return Ok(Some(file));
        }
    }
}

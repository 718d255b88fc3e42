//! A snapshot that has no name yet. It is written under a hidden name beside its place, under a lock;
//! it is removed unless it gets its name, and what a killed process left is removed by the next one.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use reshelve::snapshot::MANIFEST;
use reshelve::store::{Disk, DiskError, Files, Locking, Open, OpenFile, folder_of};

use super::dest::{Dest, manifest_of};
use crate::beside::sync;
use crate::failure::Failure;
use crate::hints;
use crate::overlap;

/// How the name of the lock of a place ends.
const LOCK: &str = ".snapshot.lock";
/// How the name of the folder ends in which a snapshot is written.
const UNFINISHED: &str = ".snapshot.tmp";

/// A snapshot that has no name yet.
pub(super) struct Unfinished {
    place: PathBuf,
    lock: Box<dyn OpenFile>,
    /// Whether the folder is there, made by this process, and has no other name.
    has_folder: bool,
}

impl Unfinished {
    /// Begins one for that place, and keeps others from it. What killed processes left in the folder
    /// is removed, but for the source.
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
        for left in left_behind(parent, &dest.out)? {
            // The source may be all that is left of something.
            if overlap::refuse_copy(source, &hidden(&left.place, UNFINISHED)).is_ok() {
                left.remove()?;
            }
        }
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
            Disk.sync_folder(parent)?;
            // The archive comes last: under its name, it has its manifest.
            if let Err(error) = Disk.rename_new(&folder.join(dest.archive()), &dest.out) {
                drop(Disk.remove_file(&manifest));
                return Err(error.into());
            }
        } else {
            Disk.rename_new(&folder, &dest.out)?;
            self.has_folder = false;
        }
        Ok(Disk.sync_folder(parent)?)
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
        drop(Disk.remove_file(self.lock.path()));
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
/// archive is still where it was written.
fn was_cut_off(place: &Path) -> bool {
    let archive = hidden(place, UNFINISHED).join(place.file_name().unwrap_or_default());
    is_there(&archive) && !is_there(place)
}

/// Removes what was written for a place, under its lock.
fn remove_unfinished(place: &Path) -> Result<(), DiskError> {
    let folder = hidden(place, UNFINISHED);
    if !is_there(&folder) {
        return Ok(());
    }
    let manifest = manifest_of(place);
    if was_cut_off(place) && is_there(&manifest) {
        Disk.remove_file(&manifest)?;
    }
    Disk.remove_folder(&folder)
}

/// What a killed process left for another place.
struct Left {
    place: PathBuf,
    lock: Box<dyn OpenFile>,
}

impl Left {
    fn remove(self) -> Result<(), DiskError> {
        remove_unfinished(&self.place)?;
        Disk.remove_file(self.lock.path())
    }
}

/// What killed processes left in a folder, but for one place.
fn left_behind(parent: &Path, but: &Path) -> Result<Vec<Left>, Failure> {
    let mut left = Vec::new();
    let names = Disk.list(parent)?;
    let places: BTreeSet<PathBuf> =
        names.iter().filter_map(|name| Some(parent.join(place_of(name)?))).collect();
    for place in places.into_iter().filter(|place| place.file_name() != but.file_name()) {
        // What cannot be locked is left alone.
        if let Ok(Some(lock)) = lock(&place) {
            left.push(Left { place, lock });
        }
    }
    Ok(left)
}

/// The places in a folder of which a snapshot is unfinished: it is being taken, or was killed.
pub(super) fn unfinished_in(folder: &Path) -> Result<Vec<PathBuf>, DiskError> {
    let names = Disk.list(folder)?;
    let place = |name: &OsString| Some(folder.join(place_of(name)?));
    let places: BTreeSet<PathBuf> = names.iter().filter_map(place).collect();
    Ok(places.into_iter().filter(|place| is_there(&hidden(place, UNFINISHED))).collect())
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

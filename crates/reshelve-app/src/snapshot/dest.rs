//! Where a snapshot goes: it is written beside its place, and gets its name when it is whole.

use std::path::{Path, PathBuf};

use reshelve::ends::Compression;
use reshelve::snapshot::{Form, MANIFEST, Manifest, SCHEMA};
use reshelve::store::{Disk, Files, Locking, Open, OpenFile, folder_of, read_state};

use crate::beside::sync;
use crate::failure::Failure;
use crate::hints;

/// The file of an archive in a folder.
const ARCHIVE: &str = "snapshot.archive";
/// Schemes of object storage.
const STORES: [&str; 6] = ["s3://", "s3a://", "gs://", "az://", "azure://", "abfs://"];

/// A DEST.
#[derive(Clone, Debug)]
pub(super) struct Dest {
    pub(super) out: PathBuf,
    pub(super) form: Form,
    pub(super) compression: Compression,
    /// Whether it is a file: then the manifest lies beside it.
    is_file: bool,
}

impl Dest {
    /// What a DEST and the flags mean together.
    pub(super) fn of(out: &Path, form: Option<Form>, is_plain: bool) -> Result<Dest, Failure> {
        refuse_store(out)?;
        crate::places::refuse_live(out)?;
        let named = archive_compression(out);
        let is_other = match (named, form) {
            (Some(named), form) => {
                form == Some(Form::Folder) || is_plain && named != Compression::None
            }
            (None, _) => false,
        };
        if is_other {
            let message = format!("{} is the name of another form", out.display());
            return Err(Failure::usage(message, hints::snapshot::FORM_AND_NAME));
        }
        let usual = if is_plain { Compression::None } else { Compression::Gzip };
        Ok(Dest {
            out: out.to_owned(),
            form: form.unwrap_or(if named.is_some() { Form::Archive } else { Form::Folder }),
            compression: named.unwrap_or(usual),
            is_file: named.is_some(),
        })
    }

    /// The name of the archive's file.
    pub(super) fn archive(&self) -> String {
        match self.out.file_name().filter(|_| self.is_file) {
            Some(name) => name.to_string_lossy().into_owned(),
            None => format!("{ARCHIVE}{}", self.compression.suffix()),
        }
    }

    /// Refuses a place where something is, a broken link too.
    pub(super) fn refuse_existing(&self) -> Result<(), Failure> {
        let refuse = |path: &Path| {
            let message = format!("{} already exists", path.display());
            Err(Failure::refused(message, hints::snapshot::SNAPSHOT_ELSEWHERE))
        };
        if self.out.symlink_metadata().is_ok() {
            return refuse(&self.out);
        }
        let manifest = manifest_of(&self.out);
        // Without its archive, a manifest is what a killed process left.
        let is_ours = || read_state::<Manifest>(&Disk, &manifest, SCHEMA).is_ok();
        if self.is_file && manifest.symlink_metadata().is_ok() && !is_ours() {
            return refuse(&manifest);
        }
        Ok(())
    }
}

/// Refuses a place in object storage.
fn refuse_store(out: &Path) -> Result<(), Failure> {
    let text = out.to_string_lossy().to_ascii_lowercase();
    if !STORES.iter().any(|scheme| text.starts_with(scheme)) {
        return Ok(());
    }
    let message = "object storage is not among the places that this version writes to";
    Err(Failure::usage(message, hints::snapshot::NAME_A_FOLDER))
}

/// How an archive of that name is compressed; none if it is no name of an archive.
fn archive_compression(path: &Path) -> Option<Compression> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let is = |it: &Compression| {
        name.strip_suffix(it.suffix()).is_some_and(|stem| stem.ends_with(".archive"))
    };
    Compression::ALL.into_iter().find(is)
}

/// The manifest of an archive that is a file.
pub(super) fn manifest_of(archive: &Path) -> PathBuf {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    folder_of(archive).join(format!("{name}.{MANIFEST}"))
}

/// The name of the archive that a manifest beside it belongs to.
pub(super) fn archive_of(manifest: &Path) -> Option<PathBuf> {
    let name = manifest.file_name()?.to_str()?.strip_suffix(MANIFEST)?.strip_suffix('.')?;
    Some(folder_of(manifest).join(name))
}

/// A snapshot that has no name yet. It is removed unless it gets one; what a killed process left, the
/// next one that writes to the same place removes.
pub(super) struct Unfinished {
    folder: PathBuf,
    lock: Box<dyn OpenFile>,
    is_named: bool,
}

impl Unfinished {
    /// Begins one for that place, and keeps others from it.
    pub(super) fn begin(dest: &Dest) -> Result<Unfinished, Failure> {
        let name = dest.out.file_name().unwrap_or_default().to_string_lossy();
        let parent = folder_of(&dest.out);
        Disk.create_folders(parent)?;
        let lock = lock(&parent.join(format!(".{name}.snapshot.lock")))?;
        let folder = parent.join(format!(".{name}.snapshot.tmp"));
        if folder.symlink_metadata().is_ok() {
            // Under the lock, nobody else is at work on it.
            Disk.remove_folder(&folder)?;
        }
        Disk.create_folder(&folder)?;
        Ok(Unfinished { folder, lock, is_named: false })
    }

    /// Where its objects go.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Gives it its name, durably.
    pub(super) fn name(mut self, dest: &Dest) -> Result<(), Failure> {
        sync(&self.folder)?;
        dest.refuse_existing()?;
        if dest.is_file {
            // The archive comes last: under its name, it has its manifest.
            Disk.rename(&self.folder.join(MANIFEST), &manifest_of(&dest.out))?;
            Disk.rename(&self.folder.join(dest.archive()), &dest.out)?;
        } else {
            Disk.rename(&self.folder, &dest.out)?;
            self.is_named = true;
        }
        Ok(Disk.sync_folder(folder_of(&dest.out))?)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // The caller has a better error to report than these.
        if !self.is_named {
            drop(Disk.remove_folder(&self.folder));
        }
        drop(Disk.remove_file(self.lock.path()));
    }
}

/// Takes the lock of a place.
fn lock(path: &Path) -> Result<Box<dyn OpenFile>, Failure> {
    loop {
        let file = Disk.open(path, Open::Write)?;
        match file.try_lock()? {
            Locking::Obtained => {}
            Locking::HeldByAnother => {
                let message = format!(
                    "another process takes a snapshot to the same place (lock: {})",
                    path.display()
                );
                return Err(Failure::refused(message, hints::snapshot::WAIT_FOR_THE_SNAPSHOT));
            }
            Locking::NotSupported => {
                let message = format!("{}: the file system has no locks", path.display());
                return Err(Failure::failed(message));
            }
        }
        // The one that held it may have removed the file meanwhile.
        if Disk.is_still_there(file.as_ref())? {
            return Ok(file);
        }
    }
}

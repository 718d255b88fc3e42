//! The real file system.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rustix::fs::{Access, CWD, OFlags};
use rustix::io::Errno;

use super::bounded::read_at_most;
use super::error::{At, DiskError, is_absent};
use super::files::{Files, Found, Identity, Kind, Locking, Open, OpenFile};

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk;

impl Disk {
    /// Removes a folder that holds nothing.
    ///
    /// # Errors
    /// If it holds something, or the file system refuses.
    pub fn remove_empty_folder(&self, path: &Path) -> Result<(), DiskError> {
        fs::remove_dir(path).at("removing", path)
    }

    /// Renames a file or a folder to a name that nothing has. Where the file system cannot do that in
    /// one step, it looks first.
    ///
    /// # Errors
    /// If something has that name, or the file system refuses; neither name has changed then.
    pub fn rename_new(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        let renamed =
            rustix::fs::renameat_with(CWD, from, CWD, to, rustix::fs::RenameFlags::NOREPLACE);
        match renamed {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match to.symlink_metadata() {
                Ok(_) => Err(io::Error::from(io::ErrorKind::AlreadyExists)).at("renaming to", to),
                Err(_) => self.rename(from, to),
            },
            renamed => renamed.map_err(io::Error::from).at("renaming to", to),
        }
    }

    /// Reads a file, or a pipe to its end, of at most `bytes_max` bytes: for what people hand over,
    /// never for the state of a run.
    ///
    /// # Errors
    /// If it cannot be read, or is longer.
    pub fn read_handed_over(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, DiskError> {
        read_at_most(File::open(path).at("opening", path)?, path, bytes_max)
    }

    /// Writes a new file that only its owner can read, durably.
    ///
    /// # Errors
    /// If something exists at the path, or the file system refuses.
    pub fn write_private(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        const OWNER_ALONE: u32 = 0o600;
        let mut options = fs::OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(OWNER_ALONE).open(path);
        let mut file = opened.at("creating", path)?;
        io::Write::write_all(&mut file, bytes).at("writing", path)?;
        file.sync_all().at("syncing", path)
    }

    /// Whether users other than the owner of a file may read it, by its permissions.
    ///
    /// # Errors
    /// If there is no such file, or the file system refuses.
    pub fn may_others_read(&self, path: &Path) -> Result<bool, DiskError> {
        const GROUP_AND_OTHERS: u32 = 0o044;
        Ok(fs::metadata(path).at("reading", path)?.mode() & GROUP_AND_OTHERS != 0)
    }
}

impl Files for Disk {
    fn open(&self, path: &Path, how: Open) -> Result<Box<dyn OpenFile>, DiskError> {
        let mut options = File::options();
        options.read(true);
        let action = match how {
            Open::Read => {
                options.custom_flags(flags(OFlags::NONBLOCK));
                "opening"
            }
            Open::New => {
                options.write(true).create_new(true).custom_flags(flags(OFlags::NOFOLLOW));
                "creating"
            }
            Open::Write => {
                let how = flags(OFlags::NOFOLLOW | OFlags::NONBLOCK);
                options.write(true).create(true).truncate(false).custom_flags(how);
                "opening"
            }
            Open::Append => {
                let how = flags(OFlags::NOFOLLOW | OFlags::NONBLOCK);
                options.append(true).create(true).custom_flags(how);
                "opening"
            }
        };
        let file = options.open(path).map_err(say_link).at(action, path)?;
        let metadata = file.metadata().at("reading", path)?;
        expect_regular(&metadata).at(action, path)?;
        if matches!(how, Open::Write | Open::Append) {
            expect_one_name(&metadata).at(action, path)?;
        }
        Ok(Box::new(DiskFile { file, path: path.to_owned() }))
    }

    fn create_folder(&self, path: &Path) -> Result<(), DiskError> {
        fs::create_dir(path).at("creating the folder", path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        fs::rename(from, to).at("renaming to", to)
    }

    fn take_rights(&self, of: &Path, to: &Path) -> Result<(), DiskError> {
        let found = match fs::metadata(of) {
            Ok(found) => found,
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(error).at("reading", of),
        };
        // Only an administrator may give a file away.
        drop(std::os::unix::fs::chown(to, Some(found.uid()), Some(found.gid())));
        fs::set_permissions(to, found.permissions()).at("setting the rights of", to)
    }

    fn remove_file(&self, path: &Path) -> Result<(), DiskError> {
        fs::remove_file(path).at("removing", path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), DiskError> {
        fs::remove_dir_all(path).at("removing", path)
    }

    fn list(&self, path: &Path) -> Result<Vec<OsString>, DiskError> {
        let names = fs::read_dir(path)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect())
            .at("reading the folder", path);
        names.map(|mut names: Vec<OsString>| {
            names.sort();
            names
        })
    }

    fn look(&self, path: &Path) -> Result<Option<Found>, DiskError> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(found(&metadata))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error).at("reading", path),
        }
    }

    fn sync_folder(&self, path: &Path) -> Result<(), DiskError> {
        File::open(path).and_then(|folder| folder.sync_all()).at("syncing the folder", path)
    }

    fn may_write_in(&self, folder: &Path) -> Result<bool, DiskError> {
        match rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) => Ok(true),
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Ok(false),
            Err(error) => Err(io::Error::from(error)).at("asking", folder),
        }
    }

    fn free_bytes(&self, path: &Path) -> Result<u64, DiskError> {
        let existing = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
        let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
        let free = rustix::fs::statvfs(existing).map_err(io::Error::from).at("asking", existing)?;
        Ok(free.f_bavail.saturating_mul(free.f_frsize))
    }
}

/// How a file is opened: not through a symbolic link of its last name, not waiting for whoever has
/// the other end of a pipe.
fn flags(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or(0)
}

/// What is no regular file may have no end, and no length.
fn expect_regular(metadata: &fs::Metadata) -> io::Result<()> {
    match found(metadata).kind {
        Kind::File => Ok(()),
        Kind::Folder => Err(Errno::ISDIR.into()),
        Kind::Other => {
            let what = "it is a pipe or a device, not a file";
            Err(io::Error::new(io::ErrorKind::NotSeekable, what))
        }
    }
}

/// What is written under one name changes under every other one.
fn expect_one_name(metadata: &fs::Metadata) -> io::Result<()> {
    match metadata.nlink() {
        0 | 1 => Ok(()),
        _ => Err(io::Error::other(
            "it has another name too (a hard link), under which it may be somebody's copy: give it \
             a content of its own, with `cp` and `mv`",
        )),
    }
}

/// Names the link that the operating system counts as one too many.
fn say_link(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
        return io::Error::other("it is a symbolic link, and what it names may be somebody else's");
    }
    error
}

fn found(metadata: &fs::Metadata) -> Found {
    let kind = if metadata.is_file() {
        Kind::File
    } else if metadata.is_dir() {
        Kind::Folder
    } else {
        Kind::Other
    };
    let modified_ns = metadata.mtime().wrapping_mul(1_000_000_000) + metadata.mtime_nsec();
    let born = metadata.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let born_ns = born.and_then(|born| i64::try_from(born.as_nanos()).ok()).unwrap_or(0);
    Found { kind, length: metadata.len(), identity: identity(metadata), modified_ns, born_ns }
}

fn identity(metadata: &fs::Metadata) -> Identity {
    Identity { device: metadata.dev(), inode: metadata.ino() }
}

/// An open file of this machine.
#[derive(Debug)]
struct DiskFile {
    file: File,
    path: PathBuf,
}

impl OpenFile for DiskFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn length(&self) -> Result<u64, DiskError> {
        Ok(self.file.metadata().at("reading", &self.path)?.len())
    }

    fn set_length(&self, bytes: u64) -> Result<(), DiskError> {
        self.file.set_len(bytes).at("cutting", &self.path)
    }

    fn sync_data(&self) -> Result<(), DiskError> {
        self.file.sync_data().at("syncing", &self.path)
    }

    fn sync_all(&self) -> Result<(), DiskError> {
        self.file.sync_all().at("syncing", &self.path)
    }

    fn try_clone(&self) -> Result<Box<dyn OpenFile>, DiskError> {
        let file = self.file.try_clone().at("opening", &self.path)?;
        Ok(Box::new(DiskFile { file, path: self.path.clone() }))
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), DiskError> {
        self.file.read_exact_at(bytes, offset).at("reading", &self.path)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<(), DiskError> {
        self.file.write_all_at(bytes, offset).at("writing", &self.path)
    }

    fn try_lock(&self) -> Result<Locking, DiskError> {
        locking(self.file.try_lock(), &self.path)
    }

    fn try_lock_shared(&self) -> Result<Locking, DiskError> {
        locking(self.file.try_lock_shared(), &self.path)
    }

    fn identity(&self) -> Result<Identity, DiskError> {
        Ok(identity(&self.file.metadata().at("reading", &self.path)?))
    }
}

fn locking(asked: Result<(), TryLockError>, path: &Path) -> Result<Locking, DiskError> {
    match asked {
        Ok(()) => Ok(Locking::Obtained),
        Err(TryLockError::WouldBlock) => Ok(Locking::HeldByAnother),
        Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(Locking::NotSupported),
        Err(TryLockError::Error(error)) => Err(error).at("locking", path),
    }
}

/// Whether that is the answer of a file system without locks, or without the server that keeps
/// them.
fn has_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || [Errno::NOTSUP, Errno::NOSYS, Errno::NOLCK]
            .iter()
            .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

impl Read for DiskFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }

    fn read_to_end(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        self.file.read_to_end(bytes)
    }
}

impl Write for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for DiskFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_locks_is_told_from_one_that_fails() {
        let path = Path::new("lock");
        let answer = |errno: Errno| {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            locking(Err(TryLockError::Error(error)), path)
        };
        for errno in [Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS, Errno::NOLCK] {
            assert_eq!(answer(errno).unwrap(), Locking::NotSupported);
        }
        assert_eq!(answer(Errno::IO).unwrap_err().action, "locking");
        assert_eq!(locking(Err(TryLockError::WouldBlock), path).unwrap(), Locking::HeldByAnother);
    }
}

//! The seam between the rooms of this crate and a file system: [`Files`] and [`OpenFile`].
//!
//! Implementations give the few primitives; what is made of several of them (all missing folders,
//! a file replaced in one step) is written once, here and in the files beside this one, so that a
//! test that fails the primitives fails everything above them.

use std::ffi::OsString;
use std::fmt::Debug;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use super::error::{At, DiskError};
use super::replacement::{Replacement, create_temporary, is_temporary};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Open {
    /// For reading; it must be there.
    Read,
    /// For reading and writing; nothing may be there, not even a symbolic link.
    New,
    /// For reading and writing, as it is; it is created where it is missing.
    Write,
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// Anything else: a pipe, a device.
    Other,
}

/// Which file it is, whatever its name: two names with the same identity are the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The device it is on.
    pub device: u64,
    /// Its number on that device.
    pub inode: u64,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// File or folder.
    pub kind: Kind,
    /// The length of a file in bytes; of anything else it says nothing.
    pub length: u64,
    /// Which one it is.
    pub identity: Identity,
}

/// What came of asking for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Locking {
    /// It is held, until the file and all its clones are closed.
    Obtained,
    /// Somebody else holds it.
    HeldByAnother,
    /// The file system has no locks.
    NotSupported,
}

/// A file system.
pub trait Files: Debug + Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// Where the file system refuses.
    fn open(&self, path: &Path, how: Open) -> Result<Box<dyn OpenFile>, DiskError>;

    /// Creates one folder, in a folder that is there.
    ///
    /// # Errors
    /// Where something is there already, or the file system refuses.
    fn create_folder(&self, path: &Path) -> Result<(), DiskError>;

    /// Gives a file or a folder another name; a file that has that name is replaced in one step.
    ///
    /// # Errors
    /// Where the file system refuses; both names are as they were then.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError>;

    /// Removes a file.
    ///
    /// # Errors
    /// Where it is not there, or the file system refuses.
    fn remove_file(&self, path: &Path) -> Result<(), DiskError>;

    /// Removes a folder with everything in it.
    ///
    /// # Errors
    /// Where it is not there, or the file system refuses; a part may be gone then.
    fn remove_folder(&self, path: &Path) -> Result<(), DiskError>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn list(&self, path: &Path) -> Result<Vec<OsString>, DiskError>;

    /// What is at a path, symbolic links followed; none where nothing is.
    ///
    /// # Errors
    /// Where the file system does not tell.
    fn look(&self, path: &Path) -> Result<Option<Found>, DiskError>;

    /// Makes the names in a folder durable: what was created, renamed and removed in it.
    ///
    /// # Errors
    /// Where the file system refuses.
    fn sync_folder(&self, path: &Path) -> Result<(), DiskError>;

    /// The space in bytes that is free to this user where `path` is, or will be.
    ///
    /// # Errors
    /// Where the file system does not tell.
    fn free_bytes(&self, path: &Path) -> Result<u64, DiskError>;

    /// Creates a folder and those above it that are missing, and makes their names durable.
    ///
    /// # Errors
    /// Where something else has one of the names, or the file system refuses.
    fn create_folders(&self, path: &Path) -> Result<(), DiskError> {
        let mut missing = Vec::new();
        let mut folder = path;
        loop {
            match self.look(folder)? {
                Some(found) if found.kind == Kind::Folder => break,
                Some(_) => {
                    let other = io::Error::from(io::ErrorKind::NotADirectory);
                    return Err(other).at("creating the folder", path);
                }
                None => missing.push(folder),
            }
            folder = folder_of(folder);
        }
        for made in missing.iter().rev() {
            match self.create_folder(made) {
                // Another process may have made it meanwhile: which of the two did is all the same.
                Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {}
                made => made?,
            }
        }
        for made in &missing {
            self.sync_folder(folder_of(made))?;
        }
        Ok(())
    }

    /// Whether anything is at a path.
    ///
    /// # Errors
    /// Where the file system does not tell.
    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        Ok(self.look(path)?.is_some())
    }

    /// Whether a regular file is at a path.
    ///
    /// # Errors
    /// Where the file system does not tell.
    fn is_file(&self, path: &Path) -> Result<bool, DiskError> {
        Ok(self.look(path)?.is_some_and(|found| found.kind == Kind::File))
    }

    /// Whether a folder is at a path.
    ///
    /// # Errors
    /// Where the file system does not tell.
    fn is_folder(&self, path: &Path) -> Result<bool, DiskError> {
        Ok(self.look(path)?.is_some_and(|found| found.kind == Kind::Folder))
    }

    /// Whether an open file is still the one that its path names: it may have been removed or
    /// replaced since it was opened.
    ///
    /// # Errors
    /// Where the file system does not tell.
    fn is_still_there(&self, file: &dyn OpenFile) -> Result<bool, DiskError> {
        let identity = file.identity()?;
        Ok(self.look(file.path())?.is_some_and(|found| found.identity == identity))
    }

    /// The content of a file that must not be longer than `bytes_max`.
    ///
    /// # Errors
    /// Where it cannot be read, or is longer.
    fn read(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, DiskError> {
        let file = self.open(path, Open::Read)?;
        let mut bytes = Vec::new();
        let read = file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes);
        if u64::try_from(read.at("reading", path)?).is_ok_and(|read| read <= bytes_max) {
            return Ok(bytes);
        }
        let longer = format!("it is longer than {bytes_max} bytes");
        Err(io::Error::new(io::ErrorKind::FileTooLarge, longer)).at("reading", path)
    }

    /// Opens a file for writing after its first `length` bytes; anything after them is cut off. A
    /// file that is not there is created, for a `length` of 0.
    ///
    /// # Errors
    /// Where the file is shorter than that, or the file system refuses.
    fn open_at(&self, path: &Path, length: u64) -> Result<Box<dyn OpenFile>, DiskError> {
        let mut file = self.open(path, Open::Write)?;
        let there = file.length()?;
        if there < length {
            let shorter = format!("it has {there} bytes, and {length} had been written");
            return Err(io::Error::new(io::ErrorKind::InvalidData, shorter)).at("resuming", path);
        }
        if there > length {
            file.set_length(length)?;
        }
        file.seek(io::SeekFrom::Start(length)).at("seeking in", path)?;
        Ok(file)
    }

    /// Replaces a file in one step, durably: who looks finds the old content or the new one, at
    /// any time and after any crash.
    ///
    /// # Errors
    /// Where the file system refuses; the old content is there then, unless only the last step
    /// failed, the sync of the folder: then it may be either.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        let mut replacement = Replacement::begin(self, path)?;
        replacement.put(bytes)?;
        replacement.commit()
    }

    /// A new file in a folder, without a name: it is gone with the process.
    ///
    /// # Errors
    /// Where the file system refuses.
    fn unnamed(&self, folder: &Path) -> Result<Box<dyn OpenFile>, DiskError> {
        let (path, file) = create_temporary(self, &folder.join("scratch"))?;
        self.remove_file(&path)?;
        Ok(file)
    }

    /// Removes the temporary files that killed processes left in a folder. Only for whoever keeps
    /// others from replacing files in that folder: their work would be lost.
    ///
    /// # Errors
    /// Where the folder cannot be read, or a file not removed.
    fn remove_leftovers(&self, folder: &Path) -> Result<(), DiskError> {
        for name in self.list(folder)? {
            if is_temporary(&name) {
                self.remove_file(&folder.join(name))?;
            }
        }
        Ok(())
    }
}

/// A file that is open. Reading, writing and seeking go through the traits of the standard
/// library, whose errors do not name the path: [`OpenFile::put`] and [`OpenFile::fill`] do.
pub trait OpenFile: Read + Write + Seek + Debug + Send + Sync {
    /// The path by which it was opened.
    fn path(&self) -> &Path;

    /// Its length in bytes.
    ///
    /// # Errors
    /// Where the file system does not tell.
    fn length(&self) -> Result<u64, DiskError>;

    /// Cuts it off, or extends it with zeros.
    ///
    /// # Errors
    /// Where the file system refuses.
    fn set_length(&self, bytes: u64) -> Result<(), DiskError>;

    /// Makes content and length durable.
    ///
    /// # Errors
    /// Where the file system refuses. What was written and not synced before may be lost then,
    /// even if a later sync succeeds: the only way on is to write it again.
    fn sync_data(&self) -> Result<(), DiskError>;

    /// Makes everything about it durable, its times included.
    ///
    /// # Errors
    /// As [`OpenFile::sync_data`].
    fn sync_all(&self) -> Result<(), DiskError>;

    /// Another handle of the same open file, with the same position and the same lock.
    ///
    /// # Errors
    /// Where the operating system refuses.
    fn try_clone(&self) -> Result<Box<dyn OpenFile>, DiskError>;

    /// Reads bytes at an offset. Positions of other handles may move.
    ///
    /// # Errors
    /// Where the file ends before, or cannot be read.
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), DiskError>;

    /// Writes bytes at an offset. Positions of other handles may move.
    ///
    /// # Errors
    /// Where the file system refuses; a part may be written then.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<(), DiskError>;

    /// Asks for the lock that nobody else may hold beside.
    ///
    /// # Errors
    /// Where the operating system refuses.
    fn try_lock(&self) -> Result<Locking, DiskError>;

    /// Asks for the lock that others may hold beside, unless theirs is of the other kind.
    ///
    /// # Errors
    /// Where the operating system refuses.
    fn try_lock_shared(&self) -> Result<Locking, DiskError>;

    /// Which file it is.
    ///
    /// # Errors
    /// Where the file system does not tell.
    fn identity(&self) -> Result<Identity, DiskError>;

    /// Writes bytes at the position.
    ///
    /// # Errors
    /// Where the file system refuses; a part may be written then.
    fn put(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        match self.write_all(bytes) {
            Ok(()) => Ok(()),
            Err(source) => Err(source).at("writing", self.path()),
        }
    }

    /// Fills `bytes` from the position on.
    ///
    /// # Errors
    /// Where the file ends before, or cannot be read.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), DiskError> {
        match self.read_exact(bytes) {
            Ok(()) => Ok(()),
            Err(source) => Err(source).at("reading", self.path()),
        }
    }
}

/// The folder that a path is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

//! The seam between the rooms of this crate and a file system: [`Files`] and [`OpenFile`].
//!
//! An implementation provides the primitives. Whatever takes several of them (to create all missing
//! folders, to replace a file in one step) is written once, here and in the files next to this one,
//! so that a test that makes a primitive fail reaches all of it.

use std::ffi::OsString;
use std::fmt::Debug;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use super::bounded::read_at_most;
use super::error::{At, DiskError};
use super::replacement::{Replacement, create_temporary, original_of};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Open {
    /// For reading; it must exist, and be a regular file. So must every other file that is opened:
    /// opening waits for nobody.
    Read,
    /// For reading and writing; nothing may exist at the path, not even a symbolic link.
    New,
    /// For reading and writing, its content kept; it is created if it is missing. A symbolic link
    /// is not followed, and one that has another name too (a hard link) is refused.
    Write,
    /// As [`Open::Write`]; but whatever its position, every write goes to the end of the file as it
    /// is then, so that nothing is written over and a file that was cut meanwhile stays short.
    Append,
}

/// What kind of thing a path names.
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

/// Which file it is, whatever its name: two paths with the same identity name the same file.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Identity {
    /// The number of its device.
    pub device: u64,
    /// Its number on that device.
    pub inode: u64,
}

/// What exists at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// File or folder.
    pub kind: Kind,
    /// The length in bytes; meaningful for files only.
    pub length: u64,
    /// Which one it is.
    pub identity: Identity,
    /// When its content was last changed, in nanoseconds since 1970; 0 if nothing tells.
    pub modified_ns: i64,
    /// When it was made, in the same way.
    pub born_ns: i64,
}

/// The answer to a request for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Locking {
    /// The lock is held, until the file and all its clones are closed.
    Obtained,
    /// Another open file holds it.
    HeldByAnother,
    /// The file system does not support locks.
    NotSupported,
}

/// A file system.
pub trait Files: Debug + Send + Sync {
    /// Opens a file, at its first byte.
    ///
    /// # Errors
    /// If the file system refuses.
    fn open(&self, path: &Path, how: Open) -> Result<Box<dyn OpenFile>, DiskError>;

    /// Creates one folder, in a folder that exists.
    ///
    /// # Errors
    /// If something exists at the path, or the file system refuses.
    fn create_folder(&self, path: &Path) -> Result<(), DiskError>;

    /// Renames a file or a folder; a file that has the new name is replaced in one step.
    ///
    /// # Errors
    /// If the file system refuses; neither name has changed then.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError>;

    /// Gives a file the rights of the one whose place it will take: private texts stay private.
    ///
    /// # Errors
    /// If the file system refuses.
    fn take_rights(&self, _of: &Path, _to: &Path) -> Result<(), DiskError> {
        Ok(())
    }

    /// Removes a file.
    ///
    /// # Errors
    /// If it does not exist, or the file system refuses.
    fn remove_file(&self, path: &Path) -> Result<(), DiskError>;

    /// Removes a folder with everything in it.
    ///
    /// # Errors
    /// If it does not exist, or the file system refuses; some of its content may be gone then.
    fn remove_folder(&self, path: &Path) -> Result<(), DiskError>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// If it cannot be read.
    fn list(&self, path: &Path) -> Result<Vec<OsString>, DiskError>;

    /// What exists at a path, symbolic links followed; `None` if nothing does.
    ///
    /// # Errors
    /// If the file system does not tell.
    fn look(&self, path: &Path) -> Result<Option<Found>, DiskError>;

    /// Makes the names in a folder durable: every creation, renaming and removal in it.
    ///
    /// # Errors
    /// If the file system refuses.
    fn sync_folder(&self, path: &Path) -> Result<(), DiskError>;

    /// The space that this user may take where `path` is, or will be, in bytes.
    ///
    /// # Errors
    /// If the file system does not tell.
    fn free_bytes(&self, path: &Path) -> Result<u64, DiskError>;

    /// Whether this user may create and remove names in a folder that exists, and its file system
    /// may be written to. Where nobody can tell, yes.
    ///
    /// # Errors
    /// If the file system does not tell.
    fn may_write_in(&self, _folder: &Path) -> Result<bool, DiskError> {
        Ok(true)
    }

    /// Creates a folder and the missing ones above it, and makes their names durable.
    ///
    /// # Errors
    /// If something else has one of the names, or the file system refuses.
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
        // A process that was killed may have created it before it could make its name durable. If
        // the folder above may not be read, no process of ours has created anything in it.
        match self.sync_folder(folder_of(folder)) {
            Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => {}
            synced => synced?,
        }
        for made in missing.iter().rev() {
            if let Err(error) = self.create_folder(made) {
                // Another process may have created it in the meantime: that is as good.
                if error.source.kind() != io::ErrorKind::AlreadyExists || !self.is_folder(made)? {
                    return Err(error);
                }
            }
            self.sync_folder(folder_of(made))?;
        }
        Ok(())
    }

    /// Whether anything exists at a path.
    ///
    /// # Errors
    /// If the file system does not tell.
    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        Ok(self.look(path)?.is_some())
    }

    /// Whether a path names a regular file.
    ///
    /// # Errors
    /// If the file system does not tell.
    fn is_file(&self, path: &Path) -> Result<bool, DiskError> {
        Ok(self.look(path)?.is_some_and(|found| found.kind == Kind::File))
    }

    /// Whether a path names a folder.
    ///
    /// # Errors
    /// If the file system does not tell.
    fn is_folder(&self, path: &Path) -> Result<bool, DiskError> {
        Ok(self.look(path)?.is_some_and(|found| found.kind == Kind::Folder))
    }

    /// Whether the path of an open file still names that file: it may have been removed or replaced
    /// since it was opened.
    ///
    /// # Errors
    /// If the file system does not tell.
    fn is_still_there(&self, file: &dyn OpenFile) -> Result<bool, DiskError> {
        let identity = file.identity()?;
        Ok(self.look(file.path())?.is_some_and(|found| found.identity == identity))
    }

    /// Checks that a file that is being written is still found at its path, and holds at least so
    /// many bytes: a sync of a file that was removed or cut off succeeds, and saves nothing.
    ///
    /// # Errors
    /// If it is not, or the file system does not tell.
    fn expect_there(&self, file: &dyn OpenFile, bytes_min: u64) -> Result<(), DiskError> {
        let missing = if !self.is_still_there(file)? {
            "it was removed or replaced while it was being written".to_owned()
        } else {
            let there = file.length()?;
            if there >= bytes_min {
                return Ok(());
            }
            format!("it was cut to {there} bytes while it was being written: {bytes_min} had been")
        };
        Err(io::Error::other(missing)).at("checking", file.path())
    }

    /// Reads a whole file of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// If it cannot be read, or is longer.
    fn read(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, DiskError> {
        read_at_most(self.open(path, Open::Read)?, path, bytes_max)
    }

    /// Opens a file for appending after its first `length` bytes, and cuts off anything after them. A
    /// missing file counts as an empty one, and is created.
    ///
    /// # Errors
    /// If the file is shorter than that, or the file system refuses.
    fn open_at(&self, path: &Path, length: u64) -> Result<Box<dyn OpenFile>, DiskError> {
        let file = self.open(path, Open::Append)?;
        let there = file.length()?;
        if there < length {
            let shorter = format!("it has {there} bytes, and {length} had been written");
            return Err(io::Error::new(io::ErrorKind::InvalidData, shorter)).at("resuming", path);
        }
        if there > length {
            file.set_length(length)?;
        }
        Ok(file)
    }

    /// Replaces a file in one step, durably: a reader finds the old content or the new content, at
    /// any time and after any crash.
    ///
    /// # Errors
    /// If the file system refuses. The old content is still there then, unless only the last step
    /// failed, the sync of the folder.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
        let mut replacement = Replacement::begin(self, path)?;
        replacement.put(bytes)?;
        replacement.commit()
    }

    /// Creates a file without a name in a folder: it disappears when it is closed.
    ///
    /// # Errors
    /// If the file system refuses.
    fn unnamed(&self, folder: &Path) -> Result<Box<dyn OpenFile>, DiskError> {
        let (path, file) = create_temporary(self, &folder.join("scratch"))?;
        self.remove_file(&path)?;
        Ok(file)
    }

    /// Removes the temporary files that killed processes left in a folder. The caller must hold
    /// the lock that keeps others from replacing files there: their temporary files go too.
    ///
    /// # Errors
    /// If the folder cannot be read, or a file cannot be removed.
    fn remove_leftovers(&self, folder: &Path) -> Result<(), DiskError> {
        for name in self.list(folder)? {
            if original_of(&name).is_some() {
                self.remove_file(&folder.join(name))?;
            }
        }
        Ok(())
    }
}

/// An open file. The standard library's traits read, write and seek; their errors do not name the
/// path, those of [`OpenFile::put`] and [`OpenFile::fill`] do.
pub trait OpenFile: Read + Write + Seek + Debug + Send + Sync {
    /// The path that it was opened by.
    fn path(&self) -> &Path;

    /// Its length in bytes.
    ///
    /// # Errors
    /// If the file system does not tell.
    fn length(&self) -> Result<u64, DiskError>;

    /// Cuts the file off, or extends it with zeros.
    ///
    /// # Errors
    /// If the file system refuses.
    fn set_length(&self, bytes: u64) -> Result<(), DiskError>;

    /// Makes content and length durable.
    ///
    /// # Errors
    /// If the file system refuses. Whatever was not durable yet may be lost then, even if a later
    /// sync succeeds: it has to be written again.
    fn sync_data(&self) -> Result<(), DiskError>;

    /// Makes everything about the file durable, its times included.
    ///
    /// # Errors
    /// As [`OpenFile::sync_data`].
    fn sync_all(&self) -> Result<(), DiskError>;

    /// Another handle of the same open file: position and lock are shared.
    ///
    /// # Errors
    /// If the operating system refuses.
    fn try_clone(&self) -> Result<Box<dyn OpenFile>, DiskError>;

    /// Reads bytes at an offset; the position stays.
    ///
    /// # Errors
    /// If the file ends too early, or cannot be read.
    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), DiskError>;

    /// Writes bytes at an offset; the position stays.
    ///
    /// # Errors
    /// If the file system refuses; some of the bytes may be written then.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> Result<(), DiskError>;

    /// Asks for the exclusive lock, without waiting.
    ///
    /// # Errors
    /// If the operating system refuses.
    fn try_lock(&self) -> Result<Locking, DiskError>;

    /// Asks for a shared lock, without waiting; it excludes the exclusive one only.
    ///
    /// # Errors
    /// If the operating system refuses.
    fn try_lock_shared(&self) -> Result<Locking, DiskError>;

    /// Which file it is.
    ///
    /// # Errors
    /// If the file system does not tell.
    fn identity(&self) -> Result<Identity, DiskError>;

    /// Writes bytes at the position.
    ///
    /// # Errors
    /// If the file system refuses; some of the bytes may be written then.
    fn put(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        match self.write_all(bytes) {
            Ok(()) => Ok(()),
            Err(source) => Err(source).at("writing", self.path()),
        }
    }

    /// Fills `bytes` from the position on.
    ///
    /// # Errors
    /// If the file ends too early, or cannot be read.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), DiskError> {
        match self.read_exact(bytes) {
            Ok(()) => Ok(()),
            Err(source) => Err(source).at("reading", self.path()),
        }
    }
}

/// The folder that a path is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

//! A file that takes the place of another one in one step, however long it is.

use std::ffi::OsStr;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::DiskError;
use super::files::{Files, Open, OpenFile, folder_of};

/// Digits in the name of a temporary file.
const DIGITS: usize = 16;
/// How many names are tried if one is taken, which by chance alone never happens.
const NAMES_MAX: usize = 8;

/// A new file next to the one that it will replace. Its name cannot be guessed and must not exist
/// yet, so that nobody who may write to the folder can plant a link there. It is removed if it is
/// dropped without [`Replacement::commit`]; what a killed process leaves is removed by
/// [`Files::remove_leftovers`].
#[derive(Debug)]
pub struct Replacement<'f, F: Files + ?Sized = dyn Files> {
    files: &'f F,
    path: PathBuf,
    temporary: PathBuf,
    /// `None` once it is committed.
    file: Option<Box<dyn OpenFile>>,
}

impl<'f, F: Files + ?Sized> Replacement<'f, F> {
    /// Creates the new file; the file at `path` stays as it is for now.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn begin(files: &'f F, path: &Path) -> Result<Self, DiskError> {
        let (temporary, file) = create_temporary(files, path)?;
        let replacement = Replacement { files, path: path.to_owned(), temporary, file: Some(file) };
        files.take_rights(path, &replacement.temporary)?;
        Ok(replacement)
    }

    /// Writes bytes; [`Write`] does too, with errors that do not name the path.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.file.as_mut().map_or(Ok(()), |file| file.put(bytes))
    }

    /// The path of the file that it will replace.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes what was written durable, under the temporary name; returns that name, and how many
    /// bytes were written. A caller that writes both down can finish after a kill.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn sync(&self) -> Result<(&Path, u64), DiskError> {
        let Some(file) = &self.file else { return Ok((&self.temporary, 0)) };
        file.sync_all()?;
        Ok((&self.temporary, file.length()?))
    }

    /// Replaces the old file with the new one, durably.
    ///
    /// # Errors
    /// If the file system refuses. The old file is still there then, unless only the last
    /// step failed, the sync of the folder.
    pub fn commit(mut self) -> Result<(), DiskError> {
        if let Some(file) = &self.file {
            file.sync_all()?;
        }
        self.files.rename(&self.temporary, &self.path)?;
        self.file = None;
        self.files.sync_folder(folder_of(&self.path))
    }
}

impl<F: Files + ?Sized> Write for Replacement<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(bytes.len()), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: Files + ?Sized> Drop for Replacement<'_, F> {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // The caller has a better error to report than this one.
            drop(self.files.remove_file(&self.temporary));
        }
    }
}

/// Creates a temporary file for the one at `path`, and says where it is.
pub(super) fn create_temporary<F: Files + ?Sized>(
    files: &F,
    path: &Path,
) -> Result<(PathBuf, Box<dyn OpenFile>), DiskError> {
    let mut tried = 1;
    loop {
        let temporary = temporary_beside(path);
        match files.open(&temporary, Open::New) {
            Ok(file) => return Ok((temporary, file)),
            Err(error)
                if error.source.kind() == io::ErrorKind::AlreadyExists && tried < NAMES_MAX =>
            {
                tried += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The name of a temporary file, or folder, for the one at `path`: `.NAME.DIGITS.tmp`.
pub fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // The keys of the standard library's hasher are random, and differ with each call.
    let random = RandomState::new().build_hasher().finish();
    folder_of(path).join(format!(".{name}.{random:0width$x}.tmp", width = DIGITS))
}

/// The name of the file that a temporary file of this name was to replace; none if it is no such
/// name.
pub fn original_of(name: &OsStr) -> Option<&str> {
    let (original, digits) =
        name.to_str()?.strip_prefix('.')?.strip_suffix(".tmp")?.rsplit_once('.')?;
    let are_digits =
        digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    are_digits.then_some(original)
}

//! Where files without a name are created, for data that should not be held in memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Disk;
use super::error::DiskError;
use super::files::{Files, OpenFile};

/// A folder in which files without a name are created: they disappear when they are closed.
#[derive(Clone, Debug)]
pub struct Scratch {
    files: Arc<dyn Files>,
    folder: PathBuf,
}

impl Scratch {
    /// A folder of any file system; it must exist when the first file is created.
    pub fn new(files: Arc<dyn Files>, folder: &Path) -> Self {
        Scratch { files, folder: folder.to_owned() }
    }

    /// A new, empty file.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn file(&self) -> Result<Box<dyn OpenFile>, DiskError> {
        self.files.unnamed(&self.folder)
    }
}

/// A folder on this machine's disk.
impl<P: AsRef<Path> + ?Sized> From<&P> for Scratch {
    fn from(folder: &P) -> Self {
        Scratch::new(Arc::new(Disk), folder.as_ref())
    }
}

impl From<&Scratch> for Scratch {
    fn from(scratch: &Scratch) -> Self {
        scratch.clone()
    }
}

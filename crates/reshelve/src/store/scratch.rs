//! Where files without a name are made, for what memory should not hold.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Disk;
use super::error::DiskError;
use super::files::{Files, OpenFile};

/// A folder in which files are made that have no name: they are gone with the process.
#[derive(Clone, Debug)]
pub struct Scratch {
    files: Arc<dyn Files>,
    folder: PathBuf,
}

impl Scratch {
    /// A folder of some file system; it has to be there when the first file is made.
    pub fn new(files: Arc<dyn Files>, folder: &Path) -> Self {
        Scratch { files, folder: folder.to_owned() }
    }

    /// A new file, empty.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn file(&self) -> Result<Box<dyn OpenFile>, DiskError> {
        self.files.unnamed(&self.folder)
    }
}

/// A folder of this machine.
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

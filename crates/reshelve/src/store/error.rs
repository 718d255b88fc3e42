//! Errors that name the path they are about.

use std::io;
use std::path::{Path, PathBuf};

/// The file system refused something to do with a path.
#[derive(Debug, thiserror::Error)]
#[error("{action} {}: {source}", path.display())]
pub struct DiskError {
    /// What was tried, as a participle.
    pub action: &'static str,
    /// The path.
    pub path: PathBuf,
    /// What the operating system said.
    #[source]
    pub source: io::Error,
}

impl DiskError {
    /// Whether the disk is full, or this user's share of it.
    pub fn is_full(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// Whether what exists at that path is no file that could have been written there: it is too
    /// long, a folder, a pipe or a device.
    pub fn is_unfit(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, IsADirectory, NotSeekable};
        matches!(self.source.kind(), FileTooLarge | IsADirectory | NotSeekable)
    }

    /// Whether nothing exists at that path.
    pub fn is_absent(&self) -> bool {
        is_absent(&self.source)
    }
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Puts action and path to an I/O error.
pub(crate) trait At<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, DiskError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, DiskError> {
        self.map_err(|source| DiskError { action, path: path.to_owned(), source })
    }
}

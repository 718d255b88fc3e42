//! Paths of this machine.

use std::path::{Path, PathBuf};

/// A path that does not depend on the working directory.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

//! What tells two builds of this program apart.

use reshelve::plan::{Tool, hash_of_file};
use reshelve::store::Disk;
use reshelve_core::mapping::VERSION;

use crate::failure::Failure;

/// This program: its version, the hash of its file, and its mapping.
///
/// # Errors
/// If the file of the program cannot be read.
pub(super) fn tool() -> Result<Tool, Failure> {
    let path = std::env::current_exe().map_err(|error| {
        Failure::failed(format!("the file of this program cannot be found: {error}"))
    })?;
    Ok(Tool {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        build: hash_of_file(&Disk, &path)?,
        mapping: VERSION.to_owned(),
    })
}

//! Reading a file whole, however long it turns out to be.

use std::io::{self, Read};
use std::path::Path;

use super::error::{At, DiskError};

/// Reads to the end, which comes after `bytes_max` bytes at most.
pub(super) fn read_at_most(
    from: impl Read,
    path: &Path,
    bytes_max: u64,
) -> Result<Vec<u8>, DiskError> {
    let mut bytes = Vec::new();
    let read = from.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes);
    if u64::try_from(read.at("reading", path)?).is_ok_and(|read| read <= bytes_max) {
        return Ok(bytes);
    }
    let longer = format!("it is longer than {bytes_max} bytes");
    Err(io::Error::new(io::ErrorKind::FileTooLarge, longer)).at("reading", path)
}

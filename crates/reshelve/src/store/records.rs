//! Records of one length, one after the other, read back.

use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use super::error::{At, DiskError};
use super::files::{Files, Open, OpenFile};

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// The first records in a file, of `N` bytes each.
#[derive(Debug)]
pub struct Records<const N: usize> {
    reader: BufReader<Box<dyn OpenFile>>,
    path: PathBuf,
    left: u64,
}

impl<const N: usize> Records<N> {
    /// Reads the first `count` records of a file; if there are fewer, the last item is an error.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(files: &dyn Files, path: &Path, count: u64) -> Result<Self, DiskError> {
        Records::of(files.open(path, Open::Read)?, count)
    }

    /// The same for a file that is open already.
    pub(super) fn of(mut file: Box<dyn OpenFile>, count: u64) -> Result<Self, DiskError> {
        let path = file.path().to_owned();
        file.rewind().at("seeking in", &path)?;
        Ok(Records { reader: BufReader::with_capacity(BUFFER_BYTES, file), path, left: count })
    }
}

impl<const N: usize> Iterator for Records<N> {
    type Item = Result<[u8; N], DiskError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let mut record = [0; N];
        let read = self.reader.read_exact(&mut record).at("reading", &self.path);
        if read.is_err() {
            self.left = 0;
        }
        Some(read.map(|()| record))
    }
}

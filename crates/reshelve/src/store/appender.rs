//! A file that only grows, and knows its length.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::error::{At, DiskError};
use super::files::{Files, OpenFile};

/// Bytes that are buffered before they are handed to the operating system.
const BUFFER_BYTES: usize = 1 << 16;

/// A file that is only appended to. Bytes are buffered until [`Appender::flush`]; they are durable
/// after [`Appender::sync`], or after a sync of its [`Appender::handle`].
#[derive(Debug)]
pub struct Appender {
    out: BufWriter<Box<dyn OpenFile>>,
    length: u64,
    /// The length up to which a sync of this value has made it durable.
    durable: Option<u64>,
}

impl Appender {
    /// Opens a file to append after its first `length` bytes, and cuts off anything after them. A
    /// missing file counts as an empty one, and is created; its name is durable after a sync of the
    /// folder.
    ///
    /// # Errors
    /// If the file is shorter than that, or the file system refuses.
    pub fn open(files: &dyn Files, path: &Path, length: u64) -> Result<Self, DiskError> {
        let file = files.open_at(path, length)?;
        Ok(Appender { out: BufWriter::with_capacity(BUFFER_BYTES, file), length, durable: None })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// If the file system refuses. The length is not valid after that: open the file
    /// again, at a length that is.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        let written = self.out.write_all(bytes);
        self.named("writing", written)?;
        self.length += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// As [`Appender::append`].
    pub fn flush(&mut self) -> Result<(), DiskError> {
        let flushed = self.out.flush();
        self.named("writing", flushed)
    }

    /// Makes everything appended so far durable. Does nothing where it is already.
    ///
    /// # Errors
    /// As [`Appender::append`].
    pub fn sync(&mut self) -> Result<(), DiskError> {
        if self.durable == Some(self.length) {
            return Ok(());
        }
        self.flush()?;
        self.out.get_ref().sync_data()?;
        self.durable = Some(self.length);
        Ok(())
    }

    /// The length of the file, buffered bytes included.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        self.out.get_ref().path()
    }

    /// Another handle of the file, for another thread: a sync of it makes everything durable that
    /// was flushed before.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn handle(&self) -> Result<Box<dyn OpenFile>, DiskError> {
        self.out.get_ref().try_clone()
    }

    fn named(&self, action: &'static str, result: io::Result<()>) -> Result<(), DiskError> {
        match result {
            Ok(()) => Ok(()),
            Err(source) => Err(source).at(action, self.path()),
        }
    }
}

//! Files with a JSON value on each line.

use std::io::{BufRead, BufReader, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::appender::Appender;
use super::error::{At, DiskError};
use super::files::{Files, Open, OpenFile};
use super::state_file::StateError;

/// The longest line that is read. A line may quote an `_id`, which may take most of a document of
/// 16 MiB, and Extended JSON makes six bytes out of one at the most.
const LINE_BYTES_MAX: u64 = 128 << 20;
/// Bytes that are read at once.
const BUFFER_BYTES: usize = 1 << 16;

/// A file that values are appended to, one on each line.
#[derive(Debug)]
pub struct JsonLines {
    out: Appender,
    line: Vec<u8>,
}

impl JsonLines {
    /// Opens a file to append after its first `length` bytes, as [`Appender::open`] does.
    ///
    /// # Errors
    /// Where the file is shorter than that, or the file system refuses.
    pub fn open(files: &dyn Files, path: &Path, length: u64) -> Result<Self, DiskError> {
        Ok(JsonLines { out: Appender::open(files, path, length)?, line: Vec::new() })
    }

    /// Appends a value.
    ///
    /// # Errors
    /// Where the file system refuses, as for [`Appender::append`].
    pub fn append(&mut self, value: &impl Serialize) -> Result<(), DiskError> {
        self.line.clear();
        let written = serde_json::to_writer(&mut self.line, value);
        written.map_err(std::io::Error::from).at("writing", self.out.path())?;
        self.line.push(b'\n');
        self.out.append(&self.line)
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// As [`Appender::flush`].
    pub fn flush(&mut self) -> Result<(), DiskError> {
        self.out.flush()
    }

    /// Makes everything durable that was appended.
    ///
    /// # Errors
    /// As [`Appender::sync`].
    pub fn sync(&mut self) -> Result<(), DiskError> {
        self.out.sync()
    }

    /// The length of the file, with what is held back.
    pub fn length(&self) -> u64 {
        self.out.length()
    }

    /// Another handle of the file, to sync it from elsewhere.
    ///
    /// # Errors
    /// As [`Appender::handle`].
    pub fn handle(&self) -> Result<Box<dyn OpenFile>, DiskError> {
        self.out.handle()
    }
}

/// The values of a file, line by line. Nothing comes after an error.
#[derive(Debug)]
pub struct Lines<T> {
    reader: BufReader<std::io::Take<Box<dyn OpenFile>>>,
    path: PathBuf,
    line: Vec<u8>,
    /// The number of the last line, from 1.
    number: u64,
    failed: bool,
    value: PhantomData<fn() -> T>,
}

/// Reads the values in the first `bytes_max` bytes of a file. A file that was being written when
/// its writer was killed may end inside a line, which is an error here: whoever knows how much of
/// it is durable reads so much.
///
/// # Errors
/// Where it cannot be opened.
pub fn read_lines<T: DeserializeOwned>(
    files: &dyn Files,
    path: &Path,
    bytes_max: u64,
) -> Result<Lines<T>, DiskError> {
    let file = files.open(path, Open::Read)?.take(bytes_max);
    Ok(Lines {
        reader: BufReader::with_capacity(BUFFER_BYTES, file),
        path: path.to_owned(),
        line: Vec::new(),
        number: 0,
        failed: false,
        value: PhantomData,
    })
}

impl<T: DeserializeOwned> Lines<T> {
    fn read(&mut self) -> Result<Option<T>, StateError> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(LINE_BYTES_MAX);
        let read = limited.read_until(b'\n', &mut self.line).at("reading", &self.path)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let number = self.number;
        let unusable = |what: &dyn std::fmt::Display| {
            StateError::unusable(&self.path, format!("line {number}: {what}"))
        };
        if self.line.last() != Some(&b'\n') {
            let is_long = u64::try_from(read).is_ok_and(|read| read == LINE_BYTES_MAX);
            let long = format!("it is longer than {LINE_BYTES_MAX} bytes");
            return Err(unusable(if is_long { &long } else { &"it has no end" }));
        }
        serde_json::from_slice(&self.line).map(Some).map_err(|error| unusable(&error))
    }
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = Result<T, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let read = self.read();
        self.failed = read.is_err();
        read.transpose()
    }
}

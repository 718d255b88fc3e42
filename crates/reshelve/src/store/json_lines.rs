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

/// The longest line that is read. A line may quote an `_id`, which may fill most of a document of
/// 16 MiB, and JSON takes at most six bytes for one.
const LINE_BYTES_MAX: u64 = 128 << 20;
/// Bytes that are read at a time.
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
    /// If the file is shorter than that, or the file system refuses.
    pub fn open(files: &dyn Files, path: &Path, length: u64) -> Result<Self, DiskError> {
        Ok(JsonLines { out: Appender::open(files, path, length)?, line: Vec::new() })
    }

    /// Appends a value.
    ///
    /// # Errors
    /// If the file system refuses, as for [`Appender::append`].
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

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// As [`Appender::sync`].
    pub fn sync(&mut self) -> Result<(), DiskError> {
        self.out.sync()
    }

    /// The length of the file, buffered bytes included.
    pub fn length(&self) -> u64 {
        self.out.length()
    }

    /// Another handle of the file, for another thread to sync.
    ///
    /// # Errors
    /// As [`Appender::handle`].
    pub fn handle(&self) -> Result<Box<dyn OpenFile>, DiskError> {
        self.out.handle()
    }
}

/// The values of a file, line by line. An error is the last item.
#[derive(Debug)]
pub struct Lines<T> {
    reader: BufReader<std::io::Take<Box<dyn OpenFile>>>,
    path: PathBuf,
    line: Vec<u8>,
    line_bytes_max: u64,
    /// The number of the last line, from 1.
    number: u64,
    failed: bool,
    value: PhantomData<fn() -> T>,
}

/// Reads the values in the first `bytes_max` bytes of a file. A file may end inside a line if its
/// writer was killed, and that is an error: pass the length that a checkpoint vouches for.
///
/// # Errors
/// If it cannot be opened.
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
        line_bytes_max: LINE_BYTES_MAX,
        number: 0,
        failed: false,
        value: PhantomData,
    })
}

impl<T: DeserializeOwned> Lines<T> {
    fn read(&mut self) -> Result<Option<T>, StateError> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(self.line_bytes_max);
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
            let is_long = u64::try_from(read).is_ok_and(|read| read == self.line_bytes_max);
            let long = format!("it is longer than {} bytes", self.line_bytes_max);
            return Err(unusable(if is_long { &long } else { &"it is cut off" }));
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

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::*;

    fn file(bytes: &[u8]) -> Memory {
        let memory = Memory::new();
        memory.open(Path::new("/lines"), Open::New).unwrap().put(bytes).unwrap();
        memory
    }

    fn read(memory: &Memory, bytes_max: u64) -> Vec<Result<u32, String>> {
        let lines = read_lines(memory, Path::new("/lines"), bytes_max).unwrap();
        lines.map(|line| line.map_err(|error| error.to_string())).collect()
    }

    #[test]
    fn values_come_back_in_order() {
        let memory = Memory::new();
        let mut lines = JsonLines::open(&memory, Path::new("/lines"), 0).unwrap();
        for value in 0..3u32 {
            lines.append(&value).unwrap();
        }
        lines.sync().unwrap();
        assert_eq!(lines.length(), 6);
        drop(lines);
        assert_eq!(read(&memory, u64::MAX), [Ok(0), Ok(1), Ok(2)]);
        let mut lines = JsonLines::open(&memory, Path::new("/lines"), 4).unwrap();
        lines.append(&7u32).unwrap();
        lines.flush().unwrap();
        assert_eq!(read(&memory, u64::MAX), [Ok(0), Ok(1), Ok(7)]);
    }

    #[test]
    fn an_error_names_its_line_and_is_the_last() {
        let found = read(&file(b"1\n2\nx\n4\n"), u64::MAX);
        assert_eq!(found[..2], [Ok(1), Ok(2)]);
        let error = found[2].as_ref().unwrap_err();
        assert!(error.starts_with("/lines cannot be used: line 3: expected value"), "{error}");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_line_without_an_end_is_an_error_unless_it_lies_outside() {
        let memory = file(b"1\n23");
        let error = "/lines cannot be used: line 2: it is cut off".to_owned();
        assert_eq!(read(&memory, u64::MAX), [Ok(1), Err(error)]);
        assert_eq!(read(&memory, 2), [Ok(1)]);
    }

    #[test]
    fn a_long_line_is_not_held_in_memory() {
        let memory = file(b"1\n123\n1234\n");
        let mut lines = read_lines::<u32>(&memory, Path::new("/lines"), u64::MAX).unwrap();
        lines.line_bytes_max = 4;
        assert_eq!(lines.by_ref().take(2).collect::<Result<Vec<_>, _>>().unwrap(), [1, 123]);
        let error = lines.next().unwrap().unwrap_err().to_string();
        assert_eq!(error, "/lines cannot be used: line 3: it is longer than 4 bytes");
        assert!(lines.next().is_none());
    }
}

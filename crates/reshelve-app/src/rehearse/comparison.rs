//! What is restored, compared with the source while it comes: as a set, and byte for byte with the
//! file of the source if there is one.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use reshelve::ends::DOCUMENT_BYTES_MAX;
use reshelve::parity::SetHash;
use reshelve::store::{Disk, DiskError, Files, Open, OpenFile};

/// Gets the restored documents, one after the other.
pub(super) struct Comparison<'c> {
    set: SetHash,
    /// The beginning of a document whose end has not come yet; at most one document.
    begun: Vec<u8>,
    /// The file of the source, as long as it has the same bytes.
    file: Option<Box<dyn OpenFile>>,
    is_compared: bool,
    read: Vec<u8>,
    stop: &'c AtomicBool,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) set: SetHash,
    /// Whether the bytes are those of the file; none without a file.
    pub(super) same_bytes: Option<bool>,
}

impl<'c> Comparison<'c> {
    /// Compares with a file, if there is one; ends with an error once it is told to `stop`.
    pub(super) fn with(file: Option<&Path>, stop: &'c AtomicBool) -> Result<Self, DiskError> {
        let file = file.map(|path| Disk.open(path, Open::Read)).transpose()?;
        let is_compared = file.is_some();
        let (begun, read, set) = (Vec::new(), Vec::new(), SetHash::default());
        Ok(Comparison { set, begun, file, is_compared, read, stop })
    }

    /// What came back, when everything has come.
    pub(super) fn end(mut self) -> io::Result<Compared> {
        if !self.begun.is_empty() {
            return Err(io::Error::other("the last restored document is cut off"));
        }
        if let Some(file) = &mut self.file
            && file.read(&mut [0])? > 0
        {
            self.file = None;
        }
        let same_bytes = self.is_compared.then_some(self.file.is_some());
        Ok(Compared { set: self.set, same_bytes })
    }

    fn compare(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        self.read.resize(bytes.len(), 0);
        let is_same = match file.read_exact(&mut self.read) {
            Ok(()) => self.read == bytes,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            Err(error) => return Err(error),
        };
        if !is_same {
            self.file = None;
        }
        Ok(())
    }

    /// Adds the documents that are whole.
    fn add(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.begun.is_empty()
                && let Some(length) = length_of(bytes)?
                && bytes.len() >= length
            {
                self.set.add(&bytes[..length]);
                bytes = &bytes[length..];
                continue;
            }
            let wanted = length_of(&self.begun)?.unwrap_or(4);
            let taken = bytes.len().min(wanted - self.begun.len());
            self.begun.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if length_of(&self.begun)? == Some(self.begun.len()) {
                self.set.add(&self.begun);
                self.begun.clear();
            }
        }
        Ok(())
    }
}

/// The length of the document that begins like this; none before it is known.
fn length_of(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some(prefix) = bytes.first_chunk() else { return Ok(None) };
    match usize::try_from(i32::from_le_bytes(*prefix)) {
        Ok(length @ 5..=DOCUMENT_BYTES_MAX) => Ok(Some(length)),
        _ => Err(io::Error::other("a restored document has a length that cannot be")),
    }
}

impl Write for Comparison<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the rehearsal was told to stop"));
        }
        self.compare(bytes)?;
        self.add(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"\x0c\0\0\0\x10a\0\x01\0\0\0\0";
    const OTHER: &[u8] = b"\x0c\0\0\0\x10a\0\x02\0\0\0\0";

    fn compared(file: Option<&[u8]>, restored: &[u8], at_a_time: usize) -> Compared {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.bson");
        if let Some(bytes) = file {
            Disk.replace(&path, bytes).unwrap();
        }
        let stop = AtomicBool::new(false);
        let mut comparison = Comparison::with(file.map(|_| path.as_path()), &stop).unwrap();
        for part in restored.chunks(at_a_time) {
            comparison.write_all(part).unwrap();
        }
        comparison.end().unwrap()
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_come() {
        let both = [ONE, OTHER].concat();
        let mut set = SetHash::default();
        set.add(OTHER);
        set.add(ONE);
        for at_a_time in 1..=both.len() {
            let found = compared(Some(&both), &both, at_a_time);
            assert_eq!(found, Compared { set, same_bytes: Some(true) }, "{at_a_time}");
        }
    }

    #[test]
    fn what_is_missing_more_or_different_is_not_the_same() {
        let both = [ONE, OTHER].concat();
        for restored in [ONE.to_vec(), [OTHER, ONE].concat(), [ONE, OTHER, ONE].concat()] {
            assert_eq!(compared(Some(&both), &restored, 5).same_bytes, Some(false));
        }
        assert_eq!(compared(None, ONE, 12).same_bytes, None);
        assert_eq!(compared(Some(b""), b"", 1).same_bytes, Some(true));
    }

    #[test]
    fn a_document_that_is_cut_off_is_an_error() {
        let stop = AtomicBool::new(false);
        let mut comparison = Comparison::with(None, &stop).unwrap();
        comparison.write_all(&ONE[..7]).unwrap();
        assert!(comparison.end().is_err());
        let mut comparison = Comparison::with(None, &stop).unwrap();
        assert!(comparison.write_all(b"\x01\0\0\0").is_err());
        stop.store(true, Ordering::Relaxed);
        let mut comparison = Comparison::with(None, &stop).unwrap();
        assert!(comparison.write_all(ONE).is_err());
    }
}

//! Documents in a file without a name, found by key or read in order.

use std::io::{BufReader, BufWriter, Read, Seek, Write};

use super::error::{At, DiskError};
use super::files::OpenFile;
use super::scratch::Scratch;
use super::sorted::{Key, Sorted, Sorter};

/// Key, ordinal, offset, length.
const RECORD: usize = 16 + 8 + 8 + 4;
/// Most records in memory: 36 MiB of them.
const HELD_MAX: usize = 1 << 20;
/// Bytes that are written or read at a time.
const BUFFER_BYTES: usize = 1 << 20;
/// Bytes in front of each document, which hold its length.
const PREFIX: u64 = 4;

/// Documents that are being collected.
#[derive(Debug)]
pub struct Spool {
    out: BufWriter<Box<dyn OpenFile>>,
    sorter: Sorter<RECORD>,
    count: u64,
    offset: u64,
}

impl Spool {
    /// An empty spool.
    ///
    /// # Errors
    /// If its file cannot be made.
    pub fn new(scratch: &Scratch) -> Result<Self, DiskError> {
        Ok(Spool {
            out: BufWriter::with_capacity(BUFFER_BYTES, scratch.file()?),
            sorter: Sorter::new(scratch, HELD_MAX),
            count: 0,
            offset: 0,
        })
    }

    /// Adds a document of less than 4 GiB.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn add(&mut self, key: &Key, document: &[u8]) -> Result<(), DiskError> {
        let length = u32::try_from(document.len())
            .map_err(|_| std::io::ErrorKind::FileTooLarge.into())
            .at("writing", self.out.get_ref().path())?;
        let start = self.offset + PREFIX;
        let mut record = [0; RECORD];
        record[..16].copy_from_slice(key);
        record[16..24].copy_from_slice(&self.count.to_be_bytes());
        record[24..32].copy_from_slice(&start.to_be_bytes());
        record[32..].copy_from_slice(&length.to_be_bytes());
        self.sorter.add(record)?;
        let mut write = |bytes: &[u8]| self.out.write_all(bytes);
        let written = write(&length.to_be_bytes()).and_then(|()| write(document));
        written.at("writing", self.out.get_ref().path())?;
        self.count += 1;
        self.offset = start + u64::from(length);
        Ok(())
    }

    /// Ends the collecting.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn finish(mut self) -> Result<Spooled, DiskError> {
        self.out.flush().at("writing", self.out.get_ref().path())?;
        let file = self.out.get_ref().try_clone()?;
        Ok(Spooled { file, records: self.sorter.finish()?, count: self.count })
    }
}

/// Documents that were collected.
#[derive(Debug)]
pub struct Spooled {
    file: Box<dyn OpenFile>,
    records: Sorted<RECORD>,
    count: u64,
}

impl Spooled {
    /// How many documents there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Reads the first document that was added with that key, and returns its number in the order
    /// of adding, from 0; `None` if there is no such document.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn get(&self, key: &Key, document: &mut Vec<u8>) -> Result<Option<u64>, DiskError> {
        let Some(record) = self.records.get(key)? else { return Ok(None) };
        let number = |range: std::ops::Range<usize>| {
            record[range].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        document.resize(usize::try_from(number(32..36)).unwrap_or(usize::MAX), 0);
        self.file.read_exact_at(document, number(24..32))?;
        Ok(Some(number(16..24)))
    }

    /// Calls `take` with the documents that are wanted, in the order of adding. Both functions get
    /// the document's number in that order, from 0.
    ///
    /// # Errors
    /// If the file system refuses, or `take` fails.
    pub fn each(
        &self,
        mut is_wanted: impl FnMut(u64) -> bool,
        mut take: impl FnMut(u64, &[u8]) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        let path = self.file.path();
        let mut file = self.file.try_clone()?;
        file.rewind().at("seeking in", path)?;
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut document = Vec::new();
        for ordinal in 0..self.count {
            let mut length = [0; 4];
            reader.read_exact(&mut length).at("reading", path)?;
            let length = u32::from_be_bytes(length);
            if is_wanted(ordinal) {
                document.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
                reader.read_exact(&mut document).at("reading", path)?;
                take(ordinal, &document)?;
            } else {
                reader.seek_relative(length.into()).at("seeking in", path)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::super::{Files, Memory, key_of};
    use super::*;

    fn document(number: u64) -> Vec<u8> {
        vec![u8::try_from(number % 251).unwrap(); usize::try_from(number * 7 % 3_001).unwrap()]
    }

    #[test]
    fn documents_are_found_by_key_and_read_in_order() {
        let memory = Memory::new();
        let scratch = Scratch::new(Arc::new(memory.clone()), Path::new("/"));
        let mut spool = Spool::new(&scratch).unwrap();
        for number in 0..2_000u64 {
            // Every second key comes twice.
            spool.add(&key_of(&(number & !2).to_be_bytes()), &document(number)).unwrap();
        }
        let spooled = spool.finish().unwrap();
        assert_eq!(spooled.count(), 2_000);
        let mut found = Vec::new();
        for number in 0..2_000 {
            let at = spooled.get(&key_of(&u64::to_be_bytes(number)), &mut found).unwrap();
            if number & 2 == 0 {
                assert_eq!(at, Some(number));
                assert_eq!(found, document(number));
            } else {
                assert_eq!(at, None);
            }
        }
        let mut taken = Vec::new();
        let each = spooled.each(
            |number| number % 3 == 1,
            |number, bytes| {
                assert_eq!(bytes, document(number));
                taken.push(number);
                Ok(())
            },
        );
        each.unwrap();
        assert_eq!(taken, (0..2_000).filter(|number| number % 3 == 1).collect::<Vec<_>>());
        assert!(memory.list(Path::new("/")).unwrap().is_empty(), "the files have no names");
    }
}

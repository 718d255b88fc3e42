//! Documents of a source that can be read only once, kept for the second reading: encrypted with a
//! key that exists in memory alone, in a file without a name.

use std::io::{BufReader, BufWriter, Read, Seek, Write};

use super::key::Key;
use crate::ends::{Batch, BatchLimits, Damage, DamageKind, Form, Item, Operation, Place, Source};
use crate::store::{DiskError, OpenFile, Scratch};

/// Bytes that are written or read at a time.
const BUFFER_BYTES: usize = 1 << 20;
/// Bytes in front of each document: its length.
const PREFIX_BYTES: usize = 4;

/// Documents that are being collected.
pub(super) struct Spool {
    out: BufWriter<Box<dyn OpenFile>>,
    cipher: Cipher,
    form: Form,
    documents: u64,
}

/// A stream of bytes that hides others.
struct Cipher(blake3::OutputReader);

impl Cipher {
    fn new(key: &Key) -> Cipher {
        Cipher(key.stream("spool"))
    }

    fn apply(&mut self, bytes: &mut [u8]) {
        let mut stream = [0; 4096];
        for part in bytes.chunks_mut(stream.len()) {
            let stream = &mut stream[..part.len()];
            self.0.fill(stream);
            part.iter_mut().zip(stream).for_each(|(byte, mask)| *byte ^= *mask);
        }
    }
}

impl Spool {
    pub(super) fn new(scratch: &Scratch, key: &Key, form: Form) -> Result<Spool, DiskError> {
        let out = BufWriter::with_capacity(BUFFER_BYTES, scratch.file()?);
        Ok(Spool { out, cipher: Cipher::new(key), form, documents: 0 })
    }

    /// Adds a document.
    pub(super) fn add(&mut self, document: &[u8]) -> Result<(), DiskError> {
        let length = u32::try_from(document.len()).unwrap_or(u32::MAX);
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend_from_slice(document);
        self.cipher.apply(&mut bytes);
        self.documents += 1;
        self.out.write_all(&bytes).map_err(|source| self.failed("writing", source))
    }

    fn failed(&self, action: &'static str, source: std::io::Error) -> DiskError {
        DiskError { action, path: self.out.get_ref().path().to_owned(), source }
    }

    /// The documents, to be read once more.
    pub(super) fn finish(mut self, key: &Key) -> Result<Spooled, DiskError> {
        self.out.flush().map_err(|source| self.failed("writing", source))?;
        let mut file = self.out.get_ref().try_clone()?;
        file.rewind().map_err(|source| self.failed("seeking in", source))?;
        Ok(Spooled {
            reader: BufReader::with_capacity(BUFFER_BYTES, file),
            cipher: Cipher::new(key),
            form: self.form,
            left: self.documents,
            bytes_read: 0,
            next: None,
        })
    }
}

/// Documents that were collected.
pub(super) struct Spooled {
    reader: BufReader<Box<dyn OpenFile>>,
    cipher: Cipher,
    form: Form,
    left: u64,
    bytes_read: u64,
    /// A document that the batch before had no room for.
    next: Option<Vec<u8>>,
}

impl Spooled {
    fn read(&mut self) -> Result<Option<Vec<u8>>, Damage> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next));
        }
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut prefix = [0; PREFIX_BYTES];
        self.fill_bytes(&mut prefix)?;
        let length = usize::try_from(u32::from_le_bytes(prefix)).unwrap_or(0);
        let mut document = vec![0; length];
        self.fill_bytes(&mut document)?;
        Ok(Some(document))
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Damage> {
        let read = self.reader.read_exact(bytes);
        read.map_err(|source| Damage {
            kind: DamageKind::Io,
            name: "the spooled documents".to_owned(),
            place: Place::default(),
            detail: source.to_string(),
            earlier_in_doubt: false,
            source: Some(source),
        })?;
        self.cipher.apply(bytes);
        self.bytes_read += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(())
    }
}

impl Source for Spooled {
    fn fill(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Damage> {
        batch.form = self.form;
        while let Some(document) = self.read()? {
            let is_full = batch.items.len() >= limits.docs_max
                || batch.bytes.len() + document.len() > limits.bytes_max;
            if is_full && !batch.items.is_empty() {
                self.next = Some(document);
                break;
            }
            let start = batch.bytes.len();
            batch.bytes.extend_from_slice(&document);
            let (end, place) = (batch.bytes.len(), Place::default());
            batch.items.push(Item { start, end, place, operation: Operation::Upsert });
        }
        Ok(!batch.items.is_empty())
    }

    fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    fn bytes_total(&self) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_back_and_the_file_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::random().unwrap();
        let mut spool = Spool::new(&Scratch::from(folder.path()), &key, Form::Json).unwrap();
        let documents: Vec<Vec<u8>> =
            (0..100u8).map(|it| vec![b'm'; usize::from(it) * 97]).collect();
        documents.iter().for_each(|document| spool.add(document).unwrap());
        let mut spooled = spool.finish(&key).unwrap();
        let mut raw = Vec::new();
        let mut file = spooled.reader.get_ref().try_clone().unwrap();
        file.read_to_end(&mut raw).unwrap();
        assert!(memchr::memmem::find(&raw, b"mmmm").is_none());
        file.rewind().unwrap();
        let (mut batch, mut read) = (Batch::default(), Vec::new());
        let limits = BatchLimits { docs_max: 7, bytes_max: 20_000 };
        while spooled.fill(&mut batch, limits).unwrap() {
            assert!(batch.items.len() <= 7 && batch.form == Form::Json);
            read.extend(batch.items.iter().map(|item| batch.document(item).to_vec()));
            batch.clear();
        }
        assert_eq!(read, documents);
    }
}

//! The content of a file: its uncompressed bytes, read once from the front.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::compressed::{self, Inflow};
use super::detect::LOOKED_AT_BYTES_MAX;
use crate::ends::{Compression, Damage, DamageKind, Place};

/// How much is read ahead at once. Small enough that what a batch leaves over is copied cheaply,
/// large enough that a system call costs nothing in comparison.
pub(super) const READ_BYTES: usize = 256 * 1024;

/// A failed read, not yet tied to a place among the documents.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: DamageKind,
    pub(super) detail: String,
    pub(super) source: Option<io::Error>,
}

/// What is read from, after decompression if its first bytes say that it is compressed.
pub(super) struct Content {
    /// Its name in messages.
    pub(super) name: String,
    pub(super) compression: Compression,
    /// Bytes in the file, if known.
    pub(super) bytes_total: Option<u64>,
    /// Read already to detect the form, and not yet handed out.
    head: Vec<u8>,
    /// Met while looking ahead; reported when everything before it has been handed out.
    fault: Option<Fault>,
    stream: Stream,
    taken: Arc<AtomicU64>,
}

enum Stream {
    Plain(Plain),
    Inflating(Inflow),
}

/// A file as it is, without a buffered reader before the buffer that is read into: such a reader
/// would have every buffer filled with zeros first.
struct Plain {
    reader: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
}

impl Content {
    /// Opens a file.
    pub(super) fn open(path: &Path) -> io::Result<Content> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        // Only a regular file has a known length.
        let bytes_total = metadata.is_file().then_some(metadata.len());
        Content::new(Box::new(file), path.display().to_string(), bytes_total)
    }

    /// Takes any stream.
    pub(super) fn new(
        mut reader: Box<dyn Read + Send>,
        name: String,
        bytes_total: Option<u64>,
    ) -> io::Result<Content> {
        let mut head = Vec::new();
        // An error here comes up again, or the stream is at its end; both are reported later.
        let early = (&mut reader).take(COMPRESSION_HEAD_BYTES).read_to_end(&mut head);
        let taken = Arc::new(AtomicU64::new(u64::try_from(head.len()).unwrap_or(0)));
        let compression = compressed::detect(&head);
        if let Err(error) = early {
            reader = Box::new(Failing(Some(error)));
        }
        let stream = match compression {
            Compression::None => Stream::Plain(Plain { reader, taken: Arc::clone(&taken) }),
            _ => {
                let rest = Counted { reader, taken: Arc::clone(&taken) };
                let whole = io::Cursor::new(std::mem::take(&mut head)).chain(rest);
                let input = BufReader::with_capacity(READ_BYTES, whole);
                Stream::Inflating(Inflow::start(input, compression)?)
            }
        };
        Ok(Content { name, compression, bytes_total, head, fault: None, stream, taken })
    }

    /// Bytes read from the file so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Looks at up to `count` of the next bytes without consuming them; fewer only at the end, or
    /// before a fault, which the next read reports.
    pub(super) fn peek(&mut self, count: usize) -> &[u8] {
        if self.head.len() < count && self.fault.is_none() {
            let missing = count - self.head.len();
            self.fault = self.stream.append(&mut self.head, missing).err();
        }
        &self.head[..count.min(self.head.len())]
    }

    /// Whether there is nothing but white space in it.
    pub(super) fn is_blank(&mut self) -> bool {
        let mut count = 1;
        while count <= LOOKED_AT_BYTES_MAX {
            let head = self.peek(count);
            if !head.trim_ascii().is_empty() {
                return false;
            }
            if head.len() < count {
                return self.fault.is_none();
            }
            count *= 2;
        }
        false
    }

    /// Appends the next `count` bytes; fewer only at the end. On a fault, everything before it has
    /// been appended.
    pub(super) fn append(&mut self, out: &mut Vec<u8>, count: usize) -> Result<usize, Fault> {
        let before = out.len();
        let from_head = count.min(self.head.len());
        out.extend(self.head.drain(..from_head));
        if from_head < count {
            match self.fault.take() {
                Some(fault) => return Err(fault),
                None => self.stream.append(out, count - from_head)?,
            }
        }
        Ok(out.len() - before)
    }

    /// How much of the content, from its start, checksums of the compression have confirmed.
    fn confirmed(&self) -> u64 {
        match &self.stream {
            Stream::Plain(_) => 0,
            Stream::Inflating(inflow) => inflow.confirmed(),
        }
    }

    /// Ties a fault to its place.
    pub(super) fn damage(&self, fault: Fault, place: Place) -> Damage {
        let mut detail = fault.detail;
        let compressed = self.compression != Compression::None;
        if compressed && place.line == 0 {
            detail.push_str("; the offset is that in the uncompressed content");
        }
        let kind = match fault.kind {
            // Everything has been read, and they are at the end of it.
            DamageKind::Trailing { bytes, .. } => {
                DamageKind::Trailing { bytes, at: self.bytes_read().saturating_sub(bytes) }
            }
            kind => kind,
        };
        Damage {
            kind,
            name: self.name.clone(),
            place,
            detail,
            earlier_in_doubt: compressed && place.offset > self.confirmed(),
            source: fault.source,
        }
    }
}

/// Gzip shows that it is gzip in its first ten bytes.
const COMPRESSION_HEAD_BYTES: u64 = 10;

impl Stream {
    fn append(&mut self, out: &mut Vec<u8>, count: usize) -> Result<(), Fault> {
        match self {
            Stream::Inflating(inflow) => inflow.append(out, count),
            Stream::Plain(Plain { reader, taken }) => {
                out.reserve(count);
                let before = out.len();
                let limit = u64::try_from(count).unwrap_or(u64::MAX);
                let result = reader.take(limit).read_to_end(out);
                let bytes = u64::try_from(out.len() - before).unwrap_or(0);
                taken.fetch_add(bytes, Ordering::Relaxed);
                result.map(drop).map_err(Fault::from_error)
            }
        }
    }
}

impl Fault {
    pub(super) fn new(kind: DamageKind, detail: impl Into<String>) -> Fault {
        Fault { kind, detail: detail.into(), source: None }
    }

    /// An error of the file.
    pub(super) fn from_error(error: io::Error) -> Fault {
        Fault { kind: DamageKind::Io, detail: "reading failed".to_owned(), source: Some(error) }
    }
}

/// An error of the file itself, marked to distinguish it from errors of the decompression.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct FromFile(pub(super) io::Error);

/// Counts the bytes that are read from the file.
struct Counted {
    reader: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
}

impl Counted {
    fn count<T>(&self, result: io::Result<T>, bytes: impl Fn(&T) -> usize) -> io::Result<T> {
        match result {
            Ok(value) => {
                let bytes = u64::try_from(bytes(&value)).unwrap_or(0);
                self.taken.fetch_add(bytes, Ordering::Relaxed);
                Ok(value)
            }
            // This kind means "try again", and every caller checks for it.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(io::Error::new(error.kind(), FromFile(error))),
        }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.reader.read(buffer);
        self.count(result, |&bytes| bytes)
    }
}

/// Returns the error of an earlier read once, then is at its end.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

//! Gzip and zstd: compressed in members, and decompressed in a separate thread, so that it overlaps
//! with the framing.

use std::io::{self, BufRead, Read, Write};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::content::{Fault, FromFile, READ_BYTES};
use crate::ends::{Compression, DamageKind};

/// Buffers in transit between the threads.
const BUFFERS: usize = 4;

/// Detects the compression from the first bytes of a file: ten, or all of them.
pub(crate) fn detect(head: &[u8]) -> Compression {
    if head.starts_with(&ZSTD_MAGIC) {
        return Compression::Zstd;
    }
    // A BSON document of 559,903 bytes begins like gzip: the flags, the effort and the operating
    // system after the magic number tell which it is.
    let gzip = head.starts_with(&[0x1F, 0x8B, 8])
        && head.get(3).is_none_or(|flags| flags & 0xE0 == 0)
        && head.get(8).is_none_or(|effort| matches!(effort, 0 | 2 | 4))
        && head.get(9).is_none_or(|system| matches!(system, 0..=13 | 255));
    if gzip { Compression::Gzip } else { Compression::None }
}

impl Compression {
    /// Compresses bytes into one member that stands by itself; the same bytes give the same
    /// member.
    pub(crate) fn member(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Compression::None => Ok(bytes.to_vec()),
            Compression::Gzip => {
                let level = flate2::Compression::default();
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(Vec::new(), 3)?;
                encoder.include_checksum(true)?;
                encoder.write_all(bytes)?;
                encoder.finish()
            }
        }
    }
}

/// The receiving end of the channel for decompressed bytes.
pub(super) struct Inflow {
    full: Receiver<Message>,
    empty: Sender<Vec<u8>>,
    current: Vec<u8>,
    at: usize,
    confirmed: u64,
}

struct Message {
    bytes: Vec<u8>,
    /// How much of the content, from its start, checksums have confirmed so far.
    confirmed: u64,
    fault: Option<Fault>,
}

impl Inflow {
    /// Starts the thread. It ends at the end of the input, at a fault, or when this side is
    /// dropped.
    pub(super) fn start(
        input: impl BufRead + Send + 'static,
        compression: Compression,
    ) -> io::Result<Inflow> {
        let (to_reader, full) = bounded(BUFFERS);
        let (empty, from_reader) = bounded(BUFFERS + 1);
        std::thread::Builder::new().name("decompress".to_owned()).spawn(move || {
            let mut outflow = Outflow {
                full: to_reader,
                empty: from_reader,
                bytes: Vec::new(),
                total: 0,
                confirmed: 0,
            };
            outflow.run(input, compression);
        })?;
        Ok(Inflow { full, empty, current: Vec::new(), at: 0, confirmed: 0 })
    }

    /// How much of the content, from its start, checksums have confirmed.
    pub(super) fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// Appends the next `count` bytes; fewer only at the end.
    pub(super) fn append(&mut self, out: &mut Vec<u8>, mut count: usize) -> Result<(), Fault> {
        out.reserve(count);
        while count > 0 {
            if self.at == self.current.len() {
                // The other side drops its sender at the end.
                let Ok(message) = self.full.recv() else { return Ok(()) };
                self.confirmed = message.confirmed;
                if let Some(fault) = message.fault {
                    return Err(fault);
                }
                let used = std::mem::replace(&mut self.current, message.bytes);
                self.at = 0;
                // This only returns memory for reuse: nothing is lost if nobody takes it.
                let _unused = self.empty.try_send(used);
                continue;
            }
            let available = &self.current[self.at..];
            let available = &available[..count.min(available.len())];
            out.extend_from_slice(available);
            self.at += available.len();
            count -= available.len();
        }
        Ok(())
    }
}

/// The thread's side.
struct Outflow {
    full: Sender<Message>,
    empty: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    total: u64,
    confirmed: u64,
}

impl Outflow {
    fn run(&mut self, mut input: impl BufRead, compression: Compression) {
        let result = self.members(&mut input, compression);
        // If the receiver is gone, nobody needs to know.
        let _gone = self.send(None);
        if let Err(error) = result {
            let _gone = self.send(Some(fault(error)));
        }
    }

    /// Members (gzip) or frames (zstd), one after the other.
    fn members(&mut self, input: &mut impl BufRead, compression: Compression) -> io::Result<()> {
        let mut is_first = true;
        while let Some(start) = next_start(input, compression, is_first)? {
            is_first = false;
            let mut input = io::Cursor::new(start).chain(&mut *input);
            let alive = match compression {
                Compression::Zstd => {
                    let decoder = zstd::stream::read::Decoder::with_buffer(&mut input)?;
                    self.member(decoder.single_frame())?
                }
                _ => self.member(flate2::bufread::GzDecoder::new(&mut input))?,
            };
            if !alive {
                return Ok(());
            }
            // A member is read to its end only if its checksum is right.
            self.confirmed = self.total;
        }
        Ok(())
    }

    /// Returns `false` if the receiver is gone.
    fn member(&mut self, mut decoder: impl Read) -> io::Result<bool> {
        loop {
            let room = READ_BYTES - self.bytes.len();
            let limit = u64::try_from(room).unwrap_or(0);
            let before = self.bytes.len();
            let result = (&mut decoder).take(limit).read_to_end(&mut self.bytes);
            self.total += u64::try_from(self.bytes.len() - before).unwrap_or(0);
            result?;
            if self.bytes.len() < READ_BYTES {
                return Ok(true);
            }
            if !self.send(None) {
                return Ok(false);
            }
        }
    }

    fn send(&mut self, fault: Option<Fault>) -> bool {
        let mut next = self.empty.try_recv().unwrap_or_default();
        next.clear();
        next.reserve(READ_BYTES);
        let bytes = std::mem::replace(&mut self.bytes, next);
        self.full.send(Message { bytes, confirmed: self.confirmed, fault }).is_ok()
    }
}

/// The first bytes of the next member; none at the end of the file. Zeros after a member are
/// padding (of tapes and block devices), as for gzip itself.
fn next_start(
    input: &mut impl BufRead,
    compression: Compression,
    is_first: bool,
) -> io::Result<Option<Vec<u8>>> {
    if !is_first {
        skip_zeros(input)?;
    }
    let length = match compression {
        Compression::Zstd => 4,
        _ => 2,
    };
    let mut start = Vec::new();
    (&mut *input).take(length).read_to_end(&mut start)?;
    if start.is_empty() {
        return Ok(None);
    }
    let is_member = match compression {
        Compression::Zstd => {
            // Frames that are to be skipped have the other magic numbers.
            ZSTD_MAGIC.starts_with(&start)
                || matches!(start.first(), Some(0x50..=0x5F))
                    && b"\x2A\x4D\x18".starts_with(&start[1..])
        }
        _ => GZIP_MAGIC.starts_with(&start),
    };
    if is_first || is_member {
        return Ok(Some(start));
    }
    let rest = io::copy(input, &mut io::sink())?;
    let bytes = rest + u64::try_from(start.len()).unwrap_or(0);
    Err(io::Error::other(Trailing(bytes)))
}

const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Bytes that follow the last member and do not belong to it.
#[derive(Debug, thiserror::Error)]
#[error("{0} bytes follow")]
struct Trailing(u64);

fn skip_zeros(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let next = match input.fill_buf() {
            Ok(next) => next,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let padding = next.iter().take_while(|&&byte| byte == 0).count();
        if padding == 0 {
            return Ok(());
        }
        input.consume(padding);
    }
}

/// Turns an error of a decoder into a fault.
fn fault(error: io::Error) -> Fault {
    let from_file = error.get_ref().is_some_and(|inner| inner.is::<FromFile>());
    let text = error.to_string();
    if let Some(&Trailing(bytes)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        let (subject, verb, them) = match bytes {
            1 => ("1 byte".to_owned(), "does", "it"),
            _ => (format!("{bytes} bytes"), "do", "them"),
        };
        let detail = format!(
            "{subject} after the end of the compressed data {verb} not belong to it; all documents \
             before {them} are whole"
        );
        return Fault::new(DamageKind::Trailing { bytes, at: 0 }, detail);
    }
    if from_file {
        Fault::from_error(error)
    } else if error.kind() == io::ErrorKind::UnexpectedEof {
        Fault::new(DamageKind::Truncated, "compressed data is truncated")
    } else if text.contains("checksum") {
        Fault::new(DamageKind::Checksum, "compressed data does not match its checksum")
    } else {
        Fault::new(DamageKind::Corrupt, format!("compressed data is corrupt: {text}"))
    }
}

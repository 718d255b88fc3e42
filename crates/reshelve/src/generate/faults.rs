//! Damage for a finished file, to test readers with. The place depends only on the seed and the
//! file, and is reported.

use std::{
    fs::{File, OpenOptions},
    io::{BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{Rng, files::at, forms::GenerateError};

/// What to do to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Cuts a `.bson` file within its last document.
    TruncateLast,
    /// Cuts any file at that many thousandths of its length.
    TruncateAt(u16),
    /// Makes a letter of a premise invalid UTF-8: one document is malformed. For files that are not
    /// compressed.
    InvalidText,
    /// Changes a letter of a premise: only a checksum can detect it. For files that are not
    /// compressed.
    ChangedText,
    /// Makes the length of a document in a `.bson` file impossible: nothing after it can be read.
    BrokenLength,
    /// Changes one byte anywhere in the second half of any file.
    FlippedByte,
}

/// What was done, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inflicted {
    /// The file.
    pub path: PathBuf,
    /// Which fault.
    pub fault: Fault,
    /// The first byte that is missing or different.
    pub offset: u64,
    /// How long the file is now.
    pub bytes: u64,
    /// Which document is damaged, from 0, if that is known.
    pub document: Option<u64>,
    /// Where in the file that document starts.
    pub document_offset: Option<u64>,
}

/// How much is searched at a time for a text to damage.
const WINDOW_BYTES: u64 = 4 * 1024 * 1024;
/// A length that no reader can accept.
const LENGTH_BROKEN: i32 = 0x7fff_fff0;

/// Damages a file in place.
///
/// # Errors
/// What the operating system refuses; also a file that has no place for the fault.
pub fn inflict(path: &Path, fault: Fault, seed: u64) -> Result<Inflicted, GenerateError> {
    let mut rng = Rng::new(seed, 0);
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(at(path))?;
    let bytes = file.metadata().map_err(at(path))?.len();
    let mut patient = Patient { path, file: &mut file, bytes };
    let (offset, document) = match fault {
        Fault::TruncateLast => {
            let documents = patient.documents()?;
            let last = documents.checked_sub(1).ok_or_else(|| patient.no_place(NO_DOCUMENT))?;
            let start = patient.start_of(last)?;
            // At least one byte of it stays, and at least one goes.
            (start + 1 + rng.below(bytes - start - 1), Some((last, start)))
        }
        Fault::TruncateAt(thousandths) => (bytes * u64::from(thousandths.min(1_000)) / 1_000, None),
        Fault::InvalidText | Fault::ChangedText => {
            let mask = if fault == Fault::InvalidText { 0x80 } else { 0x01 };
            (patient.change_text(mask, &mut rng)?, None)
        }
        Fault::BrokenLength => {
            let documents = patient.documents()?;
            if documents == 0 {
                return Err(patient.no_place(NO_DOCUMENT));
            }
            let document = rng.below(documents);
            let start = patient.start_of(document)?;
            patient.overwrite(start, &LENGTH_BROKEN.to_le_bytes())?;
            (start, Some((document, start)))
        }
        Fault::FlippedByte => {
            let offset = bytes / 2 + rng.below(bytes - bytes / 2);
            patient.flip(offset, 1 << rng.below(8))?;
            (offset, None)
        }
    };
    let mut bytes = bytes;
    if matches!(fault, Fault::TruncateLast | Fault::TruncateAt(_)) {
        file.set_len(offset).map_err(at(path))?;
        bytes = offset;
    }
    file.sync_all().map_err(at(path))?;
    Ok(Inflicted {
        path: path.to_owned(),
        fault,
        offset,
        bytes,
        document: document.map(|(number, _)| number),
        document_offset: document.map(|(_, start)| start),
    })
}

const NO_DOCUMENT: &str = "holds no BSON documents one after the other";
const NO_TEXT: &str = "holds no premise in plain bytes";

struct Patient<'a> {
    path: &'a Path,
    file: &'a mut File,
    bytes: u64,
}

impl Patient<'_> {
    fn no_place(&self, detail: &'static str) -> GenerateError {
        GenerateError::NoPlace { path: self.path.to_owned(), detail }
    }

    /// How many documents the file holds.
    fn documents(&mut self) -> Result<u64, GenerateError> {
        self.walk(u64::MAX).map(|(documents, _)| documents)
    }

    fn start_of(&mut self, document: u64) -> Result<u64, GenerateError> {
        self.walk(document).map(|(_, offset)| offset)
    }

    /// Skips at most that many documents; returns how many there were, and where it stopped.
    fn walk(&mut self, most: u64) -> Result<(u64, u64), GenerateError> {
        let fail = at(self.path);
        self.file.seek(SeekFrom::Start(0)).map_err(&fail)?;
        let mut reader = BufReader::with_capacity(1024 * 1024, &mut *self.file);
        let (mut documents, mut offset) = (0, 0);
        while documents < most && offset < self.bytes {
            let mut prefix = [0; 4];
            let read = reader.read_exact(&mut prefix);
            let length = i64::from(i32::from_le_bytes(prefix));
            let next = offset + u64::try_from(length).unwrap_or(0);
            if read.is_err() || length < 5 || next > self.bytes {
                return Err(self.no_place(NO_DOCUMENT));
            }
            reader.seek_relative(length - 4).map_err(&fail)?;
            documents += 1;
            offset = next;
        }
        Ok((documents, offset))
    }

    /// Changes a letter of the first premise after a random place, or else of the very first one.
    fn change_text(&mut self, mask: u8, rng: &mut Rng) -> Result<u64, GenerateError> {
        for from in [rng.below(self.bytes), 0] {
            let mut window = Vec::new();
            self.file.seek(SeekFrom::Start(from)).map_err(at(self.path))?;
            Read::by_ref(self.file)
                .take(WINDOW_BYTES)
                .read_to_end(&mut window)
                .map_err(at(self.path))?;
            // As BSON (the length between is four bytes), as compact, as pretty JSON.
            for (marker, gap) in
                [(&b"\x02premise\0"[..], 4), (br#""premise":"#, 1), (br#""premise": "#, 1)]
            {
                let Some(found) = memchr::memmem::find(&window, marker) else { continue };
                let start = found + marker.len() + gap;
                let letter = window.iter().skip(start).position(u8::is_ascii_lowercase);
                let Some(letter) = letter else { continue };
                let offset = from + u64::try_from(start + letter).unwrap_or(0);
                self.flip(offset, mask)?;
                return Ok(offset);
            }
        }
        Err(self.no_place(NO_TEXT))
    }

    fn flip(&mut self, offset: u64, mask: u8) -> Result<(), GenerateError> {
        let mut byte = [0];
        self.file.seek(SeekFrom::Start(offset)).map_err(at(self.path))?;
        self.file.read_exact(&mut byte).map_err(at(self.path))?;
        self.overwrite(offset, &[byte[0] ^ mask])
    }

    fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> Result<(), GenerateError> {
        self.file.seek(SeekFrom::Start(offset)).map_err(at(self.path))?;
        self.file.write_all(bytes).map_err(at(self.path))
    }
}

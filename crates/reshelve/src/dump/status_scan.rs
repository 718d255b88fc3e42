//! A quick first read of every document's `status`, before the run itself.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::content::Content;
use super::detect::{FileForm, detect};
use super::error::OpenError;
use super::{Opened, open, pipe};
use crate::ends::{Batch, BatchLimits, Compression, DOCUMENT_BYTES_MAX, Form, SourceSpec};
use reshelve_core::extjson;
use reshelve_core::raw::{Document, Value, kind};

/// How much of a document is read at a time: most have their status in the first window.
const WINDOW_BYTES: usize = 4 * 1024;
const STATUS: &str = "status";

/// Passes each document's top-level `status` to `give` if it is a string, else `None`, in source
/// order. Damage ends the scan without an error: the run meets it again and reports where it is.
///
/// # Errors
/// If the source cannot be opened, or cannot be opened a second time.
pub fn for_each_status(
    spec: &SourceSpec,
    give: &mut dyn FnMut(Option<&[u8]>),
) -> Result<(), OpenError> {
    if pipe::is_pipe(&spec.path) {
        return Err(OpenError::not_rewindable(&spec.path));
    }
    let Opened { mut source, description, .. } = open(spec)?;
    if !description.rewindable {
        return Err(OpenError::not_rewindable(&spec.path));
    }
    let path = &description.path;
    if is_plain_bson(path).map_err(|error| OpenError::of(path, error))? {
        // Only the heads of the documents are read. The run meets an error here again.
        let _ended_early = scan_heads(path, give);
        return Ok(());
    }
    let mut batch = Batch::default();
    let mut parsed = Vec::new();
    while let Ok(true) = source.fill(&mut batch, BatchLimits::default()) {
        for item in &batch.items {
            let bytes = batch.document(item);
            if batch.form == Form::Bson {
                give(status(bytes));
                continue;
            }
            parsed.clear();
            match extjson::parse(bytes, &mut parsed) {
                Ok(()) => give(status(&parsed)),
                Err(_) => give(None),
            }
        }
        batch.clear();
    }
    Ok(())
}

fn status(document: &[u8]) -> Option<&[u8]> {
    Document::new(document).get(STATUS).and_then(Value::string)
}

/// In a folder the name says that it is BSON, in a file the content does. Both agree unless the
/// file is damaged at its start.
fn is_plain_bson(path: &Path) -> io::Result<bool> {
    let mut content = Content::open(path)?;
    let is_bson = !matches!(detect(&mut content), Ok(FileForm::Archive | FileForm::Json));
    Ok(is_bson && content.compression == Compression::None)
}

fn scan_heads(path: &Path, give: &mut dyn FnMut(Option<&[u8]>)) -> io::Result<()> {
    let mut window = Window { file: File::open(path)?, bytes: Vec::new(), start: 0 };
    let total = window.file.metadata()?.len();
    let mut start = 0;
    while start < total {
        let Some(length) = window.at(start, 4)?.first_chunk().map(|it| i32::from_le_bytes(*it))
        else {
            break;
        };
        let whole = usize::try_from(length).is_ok_and(|it| (5..=DOCUMENT_BYTES_MAX).contains(&it));
        let end = start + u64::try_from(length).unwrap_or(0);
        if !whole || end > total {
            break;
        }
        match window.find(start, end)? {
            Head::Status(status) => give(status.as_deref()),
            Head::Unclear => {
                let length = usize::try_from(length).unwrap_or(0);
                give(status(window.at(start, length)?));
            }
        }
        start = end;
    }
    Ok(())
}

enum Head {
    Status(Option<Vec<u8>>),
    /// Only the whole document has the answer.
    Unclear,
}

/// A part of a file in memory.
struct Window {
    file: File,
    bytes: Vec<u8>,
    start: u64,
}

impl Window {
    /// `count` bytes at `offset`; fewer only at the end of the file.
    fn at(&mut self, offset: u64, count: usize) -> io::Result<&[u8]> {
        let inside = offset.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        if let Some(at) = inside
            && at + count <= self.bytes.len()
        {
            return Ok(&self.bytes[at..at + count]);
        }
        self.bytes.clear();
        self.start = offset;
        self.file.seek(SeekFrom::Start(offset))?;
        let limit = u64::try_from(count.max(WINDOW_BYTES)).unwrap_or(0);
        (&mut self.file).take(limit).read_to_end(&mut self.bytes)?;
        Ok(&self.bytes[..count.min(self.bytes.len())])
    }

    /// Searches for the status in the document from `start` to `end`, and skips large values
    /// without reading them.
    fn find(&mut self, start: u64, end: u64) -> io::Result<Head> {
        // The elements of a view begin after four bytes, as those of a document begin after its
        // length.
        let mut view = start;
        while view + 5 < end {
            let count = usize::try_from(end - view).unwrap_or(usize::MAX).min(WINDOW_BYTES);
            let bytes = self.at(view, count)?;
            let mut used = 4;
            for element in Document::new(bytes).elements() {
                if element.name == STATUS.as_bytes() {
                    return Ok(Head::Status(element.value.string().map(<[u8]>::to_vec)));
                }
                used = element.offset + 2 + element.name.len() + element.value.bytes.len();
            }
            if used == 4 {
                match first_length(&bytes[4.min(bytes.len())..]) {
                    Some(length) => used += length,
                    None => return Ok(Head::Unclear),
                }
            }
            view += u64::try_from(used - 4).unwrap_or(0);
        }
        Ok(Head::Status(None))
    }
}

/// The length of an element of which only the head is there; `None` if it is not known, or if the
/// element is the status itself.
fn first_length(head: &[u8]) -> Option<usize> {
    let (kind, rest) = head.split_first()?;
    let name = memchr::memchr(0, rest)?;
    if &rest[..name] == STATUS.as_bytes() {
        return None;
    }
    let extra = match *kind {
        kind::STRING | kind::CODE | kind::SYMBOL => 4,
        kind::DOCUMENT | kind::ARRAY | kind::CODE_WITH_SCOPE => 0,
        kind::BINARY => 5,
        _ => return None,
    };
    let prefix = rest.get(name + 1..)?.first_chunk()?;
    let length = usize::try_from(i32::from_le_bytes(*prefix)).ok()?;
    (length >= 4 || extra > 0).then_some(2 + name + extra + length)
}

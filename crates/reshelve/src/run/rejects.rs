//! The files of rejected documents: `rejects.jsonl` says why, `rejects.bson` holds the documents,
//! so that they can be mended and run again; `rejects.json` the text of those that are no BSON.

use super::checkpoint::RejectLengths;
use super::run_folder::RunFolder;
use crate::ends::Place;
use crate::pass::{REJECTS_FILE, RejectPlace, RejectRecord, Rejection};
use crate::store::{Appender, DiskError, JsonLines, OpenFile};
use reshelve_core::raw::hex;

/// A rejected document on its way into the files.
pub(crate) struct Rejected<'d> {
    pub(crate) position: u64,
    pub(crate) place: Place,
    pub(crate) rejection: &'d Rejection,
    pub(crate) found: &'d RejectPlace,
    /// BLAKE3 of the document.
    pub(crate) fingerprint: &'d [u8; 32],
    /// The document as BSON, where it is that.
    pub(crate) bson: Option<&'d [u8]>,
    /// The document as it came.
    pub(crate) original: &'d [u8],
}

/// Writes the three files.
#[derive(Debug)]
pub(crate) struct RejectFiles {
    jsonl: JsonLines,
    bson: Appender,
    json: Appender,
}

impl RejectFiles {
    pub(crate) fn open(folder: &RunFolder, lengths: RejectLengths) -> Result<Self, DiskError> {
        let (files, path) = (folder.files(), folder.path());
        Ok(RejectFiles {
            jsonl: JsonLines::open(files, &path.join(REJECTS_FILE), lengths.jsonl)?,
            bson: Appender::open(files, &path.join("rejects.bson"), lengths.bson)?,
            json: Appender::open(files, &path.join("rejects.json"), lengths.json)?,
        })
    }

    pub(crate) fn add(&mut self, rejected: &Rejected<'_>) -> Result<(), DiskError> {
        let record = RejectRecord {
            position: rejected.position,
            offset: rejected.place.offset,
            line: rejected.place.line,
            column: rejected.place.column,
            id: rejected.found.id.clone(),
            hash: Some(hex(rejected.fingerprint)),
            code: rejected.rejection.reason.to_string(),
            path: rejected.found.path.clone(),
            message: rejected.rejection.message.clone(),
        };
        self.jsonl.append(&record)?;
        match rejected.bson {
            Some(document) => self.bson.append(document),
            None => {
                self.json.append(rejected.original)?;
                self.json.append(b"\n")
            }
        }
    }

    pub(crate) fn lengths(&self) -> RejectLengths {
        RejectLengths {
            jsonl: self.jsonl.length(),
            bson: self.bson.length(),
            json: self.json.length(),
        }
    }

    /// Hands everything to the operating system; a sync makes it durable.
    pub(crate) fn flush(&mut self) -> Result<(), DiskError> {
        self.jsonl.flush()?;
        self.bson.flush()?;
        self.json.flush()
    }

    pub(crate) fn handles(&self) -> Result<Vec<Box<dyn OpenFile>>, DiskError> {
        Ok(vec![self.jsonl.handle()?, self.bson.handle()?, self.json.handle()?])
    }
}

//! The files of rejected documents: `rejects.jsonl` says why, `rejects.bson` holds the documents,
//! so that they can be mended and run again; `rejects.json` the text of those that are no BSON.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::RunError;
use super::checkpoint::RejectLengths;
use super::run_folder::RunFolder;
use crate::ends::Place;
use crate::pass::Rejection;
use crate::store::{Appender, Disk, DiskError, JsonLines, OpenFile, read_lines};
use reshelve_core::extjson::{Style, write_value};
use reshelve_core::raw::{self, Document};

/// One line of `rejects.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectRecord {
    /// Position of the document in the source, from 0.
    pub position: u64,
    /// Byte offset in the source (in its content where it is compressed).
    pub offset: u64,
    /// Line, from 1, where the source is text.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub line: u64,
    /// Column in bytes, from 1, where the source is text.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub column: u64,
    /// The document's `_id` as canonical Extended JSON; null where there is none to be read.
    #[serde(rename = "_id")]
    pub id: serde_json::Value,
    /// The reason code.
    pub code: String,
    /// The legacy path.
    pub path: String,
    /// The reason as a sentence.
    pub message: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The `_id` of a document as canonical Extended JSON, where it can be read.
pub(crate) fn id_json(document: &[u8]) -> serde_json::Value {
    if raw::check(document).is_err() {
        return serde_json::Value::Null;
    }
    let Some(id) = Document::new(document).get("_id") else { return serde_json::Value::Null };
    let mut text = Vec::new();
    write_value(&mut text, id, Style::Canonical);
    serde_json::from_slice(&text).unwrap_or_default()
}

/// The same as text for people: hex of an ObjectId, a string as it is, else Extended JSON; empty
/// where there is none.
pub(crate) fn id_text(document: Option<&[u8]>) -> String {
    match document.map(id_json).unwrap_or_default() {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        id => match id.get("$oid").and_then(serde_json::Value::as_str) {
            Some(hex) => hex.to_owned(),
            None => id.to_string(),
        },
    }
}

/// A rejected document on its way into the files.
pub(crate) struct Rejected<'d> {
    pub(crate) position: u64,
    pub(crate) place: Place,
    pub(crate) rejection: &'d Rejection,
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
            jsonl: JsonLines::open(files, &path.join("rejects.jsonl"), lengths.jsonl)?,
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
            id: rejected.bson.map(id_json).unwrap_or_default(),
            code: rejected.rejection.reason.to_string(),
            path: rejected.rejection.reason.path().to_owned(),
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

/// The documents that an earlier run rejected: by `_id`, and by position for those without one.
#[derive(Debug, Default)]
pub(crate) struct OnlyRejects {
    ids: HashSet<String>,
    positions: HashSet<u64>,
}

impl OnlyRejects {
    pub(crate) fn read(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join("rejects.jsonl");
        let mut only = OnlyRejects::default();
        for record in read_lines::<RejectRecord>(&Disk, &path, u64::MAX)? {
            let record = record?;
            if !record.id.is_null() {
                only.ids.insert(record.id.to_string());
            }
            only.positions.insert(record.position);
        }
        Ok(only)
    }

    /// The documents at these positions, and no others.
    pub(crate) fn at_positions(positions: HashSet<u64>) -> Self {
        OnlyRejects { ids: HashSet::new(), positions }
    }

    pub(crate) fn takes(&self, position: u64, document: Option<&[u8]>) -> bool {
        self.positions.contains(&position)
            || !self.ids.is_empty()
                && document
                    .is_some_and(|document| self.ids.contains(&id_json(document).to_string()))
    }
}

//! The list of rejected documents in a run's folder.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::document_id::{id_words, job_key};
use crate::store::{DiskError, Files, Key, Lines, read_lines};
use reshelve_core::mapping::RejectCode;

/// The name of the list in a run's folder.
pub(crate) const REJECTS_FILE: &str = "rejects.jsonl";

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
    /// BLAKE3 of the document in hex: of its BSON, or of its text if it is not Extended JSON. Lists
    /// of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The reason code.
    pub code: String,
    /// The legacy path.
    pub path: String,
    /// The reason as a sentence.
    pub message: String,
}

impl RejectRecord {
    /// The key of the job id that a document with this `_id` has, if it has one.
    pub(crate) fn job_key(&self) -> Key {
        job_key(self.id.clone())
    }

    /// Whether its `_id` tells it from the documents that were carried over.
    pub(crate) fn is_known_by_id(&self) -> bool {
        !self.id.is_null() && !self.is_repeated()
    }

    /// Whether an earlier document had the same job id.
    pub(crate) fn is_repeated(&self) -> bool {
        self.code == RejectCode::DuplicateId.as_str()
    }

    /// Its job id, where it has one; else its `_id`, or nothing.
    pub(crate) fn job(&self) -> String {
        id_words(self.id.clone())
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Reads the list in a run's folder, as far as a checkpoint vouches for it.
///
/// # Errors
/// If there is no list, or the file system refuses.
pub(crate) fn read_rejects(
    files: &dyn Files,
    folder: &Path,
    bytes_max: u64,
) -> Result<Lines<RejectRecord>, DiskError> {
    read_lines(files, &folder.join(REJECTS_FILE), bytes_max)
}

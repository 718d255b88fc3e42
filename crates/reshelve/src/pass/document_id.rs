//! The `_id` of a legacy document, for lists and for people.

use crate::store::{Key, key_of};
use reshelve_core::extjson::{Style, write_value};
use reshelve_core::raw::{self, Document};

/// The `_id` of a document as canonical Extended JSON, where it can be read.
pub(crate) fn id_json(document: &[u8]) -> serde_json::Value {
    let Some(id) = Document::new(document).get("_id") else { return serde_json::Value::Null };
    // The rest of the document may be malformed: that does not matter here.
    let mut alone = vec![0; 4];
    alone.push(id.kind);
    alone.extend_from_slice(b"_id\0");
    alone.extend_from_slice(id.bytes);
    alone.push(0);
    let length = i32::try_from(alone.len()).unwrap_or(0);
    alone[..4].copy_from_slice(&length.to_le_bytes());
    if raw::check(&alone).is_err() {
        return serde_json::Value::Null;
    }
    let mut text = Vec::new();
    write_value(&mut text, id, Style::Canonical);
    serde_json::from_slice(&text).unwrap_or_default()
}

/// The same as text for people: hex of an ObjectId, a string as it is, else Extended JSON; empty
/// where there is none.
pub(crate) fn id_text(document: Option<&[u8]>) -> String {
    id_words(document.map(id_json).unwrap_or_default())
}

/// The same of an `_id` as Extended JSON.
pub(crate) fn id_words(id: serde_json::Value) -> String {
    match id {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        id => match id.get("$oid").and_then(serde_json::Value::as_str) {
            Some(hex) => hex.to_owned(),
            None => id.to_string(),
        },
    }
}

/// The key of the job id that a document with this `_id` has, if it has one.
pub(crate) fn job_key(id: serde_json::Value) -> Key {
    key_of(id_words(id).as_bytes())
}

//! The `_id` of a legacy document, for lists and for people.

use reshelve_core::extjson::{Style, write_value};
use reshelve_core::raw::{self, Document};

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

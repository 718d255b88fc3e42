//! How far something is: one form for every kind of end.

use serde::{Deserialize, Serialize};

/// How far a source has been read, or a target has been written. A part of the checkpoint.
///
/// Each end fills in what it needs to resume, and leaves the rest empty. The run keeps it, and
/// looks at the count alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Documents before this position.
    #[serde(default)]
    pub count: u64,
    /// The `_id` of the last document before it, where documents come in the order of their
    /// `_id`: the type and the value of the BSON element, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The token from which a stream of changes resumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What only the end itself understands, such as the lengths of its files.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub opaque: serde_json::Value,
}

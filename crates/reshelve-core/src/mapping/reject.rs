//! Rejects: the only reasons for which the mapping refuses a document.

/// Why a document was rejected. Where several reasons apply, the first in this order is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RejectCode {
    /// The bytes are not a well-formed BSON document.
    MalformedBson,
    /// The text is not a well-formed Extended JSON document. The mapping takes BSON: its caller
    /// gives this reason.
    MalformedJson,
    /// The legacy document or a target document is nested deeper than
    /// [`DEPTH_MAX`](super::DEPTH_MAX).
    TooDeep,
    /// It has no field `_id`.
    MissingId,
    /// Its `_id` is neither an ObjectId nor an acceptable string.
    UnsupportedId,
    /// Its status is unknown, and the options ask to reject it.
    UnknownStatus,
    /// An earlier document has the same job id. The mapping sees one document at a time: its
    /// caller gives this reason.
    DuplicateId,
    /// A target document would be larger than [`TARGET_BYTES_MAX`](super::TARGET_BYTES_MAX).
    TargetTooLarge,
    /// It did not come back byte for byte: a bug in this crate.
    RoundTrip,
}

impl RejectCode {
    /// The code as the contract spells it, such as `too-deep`.
    pub fn as_str(self) -> &'static str {
        match self {
            RejectCode::MalformedBson => "malformed-bson",
            RejectCode::MalformedJson => "malformed-json",
            RejectCode::TooDeep => "too-deep",
            RejectCode::MissingId => "missing-id",
            RejectCode::UnsupportedId => "unsupported-id",
            RejectCode::UnknownStatus => "unknown-status",
            RejectCode::DuplicateId => "duplicate-id",
            RejectCode::TargetTooLarge => "target-too-large",
            RejectCode::RoundTrip => "round-trip",
        }
    }

    /// The path in the legacy document; empty where the reason is the document as a whole.
    pub fn path(self) -> &'static str {
        match self {
            RejectCode::MissingId | RejectCode::UnsupportedId | RejectCode::DuplicateId => "_id",
            RejectCode::UnknownStatus => "status",
            _ => "",
        }
    }
}

impl std::fmt::Display for RejectCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The reason why a document was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The reason.
    pub code: RejectCode,
    /// The reason as a sentence with its details.
    pub message: String,
}

impl Reject {
    /// A reject with its sentence.
    pub fn new(code: RejectCode, message: impl Into<String>) -> Self {
        Reject { code, message: message.into() }
    }
}

//! Rejects: the only reasons for which the mapping does not take a document.

/// Why a document was rejected. The order is the order in which the reasons are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RejectCode {
    /// The bytes are not a well-formed BSON document.
    MalformedBson,
    /// The text is not a well-formed Extended JSON document.
    MalformedJson,
    /// It nests above 100 levels, here or in the target.
    TooDeep,
    /// It has no `_id`.
    MissingId,
    /// Its `_id` is neither an ObjectId nor an acceptable string.
    UnsupportedId,
    /// Its status is not known, and the option says to reject.
    UnknownStatus,
    /// An earlier document of the run has the same job id.
    DuplicateId,
    /// A target document would be larger than MongoDB stores.
    TargetTooLarge,
    /// It did not come back byte for byte: a bug of this tool.
    RoundTrip,
}

impl RejectCode {
    /// The code as the contract spells it.
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

    /// Where in the legacy document the reason lies; empty for the document as a whole.
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
    /// The reason as a sentence with the particulars.
    pub message: String,
}

impl Reject {
    /// A reject with its sentence.
    pub fn new(code: RejectCode, message: impl Into<String>) -> Self {
        Reject { code, message: message.into() }
    }
}

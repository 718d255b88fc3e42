//! Rejected documents: a reason of the mapping, or one of the target.

use reshelve_core::mapping::{Reject, RejectCode};

/// Why a document was rejected: because of what it is, or because of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectReason {
    /// The mapping's reason: the document alone tells.
    Mapping(RejectCode),
    /// The target holds that job with other content.
    TargetConflict,
    /// The target refused a document of the job.
    TargetRefused,
}

impl RejectReason {
    /// The code as the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            RejectReason::Mapping(code) => code.as_str(),
            RejectReason::TargetConflict => "target-conflict",
            RejectReason::TargetRefused => "target-refused",
        }
    }

    /// Where in the legacy document the reason lies; empty for the document as a whole.
    pub fn path(self) -> &'static str {
        match self {
            RejectReason::Mapping(code) => code.path(),
            RejectReason::TargetConflict | RejectReason::TargetRefused => "",
        }
    }

    /// Whether a code is one that only a run can give, because it asked the target.
    pub fn is_of_target(code: &str) -> bool {
        [RejectReason::TargetConflict, RejectReason::TargetRefused]
            .iter()
            .any(|reason| reason.as_str() == code)
    }
}

impl std::fmt::Display for RejectReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rejected document's reason, with its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The reason.
    pub reason: RejectReason,
    /// The reason as a sentence with the particulars.
    pub message: String,
}

impl Rejection {
    /// A rejection with its sentence.
    pub fn new(reason: RejectReason, message: impl Into<String>) -> Self {
        Rejection { reason, message: message.into() }
    }

    /// The rejection of a document whose job id an earlier one of the run has.
    pub(crate) fn duplicate_id() -> Self {
        let reason = RejectReason::Mapping(RejectCode::DuplicateId);
        Rejection::new(reason, "an earlier document has the same job id")
    }

    /// The rejection of a document that another run has rejected for that reason, where the job of
    /// the earlier one stands.
    pub(crate) fn duplicate_id_again() -> Self {
        let reason = RejectReason::Mapping(RejectCode::DuplicateId);
        let message = "an earlier document has the same job id, and a retry does not replace what is \
                       there of it; to replace it, run this one from a file of its own with --replace";
        Rejection::new(reason, message)
    }
}

impl From<Reject> for Rejection {
    fn from(reject: Reject) -> Self {
        Rejection { reason: RejectReason::Mapping(reject.code), message: reject.message }
    }
}

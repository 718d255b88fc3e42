//! Why a residue does not give a legacy document.

/// Why a residue cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The metadata document has no residue: reshelve did not write it.
    #[error("the metadata document holds no residue")]
    NoResidue,
    /// It was written by a later version.
    #[error("the residue has version {0}, which this version of the tool does not know")]
    Version(u8),
    /// Its bytes make no sense; the offset is that of the part that was being read.
    #[error("the residue is damaged at byte {0}")]
    Damaged(usize),
    /// What it describes is larger than any legacy document.
    #[error("the residue describes a document that is too large or too deep")]
    TooLarge,
    /// The restored document differs from the expected one at that byte.
    #[error("the restored document differs at byte {0}")]
    Differs(usize),
}

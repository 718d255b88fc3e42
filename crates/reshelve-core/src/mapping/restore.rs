//! The inverse mapping: the target documents of one job to the legacy document they came from.

use super::residue::{self, Build, RestoreError, Shelf};
use crate::raw::{self, Document, Value};

/// A restored legacy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredDocument {
    /// Its BSON bytes.
    pub bytes: Vec<u8>,
    /// Whether it differs from the document that was mapped, because the target was edited since.
    pub changed: bool,
    /// Legacy paths of values that the target no longer holds; they were left out.
    pub lost: Vec<String>,
}

/// Restores a legacy document from its job and its metadata document, both given as BSON that
/// passed [`check`](crate::raw::check).
///
/// Where the target was edited, what the mapping copies unchanged comes back as edited, and
/// everything else as recorded.
///
/// # Errors
/// [`RestoreError`], where the metadata holds no residue, or a damaged one.
pub fn restore(job: &[u8], metadata: &[u8]) -> Result<RestoredDocument, RestoreError> {
    let (job, metadata) = (Document::new(job), Document::new(metadata));
    let residue = residue_of(metadata)?;
    // Nearly everything that comes back is in these two: memory is allocated once.
    let room = job.bytes().len() + metadata.bytes().len();
    let mut build = Build { bytes: Vec::with_capacity(room) };
    let restored = residue::restore(residue, &Shelf::new(job, metadata), &mut build)?;
    let fingerprint =
        legacy_record(metadata).and_then(|record| record.get("fingerprint")?.binary());
    let changed = fingerprint != Some(blake3::hash(&build.bytes).as_bytes());
    // A damaged residue can spell names and values that no document holds.
    if changed && raw::check(&build.bytes).is_err() {
        return Err(RestoreError::Damaged(residue.len()));
    }
    Ok(RestoredDocument { bytes: build.bytes, changed, lost: restored.lost })
}

fn legacy_record(metadata: Document<'_>) -> Option<Document<'_>> {
    metadata.get("legacy").and_then(Value::document)
}

/// The residue inside a metadata document.
pub(crate) fn residue_of(metadata: Document<'_>) -> Result<&[u8], RestoreError> {
    legacy_record(metadata)
        .and_then(|record| record.get("residue")?.binary())
        .ok_or(RestoreError::NoResidue)
}

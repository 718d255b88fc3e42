//! A sample of a source: always the same documents of the same source.

use std::collections::{BinaryHeap, HashSet};

use super::VerifyError;
use super::walk::Reading;
use crate::ends::Origin;
use crate::ends::{Batch, BatchLimits};
use crate::pass::OnlyRejects;
use crate::pass::pipeline::fingerprint;
use crate::pass::repeated_ids::{HELD_MAX, Seen};
use crate::store::{Key, key_of};
use reshelve_core::raw::{self, Document};

/// The largest sample: more than that is a job for a full comparison.
pub const SAMPLE_MAX: usize = 100_000;

/// What was chosen.
pub(super) struct Chosen {
    /// Positions in the source.
    pub(super) positions: HashSet<u64>,
    /// The keys of the job ids.
    pub(super) jobs: HashSet<Key>,
    /// How many documents there were to choose from.
    pub(super) of: u64,
}

/// Chooses `size` documents: those with the smallest fingerprints. A fingerprint is a hash, so the
/// choice depends neither on content nor on order, and it is the same for the same documents. A job
/// that occurs more than once is not chosen: which document the target should hold depends on the
/// outcome of the others.
pub(super) fn choose(
    reading: &Reading,
    origin: &dyn Origin,
    only: Option<&OnlyRejects>,
    size: usize,
) -> Result<Chosen, VerifyError> {
    let mut source = origin.open().map_err(VerifyError::Open)?.source;
    let mut seen = Seen::new(&reading.scratch, HELD_MAX);
    let mut smallest: BinaryHeap<([u8; 32], u64, Key)> = BinaryHeap::new();
    let mut repeated = HashSet::new();
    let (mut batch, mut bson) = (Batch::default(), Vec::new());
    let (mut position, mut of) = (0, 0);
    'reading: loop {
        batch.clear();
        if !source.fill(&mut batch, BatchLimits::default()).map_err(VerifyError::Source)? {
            break;
        }
        for item in &batch.items {
            if reading.limit.is_some_and(|limit| of >= limit) {
                break 'reading;
            }
            let fingerprint = fingerprint(&batch, item, &mut bson);
            let document = if bson.is_empty() { batch.document(item) } else { &bson };
            let at = position;
            position += 1;
            let checked = raw::check(document).is_ok();
            let read = checked.then_some(document);
            if only.is_some_and(|only| !only.takes(at, read, &fingerprint)) {
                continue;
            }
            of += 1;
            let Some(job) = checked.then(|| job_key(document)).flatten() else { continue };
            if !seen.insert(job)? {
                // Only jobs that are chosen matter, now or at the end.
                if smallest.iter().any(|(_, _, chosen)| *chosen == job) {
                    repeated.insert(job);
                }
            } else if smallest.len() < size {
                smallest.push((fingerprint, at, job));
            } else if let Some(mut largest) = smallest.peek_mut()
                && fingerprint < largest.0
            {
                *largest = (fingerprint, at, job);
            }
        }
    }
    let chosen = smallest.into_iter().filter(|(_, _, job)| !repeated.contains(job));
    let (positions, jobs) = chosen.map(|(_, position, job)| (position, job)).unzip();
    Ok(Chosen { positions, jobs, of })
}

/// The key of the job id that a document will have, if it can have one.
fn job_key(document: &[u8]) -> Option<Key> {
    let id = Document::new(document).get("_id")?;
    match id.object_id() {
        Some(bytes) => Some(key_of(raw::hex(&bytes).as_bytes())),
        None => id.string().map(key_of),
    }
}

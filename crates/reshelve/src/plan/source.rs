//! What a source holds, by the hashes of its documents.

use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use super::error::PlanError;
use crate::ends::{BatchLimits, Origin, PlannedSource};
use crate::pass::pipeline::{self, BatchSize, MappedBatch, PipelineOptions, Step};
use crate::pass::{HashSum, SourceHash, id_text};
use crate::store::{Key, key_of};
use reshelve_core::mapping::Options;
use reshelve_core::raw::{self, Document};

/// A document of a source, as a plan knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The key of its `_id`; of a document without one, of the document itself.
    pub key: Key,
    /// BLAKE3 of the document as BSON, or of its text if it is none.
    pub hash: [u8; 32],
    /// Its `_id` as people write it; empty if it has none.
    pub id: String,
}

/// What a source holds, in a few words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSums {
    /// Documents that were read.
    pub documents: u64,
    /// Their bytes as BSON.
    pub bytes: u64,
    /// The hash of the set of them: the sum of their BLAKE3 hashes, each read as a big-endian
    /// number, modulo 2^256, in hex. Their order does not matter.
    pub set_hash: String,
    /// The running hash over them in their order, as in the checkpoint of a run.
    pub running_hash: String,
}

/// How a source is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'r> {
    /// Most documents to read.
    pub documents_max: Option<u64>,
    /// Limits of a batch.
    pub batch: BatchLimits,
    /// Hashing threads.
    pub jobs: usize,
    /// Ends the reading, once it is set.
    pub stop: &'r AtomicBool,
}

/// What was read of a source.
#[derive(Clone, Debug)]
pub struct ReadSource {
    /// Where it is.
    pub place: PlannedSource,
    /// What it holds.
    pub sums: SourceSums,
}

/// Reads a source to its end, and gives each document in source order. `progress` is told how many
/// documents, bytes of the file, and bytes in all there are.
///
/// # Errors
/// If the source cannot be read to its end, is interrupted, or `give` fails.
pub fn read_source(
    origin: &dyn Origin,
    reading: &Reading<'_>,
    progress: &mut dyn FnMut(u64, u64, Option<u64>),
    give: &mut dyn FnMut(Entry) -> Result<(), PlanError>,
) -> Result<ReadSource, PlanError> {
    let mut opened = origin.open()?;
    let place = origin.planned(&opened.description);
    let total = opened.description.bytes_total;
    let options = PipelineOptions {
        mapping: Options::default(),
        batch: &BatchSize::new(reading.batch),
        jobs: reading.jobs,
        first: 0,
        // Of a document that was dealt with, only the hash is wanted: so it is with all of them.
        known: u64::MAX,
        documents_max: reading.documents_max,
        only: None,
        hash_targets: false,
        stop: reading.stop,
    };
    let mut sums = Sums::default();
    pipeline::run(opened.source.as_mut(), &options, |steps| {
        loop {
            match steps.next() {
                Step::Batch(batch) => {
                    let took = sums.take(&batch, give);
                    progress(sums.documents, batch.file_bytes_read, total);
                    steps.give_back(batch);
                    took?;
                }
                Step::End => return Ok(()),
                Step::Stopped => return Err(PlanError::Interrupted),
                Step::Damaged(damage) => return Err(damage.into()),
            }
        }
    })?;
    Ok(ReadSource { place, sums: sums.finish() })
}

#[derive(Default)]
struct Sums {
    documents: u64,
    bytes: u64,
    set: HashSum,
    running: SourceHash,
}

impl Sums {
    fn take(
        &mut self,
        batch: &MappedBatch,
        give: &mut dyn FnMut(Entry) -> Result<(), PlanError>,
    ) -> Result<(), PlanError> {
        for (index, document) in batch.documents.iter().enumerate() {
            let bson = batch.bson(index);
            let item = &batch.batch.items[index];
            let bytes = bson.map_or(item.end - item.start, <[u8]>::len);
            let hash = document.fingerprint;
            self.documents += 1;
            self.bytes += u64::try_from(bytes).unwrap_or(0);
            self.set.add(&hash);
            self.running.add(&hash);
            let id = bson.map(id_of).unwrap_or_default();
            let key = if id.is_empty() { key_of(&hash) } else { key_of(id.as_bytes()) };
            give(Entry { key, hash, id })?;
        }
        Ok(())
    }

    fn finish(self) -> SourceSums {
        SourceSums {
            documents: self.documents,
            bytes: self.bytes,
            set_hash: self.set.hex(),
            running_hash: self.running.hex(),
        }
    }
}

/// The `_id` as people write it; most are an ObjectId.
fn id_of(document: &[u8]) -> String {
    let id = Document::new(document).get("_id");
    match id.and_then(raw::Value::object_id) {
        Some(id) => raw::hex(&id),
        None => id_text(Some(document)),
    }
}

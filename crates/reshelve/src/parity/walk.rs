//! One pass over the source: every document is mapped afresh, in source order, with its outcome.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::VerifyError;
use super::carried::{Carried, Fate};
use super::sum::SetHash;
use crate::ends::BatchLimits;
use crate::ends::Origin;
use crate::pass::pipeline::{self, BatchSize, MappedBatch, PipelineOptions, Step};
use crate::pass::repeated_ids::{HELD_MAX, Seen};
use crate::pass::{OnlyRejects, RejectPlace, Rejection, SourceHash, id_json, job_key};
use crate::store::Key;
use reshelve_core::mapping::{Mapped, Options, Outcome};
use reshelve_core::raw;

/// Documents that the mapping takes and the target did not, by the keys of their job ids or by their
/// content: only the run that asked the target knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectedByTarget {
    /// The target held something else of them (`target-conflict`), and should hold it still.
    pub conflicts: HashSet<Key>,
    /// The target refused them (`target-refused`), and holds nothing of them.
    pub refused: HashSet<Key>,
    /// Of a retry: what its parent had rejected as `duplicate-id`, and it rejected again, as the
    /// target holds the other document of that job id. Position in its source, and BLAKE3 in hex.
    pub repeated: HashSet<(u64, String)>,
}

/// How much of a source is read, and how it is mapped.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The options that the run had.
    pub options: Options,
    /// Documents that the mapping takes and the target did not.
    pub rejected: RejectedByTarget,
    /// Take only documents that the run in this folder rejected.
    pub only_rejects: Option<PathBuf>,
    /// Take at most this many documents.
    pub limit: Option<u64>,
    /// Mapping threads.
    pub jobs: usize,
    /// Where indexes are kept while they are needed.
    pub scratch: PathBuf,
}

impl Reading {
    /// Reads all of a source with these options, with indexes in the system's temporary folder.
    pub fn new(options: Options) -> Self {
        Reading {
            options,
            rejected: RejectedByTarget::default(),
            only_rejects: None,
            limit: None,
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            scratch: std::env::temp_dir(),
        }
    }
}

/// The outcome of one document.
pub(crate) enum Taken<'b> {
    /// It belongs in the target.
    Mapped {
        mapped: &'b Mapped,
        /// Its target documents, in the order of the collections.
        parts: [&'b [u8]; 4],
        legacy: &'b [u8],
        /// The key of its job id.
        key: Key,
        /// BLAKE3 of the legacy document.
        hash: [u8; 32],
    },
    /// It was left out because it was in flight.
    Skipped {
        legacy: &'b [u8],
        /// The key of the job id that it would have.
        key: Key,
        /// BLAKE3 of the legacy document.
        hash: [u8; 32],
    },
    /// It is in no target.
    Rejected,
    /// It is in no target, as the target held something else of its job.
    Conflict {
        job_id: &'b [u8],
        /// Its target documents, in the order of the collections.
        parts: [&'b [u8]; 4],
        /// The key of its job id.
        key: Key,
    },
    /// A retry dealt with it, with what it read in its own source.
    Carried {
        fate: Fate,
        /// Whether that was the same document.
        is_same: bool,
    },
}

/// How a pass ended.
pub(crate) struct Walked {
    /// Documents that were read, taken or not.
    pub(crate) documents: u64,
    /// The running hash over them, as in the checkpoint of a run.
    pub(crate) hash: String,
    /// The same documents in any order.
    pub(crate) set: SetHash,
}

/// Calls `each` for every document that is taken. `carried` knows what retries dealt with.
pub(crate) fn walk(
    reading: &Reading,
    origin: &dyn Origin,
    only: Option<&OnlyRejects>,
    carried: &mut Carried,
    each: &mut dyn FnMut(&Taken<'_>) -> Result<(), VerifyError>,
) -> Result<Walked, VerifyError> {
    let mut source = origin.open().map_err(VerifyError::Open)?.source;
    let options = PipelineOptions {
        mapping: reading.options,
        batch: &BatchSize::new(BatchLimits::default()),
        jobs: reading.jobs,
        first: 0,
        known: 0,
        documents_max: reading.limit.filter(|_| only.is_none()),
        only,
        hash_targets: false,
        stop: &AtomicBool::new(false),
    };
    let mut walker = Walker {
        reading,
        seen: Seen::new(&reading.scratch, HELD_MAX),
        hash: SourceHash::default(),
        set: SetHash::default(),
        carried,
        only,
        documents: 0,
        taken: 0,
    };
    pipeline::run(source.as_mut(), &options, |steps| {
        loop {
            match steps.next() {
                Step::Batch(batch) => {
                    let more = walker.take_batch(&batch, each)?;
                    steps.give_back(batch);
                    if !more {
                        return Ok(());
                    }
                }
                Step::End | Step::Stopped => return Ok(()),
                Step::Damaged(damage) => return Err(VerifyError::Source(damage)),
            }
        }
    })?;
    Ok(Walked { documents: walker.documents, hash: walker.hash.hex(), set: walker.set })
}

struct Walker<'w> {
    reading: &'w Reading,
    seen: Seen,
    hash: SourceHash,
    set: SetHash,
    carried: &'w mut Carried,
    only: Option<&'w OnlyRejects>,
    documents: u64,
    taken: u64,
}

impl Walker<'_> {
    /// Returns whether more documents are needed.
    fn take_batch(
        &mut self,
        batch: &MappedBatch,
        each: &mut dyn FnMut(&Taken<'_>) -> Result<(), VerifyError>,
    ) -> Result<bool, VerifyError> {
        let mut starts = [0; 4];
        for (index, document) in batch.documents.iter().enumerate() {
            if self.reading.limit.is_some_and(|limit| self.taken >= limit) {
                return Ok(false);
            }
            self.hash.add(&document.fingerprint);
            self.set.add_hash(&document.fingerprint);
            self.documents += 1;
            let Some(outcome) = &document.outcome else { continue };
            let legacy = batch.bson(index).unwrap_or_default();
            let parts = match outcome {
                Outcome::Mapped(mapped) => {
                    let ends: [usize; 4] =
                        std::array::from_fn(|at| starts[at] + mapped.lengths[at]);
                    let bytes = batch.target.bytes();
                    let parts = std::array::from_fn(|at| &bytes[at][starts[at]..ends[at]]);
                    starts = ends;
                    parts
                }
                _ => [&[][..]; 4],
            };
            let hash = document.fingerprint;
            let taken = match (self.meet(batch, index, outcome)?, outcome) {
                (Some((fate, is_same)), _) => Taken::Carried { fate, is_same },
                (None, Outcome::Mapped(mapped)) => {
                    let key = document.key;
                    // A run counts the job as seen whether the target takes it or not.
                    let is_new = self.seen.insert(key)?;
                    let RejectedByTarget { conflicts, refused, repeated } = &self.reading.rejected;
                    let is_repeated = !repeated.is_empty()
                        && self.only.is_some_and(|only| only.is_repeated(&hash))
                        && repeated.contains(&(self.documents - 1, raw::hex(&hash)));
                    if !is_new || is_repeated || refused.contains(&key) {
                        Taken::Rejected
                    } else if conflicts.contains(&key) {
                        Taken::Conflict { job_id: &mapped.job_id, parts, key }
                    } else {
                        Taken::Mapped { mapped, parts, legacy, key, hash }
                    }
                }
                (None, Outcome::Skipped) => {
                    Taken::Skipped { legacy, key: job_key(id_json(legacy)), hash }
                }
                (None, Outcome::Rejected(_)) => Taken::Rejected,
            };
            self.taken += 1;
            each(&taken)?;
        }
        Ok(true)
    }

    /// What became of a document in a retry, if one dealt with it. Whatever this pass makes of it,
    /// the job is seen from here on.
    fn meet(
        &mut self,
        batch: &MappedBatch,
        index: usize,
        outcome: &Outcome,
    ) -> Result<Option<(Fate, bool)>, VerifyError> {
        if self.carried.is_empty() {
            return Ok(None);
        }
        let document = &batch.documents[index];
        let key = match outcome {
            Outcome::Mapped(_) => document.key,
            Outcome::Skipped => job_key(id_json(batch.bson(index).unwrap_or_default())),
            // It may be malformed; the list of rejects found its `_id` in the same way.
            Outcome::Rejected(reject) => {
                let original = batch.batch.document(&batch.batch.items[index]);
                let rejection = Rejection::from(reject.clone());
                job_key(RejectPlace::of(&rejection, batch.bson(index), original).id)
            }
        };
        let met = self.carried.meet(&key, &document.fingerprint);
        if met.is_some() {
            self.seen.insert(key)?;
        }
        Ok(met)
    }
}

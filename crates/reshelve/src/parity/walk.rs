//! One pass over the source: every document is mapped afresh, in source order, with its outcome.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::VerifyError;
use crate::ends::BatchLimits;
use crate::ends::Origin;
use crate::pass::pipeline::{self, MappedBatch, PipelineOptions, Step};
use crate::pass::repeated_ids::{HELD_MAX, Seen};
use crate::pass::{OnlyRejects, SourceHash};
use reshelve_core::mapping::{Mapped, Options, Outcome};

/// How much of a source is read, and how it is mapped.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The options that the run had.
    pub options: Options,
    /// Positions of documents that the target rejected: the mapping takes them, but the target does
    /// not hold them.
    pub rejected_positions: HashSet<u64>,
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
            rejected_positions: HashSet::new(),
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
    },
    /// It was left out because it was in flight.
    Skipped { legacy: &'b [u8] },
    /// It is in no target.
    Rejected,
}

/// How a pass ended.
pub(crate) struct Walked {
    /// Documents that were read, taken or not.
    pub(crate) documents: u64,
    /// The running hash over them, as in the checkpoint of a run.
    pub(crate) hash: String,
}

/// Calls `each` for every document that is taken.
pub(crate) fn walk(
    reading: &Reading,
    origin: &dyn Origin,
    only: Option<&OnlyRejects>,
    each: &mut dyn FnMut(&Taken<'_>) -> Result<(), VerifyError>,
) -> Result<Walked, VerifyError> {
    let mut source = origin.open().map_err(VerifyError::Open)?.source;
    let options = PipelineOptions {
        mapping: reading.options,
        batch: BatchLimits::default(),
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
    Ok(Walked { documents: walker.documents, hash: walker.hash.hex() })
}

struct Walker<'w> {
    reading: &'w Reading,
    seen: Seen,
    hash: SourceHash,
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
            self.documents += 1;
            let position = batch.first + u64::try_from(index).unwrap_or(0);
            let legacy = batch.bson(index).unwrap_or_default();
            let taken = match &document.outcome {
                None => continue,
                Some(Outcome::Mapped(mapped)) => {
                    let ends: [usize; 4] =
                        std::array::from_fn(|at| starts[at] + mapped.lengths[at]);
                    let parts =
                        std::array::from_fn(|at| &batch.target.bytes()[at][starts[at]..ends[at]]);
                    starts = ends;
                    let refused = self.reading.rejected_positions.contains(&position);
                    if refused || !self.seen.insert(document.key)? {
                        Taken::Rejected
                    } else {
                        Taken::Mapped { mapped, parts, legacy }
                    }
                }
                Some(Outcome::Skipped) => Taken::Skipped { legacy },
                Some(Outcome::Rejected(_)) => Taken::Rejected,
            };
            self.taken += 1;
            each(&taken)?;
        }
        Ok(true)
    }
}

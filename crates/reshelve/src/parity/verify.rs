//! Compares every target document with a fresh mapping of its legacy document, and restores every
//! job out of what the target really holds.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use serde::Serialize;

use super::compare::differences;
use super::side::{Found, Side, is_well_formed};
use crate::disk::DiskError;
use crate::dump::{OpenError, Origin};
use crate::folder::DocumentsError;
use crate::mapping::{self, COLLECTIONS, Mapped, Options, Outcome};
use crate::raw::{Document, Value};
use crate::reader::TargetReader;
use crate::run::pipeline::{self, MappedBatch, PipelineOptions, Step};
use crate::run::seen::{HELD_MAX, Seen};
use crate::source::{BatchLimits, Damage};

/// How many mismatches are kept to be shown.
const SHOWN_MAX: usize = 100;
/// The places of jobs, metrics and metadata among the collections.
const JOBS: usize = 0;
const METRICS: usize = 2;
const METADATA: usize = 3;

/// What is to be compared, and how.
#[derive(Clone, Debug)]
pub struct VerifyRequest {
    /// The options that the run had.
    pub options: Options,
    /// Whether target documents that belong to no legacy document are left alone.
    pub allow_existing: bool,
    /// Positions of documents that the engine rejected: they are in the target with other content.
    pub rejected_positions: HashSet<u64>,
    /// How far the stored cost may be off, per job, in USD.
    pub tolerance_usd: f64,
    /// How far the stored tokens may be off in all.
    pub tolerance_tokens: f64,
    /// Mapping threads.
    pub jobs: usize,
    /// Where indexes are kept while they are needed.
    pub scratch: PathBuf,
}

/// One place where the target is not what the legacy document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The job id.
    pub job: String,
    /// The collection.
    pub collection: &'static str,
    /// The path in the document; `_id` where the document as a whole is missing or extra.
    pub path: String,
    /// What should be there, as canonical Extended JSON; null where nothing should.
    pub expected: Option<String>,
    /// What is there; null where nothing is.
    pub actual: Option<String>,
}

/// How many documents there are on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Documents in the source.
    pub legacy: u64,
    /// Of these, rejected.
    pub rejected: u64,
    /// Of these, left out because they were in flight.
    pub skipped: u64,
    /// Documents in each target collection that belong to the source.
    #[serde(flatten)]
    pub collections: BTreeMap<&'static str, u64>,
    /// Target documents that belong to no legacy document, and are left alone.
    pub left_alone: u64,
}

/// What came back of the jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RestoredCounts {
    /// Restored out of the target, byte for byte.
    pub identical: u64,
    /// Restored as another document, or not restorable.
    pub different: u64,
    /// Not in the target.
    pub missing: u64,
    /// In the target, but in no source.
    pub extra: u64,
}

/// A total, as it is stored and as a fresh mapping gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TotalsPair {
    /// Σ over the target.
    pub stored: f64,
    /// Σ over fresh mappings.
    pub mapped: f64,
    /// Σ of what the parts add up to, by fresh mappings: where it differs from `mapped`, legacy
    /// tracked another total.
    pub recomputed: f64,
    /// Whether stored and mapped are within the tolerance.
    pub within_tolerance: bool,
}

/// Totals over all jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Cost in USD.
    pub cost_usd: TotalsPair,
    /// Tokens.
    pub tokens: TotalsPair,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verification {
    /// Documents on both sides.
    pub counts: Counts,
    /// Cost and tokens.
    pub totals: Totals,
    /// What came back.
    pub restored: RestoredCounts,
    /// How many mismatches there are.
    pub mismatches_total: u64,
    /// The first hundred of them.
    pub mismatches: Vec<Mismatch>,
}

impl Verification {
    /// Whether parity holds.
    pub fn holds(&self) -> bool {
        self.mismatches_total == 0
            && self.restored.different == 0
            && self.totals.cost_usd.within_tolerance
            && self.totals.tokens.within_tolerance
    }
}

/// Why the two sides could not be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The source cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The source is damaged.
    #[error("the source is damaged: {0}")]
    Source(Damage),
    /// A target file cannot be read.
    #[error("the target cannot be read: {0}")]
    Target(#[from] DocumentsError),
    /// A file cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Compares the documents of `origin` with `target`. `each` is told every mismatch, beyond those that are kept too.
///
/// # Errors
/// Where one of the sides cannot be read to its end: nothing is said about parity then.
pub fn verify(
    request: &VerifyRequest,
    origin: &dyn Origin,
    target: &dyn TargetReader,
    each: &mut dyn FnMut(&Mismatch),
) -> Result<Verification, VerifyError> {
    let mut source = origin.open()?.source;
    let mut verifier = Verifier::new(request, target, each)?;
    let options = PipelineOptions {
        mapping: request.options,
        batch: BatchLimits::default(),
        jobs: request.jobs,
        first: 0,
        known: 0,
        documents_max: None,
        only: None,
        stop: &AtomicBool::new(false),
    };
    pipeline::run(source.as_mut(), &options, |steps| {
        loop {
            match steps.next() {
                Step::Batch(batch) => {
                    verifier.take_batch(&batch)?;
                    steps.give_back(batch);
                }
                Step::End | Step::Stopped => return Ok(()),
                Step::Damaged(damage) => return Err(VerifyError::Source(damage)),
            }
        }
    })?;
    verifier.finish()
}

struct Verifier<'v> {
    request: &'v VerifyRequest,
    each: &'v mut dyn FnMut(&Mismatch),
    sides: Vec<Side>,
    seen: Seen,
    found: Verification,
    mapped_jobs: u64,
}

impl<'v> Verifier<'v> {
    fn new(
        request: &'v VerifyRequest,
        target: &dyn TargetReader,
        each: &'v mut dyn FnMut(&Mismatch),
    ) -> Result<Self, VerifyError> {
        let mut sides = Vec::new();
        for (collection, name) in COLLECTIONS.iter().enumerate() {
            let scratch =
                request.scratch.join(format!(".verify.{}.{name}.tmp", std::process::id()));
            sides.push(Side::new(target.documents(collection)?, scratch));
        }
        let seen = Seen::new(&request.scratch, HELD_MAX);
        let found = Verification::default();
        Ok(Verifier { request, each, sides, seen, found, mapped_jobs: 0 })
    }

    fn take_batch(&mut self, batch: &MappedBatch) -> Result<(), VerifyError> {
        let mut starts = [0; 4];
        for (index, document) in batch.documents.iter().enumerate() {
            self.found.counts.legacy += 1;
            let position = batch.first + u64::try_from(index).unwrap_or(0);
            match &document.outcome {
                Some(Outcome::Mapped(mapped)) => {
                    let ends: [usize; 4] =
                        std::array::from_fn(|at| starts[at] + mapped.lengths[at]);
                    let parts =
                        std::array::from_fn(|at| &batch.target.bytes()[at][starts[at]..ends[at]]);
                    starts = ends;
                    let known = self.request.rejected_positions.contains(&position);
                    if known || !self.seen.insert(document.key)? {
                        self.found.counts.rejected += 1;
                    } else {
                        self.take_job(mapped, parts, batch.bson(index).unwrap_or_default())?;
                    }
                }
                Some(Outcome::Skipped) => self.found.counts.skipped += 1,
                _ => self.found.counts.rejected += 1,
            }
        }
        Ok(())
    }

    /// One job: each of its documents as it should be, and the legacy document out of those that
    /// are there.
    fn take_job(
        &mut self,
        mapped: &Mapped,
        parts: [&[u8]; 4],
        legacy: &[u8],
    ) -> Result<(), VerifyError> {
        self.mapped_jobs += 1;
        let job = String::from_utf8_lossy(&mapped.job_id).into_owned();
        let mut stored: [Option<Vec<u8>>; 4] = Default::default();
        let mut same = [true; 4];
        for (collection, bytes) in parts.into_iter().enumerate() {
            let mut at = 0;
            while at < bytes.len() {
                let end = at + crate::folder::document_length(&bytes[at..]);
                let expected = &bytes[at..end];
                at = end;
                let side = &mut self.sides[collection];
                match side.find(expected)? {
                    Found::Same => stored[collection] = Some(expected.to_vec()),
                    Found::Missing => {
                        same[collection] = false;
                        let id = Document::new(expected).get("_id").map(super::compare::show);
                        self.mismatch(&job, collection, "_id", id, None);
                    }
                    Found::Different => {
                        same[collection] = false;
                        let actual = side.actual.clone();
                        self.differs(&job, collection, expected, &actual);
                        stored[collection] = Some(actual);
                    }
                }
            }
        }
        self.add_totals(parts[METRICS], stored[METRICS].as_deref());
        let identical = same[JOBS] && same[METADATA];
        match (&stored[JOBS], &stored[METADATA]) {
            (None, _) | (_, None) => self.found.restored.missing += 1,
            // These bytes were restored and compared when they were mapped, a moment ago.
            (Some(_), Some(_)) if identical => self.found.restored.identical += 1,
            (Some(stored_job), Some(metadata)) => {
                let back = is_well_formed(stored_job)
                    && is_well_formed(metadata)
                    && mapping::restore(stored_job, metadata)
                        .is_ok_and(|restored| restored.bytes == legacy);
                if back {
                    self.found.restored.identical += 1;
                } else {
                    self.found.restored.different += 1;
                }
            }
        }
        Ok(())
    }

    fn differs(&mut self, job: &str, collection: usize, expected: &[u8], actual: &[u8]) {
        if !is_well_formed(actual) {
            let text = "bytes that are no well-formed document".to_owned();
            return self.mismatch(job, collection, "", None, Some(text));
        }
        for difference in differences(expected, actual) {
            let crate::parity::Difference { path, expected, actual } = difference;
            self.mismatch(job, collection, &path, expected, actual);
        }
    }

    fn mismatch(
        &mut self,
        job: &str,
        collection: usize,
        path: &str,
        expected: Option<String>,
        actual: Option<String>,
    ) {
        let mismatch = Mismatch {
            job: job.to_owned(),
            collection: COLLECTIONS[collection],
            path: path.to_owned(),
            expected,
            actual,
        };
        (self.each)(&mismatch);
        self.found.mismatches_total += 1;
        if self.found.mismatches.len() < SHOWN_MAX {
            self.found.mismatches.push(mismatch);
        }
    }

    fn add_totals(&mut self, mapped: &[u8], stored: Option<&[u8]>) {
        let read = |metrics: &[u8], breakdown: &str, field: &str| {
            Document::new(metrics)
                .get(breakdown)
                .and_then(Value::document)
                .and_then(|part| part.get(field))
                .and_then(Value::numeric)
                .unwrap_or(0.0)
        };
        let add = |pair: &mut TotalsPair, breakdown: &str, total: &str, recomputed: &str| {
            let more = |sum: f64, number: f64| (sum + number).clamp(f64::MIN, f64::MAX);
            pair.mapped = more(pair.mapped, read(mapped, breakdown, total));
            pair.recomputed = more(pair.recomputed, read(mapped, breakdown, recomputed));
            let stored = stored.map_or(0.0, |stored| read(stored, breakdown, total));
            pair.stored = more(pair.stored, stored);
        };
        let totals = &mut self.found.totals;
        add(&mut totals.cost_usd, "cost", "totalUsd", "recomputedUsd");
        add(&mut totals.tokens, "tokens", "total", "recomputed");
    }

    fn finish(mut self) -> Result<Verification, VerifyError> {
        for (collection, name) in COLLECTIONS.into_iter().enumerate() {
            let mut extra: Vec<(String, Option<String>)> = Vec::new();
            let mut count = 0;
            let allow = self.request.allow_existing;
            self.sides[collection].extra(|document| {
                count += 1;
                if !allow {
                    let document = Document::new(document);
                    let job = document.get("jobId").and_then(Value::string).unwrap_or_default();
                    let id = document.get("_id").map(super::compare::show);
                    extra.push((String::from_utf8_lossy(job).into_owned(), id));
                }
            })?;
            let all = self.sides[collection].count;
            if allow {
                self.found.counts.left_alone += count;
            } else if collection == JOBS {
                self.found.restored.extra += count;
            }
            let ours = if allow { all - count } else { all };
            self.found.counts.collections.insert(name, ours);
            for (job, id) in extra {
                self.mismatch(&job, collection, "_id", None, id);
            }
        }
        let usd = self.request.tolerance_usd * jobs_as_number(self.mapped_jobs);
        judge(&mut self.found.totals.cost_usd, usd);
        judge(&mut self.found.totals.tokens, self.request.tolerance_tokens);
        Ok(self.found)
    }
}

fn judge(pair: &mut TotalsPair, tolerance: f64) {
    pair.within_tolerance = (pair.stored - pair.mapped).abs() <= tolerance;
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53 jobs")]
fn jobs_as_number(jobs: u64) -> f64 {
    jobs as f64
}

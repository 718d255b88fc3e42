//! Compares every target document with a fresh mapping of its legacy document, and restores every
//! job from what the target really holds.

use std::borrow::Cow;

use super::compare::{Difference, differences};
use super::cost_and_tokens::{add_stored, judge};
use super::sample::{self, Chosen, SAMPLE_MAX};
use super::side::{Found, Side, is_well_formed};
use super::survey::Survey;
use super::verification::{Mismatch, Sample, Verification};
use super::walk::{Reading, Taken, walk};
use crate::ends::Damage;
use crate::ends::EndError;
use crate::ends::Origin;
use crate::ends::TargetReader;
use crate::pass::OnlyRejects;
use crate::store::{DiskError, StateError};
use crate::target_schema::Collection;
use reshelve_core::mapping::{self, Mapped};
use reshelve_core::raw::{self, Document, Value};

/// How far the stored cost may differ, per job, in USD, by default.
pub const TOLERANCE_USD_DEFAULT: f64 = 0.005;

/// What to compare, and how.
#[derive(Clone, Debug)]
pub struct VerifyRequest {
    /// How the source is read and mapped.
    pub reading: Reading,
    /// Whether target documents that belong to no legacy document are left alone.
    pub allow_existing: bool,
    /// How far the stored cost may differ, per job, in USD.
    pub tolerance_usd: f64,
    /// How far the stored tokens may differ in total.
    pub tolerance_tokens: f64,
    /// Compare only this many documents, at most [`SAMPLE_MAX`]: a quick check, not a proof.
    pub sample: Option<usize>,
}

impl VerifyRequest {
    /// Compares all of a source with a target, with the default tolerances.
    pub fn new(reading: Reading) -> Self {
        VerifyRequest {
            reading,
            allow_existing: false,
            tolerance_usd: TOLERANCE_USD_DEFAULT,
            tolerance_tokens: 0.0,
            sample: None,
        }
    }
}

/// Why the two sides could not be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The source cannot be opened.
    #[error(transparent)]
    Open(EndError),
    /// The source is damaged.
    #[error("the source is damaged: {0}")]
    Source(Damage),
    /// A target file cannot be read.
    #[error("the target cannot be read: {0}")]
    Target(#[from] EndError),
    /// A file cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no target where one should be.
    #[error("there is no target in {0}")]
    NoTarget(String),
    /// The list of rejects that are to be compared cannot be used.
    #[error(transparent)]
    Rejects(#[from] StateError),
    /// A sample is chosen in one pass over the source and compared in another.
    #[error("standard input or a pipe can be read only once, and a sample takes two passes")]
    SampleOfStdin,
}

/// The documents that the run was told to take, if those are the rejects of another run.
pub(super) fn only_rejects(reading: &Reading) -> Result<Option<OnlyRejects>, VerifyError> {
    Ok(reading.only_rejects.as_deref().map(OnlyRejects::read).transpose()?)
}

/// Compares the documents of `origin` with `target`, and calls `each` with every mismatch,
/// including those that are not kept.
///
/// # Errors
/// If one of the sides cannot be read to its end: then nothing is known about parity.
pub fn verify(
    request: &VerifyRequest,
    origin: &dyn Origin,
    target: &dyn TargetReader,
    each: &mut dyn FnMut(&Mismatch),
) -> Result<Verification, VerifyError> {
    let mut only = only_rejects(&request.reading)?;
    let mut chosen: Option<Chosen> = None;
    if let Some(size) = request.sample {
        if !origin.is_rewindable() {
            return Err(VerifyError::SampleOfStdin);
        }
        let sample = sample::choose(&request.reading, origin, only.as_ref(), size.min(SAMPLE_MAX))?;
        only = Some(OnlyRejects::at_positions(sample.positions.clone()));
        chosen = Some(sample);
    }
    // The sample has applied the limit already.
    let limit = request.reading.limit.filter(|_| chosen.is_none());
    let reading = Reading { limit, ..request.reading.clone() };
    let mut verifier = Verifier::open(request, target, chosen.as_ref(), each)?;
    let walked = walk(&reading, origin, only.as_ref(), &mut |taken| {
        verifier.findings.found.survey.take(taken);
        match taken {
            Taken::Mapped { mapped, parts, legacy } => verifier.take_job(mapped, *parts, legacy),
            Taken::Skipped { .. } | Taken::Rejected => Ok(()),
        }
    })?;
    verifier.findings.found.survey.end(walked);
    verifier.finish(chosen.map(|chosen| chosen.of))
}

/// What is found along the way.
struct Findings<'v> {
    each: &'v mut dyn FnMut(&Mismatch),
    found: Verification,
}

struct Verifier<'v> {
    request: &'v VerifyRequest,
    sides: Vec<Side>,
    findings: Findings<'v>,
    jobs: u64,
}

impl<'v> Verifier<'v> {
    fn open(
        request: &'v VerifyRequest,
        target: &dyn TargetReader,
        chosen: Option<&Chosen>,
        each: &'v mut dyn FnMut(&Mismatch),
    ) -> Result<Self, VerifyError> {
        let mut sides = Vec::new();
        // One collection may be lost; if all of them are, this is the wrong place.
        let mut is_there = false;
        for collection in Collection::ALL {
            is_there |= target.has(collection)?;
        }
        if !is_there {
            return Err(VerifyError::NoTarget(target.name()));
        }
        for collection in Collection::ALL {
            let scratch = &request.reading.scratch;
            sides.push(match chosen {
                Some(chosen) => Side::open_jobs(target, collection, scratch, &chosen.jobs)?,
                None => Side::open(target, collection, scratch)?,
            });
        }
        let found = Verification { survey: Survey::new(), ..Verification::default() };
        Ok(Verifier { request, sides, findings: Findings { each, found }, jobs: 0 })
    }

    /// One job: compares each of its documents, and restores the legacy document from those that
    /// are there.
    fn take_job(
        &mut self,
        mapped: &Mapped,
        parts: [&[u8]; 4],
        legacy: &[u8],
    ) -> Result<(), VerifyError> {
        self.jobs += 1;
        let job = String::from_utf8_lossy(&mapped.job_id).into_owned();
        let mut stored: [Option<Cow<'_, [u8]>>; 4] = Default::default();
        for (collection, bytes) in Collection::ALL.into_iter().zip(parts) {
            for place in raw::documents(bytes) {
                let expected = &bytes[place];
                let side = &mut self.sides[collection.index()];
                match side.find(expected)? {
                    Found::Same => stored[collection.index()] = Some(Cow::Borrowed(expected)),
                    Found::Missing => {
                        // Everything after the damage is missing; the first missing document is the
                        // damaged one.
                        if let Some(damage) = side.damage.take() {
                            self.findings.add(&job, collection, "", None, Some(damage));
                        }
                        let id = Document::new(expected).get("_id").map(super::compare::show);
                        self.findings.add(&job, collection, "_id", id, None);
                    }
                    Found::Different => {
                        let actual = side.actual.clone();
                        for difference in differences(expected, &actual) {
                            let Difference { path, expected, actual } = difference;
                            self.findings.add(&job, collection, &path, expected, actual);
                        }
                        stored[collection.index()] = Some(Cow::Owned(actual));
                    }
                }
            }
        }
        let found = &mut self.findings.found;
        add_stored(&mut found.survey.totals, stored[Collection::Metrics.index()].as_deref());
        match (&stored[Collection::Jobs.index()], &stored[Collection::Metadata.index()]) {
            (None, _) | (_, None) => found.restored.missing += 1,
            // These bytes were restored and compared when they were mapped, a moment ago.
            (Some(Cow::Borrowed(_)), Some(Cow::Borrowed(_))) => found.restored.identical += 1,
            (Some(stored_job), Some(metadata)) => {
                let back = is_well_formed(stored_job)
                    && is_well_formed(metadata)
                    && mapping::restore(stored_job, metadata)
                        .is_ok_and(|restored| restored.bytes == legacy);
                if back {
                    found.restored.identical += 1;
                } else {
                    found.restored.different += 1;
                }
            }
        }
        Ok(())
    }

    /// Finds what is left over in the target, and checks the sums. `of` is how many documents a
    /// sample was chosen from.
    fn finish(mut self, of: Option<u64>) -> Result<Verification, VerifyError> {
        let allow = self.request.allow_existing;
        let mut extra_jobs = 0;
        for collection in Collection::ALL {
            let side = &mut self.sides[collection.index()];
            let findings = &mut self.findings;
            let mut left_over = 0;
            side.extra(|document| {
                left_over += 1;
                if !allow {
                    let document = Document::new(document);
                    let job = document.get("jobId").and_then(Value::string).unwrap_or_default();
                    let id = document.get("_id").map(super::compare::show);
                    let id = id.or_else(|| Some("a document without _id".to_owned()));
                    findings.add(&String::from_utf8_lossy(job), collection, "_id", None, id);
                }
            })?;
            if let Some(damage) = side.damage.take() {
                findings.add("", collection, "", None, Some(damage));
            }
            let counts = &mut findings.found.survey.counts;
            let mut ours = side.count;
            if allow {
                counts.left_alone += left_over;
                ours -= left_over;
            } else if collection == Collection::Jobs {
                extra_jobs = left_over;
            }
            counts.collections.insert(collection.name(), ours);
        }
        let mut found = self.findings.found;
        match of {
            Some(of) => found.sample = Some(Sample { documents: found.survey.counts.legacy, of }),
            None => found.restored.extra = Some(extra_jobs),
        }
        let usd = self.request.tolerance_usd * number(self.jobs);
        judge(&mut found.survey.totals, usd, self.request.tolerance_tokens);
        Ok(found)
    }
}

impl Findings<'_> {
    fn add(
        &mut self,
        job: &str,
        collection: Collection,
        path: &str,
        expected: Option<String>,
        actual: Option<String>,
    ) {
        let mismatch =
            Mismatch { job: job.to_owned(), collection, path: path.to_owned(), expected, actual };
        (self.each)(&mismatch);
        self.found.add(mismatch);
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53 jobs")]
fn number(jobs: u64) -> f64 {
    jobs as f64
}

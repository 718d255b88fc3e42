//! Compares every target document with a fresh mapping of its legacy document, and restores every
//! job from what the target really holds.

use super::carried::{Carried, Fate};
use super::sample::{self, Chosen, SAMPLE_MAX};
use super::texts::Texts;
use super::verification::{Mismatch, Verification};
use super::verifier::Verifier;
use super::walk::{Reading, Taken, walk};
use crate::ends::Damage;
use crate::ends::EndError;
use crate::ends::Origin;
use crate::ends::TargetReader;
use crate::pass::OnlyRejects;
use crate::store::{Disk, DiskError, StateError};

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
    /// Whether the values of mismatches are quoted.
    pub texts: Texts,
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
            texts: Texts::Quoted,
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
    /// The source of a retry was changed since.
    #[error(
        "the source of the retry {run} no longer gives {lost} of the {carried_over} documents that \
         it carried over, so they cannot be compared"
    )]
    OfRetry {
        /// The retry.
        run: String,
        /// How many documents are lost.
        lost: u64,
        /// How many there were.
        carried_over: u64,
    },
    /// A sample is chosen in one pass over the source and compared in another.
    #[error("standard input or a pipe can be read only once, and a sample takes two passes")]
    SampleOfStdin,
}

/// The documents that the run was told to take, if those are the rejects of another run.
pub(super) fn only_rejects(reading: &Reading) -> Result<Option<OnlyRejects>, VerifyError> {
    let read = |folder| OnlyRejects::read(&Disk, folder);
    Ok(reading.only_rejects.as_deref().map(read).transpose()?)
}

/// A run that took again what an earlier one had rejected, as its files describe it.
#[derive(Clone, Debug)]
pub struct RetryRequest {
    /// Its id.
    pub run: String,
    /// How its source is read and mapped.
    pub reading: Reading,
    /// How many documents it carried over; `None` if it is not finished.
    pub carried_over: Option<u64>,
}

/// The same with its source.
#[derive(Clone, Copy)]
pub struct Retry<'r> {
    /// What is known of it.
    pub request: &'r RetryRequest,
    /// Its source, which may be the one of the first run.
    pub origin: &'r dyn Origin,
}

impl std::fmt::Debug for Retry<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Retry").field("request", &self.request).finish_non_exhaustive()
    }
}

/// Compares the documents of `origin` with `target`, and calls `each` with every mismatch,
/// including those that are not kept. What one of the retries, oldest first, carried over is
/// expected as that retry read it.
///
/// # Errors
/// If one of the sides cannot be read to its end: then nothing is known about parity.
pub fn verify(
    request: &VerifyRequest,
    origin: &dyn Origin,
    retries: &[Retry<'_>],
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
    let mut carried = carry(retries, chosen.as_ref(), &mut verifier)?;
    let walked =
        walk(&reading, origin, only.as_ref(), &mut carried, &mut |taken| verifier.take(taken))?;
    verifier.found().survey.end(walked);
    verifier.found().carried_over = carried.keys();
    if chosen.is_none() {
        verifier.found().survey.counts.not_in_source = carried.not_met();
    }
    verifier.finish(chosen.map(|chosen| chosen.of))
}

/// Compares what the retries carried over, the newest first: what it wrote is what the target holds.
fn carry(
    retries: &[Retry<'_>],
    chosen: Option<&Chosen>,
    verifier: &mut Verifier<'_>,
) -> Result<Carried, VerifyError> {
    let mut carried = Carried::default();
    for Retry { request, origin } in retries.iter().rev() {
        let RetryRequest { run, reading, carried_over } = request;
        let only = only_rejects(reading)?;
        let none = &mut Carried::default();
        let mut mapped = 0;
        walk(reading, *origin, only.as_ref(), none, &mut |taken| {
            let (key, hash, fate) = match taken {
                Taken::Mapped { key, hash, .. } => (key, hash, Fate::Mapped),
                Taken::Skipped { key, hash, .. } => (key, hash, Fate::Skipped),
                Taken::Conflict { key, .. } if !carried.has(key) => {
                    return verifier.take_retried(taken);
                }
                Taken::Rejected | Taken::Conflict { .. } | Taken::Carried { .. } => return Ok(()),
            };
            mapped += u64::from(fate == Fate::Mapped);
            let is_chosen = chosen.is_none_or(|chosen| chosen.jobs.contains(key));
            if is_chosen && carried.take(*key, *hash, fate) {
                verifier.take_retried(taken)?;
            }
            Ok(())
        })?;
        // What it no longer gives, nobody would expect in the target.
        if let Some(carried_over) = carried_over.filter(|carried_over| mapped < *carried_over) {
            let lost = carried_over - mapped;
            return Err(VerifyError::OfRetry { run: run.clone(), lost, carried_over });
        }
    }
    Ok(carried)
}

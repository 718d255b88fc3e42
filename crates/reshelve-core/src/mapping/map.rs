//! One legacy document through all the rules, and the proof that it comes back.

use super::copied::Copier;
use super::events::{Events, JobContext, Written};
use super::facts::{self, Decided, Facts};
use super::ids::Identity;
use super::legacy::Legacy;
use super::metadata::{self, Entries, Record};
use super::options::Options;
use super::reject::{Reject, RejectCode};
use super::residue::{self, Compare, Encoder, Shelf};
use super::warning::{Path, Warnings};
use super::{
    COLLECTIONS, DEPTH_MAX, Mapped, Outcome, TARGET_BYTES_MAX, TargetDocuments, job, metrics,
};
use crate::raw::{self, Document};

/// Maps documents. It keeps its buffers from one document to the next, so that many documents
/// should share one mapper.
#[derive(Debug, Default)]
pub struct Mapper {
    options: Options,
    encoder: Encoder,
}

impl Mapper {
    /// A mapper with these options.
    pub fn new(options: Options) -> Self {
        Mapper { options, encoder: Encoder::default() }
    }

    /// Maps one legacy document, given as BSON, and proves that it comes back byte for byte.
    ///
    /// The target documents are appended to `out`; a document that is skipped or rejected leaves
    /// `out` unchanged. The caller has to know whether an earlier document had the same job id.
    pub fn map(&mut self, legacy: &[u8], out: &mut TargetDocuments) -> Outcome {
        self.map_fingerprinted(legacy, *blake3::hash(legacy).as_bytes(), out)
    }

    /// As [`map`](Self::map), for a caller that already has the BLAKE3 hash of the document.
    pub fn map_fingerprinted(
        &mut self,
        legacy: &[u8],
        fingerprint: [u8; 32],
        out: &mut TargetDocuments,
    ) -> Outcome {
        let before = out.lengths();
        let outcome = self.try_map(legacy, fingerprint, out).unwrap_or_else(Outcome::Rejected);
        if !matches!(outcome, Outcome::Mapped(_)) {
            out.truncate(before);
        }
        outcome
    }

    fn try_map(
        &mut self,
        bytes: &[u8],
        fingerprint: [u8; 32],
        out: &mut TargetDocuments,
    ) -> Result<Outcome, Reject> {
        let checked = raw::check(bytes)
            .map_err(|error| Reject::new(RejectCode::MalformedBson, error.to_string()))?;
        if checked.depth > DEPTH_MAX {
            return Err(too_deep("the document", checked.depth));
        }
        let document = Document::new(bytes);
        let copier = Copier { suspicious: checked.unreadable };
        let mut warnings = Warnings::default();
        let legacy = Legacy::read(document, &mut warnings);
        if checked.depth == DEPTH_MAX {
            check_target_depth(&legacy, copier)?;
        }
        let identity = Identity::read(legacy.id)?;
        let decided = facts::decide_status(&legacy, &self.options, &mut warnings)?;
        if decided.skipped {
            return Ok(Outcome::Skipped);
        }
        let task = Task { document, legacy, copier, identity, decided, fingerprint };
        self.write(task, warnings, out).map(Outcome::Mapped)
    }

    fn write(
        &mut self,
        task: Task<'_>,
        mut warnings: Warnings,
        out: &mut TargetDocuments,
    ) -> Result<Mapped, Reject> {
        let before = out.lengths();
        let Task { document, legacy, copier, identity, decided, fingerprint } = task;
        let facts = Facts::new(&legacy, identity, decided, &mut warnings);
        let entries = Entries::new(&legacy, facts.created);
        let events = Events::new(&legacy, &facts, &entries);
        let context = JobContext {
            legacy: &legacy,
            facts: &facts,
            entries: &entries,
            last_failure: job::last_failure(&legacy, &facts),
            word_targets: job::word_targets(&legacy),
        };
        let (bodies, largest_event) = events.write_documents(&mut out.events, &context);
        let written = Written { documents: out.events.bytes(), bodies };
        job::write(&mut out.jobs, &events, &written, &context, copier, &mut warnings);
        metrics::write(&mut out.metrics, &legacy, &facts, &mut warnings);
        let (open, places) =
            metadata::begin(&mut out.metadata, &legacy, &facts, &entries, copier, &mut warnings);
        // The shelf reads the metadata as far as it is written: all that is copied is in it.
        let job = Shelf::of_job(Document::new(&out.jobs.bytes()[before[0]..]));
        let so_far = Document::new(&out.metadata.bytes()[before[3]..]);
        let shelf = job.clone().with_metadata(so_far);
        let residue = self.encoder.encode(document, &shelf, &places, copier.suspicious);
        let record = Record { era: metadata::era(&legacy), fingerprint };
        metadata::finish(&mut out.metadata, open, &record, residue, &facts);
        let residue_bytes = residue.len();
        let lengths = std::array::from_fn(|at| out.lengths()[at] - before[at]);
        check_sizes(lengths, largest_event)?;
        prove(document.bytes(), job, Document::new(&out.metadata.bytes()[before[3]..]))?;
        Ok(Mapped {
            is_in_flight: facts.decided.status.is_in_flight(),
            job_id: facts.identity.job_id,
            events: events.len(),
            lengths,
            residue_bytes,
            warnings: warnings.finish(),
        })
    }
}

/// A document that passed every check.
struct Task<'a> {
    document: Document<'a>,
    legacy: Legacy<'a>,
    copier: Copier,
    identity: Identity,
    decided: Decided,
    fingerprint: [u8; 32],
}

fn too_deep(what: &str, depth: usize) -> Reject {
    let message = format!("{what} is nested {depth} levels deep; at most {DEPTH_MAX} are allowed");
    Reject::new(RejectCode::TooDeep, message)
}

/// The only part that the target nests deeper than the legacy document is the analysis: the
/// context of the job holds it one level down.
fn check_target_depth(legacy: &Legacy<'_>, copier: Copier) -> Result<(), Reject> {
    let root = Path::ROOT;
    let path = root.name("analysis");
    let analysis = copier.readable_document(legacy.analysis, &path, &mut Warnings::default());
    let Some(analysis) = analysis else { return Ok(()) };
    let depth = raw::check(analysis.bytes()).map_or(0, |facts| facts.depth) + 2;
    if depth > DEPTH_MAX {
        return Err(too_deep("the document in novel_jobs", depth));
    }
    Ok(())
}

/// MongoDB stores no document above its limit, whether or not the residue carries it there.
fn check_sizes(lengths: [usize; 4], largest_event: usize) -> Result<(), Reject> {
    let [jobs, _, metrics, metadata] = lengths;
    for (collection, bytes) in COLLECTIONS.into_iter().zip([jobs, largest_event, metrics, metadata])
    {
        if bytes > TARGET_BYTES_MAX {
            let message = format!(
                "the document in {collection} would have {bytes} bytes; \
                 at most {TARGET_BYTES_MAX} are allowed"
            );
            return Err(Reject::new(RejectCode::TargetTooLarge, message));
        }
    }
    Ok(())
}

/// Restores what was just written, from the written bytes alone, and compares on the way. The job
/// is passed opened: what is in it depends on its bytes alone, and these are final.
fn prove(legacy: &[u8], job: Shelf<'_>, metadata: Document<'_>) -> Result<(), Reject> {
    let mut compare = Compare::new(legacy);
    let proof = super::restore::residue_of(metadata)
        .and_then(|residue| residue::restore(residue, &job.with_metadata(metadata), &mut compare));
    let failed = |reason: String| {
        let message = format!("{reason}; this is a bug of reshelve, please report it");
        Err(Reject::new(RejectCode::RoundTrip, message))
    };
    match proof {
        Err(error) => failed(error.to_string()),
        Ok(restored) if !restored.lost.is_empty() => {
            failed(format!("restoring loses {}", restored.lost.join(", ")))
        }
        Ok(_) if !compare.is_complete() => failed("the restored document ends early".into()),
        Ok(_) => Ok(()),
    }
}

//! Why two sides give different answers for a job: told by mapping its legacy document again.

use reshelve::ends::{EVENTS_MAX, EndError, JobLookup, OneJob};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::{
    JobDocuments, Mapper, Options, Outcome, Retraced, Retracer, TargetDocuments, restore,
};
use reshelve_core::raw::{Document, Value};

/// Why two sides differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The legacy document is not the one that was mapped: it was changed, added or removed since.
    Lag,
    /// The target's documents are not what any mapping makes of the legacy document: they were
    /// changed since.
    Edit,
    /// They are what the mapping makes with other decisions than those of this server.
    Mapping,
    /// The documents are the same: only their presentation differs.
    Presenter,
}

impl Cause {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Lag => "lag",
            Cause::Edit => "edit",
            Cause::Mapping => "mapping",
            Cause::Presenter => "presenter",
        }
    }
}

/// The four documents of a job, as a place gives them.
struct Documents {
    job: Vec<u8>,
    metrics: Option<Vec<u8>>,
    metadata: Vec<u8>,
    /// One after the other, oldest first.
    events: Vec<u8>,
}

impl Documents {
    fn of(job: &dyn OneJob) -> Result<Option<Self>, EndError> {
        let stored = job.document(Collection::Jobs)?;
        let metadata = job.document(Collection::Metadata)?;
        let (Some(stored), Some(metadata)) = (stored, metadata) else { return Ok(None) };
        let metrics = job.document(Collection::Metrics)?;
        Ok(Some(Documents { job: stored, metrics, metadata, events: all_events(job)? }))
    }

    fn as_found(&self) -> JobDocuments<'_> {
        let Documents { job, metrics, metadata, events } = self;
        JobDocuments { job, events, metrics: metrics.as_deref(), metadata }
    }

    fn fingerprint(&self) -> Option<&[u8]> {
        let record = Document::new(&self.metadata).get("legacy").and_then(Value::document)?;
        record.get("fingerprint")?.binary()
    }
}

/// All events of a job, oldest first.
fn all_events(job: &dyn OneJob) -> Result<Vec<u8>, EndError> {
    let mut events: Vec<Vec<u8>> = Vec::new();
    loop {
        let before = events.last().and_then(|event| {
            Document::new(event).get("emittedAt").and_then(Value::string).map(<[u8]>::to_vec)
        });
        if before.is_none() && !events.is_empty() {
            // It has no place in the order: nothing comes after it.
            break;
        }
        let page = job.events(before.as_deref())?;
        let is_last = page.len() < EVENTS_MAX;
        events.extend(page);
        if is_last {
            break;
        }
    }
    events.reverse();
    Ok(events.concat())
}

/// The documents of a job at a place, if it has all of them.
fn looked_at(place: &dyn JobLookup, id: &[u8]) -> Result<Option<Documents>, EndError> {
    let mut documents = Ok(None);
    place.look_at(id, &mut |job| documents = Documents::of(job))?;
    documents
}

/// What is known of the decisions by which the legacy side maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decisions {
    /// Nothing.
    Unknown,
    /// These.
    Known(Options),
}

/// Why two sides differ about a job.
fn of_job(
    legacy: &dyn JobLookup,
    normalized: &dyn JobLookup,
    id: &[u8],
    decisions: Decisions,
) -> Result<Cause, EndError> {
    let (ours, theirs) = (looked_at(legacy, id)?, looked_at(normalized, id)?);
    let (ours, theirs) = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        // The new application writes jobs that were never mapped.
        (None, Some(theirs)) if theirs.fingerprint().is_none() => return Ok(Cause::Edit),
        (None, Some(theirs)) if is_left_out(&theirs, decisions) => return Ok(Cause::Mapping),
        // A job without its metadata was taken apart.
        (Some(_), None) if normalized.has(id)? => return Ok(Cause::Edit),
        _ => return Ok(Cause::Lag),
    };
    match theirs.fingerprint() {
        None => return Ok(Cause::Edit),
        theirs if theirs != ours.fingerprint() => return Ok(Cause::Lag),
        Some(_) => {}
    }
    let is_same = ours.job == theirs.job
        && ours.metadata == theirs.metadata
        && ours.metrics == theirs.metrics
        && ours.events == theirs.events;
    if is_same {
        return Ok(Cause::Presenter);
    }
    // The legacy document comes back from what the mapping has just made of it.
    let is_mapped = restore(&ours.job, &ours.metadata)
        .is_ok_and(|restored| Retracer::default().makes(&restored.bytes, &theirs.as_found()));
    Ok(if is_mapped { Cause::Mapping } else { Cause::Edit })
}

/// Which of the jobs at which two answers differ is why, and why it is: the first whose documents
/// differ, or the first one. An empty id where there is none.
///
/// # Errors
/// Where a side cannot be read.
pub(crate) fn of_jobs(
    legacy: &dyn JobLookup,
    normalized: &dyn JobLookup,
    jobs: Vec<String>,
    decisions: Decisions,
) -> Result<(String, Cause), EndError> {
    let mut first = None;
    for job in jobs {
        let cause = of_job(legacy, normalized, job.as_bytes(), decisions)?;
        if cause != Cause::Presenter {
            return Ok((job, cause));
        }
        first.get_or_insert((job, cause));
    }
    Ok(first.unwrap_or((String::new(), Cause::Presenter)))
}

/// What the documents of a job at a place tell of their own mapping; nothing where it has no
/// metadata.
///
/// # Errors
/// Where the place cannot be read.
pub(crate) fn retraced(place: &dyn JobLookup, id: &[u8]) -> Result<Option<Retraced>, EndError> {
    let found = looked_at(place, id)?;
    Ok(found.map(|found| Retracer::default().retrace(&found.as_found())))
}

/// Whether these decisions leave out, or reject, the legacy document that a job was mapped from.
fn is_left_out(found: &Documents, decisions: Decisions) -> bool {
    let Decisions::Known(options) = decisions else { return false };
    let Ok(restored) = restore(&found.job, &found.metadata) else { return false };
    let outcome = Mapper::new(options).map(&restored.bytes, &mut TargetDocuments::default());
    !matches!(outcome, Outcome::Mapped(_))
}

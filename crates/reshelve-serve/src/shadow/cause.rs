//! Why two sides give different answers for a job: told by mapping its legacy document again.

use reshelve::ends::{EndError, JobLookup};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::{
    InFlight, Mapper, OnUnknownStatus, Options, StatusPolicy, TargetDocuments, restore,
};
use reshelve_core::raw::{Document, Value};

/// Why two sides differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
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
    pub(crate) fn as_str(self) -> &'static str {
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
    events: Vec<Vec<u8>>,
}

impl Documents {
    fn of(place: &dyn JobLookup, id: &[u8]) -> Result<Option<Self>, EndError> {
        let job = place.document(Collection::Jobs, id)?;
        let metadata = place.document(Collection::Metadata, id)?;
        let (Some(job), Some(metadata)) = (job, metadata) else { return Ok(None) };
        let metrics = place.document(Collection::Metrics, id)?;
        Ok(Some(Documents { job, metrics, metadata, events: place.events(id, None)? }))
    }

    fn fingerprint(&self) -> Option<&[u8]> {
        let record = Document::new(&self.metadata).get("legacy").and_then(Value::document)?;
        record.get("fingerprint")?.binary()
    }
}

/// Why two sides differ about a job.
pub(crate) fn of_job(
    legacy: &dyn JobLookup,
    normalized: &dyn JobLookup,
    id: &[u8],
) -> Result<Cause, EndError> {
    let (ours, theirs) = (Documents::of(legacy, id)?, Documents::of(normalized, id)?);
    let (ours, theirs) = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        // The new application writes jobs that were never mapped.
        (None, Some(theirs)) if theirs.fingerprint().is_none() => return Ok(Cause::Edit),
        // A job without its metadata was taken apart.
        (Some(_), None) if normalized.card(id)?.is_some() => return Ok(Cause::Edit),
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
    let is_mapped = restore(&ours.job, &ours.metadata).is_ok_and(|restored| {
        all_options().any(|options| is_made(&restored.bytes, options, &theirs))
    });
    Ok(if is_mapped { Cause::Mapping } else { Cause::Edit })
}

/// Every decision that a run may have taken.
fn all_options() -> impl Iterator<Item = Options> {
    let statuses = [StatusPolicy::Legacy, StatusPolicy::Evidence];
    let unknown = [OnUnknownStatus::Reject, OnUnknownStatus::Failed];
    statuses.into_iter().flat_map(move |status_policy| {
        unknown.into_iter().flat_map(move |on_unknown_status| {
            [InFlight::Include, InFlight::AsFailed].map(|in_flight| Options {
                on_unknown_status,
                status_policy,
                in_flight,
            })
        })
    })
}

/// Whether the mapping makes these documents, as far as there is one for each job.
fn is_made(legacy: &[u8], options: Options, found: &Documents) -> bool {
    let mut out = TargetDocuments::default();
    let _ = Mapper::new(options).map(legacy, &mut out);
    out.jobs.bytes() == found.job
        && out.metadata.bytes() == found.metadata
        && found.metrics.as_deref() == Some(out.metrics.bytes())
}

//! What lists show of a job, read from its target documents.

use reshelve_core::raw::{Document, Value};

use super::record::{Record, bit};
use crate::ends::EndError;
use crate::lookup::kept::HELD_MAX;
use crate::store::{DiskError, Scratch, Sorted, Sorter, key_of};

/// What the metrics and the metadata of a job add to a list.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extras {
    cost_usd: f64,
    era: u8,
    alerts: [u16; 3],
}

impl Extras {
    /// Takes the metrics of the job into account.
    pub fn take_metrics(&mut self, metrics: &[u8]) {
        let cost = Document::new(metrics).get("cost").and_then(Value::document);
        let cost = cost.and_then(|cost| cost.get("totalUsd")).and_then(Value::numeric);
        self.cost_usd = cost.unwrap_or(0.0);
    }

    /// Takes the metadata of the job into account.
    pub fn take_metadata(&mut self, metadata: &[u8]) {
        let metadata = Document::new(metadata);
        let legacy = metadata.get("legacy").and_then(Value::document);
        let era = legacy.and_then(|legacy| legacy.get("era")).and_then(Value::numeric);
        self.era = u8::try_from(count(era)).unwrap_or(0);
        self.alerts = [0; 3];
        let alerts = metadata.get("continuityAlerts").and_then(Value::array);
        for alert in alerts.into_iter().flat_map(Document::values) {
            let alert = alert.document();
            let severity = alert.and_then(|alert| alert.get("severity")).and_then(Value::string);
            let at = match severity {
                Some(b"critical") => 0,
                Some(b"warning") => 1,
                _ => 2,
            };
            self.alerts[at] = self.alerts[at].saturating_add(1);
        }
    }
}

/// The [`Extras`] of all jobs, while they are collected.
#[derive(Debug)]
pub struct ExtrasMaker {
    metrics: Sorter<24>,
    metadata: Sorter<23>,
}

impl ExtrasMaker {
    /// What does not fit into memory goes to files without a name.
    pub fn new(scratch: &Scratch) -> Self {
        let (metrics, metadata) = (Sorter::new(scratch, HELD_MAX), Sorter::new(scratch, HELD_MAX));
        ExtrasMaker { metrics, metadata }
    }

    /// Takes the metrics of some job into account.
    ///
    /// # Errors
    /// Where they cannot be put aside.
    pub fn add_metrics(&mut self, metrics: &[u8]) -> Result<(), EndError> {
        let mut extras = Extras::default();
        extras.take_metrics(metrics);
        let mut record = [0; 24];
        record[..16].copy_from_slice(&key_of(job_id_of(metrics)));
        record[16..].copy_from_slice(&extras.cost_usd.to_le_bytes());
        Ok(self.metrics.add(record)?)
    }

    /// Takes the metadata of some job into account.
    ///
    /// # Errors
    /// Where they cannot be put aside.
    pub fn add_metadata(&mut self, metadata: &[u8]) -> Result<(), EndError> {
        let mut extras = Extras::default();
        extras.take_metadata(metadata);
        let mut record = [0; 23];
        record[..16].copy_from_slice(&key_of(job_id_of(metadata)));
        record[16] = extras.era;
        for (place, count) in record[17..].chunks_exact_mut(2).zip(extras.alerts) {
            place.copy_from_slice(&count.to_le_bytes());
        }
        Ok(self.metadata.add(record)?)
    }

    /// Ends the collecting.
    ///
    /// # Errors
    /// Where what was put aside cannot be read.
    pub fn finish(self) -> Result<ExtrasByJob, EndError> {
        Ok(ExtrasByJob { metrics: self.metrics.finish()?, metadata: self.metadata.finish()? })
    }
}

/// The [`Extras`] of all jobs.
#[derive(Debug)]
pub struct ExtrasByJob {
    metrics: Sorted<24>,
    metadata: Sorted<23>,
}

impl ExtrasByJob {
    pub(super) fn of(&self, job_id: &[u8]) -> Result<Extras, DiskError> {
        let key = key_of(job_id);
        let mut extras = Extras::default();
        if let Some(record) = self.metrics.get(&key)? {
            extras.cost_usd = f64::from_le_bytes(record[16..].try_into().unwrap_or_default());
        }
        if let Some(record) = self.metadata.get(&key)? {
            extras.era = record[16];
            for (count, bytes) in extras.alerts.iter_mut().zip(record[17..].chunks_exact(2)) {
                *count = u16::from_le_bytes(bytes.try_into().unwrap_or_default());
            }
        }
        Ok(extras)
    }
}

pub(super) fn job_id_of(document: &[u8]) -> &[u8] {
    Document::new(document).get("jobId").and_then(Value::string).unwrap_or_default()
}

/// What a list shows of a job, without the place of its document. Nothing of it needs the texts.
pub(super) fn record<'r>(job: &'r [u8], extras: &Extras) -> Record<'r> {
    let job = Document::new(job);
    let text = |within: Option<Document<'r>>, name: &str| {
        within.and_then(|it| it.get(name)).and_then(Value::string).unwrap_or_default()
    };
    let payload = job.get("payload").and_then(Value::document);
    let summary = job.get("summary").and_then(Value::document);
    let counted = |name: &str| count(summary.and_then(|it| it.get(name)).and_then(Value::numeric));
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let status = text(Some(job), "status");
    let date = |name: &str| job.get(name).and_then(Value::date_ms).unwrap_or(i64::MIN);
    let mut bits = 0;
    if matches!(status, b"queued" | b"running") {
        bits |= bit::IN_FLIGHT;
    }
    if has_failures(job) {
        bits |= bit::FAILURES;
    }
    if extras.alerts != [0; 3] {
        bits |= bit::ALERTS;
    }
    Record {
        era: extras.era,
        bits,
        created_ms: date("createdAt"),
        updated_ms: date("updatedAt"),
        cost_usd: extras.cost_usd,
        words: counted("totalWordCount"),
        chapters: small(counted("chaptersGenerated")),
        planned: small(counted("totalChaptersPlanned")),
        alerts: extras.alerts,
        job_id: text(Some(job), "jobId"),
        title: text(payload, "title"),
        premise: text(payload, "premise"),
        status,
        genre: text(payload, "genre"),
        ..Record::default()
    }
}

fn has_failures(job: Document<'_>) -> bool {
    let progress = job.get("progress").and_then(Value::document);
    let told = progress.and_then(|progress| progress.get("hasFailures"));
    let failures = job.get("failures").and_then(Value::array);
    told.and_then(Value::boolean) == Some(true) || failures.is_some_and(|all| !all.is_empty())
}

/// A number as a count: whole, and not less than nothing.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float takes the nearest number that there is"
)]
fn count(number: Option<f64>) -> u64 {
    number.unwrap_or(0.0) as u64
}

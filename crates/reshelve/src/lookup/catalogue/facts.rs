//! What lists show of a job, read from its target documents.

use reshelve_core::extjson::parse_iso;
use reshelve_core::mapping::Warning;
use reshelve_core::raw::{Document, Value};

use super::record::{NO_RESPONSE, Record, bit};
use crate::ends::{EndError, JobStage, response_group};
use crate::store::{DiskError, Scratch, Sorted, Sorter, key_of};
use crate::target_schema;

/// The stages of which a job document names the model, in the order of [`JobStage::ALL`].
const MODELS: [&str; 3] = ["analysis", "outline", "chapter"];
/// Numbers of [`Spent`], as they are put aside.
const SPENT_BYTES: usize = 12 * 8;

/// What was recorded of the stages of a job, in the order of [`JobStage::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spent {
    /// Of all of it, as recorded.
    pub(super) total_usd: f64,
    pub(super) total_tokens: f64,
    /// From begin to end.
    pub(super) total_ms: f64,
    /// Of the analysis, the outline, the chapters.
    pub(super) cost_usd: [f64; 3],
    pub(super) tokens: [f64; 3],
    pub(super) elapsed_ms: [f64; 3],
}

impl Spent {
    fn of(metrics: &[u8]) -> Self {
        let metrics = Document::new(metrics);
        let number = |part: &str, name: &str| {
            let part = metrics.get(part).and_then(Value::document);
            let number = part.and_then(|part| part.get(name)).and_then(Value::numeric);
            number.filter(|number| number.is_finite()).unwrap_or(0.0)
        };
        let stages = |part: &str, names: [&str; 3]| names.map(|name| number(part, name));
        const NAMES: [&str; 3] = ["analysis", "outline", "chapters"];
        Spent {
            total_usd: number("cost", "totalUsd"),
            total_tokens: number("tokens", "total"),
            total_ms: number("latencyMs", "total"),
            cost_usd: stages("cost", ["analysisUsd", "outlineUsd", "chaptersUsd"]),
            tokens: stages("tokens", NAMES),
            elapsed_ms: stages("latencyMs", NAMES),
        }
    }

    /// Cost, tokens and time of a stage.
    pub(super) fn stage(&self, stage: JobStage) -> (f64, f64, f64) {
        let at = stage.index();
        if at < self.cost_usd.len() {
            return (self.cost_usd[at], self.tokens[at], self.elapsed_ms[at]);
        }
        let beyond = |total: f64, parts: [f64; 3]| {
            let rest = total - parts.iter().sum::<f64>();
            // Sums of the same numbers in another order differ in their last digits.
            if rest.abs() > total.abs() * 1e-9 { rest } else { 0.0 }
        };
        let cost_usd = beyond(self.total_usd, self.cost_usd);
        (cost_usd, beyond(self.total_tokens, self.tokens), self.total_ms)
    }

    fn numbers(&self) -> [f64; 12] {
        let ([a, b, c], [d, e, f], [g, h, i]) = (self.cost_usd, self.tokens, self.elapsed_ms);
        [self.total_usd, self.total_tokens, self.total_ms, a, b, c, d, e, f, g, h, i]
    }

    fn read(bytes: &[u8]) -> Self {
        let mut numbers = [0.0; 12];
        for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
            *number = float(bytes);
        }
        let [total_usd, total_tokens, total_ms, a, b, c, d, e, f, g, h, i] = numbers;
        let (cost_usd, tokens, elapsed_ms) = ([a, b, c], [d, e, f], [g, h, i]);
        Spent { total_usd, total_tokens, total_ms, cost_usd, tokens, elapsed_ms }
    }
}

fn float(bytes: &[u8]) -> f64 {
    f64::from_le_bytes(bytes.try_into().unwrap_or_default())
}

/// What the metrics and the metadata of a job add to a list.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extras {
    pub(super) spent: Spent,
    era: u8,
    pub(super) alerts: [u16; 3],
    /// Its average response time, in milliseconds.
    pub(super) response_ms: Option<f64>,
    /// Whether the mapping that was just made has warnings.
    is_warned: bool,
}

impl Extras {
    /// Takes the warnings of the mapping into account.
    pub fn take_warnings(&mut self, warnings: &[Warning]) {
        self.is_warned = !warnings.is_empty();
    }

    /// Takes the metrics of the job into account.
    pub fn take_metrics(&mut self, metrics: &[u8]) {
        self.spent = Spent::of(metrics);
    }

    /// Takes the metadata of the job into account.
    pub fn take_metadata(&mut self, metadata: &[u8]) {
        let metadata = Document::new(metadata);
        let legacy = metadata.get("legacy").and_then(Value::document);
        let era = legacy.and_then(|legacy| legacy.get("era")).and_then(Value::numeric);
        self.era = u8::try_from(count(era)).unwrap_or(0);
        let performance = metadata.get("performance").and_then(Value::document);
        let response = performance.and_then(|it| it.get("averageResponseTime"));
        let response = response.and_then(Value::numeric);
        self.response_ms = response.filter(|ms| ms.is_finite() && *ms >= 0.0);
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

/// Most records of metrics and of metadata in memory: 10 MiB of them; the rest in sorted files.
const EXTRAS_HELD_MAX: usize = 1 << 16;
const METRICS_BYTES: usize = 16 + SPENT_BYTES;
const METADATA_BYTES: usize = 16 + 1 + 3 * 2 + 8;

/// The [`Extras`] of all jobs, while they are collected.
#[derive(Debug)]
pub struct ExtrasMaker {
    metrics: Sorter<METRICS_BYTES>,
    metadata: Sorter<METADATA_BYTES>,
}

impl ExtrasMaker {
    /// What does not fit into memory goes to files without a name.
    pub fn new(scratch: &Scratch) -> Self {
        let metrics = Sorter::new(scratch, EXTRAS_HELD_MAX);
        ExtrasMaker { metrics, metadata: Sorter::new(scratch, EXTRAS_HELD_MAX) }
    }

    /// Takes the metrics of some job into account.
    ///
    /// # Errors
    /// Where they cannot be put aside.
    pub fn add_metrics(&mut self, metrics: &[u8]) -> Result<(), EndError> {
        let mut record = [0; METRICS_BYTES];
        record[..16].copy_from_slice(&key_of(target_schema::job_id(metrics)));
        let numbers = Spent::of(metrics).numbers();
        for (place, number) in record[16..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        Ok(self.metrics.add(record)?)
    }

    /// Takes the metadata of some job into account.
    ///
    /// # Errors
    /// Where they cannot be put aside.
    pub fn add_metadata(&mut self, metadata: &[u8]) -> Result<(), EndError> {
        let mut extras = Extras::default();
        extras.take_metadata(metadata);
        let mut record = [0; METADATA_BYTES];
        record[..16].copy_from_slice(&key_of(target_schema::job_id(metadata)));
        record[16] = extras.era;
        for (place, count) in record[17..23].chunks_exact_mut(2).zip(extras.alerts) {
            place.copy_from_slice(&count.to_le_bytes());
        }
        let response_ms = extras.response_ms.unwrap_or(f64::NAN);
        record[23..].copy_from_slice(&response_ms.to_le_bytes());
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
    metrics: Sorted<METRICS_BYTES>,
    metadata: Sorted<METADATA_BYTES>,
}

impl ExtrasByJob {
    pub(super) fn of(&self, job_id: &[u8]) -> Result<Extras, DiskError> {
        let key = key_of(job_id);
        let mut extras = Extras::default();
        if let Some(record) = self.metrics.get(&key)? {
            extras.spent = Spent::read(&record[16..]);
        }
        if let Some(record) = self.metadata.get(&key)? {
            extras.era = record[16];
            for (count, bytes) in extras.alerts.iter_mut().zip(record[17..23].chunks_exact(2)) {
                *count = u16::from_le_bytes(bytes.try_into().unwrap_or_default());
            }
            extras.response_ms = Some(float(&record[23..])).filter(|ms| !ms.is_nan());
        }
        Ok(extras)
    }
}

/// A job, as far as lists and totals need it.
#[derive(Debug)]
pub(super) struct Facts<'r> {
    /// What a list shows of it, without the place of its document.
    pub(super) record: Record<'r>,
    /// The models of its stages.
    pub(super) models: [Option<&'r [u8]>; 3],
    pub(super) failed_chapters: u64,
}

/// Reads a job document. Nothing of it needs the texts.
pub(super) fn facts<'r>(job: &'r [u8], extras: &Extras) -> Facts<'r> {
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
    let failed_chapters = failed_chapters(job);
    let engine = job.get("engine").and_then(Value::document);
    let models = engine.and_then(|engine| engine.get("modelOverrides")).and_then(Value::document);
    let models = MODELS.map(|stage| Some(text(models, stage)).filter(|model| !model.is_empty()));
    let mut bits = spent_bits(&extras.spent, models);
    for (bit, is_set) in [
        (bit::IN_FLIGHT, matches!(status, b"queued" | b"running")),
        (bit::FAILURES, has_failures(job)),
        (bit::FAILED_CHAPTERS, failed_chapters > 0),
        (bit::ALERTS, extras.alerts != [0; 3]),
        (bit::WARNED, extras.is_warned),
    ] {
        bits |= if is_set { bit } else { 0 };
    }
    let response = extras.response_ms.map(response_group).and_then(|at| u8::try_from(at).ok());
    let record = Record {
        era: extras.era,
        bits,
        created_ms: date("createdAt"),
        updated_ms: date("updatedAt"),
        activity_ms: date("updatedAt").max(last_activity(job)),
        cost_usd: extras.spent.total_usd,
        words: counted("totalWordCount"),
        chapters: small(counted("chaptersGenerated")),
        planned: small(counted("totalChaptersPlanned")),
        alerts: extras.alerts,
        response: response.unwrap_or(NO_RESPONSE),
        job_id: text(Some(job), "jobId"),
        title: text(payload, "title"),
        premise: text(payload, "premise"),
        status,
        genre: text(payload, "genre"),
        ..Record::default()
    };
    Facts { record, models, failed_chapters }
}

/// In which stages something was spent, and whether the model for any of it is not known.
fn spent_bits(spent: &Spent, models: [Option<&[u8]>; 3]) -> u16 {
    let mut bits = 0;
    for stage in JobStage::ALL {
        let (cost_usd, tokens, _) = spent.stage(stage);
        if cost_usd != 0.0 || tokens != 0.0 {
            bits |= bit::FIRST_STAGE << stage.index();
            let is_known = models.get(stage.index()).is_some_and(Option::is_some);
            bits |= if is_known { 0 } else { bit::NO_MODEL };
        }
    }
    bits
}

/// The last activity that a job recorded, in milliseconds since 1970.
fn last_activity(job: Document<'_>) -> i64 {
    let progress = job.get("progress").and_then(Value::document);
    let activity = progress.and_then(|progress| progress.get("lastActivity"));
    activity.and_then(Value::string).and_then(parse_iso).unwrap_or(i64::MIN)
}

fn failed_chapters(job: Document<'_>) -> u64 {
    let chapters = job.get("chapters").and_then(Value::array);
    let statuses = chapters.into_iter().flat_map(Document::values).filter_map(|chapter| {
        chapter.document().and_then(|chapter| chapter.get("status")).and_then(Value::string)
    });
    u64::try_from(statuses.filter(|status| *status == b"failed").count()).unwrap_or(0)
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

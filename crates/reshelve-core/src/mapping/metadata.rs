//! `novel_job_metadata`: story bible, alerts, decisions, enhancements, performance, and the
//! legacy record with the residue.

use super::alerts::{self, DISPLAY_LIMIT};
use super::bible;
use super::copied::{Copier, write_without_id};
use super::facts::Facts;
use super::ids::UniqueIds;
use super::legacy::{Decision, Enhancement, Legacy, Metadata};
use super::read::text;
use super::warning::{Path, WarningCode, Warnings};
use crate::raw::{Mark, Writer, kind};

/// A decision or enhancement as it is written: with a unique id and a time.
#[derive(Debug)]
pub(crate) struct Entry<'l, T> {
    pub(crate) legacy: &'l T,
    /// Its position in source order.
    order: usize,
    pub(crate) id: Vec<u8>,
    pub(crate) at: i64,
}

/// The decisions and enhancements of a job, each in order of time, ties in source order.
#[derive(Debug)]
pub(crate) struct Entries<'l, 'a> {
    decisions: Vec<Entry<'l, Decision<'a>>>,
    enhancements: Vec<Entry<'l, Enhancement<'a>>>,
}

impl<'l, 'a> Entries<'l, 'a> {
    pub(crate) fn new(legacy: &'l Legacy<'a>, created: i64) -> Self {
        let none: (&[_], &[_]) = (&[], &[]);
        let (decisions, enhancements) = legacy.metadata.as_ref().map_or(none, |metadata| {
            (metadata.decisions.as_slice(), metadata.enhancements.as_slice())
        });
        Entries {
            decisions: by_time(decisions, created, |one| (&one.id, one.timestamp)),
            enhancements: by_time(enhancements, created, |one| (&one.id, one.timestamp)),
        }
    }

    pub(crate) fn decisions_by_time(&self) -> impl Iterator<Item = &Entry<'l, Decision<'a>>> {
        self.decisions.iter()
    }

    pub(crate) fn enhancements_by_time(&self) -> impl Iterator<Item = &Entry<'l, Enhancement<'a>>> {
        self.enhancements.iter()
    }

    pub(crate) fn decision_by_time(&self, index: usize) -> &Entry<'l, Decision<'a>> {
        &self.decisions[index]
    }

    pub(crate) fn enhancement_by_time(&self, index: usize) -> &Entry<'l, Enhancement<'a>> {
        &self.enhancements[index]
    }
}

fn by_time<'l, T>(
    all: &'l [T],
    created: i64,
    read: impl Fn(&'l T) -> (&'l Vec<u8>, Option<i64>),
) -> Vec<Entry<'l, T>> {
    let mut ids = UniqueIds::default();
    let mut entries: Vec<_> = all
        .iter()
        .enumerate()
        .map(|(order, legacy)| {
            let (id, timestamp) = read(legacy);
            Entry { legacy, order, id: ids.take(id).0, at: timestamp.unwrap_or(created) }
        })
        .collect();
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// Newest first, ties in source order: runs of equal times are walked forwards.
fn newest_first<'e, 'l, T>(entries: &'e [Entry<'l, T>]) -> impl Iterator<Item = &'e Entry<'l, T>> {
    entries.chunk_by(|one, next| one.at == next.at).rev().flatten()
}

/// The position of each entry among the written ones, in source order.
fn places<T>(entries: &[Entry<'_, T>]) -> Vec<usize> {
    let mut places = vec![0; entries.len()];
    for (index, entry) in newest_first(entries).enumerate() {
        places[entry.order] = index;
    }
    places
}

/// The positions in the target of the documents of each legacy array, and of the entries of each
/// map: what was sorted or merged cannot be found by its legacy position.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) characters: Vec<usize>,
    pub(crate) locations: Vec<usize>,
    pub(crate) alerts: Vec<usize>,
    pub(crate) decisions: Vec<usize>,
    pub(crate) enhancements: Vec<usize>,
}

/// Writes the metadata document up to the residue, which depends on what is written here;
/// [`finish`] ends it.
pub(crate) fn begin(
    out: &mut Writer,
    legacy: &Legacy<'_>,
    facts: &Facts,
    entries: &Entries<'_, '_>,
    copier: Copier,
    warnings: &mut Warnings,
) -> (Mark, Places) {
    let document = out.begin();
    out.object_id("_id", facts.identity.object_id);
    out.string("jobId", &facts.identity.job_id);
    let empty = Metadata::default();
    let metadata = legacy.metadata.as_ref().unwrap_or(&empty);
    let [characters, locations] = bible::write(out, &metadata.story_bible, copier, warnings);
    let alerts = alerts::write(out, &metadata.alerts, facts.created, warnings);
    write_decisions(out, entries, copier, warnings);
    write_enhancements(out, entries);
    write_performance(out, metadata);
    let decisions = places(&entries.decisions);
    let enhancements = places(&entries.enhancements);
    (document, Places { characters, locations, alerts, decisions, enhancements })
}

fn write_decisions(
    out: &mut Writer,
    entries: &Entries<'_, '_>,
    copier: Copier,
    warnings: &mut Warnings,
) {
    let root = Path::ROOT;
    let above = root.name("metadata");
    let path = above.name("aiDecisions");
    if entries.decisions.len() > DISPLAY_LIMIT {
        warnings.add(WarningCode::OverDisplayLimit, &path);
    }
    let array = out.begin_array("aiDecisions");
    for (index, entry) in newest_first(&entries.decisions).enumerate() {
        let decision = entry.legacy;
        let item = out.begin_item(index);
        out.string("decisionId", &entry.id);
        out.string("type", text(decision.kind).unwrap_or(b"unknown"));
        out.iso("decidedAt", entry.at);
        if let Some(summary) = decision.summary {
            out.string("summary", summary);
        }
        if let Some(confidence) = decision.confidence {
            out.number("confidence", confidence);
        }
        if let Some(impact) = decision.impact {
            out.string("impact", impact);
        }
        let more = out.begin_document("metadata");
        if let Some(reasoning) = decision.reasoning {
            out.string("reasoning", reasoning);
        }
        write_alternatives(out, decision, &path.index(decision.index), copier, warnings);
        out.end_unless_empty(more);
        out.end(item);
    }
    out.end(array);
}

fn write_alternatives(
    out: &mut Writer,
    decision: &Decision<'_>,
    path: &Path<'_>,
    copier: Copier,
    warnings: &mut Warnings,
) {
    let Some(alternatives) = decision.alternatives else { return };
    let path = path.name("alternatives");
    let array = out.begin_array("alternatives");
    let mut written = 0;
    for (index, value) in alternatives.values().enumerate() {
        let Some(document) = value.document() else { continue };
        if copier.readable_without_id(document, &path.index(index), warnings) {
            let item = out.begin_item(written);
            write_without_id(out, document);
            out.end(item);
            written += 1;
        }
    }
    out.end(array);
}

fn write_enhancements(out: &mut Writer, entries: &Entries<'_, '_>) {
    let array = out.begin_array("enhancements");
    for (index, entry) in newest_first(&entries.enhancements).enumerate() {
        let enhancement = entry.legacy;
        let item = out.begin_item(index);
        out.string("enhancementId", &entry.id);
        out.iso("createdAt", entry.at);
        let data = out.begin_document("data");
        for (name, value) in [
            ("type", enhancement.kind),
            ("name", enhancement.name),
            ("description", enhancement.description),
            ("details", enhancement.details),
        ] {
            if let Some(value) = value {
                out.string(name, value);
            }
        }
        out.end_unless_empty(data);
        out.end(item);
    }
    out.end(array);
}

fn write_performance(out: &mut Writer, metadata: &Metadata<'_>) {
    let performance = out.begin_document("performance");
    let not_zero = |number: Option<f64>| number.filter(|number| *number != 0.0);
    for (name, number) in [
        ("averageResponseTime", metadata.average_response_time),
        ("totalRequests", not_zero(metadata.total_requests)),
        ("errorCount", not_zero(metadata.error_count)),
    ] {
        if let Some(number) = number {
            out.number(name, number);
        }
    }
    if let Some(date_ms) = metadata.last_health_check {
        out.iso("lastHealthCheck", date_ms);
    }
    if let Some(step) = metadata.current_step {
        out.string("currentStep", step);
    }
    if let Some(remaining) = metadata.estimated_time_remaining {
        out.number("estimatedTimeRemaining", remaining);
    }
    let phases = out.begin_document("phaseStartTimes");
    for (name, date_ms) in &metadata.phase_start_times {
        out.header(kind::STRING, name);
        out.text(crate::raw::iso(*date_ms).as_bytes());
    }
    out.end_unless_empty(phases);
    if let Some(usd) = metadata.tracked.estimated_remaining.filter(|usd| *usd > 0.0) {
        out.number("estimatedRemainingUsd", usd);
    }
    out.end_unless_empty(performance);
}

/// What the legacy record holds besides the residue.
pub(crate) struct Record {
    pub(crate) era: i32,
    pub(crate) fingerprint: [u8; 32],
}

/// Ends the metadata document: the legacy record, with the residue, and the times. Returns the
/// number of bytes that the residue takes in the document.
pub(crate) fn finish(
    out: &mut Writer,
    document: Mark,
    record: &Record,
    residue: &[u8],
    facts: &Facts,
) -> usize {
    let legacy = out.begin_document("legacy");
    out.string("mapping", super::VERSION.as_bytes());
    out.int32("era", record.era);
    out.binary("fingerprint", &record.fingerprint);
    let before = out.len();
    out.binary("residue", residue);
    let residue_bytes = out.len() - before;
    out.end(legacy);
    out.date("createdAt", facts.created);
    out.date("updatedAt", facts.updated);
    out.end(document);
    residue_bytes
}

/// The newest era with a feature that is present with its type. Era 3 cannot be told from era 2.
pub(crate) fn era(legacy: &Legacy<'_>) -> i32 {
    if legacy.metadata.is_some() {
        5
    } else if legacy.human_like_writing.is_some()
        || legacy.outline.iter().any(|entry| entry.human_like_elements.is_some())
    {
        4
    } else if legacy.chapters.iter().any(|chapter| chapter.status_is_string)
        || legacy.progress.chapters_failed.is_some()
    {
        2
    } else {
        1
    }
}

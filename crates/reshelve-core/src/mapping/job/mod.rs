//! `novel_jobs`: the job itself, as the readers of the new stack accept it.

mod chapters;
mod failures;
mod outline;
mod progress;

pub(crate) use failures::last_failure;
pub(crate) use outline::word_targets;

use super::copied::Copier;
use super::events::{Events, JobContext, Kind, QUEUE, Written};
use super::facts::{Facts, Status};
use super::legacy::Legacy;
use super::read::text;
use super::warning::{Path, Warnings};
use crate::raw::{Document, Writer};

/// The parts that are copied unchanged, each where it is readable.
struct Copies<'a> {
    analysis: Option<Document<'a>>,
    model_usage: Option<Document<'a>>,
    quality: Option<Document<'a>>,
    enhanced: Option<Document<'a>>,
}

impl<'a> Copies<'a> {
    fn new(legacy: &Legacy<'a>, copier: Copier, warnings: &mut Warnings) -> Self {
        let root = Path::ROOT;
        let metadata = root.name("metadata");
        let mut readable = |part, path: &Path<'_>| copier.readable_document(part, path, warnings);
        let quality = readable(legacy.quality_metrics, &root.name("qualityMetrics"));
        let enhanced = legacy
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.enhanced_quality)
            .filter(|enhanced| was_measured(*enhanced))
            .filter(|_| quality.is_none_or(|quality| quality.get("enhanced").is_none()));
        Copies {
            analysis: readable(legacy.analysis, &root.name("analysis")),
            model_usage: readable(legacy.model_usage, &root.name("modelUsage")),
            quality,
            enhanced: readable(enhanced, &metadata.name("enhancedQualityMetrics")),
        }
    }

    fn write_quality(&self, out: &mut Writer) {
        let Some(enhanced) = self.enhanced else {
            if let Some(quality) = self.quality {
                out.document("qualityMetrics", quality);
            }
            return;
        };
        let document = out.begin_document("qualityMetrics");
        let fields = self.quality.unwrap_or(Document::EMPTY).bytes();
        out.extend(&fields[4..fields.len() - 1]);
        out.document("enhanced", enhanced);
        out.end(document);
    }
}

/// The application stores zeros before it measures: only a number other than 0 among the
/// document's own fields is a sign of a measurement.
fn was_measured(enhanced: Document<'_>) -> bool {
    enhanced
        .values()
        .filter_map(|value| value.numeric())
        .any(|number| number.is_finite() && number != 0.0)
}

/// Writes the job document.
pub(crate) fn write(
    out: &mut Writer,
    events: &Events,
    written: &Written<'_>,
    context: &JobContext<'_, '_>,
    copier: Copier,
    warnings: &mut Warnings,
) {
    let (legacy, facts) = (context.legacy, context.facts);
    let copies = Copies::new(legacy, copier, warnings);
    let status = facts.decided.status;
    let document = out.begin();
    out.object_id("_id", facts.identity.object_id);
    out.string("jobId", &facts.identity.job_id);
    out.string("queue", QUEUE);
    out.string("status", status.as_str().as_bytes());
    let payload = out.begin_document("payload");
    write_payload(out, legacy);
    out.end(payload);
    out.iso("requestedAt", facts.created);
    out.iso("receivedAt", facts.created);
    if status != Status::Queued {
        out.iso("startedAt", facts.started);
    }
    if let Some(duration_ms) = facts.duration_ms {
        out.iso("completedAt", facts.end);
        out.number("durationMs", duration_ms);
    }
    write_analysis(out, copies.analysis);
    outline::write(out, &legacy.outline, copier, warnings);
    chapters::write(out, legacy);
    write_context(out, legacy, facts, copies.analysis);
    write_summary(out, facts);
    write_engine(out, legacy);
    events.write_quick_look(out, "events", Kind::Generation, written);
    events.write_quick_look(out, "domainEvents", Kind::Domain, written);
    failures::write(out, legacy, facts, context.last_failure.as_deref());
    progress::write(out, legacy, facts, warnings);
    if let Some(model_usage) = copies.model_usage {
        out.document("modelUsage", model_usage);
    }
    copies.write_quality(out);
    out.date("createdAt", facts.created);
    out.date("updatedAt", facts.updated);
    out.end(document);
}

fn write_payload(out: &mut Writer, legacy: &Legacy<'_>) {
    for (name, value) in [
        ("title", legacy.title),
        ("premise", legacy.premise),
        ("genre", legacy.genre),
        ("subgenre", legacy.subgenre),
    ] {
        out.string(name, value.unwrap_or_default());
    }
    out.number("targetWordCount", legacy.target_word_count.unwrap_or(0.0));
    out.number("targetChapters", legacy.target_chapters.unwrap_or(0.0));
    out.boolean("humanLikeWriting", legacy.human_like_writing.unwrap_or(false));
}

fn write_analysis(out: &mut Writer, analysis: Option<Document<'_>>) {
    match analysis {
        Some(analysis) => out.document("analysis", analysis),
        None => out.null("analysis"),
    }
}

fn write_context(
    out: &mut Writer,
    legacy: &Legacy<'_>,
    facts: &Facts,
    analysis: Option<Document<'_>>,
) {
    let context = out.begin_document("context");
    let job = out.begin_document("job");
    out.string("jobId", &facts.identity.job_id);
    write_payload(out, legacy);
    let metadata = out.begin_document("metadata");
    out.iso("requestedAt", facts.created);
    out.iso("receivedAt", facts.created);
    out.end(metadata);
    out.end(job);
    write_analysis(out, analysis);
    let chapters = out.begin_array("chapters");
    for (index, chapter) in legacy.chapters.iter().enumerate() {
        let item = out.begin_item(index);
        chapters::write_head(out, chapter);
        chapters::write_empty_attempts(out);
        out.end(item);
    }
    out.end(chapters);
    let metadata = out.begin_document("metadata");
    out.string("source", b"legacy-backfill");
    out.string("mapping", super::VERSION.as_bytes());
    if let Some(status) = legacy.status {
        out.string("legacyStatus", status);
    }
    if let Some(phase) = legacy.current_phase {
        out.string("legacyPhase", phase);
    }
    out.end(metadata);
    out.end(context);
}

fn write_summary(out: &mut Writer, facts: &Facts) {
    let summary = out.begin_document("summary");
    out.number("chaptersGenerated", facts.chapters_completed);
    out.number("totalChaptersPlanned", facts.chapters_planned);
    out.number("totalWordCount", facts.total_words);
    out.end(summary);
}

fn write_engine(out: &mut Writer, legacy: &Legacy<'_>) {
    let engine = out.begin_document("engine");
    out.string("clientType", b"openai");
    let models = out.begin_document("modelOverrides");
    for (name, usage) in [
        ("analysis", &legacy.premise_usage),
        ("outline", &legacy.outline_usage),
        ("chapter", &legacy.chapter_usage),
    ] {
        if let Some(model) = text(usage.model) {
            out.string(name, model);
        }
    }
    out.end_unless_empty(models);
    out.end(engine);
}

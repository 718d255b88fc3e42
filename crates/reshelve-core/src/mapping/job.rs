//! `novel_jobs`: the job itself, as the new stack's readers take it.

use super::copied::Copier;
use super::events::{Events, Kind, QUEUE, Teller, Written, sentence};
use super::facts::{Facts, Status, failure_stage};
use super::legacy::{Chapter, ChapterStatus, Legacy, NumberSet, OutlineEntry};
use super::read::{strings, text};
use super::warning::{Path, WarningCode, Warnings};
use crate::raw::{Document, Writer, kind};

/// The reason of a failure that only the migration made one.
const CUT_OFF: &[u8] = b"generation was in flight when the data was migrated";

/// The parts that are copied, each where it may be.
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
/// document's own fields tells of a measurement.
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
    teller: &Teller<'_, '_>,
    copier: Copier,
    warnings: &mut Warnings,
) {
    let (legacy, facts) = (teller.legacy, teller.facts);
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
    write_outline(out, &legacy.outline, copier, warnings);
    write_chapters(out, legacy);
    write_context(out, legacy, facts, copies.analysis);
    write_summary(out, facts);
    write_engine(out, legacy);
    events.write_quick_look(out, "events", Kind::Generation, written);
    events.write_quick_look(out, "domainEvents", Kind::Domain, written);
    write_failures(out, legacy, facts, teller.last_failure.as_deref());
    write_progress(out, legacy, facts, warnings);
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

fn write_outline(
    out: &mut Writer,
    outline: &[OutlineEntry<'_>],
    copier: Copier,
    warnings: &mut Warnings,
) {
    let root = Path::ROOT;
    let path = root.name("outline");
    let array = out.begin_array("outline");
    for (index, entry) in outline.iter().enumerate() {
        let item = out.begin_item(index);
        out.number("chapterNumber", entry.number);
        out.string("title", entry.title.unwrap_or_default());
        out.string("summary", entry.summary.unwrap_or_default());
        let events = out.begin_array("keyEvents");
        for (index, event) in strings(entry.key_events).enumerate() {
            out.string_item(index, event);
        }
        out.end(events);
        if let Some(words) = entry.word_target {
            out.number("wordTarget", words);
        }
        let human = entry
            .human_like_elements
            .map(|document| crate::raw::Value { kind: kind::DOCUMENT, bytes: document.bytes() });
        let path = path.index(entry.index);
        for (name, value) in [
            ("humanLikeElements", human),
            ("characterFocus", entry.character_focus),
            ("plotAdvancement", entry.plot_advancement),
            ("genreElements", entry.genre_elements),
        ] {
            if let Some(value) = value
                && let Some(value) = copier.readable(value, &path.name(name), warnings)
            {
                out.value(name, value);
            }
        }
        out.end(item);
    }
    out.end(array);
}

fn write_chapters(out: &mut Writer, legacy: &Legacy<'_>) {
    let array = out.begin_array("chapters");
    for (index, chapter) in legacy.chapters.iter().enumerate() {
        let item = out.begin_item(index);
        write_chapter_head(out, chapter);
        if let Some(content) = chapter.content {
            out.string("content", content);
        }
        if chapter.status == ChapterStatus::Completed
            && let Some(model) = text(legacy.chapter_usage.model)
        {
            out.string("model", model);
        }
        if let Some(cost) = chapter.cost {
            out.number("costInUsd", cost);
        }
        if let Some(tokens) = chapter.tokens_used {
            let document = out.begin_document("tokens");
            out.int32("promptTokens", 0);
            out.int32("completionTokens", 0);
            out.number("totalTokens", tokens);
            out.end(document);
        }
        write_empty_attempts(out);
        write_chapter_record(out, chapter);
        out.end(item);
    }
    out.end(array);
}

fn write_chapter_head(out: &mut Writer, chapter: &Chapter<'_>) {
    out.number("chapterNumber", chapter.number);
    out.string("title", chapter.title.unwrap_or_default());
    out.string("status", chapter.status.as_str().as_bytes());
    match chapter.word_count {
        Some(words) => out.number("wordCount", words),
        None => out.null("wordCount"),
    }
}

/// The prompts were never stored, and the content must not be stored twice.
fn write_empty_attempts(out: &mut Writer) {
    let attempts = out.begin_array("attempts");
    out.end(attempts);
}

fn write_chapter_record(out: &mut Writer, chapter: &Chapter<'_>) {
    let record = out.begin_document("legacy");
    if let Some(attempts) = chapter.attempts {
        out.number("attempts", attempts);
    }
    if let Some(date_ms) = chapter.last_attempt_at {
        out.iso("lastAttemptAt", date_ms);
    }
    if let Some(reason) = chapter.failure_reason {
        out.string("failureReason", reason);
    }
    if let Some(score) = chapter.quality_score {
        out.number("qualityScore", score);
    }
    if let Some(date_ms) = chapter.generated_at {
        out.iso("generatedAt", date_ms);
    }
    out.end(record);
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
        write_chapter_head(out, chapter);
        write_empty_attempts(out);
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

/// The reason of the job's own failure, where it failed: the last of its failures.
pub(crate) fn last_failure(legacy: &Legacy<'_>, facts: &Facts) -> Option<Vec<u8>> {
    if facts.decided.status != Status::Failed {
        return None;
    }
    let recorded = if facts.decided.cut_off { Some(CUT_OFF) } else { legacy.error.reason };
    Some(recorded.unwrap_or(b"job failed; the legacy record holds no reason").to_vec())
}

fn write_failures(
    out: &mut Writer,
    legacy: &Legacy<'_>,
    facts: &Facts,
    last_failure: Option<&[u8]>,
) {
    let failures = out.begin_array("failures");
    let failed = legacy.chapters.iter().filter(|chapter| chapter.status == ChapterStatus::Failed);
    let mut count = 0;
    for chapter in failed {
        let item = out.begin_item(count);
        out.iso("occurredAt", chapter.last_attempt_at.unwrap_or(facts.end));
        match text(chapter.failure_reason) {
            Some(reason) => out.string("reason", reason),
            None => {
                let end = b" failed; the legacy record holds no reason";
                out.string("reason", &sentence(b"chapter ", chapter.number, end));
            }
        }
        out.string("stage", b"chapter_writing");
        let metadata = out.begin_document("metadata");
        out.number("chapterNumber", chapter.number);
        if let Some(attempts) = chapter.attempts {
            out.number("attempts", attempts);
        }
        out.end(metadata);
        out.end(item);
        count += 1;
    }
    if let Some(reason) = last_failure {
        let item = out.begin_item(count);
        let at = legacy.error.timestamp.or(legacy.progress.failed_at).unwrap_or(facts.end);
        out.iso("occurredAt", at);
        out.string("reason", reason);
        if let Some(stage) = failure_stage(legacy) {
            out.string("stage", stage);
        }
        let metadata = out.begin_document("metadata");
        if let Some(status) = legacy.status {
            out.string("legacyStatus", status);
        }
        out.end(metadata);
        out.end(item);
    }
    out.end(failures);
}

fn write_progress(out: &mut Writer, legacy: &Legacy<'_>, facts: &Facts, warnings: &mut Warnings) {
    let recorded = &legacy.progress;
    warn_of_drift(legacy, facts, warnings);
    let progress = out.begin_document("progress");
    out.boolean("outlineComplete", recorded.outline_complete.unwrap_or(facts.outline_written));
    out.number(
        "chaptersCompleted",
        recorded.chapters_completed.unwrap_or(facts.chapters_completed),
    );
    out.number("chaptersFailed", recorded.chapters_failed.unwrap_or(facts.chapters_failed));
    out.number("totalChapters", recorded.total_chapters.unwrap_or(facts.chapters_planned));
    let numbers = out.begin_array("failedChapterNumbers");
    match recorded.failed_numbers() {
        Some(recorded) => recorded.enumerate().for_each(|(at, number)| out.number_item(at, number)),
        None => {
            failed_numbers(legacy).enumerate().for_each(|(at, number)| out.number_item(at, number))
        }
    }
    out.end(numbers);
    out.boolean("hasFailures", recorded.has_failures.unwrap_or(facts.has_failed_chapters()));
    if let Some(date_ms) = recorded.estimated_completion {
        out.iso("estimatedCompletion", date_ms);
    }
    if let Some(date_ms) = recorded.last_activity {
        out.iso("lastActivity", date_ms);
    }
    out.end(progress);
}

fn failed_numbers(legacy: &Legacy<'_>) -> impl Iterator<Item = f64> {
    let failed = legacy.chapters.iter().filter(|chapter| chapter.status == ChapterStatus::Failed);
    failed.map(|chapter| chapter.number)
}

fn warn_of_drift(legacy: &Legacy<'_>, facts: &Facts, warnings: &mut Warnings) {
    let recorded = &legacy.progress;
    let count = |recorded: Option<f64>, counted: f64| recorded.is_some_and(|n| n != counted);
    let numbers_differ = recorded.failed_numbers().is_some_and(|recorded| {
        recorded.collect::<NumberSet>() != failed_numbers(legacy).collect::<NumberSet>()
    });
    let failures_differ =
        recorded.has_failures.is_some_and(|recorded| recorded != facts.has_failed_chapters());
    let root = Path::ROOT;
    let path = root.name("progress");
    for (name, differs) in [
        ("chaptersCompleted", count(recorded.chapters_completed, facts.chapters_completed)),
        ("chaptersFailed", count(recorded.chapters_failed, facts.chapters_failed)),
        ("hasFailures", failures_differ),
        ("failedChapterNumbers", numbers_differ),
    ] {
        if differs {
            warnings.add(WarningCode::ProgressDrift, &path.name(name));
        }
    }
}

/// For each written chapter the word target of the first outline entry with its number.
pub(crate) fn word_targets(legacy: &Legacy<'_>) -> Vec<Option<f64>> {
    let mut first = std::collections::HashMap::new();
    for entry in &legacy.outline {
        // Adding 0.0 makes -0.0 the same number as 0.0.
        first.entry((entry.number + 0.0).to_bits()).or_insert(entry.word_target);
    }
    let of = |chapter: &Chapter<'_>| first.get(&(chapter.number + 0.0).to_bits());
    legacy.chapters.iter().map(|chapter| of(chapter).copied().flatten()).collect()
}

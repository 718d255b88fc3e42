//! The legacy document as the rules see it: every field with its type, or absent.
//!
//! This is the only place where types are checked (section 12 of the contract), whether or not a
//! rule needs the value. Parts that are copied are kept as borrowed bytes.

use super::read::{Typed, pick};
use super::story::{Decision, Enhancement, StoryBible};
use super::warning::{Path, WarningCode, Warnings};
use super::{alerts::Alert, read};
use crate::raw::{Document, Value};

/// A legacy document, read.
#[derive(Debug, Default)]
pub(crate) struct Legacy<'a> {
    pub(crate) id: Option<Value<'a>>,
    pub(crate) status: Option<&'a [u8]>,
    pub(crate) current_phase: Option<&'a [u8]>,
    pub(crate) premise: Option<&'a [u8]>,
    pub(crate) title: Option<&'a [u8]>,
    pub(crate) genre: Option<&'a [u8]>,
    pub(crate) subgenre: Option<&'a [u8]>,
    pub(crate) target_word_count: Option<f64>,
    /// Negative ones included; a count where it is ≥ 0.
    pub(crate) target_chapters: Option<f64>,
    pub(crate) human_like_writing: Option<bool>,
    pub(crate) created_at: Option<i64>,
    pub(crate) updated_at: Option<i64>,
    pub(crate) completed_at: Option<i64>,
    pub(crate) analysis: Option<Document<'a>>,
    pub(crate) quality_metrics: Option<Document<'a>>,
    pub(crate) error: LegacyError<'a>,
    pub(crate) outline: Vec<OutlineEntry<'a>>,
    pub(crate) chapters: Vec<Chapter<'a>>,
    pub(crate) model_usage: Option<Document<'a>>,
    pub(crate) premise_usage: Usage<'a>,
    pub(crate) outline_usage: Usage<'a>,
    pub(crate) chapter_usage: Usage<'a>,
    pub(crate) progress: Progress<'a>,
    pub(crate) metadata: Option<Metadata<'a>>,
}

/// The field `error`, which only foreign writers set.
#[derive(Debug, Default)]
pub(crate) struct LegacyError<'a> {
    /// The error itself where it is text, else its message.
    pub(crate) reason: Option<&'a [u8]>,
    pub(crate) phase: Option<&'a [u8]>,
    pub(crate) timestamp: Option<i64>,
}

/// One document of `outline`.
#[derive(Debug)]
pub(crate) struct OutlineEntry<'a> {
    /// Position in the source array.
    pub(crate) index: usize,
    /// `chapterNumber`, else position + 1.
    pub(crate) number: f64,
    pub(crate) id: Option<Value<'a>>,
    pub(crate) title: Option<&'a [u8]>,
    pub(crate) summary: Option<&'a [u8]>,
    pub(crate) key_events: Option<Document<'a>>,
    pub(crate) word_target: Option<f64>,
    pub(crate) human_like_elements: Option<Document<'a>>,
    pub(crate) character_focus: Option<Value<'a>>,
    pub(crate) plot_advancement: Option<Value<'a>>,
    pub(crate) genre_elements: Option<Value<'a>>,
}

/// One document of `chapters`.
#[derive(Debug)]
pub(crate) struct Chapter<'a> {
    /// `chapterNumber`, else position + 1.
    pub(crate) number: f64,
    pub(crate) title: Option<&'a [u8]>,
    pub(crate) content: Option<&'a [u8]>,
    pub(crate) status: ChapterStatus,
    /// Whether there is a status of the type that era 2 brought.
    pub(crate) status_is_string: bool,
    pub(crate) word_count: Option<f64>,
    pub(crate) attempts: Option<f64>,
    pub(crate) quality_score: Option<f64>,
    pub(crate) failure_reason: Option<&'a [u8]>,
    pub(crate) last_attempt_at: Option<i64>,
    pub(crate) generated_at: Option<i64>,
    pub(crate) tokens_used: Option<f64>,
    pub(crate) cost: Option<f64>,
}

/// The status of a chapter in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChapterStatus {
    Pending,
    InProgress,
    Completed,
    Failed,
}

impl ChapterStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ChapterStatus::Pending => "pending",
            ChapterStatus::InProgress => "in-progress",
            ChapterStatus::Completed => "completed",
            ChapterStatus::Failed => "failed",
        }
    }
}

/// One part of `modelUsage`.
#[derive(Debug, Default)]
pub(crate) struct Usage<'a> {
    pub(crate) model: Option<&'a [u8]>,
    pub(crate) tokens_used: Option<f64>,
    pub(crate) cost: Option<f64>,
    pub(crate) duration: Option<f64>,
}

/// The document `progress`.
#[derive(Debug, Default)]
pub(crate) struct Progress<'a> {
    pub(crate) outline_complete: Option<bool>,
    pub(crate) has_failures: Option<bool>,
    pub(crate) chapters_completed: Option<f64>,
    pub(crate) chapters_failed: Option<f64>,
    pub(crate) total_chapters: Option<f64>,
    pub(crate) failed_chapter_numbers: Option<Document<'a>>,
    pub(crate) estimated_completion: Option<i64>,
    pub(crate) last_activity: Option<i64>,
    pub(crate) failed_at: Option<i64>,
}

/// The document `metadata`, since era 5.
#[derive(Debug, Default)]
pub(crate) struct Metadata<'a> {
    pub(crate) story_bible: StoryBible<'a>,
    pub(crate) alerts: Vec<Alert<'a>>,
    pub(crate) decisions: Vec<Decision<'a>>,
    pub(crate) enhancements: Vec<Enhancement<'a>>,
    pub(crate) enhanced_quality: Option<Document<'a>>,
    pub(crate) tracked: Tracked,
    pub(crate) average_response_time: Option<f64>,
    pub(crate) total_requests: Option<f64>,
    pub(crate) error_count: Option<f64>,
    pub(crate) last_health_check: Option<i64>,
    pub(crate) current_step: Option<&'a [u8]>,
    pub(crate) estimated_time_remaining: Option<f64>,
    /// Every field of `phaseStartTimes` that holds a date, in source order.
    pub(crate) phase_start_times: Vec<(&'a [u8], i64)>,
}

/// The document `metadata.costTracking`.
#[derive(Debug, Default)]
pub(crate) struct Tracked {
    pub(crate) total_cost: Option<f64>,
    pub(crate) tokens_used: Option<f64>,
    pub(crate) estimated_remaining: Option<f64>,
    pub(crate) analysis: Option<f64>,
    pub(crate) outline: Option<f64>,
    pub(crate) chapters: Option<f64>,
}

impl<'a> Legacy<'a> {
    /// Reads a checked document.
    pub(crate) fn read(document: Document<'a>, warnings: &mut Warnings) -> Legacy<'a> {
        const NAMES: [&str; 22] = [
            "_id",
            "status",
            "currentPhase",
            "premise",
            "title",
            "genre",
            "subgenre",
            "targetWordCount",
            "targetChapters",
            "humanLikeWriting",
            "outline",
            "chapters",
            "modelUsage",
            "progress",
            "qualityMetrics",
            "metadata",
            "createdAt",
            "updatedAt",
            "completedAt",
            "analysis",
            "error",
            "__v",
        ];
        let [
            id,
            status,
            phase,
            premise,
            title,
            genre,
            subgenre,
            words,
            target_chapters,
            human,
            outline,
            chapters,
            usage,
            progress,
            quality,
            metadata,
            created,
            updated,
            completed,
            analysis,
            error,
            _,
        ] = pick(document, &NAMES);
        let root = Path::ROOT;
        let mut typed = Typed { warnings };
        let model_usage = typed.document(usage, &root.name("modelUsage"));
        let [premise_usage, outline_usage, chapter_usage] = usages(&mut typed, model_usage);
        Legacy {
            id,
            status: status.and_then(Value::string),
            current_phase: typed.string(phase, &root.name("currentPhase")),
            premise: typed.string(premise, &root.name("premise")),
            title: typed.string(title, &root.name("title")),
            genre: typed.string(genre, &root.name("genre")),
            subgenre: typed.string(subgenre, &root.name("subgenre")),
            target_word_count: typed.number(words, &root.name("targetWordCount")),
            target_chapters: typed.signed_count(target_chapters, &root.name("targetChapters")),
            human_like_writing: typed.boolean(human, &root.name("humanLikeWriting")),
            created_at: typed.date(created, &root.name("createdAt")),
            updated_at: typed.date(updated, &root.name("updatedAt")),
            completed_at: typed.date(completed, &root.name("completedAt")),
            analysis: typed.document(analysis, &root.name("analysis")),
            quality_metrics: typed.document(quality, &root.name("qualityMetrics")),
            error: LegacyError::read(&mut typed, error),
            outline: outline_entries(&mut typed, outline),
            chapters: chapter_entries(&mut typed, chapters),
            model_usage,
            premise_usage,
            outline_usage,
            chapter_usage,
            progress: Progress::read(&mut typed, progress),
            metadata: typed
                .document(metadata, &root.name("metadata"))
                .map(|document| Metadata::read(&mut typed, document)),
        }
    }

    /// `targetChapters` where it is a count.
    pub(crate) fn target_chapters_count(&self) -> Option<f64> {
        self.target_chapters.filter(|number| *number >= 0.0)
    }
}

impl<'a> LegacyError<'a> {
    fn read(typed: &mut Typed<'_>, value: Option<Value<'a>>) -> Self {
        let Some(value) = value.filter(|value| !value.is_nullish()) else {
            return LegacyError::default();
        };
        if value.string().is_some() {
            return LegacyError { reason: value.text(), ..LegacyError::default() };
        }
        let path = Path::ROOT.name("error");
        let Some(document) = value.document() else {
            typed.mismatch(&path);
            return LegacyError::default();
        };
        let [message, phase, timestamp] = pick(document, &["message", "phase", "timestamp"]);
        LegacyError {
            reason: read::text(typed.string(message, &path.name("message"))),
            phase: read::text(typed.string(phase, &path.name("phase"))),
            timestamp: typed.timestamp(timestamp, &path.name("timestamp")),
        }
    }
}

fn usages<'a>(typed: &mut Typed<'_>, model_usage: Option<Document<'a>>) -> [Usage<'a>; 3] {
    const NAMES: [&str; 3] = ["premiseAnalysis", "outlineGeneration", "chapterGeneration"];
    let Some(document) = model_usage else { return Default::default() };
    let root = Path::ROOT;
    let above = root.name("modelUsage");
    let found = pick(document, &NAMES);
    let mut usages: [Usage<'a>; 3] = Default::default();
    for ((usage, name), value) in usages.iter_mut().zip(NAMES).zip(found) {
        let path = above.name(name);
        let Some(document) = typed.document(value, &path) else { continue };
        let [model, tokens, cost, duration] =
            pick(document, &["model", "tokensUsed", "cost", "duration"]);
        *usage = Usage {
            model: typed.string(model, &path.name("model")),
            tokens_used: typed.count(tokens, &path.name("tokensUsed")),
            cost: typed.count(cost, &path.name("cost")),
            duration: typed.count(duration, &path.name("duration")),
        };
    }
    usages
}

fn outline_entries<'a>(typed: &mut Typed<'_>, value: Option<Value<'a>>) -> Vec<OutlineEntry<'a>> {
    const NAMES: [&str; 10] = [
        "_id",
        "chapterNumber",
        "title",
        "summary",
        "keyEvents",
        "characterFocus",
        "plotAdvancement",
        "wordTarget",
        "genreElements",
        "humanLikeElements",
    ];
    let root = Path::ROOT;
    let path = root.name("outline");
    let array = typed.array(value, &path);
    let mut entries = Vec::new();
    typed.documents(array, &path, |typed, index, document, path| {
        let [id, number, title, summary, events, focus, plot, words, genre, human] =
            pick(document, &NAMES);
        let key_events = typed.array(events, &path.name("keyEvents"));
        typed.expect_strings(key_events, &path.name("keyEvents"));
        entries.push(OutlineEntry {
            index,
            number: number_or_position(typed, number, path, index),
            id,
            title: typed.string(title, &path.name("title")),
            summary: typed.string(summary, &path.name("summary")),
            key_events,
            word_target: typed.number(words, &path.name("wordTarget")),
            human_like_elements: typed.document(human, &path.name("humanLikeElements")),
            character_focus: focus.filter(|value| !value.is_nullish()),
            plot_advancement: plot.filter(|value| !value.is_nullish()),
            genre_elements: genre.filter(|value| !value.is_nullish()),
        });
    });
    entries
}

/// `chapterNumber`, else the position counted from 1.
fn number_or_position(
    typed: &mut Typed<'_>,
    value: Option<Value<'_>>,
    path: &Path<'_>,
    index: usize,
) -> f64 {
    typed.number(value, &path.name("chapterNumber")).unwrap_or_else(|| read::float(index + 1))
}

fn chapter_entries<'a>(typed: &mut Typed<'_>, value: Option<Value<'a>>) -> Vec<Chapter<'a>> {
    const NAMES: [&str; 12] = [
        "chapterNumber",
        "title",
        "content",
        "wordCount",
        "status",
        "attempts",
        "lastAttemptAt",
        "failureReason",
        "qualityScore",
        "generatedAt",
        "tokensUsed",
        "cost",
    ];
    let root = Path::ROOT;
    let path = root.name("chapters");
    let array = typed.array(value, &path);
    let mut chapters: Vec<Chapter<'a>> = Vec::new();
    let mut numbers = NumberSet::default();
    typed.documents(array, &path, |typed, index, document, path| {
        let [
            number,
            title,
            content,
            words,
            status,
            attempts,
            tried,
            reason,
            score,
            made,
            tokens,
            cost,
        ] = pick(document, &NAMES);
        let content = typed.string(content, &path.name("content"));
        let number = number_or_position(typed, number, path, index);
        if !numbers.insert(number) {
            typed.warnings.add(WarningCode::DuplicateChapterNumber, path);
        }
        chapters.push(Chapter {
            number,
            title: typed.string(title, &path.name("title")),
            content,
            status: chapter_status(typed, status, content, path),
            status_is_string: status.is_some_and(|value| value.string().is_some()),
            word_count: typed.number(words, &path.name("wordCount")),
            attempts: typed.number(attempts, &path.name("attempts")),
            quality_score: typed.number(score, &path.name("qualityScore")),
            failure_reason: typed.string(reason, &path.name("failureReason")),
            last_attempt_at: typed.date(tried, &path.name("lastAttemptAt")),
            generated_at: typed.date(made, &path.name("generatedAt")),
            tokens_used: typed.count(tokens, &path.name("tokensUsed")),
            cost: typed.count(cost, &path.name("cost")),
        });
    });
    chapters
}

fn chapter_status(
    typed: &mut Typed<'_>,
    value: Option<Value<'_>>,
    content: Option<&[u8]>,
    path: &Path<'_>,
) -> ChapterStatus {
    let value = value.filter(|value| !value.is_nullish());
    match value.and_then(Value::string) {
        Some(b"pending") => return ChapterStatus::Pending,
        Some(b"generating") => return ChapterStatus::InProgress,
        Some(b"completed") => return ChapterStatus::Completed,
        Some(b"failed") => return ChapterStatus::Failed,
        _ => {}
    }
    if value.is_some() {
        typed.warnings.add(WarningCode::UnknownChapterStatus, &path.name("status"));
    }
    match read::text(content) {
        Some(_) => ChapterStatus::Completed,
        None => ChapterStatus::Pending,
    }
}

/// Chapter numbers that were seen, compared as f64 (so -0.0 is 0).
#[derive(Debug, Default)]
pub(crate) struct NumberSet(std::collections::HashSet<u64>);

impl NumberSet {
    /// Adds a number; whether it is new.
    pub(crate) fn insert(&mut self, number: f64) -> bool {
        self.0.insert((number + 0.0).to_bits())
    }

    pub(crate) fn contains(&self, number: f64) -> bool {
        self.0.contains(&(number + 0.0).to_bits())
    }
}

impl FromIterator<f64> for NumberSet {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        NumberSet(numbers.into_iter().map(|number| (number + 0.0).to_bits()).collect())
    }
}

impl PartialEq for NumberSet {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<'a> Progress<'a> {
    fn read(typed: &mut Typed<'_>, value: Option<Value<'a>>) -> Self {
        let root = Path::ROOT;
        let path = root.name("progress");
        let Some(document) = typed.document(value, &path) else { return Progress::default() };
        const NAMES: [&str; 9] = [
            "outlineComplete",
            "chaptersCompleted",
            "chaptersFailed",
            "totalChapters",
            "failedChapterNumbers",
            "hasFailures",
            "estimatedCompletion",
            "lastActivity",
            "failedAt",
        ];
        let [outline, completed, failed, total, numbers, failures, estimated, last, failed_at] =
            pick(document, &NAMES);
        let numbers_path = path.name("failedChapterNumbers");
        let failed_chapter_numbers = typed.array(numbers, &numbers_path);
        if let Some(array) = failed_chapter_numbers {
            for (index, value) in array.values().enumerate() {
                // A null element is of an unexpected type, as everywhere in an array.
                if value.is_nullish() {
                    typed.mismatch(&numbers_path.index(index));
                }
                typed.number(Some(value), &numbers_path.index(index));
            }
        }
        Progress {
            outline_complete: typed.boolean(outline, &path.name("outlineComplete")),
            has_failures: typed.boolean(failures, &path.name("hasFailures")),
            chapters_completed: typed.count(completed, &path.name("chaptersCompleted")),
            chapters_failed: typed.count(failed, &path.name("chaptersFailed")),
            total_chapters: typed.count(total, &path.name("totalChapters")),
            failed_chapter_numbers,
            estimated_completion: typed.date(estimated, &path.name("estimatedCompletion")),
            last_activity: typed.date(last, &path.name("lastActivity")),
            failed_at: typed.date(failed_at, &path.name("failedAt")),
        }
    }

    /// The numbers of `failedChapterNumbers`, where it is an array.
    pub(crate) fn failed_numbers(&self) -> Option<impl Iterator<Item = f64> + 'a> {
        let array = self.failed_chapter_numbers?;
        Some(array.elements().filter_map(|item| item.value.numeric()).filter(|n| n.is_finite()))
    }
}

impl<'a> Metadata<'a> {
    fn read(typed: &mut Typed<'_>, document: Document<'a>) -> Self {
        const NAMES: [&str; 10] = [
            "storyBible",
            "continuityAlerts",
            "enhancementsApplied",
            "aiDecisions",
            "enhancedQualityMetrics",
            "costTracking",
            "performance",
            "currentStep",
            "estimatedTimeRemaining",
            "phaseStartTimes",
        ];
        let [
            bible,
            alerts,
            enhancements,
            decisions,
            quality,
            costs,
            speed,
            step,
            remaining,
            phases,
        ] = pick(document, &NAMES);
        let root = Path::ROOT;
        let path = root.name("metadata");
        let mut metadata = Metadata {
            story_bible: StoryBible::read(typed, bible, &path.name("storyBible")),
            alerts: Alert::read_all(typed, alerts, &path.name("continuityAlerts")),
            decisions: Decision::read_all(typed, decisions, &path.name("aiDecisions")),
            enhancements: Enhancement::read_all(
                typed,
                enhancements,
                &path.name("enhancementsApplied"),
            ),
            enhanced_quality: typed.document(quality, &path.name("enhancedQualityMetrics")),
            tracked: Tracked::read(typed, costs, &path.name("costTracking")),
            current_step: typed.string(step, &path.name("currentStep")),
            estimated_time_remaining: typed.number(remaining, &path.name("estimatedTimeRemaining")),
            ..Metadata::default()
        };
        metadata.read_performance(typed, speed, &path.name("performance"));
        metadata.read_phases(typed, phases, &path.name("phaseStartTimes"));
        metadata
    }

    fn read_performance(
        &mut self,
        typed: &mut Typed<'_>,
        value: Option<Value<'a>>,
        path: &Path<'_>,
    ) {
        let Some(document) = typed.document(value, path) else { return };
        let [requests, errors, average, check] = pick(
            document,
            &["totalRequests", "errorCount", "averageResponseTime", "lastHealthCheck"],
        );
        self.average_response_time = typed.number(average, &path.name("averageResponseTime"));
        self.total_requests = typed.number(requests, &path.name("totalRequests"));
        self.error_count = typed.number(errors, &path.name("errorCount"));
        self.last_health_check = typed.date(check, &path.name("lastHealthCheck"));
    }

    fn read_phases(&mut self, typed: &mut Typed<'_>, value: Option<Value<'a>>, path: &Path<'_>) {
        let Some(document) = typed.document(value, path) else { return };
        for element in document.elements() {
            if let Some(date_ms) = typed.date(Some(element.value), &path.key(element.name)) {
                self.phase_start_times.push((element.name, date_ms));
            }
        }
    }
}

impl Tracked {
    fn read(typed: &mut Typed<'_>, value: Option<Value<'_>>, path: &Path<'_>) -> Self {
        let Some(document) = typed.document(value, path) else { return Tracked::default() };
        let [total, tokens, remaining, breakdown] =
            pick(document, &["totalCost", "tokensUsed", "estimatedRemaining", "breakdown"]);
        let parts_path = path.name("breakdown");
        let [analysis, outline, chapters] = match typed.document(breakdown, &parts_path) {
            Some(parts) => pick(parts, &["analysis", "outline", "chapters"]),
            None => [None; 3],
        };
        Tracked {
            total_cost: typed.count(total, &path.name("totalCost")),
            tokens_used: typed.count(tokens, &path.name("tokensUsed")),
            estimated_remaining: typed.count(remaining, &path.name("estimatedRemaining")),
            analysis: typed.count(analysis, &parts_path.name("analysis")),
            outline: typed.count(outline, &parts_path.name("outline")),
            chapters: typed.count(chapters, &parts_path.name("chapters")),
        }
    }
}

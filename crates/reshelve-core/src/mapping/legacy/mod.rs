//! The legacy document as the rules see it: every field with its type, or absent.
//!
//! This is the only place where types are checked (section 12 of the contract), whether or not a
//! rule needs the value. Parts that are copied are kept as borrowed bytes.

mod alerts;
mod chapters;
mod metadata;
mod outline;
mod progress;
mod story;

pub(crate) use alerts::Alert;
pub(crate) use chapters::{Chapter, ChapterStatus, NumberSet};
pub(crate) use metadata::Metadata;
pub(crate) use outline::OutlineEntry;
pub(crate) use progress::Progress;
pub(crate) use story::{Character, Decision, Enhancement, Location, StoryBible};

use super::read::{self, Typed, pick};
use super::warning::{Path, Warnings};
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
    /// Including a negative one; a count where it is ≥ 0.
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

/// One part of `modelUsage`.
#[derive(Debug, Default)]
pub(crate) struct Usage<'a> {
    pub(crate) model: Option<&'a [u8]>,
    pub(crate) tokens_used: Option<f64>,
    pub(crate) cost: Option<f64>,
    pub(crate) duration: Option<f64>,
}

/// The fields of a legacy document, roughly in stored order. No rule reads the last one.
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

impl<'a> Legacy<'a> {
    /// Reads a checked document.
    pub(crate) fn read(document: Document<'a>, warnings: &mut Warnings) -> Legacy<'a> {
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
            outline: outline::entries(&mut typed, outline),
            chapters: chapters::entries(&mut typed, chapters),
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

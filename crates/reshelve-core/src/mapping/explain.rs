//! Where every field of a legacy document goes: the rules of the mapping as a table, applied to
//! one document.

use std::collections::{BTreeMap, HashSet};

use super::{Mapper, Options, Outcome, Reject, TargetDocuments, Warning, WarningCode};
use crate::raw::{Document, Value, kind};

/// A rule: a legacy path, where it goes, and how. `[]` stands for any position of an array, `*`
/// for any key of a map. A rule whose path ends in `.**` includes everything below it.
#[derive(Debug)]
pub(super) struct Rule(pub(super) &'static str, pub(super) &'static str, pub(super) &'static str);

const NORMALISED: &str = "number, as a JavaScript driver writes it";
const COPIED: &str = "text, as it is";
const WHOLE: &str = "copied unchanged";
const ISO: &str = "date as ISO text";
const SUMMED: &str = "summed";
const DERIVED: &str = "status, times and events are derived from it";

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    Rule("_id", "novel_*._id, jobId", "identity"),
    Rule("status", "novel_jobs.status, context.metadata.legacyStatus", "table of statuses"),
    Rule("currentPhase", "novel_jobs.context.metadata.legacyPhase, failures[].stage", COPIED),
    Rule("premise", "novel_jobs.payload.premise, context.job.premise", COPIED),
    Rule("title", "novel_jobs.payload.title, context.job.title", COPIED),
    Rule("genre", "novel_jobs.payload.genre, context.job.genre", COPIED),
    Rule("subgenre", "novel_jobs.payload.subgenre, context.job.subgenre", COPIED),
    Rule("targetWordCount", "novel_jobs.payload.targetWordCount", NORMALISED),
    Rule("targetChapters", "novel_jobs.payload.targetChapters, summary.totalChaptersPlanned", NORMALISED),
    Rule("humanLikeWriting", "novel_jobs.payload.humanLikeWriting", "boolean; false where absent"),
    Rule("createdAt", "novel_*.createdAt, requestedAt, receivedAt", DERIVED),
    Rule("updatedAt", "novel_*.updatedAt", DERIVED),
    Rule("completedAt", "novel_jobs.completedAt, durationMs", DERIVED),
    Rule("analysis.**", "novel_jobs.analysis, context.analysis", WHOLE),
    Rule("error", "novel_jobs.failures[].reason", COPIED),
    Rule("error.message", "novel_jobs.failures[].reason", COPIED),
    Rule("error.phase", "novel_jobs.failures[].stage", COPIED),
    Rule("error.timestamp", "novel_jobs.failures[].occurredAt", ISO),
    Rule("outline[]._id", "novel_job_events (outline complete)", "the time inside the first one"),
    Rule("outline[].chapterNumber", "novel_jobs.outline[].chapterNumber", NORMALISED),
    Rule("outline[].title", "novel_jobs.outline[].title", COPIED),
    Rule("outline[].summary", "novel_jobs.outline[].summary", COPIED),
    Rule("outline[].keyEvents[]", "novel_jobs.outline[].keyEvents[]", COPIED),
    Rule("outline[].wordTarget", "novel_jobs.outline[].wordTarget", NORMALISED),
    Rule("outline[].characterFocus.**", "novel_jobs.outline[].characterFocus", WHOLE),
    Rule("outline[].plotAdvancement.**", "novel_jobs.outline[].plotAdvancement", WHOLE),
    Rule("outline[].genreElements.**", "novel_jobs.outline[].genreElements", WHOLE),
    Rule("outline[].humanLikeElements.**", "novel_jobs.outline[].humanLikeElements", WHOLE),
    Rule("chapters[].chapterNumber", "novel_jobs.chapters[].chapterNumber", NORMALISED),
    Rule("chapters[].title", "novel_jobs.chapters[].title", COPIED),
    Rule("chapters[].content", "novel_jobs.chapters[].content", COPIED),
    Rule("chapters[].wordCount", "novel_jobs.chapters[].wordCount, summary.totalWordCount", NORMALISED),
    Rule("chapters[].status", "novel_jobs.chapters[].status", "table of chapter statuses"),
    Rule("chapters[].attempts", "novel_jobs.chapters[].legacy.attempts", NORMALISED),
    Rule("chapters[].lastAttemptAt", "novel_jobs.chapters[].legacy.lastAttemptAt", ISO),
    Rule("chapters[].failureReason", "novel_jobs.chapters[].legacy.failureReason, failures[].reason", COPIED),
    Rule("chapters[].qualityScore", "novel_jobs.chapters[].legacy.qualityScore", NORMALISED),
    Rule("chapters[].generatedAt", "novel_jobs.chapters[].legacy.generatedAt", ISO),
    Rule("chapters[].tokensUsed", "novel_jobs.chapters[].tokens, novel_job_metrics.tokens", SUMMED),
    Rule("chapters[].cost", "novel_jobs.chapters[].costInUsd, novel_job_metrics.cost", SUMMED),
    Rule("modelUsage.**", "novel_jobs.modelUsage; models, costs, tokens and durations also to engine and novel_job_metrics", WHOLE),
    Rule("progress.outlineComplete", "novel_jobs.progress.outlineComplete", "boolean"),
    Rule("progress.chaptersCompleted", "novel_jobs.progress.chaptersCompleted", NORMALISED),
    Rule("progress.chaptersFailed", "novel_jobs.progress.chaptersFailed", NORMALISED),
    Rule("progress.totalChapters", "novel_jobs.progress.totalChapters", NORMALISED),
    Rule("progress.failedChapterNumbers[]", "novel_jobs.progress.failedChapterNumbers[]", NORMALISED),
    Rule("progress.hasFailures", "novel_jobs.progress.hasFailures", "boolean"),
    Rule("progress.estimatedCompletion", "novel_jobs.progress.estimatedCompletion", ISO),
    Rule("progress.lastActivity", "novel_jobs.progress.lastActivity, completedAt", ISO),
    Rule("progress.failedAt", "novel_jobs.failures[].occurredAt", ISO),
    Rule("qualityMetrics.**", "novel_jobs.qualityMetrics", WHOLE),
    Rule("metadata.enhancedQualityMetrics.**", "novel_jobs.qualityMetrics.enhanced", "copied unchanged where anything was measured"),
    Rule("metadata.storyBible.characters.*.description", "novel_job_metadata.storyBibleCharacters.*.summary", COPIED),
    Rule("metadata.storyBible.characters.*.traits[]", "novel_job_metadata.storyBibleCharacters.*.traits[]", COPIED),
    Rule("metadata.storyBible.characters.*.relationships[]", "novel_job_metadata.storyBibleCharacters.*.relationships[]", "text, with the character that it names"),
    Rule("metadata.storyBible.characters.*.firstAppearance", "novel_job_metadata.storyBibleCharacters.*.metadata.firstAppearance", NORMALISED),
    Rule("metadata.storyBible.characters.*.lastSeen", "novel_job_metadata.storyBibleCharacters.*.metadata.lastSeen", NORMALISED),
    Rule("metadata.storyBible.locations.*.description", "novel_job_metadata.storyBibleLocations.*.description", COPIED),
    Rule("metadata.storyBible.locations.*.firstMentioned", "novel_job_metadata.storyBibleLocations.*.firstMentioned", NORMALISED),
    Rule("metadata.storyBible.locations.*.significance", "novel_job_metadata.storyBibleLocations.*.significance", COPIED),
    Rule("metadata.storyBible.plotThreads.**", "novel_job_metadata.storyBibleMetadata.plotThreads", "documents without their _id, dates as ISO text"),
    Rule("metadata.storyBible.timeline.**", "novel_job_metadata.storyBibleMetadata.timeline", "documents without their _id, dates as ISO text"),
    Rule("metadata.storyBible.themes.**", "novel_job_metadata.storyBibleThemes, storyBibleMetadata.themes", "names, and documents without their _id"),
    Rule("metadata.continuityAlerts[].id", "novel_job_metadata.continuityAlerts[].alertId", "made unique; equal alerts are merged"),
    Rule("metadata.continuityAlerts[].severity", "novel_job_metadata.continuityAlerts[].severity, title", "one of three, else info"),
    Rule("metadata.continuityAlerts[].message", "novel_job_metadata.continuityAlerts[].message", COPIED),
    Rule("metadata.continuityAlerts[].details", "novel_job_metadata.continuityAlerts[].context.details", COPIED),
    Rule("metadata.continuityAlerts[].suggestion", "novel_job_metadata.continuityAlerts[].context.suggestion", COPIED),
    Rule("metadata.continuityAlerts[].context.chapter", "novel_job_metadata.continuityAlerts[].context.chapter, title", NORMALISED),
    Rule("metadata.continuityAlerts[].context.character", "novel_job_metadata.continuityAlerts[].context.character", COPIED),
    Rule("metadata.continuityAlerts[].context.plotThread", "novel_job_metadata.continuityAlerts[].context.plotThread", COPIED),
    Rule("metadata.continuityAlerts[].timestamp", "novel_job_metadata.continuityAlerts[].createdAt", ISO),
    Rule("metadata.continuityAlerts[].resolved", "novel_job_metadata.continuityAlerts[].resolved", "boolean"),
    Rule("metadata.aiDecisions[].id", "novel_job_metadata.aiDecisions[].decisionId", "made unique"),
    Rule("metadata.aiDecisions[].type", "novel_job_metadata.aiDecisions[].type", COPIED),
    Rule("metadata.aiDecisions[].summary", "novel_job_metadata.aiDecisions[].summary", COPIED),
    Rule("metadata.aiDecisions[].reasoning", "novel_job_metadata.aiDecisions[].metadata.reasoning", COPIED),
    Rule("metadata.aiDecisions[].confidence", "novel_job_metadata.aiDecisions[].confidence", NORMALISED),
    Rule("metadata.aiDecisions[].alternatives.**", "novel_job_metadata.aiDecisions[].metadata.alternatives", "documents without their _id"),
    Rule("metadata.aiDecisions[].impact", "novel_job_metadata.aiDecisions[].impact", COPIED),
    Rule("metadata.aiDecisions[].timestamp", "novel_job_metadata.aiDecisions[].decidedAt", ISO),
    Rule("metadata.enhancementsApplied[].id", "novel_job_metadata.enhancements[].enhancementId", "made unique"),
    Rule("metadata.enhancementsApplied[].type", "novel_job_metadata.enhancements[].data.type", COPIED),
    Rule("metadata.enhancementsApplied[].name", "novel_job_metadata.enhancements[].data.name", COPIED),
    Rule("metadata.enhancementsApplied[].description", "novel_job_metadata.enhancements[].data.description", COPIED),
    Rule("metadata.enhancementsApplied[].details", "novel_job_metadata.enhancements[].data.details", COPIED),
    Rule("metadata.enhancementsApplied[].timestamp", "novel_job_metadata.enhancements[].createdAt", ISO),
    Rule("metadata.costTracking.totalCost", "novel_job_metrics.cost.totalUsd", "where greater than 0"),
    Rule("metadata.costTracking.tokensUsed", "novel_job_metrics.tokens.total", "where greater than 0"),
    Rule("metadata.costTracking.estimatedRemaining", "novel_job_metadata.performance.estimatedRemainingUsd", "where greater than 0"),
    Rule("metadata.costTracking.breakdown.analysis", "novel_job_metrics.cost.analysisUsd", "where modelUsage has none"),
    Rule("metadata.costTracking.breakdown.outline", "novel_job_metrics.cost.outlineUsd", "where modelUsage has none"),
    Rule("metadata.costTracking.breakdown.chapters", "novel_job_metrics.cost.chaptersUsd", "where chapters and modelUsage have none"),
    Rule("metadata.performance.averageResponseTime", "novel_job_metadata.performance.averageResponseTime", NORMALISED),
    Rule("metadata.performance.totalRequests", "novel_job_metadata.performance.totalRequests", "where not 0"),
    Rule("metadata.performance.errorCount", "novel_job_metadata.performance.errorCount", "where not 0"),
    Rule("metadata.performance.lastHealthCheck", "novel_job_metadata.performance.lastHealthCheck", ISO),
    Rule("metadata.currentStep", "novel_job_metadata.performance.currentStep", COPIED),
    Rule("metadata.estimatedTimeRemaining", "novel_job_metadata.performance.estimatedTimeRemaining", NORMALISED),
    Rule("metadata.phaseStartTimes.*", "novel_job_metadata.performance.phaseStartTimes.*, novel_jobs.startedAt", ISO),
];

/// The three maps of a legacy document, whose keys are data.
const MAPS: [&str; 3] =
    ["metadata.storyBible.characters", "metadata.storyBible.locations", "metadata.phaseStartTimes"];

/// Where the fields of one legacy path go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Explained {
    /// The legacy path, with `[]` for positions and `*` for map keys.
    pub path: String,
    /// The number of fields of the document with this path.
    pub occurrences: u64,
    /// The target path; none where the field is kept in the residue only.
    pub target: Option<String>,
    /// The rule, in words.
    pub rule: String,
}

/// One document, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Each legacy path, in the order of the document.
    pub fields: Vec<Explained>,
    /// The warnings that mapping the document gives.
    pub warnings: Vec<Warning>,
    /// The reason, where the document is rejected.
    pub reject: Option<Reject>,
}

/// Explains one document, given as BSON that passed [`check`](crate::raw::check).
pub fn explain(legacy: &[u8], options: Options) -> Explanation {
    let outcome = Mapper::new(options).map(legacy, &mut TargetDocuments::default());
    let (warnings, reject) = match outcome {
        Outcome::Mapped(mapped) => (mapped.warnings, None),
        Outcome::Skipped => (Vec::new(), None),
        Outcome::Rejected(reject) => (Vec::new(), Some(reject)),
    };
    let mut order = Vec::new();
    let mut counts = BTreeMap::new();
    walk(Document::new(legacy), &warnings, &mut |found| {
        let Found { folded, rule, reason, .. } = found;
        let key = (folded.to_owned(), rule.is_some());
        let explained = counts.entry(key.clone()).or_insert_with(|| {
            order.push(key);
            Explained {
                path: folded.to_owned(),
                occurrences: 0,
                target: rule.map(|rule| rule.1.to_owned()),
                rule: rule.map_or(reason, |rule| rule.2).to_owned(),
            }
        });
        explained.occurrences += 1;
    });
    let fields = order.iter().map(|key| counts[key].clone()).collect();
    Explanation { fields, warnings, reject }
}

/// A field of a legacy document, as a walk over it finds it.
pub(super) struct Found<'f, 'd> {
    /// Its path with `[]` for positions and `*` for map keys.
    pub(super) folded: &'f str,
    /// Its path.
    pub(super) exact: &'f str,
    /// The positions and map keys in its path.
    pub(super) steps: &'f [Step],
    pub(super) value: Value<'d>,
    /// The rule that takes it to the target.
    pub(super) rule: Option<&'static Rule>,
    /// Why it is kept in the residue only, where no rule takes it.
    pub(super) reason: &'static str,
}

/// A position in an array, or a key of a map.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// The folded path of the array or map.
    pub(super) of: String,
    /// How many before it are written: of what has a rule, documents or values.
    pub(super) rank: usize,
    /// The key, as text; empty in an array.
    pub(super) key: String,
}

/// Finds every field of a document, in its order; the warnings are those of its mapping.
pub(super) fn walk<'d>(
    document: Document<'d>,
    warnings: &[Warning],
    tell: &mut dyn FnMut(Found<'_, 'd>),
) {
    let unusable = warnings.iter().filter(|warning| is_unusable(warning.code)).collect();
    let mut walk = Walk { unusable, seen: HashSet::new(), steps: Vec::new(), tell };
    walk.fields(document, "", "");
}

/// Whether a warning says that the value at its path is kept in the residue only.
fn is_unusable(code: WarningCode) -> bool {
    matches!(
        code,
        WarningCode::TypeMismatch
            | WarningCode::InvalidDate
            | WarningCode::InvalidNumber
            | WarningCode::UnreadablePart
    )
}

struct Walk<'w, 'd> {
    unusable: Vec<&'w Warning>,
    /// Exact paths seen so far: of a repeated name, only the first one counts.
    seen: HashSet<String>,
    steps: Vec<Step>,
    tell: &'w mut dyn FnMut(Found<'_, 'd>),
}

impl<'d> Walk<'_, 'd> {
    fn fields(&mut self, document: Document<'d>, folded: &str, exact: &str) {
        let is_map = MAPS.contains(&folded);
        for (rank, element) in document.elements().enumerate() {
            let name = element.name_text();
            let below = join(folded, if is_map { "*" } else { &name });
            let exact = join(exact, &name);
            let first = self.seen.insert(exact.clone());
            if is_map {
                let key = name.into_owned();
                self.steps.push(Step { of: folded.to_owned(), rank, key });
            }
            self.value(element.value, &below, &exact, first || is_map);
            if is_map {
                self.steps.pop();
            }
        }
    }

    fn value(&mut self, value: Value<'d>, folded: &str, exact: &str, meant: bool) {
        let rule = RULES.iter().find(|rule| {
            rule.0 == folded || rule.0.strip_suffix(".**").is_some_and(|root| root == folded)
        });
        let leads_on = RULES.iter().any(|rule| {
            let rest = rule.0.strip_prefix(folded);
            rest.is_some_and(|rest| rest.starts_with('.') || rest.starts_with("[]"))
        });
        let whole = rule.is_some_and(|rule| rule.0.ends_with(".**"));
        if meant && leads_on && !whole && !self.is_unusable(exact) {
            match value.kind {
                kind::DOCUMENT => return self.fields(Document::new(value.bytes), folded, exact),
                kind::ARRAY => return self.items(Document::new(value.bytes), folded, exact),
                _ => {}
            }
        }
        let reason = if !meant {
            Some("residue: the name repeats")
        } else if value.is_nullish() {
            Some("residue: null counts as absent")
        } else if self.is_unusable(exact) {
            Some("residue: not of the type that the rule expects")
        } else {
            None
        };
        let rule = rule.filter(|_| reason.is_none());
        let reason = reason.unwrap_or("residue");
        (self.tell)(Found { folded, exact, steps: &self.steps, value, rule, reason });
    }

    fn items(&mut self, array: Document<'d>, folded: &str, exact: &str) {
        let below = format!("{folded}[]");
        let (mut documents, mut values) = (0, 0);
        for (index, value) in array.values().enumerate() {
            let exact = join(exact, &index.to_string());
            let step = |rank| Step { of: folded.to_owned(), rank, key: String::new() };
            match value.document() {
                Some(document) => {
                    self.steps.push(step(documents));
                    self.fields(document, &below, &exact);
                    documents += 1;
                }
                None => {
                    self.steps.push(step(values));
                    self.value(value, &below, &exact, true);
                    // What is of no use, and a relationship without words, is not written.
                    let is_empty = value.string().is_some_and(<[u8]>::is_empty);
                    let is_left_out = is_empty && folded.ends_with(".relationships");
                    let is_written = !self.is_unusable(&exact) && !value.is_nullish();
                    values += usize::from(is_written && !is_left_out);
                }
            }
            self.steps.pop();
        }
    }

    fn is_unusable(&self, exact: &str) -> bool {
        self.unusable.iter().any(|warning| warning.path == exact)
    }
}

fn join(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Writer;

    #[test]
    fn every_field_has_a_place() {
        let mut out = Writer::default();
        let document = out.begin();
        out.string("_id", b"a");
        out.string("status", b"completed");
        out.int32("title", 5);
        out.string("color", b"blue");
        let chapters = out.begin_array("chapters");
        for index in 0..2 {
            let chapter = out.begin_item(index);
            out.string("content", b"text");
            out.null("wordCount");
            out.end(chapter);
        }
        out.end(chapters);
        out.string("status", b"failed");
        out.end(document);
        let explanation = explain(out.bytes(), Options::default());
        let lines: Vec<String> = explanation
            .fields
            .iter()
            .map(|field| format!("{} {} {}", field.path, field.occurrences, field.target.is_some()))
            .collect();
        assert_eq!(
            lines,
            [
                "_id 1 true",
                "status 1 true",
                "title 1 false",
                "color 1 false",
                "chapters[].content 2 true",
                "chapters[].wordCount 2 false",
                "status 1 false",
            ]
        );
        let codes: Vec<&str> =
            explanation.warnings.iter().map(|warning| warning.code.as_str()).collect();
        assert_eq!(codes, ["time-missing", "type-mismatch"]);
    }
}

//! The dictionaries of the residue: names, frequent strings, and the default metadata.
//!
//! They are part of the format: an entry's number never changes; new ones go to the end, and then
//! the residue has a new version.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::raw::Writer;

/// Names in the order in which stored documents have them, so that the name that follows the last
/// one is found at once. A name may stand here more than once.
pub(crate) const NAMES: &[&str] = &[
    // END of a document is 0: no name has that number.
    "",
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
    "__v",
    "completedAt",
    "analysis",
    "error",
    // outline[]
    "chapterNumber",
    "title",
    "summary",
    "keyEvents",
    "characterFocus",
    "plotAdvancement",
    "wordTarget",
    "genreElements",
    "humanLikeElements",
    "_id",
    // chapters[]
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
    // modelUsage
    "premiseAnalysis",
    "outlineGeneration",
    "chapterGeneration",
    "model",
    "tokensUsed",
    "cost",
    "duration",
    // progress
    "outlineComplete",
    "chaptersCompleted",
    "chaptersFailed",
    "totalChapters",
    "failedChapterNumbers",
    "hasFailures",
    "estimatedCompletion",
    "lastActivity",
    "failedAt",
    "recoveryAttempts",
    // metadata
    "storyBible",
    "characters",
    "locations",
    "plotThreads",
    "timeline",
    "themes",
    "continuityAlerts",
    "enhancementsApplied",
    "aiDecisions",
    "enhancedQualityMetrics",
    "humanLikenessScore",
    "complexityScore",
    "consistencyScore",
    "creativityScore",
    "costTracking",
    "totalCost",
    "tokensUsed",
    "estimatedRemaining",
    "breakdown",
    "analysis",
    "outline",
    "chapters",
    "performance",
    "totalRequests",
    "errorCount",
    "averageResponseTime",
    "lastHealthCheck",
    "currentStep",
    "estimatedTimeRemaining",
    "phaseStartTimes",
    "premise_analysis",
    "outline_generation",
    "chapter_writing",
    "quality_validation",
    "finalization",
    // story bible, alerts, decisions, enhancements
    "description",
    "traits",
    "relationships",
    "lastSeen",
    "firstAppearance",
    "firstMentioned",
    "significance",
    "introducedIn",
    "lastUpdated",
    "chapter",
    "timestamp",
    "importance",
    "name",
    "examples",
    "id",
    "severity",
    "message",
    "details",
    "suggestion",
    "context",
    "timestamp",
    "resolved",
    "character",
    "plotThread",
    "type",
    "reasoning",
    "confidence",
    "alternatives",
    "impact",
    "option",
    "reason",
    "phase",
];

/// Strings that many documents hold.
pub(crate) const WORDS: &[&str] = &[
    "",
    "planning",
    "outlining",
    "writing",
    "completed",
    "failed",
    "recovering",
    "pending",
    "generating",
    "premise_analysis",
    "outline_generation",
    "chapter_writing",
    "quality_validation",
    "finalization",
    "processing",
    "analyzing",
    "cancelled",
    "queued",
    "running",
    "gpt-4o",
    "gpt-4o-mini",
    "info",
    "warning",
    "critical",
    "active",
    "resolved",
    "developing",
    "minor",
    "major",
    "character",
    "dialogue",
    "plot",
    "style",
    "world",
    "character-development",
    "plot-choice",
    "dialogue-style",
    "scene-setting",
    "enhancement-application",
    "continuity-check",
];

static NAME_NUMBERS: LazyLock<HashMap<&'static [u8], u8>> = LazyLock::new(|| numbers(NAMES));
static WORD_NUMBERS: LazyLock<HashMap<&'static [u8], u8>> = LazyLock::new(|| numbers(WORDS));

fn numbers(list: &'static [&'static str]) -> HashMap<&'static [u8], u8> {
    let mut map = HashMap::new();
    for (index, entry) in list.iter().enumerate() {
        if let Ok(number) = u8::try_from(index) {
            map.entry(entry.as_bytes()).or_insert(number);
        }
    }
    map
}

/// The number of a name; the one behind `last` where that fits. The empty name has none.
pub(crate) fn name_number(name: &[u8], last: u8) -> Option<u8> {
    let next = last.wrapping_add(1);
    if next > 1 && NAMES.get(usize::from(next)).is_some_and(|known| known.as_bytes() == name) {
        return Some(next);
    }
    NAME_NUMBERS.get(name).copied().filter(|number| *number > 0)
}

/// The number of a frequent string.
pub(crate) fn word_number(text: &[u8]) -> Option<u8> {
    // The longest word has 23 bytes: most text need not be hashed.
    if text.len() > 23 {
        return None;
    }
    WORD_NUMBERS.get(text).copied()
}

/// The bytes of the `metadata` that the application gives every document of era 5
/// (legacy-schema: "No commit of the application ever wrote into it").
pub(crate) static DEFAULT_METADATA: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut out = Writer::default();
    let document = out.begin();
    let bible = out.begin_document("storyBible");
    for name in ["characters", "locations"] {
        let map = out.begin_document(name);
        out.end(map);
    }
    for name in ["plotThreads", "timeline", "themes"] {
        let array = out.begin_array(name);
        out.end(array);
    }
    out.end(bible);
    for name in ["continuityAlerts", "enhancementsApplied", "aiDecisions"] {
        let array = out.begin_array(name);
        out.end(array);
    }
    let zeros = |out: &mut Writer, names: &[&str]| {
        names.iter().for_each(|name| out.int32(name, 0));
    };
    let quality = out.begin_document("enhancedQualityMetrics");
    zeros(
        &mut out,
        &["humanLikenessScore", "complexityScore", "consistencyScore", "creativityScore"],
    );
    out.end(quality);
    let costs = out.begin_document("costTracking");
    zeros(&mut out, &["totalCost", "tokensUsed", "estimatedRemaining"]);
    let breakdown = out.begin_document("breakdown");
    zeros(&mut out, &["analysis", "outline", "chapters"]);
    out.end(breakdown);
    out.end(costs);
    let performance = out.begin_document("performance");
    zeros(&mut out, &["totalRequests", "errorCount"]);
    out.end(performance);
    out.end(document);
    out.into_bytes()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_fit_a_byte_below_the_spelled_marker() {
        assert!(NAMES.len() <= usize::from(super::super::NAME_SPELLED));
        assert!(WORDS.len() <= 255);
        assert!(WORDS.iter().all(|word| word.len() <= 23));
        assert_eq!(
            DEFAULT_METADATA.len(),
            DEFAULT_METADATA[0] as usize + 256 * DEFAULT_METADATA[1] as usize
        );
    }
}

//! The dictionaries of the residue: names, frequent strings, and the default metadata.
//!
//! They are part of the format: the number of an entry never changes. New entries go to the end,
//! and give the residue a new version.

use std::sync::LazyLock;

use super::token;
use crate::raw::Writer;

/// Names in the order of stored documents, each with its usual token, so that the name after the
/// last one is found at once. A name may occur more than once.
pub(crate) const NAMES: &[(&str, u8)] = &[
    // END of a document is 0: no name has that number.
    ("", token::END),
    ("_id", token::NEXT_OBJECT_ID),
    ("status", token::WORD),
    ("currentPhase", token::WORD),
    ("premise", token::COPY),
    ("title", token::COPY),
    ("genre", token::COPY),
    ("subgenre", token::COPY),
    ("targetWordCount", token::INT32),
    ("targetChapters", token::INT32),
    ("humanLikeWriting", token::TRUE),
    ("outline", token::ARRAY),
    ("chapters", token::ARRAY),
    ("modelUsage", token::COPY),
    ("progress", token::DOCUMENT),
    ("qualityMetrics", token::COPY),
    ("metadata", token::DEFAULT_METADATA),
    ("createdAt", token::DATE),
    ("updatedAt", token::DATE),
    ("__v", token::INT32),
    ("completedAt", token::DATE),
    ("analysis", token::COPY),
    ("error", token::COPY),
    // outline[]
    ("chapterNumber", token::INT32),
    ("title", token::COPY),
    ("summary", token::COPY),
    ("keyEvents", token::COPY),
    ("characterFocus", token::COPY),
    ("plotAdvancement", token::COPY),
    ("wordTarget", token::INT32),
    ("genreElements", token::COPY),
    ("humanLikeElements", token::COPY),
    ("_id", token::OBJECT_ID),
    // chapters[]
    ("chapterNumber", token::INT32),
    ("title", token::COPY),
    ("content", token::COPY),
    ("wordCount", token::INT32),
    ("status", token::WORD),
    ("attempts", token::INT32),
    ("lastAttemptAt", token::DATE),
    ("failureReason", token::COPY),
    ("qualityScore", token::INT32),
    ("generatedAt", token::DATE),
    ("tokensUsed", token::INT32),
    ("cost", token::DOUBLE),
    // modelUsage
    ("premiseAnalysis", token::DOCUMENT),
    ("outlineGeneration", token::DOCUMENT),
    ("chapterGeneration", token::NULL),
    ("model", token::WORD),
    ("tokensUsed", token::INT32),
    ("cost", token::DOUBLE),
    ("duration", token::INT32),
    // progress
    ("outlineComplete", token::TRUE),
    ("chaptersCompleted", token::INT32),
    ("chaptersFailed", token::INT32),
    ("totalChapters", token::INT32),
    ("failedChapterNumbers", token::ARRAY),
    ("hasFailures", token::FALSE),
    ("estimatedCompletion", token::DATE),
    ("lastActivity", token::DATE),
    ("failedAt", token::DATE),
    // metadata
    ("storyBible", token::DOCUMENT),
    ("characters", token::DOCUMENT),
    ("locations", token::DOCUMENT),
    ("plotThreads", token::ARRAY),
    ("timeline", token::ARRAY),
    ("themes", token::ARRAY),
    ("continuityAlerts", token::ARRAY),
    ("enhancementsApplied", token::ARRAY),
    ("aiDecisions", token::ARRAY),
    ("enhancedQualityMetrics", token::COPY),
    ("humanLikenessScore", token::INT32),
    ("complexityScore", token::INT32),
    ("consistencyScore", token::INT32),
    ("creativityScore", token::INT32),
    ("costTracking", token::DOCUMENT),
    ("totalCost", token::DOUBLE),
    ("tokensUsed", token::INT32),
    ("estimatedRemaining", token::INT32),
    ("breakdown", token::DOCUMENT),
    ("analysis", token::INT32),
    ("outline", token::INT32),
    ("chapters", token::INT32),
    ("performance", token::DOCUMENT),
    ("totalRequests", token::INT32),
    ("errorCount", token::INT32),
    ("averageResponseTime", token::DOUBLE),
    ("lastHealthCheck", token::DATE),
    ("currentStep", token::COPY),
    ("estimatedTimeRemaining", token::INT32),
    ("phaseStartTimes", token::DOCUMENT),
    ("premise_analysis", token::DATE),
    ("outline_generation", token::DATE),
    ("chapter_writing", token::DATE),
    ("quality_validation", token::DATE),
    // story bible, alerts, decisions, enhancements
    ("description", token::COPY),
    ("traits", token::COPY),
    ("relationships", token::ARRAY),
    ("lastSeen", token::INT32),
    ("firstAppearance", token::INT32),
    ("firstMentioned", token::INT32),
    ("significance", token::COPY),
    ("introducedIn", token::COPY),
    ("lastUpdated", token::COPY),
    ("chapter", token::COPY),
    ("timestamp", token::DATE),
    ("importance", token::COPY),
    ("name", token::COPY),
    ("examples", token::COPY),
    ("id", token::STRING),
    ("severity", token::WORD),
    ("message", token::COPY),
    ("details", token::COPY),
    ("suggestion", token::COPY),
    ("context", token::DOCUMENT),
    ("timestamp", token::DATE),
    ("resolved", token::FALSE),
    ("character", token::COPY),
    ("plotThread", token::COPY),
    ("type", token::WORD),
    ("reasoning", token::COPY),
    ("confidence", token::DOUBLE),
    ("alternatives", token::ARRAY),
    ("impact", token::COPY),
    ("option", token::COPY),
    ("reason", token::COPY),
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

static NAME_NUMBERS: LazyLock<Dictionary> =
    LazyLock::new(|| Dictionary::new(NAMES.iter().map(|(name, _)| *name)));
static WORD_NUMBERS: LazyLock<Dictionary> =
    LazyLock::new(|| Dictionary::new(WORDS.iter().copied()));

/// The number of places of a dictionary: many more than entries, so that most are found at once.
const DICTIONARY_PLACES: usize = 1024;

/// Numbers by text, in a table with linear probing. Every name of every document that is not in
/// its usual position is looked up here: a hash of a few bytes will do.
struct Dictionary {
    places: [Option<(&'static [u8], u8)>; DICTIONARY_PLACES],
}

impl Dictionary {
    /// The first of equal entries counts.
    fn new(list: impl Iterator<Item = &'static str>) -> Self {
        let mut dictionary = Dictionary { places: [None; DICTIONARY_PLACES] };
        for (index, entry) in list.enumerate() {
            let entry = entry.as_bytes();
            if let Ok(number) = u8::try_from(index)
                && let Err(place) = dictionary.find(entry)
            {
                dictionary.places[place] = Some((entry, number));
            }
        }
        dictionary
    }

    /// The number of a text, else the free place for it.
    fn find(&self, text: &[u8]) -> Result<u8, usize> {
        let first =
            text.first_chunk().map_or(0, |head: &[u8; 2]| usize::from(u16::from_le_bytes(*head)));
        let last = text.last().map_or(0, |last| usize::from(*last));
        let mut place = first.wrapping_mul(31) ^ last.wrapping_mul(197) ^ (text.len() << 5);
        loop {
            place %= DICTIONARY_PLACES;
            match self.places[place] {
                Some((known, number)) if known == text => return Ok(number),
                Some(_) => place += 1,
                None => return Err(place),
            }
        }
    }
}

/// The number of a name: the one after `last` where that fits. The empty name has none.
pub(crate) fn name_number(name: &[u8], last: u8) -> Option<u8> {
    let next = last.wrapping_add(1);
    if next > 1 && NAMES.get(usize::from(next)).is_some_and(|(known, _)| known.as_bytes() == name) {
        return Some(next);
    }
    NAME_NUMBERS.find(name).ok().filter(|number| *number > 0)
}

/// The number of a frequent string.
pub(crate) fn word_number(text: &[u8]) -> Option<u8> {
    // The longest word has 23 bytes: most text need not be hashed.
    if text.len() > 23 {
        return None;
    }
    WORD_NUMBERS.find(text).ok()
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
    use super::super::USUAL_TOKEN;
    use super::*;

    #[test]
    fn dictionaries_fit_their_bytes() {
        assert!(NAMES.len() < usize::from(USUAL_TOKEN));
        assert!(WORDS.len() <= 255);
        assert!(WORDS.iter().all(|word| word.len() <= 23));
        assert_eq!(
            DEFAULT_METADATA.len(),
            DEFAULT_METADATA[0] as usize + 256 * DEFAULT_METADATA[1] as usize
        );
    }
}

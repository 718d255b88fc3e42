//! What the legacy schema names: its paths, its maps, its enumerations. `docs/legacy-schema.md` in
//! a form that a walk can query.

use std::collections::HashSet;
use std::sync::LazyLock;

/// A document of the schema and its named fields. A field that ends in `[]` is an array, and its
/// elements are named with it.
struct Named(&'static str, &'static str);

#[rustfmt::skip]
const NAMED: &[Named] = &[
    Named("", "_id __v status currentPhase premise title genre subgenre targetWordCount targetChapters humanLikeWriting outline[] chapters[] modelUsage progress qualityMetrics metadata createdAt updatedAt completedAt analysis error"),
    Named("outline[]", "_id chapterNumber title summary keyEvents[] characterFocus[] plotAdvancement wordTarget genreElements[] humanLikeElements"),
    Named("outline[].humanLikeElements", "structureType characterConflict moralComplexity unresolvedElement surpriseElement mundaneDetail"),
    Named("chapters[]", "_id chapterNumber title content wordCount status attempts lastAttemptAt failureReason qualityScore generatedAt tokensUsed cost"),
    Named("modelUsage", "outlineGeneration chapterGeneration premiseAnalysis"),
    Named("modelUsage.outlineGeneration", "model tokensUsed cost duration"),
    Named("modelUsage.chapterGeneration", "model tokensUsed cost duration"),
    Named("modelUsage.premiseAnalysis", "model tokensUsed cost duration"),
    Named("progress", "outlineComplete chaptersCompleted chaptersFailed totalChapters failedChapterNumbers[] hasFailures estimatedCompletion lastActivity recoveryAttempts[] failedAt"),
    Named("qualityMetrics", "averageChapterLength genreAdherence characterConsistency plotContinuity totalWordCount targetAccuracy completionRate chaptersCompleted chaptersFailed hasFailures failedChapters"),
    Named("error", "message phase timestamp"),
    Named("metadata", "storyBible continuityAlerts[] enhancementsApplied[] aiDecisions[] enhancedQualityMetrics costTracking performance currentStep estimatedTimeRemaining phaseStartTimes"),
    Named("metadata.storyBible", "characters locations plotThreads[] timeline[] themes[]"),
    Named("metadata.storyBible.characters", "*"),
    Named("metadata.storyBible.characters.*", "_id description traits[] relationships[] lastSeen firstAppearance"),
    Named("metadata.storyBible.locations", "*"),
    Named("metadata.storyBible.locations.*", "_id description firstMentioned significance"),
    Named("metadata.storyBible.plotThreads[]", "_id title description status introducedIn lastUpdated"),
    Named("metadata.storyBible.timeline[]", "_id title description chapter timestamp importance"),
    Named("metadata.storyBible.themes[]", "_id name description examples[]"),
    Named("metadata.continuityAlerts[]", "_id id severity message details suggestion context timestamp resolved"),
    Named("metadata.continuityAlerts[].context", "chapter character plotThread"),
    Named("metadata.enhancementsApplied[]", "_id id type name description details timestamp"),
    Named("metadata.aiDecisions[]", "_id id type summary reasoning confidence alternatives[] impact timestamp"),
    Named("metadata.aiDecisions[].alternatives[]", "_id option reason"),
    Named("metadata.enhancedQualityMetrics", "humanLikenessScore complexityScore consistencyScore creativityScore"),
    Named("metadata.costTracking", "totalCost tokensUsed estimatedRemaining breakdown"),
    Named("metadata.costTracking.breakdown", "analysis outline chapters"),
    Named("metadata.performance", "totalRequests errorCount averageResponseTime lastHealthCheck"),
    Named("metadata.phaseStartTimes", "*"),
];

/// Parts that the schema names without their fields: everything in them is known.
const WHOLE: [&str; 2] = ["analysis", "progress.recoveryAttempts[]"];

/// The three maps, whose keys are data.
const MAPS: [&str; 3] =
    ["metadata.storyBible.characters", "metadata.storyBible.locations", "metadata.phaseStartTimes"];

/// Fields that, by the schema, hold one of a few words: their values are listed even if each is
/// rare.
const ENUMERATIONS: [&str; 13] = [
    "status",
    "currentPhase",
    "genre",
    "subgenre",
    "chapters[].status",
    "modelUsage.outlineGeneration.model",
    "modelUsage.chapterGeneration.model",
    "modelUsage.premiseAnalysis.model",
    "metadata.storyBible.plotThreads[].status",
    "metadata.storyBible.timeline[].importance",
    "metadata.continuityAlerts[].severity",
    "metadata.enhancementsApplied[].type",
    "metadata.aiDecisions[].type",
];

static KNOWN: LazyLock<HashSet<Vec<u8>>> = LazyLock::new(|| {
    let mut known = HashSet::new();
    for Named(above, names) in NAMED {
        for name in names.split(' ') {
            let dot = if above.is_empty() { "" } else { "." };
            let path = format!("{above}{dot}{name}");
            if let Some(array) = path.strip_suffix("[]") {
                known.insert(array.as_bytes().to_vec());
            }
            known.insert(path.into_bytes());
        }
    }
    known
});

static NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let names = NAMED.iter().flat_map(|Named(_, names)| names.split(' '));
    names.map(|name| name.trim_end_matches("[]")).collect()
});

/// Whether the schema has a field of that name, anywhere.
pub fn is_name(name: &str) -> bool {
    NAMES.contains(name)
}

/// Every path that the schema names.
#[cfg(test)]
pub(crate) fn schema_paths() -> impl Iterator<Item = String> {
    KNOWN.iter().map(|path| String::from_utf8_lossy(path).into_owned())
}

/// Whether the schema names a path.
pub(crate) fn is_known(path: &[u8]) -> bool {
    let below = |whole: &str| {
        let rest = path.strip_prefix(whole.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b".") || rest.starts_with(b"["))
    };
    KNOWN.contains(path) || WHOLE.iter().any(|whole| below(whole))
}

/// Whether the keys of the document at a path are data.
pub(crate) fn is_map(path: &[u8]) -> bool {
    MAPS.iter().any(|map| map.as_bytes() == path)
}

/// Whether the schema says that a field holds one of a few words.
pub(crate) fn is_enumeration(path: &[u8]) -> bool {
    ENUMERATIONS.iter().any(|one| one.as_bytes() == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_known_and_nothing_else() {
        for path in [
            "__v",
            "chapters",
            "chapters[]",
            "chapters[].cost",
            "metadata.storyBible.characters.*.traits[]",
            "analysis.themes[].name",
            "progress.recoveryAttempts[].at",
        ] {
            assert!(is_known(path.as_bytes()), "{path}");
        }
        for path in ["analysisNotes", "chapters.0", "chapters[].notes", "error.stack", ""] {
            assert!(!is_known(path.as_bytes()), "{path}");
        }
        assert!(ENUMERATIONS.iter().all(|path| is_known(path.as_bytes())));
    }
}

//! Where a value of a target document comes from: the rules of the mapping, read backwards.

use super::explain::{RULES, Rule};

/// A legacy path that a target value comes from, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LegacyOrigin {
    /// The legacy path, with `[]` for any position and `*` for any key of a map.
    pub path: &'static str,
    /// The rule, in words.
    pub rule: &'static str,
}

const SYNTHESIZED: &str = "events are synthesized from it";
const COUNTED: &str = "counted";

/// What no rule for a single field says: values that are made of several.
#[rustfmt::skip]
const MADE: &[Rule] = &[
    Rule("modelUsage.*.model", "novel_jobs.engine, novel_job_events.event.model", "text, as it is"),
    Rule("modelUsage.*.cost", "novel_job_metrics.cost", "where there is one"),
    Rule("modelUsage.*.tokensUsed", "novel_job_metrics.tokens", "where there is one"),
    Rule("modelUsage.*.duration", "novel_job_metrics.latencyMs", "where there is one"),
    Rule("chapters[].status", "novel_jobs.summary.chaptersGenerated, progress.chaptersCompleted, progress.chaptersFailed, progress.hasFailures, failures", COUNTED),
    Rule("outline", "novel_jobs.summary.totalChaptersPlanned, progress.outlineComplete", COUNTED),
    Rule("chapters", "novel_jobs.context.chapters", "number, title, status and words of each chapter"),
    Rule("status", "novel_job_events.status, snapshot, novel_jobs.failures", SYNTHESIZED),
    Rule("createdAt", "novel_job_events.emittedAt, event.occurredAt", SYNTHESIZED),
    Rule("updatedAt", "novel_job_events.emittedAt, event.occurredAt, snapshot, novel_jobs.completedAt", SYNTHESIZED),
    Rule("completedAt", "novel_job_events.emittedAt, event.occurredAt, snapshot", SYNTHESIZED),
    Rule("chapters[]", "novel_job_events.event, novel_jobs.events", SYNTHESIZED),
    Rule("metadata.aiDecisions[]", "novel_job_events.event, novel_jobs.domainEvents", SYNTHESIZED),
    Rule("metadata.enhancementsApplied[]", "novel_job_events.event, novel_jobs.domainEvents", SYNTHESIZED),
];

/// Where the value at a target path comes from: the most special rules first, at most `limit`.
/// `path` may be a container, whose values then count. In it, `[]` stands for any position, as in
/// `chapters[].title`; it is empty for the whole document.
pub fn origins(collection: &str, path: &str, limit: usize) -> Vec<LegacyOrigin> {
    let asked: Vec<&str> = steps(path).collect();
    let mut found: Vec<((Reach, usize), LegacyOrigin)> = Vec::new();
    for rule in RULES.iter().chain(MADE) {
        let reaches = targets(rule.1).filter(|(of, _)| is_of(of, collection));
        let best = reaches.filter_map(|(_, target)| reach(target, &asked)).min();
        let path = rule.0.strip_suffix(".**").unwrap_or(rule.0);
        if let Some(best) = best
            && found.iter().all(|(_, known)| known.path != path)
        {
            found.push((best, LegacyOrigin { path, rule: rule.2 }));
        }
    }
    found.sort_by_key(|(reach, _)| *reach);
    found.into_iter().map(|(_, origin)| origin).take(limit).collect()
}

/// How a rule meets what is asked: the first is the closest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// The rule writes the value, or a container of it.
    Writes,
    /// The rule writes something inside it.
    Inside,
}

/// How the target of a rule meets a path, and how many steps they are apart.
fn reach(target: &str, asked: &[&str]) -> Option<(Reach, usize)> {
    let rule: Vec<&str> = steps(target).collect();
    let is_same = |(rule, asked): (&&str, &&str)| rule == asked || (*rule == "*" && *asked != "[]");
    if !rule.iter().zip(asked).all(is_same) {
        return None;
    }
    let apart = rule.len().abs_diff(asked.len());
    Some((if rule.len() <= asked.len() { Reach::Writes } else { Reach::Inside }, apart))
}

/// The steps of a path: names, and `[]`.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split('.').flat_map(|part| {
        let name = part.trim_end_matches("[]");
        let positions = (part.len() - name.len()) / 2;
        let name = Some(name).filter(|name| !name.is_empty());
        name.into_iter().chain(std::iter::repeat_n("[]", positions))
    })
}

/// The collection and the path of each target that a rule names. Without a collection, a target is
/// in that of the one before it; what follows a semicolon is a sentence.
fn targets(named: &str) -> impl Iterator<Item = (&str, &str)> {
    let named = named.split(';').next().unwrap_or(named);
    let mut collection = "";
    named.split(',').map(str::trim).map(move |target| {
        if !target.starts_with("novel_") {
            return (collection, target);
        }
        let target = target.split(' ').next().unwrap_or(target);
        let (of, path) = target.split_once('.').unwrap_or((target, ""));
        collection = of;
        (of, path)
    })
}

/// Whether a rule's collection, such as `novel_*`, is this one.
fn is_of(rule: &str, collection: &str) -> bool {
    rule.strip_suffix('*').map_or(rule == collection, |start| collection.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::COLLECTIONS;

    fn paths(collection: &str, path: &str) -> Vec<&'static str> {
        origins(collection, path, 3).iter().map(|origin| origin.path).collect()
    }

    #[test]
    fn the_closest_rules_come_first() {
        for (collection, path, first) in [
            ("novel_jobs", "_id", "_id"),
            ("novel_job_metrics", "jobId", "_id"),
            ("novel_jobs", "payload.title", "title"),
            ("novel_jobs", "chapters[].title", "chapters[].title"),
            ("novel_jobs", "outline[].keyEvents[]", "outline[].keyEvents[]"),
            ("novel_jobs", "analysis.deep.down[].there", "analysis"),
            ("novel_jobs", "summary.totalWordCount", "chapters[].wordCount"),
            ("novel_jobs", "engine.modelOverrides.chapter", "modelUsage.*.model"),
            ("novel_jobs", "requestedAt", "createdAt"),
            ("novel_job_metrics", "cost.totalUsd", "metadata.costTracking.totalCost"),
            ("novel_job_metrics", "updatedAt", "updatedAt"),
            (
                "novel_job_metadata",
                "storyBibleCharacters.Ada.summary",
                "metadata.storyBible.characters.*.description",
            ),
            ("novel_job_metadata", "performance.currentStep", "metadata.currentStep"),
            ("novel_job_events", "emittedAt", "createdAt"),
        ] {
            assert_eq!(paths(collection, path)[0], first, "{collection} {path}");
        }
        assert_eq!(paths("novel_jobs", "payload"), ["premise", "title", "genre"]);
        assert!(paths("novel_jobs", "queue").is_empty(), "the mapping itself says so");
        assert!(paths("novel_job_metadata", "legacy.residue").is_empty());
        assert!(paths("jobs", "status").is_empty());
    }

    #[test]
    fn every_rule_names_a_target_that_leads_back_to_it() {
        for rule in RULES.iter().chain(MADE) {
            let path = rule.0.strip_suffix(".**").unwrap_or(rule.0);
            for (collection, target) in targets(rule.1) {
                let of = |name: &&&str| is_of(collection, name);
                let named = COLLECTIONS.iter().find(of).copied();
                let named = named.unwrap_or_else(|| panic!("{path}: {collection}"));
                assert!(!target.contains(' '), "{path}: {target}");
                let found = origins(named, &target.replace('*', "key"), usize::MAX);
                assert!(found.iter().any(|origin| origin.path == path), "{path}: {target}");
            }
        }
    }
}

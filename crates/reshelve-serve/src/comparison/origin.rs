//! Where a place in an answer comes from: the path in a target document, the legacy paths, the rule.

use reshelve::target_schema::Collection;
use reshelve_core::mapping::{LegacyOrigin, origins};

use super::difference::{Step, folded_path, shown_path};
use super::lists::item;
use crate::sides::RouteName;

/// How many legacy paths are named for a place.
const ORIGINS_MAX: usize = 4;

/// Where a value of an answer comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueOrigin {
    /// The collection and path of the target document, such as `novel_jobs.chapters[0].title`.
    pub target: String,
    /// The legacy paths with their rules, the closest first; a few of many.
    pub legacy: Vec<LegacyOrigin>,
}

/// Where the value at a path of an answer comes from; nothing where it is not of one document.
pub(super) fn of(route: RouteName, path: &[Step]) -> Option<ValueOrigin> {
    let (collection, path) = in_target(route, path)?;
    let name = collection.name();
    let target = match shown_path(&path) {
        path if path.is_empty() => name.to_owned(),
        path => format!("{name}.{path}"),
    };
    let legacy = origins(name, &folded_path(&path), ORIGINS_MAX);
    Some(ValueOrigin { target, legacy })
}

/// The collection and the path in its document that are served at a path of an answer.
fn in_target(route: RouteName, path: &[Step]) -> Option<(Collection, Vec<Step>)> {
    let below_items = || item(path).map(|(_, rest)| rest);
    match route {
        RouteName::List => Some((Collection::Jobs, of_job(below_items()?))),
        RouteName::Detail => Some((Collection::Jobs, of_job(path))),
        RouteName::Events => Some((Collection::Events, below_items()?.to_vec())),
        RouteName::Metrics => Some((Collection::Metrics, path.to_vec())),
        RouteName::Metadata => Some((Collection::Metadata, of_metadata(path))),
    }
}

/// The served progress is not the stored one: it is counted.
fn of_job(path: &[Step]) -> Vec<Step> {
    let name = |step: Option<&Step>| match step {
        Some(Step::Name(name)) => Some(name.clone()),
        _ => None,
    };
    if name(path.first()).as_deref() != Some("progress") {
        return path.to_vec();
    }
    let counted = match name(path.get(1)).as_deref() {
        Some("chaptersCompleted" | "chaptersFailed") => "chapters",
        Some("hasFailures") => "failures",
        _ => "outline",
    };
    vec![Step::Name(counted.to_owned())]
}

fn of_metadata(path: &[Step]) -> Vec<Step> {
    let (Some(Step::Name(bible)), Some(Step::Name(part))) = (path.first(), path.get(1)) else {
        return path.to_vec();
    };
    let stored = match part.as_str() {
        "characters" => "storyBibleCharacters",
        "metadata" => "storyBibleMetadata",
        "locations" => "storyBibleLocations",
        "themes" => "storyBibleThemes",
        _ => return path.to_vec(),
    };
    if bible != "storyBible" {
        return path.to_vec();
    }
    let rest = path.iter().skip(2).cloned();
    std::iter::once(Step::Name(stored.to_owned())).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(path: &str) -> Vec<Step> {
        let step = |step: &str| match step.parse() {
            Ok(index) => Step::Position(index),
            Err(_) => Step::Name(step.to_owned()),
        };
        path.split('.').map(step).collect()
    }

    #[test]
    fn places_of_answers_lead_to_target_and_legacy_paths() {
        for (route, path, target, legacy) in [
            (RouteName::List, "items.3.payload.title", "novel_jobs.payload.title", "title"),
            (
                RouteName::Detail,
                "chapters.2.title",
                "novel_jobs.chapters[2].title",
                "chapters[].title",
            ),
            // Of a list, the rules of its parts.
            (
                RouteName::Detail,
                "progress.outlineComplete",
                "novel_jobs.outline",
                "outline[].chapterNumber",
            ),
            (
                RouteName::Metrics,
                "cost.totalUsd",
                "novel_job_metrics.cost.totalUsd",
                "metadata.costTracking.totalCost",
            ),
            (
                RouteName::Metadata,
                "storyBible.characters.Ada.summary",
                "novel_job_metadata.storyBibleCharacters.Ada.summary",
                "metadata.storyBible.characters.*.description",
            ),
            (RouteName::Events, "items.0.emittedAt", "novel_job_events.emittedAt", "createdAt"),
        ] {
            let origin = of(route, &steps(path)).unwrap();
            assert_eq!((&origin.target[..], origin.legacy[0].path), (target, legacy), "{path}");
        }
        assert_eq!(of(RouteName::List, &steps("count")), None);
        assert_eq!(of(RouteName::Events, &steps("count")), None);
    }
}

//! Story bible, decisions and enhancements as the rules see them.

use crate::mapping::ids::legacy_id;
use crate::mapping::read::{Typed, pick};
use crate::mapping::warning::Path;
use crate::raw::{Document, Value};

/// `metadata.storyBible`.
#[derive(Debug, Default)]
pub(crate) struct StoryBible<'a> {
    /// Every entry in source order, repeated keys included.
    pub(crate) characters: Vec<Character<'a>>,
    pub(crate) locations: Vec<Location<'a>>,
    pub(crate) plot_threads: Option<Document<'a>>,
    pub(crate) timeline: Option<Document<'a>>,
    pub(crate) themes: Option<Document<'a>>,
}

/// An entry of `storyBible.characters`.
#[derive(Debug, Default)]
pub(crate) struct Character<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) description: Option<&'a [u8]>,
    pub(crate) traits: Option<Document<'a>>,
    pub(crate) relationships: Option<Document<'a>>,
    pub(crate) first_appearance: Option<f64>,
    pub(crate) last_seen: Option<f64>,
}

/// An entry of `storyBible.locations`.
#[derive(Debug, Default)]
pub(crate) struct Location<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) description: Option<&'a [u8]>,
    pub(crate) first_mentioned: Option<f64>,
    pub(crate) significance: Option<&'a [u8]>,
}

impl<'a> StoryBible<'a> {
    pub(super) fn read(typed: &mut Typed<'_>, value: Option<Value<'a>>, path: &Path<'_>) -> Self {
        let Some(document) = typed.document(value, path) else { return StoryBible::default() };
        let [characters, locations, threads, timeline, themes] =
            pick(document, &["characters", "locations", "plotThreads", "timeline", "themes"]);
        let themes = typed.array(themes, &path.name("themes"));
        check_themes(typed, themes, &path.name("themes"));
        StoryBible {
            characters: Character::read_all(typed, characters, &path.name("characters")),
            locations: Location::read_all(typed, locations, &path.name("locations")),
            plot_threads: documents(typed, threads, &path.name("plotThreads")),
            timeline: documents(typed, timeline, &path.name("timeline")),
            themes,
        }
    }
}

/// An array that should hold documents only.
fn documents<'a>(
    typed: &mut Typed<'_>,
    value: Option<Value<'a>>,
    path: &Path<'_>,
) -> Option<Document<'a>> {
    let array = typed.array(value, path);
    typed.documents(array, path, |_, _, _, _| {});
    array
}

/// Themes are strings, or documents with a string `name`.
fn check_themes(typed: &mut Typed<'_>, themes: Option<Document<'_>>, path: &Path<'_>) {
    for (index, value) in themes.into_iter().flat_map(Document::values).enumerate() {
        let path = path.index(index);
        match value.document() {
            Some(theme) => {
                typed.string(theme.get("name"), &path.name("name"));
            }
            None if value.string().is_some() => {}
            None => typed.mismatch(&path),
        }
    }
}

/// Calls `each` with the entries of a map, and the document of each where it is one.
fn map_entries<'a>(
    typed: &mut Typed<'_>,
    value: Option<Value<'a>>,
    path: &Path<'_>,
    mut each: impl FnMut(&mut Typed<'_>, &'a [u8], Option<Document<'a>>, &Path<'_>),
) {
    let Some(map) = typed.document(value, path) else { return };
    for element in map.elements() {
        let path = path.key(element.name);
        let document = element.value.document();
        if document.is_none() {
            typed.mismatch(&path);
        }
        each(typed, element.name, document, &path);
    }
}

impl<'a> Character<'a> {
    fn read_all(
        typed: &mut Typed<'_>,
        value: Option<Value<'a>>,
        path: &Path<'_>,
    ) -> Vec<Character<'a>> {
        let mut characters = Vec::new();
        map_entries(typed, value, path, |typed, key, document, path| {
            let Some(document) = document else {
                characters.push(Character { key, ..Character::default() });
                return;
            };
            let [description, traits, relationships, first, last] = pick(
                document,
                &["description", "traits", "relationships", "firstAppearance", "lastSeen"],
            );
            let traits = typed.array(traits, &path.name("traits"));
            typed.expect_strings(traits, &path.name("traits"));
            let relationships = typed.array(relationships, &path.name("relationships"));
            typed.expect_strings(relationships, &path.name("relationships"));
            characters.push(Character {
                key,
                description: typed.string(description, &path.name("description")),
                traits,
                relationships,
                first_appearance: typed.number(first, &path.name("firstAppearance")),
                last_seen: typed.number(last, &path.name("lastSeen")),
            });
        });
        characters
    }
}

impl<'a> Location<'a> {
    fn read_all(
        typed: &mut Typed<'_>,
        value: Option<Value<'a>>,
        path: &Path<'_>,
    ) -> Vec<Location<'a>> {
        let mut locations = Vec::new();
        map_entries(typed, value, path, |typed, key, document, path| {
            let Some(document) = document else {
                locations.push(Location { key, ..Location::default() });
                return;
            };
            let [description, first, significance] =
                pick(document, &["description", "firstMentioned", "significance"]);
            locations.push(Location {
                key,
                description: typed.string(description, &path.name("description")),
                first_mentioned: typed.number(first, &path.name("firstMentioned")),
                significance: typed.string(significance, &path.name("significance")),
            });
        });
        locations
    }
}

/// One document of `metadata.aiDecisions`.
#[derive(Debug)]
pub(crate) struct Decision<'a> {
    /// Position in the source array.
    pub(crate) index: usize,
    /// The id before any suffix.
    pub(crate) id: Vec<u8>,
    pub(crate) kind: Option<&'a [u8]>,
    pub(crate) summary: Option<&'a [u8]>,
    pub(crate) reasoning: Option<&'a [u8]>,
    pub(crate) impact: Option<&'a [u8]>,
    pub(crate) confidence: Option<f64>,
    pub(crate) alternatives: Option<Document<'a>>,
    pub(crate) timestamp: Option<i64>,
}

impl<'a> Decision<'a> {
    pub(super) fn read_all(
        typed: &mut Typed<'_>,
        value: Option<Value<'a>>,
        path: &Path<'_>,
    ) -> Vec<Decision<'a>> {
        const NAMES: [&str; 9] = [
            "id",
            "type",
            "summary",
            "reasoning",
            "confidence",
            "alternatives",
            "impact",
            "timestamp",
            "_id",
        ];
        let array = typed.array(value, path);
        let mut decisions = Vec::new();
        typed.documents(array, path, |typed, index, document, path| {
            let [id, kind, summary, reasoning, confidence, alternatives, impact, time, object_id] =
                pick(document, &NAMES);
            let id = typed.string(id, &path.name("id"));
            decisions.push(Decision {
                index,
                id: legacy_id(id, object_id, index),
                kind: typed.string(kind, &path.name("type")),
                summary: typed.string(summary, &path.name("summary")),
                reasoning: typed.string(reasoning, &path.name("reasoning")),
                impact: typed.string(impact, &path.name("impact")),
                confidence: typed.number(confidence, &path.name("confidence")),
                alternatives: documents(typed, alternatives, &path.name("alternatives")),
                timestamp: typed.timestamp(time, &path.name("timestamp")),
            });
        });
        decisions
    }
}

/// One document of `metadata.enhancementsApplied`.
#[derive(Debug)]
pub(crate) struct Enhancement<'a> {
    /// The id before any suffix.
    pub(crate) id: Vec<u8>,
    pub(crate) kind: Option<&'a [u8]>,
    pub(crate) name: Option<&'a [u8]>,
    pub(crate) description: Option<&'a [u8]>,
    pub(crate) details: Option<&'a [u8]>,
    pub(crate) timestamp: Option<i64>,
}

impl<'a> Enhancement<'a> {
    pub(super) fn read_all(
        typed: &mut Typed<'_>,
        value: Option<Value<'a>>,
        path: &Path<'_>,
    ) -> Vec<Enhancement<'a>> {
        let array = typed.array(value, path);
        let mut enhancements = Vec::new();
        typed.documents(array, path, |typed, index, document, path| {
            let [id, kind, name, description, details, time, object_id] = pick(
                document,
                &["id", "type", "name", "description", "details", "timestamp", "_id"],
            );
            let id = typed.string(id, &path.name("id"));
            enhancements.push(Enhancement {
                id: legacy_id(id, object_id, index),
                kind: typed.string(kind, &path.name("type")),
                name: typed.string(name, &path.name("name")),
                description: typed.string(description, &path.name("description")),
                details: typed.string(details, &path.name("details")),
                timestamp: typed.timestamp(time, &path.name("timestamp")),
            });
        });
        enhancements
    }
}

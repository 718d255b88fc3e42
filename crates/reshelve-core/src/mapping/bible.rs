//! The story bible: maps with readable keys, relationships that point to characters, themes.

use std::collections::HashSet;

use super::copied::{Copier, write_story_document};
use super::ids::UniqueIds;
use super::legacy::{Character, Location, StoryBible};
use super::read::{strings, text};
use super::warning::{Path, WarningCode, Warnings};
use crate::raw::{Document, Writer};

/// Writes `storyBibleCharacters`, `storyBibleMetadata`, `storyBibleLocations` and
/// `storyBibleThemes`. Returns for each character and each location, in source order, its position
/// among the written ones.
pub(crate) fn write(
    out: &mut Writer,
    bible: &StoryBible<'_>,
    copier: Copier,
    warnings: &mut Warnings,
) -> [Vec<usize>; 2] {
    let root = Path::ROOT;
    let metadata = root.name("metadata");
    let path = metadata.name("storyBible");
    let characters = write_characters(out, &bible.characters, &path.name("characters"), warnings);
    let parts = out.begin_document("storyBibleMetadata");
    for (name, array) in [
        ("plotThreads", bible.plot_threads),
        ("timeline", bible.timeline),
        ("themes", bible.themes),
    ] {
        write_documents(out, name, array, &path.name(name), copier, warnings);
    }
    out.end_unless_empty(parts);
    let locations = write_locations(out, &bible.locations, &path.name("locations"), warnings);
    write_themes(out, bible.themes);
    [characters, locations]
}

fn write_documents(
    out: &mut Writer,
    name: &str,
    array: Option<Document<'_>>,
    path: &Path<'_>,
    copier: Copier,
    warnings: &mut Warnings,
) {
    let Some(array) = array else { return };
    let written = out.begin_array(name);
    let mut count = 0;
    for (index, value) in array.values().enumerate() {
        let Some(document) = value.document() else { continue };
        if copier.readable_without_id(document, &path.index(index), warnings) {
            let item = out.begin_item(count);
            write_story_document(out, document);
            out.end(item);
            count += 1;
        }
    }
    out.end_unless_empty(written);
}

fn write_themes(out: &mut Writer, themes: Option<Document<'_>>) {
    let array = out.begin_array("storyBibleThemes");
    let mut seen = HashSet::new();
    for value in themes.into_iter().flat_map(Document::values) {
        let name = match value.document() {
            Some(theme) => theme.get("name").and_then(|name| text(name.string())),
            None => value.text(),
        };
        if let Some(name) = name
            && seen.insert(name)
        {
            out.string_item(seen.len() - 1, name);
        }
    }
    out.end(array);
}

/// The entries of a map in the byte order of their original keys, each with its written key; and
/// for each entry, in source order, its position among them.
fn by_key<'l, T>(
    entries: &'l [T],
    key: impl Fn(&T) -> &[u8],
    path: &Path<'_>,
    warnings: &mut Warnings,
) -> (Vec<(&'l T, Vec<u8>)>, Vec<usize>) {
    let mut sorted: Vec<(usize, &T)> = entries.iter().enumerate().collect();
    // Stable, so that a repeated key stays in source order.
    sorted.sort_by(|(_, one), (_, other)| key(one).cmp(key(other)));
    let mut places = vec![0; entries.len()];
    let mut keys = UniqueIds::default();
    let mut written_entries = Vec::with_capacity(entries.len());
    for (place, (order, entry)) in sorted.into_iter().enumerate() {
        places[order] = place;
        let original = key(entry);
        let written = readable_key(original);
        if written != original {
            warnings.add(WarningCode::KeyEscaped, &path.key(original));
        }
        written_entries.push((entry, keys.take(&written).0));
    }
    (written_entries, places)
}

/// `.` and a leading `$` become their full-width twins, an empty key `_`.
fn readable_key(key: &[u8]) -> Vec<u8> {
    if key.is_empty() {
        return b"_".to_vec();
    }
    let mut written = Vec::with_capacity(key.len());
    for (at, byte) in key.iter().enumerate() {
        match byte {
            b'.' => written.extend_from_slice("\u{FF0E}".as_bytes()),
            b'$' if at == 0 => written.extend_from_slice("\u{FF04}".as_bytes()),
            _ => written.push(*byte),
        }
    }
    written
}

fn write_characters(
    out: &mut Writer,
    characters: &[Character<'_>],
    path: &Path<'_>,
    warnings: &mut Warnings,
) -> Vec<usize> {
    let map = out.begin_document("storyBibleCharacters");
    let (entries, places) = by_key(characters, |character| character.key, path, warnings);
    let keys: Vec<&[u8]> = entries.iter().map(|(character, _)| character.key).collect();
    for (index, (character, key)) in entries.iter().enumerate() {
        let entry = out.begin_document_bytes(key);
        out.string("name", if character.key.is_empty() { b"_" } else { character.key });
        if let Some(description) = character.description {
            out.string("summary", description);
        }
        let traits = out.begin_array("traits");
        for (index, one) in strings(character.traits).enumerate() {
            out.string_item(index, one);
        }
        out.end(traits);
        let relationships = out.begin_array("relationships");
        let texts = strings(character.relationships).filter(|text| !text.is_empty());
        for (position, description) in texts.enumerate() {
            let item = out.begin_item(position);
            let other = related_character(description, index, &keys);
            let other = other.and_then(|other| entries.get(other));
            out.string("characterId", other.map_or(b"unknown", |(_, written)| written));
            out.string("description", description);
            out.end(item);
        }
        out.end(relationships);
        let more = out.begin_document("metadata");
        if let Some(number) = character.first_appearance {
            out.number("firstAppearance", number);
        }
        if let Some(number) = character.last_seen {
            out.number("lastSeen", number);
        }
        out.end_unless_empty(more);
        out.end(entry);
    }
    out.end(map);
    places
}

/// The one other character that a relationship names, by its place among the keys: of the other
/// keys that occur in the text, the one that is not part of a longer one of them; none unless there
/// is exactly one.
pub fn related_character(description: &[u8], own: usize, keys: &[&[u8]]) -> Option<usize> {
    let occurring: Vec<(usize, &[u8])> = keys
        .iter()
        .copied()
        .enumerate()
        .filter(|(index, key)| {
            *index != own && !key.is_empty() && memchr::memmem::find(description, key).is_some()
        })
        .collect();
    let mut left = occurring.iter().filter(|(_, key)| {
        !occurring.iter().any(|(_, longer)| {
            longer.len() > key.len() && memchr::memmem::find(longer, key).is_some()
        })
    });
    let (other, _) = left.next()?;
    left.next().is_none().then_some(*other)
}

fn write_locations(
    out: &mut Writer,
    locations: &[Location<'_>],
    path: &Path<'_>,
    warnings: &mut Warnings,
) -> Vec<usize> {
    let map = out.begin_document("storyBibleLocations");
    let (entries, places) = by_key(locations, |location| location.key, path, warnings);
    for (location, key) in entries {
        let entry = out.begin_document_bytes(&key);
        if let Some(description) = location.description {
            out.string("description", description);
        }
        if let Some(number) = location.first_mentioned {
            out.number("firstMentioned", number);
        }
        if let Some(significance) = location.significance {
            out.string("significance", significance);
        }
        out.end(entry);
    }
    out.end_unless_empty(map);
    places
}

//! The story bible: characters with their relationships, places, plot threads, timeline, themes.

use maud::{Markup, html};

use super::{Novel, Section, fact, facts, limited, nothing};
use crate::ui::read::{Part, text};
use crate::ui::words::{name, shown, shown_or};

pub(super) fn section(novel: &Novel) -> Section {
    let metadata = novel.metadata();
    let more = metadata.part("storyBibleMetadata");
    let (people, locations) =
        (characters(metadata.part("storyBibleCharacters")), locations(metadata));
    let (threads, times) = (more.parts("plotThreads"), more.parts("timeline"));
    let themes = themes(metadata, more);
    let count = people.as_ref().map_or(0, |(count, _)| *count);
    let is_empty = people.is_none()
        && locations.is_none()
        && threads.is_empty()
        && times.is_empty()
        && themes.is_none();
    let content = html! {
        @if is_empty { (nothing("There is no story bible.")) }
        @if let Some((_, people)) = &people { h3 { "Characters" } (people) }
        @if let Some(locations) = &locations { h3 { "Locations" } (locations) }
        @if !threads.is_empty() { h3 { "Plot threads" } (plot_threads(&threads)) }
        @if !times.is_empty() { h3 { "Timeline of the story" } (timeline(&times)) }
        @if let Some(themes) = &themes { h3 { "Themes" } (themes) }
    };
    let count = (count > 0).then_some(count);
    Section { anchor: "story-bible", name: "Story bible", count, content }
}

/// A character: the key by which it is stored, and its name.
struct Character<'d> {
    key: String,
    name: String,
    part: Part<'d>,
}

fn characters(stored: Part<'_>) -> Option<(usize, Markup)> {
    let all: Vec<Character<'_>> = stored
        .elements()
        .map(|(key, value)| {
            let part = Part::from(value);
            let name = part.text("name");
            Character { name: if name.is_empty() { key.clone() } else { name }, key, part }
        })
        .collect();
    if all.is_empty() {
        return None;
    }
    let (rows, more) = limited(&all);
    let cards = html! {
        div.cards { @for (index, one) in rows.iter().enumerate() { (character(one, index, rows)) } }
        (more)
    };
    Some((all.len(), cards))
}

fn character(one: &Character<'_>, index: usize, all: &[Character<'_>]) -> Markup {
    let (part, about) = (one.part, one.part.part("metadata"));
    let relationships = part.parts("relationships");
    html! {
        div.card id={ "character-" (index + 1) } {
            h3 { (shown(&one.name)) }
            p { (shown_or(&part.text("summary"), "Without a description")) }
            @if !relationships.is_empty() {
                ul { @for relationship in &relationships { li { (self::relationship(*relationship, all)) } } }
            }
            (facts(&[
                ("Traits", fact(&part.texts("traits").join(", "))),
                ("First appearance", fact(&chapter(about, "firstAppearance"))),
                ("Last seen", fact(&chapter(about, "lastSeen"))),
            ]))
        }
    }
}

/// A relationship, with a link to the other character if it is in the story bible.
fn relationship(relationship: Part<'_>, all: &[Character<'_>]) -> Markup {
    let named = relationship.elements().find(|(name, value)| {
        !matches!(&name[..], "description" | "type") && value.string().is_some()
    });
    let other = named.map(|(_, value)| text(value)).unwrap_or_default();
    // As it is written first: two names may differ by case alone.
    let is_exact = |one: &Character<'_>| one.key == other || one.name == other;
    let is_alike = |one: &Character<'_>| one.name.to_lowercase() == other.to_lowercase();
    let at = (!other.is_empty())
        .then(|| all.iter().position(is_exact).or_else(|| all.iter().position(is_alike)))
        .flatten();
    let kind = relationship.text("type");
    let description = relationship.text("description");
    html! {
        @match at {
            Some(at) => a href={ "#character-" (at + 1) } { (shown(&all[at].name)) },
            None => (shown(&other)),
        }
        @if !kind.is_empty() { @if !other.is_empty() { ", " } (name(&kind)) }
        @if !description.is_empty() { @if !other.is_empty() || !kind.is_empty() { ": " } (shown(&description)) }
    }
}

/// Where something is in the novel.
fn chapter(part: Part<'_>, name: &str) -> String {
    let text = part.text(name);
    let is_number = !text.is_empty() && part.number(name).is_some();
    if is_number { format!("Chapter {text}") } else { text }
}

fn locations(metadata: Part<'_>) -> Option<Markup> {
    let all: Vec<_> = metadata.part("storyBibleLocations").elements().collect();
    let (rows, more) = limited(&all);
    let cards = html! {
        div.cards { @for (key, value) in rows {
            @let part = Part::from(*value);
            @let title = part.text("name");
            div.card {
                h3 { (shown(if title.is_empty() { key } else { &title })) }
                p { (shown_or(&part.text("description"), "Without a description")) }
                (facts(&[
                    ("Significance", fact(&part.text("significance"))),
                    ("First mentioned", fact(&chapter(part, "firstMentioned"))),
                ]))
            }
        } }
        (more)
    };
    (!all.is_empty()).then_some(cards)
}

fn plot_threads(all: &[Part<'_>]) -> Markup {
    let (rows, more) = limited(all);
    html! {
        div.cards { @for part in rows {
            div.card {
                h3 { (shown_or(&part.text("title"), "Without a title")) " " @if !part.text("status").is_empty() { span.badge { (name(&part.text("status"))) } } }
                p { (shown_or(&part.text("description"), "Without a description")) }
                (facts(&[
                    ("Introduced in", fact(&chapter(*part, "introducedIn"))),
                    ("Last changed in", fact(&chapter(*part, "lastUpdated"))),
                ]))
            }
        } }
        (more)
    }
}

fn timeline(all: &[Part<'_>]) -> Markup {
    let (rows, more) = limited(all);
    html! {
        div.table tabindex="0" { table {
            thead { tr { th scope="col" { "Chapter" } th scope="col" { "What" } th scope="col" { "When in the story" } th scope="col" { "Importance" } } }
            tbody { @for part in rows {
                tr {
                    td.figure { (part.text("chapter")) }
                    td { strong { (shown(&part.text("title"))) } " " (shown(&part.text("description"))) }
                    td { (shown(&part.text("timestamp"))) }
                    td { (name(&part.text("importance"))) }
                }
            } }
        } }
        (more)
    }
}

/// Themes: what is known of each, or only their names.
fn themes(metadata: Part<'_>, more: Part<'_>) -> Option<Markup> {
    let (names, told) = (metadata.texts("storyBibleThemes"), more.parts("themes"));
    let is_told = |name: &String| told.iter().any(|theme| theme.text("name") == *name);
    let bare: Vec<&String> = names.iter().filter(|name| !is_told(name)).collect();
    let themes = html! {
        @if !bare.is_empty() { p { @for name in &bare { span.badge { (shown(name)) } " " } } }
        div.cards { @for theme in told.iter().filter(|theme| !theme.is_empty()) {
            div.card {
                h3 { (shown_or(&theme.text("name"), "Without a name")) }
                p { (fact(&theme.text("description"))) }
                (facts(&[
                    ("Examples", fact(&theme.texts("examples").join("; "))),
                    ("Chapters", fact(&theme.texts("chapters").join(", "))),
                ]))
            }
        } }
    };
    (!names.is_empty() || !told.is_empty()).then_some(themes)
}

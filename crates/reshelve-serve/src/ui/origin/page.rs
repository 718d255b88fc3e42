//! The page of a novel's origin, and the page of one value in full.

use maud::{Markup, html};
use reshelve_core::extjson::{Style, write_value};
use reshelve_core::mapping::{Traced, TracedTarget};
use reshelve_core::raw::{Value, hex, iso, kind};

use super::json;
use super::read::{Came, Origin, name_of};
use crate::ui::layout;
use crate::ui::words::{count, counted, is_date, plain, shown};

/// How many values a part of the page shows, and characters of each, at most.
const VALUES_MAX: usize = 2_000;
const VALUE_CHARS_MAX: usize = 240;
/// How much of the residue the page shows, in characters.
const RESIDUE_CHARS_MAX: usize = 20_000;
/// The rule under which a value of the target is the legacy one.
const COPIED: &str = "text, as it is";

/// A part of the legacy document: its values with their positions.
struct Part<'t, 'd> {
    name: String,
    values: Vec<(usize, &'t Traced<'d>)>,
}

pub(super) fn page(origin: &Origin) -> Markup {
    let traced = origin.traced();
    let kept: Vec<&Traced<'_>> = traced.iter().filter(|one| one.target.is_none()).collect();
    let parts = parts(&traced);
    let content = html! {
        (header(origin, traced.len() - kept.len(), kept.len()))
        @if traced.is_empty() && origin.legacy.is_ok() {
            p.none { "The mapping does not take this legacy document: it was changed since." }
        }
        @if !traced.is_empty() {
            nav.parts aria-label="Parts of this page" {
                @for (index, part) in parts.iter().enumerate() {
                    a href={ "#part-" (index) } { (shown(&part.name)) " " span.soft { (part.values.len()) } }
                }
                a href="#residue" { "Residue" " " span.soft { (kept.len()) } }
            }
            @for (index, part) in parts.iter().enumerate() {
                section aria-labelledby={ "part-" (index) } {
                    h2 id={ "part-" (index) } { (shown(&part.name)) }
                    (table(origin, part))
                }
            }
            (residue(origin, &kept))
        }
    };
    layout::page(&title(origin), Some(origin.novel.place()), &content)
}

fn title(origin: &Origin) -> String {
    format!("Origin of {}", origin.novel.title())
}

fn header(origin: &Origin, with_place: usize, kept: usize) -> Markup {
    let novel = &origin.novel;
    let wide = |number: usize| u64::try_from(number).unwrap_or(0);
    html! {
        header {
            p.soft { a href="/ui/novels" { "Library" } " / " a href=(novel.address()) { (shown(&novel.title())) } " / origin" }
            h1 { "Origin of " (shown(&novel.title())) }
            @match &origin.legacy {
                Err(why) => div.empty { p { strong { "There is nothing to compare." } } p { (shown(why)) } },
                Ok(legacy) => {
                    p { "Each value of the legacy document beside what became of it, and the rule that took it there." }
                    (came(&legacy.came, origin.is_edited))
                    ul.tiles {
                        li { span.value { (count(wide(with_place))) } span.name { "values with a place in the target" } }
                        li { span.value { (count(wide(kept))) } span.name { "values in the residue only" } }
                        li { span.value { (counted(wide(legacy.bytes.len()), "byte", "bytes")) } span.name { "legacy document" } }
                        li { span.value { (counted(wide(origin.residue_bytes()), "byte", "bytes")) } span.name { "residue" } }
                    }
                    p {
                        a.button href={ (novel.address()) "/origin/legacy.json" } { "Legacy document as JSON" } " "
                        a.button href={ (novel.address()) "/origin/residue.json" } { "Residue as JSON" }
                    }
                }
            }
        }
    }
}

fn came(came: &Came, is_edited: bool) -> Markup {
    html! {
        @match came {
            Came::Restored { is_edited: false, .. } | Came::Side { is_same: true, .. } if is_edited => {
                p { span.badge.open { "edited" } " The target documents were edited after the mapping. The legacy document still comes back byte for byte: what was edited is no part of it." }
            }
            Came::Restored { is_edited: false, .. } => p { span.badge.good { "same" } " The legacy document comes back byte for byte from the target documents." },
            Came::Restored { lost, .. } => {
                p { span.badge.open { "edited" } " The target documents were edited after the mapping. What was edited comes back as edited." }
                @if !lost.is_empty() {
                    p { "No longer in the target: " (shown(&lost.iter().take(20).cloned().collect::<Vec<_>>().join(", "))) @if lost.len() > 20 { " …" } }
                }
            }
            Came::Side { place, is_same: true } => p { span.badge.good { "same" } " The legacy document is that of " (shown(place)) ". The target documents give back the same bytes." },
            Came::Side { place, .. } => p { span.badge.open { "differs" } " The legacy document is that of " (shown(place)) ". It was changed after the mapping, or the target documents were." },
        }
    }
}

/// The values that have a place, by the part of the document that they are in.
fn parts<'t, 'd>(traced: &'t [Traced<'d>]) -> Vec<Part<'t, 'd>> {
    let mut parts: Vec<Part<'t, 'd>> = Vec::new();
    for (index, one) in traced.iter().enumerate().filter(|(_, one)| one.target.is_some()) {
        let mut names = one.path.split('.');
        let (first, second, third) = (names.next(), names.next(), names.next());
        let name = match (first, second, third) {
            (Some(_), None, _) => "job".to_owned(),
            (Some("metadata"), Some(second), Some(_)) => format!("metadata.{second}"),
            (first, ..) => first.unwrap_or_default().to_owned(),
        };
        match parts.iter_mut().find(|part| part.name == name) {
            Some(part) => part.values.push((index, one)),
            None => parts.push(Part { name, values: vec![(index, one)] }),
        }
    }
    parts
}

fn table(origin: &Origin, part: &Part<'_, '_>) -> Markup {
    let shown = &part.values[..part.values.len().min(VALUES_MAX)];
    let more = part.values.len() - shown.len();
    html! {
        table.origin {
            thead { tr { th scope="col" { "Legacy document" } th scope="col" { "Target documents" } th scope="col" { "Rule" } } }
            tbody { @for (index, one) in shown { (row(origin, *index, one)) } }
        }
        @if more > 0 { p.soft { "And " (more) " more, which the legacy document as JSON has." } }
    }
}

fn row(origin: &Origin, index: usize, one: &Traced<'_>) -> Markup {
    let whole = format!("{}/origin/values/{index}", origin.novel.address());
    html! {
        tr {
            td { code.path { (plain(&one.path)) } (cut(one.value, &whole)) }
            td {
                @if one.targets.is_empty() { span.soft.small { (one.target.unwrap_or_default()) } }
                @for target in &one.targets {
                    code.path { (plain(&name_of(target))) }
                    @match origin.at(target) {
                        Some(value) => {
                            (cut(value, &whole))
                            @if is_edited(origin, one, target, value) { span.badge.open { "edited" } }
                        }
                        None => p.none { "not written" @if origin.is_edited_at(target) == Some(true) { " " span.badge.open { "edited" } } },
                    }
                }
            }
            td.soft.small { (one.rule) }
        }
    }
}

/// Whether something else stands at a place of the target now. Where the legacy document came back as
/// edited, or is another one now, that can be told of copied texts only; a failure may have another
/// reason than the recorded one.
fn is_edited(origin: &Origin, one: &Traced<'_>, target: &TracedTarget, value: Value<'_>) -> bool {
    if origin.is_edited_at(target) == Some(true) {
        return true;
    }
    let is_of_failure = target.steps.first().is_some_and(|step| step == "failures");
    let is_copied = one.rule == COPIED && one.value.kind == kind::STRING && !is_of_failure;
    is_copied && value.bytes != one.value.bytes
}

/// A value with its type, and a link to the whole if it is long.
fn cut(value: Value<'_>, whole: &str) -> Markup {
    let text = text(value);
    let end = text.char_indices().nth(VALUE_CHARS_MAX).map(|(at, _)| at);
    html! {
        p.value {
            (shown(&text[..end.unwrap_or(text.len())]))
            @if end.is_some() { "… " a href=(whole) { "the whole" } }
            " " span.type { (type_name(value)) }
        }
    }
}

/// A value as text: texts as they are, everything else as JSON.
fn text(value: Value<'_>) -> String {
    if let Some(text) = value.string() {
        return String::from_utf8_lossy(text).into_owned();
    }
    if let Some(id) = value.object_id() {
        return hex(&id);
    }
    if let Some(ms) = value.date_ms().filter(|ms| is_date(*ms)) {
        return iso(ms).as_str().to_owned();
    }
    let mut out = Vec::new();
    write_value(&mut out, value, Style::Relaxed);
    String::from_utf8_lossy(&out).into_owned()
}

fn type_name(value: Value<'_>) -> &'static str {
    match value.kind {
        kind::STRING => "text",
        kind::DATE => "date",
        kind::OBJECT_ID => "ObjectId",
        kind::BOOLEAN => "boolean",
        kind::INT32 => "Int32",
        kind::INT64 => "Int64",
        kind::DOUBLE => "Double",
        kind::DOCUMENT => "document",
        kind::ARRAY => "array",
        kind::NULL | kind::UNDEFINED => "null",
        _ => "other type",
    }
}

fn residue(origin: &Origin, kept: &[&Traced<'_>]) -> Markup {
    let text = json::residue_of(origin, kept);
    let end = text.char_indices().nth(RESIDUE_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    html! {
        section aria-labelledby="residue" {
            h2 #residue { "Residue" }
            p {
                "The values of the legacy document that have no place in the target. The residue keeps them, and the plan by which the document is put together again."
            }
            @if kept.is_empty() { p.none { "Every value has a place in the target." } } @else {
                pre.whole tabindex="0" aria-label="Residue as JSON" { code { (plain(&text[..end])) } }
                @if end < text.len() { p { a href={ (origin.novel.address()) "/origin/residue.json" } { "The whole residue" } } }
            }
        }
    }
}

/// The page of one value.
pub(super) fn value(origin: &Origin, at: usize) -> Option<Markup> {
    let traced = origin.traced();
    let one = traced.get(at)?;
    let content = html! {
        header {
            p.soft {
                a href=(origin.novel.address()) { (shown(&origin.novel.title())) } " / "
                a href={ (origin.novel.address()) "/origin" } { "origin" }
            }
            h1 { code { (plain(&one.path)) } }
            p { "Rule: " (one.rule) "." }
        }
        h2 { "Legacy document" }
        (whole(&one.path, one.value))
        @for target in &one.targets {
            @let name = name_of(target);
            h2 { code { (plain(&name)) } }
            @match origin.at(target) {
                Some(value) => (whole(&name, value)),
                None => p.none { "Not written." },
            }
        }
        @if one.targets.is_empty() { p.soft { (one.target.unwrap_or("The residue keeps it.")) } }
    };
    Some(layout::page(
        &format!("{} of {}", one.path, origin.novel.title()),
        Some(origin.novel.place()),
        &content,
    ))
}

fn whole(name: &str, value: Value<'_>) -> Markup {
    html! {
        p.soft.small { (type_name(value)) }
        pre.whole tabindex="0" aria-label={ "Value of " (plain(name)) } { (shown(&text(value))) }
    }
}

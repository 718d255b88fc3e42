//! What happened to a novel, in time: a picture, and the same as a table.

use maud::{Markup, html};
use reshelve::ends::EVENTS_MAX;

use super::{Novel, Section, nothing};
use crate::ui::read::Part;
use crate::ui::words::{duration, name, shown, time, time_element};

/// Sizes of the picture, in its own units.
const WIDTH: f64 = 960.0;
const NAMES: f64 = 200.0;
const ROW: f64 = 28.0;
/// How many rows the picture has, at most: one for each kind of event.
const KINDS_MAX: usize = 16;

struct Event {
    at_ms: Option<i64>,
    kind: String,
    text: String,
}

pub(super) fn section(novel: &Novel) -> Section {
    let events: Vec<Event> = novel.events.iter().rev().map(|event| read(Part::of(event))).collect();
    let content = html! {
        @if events.is_empty() { (nothing("No event is recorded.")) } @else {
            (picture(&events))
            p.soft.small { "Every event of a migrated novel was made from its legacy document. " @if events.len() < EVENTS_MAX { "These are all of them." } @else { "The newest " (EVENTS_MAX) " are shown; there may be earlier ones." } }
            details {
                summary { "These " (events.len()) " as a table" }
                div.table tabindex="0" { table {
                    thead { tr { th scope="col" { "Time" } th scope="col" { "What" } th scope="col" { "Details" } } }
                    tbody { @for event in &events {
                        tr { td { (time_element(event.at_ms)) } td { (name(&event.kind)) } td { (shown(&event.text)) } }
                    } }
                } }
            }
        }
    };
    Section { anchor: "events", name: "Events", count: Some(events.len()), content }
}

fn read(document: Part<'_>) -> Event {
    let inner = document.part("event");
    let status = document.text("status");
    let kind = match inner.text("type") {
        kind if kind.is_empty() => document.text("kind"),
        kind => kind,
    };
    let said = ["message", "description", "details", "summary", "name"];
    let mut text =
        said.iter().map(|name| inner.text(name)).find(|it| !it.is_empty()).unwrap_or_default();
    if text.is_empty() {
        let stage = document.part("snapshot").text("stage");
        text = [name(&status), name(&stage)]
            .into_iter()
            .filter(|it| !it.is_empty())
            .collect::<Vec<_>>()
            .join(" · ");
    }
    if let Some(number) = inner.number("chapterNumber")
        && text.is_empty()
    {
        text = format!("Chapter {number}");
    }
    Event { at_ms: document.time_ms("emittedAt"), kind, text }
}

fn picture(events: &[Event]) -> Markup {
    let times: Vec<i64> = events.iter().filter_map(|event| event.at_ms).collect();
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        return html! {};
    };
    let mut kinds: Vec<&str> = Vec::new();
    for event in events {
        if !kinds.contains(&&event.kind[..]) && kinds.len() < KINDS_MAX {
            kinds.push(&event.kind);
        }
    }
    let span = span(*first, *last);
    let x = |ms: i64| NAMES + 16.0 + (WIDTH - NAMES - 40.0) * since(*first, ms) / span.max(1.0);
    let y = |row: usize| 22.0 + ROW * rows(row);
    let height = y(kinds.len()) + 14.0;
    let label = format!("{} events in {}", events.len(), duration(span));
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(label) {
            @for (row, kind) in kinds.iter().enumerate() {
                text.name x=(NAMES) y=(y(row) + 4.0) text-anchor="end" { (name(kind)) }
                line x1=(NAMES + 12.0) x2=(WIDTH - 16.0) y1=(y(row)) y2=(y(row)) {}
            }
            @for event in events {
                @if let (Some(row), Some(ms)) = (kinds.iter().position(|kind| *kind == event.kind), event.at_ms) {
                    circle class=(class(&event.kind)) cx=(format!("{:.1}", x(ms))) cy=(y(row)) r="5" {
                        title { (time(ms)) " " (name(&event.kind)) }
                    }
                }
            }
            text x=(NAMES + 12.0) y=(height - 4.0) { (time(*first)) }
            text x=(WIDTH - 16.0) y=(height - 4.0) text-anchor="end" { (time(*last)) " (" (duration(span)) ")" }
        }
    }
}

/// The colour of a kind; its name is beside it.
fn class(kind: &str) -> &'static str {
    match kind {
        _ if kind.contains("fail") || kind.contains("error") => "bad",
        _ if kind.contains("completed") => "good",
        _ if kind.contains("alert") || kind.contains("warning") => "open",
        _ => "dot",
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a place in a picture")]
fn since(first: i64, ms: i64) -> f64 {
    ms.saturating_sub(first) as f64
}

fn span(first: i64, last: i64) -> f64 {
    since(first, last)
}

fn rows(row: usize) -> f64 {
    f64::from(u32::try_from(row).unwrap_or(0))
}

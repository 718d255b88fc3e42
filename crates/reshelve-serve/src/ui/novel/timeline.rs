//! What happened to a novel, in time: a picture, and the same as a table.

use maud::{Markup, html};
use reshelve::ends::EVENTS_MAX;

use super::{Novel, Section, nothing};
use crate::ui::read::Part;
use crate::ui::words::{duration, name, shown, time, time_element};

/// How wide the picture is, in its own units.
const WIDTH: f64 = 100.0;
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

/// A strip for each kind, with a mark for each event. Names and times are text beside the strips, so
/// that they stay readable where the page is narrow.
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
    let span = since(*first, *last);
    let x = |ms: i64| format!("{:.2}", WIDTH * since(*first, ms) / span.max(1.0));
    html! {
        figure.strips {
            figcaption { (events.len()) " events in " (duration(span)) }
            @for kind in &kinds {
                div.strip {
                    span { (name(kind)) }
                    svg viewBox={ "0 0 " (WIDTH) " 2" } preserveAspectRatio="none" aria-hidden="true" {
                        line x1="0" x2=(WIDTH) y1="1" y2="1" {}
                        @for (event, ms) in events.iter().filter(|event| event.kind == **kind).filter_map(|event| Some((event, event.at_ms?))) {
                            line.mark.(class(&event.kind)) x1=(x(ms)) x2=(x(ms)) y1="0.7" y2="1.3" {
                                title { (time(ms)) " " (name(&event.kind)) }
                            }
                        }
                    }
                }
            }
            p.ends aria-hidden="true" { span { (time(*first)) } span { (time(*last)) } }
        }
    }
}

/// The colour of a kind; its name is beside it.
fn class(kind: &str) -> &'static str {
    match kind {
        _ if kind.contains("fail") || kind.contains("error") => "bad",
        _ if kind.contains("completed") => "good",
        _ if kind.contains("alert") || kind.contains("warning") => "open",
        _ => "",
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a place in a picture")]
fn since(first: i64, ms: i64) -> f64 {
    ms.saturating_sub(first) as f64
}

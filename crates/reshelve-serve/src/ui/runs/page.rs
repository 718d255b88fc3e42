//! The page of a run.

use maud::{Markup, html};

use super::words::{badges, meaning, moment, rate, size};
use super::{AGAIN_AFTER_S, parts, told};
use crate::runs::{RejectList, Run, RunPage};
use crate::ui::layout;
use crate::ui::words::{count, counted, duration, float, shown, time_element};

/// The page.
pub(super) fn page(page: &RunPage, rejects: &RejectList, place: &str) -> Markup {
    let run = &page.run;
    let title = format!("Run {}", run.id);
    let is_followed = run.is_at_work || page.task.is_some();
    let content = html! {
        p.small { a href="/ui/runs" { "← All runs" } }
        h1 { @if run.is_applied { "Run " } @else { "Dry run " } code { (run.id) } }
        div #state data-live data-follow[is_followed] { (state(run)) (told::buttons(page)) (told::ended(page)) }
        div #progress data-live { (progress(page)) }
        h2 { "What was run" }
        (what(page))
        (parts::warnings(page))
        (parts::rejects(page, rejects))
        (parts::journal(page))
        (parts::files(page))
    };
    let again = is_followed.then_some(AGAIN_AFTER_S);
    layout::page_with(&title, Some(place), again, &content)
}

fn state(run: &Run) -> Markup {
    html! {
        p.state role="status" { (badges(run)) span { (meaning(run)) } }
        @if let Some(reason) = &run.reason { div.notice.open { p { (shown(reason)) } } }
        @if let Some(waiting) = &run.waiting {
            div.notice { p { "Waits: " (shown(&waiting.words)) ", since " (time_element(Some(waiting.since_ms))) } }
        }
    }
}

/// How much of the work is done: of so many, if that is known.
fn share(run: &Run) -> Option<(u64, u64)> {
    match (&run.rollback, run.left_ms) {
        (Some(back), _) => Some((back.documents.min(back.of), back.of)),
        (None, Some(left)) => Some((run.elapsed_ms, run.elapsed_ms.saturating_add(left))),
        _ => None,
    }
}

fn progress(page: &RunPage) -> Markup {
    let run = &page.run;
    let documents = run.documents;
    html! {
        @if run.is_at_work || run.rollback.is_some() {
            @match share(run) {
                Some((done, of)) => { progress value=(done) max=(of.max(1)) aria-label="Done so far" {} }
                None if run.is_at_work => { progress aria-label="Done so far: not known" {} }
                None => {}
            }
        }
        ul.tiles {
            (tile("read", &count(documents.read), ""))
            @if run.is_applied { (tile("written", &count(documents.written), "")) } @else { (tile("mapped and proved", &count(documents.mapped), "")) }
            @if documents.unchanged > 0 { (tile("unchanged", &count(documents.unchanged), "")) }
            @if documents.skipped > 0 { (tile("skipped in flight", &count(documents.skipped), "")) }
            (tile("rejected", &count(documents.rejected), if documents.rejected > 0 { "bad" } else { "" }))
            @if let Some(back) = &run.rollback { (tile("documents taken back", &format!("{} of about {}", count(back.documents), count(back.of)), "open")) }
            @if let Some(left) = run.left_ms { (tile("left, about", &duration(float(left)), "open")) }
            (tile(if run.is_at_work { "took so far" } else { "took" }, &duration(float(run.elapsed_ms)), ""))
        }
        dl.facts {
            div { dt { @if run.rate.is_recent { "Rate lately" } @else { "Rate on average" } } dd { (rate(run.rate)) } }
            div { dt { "Bytes" } dd { (size(run.bytes_read)) " read, " (size(run.bytes_written)) " written" } }
            div { dt { "Events" } dd { (counted(run.events, "event", "events")) " of the mapped documents" } }
            div { dt { "Limits" } dd { (page.limits.as_deref().unwrap_or("none")) } }
            div { dt { "Last checkpoint" } dd { (time_element(run.progressed_at_ms)) } }
        }
    }
}

fn tile(name: &str, value: &str, class: &'static str) -> Markup {
    html! { li class=(class) { span.value { (value) } span.name { (name) } } }
}

fn what(page: &RunPage) -> Markup {
    let run = &page.run;
    html! {
        dl.facts {
            div { dt { "Begun" } dd { (moment(&run.begun_at)) } }
            div { dt { "Source" } dd { code { (shown(&run.source)) } } }
            div {
                dt { "Target" }
                dd {
                    code { (shown(&run.target)) }
                    @if run.is_of_place { " (served here)" } @else if run.is_applied {
                        " " span.none { "another place than the one that is served: its novels are not in these pages" }
                    }
                }
            }
            @if let Some(parent) = &run.retry_of {
                div { dt { "Retry of" } dd { a href={ "/ui/runs/" (crate::ui::words::encoded(parent)) } { code { (shown(parent)) } } } }
            }
            @for (name, value) in &page.facts { div { dt { (name) } dd { (shown(value)) } } }
            div { dt { "Run folder" } dd { code { (shown(&page.folder)) } } }
        }
    }
}

//! The rejects of a run, and one of them with its document.

use maud::{Markup, html};

use super::PAGE_REJECTS;
use crate::runs::{Reject, RejectList, RejectedDocument};
use crate::ui::layout;
use crate::ui::words::{count, counted, encoded, shown, shown_or};

/// A page of rejects.
pub(super) fn list(run: &str, list: &RejectList, after: u64, place: &str) -> Markup {
    let run = encoded(run);
    let step = u64::try_from(PAGE_REJECTS).unwrap_or(u64::MAX);
    let next = after.saturating_add(step);
    let address = format!("/ui/runs/{run}/rejects?after=");
    let content = html! {
        p.small { a href={ "/ui/runs/" (run) } { "← Run " (run) } }
        h1 { "Rejects" }
        p.count role="status" { (counted(list.total, "document was rejected", "documents were rejected")) "." }
        @if list.rejects.is_empty() { p.none { "There is nothing on this page." } } @else { (table(&run, &list.rejects, after)) }
        @if list.reachable < list.total {
            p.soft { "These pages show the first " (count(list.reachable)) "; " code { "rejects.jsonl" } " in the run folder has all of them." }
        }
        nav.pages aria-label="Pages of the list" {
            @if after > 0 { a.button rel="prev" href={ (address) (after.saturating_sub(step)) } { "← Previous" } } @else { span {} }
            @if next < list.reachable { a.button rel="next" href={ (address) (next) } { "Next →" } }
        }
    };
    layout::page(&format!("Rejects of {run}"), Some(place), &content)
}

/// Rejects as a table; the first one is at this place of the list.
pub(super) fn table(run: &str, rejects: &[Reject], first: u64) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label="Rejects" {
            table {
                thead { tr {
                    th.number scope="col" { "Position" } th scope="col" { "Document" }
                    th scope="col" { "Code" } th scope="col" { "Why" }
                } }
                tbody {
                    @for (at, reject) in (first..).zip(rejects) {
                        tr {
                            td.number { (count(reject.position)) }
                            td { a href={ "/ui/runs/" (run) "/rejects/" (at) } { (shown_or(&reject.id, "without an _id")) } }
                            td { code { (shown(&reject.code)) } }
                            td {
                                (shown(&reject.message))
                                @if !reject.path.is_empty() { " (" code { (shown(&reject.path)) } ")" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// One reject with its document.
pub(super) fn one(run: &str, at: u64, found: &RejectedDocument, place: &str) -> Markup {
    let run = encoded(run);
    let reject = &found.reject;
    let content = html! {
        p.small { a href={ "/ui/runs/" (run) } { "← Run " (run) } " · " a href={ "/ui/runs/" (run) "/rejects" } { "All rejects" } }
        h1 { "Rejected: " (shown_or(&reject.id, "a document without an _id")) }
        dl.facts {
            div { dt { "Why" } dd { (shown(&reject.message)) } }
            div { dt { "Code" } dd { code { (shown(&reject.code)) } } }
            @if !reject.path.is_empty() { div { dt { "Path" } dd { code { (shown(&reject.path)) } } } }
            div { dt { "Position in the source" } dd { (count(reject.position)) } }
        }
        h2 { "The document" }
        @match &found.text {
            Some(text) => {
                pre tabindex="0" { code { (shown(text)) } }
                @if found.is_cut { p.soft { "Only its beginning is shown; the run folder has all of it." } }
            }
            None => { p.none { "It is not shown here: rejects.bson and rejects.json in the run folder have it, if they are whole." } }
        }
    };
    layout::page(&format!("Reject {at} of {run}"), Some(place), &content)
}

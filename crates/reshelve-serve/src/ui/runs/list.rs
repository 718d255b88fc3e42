//! The list of runs.

use maud::{Markup, html};

use super::words::{badges, moment, rate, size};
use super::{AGAIN_AFTER_S, PAGE_RUNS};
use crate::runs::{Run, RunList};
use crate::ui::layout;
use crate::ui::words::{count, counted, duration, float, shown};

/// A page of the list.
pub(super) fn page(list: &RunList, after: u64, place: &str) -> Markup {
    let is_at_work = list.runs.iter().any(|run| run.is_at_work);
    let content = html! {
        h1 { "Runs" }
        p.soft {
            "Migrations and dry runs, newest first"
            @if !list.looked_in.is_empty() { ", from " }
            @for (index, folder) in list.looked_in.iter().enumerate() {
                @if index > 0 { ", " }
                code { (shown(folder)) }
            }
            "."
        }
        @for why in &list.unreadable { div.notice.bad { p { (shown(why)) } } }
        div #runs data-live data-follow[is_at_work] {
            @if list.runs.is_empty() { (empty(list)) } @else {
                ol.runs { @for run in &list.runs { li { (entry(run)) } } }
            }
        }
        (pages(list, after))
    };
    layout::page_with("Runs", Some(place), is_at_work.then_some(AGAIN_AFTER_S), &content)
}

fn empty(list: &RunList) -> Markup {
    html! {
        div.empty {
            @if list.total > 0 {
                p { strong { "There is nothing on this page." } }
                p { a href="/ui/runs" { "To the newest runs" } }
            } @else {
                p { strong { "No runs are known here." } }
                p {
                    "Begin with a dry run, " code { "reshelve run SOURCE TARGET" }
                    ", or start this server with " code { "--runs-dir" } " and the folder that holds the runs."
                }
            }
        }
    }
}

fn entry(run: &Run) -> Markup {
    html! {
        div {
            h2 { a href={ "/ui/runs/" (run.id) } { (run.id) } (badges(run)) }
            p.way {
                span { "from " code { (shown(&run.source)) } }
                span { "into " code { (shown(&run.target)) } }
                @if run.is_applied && !run.is_of_place { span.none { "another place than the one that is served" } }
            }
            @if let Some(parent) = &run.retry_of { p.way { span { "takes again what " code { (shown(parent)) } " rejected" } } }
            @if let Some(reason) = &run.reason { p { (shown(reason)) } }
            @if let Some(waiting) = &run.waiting { p.soft { "Waits: " (shown(&waiting.words)) } }
        }
        div.side {
            strong { (counted(run.documents.read, "document read", "documents read")) }
            @if run.is_applied { span { (counted(run.documents.written, "job written", "jobs written")) ", " (size(run.bytes_written)) } }
            @if let Some(back) = &run.rollback { span { (count(back.documents)) " of about " (count(back.of)) " documents taken back" } }
            @if run.is_at_work { span { (rate(run.rate)) } }
            @if let Some(left) = run.left_ms { span { "about " (duration(float(left))) " left" } }
            (moment(&run.begun_at))
        }
    }
}

fn pages(list: &RunList, after: u64) -> Markup {
    let step = u64::try_from(PAGE_RUNS).unwrap_or(u64::MAX);
    let next = after.saturating_add(step);
    if after == 0 && next >= list.total {
        return html! {};
    }
    html! {
        nav.pages aria-label="Pages of the list" {
            @if after > 0 { a.button rel="prev" href={ "/ui/runs?after=" (after.saturating_sub(step)) } { "← Newer" } } @else { span {} }
            @if next < list.total { a.button rel="next" href={ "/ui/runs?after=" (next) } { "Older →" } }
        }
    }
}

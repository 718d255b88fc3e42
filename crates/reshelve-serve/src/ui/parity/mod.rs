//! The parity page: whether source and target of the runs agree, as their reports say, and how far
//! the two sides of this server do. Neither side is read for it.

mod answers;
mod figures;
mod shadow;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use axum::routing::get;
use maud::{Markup, html};
use reshelve::report::Word;

use super::layout;
use super::runs::Shown;
use super::runs::words::{badges, moment};
use super::words::{count, counted, shown};
use crate::runs::{Checked, Runs, Said};

/// How many runs the page names.
const RUNS_SHOWN: usize = 20;

pub(super) fn router(shown: Shown) -> Router {
    Router::new()
        .route("/ui/parity", get(newest))
        .route("/ui/parity/{run}", get(of_run))
        .with_state(shown)
}

/// The newest run that was compared, and the verdicts of the others.
async fn newest(State(pages): State<Shown>) -> Response<Body> {
    let shadow = pages.shadow.as_ref().map(Arc::clone);
    let ask = |runs: &dyn Runs| runs.checked(RUNS_SHOWN).map(Some);
    let render = move |runs: &Vec<Checked>, place: &str| {
        let is_said = |checked: &&Checked| checked.said.is_some();
        let of_place = |checked: &&Checked| checked.run.is_of_place;
        let said = || runs.iter().filter(is_said);
        let first = said().find(of_place).or_else(|| said().next()).or_else(|| runs.first());
        let content = html! {
            h1 { "Parity" }
            p.soft { "Whether source and target of a run agree, by value; as the newest report of each run says." }
            @if runs.is_empty() { (empty()) } @else { (list(runs)) }
            @if let Some(checked) = first { (details(checked)) }
            (shadow::section(shadow.as_deref()))
        };
        layout::page("Parity", Some(place), &content)
    };
    pages.page(ask, render).await
}

async fn of_run(State(pages): State<Shown>, Path(id): Path<String>) -> Response<Body> {
    let ask = move |runs: &dyn Runs| runs.checked_run(&id);
    let render = |checked: &Checked, place: &str| {
        let content = html! {
            p.small { a href="/ui/parity" { "← Parity of all runs" } }
            h1 { "Parity of run " code { (checked.run.id) } }
            (details(checked))
        };
        layout::page(&format!("Parity of run {}", checked.run.id), Some(place), &content)
    };
    pages.page(ask, render).await
}

fn empty() -> Markup {
    html! {
        div.empty {
            p { strong { "No run that wrote something is known here." } }
            p {
                "Begin one with " code { "reshelve run SOURCE TARGET --apply" }
                ", or start this server with " code { "--runs-dir" } " and the folder that holds the runs."
            }
        }
    }
}

fn list(runs: &[Checked]) -> Markup {
    html! {
        div.table tabindex="0" role="group" aria-label="Runs and their verdicts" { table {
            caption { "Runs that wrote something, the newest first" }
            thead { tr { th scope="col" { "Run" } th scope="col" { "Verdict" } th scope="col" { "Compared" } th scope="col" { "State" } } }
            tbody { @for checked in runs { tr {
                th scope="row" { a href={ "/ui/parity/" (checked.run.id) } { code { (checked.run.id) } } }
                td { (badge(checked.said.as_deref())) }
                td { @if let Some(said) = &checked.said { (moment(&said.made_at)) } @else { span.none { "never" } } }
                td { div.badges { (badges(&checked.run)) } }
            } } }
        } }
    }
}

/// A verdict in a few words, and its colour.
fn words(word: Word) -> (&'static str, &'static str) {
    match word {
        Word::Holds => ("holds", "good"),
        Word::HoldsWithExceptions => ("holds, with exceptions", "open"),
        Word::DoesNotHold => ("does not hold", "bad"),
        Word::NotChecked => ("not compared", "open"),
        Word::DryRun => ("dry run", ""),
    }
}

fn badge(said: Option<&Said>) -> Markup {
    let (words, class) = said.map_or(("not compared", ""), |said| words(said.verdict.word));
    html! { span.badge.(class) { (words) } }
}

/// What is known of a run.
fn details(checked: &Checked) -> Markup {
    let run = &checked.run;
    html! {
        h2 { "Verdict" }
        p { "Run " a href={ "/ui/runs/" (run.id) } { code { (run.id) } } ", from " code { (shown(&run.source)) } " into " code { (shown(&run.target)) } "." }
        @match &checked.said {
            Some(said) => { (verdict(said, checked)) (answers::section(said)) (figures::sections(said, run.is_of_place)) }
            None => { (unsaid(checked)) }
        }
    }
}

fn verdict(said: &Said, checked: &Checked) -> Markup {
    let (words, class) = words(said.verdict.word);
    html! {
        div.notice.(class) {
            p { strong { "Parity " @if said.verdict.word == Word::NotChecked { "was not checked" } @else { (words) } } }
            p { (shown(&said.verdict.sentence)) }
            p.small { "Both sides were read " (moment(&said.made_at)) ". " a href={ "/ui/runs/" (checked.run.id) "/files/report.html" } { "The whole report" } }
        }
        @if said.is_outdated {
            div.notice.open { p { "The run was at work after that: the report may not say what is there now." } (again(checked)) }
        }
        @for caution in &said.cautions { div.notice { p { (shown(caution)) } } }
        @if let (Some(restored), Some(mismatches)) = (said.restored, said.mismatches) {
            ul.tiles {
                (tile("restored byte for byte", restored.identical, ""))
                (tile("restored differently", restored.different, "bad"))
                (tile("missing in the target", restored.missing, "bad"))
                @if let Some(extra) = restored.extra { (tile("extra in the target", extra, "bad")) }
                (tile("mismatches", mismatches, "bad"))
            }
        }
    }
}

fn tile(name: &str, number: u64, class: &'static str) -> Markup {
    let class = if number > 0 { class } else { "" };
    html! { li class=(class) { span.value { (count(number)) } span.name { (name) } } }
}

fn unsaid(checked: &Checked) -> Markup {
    html! {
        @if let Some(why) = &checked.unreadable {
            div.error role="alert" { p { (shown(why)) } }
        } @else {
            div.notice.open {
                p { strong { "Nobody compared the two sides of this run yet." } }
                p { "It took " (counted(checked.run.documents.read, "document", "documents")) ", and proved each before it wrote it. Whether the target holds them now, a comparison tells." }
            }
        }
        (again(checked))
    }
}

/// The command that compares both sides, and keeps what it finds.
fn again(checked: &Checked) -> Markup {
    html! {
        @if let Some(command) = &checked.check_with {
            p { "This command reads both sides, compares them by value, and keeps what it finds for this page:" }
            pre tabindex="0" { (command) }
        }
    }
}

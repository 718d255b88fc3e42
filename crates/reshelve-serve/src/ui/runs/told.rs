//! What can be done to a run, what this server does with it, and what became of that.

use maud::{Markup, html};

use super::change_page::name;
use crate::runs::{Command, Ended, RunPage};
use crate::ui::words::{shown, time_element};

/// How many ends are shown.
const ENDED_MAX: usize = 5;

/// The buttons: each leads to what it would do.
pub(super) fn buttons(page: &RunPage) -> Markup {
    let id = &page.run.id;
    html! {
        @if !page.offers.is_empty() {
            div.acts role="group" aria-label="What can be done" {
                @for offer in &page.offers {
                    form method="get" action={ "/ui/runs/" (id) "/" (offer.command.as_str()) } {
                        button.plain type="submit" { (name(offer.command)) "…" }
                    }
                }
            }
        }
        @if let Some(task) = &page.task {
            div.notice.open {
                p role="status" {
                    "This server is at work on it (" (task.command.as_str()) ")"
                    @if task.is_stopping { ", and stops at the next place from which it can go on" } "."
                }
            }
        }
    }
}

/// What became of commands that were given through this server, newest first.
pub(super) fn ended(page: &RunPage) -> Markup {
    html! {
        @for ended in page.ended.iter().take(ENDED_MAX) { (one(ended)) }
    }
}

fn one(ended: &Ended) -> Markup {
    let class = match (ended.is_good, ended.command) {
        (true, _) => "notice good",
        (false, Command::Resume | Command::Rollback) => "notice open",
        (false, _) => "notice bad",
    };
    html! {
        div class=(class) {
            p {
                strong { (name(ended.command)) } ", " (time_element(Some(ended.at_ms))) ": " (shown(&ended.words))
                @if let Some(hint) = &ended.hint { br; "What to do: " (shown(hint)) }
                br; span.soft { "Reason: " (shown(&ended.reason)) }
            }
            @if !ended.notes.is_empty() { ul { @for note in &ended.notes { li { (shown(note)) } } } }
        }
    }
}

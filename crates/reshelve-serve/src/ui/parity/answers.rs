//! The answers that were compared for a report: those of both sides, and of the running application.

use maud::{Markup, html};

use super::shadow::percent;
use crate::runs::{Answers, Said};
use crate::ui::runs::words::moment;
use crate::ui::words::{count, counted, name, shown};

pub(super) fn section(said: &Said) -> Markup {
    html! {
        h2 { "Answers" }
        @for answers in &said.answers { (compared(answers)) }
        @if said.answers.is_empty() {
            p {
                "No answers were compared for this report. " code { "reshelve report --answers" } " compares those of both sides, and "
                code { "--crosscheck FILE" } " adds what the running application answered."
            }
        }
    }
}

fn compared(answers: &Answers) -> Markup {
    let is_agreed = answers.agreed == answers.compared;
    html! {
        h3 { @if answers.api.is_some() { "Of the running application" } @else { "Of both sides" } }
        p {
            span.badge.(if is_agreed { "good" } else { "bad" }) { (percent(answers.agreed, answers.compared)) " agree" } " "
            (count(answers.agreed)) " of " (counted(answers.compared, "answer", "answers"))
            @if let Some(api) = &answers.api { " of " code { (shown(api)) } }
            @if let Some(begun) = &answers.begun { ", asked " (moment(begun)) }
            "."
        }
        div.table tabindex="0" role="group" aria-label="Answers by route" { table {
            caption { "Answers by route" }
            thead { tr {
                th scope="col" { "Route" }
                th.number scope="col" { "Agree" }
                th.number scope="col" { "Differ" }
                th.number scope="col" { "Could not be compared" }
            } }
            tbody { @for of in &answers.routes { tr {
                th scope="row" { (name(of.route)) }
                td.number { (count(of.agreed)) }
                td.number { @if of.different > 0 { strong { (count(of.different)) } } @else { "0" } }
                td.number { (count(of.missing)) }
            } } }
        } }
    }
}

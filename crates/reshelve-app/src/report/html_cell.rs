//! Values and tables of the page: text that other people wrote is never markup, and ids and words
//! are not broken where a table gets narrow.

use maud::{Markup, html};

use super::diff::{Piece, pieces};
use super::page::{Cell, Job, Table};
use super::text::shown;
use crate::text::number;

/// A text without blanks that is as long as this may be broken anywhere, in characters: an
/// ObjectId (in Extended JSON too), a date and the id of a run are shorter.
const UNBROKEN_CHARS_MAX: usize = 36;

/// Sentences of ours may quote others; they are longer than a value.
pub(super) fn shown_long(text: &str) -> String {
    text.split(' ').map(shown).collect::<Vec<_>>().join(" ")
}

/// Text between backticks is set as code.
pub(super) fn with_code(text: &str) -> Markup {
    html! {
        @for (at, piece) in text.split('`').enumerate() {
            @if at % 2 == 1 { (code(piece)) } @else { (shown_long(piece)) }
        }
    }
}

pub(super) fn table(table: &Table) -> Markup {
    // A column is set to the right if it holds a number.
    let class = |at: usize| {
        table.rows.iter().filter_map(|row| row.get(at)).any(|cell| matches!(cell, Cell::Number(_)))
    };
    html! {
        div.table {
            table class=[(table.columns.len() > 2).then_some("wide")] {
                @if !table.caption.is_empty() { caption { (with_code(table.caption)) } }
                thead {
                    tr {
                        @for (at, column) in table.columns.iter().enumerate() {
                            th scope="col" class=[class(at).then_some("number")] { (column) }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (at, value) in row.iter().enumerate() {
                                // On a narrow page each value carries its column's name.
                                td data-label=(table.columns.get(at).copied().unwrap_or_default())
                                    class=[class(at).then_some("number")] { (cell(value)) }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(more) = &table.more { p.more { "… " (with_code(more)) } }
    }
}

pub(super) fn cell(value: &Cell) -> Markup {
    html! {
        @match value {
            Cell::Text(text) => span { (with_code(text)) },
            Cell::Number(text) => span.figure { (text) },
            Cell::Foreign(text) if text.is_empty() => span.none { "none" },
            Cell::Foreign(text) => bdi { (shown(text)) },
            Cell::Code(text) if text.is_empty() => span.none { "none" },
            Cell::Code(text) => (code(text)),
            Cell::Job(job) => (self::job(job)),
            Cell::Jobs(jobs, more) => {
                @for one in jobs { span.item { (self::job(one)) } }
                @if *more > 0 && !jobs.is_empty() { span.more { "and " (number(*more)) " more" } }
            },
            Cell::Codes(texts, more) => {
                @for text in texts { span.item { (code(text)) } }
                @if *more > 0 && !texts.is_empty() { span.more { "and " (number(*more)) " more" } }
            },
            Cell::Flag { good, words } => span class=(if *good { "good" } else { "bad" }) {
                (if *good { "✓ " } else { "✗ " }) (words)
            },
            Cell::Bar(thousandths) => (bar(*thousandths)),
            Cell::Expected { value, found } => (compared(value, found, true)),
            Cell::Found { value, expected } => (compared(value, expected, false)),
        }
    }
}

/// The id of a job; it leads to its page if there is a dashboard.
fn job(job: &Job) -> Markup {
    html! {
        @match &job.href {
            _ if job.id.is_empty() => span.none { "none" },
            Some(href) => a href=(href) rel="noreferrer" { (code(&job.id)) },
            None => (code(&job.id)),
        }
    }
}

fn code(text: &str) -> Markup {
    let text = shown(text);
    html! { code class=(breaks(&text)) { bdi { (text) } } }
}

/// How a text may be broken in a narrow column: an id not at all, words between them, and
/// anywhere if there is no other way.
fn breaks(text: &str) -> &'static str {
    let longest = text.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
    match longest {
        UNBROKEN_CHARS_MAX.. => "long",
        _ if text.contains(' ') => "words",
        _ => "id",
    }
}

/// A value beside the one that it is compared with: what the other one has not is marked, as taken
/// out of what was expected, or put into what was found.
fn compared(value: &Option<String>, other: &Option<String>, is_expected: bool) -> Markup {
    let Some(value) = value else { return html! { span.none { "nothing" } } };
    let value = shown(value);
    let other = other.as_deref().map(shown).unwrap_or_default();
    let pieces = match is_expected {
        true => {
            let [expected, _] = pieces(&value, &other);
            expected
        }
        false => {
            let [_, found] = pieces(&other, &value);
            found
        }
    };
    let marked = |piece: &Piece| {
        html! {
            @if piece.is_common { (piece.text) }
            @else if is_expected { del { (piece.text) } }
            @else { ins { (piece.text) } }
        }
    };
    html! { code class=(breaks(&value)) { bdi { @for piece in &pieces { (marked(piece)) } } } }
}

/// A bar that is drawn, so that it is printed even if backgrounds are not.
fn bar(thousandths: u64) -> Markup {
    html! {
        svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
            rect.track x="0" y="0" width="1000" height="10" {}
            @if thousandths > 0 { rect x="0" y="0" width=(thousandths.max(6)) height="10" {} }
        }
    }
}

//! The report as one HTML file: no script, no link, nothing from the network.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use reshelve::report::Word;

use super::page::{Block, Cell, Page, Section, Table, verdict_words};
use super::text::shown;
use crate::text::number;

const STYLE: &str = include_str!("style.css");
/// Whatever the content is: nothing is loaded, run, or sent.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

pub(super) fn render(page: &Page) -> String {
    let (symbol, words) = verdict_words(page.word);
    let class = match page.word {
        Word::Holds => "verdict good",
        Word::DoesNotHold => "verdict bad",
        Word::HoldsWithExceptions | Word::NotChecked | Word::DryRun => "verdict open",
    };
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (words) " · run " (page.run) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.kind { "Migration report · run " code { (shown(&page.run)) } }
                    div class=(class) {
                        h1 { span.symbol aria-hidden="true" { (symbol) } " " (words) }
                        p { (page.sentence) }
                    }
                    dl.figures {
                        @for (name, value) in &page.figures {
                            div { dt { (name) } dd { (value) } }
                        }
                    }
                    @if !page.cautions.is_empty() {
                        div.cautions {
                            h2 { "Read this first" }
                            ul { @for caution in &page.cautions { li { (shown_long(caution)) } } }
                        }
                    }
                }
                main { @for part in &page.sections { (section(part)) } }
                (sign_off())
            }
        }
    };
    markup.into_string()
}

/// Sentences of ours may quote others; they are longer than a value.
fn shown_long(text: &str) -> String {
    text.split(' ').map(shown).collect::<Vec<_>>().join(" ")
}

fn section(part: &Section) -> Markup {
    html! {
        section {
            h2 { (part.title) }
            @for block in &part.blocks { (self::block(block)) }
        }
    }
}

fn block(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Text(text) => p { (with_code(text)) },
            Block::Facts(facts) => dl.facts {
                @for (name, value) in facts { div { dt { (name) } dd { (cell(value)) } } }
            },
            Block::Table(table) => (self::table(table)),
            Block::Steps(steps) => ol { @for step in steps { li { (with_code(step)) } } },
        }
    }
}

/// Text between backticks is set as code.
fn with_code(text: &str) -> Markup {
    html! {
        @for (at, piece) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (shown(piece)) } } @else { (shown_long(piece)) }
        }
    }
}

fn table(table: &Table) -> Markup {
    // A column is set to the right if it holds a number.
    let class = |at: usize| {
        table.rows.iter().filter_map(|row| row.get(at)).any(|cell| matches!(cell, Cell::Number(_)))
    };
    html! {
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
        @if let Some(more) = &table.more { p.more { "… " (with_code(more)) } }
    }
}

fn cell(value: &Cell) -> Markup {
    html! {
        @match value {
            Cell::Text(text) => span { (with_code(text)) },
            Cell::Number(text) => span.figure { (text) },
            Cell::Foreign(text) if text.is_empty() => span.none { "none" },
            Cell::Foreign(text) => bdi { (shown(text)) },
            Cell::Code(text) if text.is_empty() => span.none { "none" },
            Cell::Code(text) => code { bdi { (shown(text)) } },
            Cell::Codes(texts, more) => {
                @for text in texts { code.item { bdi { (shown(text)) } } }
                @if *more > 0 && !texts.is_empty() { span.more { "and " (number(*more)) " more" } }
            },
            Cell::Flag { good, words } => span class=(if *good { "good" } else { "bad" }) {
                (if *good { "✓ " } else { "✗ " }) (words)
            },
            Cell::Bar(thousandths) => (bar(*thousandths)),
        }
    }
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

fn sign_off() -> Markup {
    html! {
        footer {
            h2 { "Sign-off" }
            p { "I have read this report and agree with what it says." }
            div.lines {
                @for name in ["Reviewer", "Date", "Signature"] { div { span { (name) } } }
            }
        }
    }
}

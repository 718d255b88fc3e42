//! The report as one HTML file: no script, nothing from the network, and no link that leads out of it
//! but those to the pages of a dashboard that was named.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::html_cell::{cell, shown_long, table, with_code};
use super::page::{Block, Headline, Page, Part, Section, Standing, Tile, anchor};
use super::sign_off::{LINES, NO_EXCEPTIONS, NOTHING_TO_SIGN, STATEMENT, SignOff, WITH_EXCEPTIONS};
use super::text::shown;
use super::words::Explained;

const STYLE: &str = include_str!("style.css");
/// Whatever the content is: nothing is loaded, run, or sent.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// A figure of more characters than this takes the place of two.
const TILE_CHARS: usize = 12;
const SIGN_OFF: &str = "Sign-off";

pub(super) fn render(page: &Page) -> String {
    let (what, id) = &page.about;
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.headline.words) " · " (what) " " (id) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(page))
                (contents(page))
                main { @for part in &page.parts { (self::part(part)) } }
                @if let Some(sign_off) = &page.sign_off { (self::sign_off(sign_off)) }
            }
        }
    };
    markup.into_string()
}

fn header(page: &Page) -> Markup {
    let Headline { symbol, words, standing } = page.headline;
    let class = format!("verdict {}", class(standing));
    let (what, id) = &page.about;
    html! {
        header {
            p.kind { (page.kind) " · " (what) " " code { (shown(id)) } }
            div class=(class) {
                h1 { span.symbol aria-hidden="true" { (symbol) } " " (words) }
                p { (shown_long(&page.sentence)) }
                (explained(&page.explained))
            }
            ul.tiles {
                @for tile in &page.tiles {
                    li class=[(tile.value.len() > TILE_CHARS).then_some("large")] { (self::tile(tile)) }
                }
            }
            (facts(&page.facts))
            @if !page.cautions.is_empty() {
                div.cautions {
                    h2 { "Read this first" }
                    ul { @for caution in &page.cautions { li { (shown_long(caution)) } } }
                }
            }
        }
    }
}

/// The class of a standing; it sets the colour, which never says anything by itself.
fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Fails => "bad",
        Standing::Open => "open",
        Standing::Holds => "good",
        Standing::Decided | Standing::Noted | Standing::Recorded => "plain",
    }
}

fn tile(tile: &Tile) -> Markup {
    let inside = html! {
        span.value { (tile.value) }
        span.name {
            @if !tile.standing.symbol().is_empty() {
                span.symbol aria-hidden="true" { (tile.standing.symbol()) } " "
            }
            (tile.name)
        }
    };
    let class = format!("tile {}", class(tile.standing));
    html! {
        @match tile.section {
            Some(title) => a class=(class) href={ "#" (anchor(title)) } { (inside) },
            None => div class=(class) { (inside) },
        }
    }
}

fn contents(page: &Page) -> Markup {
    html! {
        nav aria-label="Contents" {
            @for part in &page.parts {
                div {
                    p { (part.title) }
                    ul {
                        @for section in &part.sections {
                            li { a href={ "#" (anchor(section.title)) } { (section.title) } }
                        }
                    }
                }
            }
            @if page.sign_off.is_some() {
                div {
                    p { "Your decision" }
                    ul { li { a href={ "#" (anchor(SIGN_OFF)) } { (SIGN_OFF) } } }
                }
            }
        }
    }
}

fn part(part: &Part) -> Markup {
    html! {
        div class={ "part " (class(part.standing)) } {
            h2 { (part.title) }
            @for section in &part.sections { (self::section(section, part.standing)) }
        }
    }
}

/// A section that is folded has its anchor inside: a browser that is led there unfolds it.
fn section(section: &Section, standing: Standing) -> Markup {
    let title = html! {
        h3 {
            @if !standing.symbol().is_empty() {
                span class={ "symbol " (class(standing)) } aria-hidden="true" { (standing.symbol()) }
                " "
            }
            (section.title)
            @if !section.brief.is_empty() { " " span.brief { (section.brief) } }
        }
    };
    let content = html! {
        div.content id=(anchor(section.title)) {
            (explained(&section.explained))
            @for block in &section.blocks { (self::block(block)) }
        }
    };
    html! {
        section {
            @if standing.is_folded() {
                details { summary { (title) } (content) }
            } @else {
                (title) (content)
            }
        }
    }
}

fn explained(words: &[Explained]) -> Markup {
    html! {
        @if !words.is_empty() {
            p.explained {
                @for (at, explained) in words.iter().enumerate() {
                    @if at > 0 { " " }
                    dfn { (explained.word) } " " (explained.meaning)
                }
            }
        }
    }
}

fn block(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Text(text) => p { (with_code(text)) },
            Block::Facts(facts) => (self::facts(facts)),
            Block::Table(table) => (self::table(table)),
            Block::Steps(steps) => ol { @for step in steps { li { (with_code(step)) } } },
        }
    }
}

fn facts(facts: &[(&'static str, super::page::Cell)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in facts { div { dt { (name) } dd { (cell(value)) } } }
        }
    }
}

fn sign_off(sign_off: &SignOff) -> Markup {
    html! {
        footer {
            h2 { (SIGN_OFF) }
            div.content id=(anchor(SIGN_OFF)) {
                (block(&sign_off.facts))
                (block(&sign_off.checksums))
                @if sign_off.choices.is_empty() { p { (NOTHING_TO_SIGN) } } @else {
                    p { (STATEMENT) }
                    (choices(sign_off))
                    div.lines { @for name in LINES { div { span { (name) } } } }
                }
            }
        }
    }
}

fn choices(sign_off: &SignOff) -> Markup {
    html! {
        ul.choices {
            @for choice in sign_off.choices {
                li {
                    (box_to_tick()) (choice)
                    @if *choice == WITH_EXCEPTIONS {
                        @if sign_off.exceptions.is_empty() { " " (NO_EXCEPTIONS) }
                        ul {
                            @for exception in &sign_off.exceptions { li { (with_code(exception)) } }
                        }
                        div.blank {}
                    }
                }
            }
        }
    }
}

/// A box that is drawn, so that it is printed.
fn box_to_tick() -> Markup {
    html! { span.box aria-hidden="true" { "☐" } " " }
}

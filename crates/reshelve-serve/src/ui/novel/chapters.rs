//! The chapters of a novel: their list, and each to be read.

use maud::{Markup, html};

use super::{Novel, Section, fact, facts, limited, nothing};
use crate::ui::layout;
use crate::ui::read::Part;
use crate::ui::words::{decimal, dollars, name, shown, shown_or, status_class, time_element};

pub(super) fn section(novel: &Novel) -> Section {
    let chapters = novel.job().parts("chapters");
    let (rows, more) = limited(&chapters);
    let content = html! {
        @if chapters.is_empty() { (nothing("No chapter was begun.")) } @else {
            div.table tabindex="0" { table {
                caption { "In the order in which they are stored" }
                thead { tr { th scope="col" { "Chapter" } th scope="col" { "Title" } th scope="col" { "Status" } th.number scope="col" { "Words" } th.number scope="col" { "Cost" } } }
                tbody {
                    @for (index, chapter) in rows.iter().enumerate() { (row(novel, *chapter, index)) }
                }
            } }
            (more)
        }
        (failures(novel))
    };
    Section { anchor: "chapters", name: "Chapters", count: Some(chapters.len()), content }
}

fn row(novel: &Novel, chapter: Part<'_>, index: usize) -> Markup {
    let status = chapter.text("status");
    let reason = chapter.part("legacy").text("failureReason");
    html! {
        tr {
            th.figure scope="row" { (number(chapter, index)) }
            td {
                a href={ (novel.address()) "/chapters/" (index + 1) } { (shown_or(&chapter.text("title"), "Without a title")) }
                @if !reason.is_empty() { div.soft.small { (shown(&reason)) } }
            }
            td { span class=(status_class(&status)) { (name(&status)) } }
            td.number { @if let Some(words) = chapter.number("wordCount") { (decimal(words)) } @else { "—" } }
            td.number { @if let Some(cost) = chapter.number("costInUsd") { (dollars(cost)) } @else { "—" } }
        }
    }
}

/// What a chapter is called by: its number, or its place.
fn number(chapter: Part<'_>, index: usize) -> String {
    chapter.number("chapterNumber").map_or_else(|| (index + 1).to_string(), decimal)
}

fn failures(novel: &Novel) -> Markup {
    let failures = novel.job().parts("failures");
    let (rows, more) = limited(&failures);
    html! {
        @if !failures.is_empty() {
            h3 { "What failed" }
            @for failure in rows {
                div.card.critical {
                    h3 {
                        @if let Some(number) = failure.part("metadata").number("chapterNumber") { "Chapter " (decimal(number)) }
                        @else { (shown_or(&name(&failure.text("stage")), "The job")) }
                    }
                    p { (shown_or(&failure.text("reason"), "No reason is recorded.")) }
                    p.soft.small {
                        (time_element(failure.time_ms("occurredAt")))
                        @if let Some(attempts) = failure.part("metadata").number("attempts") { " · attempts: " (decimal(attempts)) }
                    }
                }
            }
            (more)
        }
    }
}

/// The page of one chapter, by its place from 1; nothing if there is none.
pub(in crate::ui) fn chapter(novel: &Novel, at: usize) -> Option<Markup> {
    let chapters = novel.job().parts("chapters");
    let index = at.checked_sub(1)?;
    let chapter = *chapters.get(index)?;
    let title = chapter.text("title");
    let turn = |name: &str| turning(novel, index, chapters.len(), name);
    let content = html! {
        article.reading {
            p.soft { a href="/ui/novels" { "Library" } " / " a href={ (novel.address()) "#chapters" } { (shown(&novel.title())) } }
            p.soft { "Chapter " (number(chapter, index)) " · " (index + 1) " of " (chapters.len()) }
            h1 { (shown_or(&title, "Without a title")) }
            p {
                span class=(status_class(&chapter.text("status"))) { (name(&chapter.text("status"))) }
                @if let Some(words) = chapter.number("wordCount") { " " (decimal(words)) " words" }
            }
            (turn("Chapters"))
            (text(chapter))
            (about(chapter))
            (turn("Chapters, after the text"))
        }
    };
    Some(layout::page(&format!("{title} · {}", novel.title()), Some(&novel.place), &content))
}

/// The way to other chapters. It is on the page twice: each has a name of its own, by which screen
/// readers list them.
fn turning(novel: &Novel, index: usize, count: usize, name: &str) -> Markup {
    let address = |at: usize| format!("{}/chapters/{at}", novel.address());
    html! {
        nav.pages aria-label=(name) {
            @if index > 0 { a.button rel="prev" href=(address(index)) { "← Previous" } } @else { span {} }
            a href={ (novel.address()) "#chapters" } { "Contents" }
            @if index + 1 < count { a.button rel="next" href=(address(index + 2)) { "Next →" } } @else { span {} }
        }
    }
}

fn text(chapter: Part<'_>) -> Markup {
    let content = chapter.text("content").replace("\r\n", "\n");
    let reason = chapter.part("legacy").text("failureReason");
    html! {
        @if !reason.is_empty() { div.error { p { strong { "This chapter failed: " } (shown(&reason)) } } }
        @if content.trim().is_empty() { (nothing("No text of this chapter is stored.")) } @else {
            div.prose {
                @for paragraph in content.split("\n\n").filter(|it| !it.trim().is_empty()) {
                    p dir="auto" { (shown(paragraph.trim_matches('\n'))) }
                }
            }
        }
    }
}

fn about(chapter: Part<'_>) -> Markup {
    let legacy = chapter.part("legacy");
    let time = |name| legacy.time_ms(name).map(|ms| time_element(Some(ms))).unwrap_or_default();
    let number = |part: Part<'_>, name: &str| part.number(name).map(decimal).unwrap_or_default();
    html! {
        details {
            summary { "How it was written" }
            (facts(&[
                ("Model", fact(&chapter.text("model"))),
                ("Cost", fact(&chapter.number("costInUsd").map(dollars).unwrap_or_default())),
                ("Tokens", fact(&number(chapter.part("tokens"), "totalTokens"))),
                ("Attempts", fact(&number(legacy, "attempts"))),
                ("Last attempt", time("lastAttemptAt")),
                ("Generated", time("generatedAt")),
                ("Quality score", fact(&number(legacy, "qualityScore"))),
            ]))
        }
    }
}

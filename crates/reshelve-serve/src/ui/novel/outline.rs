//! The outline of a novel, with what the new application serves nowhere.

use maud::{Markup, html};

use super::{Novel, Section, fact, facts, limited, nothing};
use crate::ui::read::Part;
use crate::ui::words::{decimal, shown, shown_or};

pub(super) fn section(novel: &Novel) -> Section {
    let entries = novel.job().parts("outline");
    let (rows, more) = limited(&entries);
    let content = html! {
        @if entries.is_empty() { (nothing("There is no outline.")) }
        @for (index, one) in rows.iter().enumerate() { (entry(*one, index)) }
        (more)
    };
    Section { anchor: "outline", name: "Outline", count: Some(entries.len()), content }
}

fn entry(entry: Part<'_>, index: usize) -> Markup {
    let number = entry.number("chapterNumber").map_or_else(|| (index + 1).to_string(), decimal);
    let events = entry.texts("keyEvents");
    html! {
        details {
            summary { (number) ". " (shown_or(&entry.text("title"), "Without a title")) }
            p.words { (shown_or(&entry.text("summary"), "Without a summary")) }
            @if !events.is_empty() { ul { @for event in &events { li { (shown(event)) } } } }
            (facts(&[
                ("Words planned", fact(&entry.number("wordTarget").map(decimal).unwrap_or_default())),
                ("Characters", fact(&entry.texts("characterFocus").join(", "))),
                ("Plot", fact(&entry.texts("plotAdvancement").join(", "))),
                ("Genre elements", fact(&entry.texts("genreElements").join(", "))),
            ]))
        }
    }
}

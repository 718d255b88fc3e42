//! `outline` of the job.

use std::collections::HashMap;

use crate::mapping::copied::Copier;
use crate::mapping::legacy::{Chapter, Legacy, OutlineEntry};
use crate::mapping::read::strings;
use crate::mapping::warning::{Path, Warnings};
use crate::raw::{Value, Writer, kind};

pub(super) fn write(
    out: &mut Writer,
    outline: &[OutlineEntry<'_>],
    copier: Copier,
    warnings: &mut Warnings,
) {
    let root = Path::ROOT;
    let path = root.name("outline");
    let array = out.begin_array("outline");
    for (index, entry) in outline.iter().enumerate() {
        let item = out.begin_item(index);
        out.number("chapterNumber", entry.number);
        out.string("title", entry.title.unwrap_or_default());
        out.string("summary", entry.summary.unwrap_or_default());
        let events = out.begin_array("keyEvents");
        for (index, event) in strings(entry.key_events).enumerate() {
            out.string_item(index, event);
        }
        out.end(events);
        if let Some(words) = entry.word_target {
            out.number("wordTarget", words);
        }
        let human = entry
            .human_like_elements
            .map(|document| Value { kind: kind::DOCUMENT, bytes: document.bytes() });
        let path = path.index(entry.index);
        for (name, value) in [
            ("humanLikeElements", human),
            ("characterFocus", entry.character_focus),
            ("plotAdvancement", entry.plot_advancement),
            ("genreElements", entry.genre_elements),
        ] {
            if let Some(value) = value
                && let Some(value) = copier.readable(value, &path.name(name), warnings)
            {
                out.value(name, value);
            }
        }
        out.end(item);
    }
    out.end(array);
}

/// For each written chapter the word target of the first outline entry with its number.
pub(crate) fn word_targets(legacy: &Legacy<'_>) -> Vec<Option<f64>> {
    let mut first = HashMap::new();
    for entry in &legacy.outline {
        // Adding 0.0 makes -0.0 the same number as 0.0.
        first.entry((entry.number + 0.0).to_bits()).or_insert(entry.word_target);
    }
    let of = |chapter: &Chapter<'_>| first.get(&(chapter.number + 0.0).to_bits());
    legacy.chapters.iter().map(|chapter| of(chapter).copied().flatten()).collect()
}

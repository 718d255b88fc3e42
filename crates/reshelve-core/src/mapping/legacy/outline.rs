//! `outline` as the rules see it.

use crate::mapping::read::{Typed, float, pick};
use crate::mapping::warning::Path;
use crate::raw::{Document, Value};

/// One document of `outline`.
#[derive(Debug)]
pub(crate) struct OutlineEntry<'a> {
    /// Position in the source array.
    pub(crate) index: usize,
    /// `chapterNumber`, else position + 1.
    pub(crate) number: f64,
    pub(crate) id: Option<Value<'a>>,
    pub(crate) title: Option<&'a [u8]>,
    pub(crate) summary: Option<&'a [u8]>,
    pub(crate) key_events: Option<Document<'a>>,
    pub(crate) word_target: Option<f64>,
    pub(crate) human_like_elements: Option<Document<'a>>,
    pub(crate) character_focus: Option<Value<'a>>,
    pub(crate) plot_advancement: Option<Value<'a>>,
    pub(crate) genre_elements: Option<Value<'a>>,
}

pub(super) fn entries<'a>(
    typed: &mut Typed<'_>,
    value: Option<Value<'a>>,
) -> Vec<OutlineEntry<'a>> {
    const NAMES: [&str; 10] = [
        "_id",
        "chapterNumber",
        "title",
        "summary",
        "keyEvents",
        "characterFocus",
        "plotAdvancement",
        "wordTarget",
        "genreElements",
        "humanLikeElements",
    ];
    let root = Path::ROOT;
    let path = root.name("outline");
    let array = typed.array(value, &path);
    let mut entries = Vec::new();
    typed.documents(array, &path, |typed, index, document, path| {
        let [id, number, title, summary, events, focus, plot, words, genre, human] =
            pick(document, &NAMES);
        let key_events = typed.array(events, &path.name("keyEvents"));
        typed.expect_strings(key_events, &path.name("keyEvents"));
        entries.push(OutlineEntry {
            index,
            number: number_or_position(typed, number, path, index),
            id,
            title: typed.string(title, &path.name("title")),
            summary: typed.string(summary, &path.name("summary")),
            key_events,
            word_target: typed.number(words, &path.name("wordTarget")),
            human_like_elements: typed.document(human, &path.name("humanLikeElements")),
            character_focus: focus.filter(|value| !value.is_nullish()),
            plot_advancement: plot.filter(|value| !value.is_nullish()),
            genre_elements: genre.filter(|value| !value.is_nullish()),
        });
    });
    entries
}

/// `chapterNumber`, else the position counted from 1.
pub(super) fn number_or_position(
    typed: &mut Typed<'_>,
    value: Option<Value<'_>>,
    path: &Path<'_>,
    index: usize,
) -> f64 {
    typed.number(value, &path.name("chapterNumber")).unwrap_or_else(|| float(index + 1))
}

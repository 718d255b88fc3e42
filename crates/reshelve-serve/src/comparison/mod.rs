//! What two sides answer to the same question, compared: where they differ, where that comes from,
//! and why.

mod cause;
mod difference;
mod everything;
mod example;
mod lists;
mod offline;
mod origin;
mod sample;
mod tally;

use serde_json::Value;

pub use cause::{Cause, Decisions};
pub(crate) use cause::{of_jobs, retraced};
pub use difference::Kind;
pub use example::{EXAMPLES_MAX, Example};
pub use offline::{Compared, Jobs, Offline, Others, Scope};
pub use origin::ValueOrigin;
pub use sample::Sample;
pub use tally::{Fate, Tally};

use crate::questions::{ListQuestion, Question, Reply};
use crate::sides::RouteName;
use difference::{folded_path, places, shown, shown_path};
pub(crate) use everything::{answers_about, facets, lists};

/// How many places of two answers are named.
pub const DIFFERENCES_MAX: usize = 5;
/// The longest path that is shown, in characters: names in it may be what people chose.
const PATH_CHARS_MAX: usize = 200;

/// A place at which two answers differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its JSON path, such as `chapters[0].title`; empty for the whole document.
    pub path: String,
    /// The same with `[]` for every position.
    pub folded: String,
    /// How they differ there.
    pub kind: Kind,
    /// What the first side has there, and what the second one has: texts by their length alone
    /// unless they may be shown.
    pub values: [Value; 2],
    /// Where the value comes from, if it is of one document.
    pub origin: Option<ValueOrigin>,
}

/// Whether examples show what texts of documents say: cut, and around the place where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// Their length alone.
    Hidden,
    /// A piece of them.
    Shown,
}

impl Texts {
    /// Shown if texts are asked for.
    pub fn of(with_texts: bool) -> Self {
        if with_texts { Texts::Shown } else { Texts::Hidden }
    }
}

/// How two answers to one question differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Differing {
    /// The first places, at most [`DIFFERENCES_MAX`]. Of lists only the first job that differs is
    /// looked into. Nothing where only the texts of the JSON differ.
    pub places: Vec<Difference>,
    /// The job at which they differ; of lists, those that may be why, the likeliest first.
    pub jobs: Vec<String>,
}

/// Compares two answers to one question; nothing where both say the same. In lists, jobs that were
/// created at the same moment may stand in any order.
pub fn compare(question: &Question, replies: [&Reply; 2], texts: Texts) -> Option<Differing> {
    compare_all(question, replies, texts, DIFFERENCES_MAX)
}

/// The same with at most so many places.
pub(crate) fn compare_all(
    question: &Question,
    replies: [&Reply; 2],
    texts: Texts,
    places_max: usize,
) -> Option<Differing> {
    if replies[0] == replies[1] {
        return None;
    }
    let mut values = replies.map(json);
    if let Question::List(ListQuestion { limit, .. }) = question
        && replies[0].status == replies[1].status
        && lists::agree(&mut values, *limit)
    {
        return None;
    }
    let route = question.route();
    let [first, second] = &values;
    let mut found = places(first, second, places_max);
    if route == RouteName::List {
        lists::keep_first_job(&mut found);
    }
    let path = found.first().map(|place| &place.path[..]).unwrap_or_default();
    let jobs = match question.job_id() {
        Some(id) => vec![id.to_owned()],
        None => lists::jobs_at([first, second], path),
    };
    let places = found.iter().map(|place| difference(route, place, texts)).collect();
    Some(Differing { places, jobs })
}

/// An answer as JSON; null where it is none.
fn json(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_default()
}

fn difference(route: RouteName, place: &difference::Place<'_>, texts: Texts) -> Difference {
    Difference {
        path: shortened(shown_path(&place.path), PATH_CHARS_MAX),
        folded: shortened(folded_path(&place.path), PATH_CHARS_MAX),
        kind: place.kind,
        values: shown(place, texts == Texts::Shown),
        origin: origin::of(route, &place.path).map(|origin| ValueOrigin {
            target: shortened(origin.target, PATH_CHARS_MAX),
            ..origin
        }),
    }
}

/// A text of at most so many characters, with `…` where it goes on.
fn shortened(text: String, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

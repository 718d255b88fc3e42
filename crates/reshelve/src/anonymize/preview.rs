//! One document before and after, by path: for a look, on a terminal.

use reshelve_core::extjson::{Style, write_value};
use reshelve_core::raw::{Document, Value, kind};

use super::copy::rewriting;
use super::error::AnonymizeError;
use super::first_pass::{FirstPass, Reading};
use super::key::Key;
use super::readable::Read;
use super::rewrite::job_of;
use super::{ATTEMPTS, Copying};
use crate::ends::Source;
use crate::pass::Round;

/// Values that are shown at most.
pub const PREVIEW_MAX: usize = 2_000;

/// A value before and after, as Extended JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its path in the source.
    pub path: String,
    /// What it was.
    pub before: String,
    /// What it became.
    pub after: String,
}

/// The values of one job before and after; none if the source has no such job, or no copy of it is
/// true to life.
///
/// # Errors
/// If the source cannot be read.
pub fn preview(
    mut source: Box<dyn Source>,
    job: &[u8],
    key: &Key,
    (first, reading): (&FirstPass, &Reading<'_>),
    copying: Copying,
) -> Result<Option<Vec<Changed>>, AnonymizeError> {
    let rewriting = rewriting(key, (first, reading), copying);
    let (mut round, mut bson) = (Round::default(), Vec::new());
    while round.read(source.as_mut(), reading.stop)? {
        for original in round.documents() {
            let Read::Bson(document) = Read::of(&original, &mut bson) else { continue };
            let document = Document::new(document);
            if job_of(document) != job {
                continue;
            }
            let copy = (0..ATTEMPTS)
                .find_map(|attempt| rewriting.rewrite(document, attempt, Vec::new()).ok());
            return Ok(copy.map(|copy| {
                let mut rows = Vec::new();
                compare(document, Document::new(&copy), "", &mut rows);
                rows
            }));
        }
    }
    Ok(None)
}

fn compare(one: Document<'_>, other: Document<'_>, above: &str, rows: &mut Vec<Changed>) {
    for (one, other) in one.elements().zip(other.elements()) {
        if rows.len() >= PREVIEW_MAX {
            return;
        }
        let dot = if above.is_empty() { "" } else { "." };
        let path = format!("{above}{dot}{}", one.name_text());
        if matches!(one.value.kind, kind::DOCUMENT | kind::ARRAY) {
            if one.name != other.name {
                let (before, after) =
                    (one.name_text().into_owned(), other.name_text().into_owned());
                rows.push(Changed { path: path.clone(), before, after });
            }
            compare(Document::new(one.value.bytes), Document::new(other.value.bytes), &path, rows);
        } else {
            rows.push(Changed { path, before: text(one.value), after: text(other.value) });
        }
    }
}

fn text(value: Value<'_>) -> String {
    let mut text = Vec::new();
    write_value(&mut text, value, Style::Relaxed);
    String::from_utf8_lossy(&text).into_owned()
}

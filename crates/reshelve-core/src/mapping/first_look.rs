//! A first look at a legacy document: what a profile needs to know about it, without reading the
//! rest.

use super::facts::Status;
use super::ids::{Identity, object_id_ms};
use super::read::pick;
use crate::raw::{DATE_MAX, DATE_MIN, Document, Value};

/// What a first look at a legacy document shows. Where a name repeats, the first one counts.
#[derive(Clone, Copy, Debug)]
pub struct FirstLook<'a> {
    id: Option<Value<'a>>,
    /// The legacy status, whatever its type.
    pub status: Option<Value<'a>>,
    /// The current phase, whatever its type.
    pub phase: Option<Value<'a>>,
    /// When the job was created, in milliseconds since 1970-01-01 UTC, where anything says so.
    pub created: Option<i64>,
    /// The newest era, 1 to 5, that left a feature in the document, as the mapping records it.
    pub era: u8,
}

impl<'a> FirstLook<'a> {
    /// Looks at a document that passed [`check`](crate::raw::check).
    pub fn at(document: Document<'a>) -> FirstLook<'a> {
        const NAMES: [&str; 10] = [
            "_id",
            "status",
            "currentPhase",
            "humanLikeWriting",
            "outline",
            "chapters",
            "progress",
            "metadata",
            "createdAt",
            "updatedAt",
        ];
        let [id, status, phase, human, outline, chapters, progress, metadata, created, updated] =
            pick(document, &NAMES);
        let date = |value: Option<Value<'_>>| {
            value.and_then(Value::date_ms).filter(|at| (DATE_MIN..=DATE_MAX).contains(at))
        };
        let era = if metadata.and_then(Value::document).is_some() {
            5
        } else if human.and_then(Value::boolean).is_some()
            || any(outline, "humanLikeElements", |value| value.document().is_some())
        {
            4
        } else if any(chapters, "status", |value| value.string().is_some())
            || has_failure_count(progress)
        {
            2
        } else {
            1
        };
        let created = date(created).or_else(|| object_id_ms(id)).or_else(|| date(updated));
        FirstLook { id, status, phase, created, era }
    }

    /// The job id of a document in flight; none where it is not in flight or its `_id` is not
    /// supported.
    pub fn in_flight(&self) -> Option<Vec<u8>> {
        let status = Status::of_legacy(self.status?.string()?)?;
        if !status.is_in_flight() {
            return None;
        }
        Identity::read(self.id).ok().map(|identity| identity.job_id)
    }
}

/// Whether a document of the array has a field of that name that meets the condition.
fn any(array: Option<Value<'_>>, name: &str, wanted: impl Fn(Value<'_>) -> bool) -> bool {
    let Some(array) = array.and_then(Value::array) else { return false };
    array
        .values()
        .filter_map(Value::document)
        .any(|document| document.get(name).is_some_and(&wanted))
}

fn has_failure_count(progress: Option<Value<'_>>) -> bool {
    let count = progress
        .and_then(Value::document)
        .and_then(|progress| progress.get("chaptersFailed"))
        .and_then(Value::numeric);
    count.is_some_and(|count| count.is_finite() && count >= 0.0)
}

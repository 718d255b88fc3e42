//! A first look at a legacy document: what a profile wants to know of it, without reading the
//! rest.

use super::facts::Status;
use super::ids::{Identity, object_id_ms};
use super::read::pick;
use crate::raw::{DATE_MAX, DATE_MIN, Document, Value};

/// What the first look tells. Where a name repeats, the first one is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    id: Option<Value<'a>>,
    pub(crate) status: Option<Value<'a>>,
    pub(crate) phase: Option<Value<'a>>,
    /// When the job was created, where anything tells.
    pub(crate) created: Option<i64>,
    /// The newest era a feature of which is there, as the mapping records it.
    pub(crate) era: u8,
}

impl<'a> Look<'a> {
    /// Looks at a document that passed the check.
    pub(crate) fn at(document: Document<'a>) -> Look<'a> {
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
        Look { id, status, phase, created, era }
    }

    /// The job id of a document that was in flight.
    pub(crate) fn in_flight(&self) -> Option<Vec<u8>> {
        let status = Status::of_legacy(self.status?.string()?)?;
        if !status.is_in_flight() {
            return None;
        }
        Identity::read(self.id).ok().map(|identity| identity.job_id)
    }
}

/// Whether a document of the array has a field of that name that is as wanted.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Plan, Stream};
    use crate::mapping::legacy::Legacy;
    use crate::mapping::warning::Warnings;

    #[test]
    fn the_era_is_the_one_that_the_mapping_records() {
        let mut met = std::collections::BTreeSet::new();
        for plan in [Plan::lifecycle(1, 200), Plan::populated(2, 40), Plan::foreign(3, 400)] {
            for bytes in Stream::new(plan) {
                let document = Document::new(&bytes);
                let legacy = Legacy::read(document, &mut Warnings::default());
                let era = Look::at(document).era;
                assert_eq!(i32::from(era), crate::mapping::metadata::era(&legacy));
                met.insert(era);
            }
        }
        assert_eq!(met.into_iter().collect::<Vec<_>>(), [1, 2, 4, 5]);
    }
}

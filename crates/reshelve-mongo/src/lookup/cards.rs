//! Jobs without their texts, as a server gives them.
//!
//! A server picks what is shown. Where it goes into an array for that, it leaves out every element
//! that is no document, and an answer would not tell what the application makes of these; so it is
//! asked how many there are too. Where something was left out, and by servers that compute nothing in
//! a projection (before 4.4), the rest is left out instead: that takes them longer.

use mongodb::bson::{Document, doc};
use reshelve_core::raw;

/// Where the numbers of elements are told.
const CHAPTERS: &str = "chaptersThere";
const OUTLINE: &str = "outlineThere";

/// What is shown, and how many elements there are.
pub(super) fn shown() -> Document {
    doc! {
        "jobId": 1, "status": 1, "queue": 1, "payload": 1, "requestedAt": 1, "createdAt": 1,
        "updatedAt": 1, "summary": 1, "engine": 1, "failures": 1, "outline.keyEvents": 1,
        "chapters.status": 1, "chapters.attempts": 1,
        CHAPTERS: there("$chapters"), OUTLINE: there("$outline"),
    }
}

/// How many elements a field has; its type where it is no array.
fn there(field: &str) -> Document {
    let elements = doc! { "$size": field };
    doc! { "$cond": [{ "$isArray": [field] }, elements, { "$type": field }] }
}

/// Which jobs are as the mapping writes them, in what may keep the application from reading one:
/// key events in everything that is outlined, and no attempts. A server sees that without making
/// documents of all their texts. Of a job that is not such, this says nothing.
///
/// There is one condition for each path, and none on the whole: with an `$and`, a `$or` or a `$nor`
/// a compatible server reads all jobs instead of those that an index finds.
pub(super) fn plain() -> Document {
    let nothing = doc! { "$not": { "$type": ["null", "undefined"] } };
    // A condition on an array is one on its elements too: every array would be an array.
    let other_than = |fine: &[&str]| -> Vec<&str> {
        raw::kind::ALIASES.into_iter().filter(|name| !fine.contains(name)).collect()
    };
    doc! {
        "chapters": &nothing,
        "chapters.attempts": { "$not": { "$type": other_than(&["array"]) } },
        "chapters.attempts.0": { "$exists": false },
        "failures": nothing,
        "outline": {
            "$type": "array", "$not": { "$elemMatch": { "$not": { "$type": "object" } } },
        },
        "outline.keyEvents": { "$ne": null, "$not": { "$type": other_than(&["array", "string"]) } },
    }
}

/// All but what no list shows: texts of chapters above all.
pub(super) fn without_texts() -> Document {
    doc! {
        "chapters.content": 0, "chapters.legacy": 0, "outline.summary": 0, "context": 0,
        "analysis": 0, "events": 0, "domainEvents": 0, "modelUsage": 0, "qualityMetrics": 0,
    }
}

/// Whether nothing was left out of a job that was asked for by [`shown`].
pub(super) fn is_whole(job: &[u8]) -> bool {
    let job = raw::Document::new(job);
    [("chapters", CHAPTERS), ("outline", OUTLINE)].into_iter().all(|(name, there)| {
        let shown = job.get(name).map(|shown| shown.array().map(|array| array.values().count()));
        match (shown, job.get(there)) {
            (None, Some(there)) => there.string() == Some(b"missing"),
            (Some(Some(shown)), Some(there)) => {
                let there = there.int32().map(i64::from).or(there.int64());
                there.and_then(|there| usize::try_from(there).ok()) == Some(shown)
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use mongodb::bson::{Bson, RawDocumentBuf};

    use super::*;

    #[test]
    fn elements_that_were_left_out_are_noticed() {
        let is_whole = |chapters: Option<Bson>, there: Bson| {
            let mut job = doc! { CHAPTERS: there, OUTLINE: "missing" };
            job.extend(chapters.map(|chapters| ("chapters".to_owned(), chapters)));
            is_whole(RawDocumentBuf::try_from(&job).unwrap().as_bytes())
        };
        let two = Bson::Array(vec![doc! {}.into(), doc! { "status": "x" }.into()]);
        assert!(is_whole(Some(two.clone()), 2.into()));
        assert!(is_whole(Some(two.clone()), Bson::Int64(2)));
        assert!(is_whole(None, "missing".into()));
        assert!(is_whole(Some(Bson::Array(Vec::new())), 0.into()));
        for (chapters, there) in [
            (Some(two.clone()), 3.into()),
            (None, "string".into()),
            (None, "null".into()),
            (Some(doc! {}.into()), "object".into()),
            (Some(two), "missing".into()),
        ] {
            assert!(!is_whole(chapters, there));
        }
    }
}

//! Groups of mismatches in words.

use reshelve::parity::{Group, GroupKind};

use crate::text::{counted, number, plain};

/// How much of a value is shown: each mismatch by itself has more.
const SHOWN_CHARS_MAX: usize = 40;

/// Where a group of mismatches is, without the values.
pub fn place(group: &Group) -> String {
    let collection = group.collection.map_or("", |collection| collection.name());
    match group.kind {
        GroupKind::MissingJob | GroupKind::ConflictGone | GroupKind::ExtraJob => {
            "whole jobs".into()
        }
        GroupKind::Other => "further places".into(),
        GroupKind::Different => format!("{collection} {}", plain(&group.path)),
        _ => collection.into(),
    }
}

/// What the mismatches of a group are.
pub fn difference(group: &Group) -> String {
    let value = |value: &Option<String>| {
        let text = value.as_deref().unwrap_or("nothing");
        match text.char_indices().nth(SHOWN_CHARS_MAX) {
            Some((end, _)) => format!("{}…", plain(&text[..end])),
            None => plain(text),
        }
    };
    match group.kind {
        GroupKind::MissingJob => "missing with all their documents".into(),
        GroupKind::ConflictGone => {
            "rejected because the target held something else of them, which is gone".into()
        }
        GroupKind::Missing => "missing".into(),
        GroupKind::ExtraJob | GroupKind::Extra => "in the target, and of no legacy document".into(),
        GroupKind::Double => "an _id for the second time".into(),
        GroupKind::SameJob => "a jobId for the second time, under another _id".into(),
        GroupKind::Damaged => "damaged, and not read any further".into(),
        GroupKind::Other => "not told apart".into(),
        GroupKind::Different if group.expected.is_none() && group.actual.is_none() => {
            "various values".into()
        }
        GroupKind::Different => format!("{} → {}", value(&group.expected), value(&group.actual)),
    }
}

/// How many they are: jobs, or documents if these are more.
pub fn amount(group: &Group) -> String {
    match group.kind {
        GroupKind::MissingJob | GroupKind::ConflictGone | GroupKind::ExtraJob => number(group.jobs),
        GroupKind::Different | GroupKind::Other if group.mismatches > group.jobs => {
            format!("{} in {}", number(group.mismatches), counted(group.jobs, "job"))
        }
        _ => number(group.mismatches),
    }
}

/// A group in a line: `78 × novel_jobs status "running" → "failed"`.
pub fn line(group: &Group) -> String {
    let line = format!("{} × {} {}", amount(group), place(group), difference(group));
    match group.example.as_str() {
        "" => line,
        job => format!("{line}, such as {}", plain(job)),
    }
}

//! Mismatches put together: what differs in the same way is one group, and is counted once.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::verification::Mismatch;
use crate::store::{Key, key_of};
use crate::target_schema::Collection;

/// How many places, each a collection and a path, are told apart; the rest is one group.
const PLACES_MAX: usize = 100;
/// How many pairs of values of one place are told apart; if there are more, they are one group.
const VALUES_MAX: usize = 10;
/// So many pairs of values are told apart even if no two jobs have the same ones.
const VALUES_MIN: usize = 3;
/// How many jobs that are extra are known by their keys, so that their parts are counted with them.
const EXTRA_JOBS_MAX: usize = 1 << 20;

/// What the mismatches of a group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    /// Nothing of these jobs is in the target.
    MissingJob,
    /// These jobs were not carried over because the target held something else of them, and it
    /// holds nothing of them now.
    ConflictGone,
    /// A document is missing of a job that is there.
    Missing,
    /// These jobs are in the target with their documents, and belong to no legacy document.
    ExtraJob,
    /// A document is in the target, and belongs to no legacy document.
    Extra,
    /// A document has the `_id` of another one in the same collection.
    Double,
    /// A document of others has the `jobId` of a job that was carried over, under another `_id`.
    SameJob,
    /// A value differs.
    Different,
    /// A file is damaged: its documents after that place cannot be read.
    Damaged,
    /// Further places that are not told apart.
    Other,
}

/// Mismatches of one kind at one place, with the same values on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What they have in common.
    pub kind: GroupKind,
    /// The collection; null for whole jobs, and for places that are not told apart.
    pub collection: Option<Collection>,
    /// The path, with `[]` for positions in an array; empty for whole documents.
    pub path: String,
    /// What should be there. Null if nothing should; with `actual` null too, the values vary, or
    /// the group is about whole documents.
    pub expected: Option<String>,
    /// What is there; null if nothing is.
    pub actual: Option<String>,
    /// How many jobs have such a mismatch.
    pub jobs: u64,
    /// How many mismatches they are. Every mismatch is in one group.
    pub mismatches: u64,
    /// The first job.
    pub example: String,
}

type Values = (Option<String>, Option<String>);

/// How often something occurred.
#[derive(Debug, Default)]
struct Count {
    jobs: u64,
    mismatches: u64,
    first: String,
    last: String,
}

impl Count {
    /// The mismatches of one job come together.
    fn add(&mut self, job: &str) {
        let is_new = self.mismatches == 0 || self.last != job;
        self.add_of(job, is_new);
    }

    /// `is_new` tells whether the job is counted.
    fn add_of(&mut self, job: &str, is_new: bool) {
        if self.mismatches == 0 {
            job.clone_into(&mut self.first);
        }
        if is_new {
            self.jobs += 1;
            job.clone_into(&mut self.last);
        }
        self.mismatches += 1;
    }

    fn group(self, kind: GroupKind, collection: Option<Collection>, path: &str) -> Group {
        Group {
            kind,
            collection,
            path: path.to_owned(),
            expected: None,
            actual: None,
            jobs: self.jobs,
            mismatches: self.mismatches,
            example: self.first,
        }
    }
}

/// What occurred at one place.
#[derive(Debug, Default)]
struct Place {
    all: Count,
    /// By values; empty if there were too many.
    values: BTreeMap<Values, Count>,
    vary: bool,
}

/// Mismatches while they are put together.
#[derive(Debug, Default)]
pub(super) struct Groups {
    places: BTreeMap<(GroupKind, Option<Collection>, String), Place>,
    other: Count,
    /// The keys of jobs that are extra: jobs are read before their parts.
    extra_jobs: HashSet<Key>,
}

impl Groups {
    /// Counts a mismatch of this kind.
    pub(super) fn add(&mut self, kind: GroupKind, mismatch: &Mismatch) {
        let Mismatch { job, collection, path, expected, actual } = mismatch;
        if kind == GroupKind::Extra && self.is_of_extra_job(job, *collection) {
            let key = (GroupKind::ExtraJob, None, String::new());
            let place = self.places.entry(key).or_default();
            place.all.add_of(job, *collection == Collection::Jobs);
            return;
        }
        let path = if kind == GroupKind::Different { pattern(path) } else { String::new() };
        let is_of_jobs = matches!(kind, GroupKind::MissingJob | GroupKind::ConflictGone);
        let collection = (!is_of_jobs).then_some(*collection);
        let key = (kind, collection, path);
        if self.places.len() >= PLACES_MAX && !self.places.contains_key(&key) {
            self.other.add(job);
            return;
        }
        let place = self.places.entry(key).or_default();
        place.all.add(job);
        if kind != GroupKind::Different || place.vary {
            return;
        }
        place.values.entry((expected.clone(), actual.clone())).or_default().add(job);
        if place.values.len() > VALUES_MAX {
            place.values.clear();
            place.vary = true;
        }
    }

    /// Whether a document that is extra is a job, or a part of one that is extra itself.
    fn is_of_extra_job(&mut self, job: &str, collection: Collection) -> bool {
        let key = key_of(job.as_bytes());
        if collection == Collection::Jobs && self.extra_jobs.len() < EXTRA_JOBS_MAX {
            self.extra_jobs.insert(key);
        }
        self.extra_jobs.contains(&key)
    }

    /// The groups, the largest first.
    pub(super) fn finish(self) -> Vec<Group> {
        let mut groups = Vec::new();
        for ((kind, collection, path), place) in self.places {
            let pairs = u64::try_from(place.values.len()).unwrap_or(u64::MAX);
            // Values that hardly any two jobs share say nothing.
            let vary = place.values.len() > VALUES_MIN && pairs * 2 > place.all.jobs;
            if place.values.is_empty() || vary {
                groups.push(place.all.group(kind, collection, &path));
                continue;
            }
            for ((expected, actual), count) in place.values {
                let group = count.group(kind, collection, &path);
                groups.push(Group { expected, actual, ..group });
            }
        }
        if self.other.mismatches > 0 {
            groups.push(self.other.group(GroupKind::Other, None, ""));
        }
        groups.sort_by_key(|group| (group.kind == GroupKind::Other, std::cmp::Reverse(group.jobs)));
        groups
    }
}

/// A path without the positions in arrays: `chapters.3.title` is `chapters[].title`.
fn pattern(path: &str) -> String {
    let mut pattern = String::new();
    for part in path.split('.') {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            pattern.push_str("[]");
            continue;
        }
        if !pattern.is_empty() {
            pattern.push('.');
        }
        pattern.push_str(part);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mismatch(job: u32, path: &str, values: (&str, &str)) -> Mismatch {
        Mismatch {
            job: job.to_string(),
            collection: Collection::Jobs,
            path: path.to_owned(),
            expected: Some(values.0.to_owned()),
            actual: Some(values.1.to_owned()),
        }
    }

    fn told(groups: Groups) -> Vec<(u64, u64, String, Option<String>)> {
        let groups = groups.finish().into_iter();
        groups.map(|it| (it.jobs, it.mismatches, it.path, it.actual)).collect()
    }

    #[test]
    fn the_same_difference_of_many_jobs_is_one_group() {
        let mut groups = Groups::default();
        for job in 0..30 {
            let actual = if job < 20 { "failed" } else { "queued" };
            groups.add(GroupKind::Different, &mismatch(job, "status", ("running", actual)));
            for at in 0..2 {
                let path = format!("chapters.{at}.title");
                groups.add(GroupKind::Different, &mismatch(job, &path, ("a", &job.to_string())));
            }
        }
        let expected = [
            (30, 60, "chapters[].title", None),
            (20, 20, "status", Some("failed")),
            (10, 10, "status", Some("queued")),
        ];
        let expected =
            expected.map(|(jobs, mismatches, path, actual): (_, _, &str, Option<&str>)| {
                (jobs, mismatches, path.to_owned(), actual.map(str::to_owned))
            });
        assert_eq!(told(groups), expected);
    }

    #[test]
    fn places_are_bounded_and_nothing_is_left_uncounted() {
        let mut groups = Groups::default();
        for place in 0..1_000 {
            groups.add(GroupKind::Different, &mismatch(7, &format!("field{place}"), ("a", "b")));
        }
        let groups = groups.finish();
        assert_eq!(groups.len(), PLACES_MAX + 1);
        assert_eq!(groups.last().unwrap().kind, GroupKind::Other);
        assert_eq!(groups.iter().map(|group| group.mismatches).sum::<u64>(), 1_000);
    }
}

//! `progress` as the rules see it.

use crate::mapping::read::{Typed, pick};
use crate::mapping::warning::Path;
use crate::raw::{Document, Value};

/// The document `progress`.
#[derive(Debug, Default)]
pub(crate) struct Progress<'a> {
    pub(crate) outline_complete: Option<bool>,
    pub(crate) has_failures: Option<bool>,
    pub(crate) chapters_completed: Option<f64>,
    pub(crate) chapters_failed: Option<f64>,
    pub(crate) total_chapters: Option<f64>,
    pub(crate) failed_chapter_numbers: Option<Document<'a>>,
    pub(crate) estimated_completion: Option<i64>,
    pub(crate) last_activity: Option<i64>,
    pub(crate) failed_at: Option<i64>,
}

impl<'a> Progress<'a> {
    pub(super) fn read(typed: &mut Typed<'_>, value: Option<Value<'a>>) -> Self {
        let root = Path::ROOT;
        let path = root.name("progress");
        let Some(document) = typed.document(value, &path) else { return Progress::default() };
        const NAMES: [&str; 9] = [
            "outlineComplete",
            "chaptersCompleted",
            "chaptersFailed",
            "totalChapters",
            "failedChapterNumbers",
            "hasFailures",
            "estimatedCompletion",
            "lastActivity",
            "failedAt",
        ];
        let [outline, completed, failed, total, numbers, failures, estimated, last, failed_at] =
            pick(document, &NAMES);
        let numbers_path = path.name("failedChapterNumbers");
        let failed_chapter_numbers = typed.array(numbers, &numbers_path);
        if let Some(array) = failed_chapter_numbers {
            for (index, value) in array.values().enumerate() {
                // A null element is of an unexpected type, as everywhere in an array.
                if value.is_nullish() {
                    typed.mismatch(&numbers_path.index(index));
                }
                typed.number(Some(value), &numbers_path.index(index));
            }
        }
        Progress {
            outline_complete: typed.boolean(outline, &path.name("outlineComplete")),
            has_failures: typed.boolean(failures, &path.name("hasFailures")),
            chapters_completed: typed.count(completed, &path.name("chaptersCompleted")),
            chapters_failed: typed.count(failed, &path.name("chaptersFailed")),
            total_chapters: typed.count(total, &path.name("totalChapters")),
            failed_chapter_numbers,
            estimated_completion: typed.date(estimated, &path.name("estimatedCompletion")),
            last_activity: typed.date(last, &path.name("lastActivity")),
            failed_at: typed.date(failed_at, &path.name("failedAt")),
        }
    }

    /// The numbers of `failedChapterNumbers`, where it is an array.
    pub(crate) fn failed_numbers(&self) -> Option<impl Iterator<Item = f64> + 'a> {
        let array = self.failed_chapter_numbers?;
        Some(array.elements().filter_map(|item| item.value.numeric()).filter(|n| n.is_finite()))
    }
}

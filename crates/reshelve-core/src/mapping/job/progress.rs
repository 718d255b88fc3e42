//! `progress` of the job, and where the recorded one differs from the chapters.

use crate::mapping::facts::Facts;
use crate::mapping::legacy::{ChapterStatus, Legacy, NumberSet};
use crate::mapping::warning::{Path, WarningCode, Warnings};
use crate::raw::Writer;

pub(super) fn write(out: &mut Writer, legacy: &Legacy<'_>, facts: &Facts, warnings: &mut Warnings) {
    let recorded = &legacy.progress;
    warn_of_drift(legacy, facts, warnings);
    let progress = out.begin_document("progress");
    out.boolean("outlineComplete", recorded.outline_complete.unwrap_or(facts.outline_written));
    out.number(
        "chaptersCompleted",
        recorded.chapters_completed.unwrap_or(facts.chapters_completed),
    );
    out.number("chaptersFailed", recorded.chapters_failed.unwrap_or(facts.chapters_failed));
    out.number("totalChapters", recorded.total_chapters.unwrap_or(facts.chapters_planned));
    let numbers = out.begin_array("failedChapterNumbers");
    match recorded.failed_numbers() {
        Some(recorded) => recorded.enumerate().for_each(|(at, number)| out.number_item(at, number)),
        None => {
            failed_numbers(legacy).enumerate().for_each(|(at, number)| out.number_item(at, number))
        }
    }
    out.end(numbers);
    out.boolean("hasFailures", recorded.has_failures.unwrap_or(facts.has_failed_chapters()));
    if let Some(date_ms) = recorded.estimated_completion {
        out.iso("estimatedCompletion", date_ms);
    }
    if let Some(date_ms) = recorded.last_activity {
        out.iso("lastActivity", date_ms);
    }
    out.end(progress);
}

fn failed_numbers(legacy: &Legacy<'_>) -> impl Iterator<Item = f64> {
    let failed = legacy.chapters.iter().filter(|chapter| chapter.status == ChapterStatus::Failed);
    failed.map(|chapter| chapter.number)
}

fn warn_of_drift(legacy: &Legacy<'_>, facts: &Facts, warnings: &mut Warnings) {
    let recorded = &legacy.progress;
    let count = |recorded: Option<f64>, counted: f64| recorded.is_some_and(|n| n != counted);
    let numbers_differ = recorded.failed_numbers().is_some_and(|recorded| {
        recorded.collect::<NumberSet>() != failed_numbers(legacy).collect::<NumberSet>()
    });
    let failures_differ =
        recorded.has_failures.is_some_and(|recorded| recorded != facts.has_failed_chapters());
    let root = Path::ROOT;
    let path = root.name("progress");
    for (name, differs) in [
        ("chaptersCompleted", count(recorded.chapters_completed, facts.chapters_completed)),
        ("chaptersFailed", count(recorded.chapters_failed, facts.chapters_failed)),
        ("hasFailures", failures_differ),
        ("failedChapterNumbers", numbers_differ),
    ] {
        if differs {
            warnings.add(WarningCode::ProgressDrift, &path.name(name));
        }
    }
}

//! `failures` of the job: one for each failed chapter, and its own.

use crate::mapping::events::sentence;
use crate::mapping::facts::{Facts, Status, failure_stage};
use crate::mapping::legacy::{ChapterStatus, Legacy};
use crate::mapping::read::text;
use crate::raw::Writer;

/// The reason of a job that only the migration marks as failed.
const CUT_OFF: &[u8] = b"generation was in flight when the data was migrated";

/// The reason of the job's own failure, where it failed: it is the last of its failures.
pub(crate) fn last_failure(legacy: &Legacy<'_>, facts: &Facts) -> Option<Vec<u8>> {
    if facts.decided.status != Status::Failed {
        return None;
    }
    let recorded = if facts.decided.cut_off { Some(CUT_OFF) } else { legacy.error.reason };
    Some(recorded.unwrap_or(b"job failed; the legacy record holds no reason").to_vec())
}

pub(super) fn write(
    out: &mut Writer,
    legacy: &Legacy<'_>,
    facts: &Facts,
    last_failure: Option<&[u8]>,
) {
    let failures = out.begin_array("failures");
    let failed = legacy.chapters.iter().filter(|chapter| chapter.status == ChapterStatus::Failed);
    let mut count = 0;
    for chapter in failed {
        let item = out.begin_item(count);
        out.iso("occurredAt", chapter.last_attempt_at.unwrap_or(facts.end));
        match text(chapter.failure_reason) {
            Some(reason) => out.string("reason", reason),
            None => {
                let end = b" failed; the legacy record holds no reason";
                out.string("reason", &sentence(b"chapter ", chapter.number, end));
            }
        }
        out.string("stage", b"chapter_writing");
        let metadata = out.begin_document("metadata");
        out.number("chapterNumber", chapter.number);
        if let Some(attempts) = chapter.attempts {
            out.number("attempts", attempts);
        }
        out.end(metadata);
        out.end(item);
        count += 1;
    }
    if let Some(reason) = last_failure {
        let item = out.begin_item(count);
        let at = legacy.error.timestamp.or(legacy.progress.failed_at).unwrap_or(facts.end);
        out.iso("occurredAt", at);
        out.string("reason", reason);
        if let Some(stage) = failure_stage(legacy) {
            out.string("stage", stage);
        }
        let metadata = out.begin_document("metadata");
        if let Some(status) = legacy.status {
            out.string("legacyStatus", status);
        }
        out.end(metadata);
        out.end(item);
    }
    out.end(failures);
}

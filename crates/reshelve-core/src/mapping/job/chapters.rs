//! `chapters` of the job, and what its context repeats of them.

use crate::mapping::legacy::{Chapter, ChapterStatus, Legacy};
use crate::mapping::read::text;
use crate::raw::Writer;

pub(super) fn write(out: &mut Writer, legacy: &Legacy<'_>) {
    let array = out.begin_array("chapters");
    for (index, chapter) in legacy.chapters.iter().enumerate() {
        let item = out.begin_item(index);
        write_head(out, chapter);
        if let Some(content) = chapter.content {
            out.string("content", content);
        }
        if chapter.status == ChapterStatus::Completed
            && let Some(model) = text(legacy.chapter_usage.model)
        {
            out.string("model", model);
        }
        if let Some(cost) = chapter.cost {
            out.number("costInUsd", cost);
        }
        if let Some(tokens) = chapter.tokens_used {
            let document = out.begin_document("tokens");
            out.int32("promptTokens", 0);
            out.int32("completionTokens", 0);
            out.number("totalTokens", tokens);
            out.end(document);
        }
        write_empty_attempts(out);
        write_record(out, chapter);
        out.end(item);
    }
    out.end(array);
}

/// What the chapter list and the context both hold.
pub(super) fn write_head(out: &mut Writer, chapter: &Chapter<'_>) {
    out.number("chapterNumber", chapter.number);
    out.string("title", chapter.title.unwrap_or_default());
    out.string("status", chapter.status.as_str().as_bytes());
    match chapter.word_count {
        Some(words) => out.number("wordCount", words),
        None => out.null("wordCount"),
    }
}

/// The prompts were never stored, and the content must not be stored twice.
pub(super) fn write_empty_attempts(out: &mut Writer) {
    let attempts = out.begin_array("attempts");
    out.end(attempts);
}

fn write_record(out: &mut Writer, chapter: &Chapter<'_>) {
    let record = out.begin_document("legacy");
    if let Some(attempts) = chapter.attempts {
        out.number("attempts", attempts);
    }
    if let Some(date_ms) = chapter.last_attempt_at {
        out.iso("lastAttemptAt", date_ms);
    }
    if let Some(reason) = chapter.failure_reason {
        out.string("failureReason", reason);
    }
    if let Some(score) = chapter.quality_score {
        out.number("qualityScore", score);
    }
    if let Some(date_ms) = chapter.generated_at {
        out.iso("generatedAt", date_ms);
    }
    out.end(record);
}

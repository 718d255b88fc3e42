//! What each event says: its body, or the snapshot of a status.

use super::{Item, QUEUE, What};
use crate::mapping::facts::{Facts, Status};
use crate::mapping::legacy::{Chapter, ChapterStatus, Legacy};
use crate::mapping::metadata::Entries;
use crate::mapping::read::{float, text};
use crate::raw::{Writer, push_plain_decimal};

/// What is known of the job whose documents are written.
pub(crate) struct JobContext<'l, 'a> {
    pub(crate) legacy: &'l Legacy<'a>,
    pub(crate) facts: &'l Facts,
    pub(crate) entries: &'l Entries<'l, 'a>,
    /// The reason of the job's last failure, where it has one.
    pub(crate) last_failure: Option<Vec<u8>>,
    /// For each written chapter the word target of the first outline entry with its number.
    pub(crate) word_targets: Vec<Option<f64>>,
}

impl JobContext<'_, '_> {
    pub(super) fn write_body(&self, out: &mut Writer, item: &Item) {
        match item.what {
            What::PhaseTransition => {
                head(out, b"phase-transition", item.at);
                out.string("from", b"initialization");
                out.string("to", b"outlining");
                out.string("description", b"Creating detailed outline from synopsis");
            }
            What::OutlineComplete => {
                head(out, b"job-update", item.at);
                out.string("status", b"outline_complete");
                out.string("currentPhase", b"chapter_generation");
                out.string("message", b"Outline completed. Starting chapter generation...");
                self.write_progress(out, true, 0.0, 0.0, false);
            }
            What::ChapterProgress(index) => self.write_chapter_progress(out, item.at, index),
            What::ChapterCost(index) => self.write_chapter_cost(out, item.at, index),
            What::ChapterFailed { chapter, completed, failed } => {
                self.write_chapter_failed(out, item.at, chapter, [completed, failed]);
            }
            What::Decision(index) => self.write_decision(out, item.at, index),
            What::Enhancement(index) => self.write_enhancement(out, item.at, index),
            What::JobCompleted => self.write_job_completed(out, item.at),
            // `write_status` writes them: they have no body.
            What::Queued | What::Running | What::Finished => {}
        }
        out.boolean("synthetic", true);
    }

    fn chapter(&self, index: usize) -> &Chapter<'_> {
        &self.legacy.chapters[index]
    }

    fn write_chapter_progress(&self, out: &mut Writer, at: i64, index: usize) {
        let chapter = self.chapter(index);
        let completed = chapter.status == ChapterStatus::Completed;
        head(out, b"generation-progress", at);
        out.number("chapterNumber", chapter.number);
        out.string("status", if completed { b"ai_completed" } else { b"ai_generating" });
        let end: &[u8] = if completed { b" drafting completed" } else { b" drafting commenced" };
        out.string("details", &sentence(b"Chapter ", chapter.number, end));
        if let Some(words) = self.word_targets[index] {
            out.number("wordTarget", words);
        }
        if let Some(words) = chapter.word_count {
            out.number("wordsGenerated", words);
        }
    }

    fn write_chapter_cost(&self, out: &mut Writer, at: i64, index: usize) {
        let chapter = self.chapter(index);
        head(out, b"cost-tracking", at);
        out.number("chapterNumber", chapter.number);
        out.string("model", text(self.legacy.chapter_usage.model).unwrap_or(b"unknown"));
        out.int32("promptTokens", 0);
        out.int32("completionTokens", 0);
        out.number("totalTokens", chapter.tokens_used.unwrap_or(0.0));
        out.number("costInUsd", chapter.cost.unwrap_or(0.0));
    }

    fn write_chapter_failed(&self, out: &mut Writer, at: i64, index: usize, counts: [usize; 2]) {
        let chapter = self.chapter(index);
        head(out, b"job-update", at);
        out.string("status", b"chapter_generation");
        out.string("currentPhase", b"chapter_generation");
        let mut message = sentence(b"Chapter ", chapter.number, b" failed after ");
        push_plain_decimal(&mut message, chapter.attempts.unwrap_or(0.0));
        message.extend_from_slice(b" attempts.");
        out.string("message", &message);
        let [completed, failed] = counts.map(float);
        self.write_progress(out, self.facts.outline_written, completed, failed, true);
    }

    fn write_decision(&self, out: &mut Writer, at: i64, index: usize) {
        let entry = self.entries.decision_by_time(index);
        head(out, b"ai-decision-recorded", at);
        out.string("jobId", &self.facts.identity.job_id);
        out.string("decisionId", &entry.id);
        out.string("decisionType", text(entry.legacy.kind).unwrap_or(b"unknown"));
        if let Some(summary) = entry.legacy.summary {
            out.string("summary", summary);
        }
        if let Some(confidence) = entry.legacy.confidence {
            out.number("confidence", confidence);
        }
        if let Some(impact) = entry.legacy.impact {
            out.string("impact", impact);
        }
    }

    fn write_enhancement(&self, out: &mut Writer, at: i64, index: usize) {
        let entry = self.entries.enhancement_by_time(index);
        head(out, b"enhancement-applied", at);
        out.string("jobId", &self.facts.identity.job_id);
        out.string("enhancementId", &entry.id);
        if let Some(kind) = entry.legacy.kind {
            out.string("enhancementType", kind);
        }
        if let Some(name) = entry.legacy.name {
            out.string("name", name);
        }
        if let Some(description) = entry.legacy.description {
            out.string("description", description);
        }
    }

    fn write_job_completed(&self, out: &mut Writer, at: i64) {
        let facts = self.facts;
        head(out, b"job-completed", at);
        out.string("jobId", &facts.identity.job_id);
        out.string("status", b"completed");
        out.string("currentPhase", b"completed");
        if facts.has_failed_chapters() {
            let mut message = sentence(b"Novel completed with ", facts.chapters_completed, b"/");
            push_plain_decimal(&mut message, facts.chapters_planned);
            message.extend_from_slice(b" chapters. ");
            push_plain_decimal(&mut message, facts.chapters_failed);
            message.extend_from_slice(b" chapters failed and can be retried.");
            out.string("message", &message);
        } else {
            out.string("message", b"Novel generation completed successfully!");
        }
        self.write_progress(
            out,
            facts.outline_written,
            facts.chapters_completed,
            facts.chapters_failed,
            facts.has_failed_chapters(),
        );
    }

    fn write_progress(
        &self,
        out: &mut Writer,
        outline_complete: bool,
        completed: f64,
        failed: f64,
        has_failures: bool,
    ) {
        let progress = out.begin_document("progress");
        out.boolean("outlineComplete", outline_complete);
        out.number("chaptersCompleted", completed);
        out.number("chaptersFailed", failed);
        out.number("totalChapters", self.facts.chapters_planned);
        out.boolean("hasFailures", has_failures);
        out.end(progress);
    }

    pub(super) fn write_status(&self, out: &mut Writer, item: &Item) {
        let facts = self.facts;
        let status = match item.what {
            What::Queued => Status::Queued,
            What::Running => Status::Running,
            _ => facts.decided.status,
        };
        out.string("status", status.as_str().as_bytes());
        let snapshot = out.begin_document("snapshot");
        match status {
            Status::Queued => {
                out.string("stage", b"requested");
                out.string("queue", QUEUE);
            }
            Status::Running => {
                out.string("stage", b"acknowledged");
                out.string("queue", QUEUE);
                out.iso("receivedAt", facts.created);
            }
            Status::Completed => {
                out.string("queue", QUEUE);
                out.iso("completedAt", facts.end);
                out.number("durationMs", facts.duration_ms.unwrap_or(0.0));
                out.number("chaptersGenerated", facts.chapters_completed);
                out.number("totalWordCount", facts.total_words);
                out.number("totalChaptersPlanned", facts.chapters_planned);
            }
            Status::Failed => {
                out.string("queue", QUEUE);
                out.iso("failedAt", facts.end);
                out.string("error", self.last_failure.as_deref().unwrap_or_default());
            }
        }
        out.boolean("synthetic", true);
        out.end(snapshot);
    }
}

fn head(out: &mut Writer, kind: &[u8], at: i64) {
    out.string("type", kind);
    out.iso("occurredAt", at);
}

/// A sentence with a number in the middle.
pub(crate) fn sentence(before: &[u8], number: f64, after: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(before.len() + after.len() + 8);
    text.extend_from_slice(before);
    push_plain_decimal(&mut text, number);
    text.extend_from_slice(after);
    text
}

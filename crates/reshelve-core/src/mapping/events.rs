//! The events of a job: none was ever stored, all are synthesized from what can be trusted.

use std::ops::Range;

use super::facts::{Facts, Status, outline_made_at};
use super::ids::EventIds;
use super::legacy::{Chapter, ChapterStatus, Legacy};
use super::metadata::Entries;
use super::read::text;
use crate::raw::{DATE_MAX, Value, Writer, kind, push_plain_decimal};

/// The name of the one queue, which every job was in.
pub(crate) const QUEUE: &[u8] = b"novel-generation";
/// How many event bodies of each kind a job document holds for a quick look.
const QUICK_LOOK: usize = 50;

/// The events of a job, in their final order with their final times.
#[derive(Debug)]
pub(crate) struct Events {
    items: Vec<Item>,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    at: i64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Queued,
    Running,
    PhaseTransition,
    OutlineComplete,
    /// A chapter, by its place among the written ones, was begun or completed.
    ChapterProgress(usize),
    ChapterCost(usize),
    ChapterFailed {
        chapter: usize,
        /// Chapters completed and failed up to this one.
        completed: usize,
        failed: usize,
    },
    /// A decision, by its place in order of time.
    Decision(usize),
    Enhancement(usize),
    JobCompleted,
    Finished,
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Generation,
    Domain,
    JobStatus,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Generation => "generation",
            Kind::Domain => "domain",
            Kind::JobStatus => "job-status",
        }
    }
}

impl What {
    fn kind(self) -> Kind {
        match self {
            What::Queued | What::Running | What::Finished => Kind::JobStatus,
            What::Decision(_) | What::Enhancement(_) | What::JobCompleted => Kind::Domain,
            _ => Kind::Generation,
        }
    }
}

impl Events {
    /// Makes the list, sorts it and gives every event a time of its own.
    pub(crate) fn new(legacy: &Legacy<'_>, facts: &Facts, entries: &Entries<'_, '_>) -> Events {
        let mut items = first_items(legacy, facts);
        chapter_items(&mut items, legacy, facts);
        for (index, decision) in entries.decisions_by_time().enumerate() {
            items.push(Item { at: decision.at, what: What::Decision(index) });
        }
        for (index, enhancement) in entries.enhancements_by_time().enumerate() {
            items.push(Item { at: enhancement.at, what: What::Enhancement(index) });
        }
        for item in &mut items {
            item.at = item.at.max(facts.created);
        }
        items.sort_by_key(|item| item.at);
        if facts.decided.status == Status::Completed {
            items.push(Item { at: facts.end, what: What::JobCompleted });
        }
        if !facts.decided.status.is_in_flight() {
            items.push(Item { at: facts.end, what: What::Finished });
        }
        space_out(&mut items);
        Events { items }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Writes the newest bodies of one kind, oldest first, as an array of the job document. The
    /// bodies are those of the event documents, which were written to `from` before.
    pub(crate) fn write_quick_look(
        &self,
        out: &mut Writer,
        name: &str,
        wanted: Kind,
        from: &Written<'_>,
    ) {
        let array = out.begin_array(name);
        let of_kind = |(item, _): &(&Item, _)| item.what.kind() == wanted;
        let all = self.items.iter().zip(&from.bodies).filter(of_kind);
        let skipped = all.clone().count().saturating_sub(QUICK_LOOK);
        for (index, (_, body)) in all.skip(skipped).enumerate() {
            let bytes = &from.documents[body.clone()];
            out.value_item(index, Value { kind: kind::DOCUMENT, bytes });
        }
        out.end(array);
    }

    /// Writes every event document, back to back; returns where the body of each stands in `out`
    /// (nothing for one that has none), and the size of the largest document.
    pub(crate) fn write_documents(
        &self,
        out: &mut Writer,
        of: &Teller<'_, '_>,
    ) -> (Vec<Range<usize>>, usize) {
        let job_id = &of.facts.identity.job_id;
        let mut ids = EventIds::new(job_id);
        let mut bodies = Vec::with_capacity(self.items.len());
        let mut largest = 0;
        for (position, item) in self.items.iter().enumerate() {
            let start = out.len();
            let document = out.begin();
            out.object_id("_id", ids.id(position, item.at));
            out.string("jobId", job_id);
            out.string("kind", item.what.kind().as_str().as_bytes());
            out.iso("emittedAt", item.at);
            bodies.push(match item.what.kind() {
                Kind::JobStatus => {
                    of.write_status(out, item);
                    0..0
                }
                _ => {
                    let body = out.begin_document("event");
                    of.write_body(out, item);
                    out.end(body);
                    body.start()..out.len()
                }
            });
            out.date("createdAt", item.at);
            out.date("updatedAt", item.at);
            out.end(document);
            largest = largest.max(out.len() - start);
        }
        (bodies, largest)
    }
}

/// The event documents of a job as they were written.
pub(crate) struct Written<'w> {
    pub(crate) documents: &'w [u8],
    /// Where the body of each event stands in `documents`.
    pub(crate) bodies: Vec<Range<usize>>,
}

/// Items 1 to 4 of the contract.
fn first_items(legacy: &Legacy<'_>, facts: &Facts) -> Vec<Item> {
    let mut items = Vec::with_capacity(8 + 2 * legacy.chapters.len());
    items.push(Item { at: facts.created, what: What::Queued });
    if facts.decided.status != Status::Queued {
        items.push(Item { at: facts.started, what: What::Running });
        items.push(Item { at: facts.started, what: What::PhaseTransition });
    }
    if facts.outline_written {
        let at = outline_made_at(legacy).unwrap_or(facts.started);
        items.push(Item { at, what: What::OutlineComplete });
    }
    items
}

/// Item 5 of the contract.
fn chapter_items(items: &mut Vec<Item>, legacy: &Legacy<'_>, facts: &Facts) {
    let (mut completed, mut failed) = (0, 0);
    for (index, chapter) in legacy.chapters.iter().enumerate() {
        match chapter.status {
            ChapterStatus::Pending => {}
            ChapterStatus::Completed => {
                completed += 1;
                let at = chapter.generated_at.unwrap_or(facts.end);
                items.push(Item { at, what: What::ChapterProgress(index) });
                if chapter.cost.is_some() || chapter.tokens_used.is_some() {
                    items.push(Item { at, what: What::ChapterCost(index) });
                }
            }
            ChapterStatus::InProgress => {
                let at = chapter.last_attempt_at.or(chapter.generated_at).unwrap_or(facts.end);
                items.push(Item { at, what: What::ChapterProgress(index) });
            }
            ChapterStatus::Failed => {
                failed += 1;
                let at = chapter.last_attempt_at.unwrap_or(facts.end);
                let what = What::ChapterFailed { chapter: index, completed, failed };
                items.push(Item { at, what });
            }
        }
    }
}

/// Makes times strictly increasing; at the end of time they are pushed back instead.
fn space_out(items: &mut [Item]) {
    let mut earliest = i64::MIN;
    for item in items.iter_mut() {
        item.at = item.at.max(earliest);
        earliest = item.at + 1;
    }
    let mut latest = DATE_MAX;
    for item in items.iter_mut().rev() {
        if item.at <= latest {
            break;
        }
        item.at = latest;
        latest -= 1;
    }
}

/// Knows what the events tell of.
pub(crate) struct Teller<'l, 'a> {
    pub(crate) legacy: &'l Legacy<'a>,
    pub(crate) facts: &'l Facts,
    pub(crate) entries: &'l Entries<'l, 'a>,
    /// The reason of the job's last failure, where it has one.
    pub(crate) last_failure: Option<Vec<u8>>,
    /// For each written chapter the word target of the first outline entry with its number.
    pub(crate) word_targets: Vec<Option<f64>>,
}

impl Teller<'_, '_> {
    fn write_body(&self, out: &mut Writer, item: &Item) {
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
            // Told by `write_status`: they have no body.
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
        let [completed, failed] = counts.map(super::read::float);
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

    fn write_status(&self, out: &mut Writer, item: &Item) {
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

//! The events of a job: none was ever stored, all are synthesized from the legacy document.

mod bodies;

pub(crate) use bodies::{JobContext, sentence};

use std::ops::Range;

use super::facts::{Facts, Status, outline_made_at};
use super::ids::EventIds;
use super::legacy::{ChapterStatus, Legacy};
use super::metadata::Entries;
use crate::raw::{DATE_MAX, Value, Writer, kind};

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
    /// A chapter, by its position among the written ones, was started or completed.
    ChapterProgress(usize),
    ChapterCost(usize),
    ChapterFailed {
        chapter: usize,
        /// Chapters completed and failed up to this one.
        completed: usize,
        failed: usize,
    },
    /// A decision, by its position in order of time.
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
    /// Lists the events, sorts them and gives each a time of its own.
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

    /// The number of events.
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

    /// Writes every event document, back to back. Returns the range of each body in `out` (empty
    /// for an event without one), and the size of the largest document in bytes.
    pub(crate) fn write_documents(
        &self,
        out: &mut Writer,
        of: &JobContext<'_, '_>,
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
    /// The range of the body of each event in `documents`.
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

/// Makes times strictly increasing; at the end of the year 9999 they are pushed back instead.
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

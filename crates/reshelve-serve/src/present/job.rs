//! Jobs: the item of a list, and the whole answer.

use reshelve_core::raw::Document;

use super::cast;
use super::javascript::{Field, Items, fields, fields_of, is_nullish, text, truthy};
use super::job_parts::{
    push_chapter, push_copies, push_date, push_each, push_failure, push_outlined,
};
use super::json::{close, push_field, push_field_or_null};
use super::{Cause, Unpresentable, number, text as texts};

/// The fields of a job that are served, of which the application is known to read all.
pub(super) struct Job<'a> {
    job_id: Field<'a>,
    status: Field<'a>,
    queue: Field<'a>,
    payload: Field<'a>,
    requested_at: Field<'a>,
    created_at: Field<'a>,
    updated_at: Field<'a>,
    summary: Field<'a>,
    engine: Field<'a>,
    outline: Items<'a>,
    chapters: Items<'a>,
    events: Items<'a>,
    domain_events: Items<'a>,
    context: Field<'a>,
    failures: Items<'a>,
    progress: Option<Progress>,
}

/// What the application counts anew each time; the stored progress is not read.
struct Progress {
    has_outline: bool,
    completed: u64,
    failed: u64,
    total: u64,
    has_failures: bool,
}

impl<'a> Job<'a> {
    pub(super) fn read(job: &'a [u8]) -> Result<Self, Unpresentable> {
        let [job_id, status, queue, payload, requested_at, created_at, updated_at, summary, engine] =
            fields(
                Document::new(job),
                [
                    "jobId",
                    "status",
                    "queue",
                    "payload",
                    "requestedAt",
                    "createdAt",
                    "updatedAt",
                    "summary",
                    "engine",
                ],
            );
        let [outline, chapters, events, domain_events, context, failures] = fields(
            Document::new(job),
            ["outline", "chapters", "events", "domainEvents", "context", "failures"],
        );
        let (outline, chapters) = (Items::of(outline), Items::of(chapters));
        let (events, domain_events) = (Items::of(events), Items::of(domain_events));
        let failures = Items::of(failures);
        let outlined = check_outline(&outline)?;
        let mut progress = check_chapters(&chapters)?;
        let failed = check_failures(&failures)?;
        progress.has_outline = outlined > 0;
        progress.has_failures = progress.failed > 0 || failed > 0;
        progress.total = if outlined > 0 { outlined } else { progress.total };
        Ok(Job {
            job_id,
            status,
            queue,
            payload,
            requested_at,
            created_at,
            updated_at,
            summary,
            engine,
            outline,
            chapters,
            events,
            domain_events,
            context,
            failures,
            progress: Some(progress).filter(|progress| progress.total > 0),
        })
    }

    /// Appends the item of a list.
    pub(super) fn push_item(&self, out: &mut Vec<u8>, now_ms: i64) -> Result<(), Unpresentable> {
        out.push(b'{');
        self.push_base(out, now_ms)?;
        close(out, b'}');
        Ok(())
    }

    /// Appends the whole answer.
    pub(super) fn push_detail(&self, out: &mut Vec<u8>, now_ms: i64) -> Result<(), Unpresentable> {
        out.push(b'{');
        self.push_base(out, now_ms)?;
        push_each(out, "outline", &self.outline, push_outlined)?;
        push_each(out, "chapters", &self.chapters, |out, value| push_chapter(out, value, now_ms))?;
        push_copies(out, "events", &self.events)?;
        push_copies(out, "domainEvents", &self.domain_events)?;
        if is_nullish(self.context) {
            out.extend_from_slice(b"\"context\":{},");
        } else {
            push_field(out, "context", self.context)?;
        }
        push_each(out, "failures", &self.failures, push_failure)?;
        close(out, b'}');
        Ok(())
    }

    /// Appends what a subscriber is sent of a job that has no events.
    pub(super) fn push_status(
        &self,
        out: &mut Vec<u8>,
        job_id: &str,
        now_ms: i64,
    ) -> Result<(), Unpresentable> {
        out.extend_from_slice(b"{\"jobId\":");
        texts::push_string(out, job_id.as_bytes());
        out.push(b',');
        push_date(out, "emittedAt", self.updated_at, now_ms);
        cast::push_text(out, "status", self.status);
        out.extend_from_slice(b"\"snapshot\":");
        let summary = truthy(self.summary);
        if summary.is_none() && self.progress.is_none() {
            out.extend_from_slice(b"null}");
            return Ok(());
        }
        out.push(b'{');
        push_field(out, "summary", summary)?;
        if let Some(progress) = &self.progress {
            progress.push(out);
        }
        close(out, b'}');
        out.push(b'}');
        Ok(())
    }

    fn push_base(&self, out: &mut Vec<u8>, now_ms: i64) -> Result<(), Unpresentable> {
        cast::push_text(out, "jobId", self.job_id);
        cast::push_text(out, "status", self.status);
        cast::push_text(out, "queue", self.queue);
        push_field(out, "payload", self.payload)?;
        let before = out.len();
        cast::push_text(out, "requestedAt", self.requested_at);
        if out.len() == before {
            out.extend_from_slice(b"\"requestedAt\":null,");
        }
        push_date(out, "createdAt", self.created_at, now_ms);
        push_date(out, "updatedAt", self.updated_at, now_ms);
        match &self.progress {
            Some(progress) => progress.push(out),
            None => out.extend_from_slice(b"\"progress\":null,"),
        }
        push_field_or_null(out, "summary", truthy(self.summary))?;
        push_field_or_null(out, "engine", truthy(self.engine))
    }
}

impl Progress {
    fn push(&self, out: &mut Vec<u8>) {
        let word = |yes: bool| if yes { &b"true"[..] } else { b"false" };
        out.extend_from_slice(b"\"progress\":{\"outlineComplete\":");
        out.extend_from_slice(word(self.has_outline));
        out.extend_from_slice(b",\"chaptersCompleted\":");
        number::push_unsigned(out, self.completed);
        out.extend_from_slice(b",\"chaptersFailed\":");
        number::push_unsigned(out, self.failed);
        out.extend_from_slice(b",\"totalChapters\":");
        number::push_unsigned(out, self.total);
        out.extend_from_slice(b",\"hasFailures\":");
        out.extend_from_slice(word(self.has_failures));
        out.extend_from_slice(b"},");
    }
}

/// How many elements an outline has, where the application can read each: it copies the key
/// events of each, whatever else is there.
fn check_outline(outline: &Items<'_>) -> Result<u64, Unpresentable> {
    let mut count = 0;
    for value in outline.values() {
        if value.is_nullish() {
            return Err(Unpresentable::new(format!("outline.{count}"), Cause::Null));
        }
        let [key_events] = fields_of(value, ["keyEvents"]);
        let is_iterable =
            key_events.is_some_and(|events| events.array().is_some() || text(events).is_some());
        if !is_iterable {
            let path = format!("outline.{count}.keyEvents");
            return Err(Unpresentable::new(path, Cause::NotIterable));
        }
        count += 1;
    }
    Ok(count)
}

/// What the chapters add to the progress, where the application can read each.
fn check_chapters(chapters: &Items<'_>) -> Result<Progress, Unpresentable> {
    let (mut completed, mut failed, mut total) = (0, 0, 0);
    for value in chapters.values() {
        if value.is_nullish() {
            return Err(Unpresentable::new(format!("chapters.{total}"), Cause::Null));
        }
        let [status, attempts] = fields_of(value, ["status", "attempts"]);
        check_attempts(attempts).map_err(|error| error.within(&format!("chapters.{total}")))?;
        match status.and_then(text) {
            Some(b"completed") => completed += 1,
            Some(b"failed") => failed += 1,
            _ => {}
        }
        total += 1;
    }
    Ok(Progress { has_outline: false, completed, failed, total, has_failures: false })
}

fn check_attempts(attempts: Field<'_>) -> Result<(), Unpresentable> {
    let Some(attempts) = attempts.filter(|attempts| !attempts.is_nullish()) else { return Ok(()) };
    let Some(array) = attempts.array() else {
        return Err(Unpresentable::new("attempts", Cause::NotAnArray));
    };
    match array.values().position(|attempt| attempt.is_nullish()) {
        Some(at) => Err(Unpresentable::new(format!("attempts.{at}"), Cause::Null)),
        None => Ok(()),
    }
}

/// How many failures there are, where the application can read each.
fn check_failures(failures: &Items<'_>) -> Result<u64, Unpresentable> {
    let mut count = 0;
    for value in failures.values() {
        if value.is_nullish() {
            return Err(Unpresentable::new(format!("failures.{count}"), Cause::Null));
        }
        count += 1;
    }
    Ok(count)
}

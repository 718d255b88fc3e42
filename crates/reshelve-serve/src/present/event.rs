//! Events: the items of a page, and the messages that a subscriber is sent.

use reshelve_core::raw::Document;

use super::javascript::{Field, fields, is_nullish, text, truthy};
use super::json::{close, push_field, push_field_or_null, push_name};
use super::{Message, Unpresentable, text as texts};

/// The kinds of events that are told apart; every other one counts as a status of the job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Generation,
    Domain,
    JobStatus,
}

/// The fields of an event that are served.
struct Event<'a> {
    kind: Kind,
    job_id: Field<'a>,
    emitted_at: Field<'a>,
    event: Field<'a>,
    status: Field<'a>,
    snapshot: Field<'a>,
}

impl<'a> Event<'a> {
    fn read(event: &'a [u8]) -> Self {
        let [kind, job_id, emitted_at, event, status, snapshot] = fields(
            Document::new(event),
            ["kind", "jobId", "emittedAt", "event", "status", "snapshot"],
        );
        let kind = match kind.and_then(text) {
            Some(b"generation") => Kind::Generation,
            Some(b"domain") => Kind::Domain,
            _ => Kind::JobStatus,
        };
        Event { kind, job_id, emitted_at, event, status, snapshot }
    }

    /// Appends what all but the kind and the id have in common, and ends the object.
    fn push_rest(&self, out: &mut Vec<u8>) -> Result<(), Unpresentable> {
        push_field(out, "emittedAt", self.emitted_at)?;
        if self.kind == Kind::JobStatus {
            if is_nullish(self.status) {
                out.extend_from_slice(b"\"status\":\"queued\",");
            } else {
                push_field(out, "status", self.status)?;
            }
            push_field_or_null(out, "snapshot", truthy(self.snapshot))?;
        } else {
            push_field(out, "event", self.event)?;
        }
        close(out, b'}');
        Ok(())
    }
}

/// Appends the item of a page.
pub(super) fn push_item(out: &mut Vec<u8>, event: &[u8]) -> Result<(), Unpresentable> {
    let event = Event::read(event);
    out.extend_from_slice(match event.kind {
        Kind::Generation => b"{\"kind\":\"generation\",",
        Kind::Domain => b"{\"kind\":\"domain\",",
        Kind::JobStatus => b"{\"kind\":\"job-status\",",
    });
    push_field(out, "jobId", event.job_id)?;
    event.push_rest(out)
}

/// The message that a subscriber is sent of an event.
pub(super) fn message(job_id: &str, event: &[u8]) -> Result<Message, Unpresentable> {
    let event = Event::read(event);
    let name = match event.kind {
        Kind::Generation => "novel.generation-event",
        Kind::Domain => "novel.domain-event",
        Kind::JobStatus => super::JOB_STATUS,
    };
    let mut out = b"{".to_vec();
    push_name(&mut out, b"jobId");
    texts::push_string(&mut out, job_id.as_bytes());
    out.push(b',');
    event.push_rest(&mut out)?;
    Ok((name, out))
}

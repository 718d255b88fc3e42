//! The JSON of the read API, written from raw BSON, byte for byte as the application writes it.
//!
//! Pure: documents in, text out. Every document given must be well formed (`raw::check` accepts
//! it). Where a field is absent for which the application takes the time of the request, that is
//! `now_ms`, in milliseconds since 1970-01-01 UTC.

mod cast;
mod date;
pub mod error;
mod event;
mod javascript;
mod job;
mod job_parts;
mod json;
mod metadata;
mod metrics;
mod number;
mod object;
mod spread;
mod text;
mod unpresentable;

use job::Job;
pub(crate) use number::{from_text as number_from_text, trim};
pub(crate) use object::array_index;
pub(crate) use text::push_string;
pub use unpresentable::{Cause, Unpresentable};

/// What a subscriber is sent: the name of a Socket.IO event, and its payload as JSON.
pub type Message = (&'static str, Vec<u8>);

/// The event that tells the status of a job.
const JOB_STATUS: &str = "novel.job-status";

/// `GET /api/novel`: job documents, as looked up, to `{"items":[…],"count":n}`.
///
/// # Errors
/// Where the application answers 500 because of one of the jobs.
pub fn list(jobs: &[Vec<u8>], now_ms: i64) -> Result<Vec<u8>, Unpresentable> {
    let mut out = b"{\"items\":[".to_vec();
    for (at, job) in jobs.iter().enumerate() {
        Job::read(job)
            .and_then(|job| job.push_item(&mut out, now_ms))
            .map_err(|error| error.within(&format!("items.{at}")))?;
        out.push(b',');
    }
    json::close(&mut out, b']');
    push_count(&mut out, b",\"count\":", jobs.len());
    out.push(b'}');
    Ok(out)
}

/// `GET /api/novel/:jobId`: a job document to its answer.
///
/// # Errors
/// Where the application answers 500 because of the job.
pub fn detail(job: &[u8], now_ms: i64) -> Result<Vec<u8>, Unpresentable> {
    let mut out = buffer(job.len());
    Job::read(job)?.push_detail(&mut out, now_ms)?;
    Ok(out)
}

/// Whether the application can read a job at all. It reads the whole job before it answers for
/// its events, metrics or metadata, so these are 500 too where the job is not presentable.
///
/// # Errors
/// Where the application answers 500 because of the job.
pub fn sound(job: &[u8]) -> Result<(), Unpresentable> {
    Job::read(job).map(|_| ())
}

/// `GET /api/novel/:jobId/events`: event documents, newest first as looked up, to
/// `{"count":n,"items":[…]}`.
///
/// # Errors
/// Where an event nests too deep for any server.
pub fn events(events: &[Vec<u8>]) -> Result<Vec<u8>, Unpresentable> {
    let mut out = buffer(events.iter().map(Vec::len).sum());
    push_count(&mut out, b"{\"count\":", events.len());
    out.extend_from_slice(b",\"items\":[");
    for (at, event) in events.iter().enumerate() {
        event::push_item(&mut out, event).map_err(|error| error.within(&format!("items.{at}")))?;
        out.push(b',');
    }
    json::close(&mut out, b']');
    out.push(b'}');
    Ok(out)
}

/// `GET /api/novel/:jobId/metrics`: the metrics document, if there is one, to its answer.
/// `job_id` is the id that was asked for.
///
/// # Errors
/// Where the application answers 500 because of the document.
pub fn metrics(
    job_id: &str,
    metrics: Option<&[u8]>,
    now_ms: i64,
) -> Result<Vec<u8>, Unpresentable> {
    let mut out = Vec::new();
    metrics::push(&mut out, job_id, metrics, now_ms)?;
    Ok(out)
}

/// `GET /api/novel/:jobId/metadata`: the metadata document, if there is one, to its answer.
/// `job_id` is the id that was asked for.
///
/// # Errors
/// Where the application answers 500 because of the document.
pub fn metadata(
    job_id: &str,
    metadata: Option<&[u8]>,
    now_ms: i64,
) -> Result<Vec<u8>, Unpresentable> {
    let mut out = buffer(metadata.map_or(0, <[u8]>::len));
    metadata::push(&mut out, job_id, metadata, now_ms)?;
    Ok(out)
}

/// What a subscriber to a job is sent after `novel.subscribed`: the events, given newest first as
/// looked up, oldest first; without events one status of the job; without a job, nothing. A job
/// that the application cannot read gives nothing either: it logs that and sends no error.
pub fn catch_up(job_id: &str, events: &[Vec<u8>], job: Option<&[u8]>, now_ms: i64) -> Vec<Message> {
    if !events.is_empty() {
        let messages = events.iter().rev().map(|event| event::message(job_id, event));
        return messages.collect::<Result<_, _>>().unwrap_or_default();
    }
    let status = |job| {
        let mut out = Vec::new();
        Job::read(job)?.push_status(&mut out, job_id, now_ms)?;
        Ok::<_, Unpresentable>((JOB_STATUS, out))
    };
    job.and_then(|job| status(job).ok()).into_iter().collect()
}

/// A buffer for the JSON of so many bytes of BSON. Escapes and the digits of numbers make it
/// longer, lengths and types of values shorter.
fn buffer(bson_bytes: usize) -> Vec<u8> {
    Vec::with_capacity(bson_bytes + bson_bytes / 16 + 256)
}

fn push_count(out: &mut Vec<u8>, before: &[u8], count: usize) {
    out.extend_from_slice(before);
    number::push_unsigned(out, u64::try_from(count).unwrap_or(u64::MAX));
}

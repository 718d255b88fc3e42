//! The JSON of the read API, written from raw BSON, byte for byte as the application writes it.
//!
//! Pure: documents in, text out. Every document given must be well formed (`raw::check` accepts
//! it). Where a field is absent for which the application takes the time of the request, that is
//! `now_ms`, in milliseconds since 1970-01-01 UTC.

pub mod error;
mod text;
mod unpresentable;

pub use unpresentable::{Cause, Unpresentable};

/// What a subscriber is sent: the name of a Socket.IO event, and its payload as JSON.
pub type Message = (&'static str, Vec<u8>);

/// `GET /api/novel`: job documents, as looked up, to `{"items":[…],"count":n}`.
///
/// # Errors
/// Where the application answers 500 because of one of the jobs.
pub fn list(jobs: &[Vec<u8>], now_ms: i64) -> Result<Vec<u8>, Unpresentable> {
    let _ = (jobs, now_ms);
    Ok(Vec::new())
}

/// `GET /api/novel/:jobId`: a job document to its answer.
///
/// # Errors
/// Where the application answers 500 because of the job.
pub fn detail(job: &[u8], now_ms: i64) -> Result<Vec<u8>, Unpresentable> {
    let _ = (job, now_ms);
    Ok(Vec::new())
}

/// Whether the application can read a job at all. It reads the whole job before it answers for
/// its events, metrics or metadata, so these are 500 too where the job is not presentable.
///
/// # Errors
/// Where the application answers 500 because of the job.
pub fn sound(job: &[u8]) -> Result<(), Unpresentable> {
    let _ = job;
    Ok(())
}

/// `GET /api/novel/:jobId/events`: event documents, newest first as looked up, to
/// `{"count":n,"items":[…]}`.
///
/// # Errors
/// Where an event nests too deep for any server.
pub fn events(events: &[Vec<u8>]) -> Result<Vec<u8>, Unpresentable> {
    let _ = events;
    Ok(Vec::new())
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
    let _ = (job_id, metrics, now_ms);
    Ok(Vec::new())
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
    let _ = (job_id, metadata, now_ms);
    Ok(Vec::new())
}

/// What a subscriber to a job is sent after `novel.subscribed`: the events, given newest first as
/// looked up, oldest first; without events one status of the job; without a job, nothing. A job
/// that the application cannot read gives nothing either: it logs that and sends no error.
pub fn catch_up(
    job_id: &str,
    events: &[Vec<u8>],
    job: Option<&[u8]>,
    now_ms: i64,
) -> Vec<Message> {
    let _ = (job_id, events, job, now_ms);
    Vec::new()
}

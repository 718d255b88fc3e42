//! `explain`: where every field of one document goes.

use reshelve::ends::{Batch, BatchLimits, Form};
use reshelve_core::extjson;
use reshelve_core::mapping::{self, Explained, Explanation, Warning};
use reshelve_core::raw::{self, Document};
use serde::Serialize;

use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::options::MappingOptions;
use crate::places::{self, SourcePlace};
use crate::text::plain;

/// What `explain` is asked.
pub struct Request {
    /// The source.
    pub source: SourcePlace,
    /// The document's `_id`, as hex if it is an ObjectId.
    pub job: String,
    /// The decisions of the mapping.
    pub mapping: MappingOptions,
}

/// One document, explained; as JSON, `reshelve.explain/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// The document's `_id`.
    pub job: String,
    /// Each legacy path, in the order in which the document has them.
    pub fields: Vec<Explained>,
    /// The warnings that mapping it gives.
    pub warnings: Vec<Warning>,
    /// Why it is rejected, if it is.
    pub reject: Option<RejectAnswer>,
}

/// Why a document is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectAnswer {
    /// The reason code.
    pub code: &'static str,
    /// The legacy path.
    pub path: &'static str,
    /// The reason as a sentence.
    pub message: String,
}

/// Finds a document and explains it.
///
/// # Errors
/// If the source cannot be read up to the document, or does not have it. Damage after it is a note.
pub fn explain(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let legacy = find(&request.source, &request.job, handle)?;
    let Explanation { fields, warnings, reject } =
        mapping::explain(&legacy, request.mapping.options());
    let reject = reject.map(|reject| RejectAnswer {
        code: reject.code.as_str(),
        path: reject.code.path(),
        message: reject.message,
    });
    let job = request.job.clone();
    Ok(Outcome { schema: "reshelve.explain/1", job, fields, warnings, reject })
}

/// Reads the source for the document. Files are read to their end: what is damaged after it is told,
/// as every command that reads all of it does.
fn find(place: &SourcePlace, job: &str, handle: &Handle) -> Result<Vec<u8>, Failure> {
    let is_live = place.uri()?.is_some();
    let mut source = places::origin(place, handle)?.open()?.source;
    let mut batch = Batch::default();
    let mut found = None;
    loop {
        batch.clear();
        match (source.fill(&mut batch, BatchLimits::default()), found) {
            (Ok(true), None) => found = in_batch(&batch, job),
            (Ok(true), Some(document)) => found = Some(document),
            (Ok(false), Some(document)) => return Ok(document),
            (Ok(false), None) => {
                let message = format!("there is no document with the _id {}", plain(job));
                return Err(Failure::usage(message, hints::JOB_IS_THE_ID));
            }
            (Err(damage), Some(document)) => {
                let note = format!("warning: the source is damaged after this document: {damage}");
                handle.watcher().note(&note);
                return Ok(document);
            }
            (Err(damage), None) => {
                let hint = hints::of_damage(damage.kind);
                return Err(Failure { hint, ..Failure::failed(damage.to_string()) });
            }
        }
        if is_live && let Some(document) = found {
            return Ok(document);
        }
    }
}

/// The document in a batch, if it is well formed.
fn in_batch(batch: &Batch, job: &str) -> Option<Vec<u8>> {
    let mut parsed = Vec::new();
    for item in &batch.items {
        let mut document = batch.document(item);
        if batch.form == Form::Json {
            parsed.clear();
            if extjson::parse(document, &mut parsed).is_err() {
                continue;
            }
            document = &parsed;
        }
        if is_job(document, job) && raw::check(document).is_ok() {
            return Some(document.to_vec());
        }
    }
    None
}

fn is_job(document: &[u8], job: &str) -> bool {
    let Some(id) = Document::new(document).get("_id") else { return false };
    match id.object_id() {
        Some(bytes) => raw::hex(&bytes) == job.to_ascii_lowercase(),
        None => id.string() == Some(job.as_bytes()),
    }
}

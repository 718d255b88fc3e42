//! The events that a mapping made for a job, told apart by their ids.

use std::collections::HashMap;

use reshelve_core::mapping::event_mark;
use reshelve_core::raw::{Document, Value};

/// Where the part of an event's `_id` begins that tells its job and its place.
const MARK_AT: usize = 4;

/// The events of a job, by their ids: which place each has among them.
#[derive(Clone, Debug, Default)]
pub struct OwnEvents {
    places: HashMap<[u8; 8], usize>,
}

impl OwnEvents {
    /// So many events of this job.
    pub fn of(job_id: &[u8], events: u32) -> Self {
        let events = usize::try_from(events).unwrap_or(usize::MAX);
        let places = (0..events).map(|place| (event_mark(job_id, place), place)).collect();
        OwnEvents { places }
    }

    /// The place of an event among them; none if it is none of them.
    pub fn place(&self, event: &[u8]) -> Option<usize> {
        let id = Document::new(event).get("_id")?.object_id()?;
        let mark = id.get(MARK_AT..)?.try_into().ok()?;
        self.places.get::<[u8; 8]>(&mark).copied()
    }

    /// These events in the order of their places; none if one of them is none of the job's.
    pub fn in_order<'d, D: AsRef<[u8]>>(&self, events: &'d [D]) -> Option<Vec<&'d [u8]>> {
        let placed = events.iter().map(|event| Some((self.place(event.as_ref())?, event.as_ref())));
        let mut placed: Vec<(usize, &[u8])> = placed.collect::<Option<_>>()?;
        placed.sort_by_key(|(place, _)| *place);
        Some(placed.into_iter().map(|(_, event)| event).collect())
    }
}

/// Whether a document belongs to a version of its job: its job, metrics and metadata do, and the
/// events that a mapping made.
pub fn is_of_a_version(document: &[u8]) -> bool {
    let document = Document::new(document);
    let is_event = document.get("emittedAt").is_some();
    let body = document.get("event").or_else(|| document.get("snapshot"));
    let synthetic = body
        .and_then(Value::document)
        .and_then(|body| body.get("synthetic"))
        .and_then(Value::boolean);
    !is_event || synthetic == Some(true)
}

/// The job that a target document belongs to.
pub fn job_id(document: &[u8]) -> &[u8] {
    Document::new(document).get("jobId").and_then(Value::string).unwrap_or_default()
}

/// What tells a document apart from others of its collection: the `_id`, with its type.
pub fn id_bytes(document: &[u8]) -> Vec<u8> {
    let id = Document::new(document).get("_id");
    id.map(|id| [&[id.kind], id.bytes].concat()).unwrap_or_default()
}

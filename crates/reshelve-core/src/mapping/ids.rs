//! Ids: of the job, of its events, and of the entries that had none, or share one.

use std::collections::{HashMap, HashSet};

use super::reject::{Reject, RejectCode};
use crate::raw::{self, Value, kind};

/// The longest string that is accepted as an id, in bytes.
const ID_BYTES_MAX: usize = 128;

/// The ids of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `jobId`: hex of an ObjectId, or the string itself.
    pub(crate) job_id: Vec<u8>,
    /// `_id` of the job, its metrics and its metadata.
    pub(crate) object_id: [u8; 12],
    /// The seconds inside a legacy ObjectId.
    pub(crate) seconds: Option<u32>,
}

impl Identity {
    /// Derives the ids from the legacy `_id`.
    pub(crate) fn read(id: Option<Value<'_>>) -> Result<Identity, Reject> {
        let Some(id) = id else {
            return Err(Reject::new(RejectCode::MissingId, "the document has no _id"));
        };
        if let Some(object_id) = id.object_id() {
            let job_id = raw::hex(&object_id).into_bytes();
            return Ok(Identity { job_id, object_id, seconds: Some(seconds(object_id)) });
        }
        let unsupported = |what: String| Err(Reject::new(RejectCode::UnsupportedId, what));
        let Some(text) = id.string() else {
            return unsupported(format!(
                "_id is neither an ObjectId nor a string (BSON type {:#04x})",
                id.kind
            ));
        };
        if text.is_empty() || text.len() > ID_BYTES_MAX {
            return unsupported(format!(
                "_id is a string of {} bytes; 1 to {ID_BYTES_MAX} are accepted",
                text.len()
            ));
        }
        let string = std::str::from_utf8(text).unwrap_or_default();
        let blank = |c: char| c.is_whitespace() || c == '\u{FEFF}';
        if string.starts_with(blank) || string.ends_with(blank) {
            return unsupported("_id is a string that starts or ends with white space".into());
        }
        let hash = blake3::Hasher::new().update(b"reshelve/v1/job\0").update(text).finalize();
        let mut object_id = [0; 12];
        object_id.copy_from_slice(&hash.as_bytes()[..12]);
        Ok(Identity { job_id: text.to_vec(), object_id, seconds: None })
    }
}

/// The seconds inside an ObjectId.
pub(crate) fn seconds(object_id: [u8; 12]) -> u32 {
    u32::from_be_bytes([object_id[0], object_id[1], object_id[2], object_id[3]])
}

/// The date inside a value that is an ObjectId, in milliseconds.
pub(crate) fn object_id_ms(value: Option<Value<'_>>) -> Option<i64> {
    value.and_then(Value::object_id).map(|id| i64::from(seconds(id)) * 1_000)
}

/// Derives the `_id`s of the events of a job.
pub(crate) struct EventIds {
    input: Vec<u8>,
    prefix: usize,
}

impl EventIds {
    pub(crate) fn new(job_id: &[u8]) -> Self {
        let mut input = b"reshelve/v1/event\0".to_vec();
        input.extend_from_slice(job_id);
        input.push(0);
        let prefix = input.len();
        EventIds { input, prefix }
    }

    /// The `_id` of event `position`, emitted at that instant.
    pub(crate) fn id(&mut self, position: usize, emitted_at: i64) -> [u8; 12] {
        self.input.truncate(self.prefix);
        crate::raw::push_index(&mut self.input, position);
        let hash = blake3::hash(&self.input);
        let seconds = emitted_at.div_euclid(1_000).clamp(0, i64::from(u32::MAX));
        let mut id = [0; 12];
        id[..4].copy_from_slice(&u32::try_from(seconds).unwrap_or(u32::MAX).to_be_bytes());
        id[4..].copy_from_slice(&hash.as_bytes()[..8]);
        id
    }
}

/// The part of an event's `_id` that tells its job and its place among the events of that job; the
/// other part is its time.
pub fn event_mark(job_id: &[u8], place: usize) -> [u8; 8] {
    let id = EventIds::new(job_id).id(place, 0);
    std::array::from_fn(|at| id[4 + at])
}

/// The id of an alert, decision or enhancement before any suffix: its text `id`, else its
/// ObjectId, else its position.
pub(crate) fn legacy_id(id: Option<&[u8]>, object_id: Option<Value<'_>>, index: usize) -> Vec<u8> {
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        return id.to_vec();
    }
    let mut text = b"legacy-".to_vec();
    match object_id.filter(|value| value.kind == kind::OBJECT_ID) {
        Some(object_id) => raw::push_hex(&mut text, object_id.bytes),
        None => text.extend_from_slice(index.to_string().as_bytes()),
    }
    text
}

/// Gives every entry an id of its own: the one it has, or the first free of `id#2`, `id#3` ….
#[derive(Debug, Default)]
pub(crate) struct UniqueIds {
    taken: HashSet<Vec<u8>>,
    /// The next suffix to try for an id: lower ones are known to be taken, so that each of many
    /// equal ids costs no more than one of a few.
    next: HashMap<Vec<u8>, u64>,
}

impl UniqueIds {
    /// A free id, and whether it differs from the given one.
    pub(crate) fn take(&mut self, id: &[u8]) -> (Vec<u8>, bool) {
        if self.taken.insert(id.to_vec()) {
            return (id.to_vec(), false);
        }
        let next = self.next.entry(id.to_vec()).or_insert(2);
        loop {
            let mut candidate = id.to_vec();
            candidate.extend_from_slice(format!("#{next}").as_bytes());
            *next += 1;
            if self.taken.insert(candidate.clone()) {
                return (candidate, true);
            }
        }
    }
}

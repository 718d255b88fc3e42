//! A live collection that is being read: a cursor that dies is opened again after the last
//! document.

use mongodb::bson::Document;
use mongodb::error::Error;
use mongodb::raw_batch_cursor::RawBatch;
use reshelve::ends::{
    Batch, BatchLimits, Damage, DamageKind, Form, Item, LiveCollection, Operation, Place, Source,
};
use reshelve_core::raw;

use super::by_id::Id;
use super::cursor::{Cursor, Query};
use super::identity::{Identity, Lost};
use crate::error::{code, sentence};
use crate::error_class::is_passing;
use crate::patience::limited;

/// Codes that say that the server no longer has the snapshot, or has none.
const SNAPSHOT_CODES: [i32; 4] = [239, 246, 72, 263];

/// What is still to be read after the open cursor.
enum Remaining {
    /// Everything after the last document.
    All,
    /// These conditions, the next one last.
    Conditions(Vec<Document>),
}

/// What the end of a collection is compared with.
pub(super) struct Beginning {
    pub(super) identity: Identity,
    /// What the collection was when the run began.
    pub(super) was: LiveCollection,
    /// Documents that an earlier process read.
    pub(super) first: u64,
}

/// A live collection that is being read.
pub(super) struct LiveSource {
    query: Query,
    beginning: Beginning,
    /// Whether a cursor was lost: the collection may be another one now.
    is_doubtful: bool,
    /// Documents that were given.
    read: u64,
    cursor: Option<Cursor>,
    remaining: Remaining,
    /// A reply that is not used up, and how many of its documents are in a batch.
    held: Option<(RawBatch, usize)>,
    /// What came after the documents that were given last: the end, or damage.
    ended: Option<Result<(), Damage>>,
    last: Option<Id>,
    bytes_read: u64,
    bytes_total: Option<u64>,
    notes: Vec<String>,
}

impl LiveSource {
    /// Reads what the query selects after the document with the id `last`.
    pub(super) fn new(
        query: Query,
        beginning: Beginning,
        last: Option<Id>,
        bytes_total: Option<u64>,
    ) -> Self {
        LiveSource {
            query,
            read: beginning.first,
            is_doubtful: false,
            beginning,
            cursor: None,
            remaining: Remaining::All,
            held: None,
            ended: None,
            last,
            bytes_read: 0,
            bytes_total,
            notes: Vec::new(),
        }
    }

    /// The next reply of the server, none at the end of the collection; a cursor that died is
    /// opened again after the last document. An end is believed only if it can be one.
    fn next_reply(&mut self) -> Result<Option<RawBatch>, Damage> {
        let connection = self.query.connection.clone();
        connection.wait(async {
            let mut backoff = connection.patience.backoff();
            loop {
                let error = match self.ask().await {
                    Ok(reply) => return Ok(reply),
                    Err(Lost::Sure(what)) => return Err(self.lost(&what)),
                    Err(Lost::Unknown(error)) => error,
                };
                self.cursor = None;
                self.is_doubtful = true;
                self.remaining = Remaining::All;
                if self.gives_up_snapshot(&error) {
                    continue;
                }
                if !is_passing(&error) || !backoff.wait(&error).await {
                    return Err(self.damage(&error));
                }
                self.notes.push(format!(
                    "{}: the cursor was lost ({}): reading continues after the last document{}",
                    self.query.namespace,
                    sentence(&error),
                    if self.query.snapshot { ", in a new snapshot" } else { "" }
                ));
            }
        })
    }

    fn lost(&self, what: &str) -> Damage {
        self.broken(format!("the collection was not read to its end: {what}"))
    }

    /// Asks once, through the open cursor or the next one.
    async fn ask(&mut self) -> Result<Option<RawBatch>, Lost> {
        let Beginning { identity, was, .. } = &self.beginning;
        if self.is_doubtful {
            identity.check_same(was).await?;
            self.is_doubtful = false;
        }
        loop {
            if let Some(cursor) = &mut self.cursor {
                if let Some(reply) = limited(cursor.next_reply()).await? {
                    return Ok(Some(reply));
                }
                self.cursor = None;
            }
            match &mut self.remaining {
                Remaining::All => {
                    let mut conditions =
                        self.last.as_ref().map_or_else(|| vec![Document::new()], Id::after);
                    conditions.reverse();
                    self.remaining = Remaining::Conditions(conditions);
                }
                Remaining::Conditions(conditions) => {
                    let Some(condition) = conditions.pop() else {
                        if let Some(note) = identity.check_end(was, self.read).await? {
                            let namespace = &self.query.namespace;
                            self.query.connection.patience.tell(&format!("{namespace}: {note}"));
                        }
                        return Ok(None);
                    };
                    self.cursor = Some(limited(self.query.open(condition)).await?);
                }
            }
        }
    }

    /// Whether the error says that the server no longer keeps the snapshot: then the rest is read
    /// without one.
    fn gives_up_snapshot(&mut self, error: &Error) -> bool {
        let expired = code(error).is_some_and(|code| SNAPSHOT_CODES.contains(&code));
        if !self.query.snapshot || !expired {
            return false;
        }
        self.query.snapshot = false;
        self.notes.push(format!(
            "{}: the server no longer has the snapshot ({}): the rest is read as it is now, and \
             may have changed since the run began",
            self.query.namespace,
            sentence(error)
        ));
        true
    }

    fn damage(&self, error: &Error) -> Damage {
        self.broken(format!("the rest of the collection cannot be read: {}", sentence(error)))
    }

    fn broken(&self, detail: String) -> Damage {
        Damage {
            kind: DamageKind::Io,
            name: self.query.namespace.clone(),
            place: Place::default(),
            detail,
            earlier_in_doubt: false,
            source: None,
        }
    }

    /// Moves documents from the reply that is held into the batch; false if no more can come: it is
    /// full, or the rest is damaged.
    fn take_held(&mut self, batch: &mut Batch, limits: BatchLimits) -> bool {
        let Some((reply, mut taken)) = self.held.take() else { return true };
        let documents = match reply.doc_slices() {
            Ok(documents) => documents,
            Err(error) => {
                self.ended = Some(Err(self.damage(&error)));
                return false;
            }
        };
        for document in documents.into_iter().skip(taken) {
            let document = match document {
                Ok(document) => document,
                // What comes before the damage is given first.
                Err(error) => {
                    self.ended = Some(Err(self.damage(&error.into())));
                    return false;
                }
            };
            let bytes = document.as_document().map_or(&[][..], |it| it.as_bytes());
            let is_full = batch.items.len() >= limits.docs_max
                || batch.bytes.len() + bytes.len() > limits.bytes_max;
            if is_full && !batch.items.is_empty() {
                self.held = Some((reply, taken));
                return false;
            }
            let start = batch.bytes.len();
            batch.bytes.extend_from_slice(bytes);
            batch.items.push(Item {
                start,
                end: batch.bytes.len(),
                place: Place::default(),
                operation: Operation::Upsert,
            });
            taken += 1;
            self.read += 1;
            self.bytes_read += u64::try_from(bytes.len()).unwrap_or(0);
            let id = raw::Document::new(bytes).get("_id");
            self.last = id.map(|id| Id { kind: id.kind, value: id.bytes.to_vec() });
        }
        true
    }
}

impl Source for LiveSource {
    fn fill(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Damage> {
        batch.form = Form::Bson;
        // A live target is asked a few questions for each batch: it is filled.
        while self.ended.is_none() && self.take_held(batch, limits) {
            match self.next_reply() {
                Ok(Some(reply)) => self.held = Some((reply, 0)),
                Ok(None) => self.ended = Some(Ok(())),
                Err(damage) => self.ended = Some(Err(damage)),
            }
        }
        if batch.items.is_empty()
            && let Some(Err(damage)) = self.ended.take_if(|ended| ended.is_err())
        {
            return Err(damage);
        }
        batch.notes.append(&mut self.notes);
        Ok(!batch.items.is_empty())
    }

    fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    fn bytes_total(&self) -> Option<u64> {
        self.bytes_total
    }
}

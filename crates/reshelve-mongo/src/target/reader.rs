//! Reading a live target back, for verification, checksums and restore.

use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::StreamExt;
use mongodb::bson::doc;
use mongodb::error::Error;
use mongodb::options::{ReadPreference, SelectionCriteria};
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor};
use reshelve::ends::{DocumentStream, EndError, Hint, LastWriter, TargetReader};
use reshelve::target_schema::Collection;

use super::by_ids::id_of;
use super::lease::{RUNS, written_by};
use crate::catalog::{list, reply_docs, statistics};
use crate::connection::Connection;
use crate::error_class::is_passing;
use crate::patience::limited;

/// The four collections of a live target.
#[derive(Clone, Debug)]
pub struct LiveTarget {
    connection: Connection,
    read_preference: Option<ReadPreference>,
}

impl LiveTarget {
    /// Reads with this read preference, by default from the primary with majority read concern.
    pub fn new(connection: Connection, read_preference: Option<ReadPreference>) -> Self {
        LiveTarget { connection, read_preference }
    }
}

impl TargetReader for LiveTarget {
    fn name(&self) -> String {
        format!("{} ({})", self.connection.place.name(), self.connection.db)
    }

    fn database(&self) -> &str {
        &self.connection.db
    }

    fn has(&self, collection: Collection) -> Result<bool, EndError> {
        let connection = &self.connection;
        let name = collection.name();
        let question = doc! { "listCollections": 1, "filter": { "name": name }, "nameOnly": true, "authorizedCollections": true };
        Ok(!connection.wait(list(connection, question))?.is_empty())
    }

    fn documents(&self, collection: Collection) -> Result<Box<dyn DocumentStream>, EndError> {
        let name = collection.name();
        let connection = &self.connection;
        let statistics = connection.wait(statistics(connection, name));
        Ok(Box::new(LiveStream {
            connection: connection.clone(),
            collection: name,
            read_preference: self.read_preference.clone(),
            reply_docs: reply_docs(&statistics),
            cursor: None,
            held: None,
            document: Vec::new(),
            given: Given::default(),
            again: None,
        }))
    }

    fn has_unique_ids(&self) -> bool {
        true
    }

    fn last_writer(&self) -> Result<Option<LastWriter>, EndError> {
        let connection = &self.connection;
        let asked = connection.wait(written_by(connection));
        asked.map_err(|error| connection.error("reading", RUNS, &error))
    }
}

/// Documents of a collection by their number and their ids: what tells whether a second reading
/// gives the same ones.
#[derive(Clone, Debug, Default)]
struct Given {
    documents: u64,
    ids: DefaultHasher,
}

impl Given {
    fn add(&mut self, document: &[u8]) {
        self.documents += 1;
        id_of(document).hash(&mut self.ids);
    }

    fn is_same(&self, other: &Given) -> bool {
        self.documents == other.documents && self.ids.finish() == other.ids.finish()
    }
}

/// The documents of one collection, in the order in which the server stores them: usually the order
/// in which they were written. If the cursor is lost, those that were given are read again, and have
/// to be the same: in this order nothing can be asked for after a document.
struct LiveStream {
    connection: Connection,
    collection: &'static str,
    read_preference: Option<ReadPreference>,
    /// Documents in one reply.
    reply_docs: u32,
    cursor: Option<RawBatchCursor>,
    /// A reply, and the place after the last document that was returned.
    held: Option<(RawBatch, usize)>,
    document: Vec<u8>,
    given: Given,
    /// What was read again of what was given; none if there is nothing to be read again.
    again: Option<Given>,
}

impl LiveStream {
    async fn open(&self) -> Result<RawBatchCursor, Error> {
        let collection = self.connection.raw(self.collection);
        let mut find = collection.find(doc! {}).batch_size(self.reply_docs);
        if let Some(preference) = &self.read_preference {
            find = find.selection_criteria(SelectionCriteria::ReadPreference(preference.clone()));
        }
        limited(find.batch()).await
    }

    /// Asks once, through the open cursor or a new one.
    async fn ask(&mut self) -> Result<Option<RawBatch>, Error> {
        let cursor = match &mut self.cursor {
            Some(cursor) => cursor,
            None => {
                let cursor = self.open().await?;
                self.cursor.insert(cursor)
            }
        };
        limited(async { cursor.next().await.transpose() }).await
    }

    /// The next reply; none at the end.
    fn next_reply(&mut self) -> Result<Option<RawBatch>, EndError> {
        let connection = self.connection.clone();
        connection.wait(async {
            let mut backoff = connection.patience.backoff();
            loop {
                let error = match self.ask().await {
                    Ok(reply) => return Ok(reply),
                    Err(error) => error,
                };
                self.cursor = None;
                self.again = (self.given.documents > 0).then(Given::default);
                if !is_passing(&error) || !backoff.wait(&error).await {
                    let mut error = connection.error("reading", self.collection, &error);
                    error.hint.get_or_insert_with(|| Hint::Text(AGAIN.to_owned()));
                    return Err(error);
                }
            }
        })
    }

    /// Takes the next document out of the reply that is held; false if there is none.
    fn take_held(&mut self) -> Result<bool, EndError> {
        let Some((reply, offset)) = &mut self.held else { return Ok(false) };
        let documents = reply
            .doc_slices()
            .map_err(|error| self.connection.error("reading", self.collection, &error))?;
        let Some((start, end)) = next_in(documents.as_bytes(), *offset) else {
            self.held = None;
            return Ok(false);
        };
        self.document.clear();
        self.document.extend_from_slice(&documents.as_bytes()[start..end]);
        *offset = end;
        Ok(true)
    }

    /// Whether the document in hand was given before; checks that it still stands where it stood.
    fn is_known(&mut self) -> Result<bool, EndError> {
        let Some(again) = &mut self.again else { return Ok(false) };
        again.add(&self.document);
        if again.documents == self.given.documents {
            let is_same = again.is_same(&self.given);
            self.again = None;
            if !is_same {
                return Err(self.changed());
            }
        }
        Ok(true)
    }

    fn changed(&self) -> EndError {
        EndError::failed(
            format!(
                "{}.{}: the connection was lost, and what was read before is not there as it was",
                self.connection.db, self.collection
            ),
            Some(AGAIN),
        )
    }
}

/// What helps if a target cannot be read on.
const AGAIN: &str = "run the command again";

impl DocumentStream for LiveStream {
    fn next_document(&mut self) -> Result<Option<&[u8]>, EndError> {
        loop {
            if self.take_held()? {
                if !self.is_known()? {
                    self.given.add(&self.document);
                    return Ok(Some(&self.document));
                }
                continue;
            }
            match self.next_reply()? {
                Some(reply) => self.held = Some((reply, 4)),
                None if self.again.is_some() => return Err(self.changed()),
                None => return Ok(None),
            }
        }
    }
}

/// Where the next document of an array is, from `offset` on: an element is a type byte, a name and
/// the document.
fn next_in(array: &[u8], offset: usize) -> Option<(usize, usize)> {
    let rest = array.get(offset..)?;
    if *rest.first()? != 0x03 {
        return None;
    }
    let start = offset + 1 + rest[1..].iter().position(|byte| *byte == 0)? + 1;
    let length = array.get(start..start + 4)?.try_into().map(i32::from_le_bytes).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    (end <= array.len()).then_some((start, end))
}

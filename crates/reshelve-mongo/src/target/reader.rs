//! Reading a live target back, for verification, checksums and restore.

use futures_util::StreamExt;
use mongodb::bson::doc;
use mongodb::options::{ReadPreference, SelectionCriteria};
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor};
use reshelve::ends::EndError;
use reshelve::ends::{DocumentStream, TargetReader};
use reshelve::target_schema::Collection;

use crate::catalog::{list, reply_docs, statistics};
use crate::connection::Connection;
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
        let opened = connection.wait(async {
            let collection = connection.raw(name);
            let docs = reply_docs(&statistics(connection, name).await);
            let mut find = collection.find(doc! {}).no_cursor_timeout(true).batch_size(docs);
            if let Some(preference) = &self.read_preference {
                find =
                    find.selection_criteria(SelectionCriteria::ReadPreference(preference.clone()));
            }
            limited(find.batch()).await
        });
        let cursor = opened.map_err(|error| connection.error("reading", name, &error))?;
        Ok(Box::new(LiveStream {
            connection: connection.clone(),
            collection: name,
            cursor,
            held: None,
            document: Vec::new(),
        }))
    }
}

/// The documents of one collection, in the order in which the server stores them: usually the order
/// in which they were written.
struct LiveStream {
    connection: Connection,
    collection: &'static str,
    cursor: RawBatchCursor,
    /// A reply, and the place after the last document that was returned.
    held: Option<(RawBatch, usize)>,
    document: Vec<u8>,
}

impl DocumentStream for LiveStream {
    fn next_document(&mut self) -> Result<Option<&[u8]>, EndError> {
        loop {
            if let Some((reply, offset)) = &mut self.held {
                let documents = reply
                    .doc_slices()
                    .map_err(|error| self.connection.error("reading", self.collection, &error))?;
                if let Some((start, end)) = next_in(documents.as_bytes(), *offset) {
                    self.document.clear();
                    self.document.extend_from_slice(&documents.as_bytes()[start..end]);
                    *offset = end;
                    return Ok(Some(&self.document));
                }
                self.held = None;
            }
            let next =
                self.connection.wait(limited(async { self.cursor.next().await.transpose() }));
            match next.transpose() {
                None => return Ok(None),
                Some(Ok(reply)) => self.held = Some((reply, 4)),
                Some(Err(error)) => {
                    let mut error = self.connection.error("reading", self.collection, &error);
                    let again = reshelve::ends::Hint::Text("run the command again".to_owned());
                    error.hint.get_or_insert(again);
                    return Err(error);
                }
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

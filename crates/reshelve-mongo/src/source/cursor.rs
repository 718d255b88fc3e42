//! A query on a live collection, and the cursor that it opens: raw replies in the order of `_id`,
//! in a snapshot where the server has them.

use futures_util::StreamExt;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::error::Error;
use mongodb::options::{FindOptions, Hint, ReadConcern, ReadPreference, SelectionCriteria};
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor, SessionRawBatchCursor};
use mongodb::{ClientSession, Collection};

use crate::connection::Connection;

/// How a collection is read.
pub(super) struct Query {
    pub(super) connection: Connection,
    pub(super) collection: Collection<RawDocumentBuf>,
    /// The collection's name for messages.
    pub(super) namespace: String,
    pub(super) read_preference: Option<ReadPreference>,
    /// Whether to read a snapshot.
    pub(super) snapshot: bool,
    /// Documents in one reply.
    pub(super) reply_docs: u32,
}

impl Query {
    /// Opens a cursor on the documents that the filter selects.
    pub(super) async fn open(&self, filter: Document) -> Result<Cursor, Error> {
        let mut options = FindOptions::builder()
            .sort(doc! { "_id": 1 })
            .hint(Hint::Keys(doc! { "_id": 1 }))
            .batch_size(self.reply_docs)
            .build();
        options.selection_criteria =
            self.read_preference.clone().map(SelectionCriteria::ReadPreference);
        if self.snapshot {
            let mut session = self.connection.client.start_session().snapshot(true).await?;
            let find = self.collection.find(filter).with_options(options);
            let cursor = find.session(&mut session).batch().await?;
            return Ok(Cursor::Snapshot(Box::new((cursor, session))));
        }
        options.read_concern = Some(ReadConcern::majority());
        let cursor = self.collection.find(filter).with_options(options).batch().await?;
        Ok(Cursor::Plain(Box::new(cursor)))
    }
}

/// A cursor, with the session that its snapshot lives in.
pub(super) enum Cursor {
    Plain(Box<RawBatchCursor>),
    Snapshot(Box<(SessionRawBatchCursor, ClientSession)>),
}

impl Cursor {
    /// The next reply; none at the end.
    pub(super) async fn next_reply(&mut self) -> Result<Option<RawBatch>, Error> {
        let next = match self {
            Cursor::Plain(cursor) => cursor.next().await,
            Cursor::Snapshot(held) => {
                let (cursor, session) = held.as_mut();
                cursor.stream(session).next().await
            }
        };
        next.transpose()
    }
}

//! A live collection as a source: raw batches in the order of `_id`, gone on with behind the last
//! one whenever a cursor dies.

use std::path::PathBuf;

use futures_util::StreamExt;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::{FindOptions, Hint, ReadConcern, ReadPreference, SelectionCriteria};
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor, SessionRawBatchCursor};
use mongodb::{ClientSession, Collection, bson::RawDocumentBuf};
use reshelve::dump::COLLECTION_DEFAULT;
use reshelve::ends::{
    Batch, BatchLimits, Damage, DamageKind, EndError, Form, Item, Opened, Operation, Origin, Place,
    PlannedSource, Position, Source, SourceDescription,
};
use reshelve_core::raw;

use crate::by_id::Id;
use crate::connection::{Connection, Topology};
use crate::error::{code, sentence};
use crate::retry::{Patience, is_passing, limited};

/// Snapshots of single collections came with wire version 13, which is server 5.0.
const SNAPSHOT_WIRE_VERSION: i32 = 13;
/// The snapshot is older than what the server keeps, or cannot be had.
const SNAPSHOT_CODES: [i32; 4] = [239, 246, 72, 263];

/// A live collection.
#[derive(Clone, Debug)]
pub struct LiveOrigin {
    connection: Connection,
    collection: String,
    read_preference: Option<ReadPreference>,
}

impl LiveOrigin {
    /// The collection of that name, `jobs` unless named.
    pub fn new(
        connection: Connection,
        collection: Option<&str>,
        read_preference: Option<ReadPreference>,
    ) -> Self {
        let collection = collection.unwrap_or(COLLECTION_DEFAULT).to_owned();
        LiveOrigin { connection, collection, read_preference }
    }

    /// Connects to a collection: in the database that is named, or that the connection string
    /// names, or the only one that has it.
    ///
    /// # Errors
    /// Where the server cannot be reached, or there is no telling which database is meant.
    pub fn connect(
        place: &crate::Place,
        db: Option<&str>,
        collection: Option<&str>,
        read_preference: Option<ReadPreference>,
        patience: &Patience,
    ) -> Result<Self, EndError> {
        let named = db.or(place.database());
        let mut connection = Connection::open(place, named.unwrap_or_default(), patience)?;
        if named.is_none() {
            let wanted = collection.unwrap_or(COLLECTION_DEFAULT);
            connection.db = connection.wait(find_database(&connection, wanted))?;
        }
        Ok(LiveOrigin::new(connection, collection, read_preference))
    }

    /// The connection that it reads through.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    fn open_at(&self, last: Option<Id>) -> Result<Opened, EndError> {
        let connection = &self.connection;
        let found = connection.wait(find_collection(connection, &self.collection))?;
        let statistics =
            connection.wait(connection.command(doc! { "collStats": self.collection.as_str() }));
        // Without the privilege for that the progress has no end to count to.
        let statistics = statistics.unwrap_or_default();
        let bytes_total = number(&statistics, "size");
        let server = &connection.server;
        let snapshot =
            server.topology != Topology::Standalone && server.wire_version >= SNAPSHOT_WIRE_VERSION;
        let source = LiveSource {
            reading: Reading {
                connection: connection.clone(),
                collection: connection.client.database(&connection.db).collection(&self.collection),
                namespace: format!("{}.{}", connection.db, self.collection),
                read_preference: self.read_preference.clone(),
                snapshot,
                reply_docs: reply_docs(&statistics),
            },
            cursor: None,
            todo: Todo::Begin,
            held: None,
            last,
            bytes_read: 0,
            bytes_total,
            notes: Vec::new(),
        };
        Ok(Opened {
            source: Box::new(source),
            description: SourceDescription {
                form: format!("live collection, {}{}", server.topology.as_str(), found),
                path: PathBuf::from(connection.place.name()),
                namespace: Some((connection.db.clone(), self.collection.clone())),
                rewindable: true,
                bytes_total,
                is_compressed: false,
            },
            first: 0,
        })
    }
}

/// The only database that has the collection.
async fn find_database(connection: &Connection, collection: &str) -> Result<String, EndError> {
    let hint = "name the database in the connection string (mongodb://HOST/DATABASE), or with --db";
    let name = connection.place.name();
    let Some(databases) = crate::inspect::databases(connection).await else {
        return Err(EndError::usage(format!("{name}: no database was named"), hint));
    };
    let mut found = Vec::new();
    for db in databases {
        let here = connection.at(&db);
        let question =
            doc! { "listCollections": 1, "filter": { "name": collection }, "nameOnly": true };
        if !crate::indexes::all(&here, question).await?.is_empty() {
            found.push(db);
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            Err(EndError::usage(format!("{name}: no database has a collection {collection}"), hint))
        }
        several => Err(EndError::usage(
            format!(
                "{name}: the collection {collection} is in several databases: {}",
                several.join(", ")
            ),
            "choose one with --db",
        )),
    }
}

/// Whether the collection is there, and stores documents.
async fn find_collection(connection: &Connection, name: &str) -> Result<&'static str, EndError> {
    let listed = connection
        .command(doc! { "listCollections": 1, "filter": { "name": name }, "authorizedCollections": true })
        .await
        .map_err(|error| connection.error("looking for", name, &error))?;
    let found = listed
        .get_document("cursor")
        .and_then(|cursor| cursor.get_array("firstBatch"))
        .ok()
        .and_then(|batch| batch.first())
        .and_then(mongodb::bson::Bson::as_document)
        .cloned();
    let namespace = format!("{}.{name}", connection.db);
    match found {
        None => Err(EndError::usage(
            format!("{}: no collection {namespace}", connection.place.name()),
            "choose another with --collection or --db; `reshelve inspect` lists what is there",
        )
        .into()),
        Some(found) => match found.get_str("type") {
            Ok("view" | "timeseries") => Err(EndError::usage(
                format!(
                    "{namespace} is a {}, not a collection",
                    found.get_str("type").unwrap_or("view")
                ),
                "choose a collection that stores documents with --collection",
            )
            .into()),
            _ => Ok(""),
        },
    }
}

pub(crate) fn number(document: &Document, name: &str) -> Option<u64> {
    use mongodb::bson::Bson;
    match document.get(name)? {
        Bson::Int32(number) => u64::try_from(*number).ok(),
        Bson::Int64(number) => u64::try_from(*number).ok(),
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates"
        )]
        Bson::Double(number) if *number >= 0.0 => Some(*number as u64),
        _ => None,
    }
}

impl Origin for LiveOrigin {
    fn open(&self) -> Result<Opened, EndError> {
        self.open_at(None)
    }

    /// Documents come in the order of their `_id`: what was read is not read again.
    fn open_after(&self, position: &Position) -> Result<Opened, EndError> {
        let Some(id) = &position.id else { return self.open() };
        let id = Id::from_hex(id).ok_or_else(|| {
            EndError::failed("the checkpoint's last id is no BSON value", Some("it was edited"))
        })?;
        Ok(Opened { first: position.count, ..self.open_at(Some(id))? })
    }

    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), EndError> {
        let connection = &self.connection;
        let collection = connection.client.database(&connection.db).collection(&self.collection);
        let collection: Collection<RawDocumentBuf> = collection;
        let statuses = connection.wait(connection.patience.retry_long(|| async {
            let mut statuses: Vec<(Option<Vec<u8>>, u64)> = Vec::new();
            let mut find = collection.find(doc! {}).projection(doc! { "_id": 0, "status": 1 });
            if let Some(preference) = &self.read_preference {
                find =
                    find.selection_criteria(SelectionCriteria::ReadPreference(preference.clone()));
            }
            let mut cursor = find.batch().await?;
            while let Some(batch) = cursor.next().await {
                for document in batch?.doc_slices()?.into_iter().flatten() {
                    let document = document.as_document().map(|document| document.as_bytes());
                    let status = raw::Document::new(document.unwrap_or_default()).get("status");
                    let status = status.and_then(raw::Value::string).map(<[u8]>::to_vec);
                    match statuses.iter().position(|(known, _)| *known == status) {
                        Some(at) => statuses[at].1 += 1,
                        // A collection whose statuses are all different is none of ours: what is
                        // in flight has one of a few.
                        None if statuses.len() < STATUSES_MAX => statuses.push((status, 1)),
                        None => {}
                    }
                }
            }
            Ok(statuses)
        }));
        let statuses =
            statuses.map_err(|error| connection.error("reading", &self.collection, &error))?;
        for (status, count) in &statuses {
            (0..*count).for_each(|_| give(status.as_deref()));
        }
        Ok(())
    }

    fn planned(&self, description: &SourceDescription) -> PlannedSource {
        PlannedSource {
            path: description.path.clone(),
            db: Some(self.connection.db.clone()),
            collection: Some(self.collection.clone()),
            form: description.form.clone(),
            bytes: description.bytes_total,
            live: Some(self.connection.planned()),
        }
    }
}

/// Different statuses that are counted.
const STATUSES_MAX: usize = 10_000;

/// How a collection is read.
struct Reading {
    connection: Connection,
    collection: Collection<RawDocumentBuf>,
    namespace: String,
    read_preference: Option<ReadPreference>,
    /// Whether to read a snapshot.
    snapshot: bool,
    /// Documents in one reply.
    reply_docs: u32,
}

/// About so many bytes come in one reply: a server would send 16 MiB.
const REPLY_BYTES: u64 = 2 * 1024 * 1024;

/// How many documents of a collection make a reply of the size wanted.
pub(crate) fn reply_docs(statistics: &Document) -> u32 {
    const DOCS_MAX: u64 = 10_000;
    let average = number(statistics, "avgObjSize").unwrap_or(16 * 1024).max(1);
    u32::try_from((REPLY_BYTES / average).clamp(1, DOCS_MAX)).unwrap_or(1)
}

/// A cursor, with the session that its snapshot lives in.
enum Cursor {
    Plain(Box<RawBatchCursor>),
    Snapshot(Box<(SessionRawBatchCursor, ClientSession)>),
}

impl Cursor {
    async fn next_reply(&mut self) -> Result<Option<RawBatch>, Error> {
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

impl Reading {
    async fn open(&self, filter: Document) -> Result<Cursor, Error> {
        let mut options = FindOptions::builder()
            .sort(doc! { "_id": 1 })
            .hint(Hint::Keys(doc! { "_id": 1 }))
            .no_cursor_timeout(true)
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

    fn damage(&self, error: &Error) -> Damage {
        Damage {
            kind: DamageKind::Io,
            name: self.namespace.clone(),
            place: Place::default(),
            detail: format!("the collection cannot be read on: {}", sentence(error)),
            earlier_in_doubt: false,
            source: None,
        }
    }
}

/// What is still to be asked of the server, behind the cursor that is open.
enum Todo {
    /// Everything behind the last document.
    Begin,
    /// These, the next one last.
    Conditions(Vec<Document>),
}

/// A live collection that is being read.
struct LiveSource {
    reading: Reading,
    cursor: Option<Cursor>,
    todo: Todo,
    /// A reply of which documents are left, and how many of them were taken.
    held: Option<(RawBatch, usize)>,
    last: Option<Id>,
    bytes_read: u64,
    bytes_total: Option<u64>,
    notes: Vec<String>,
}

impl LiveSource {
    /// The next reply of the server; a cursor that died is opened anew behind the last document.
    fn next_reply(&mut self) -> Result<Option<RawBatch>, Damage> {
        let LiveSource { reading, cursor, todo, last, notes, .. } = self;
        let connection = reading.connection.clone();
        connection.wait(async {
            let mut backoff = connection.patience.backoff();
            loop {
                let next = match (&mut *cursor, &mut *todo) {
                    (Some(cursor), _) => limited(cursor.next_reply()).await.transpose(),
                    (None, Todo::Begin) => {
                        let mut conditions =
                            last.as_ref().map_or_else(|| vec![Document::new()], Id::behind);
                        conditions.reverse();
                        *todo = Todo::Conditions(conditions);
                        continue;
                    }
                    (None, Todo::Conditions(conditions)) => {
                        let Some(condition) = conditions.pop() else { return Ok(None) };
                        match limited(reading.open(condition)).await {
                            Ok(opened) => {
                                *cursor = Some(opened);
                                continue;
                            }
                            Err(error) => Some(Err(error)),
                        }
                    }
                };
                let error = match next {
                    None => {
                        *cursor = None;
                        continue;
                    }
                    Some(Ok(reply)) => return Ok(Some(reply)),
                    Some(Err(error)) => error,
                };
                *cursor = None;
                *todo = Todo::Begin;
                let expired = code(&error).is_some_and(|code| SNAPSHOT_CODES.contains(&code));
                if reading.snapshot && expired {
                    reading.snapshot = false;
                    notes.push(format!(
                        "{}: the server no longer keeps the snapshot ({}): what comes now is read \
                         as it is, and may have been changed since the run began",
                        reading.namespace,
                        sentence(&error)
                    ));
                    continue;
                }
                if !is_passing(&error) || !backoff.wait(&error).await {
                    return Err(reading.damage(&error));
                }
                notes.push(format!(
                    "{}: the cursor was lost ({}): reading goes on behind the last document{}",
                    reading.namespace,
                    sentence(&error),
                    if reading.snapshot { ", in a new snapshot" } else { "" }
                ));
            }
        })
    }
}

impl Source for LiveSource {
    fn fill(&mut self, batch: &mut Batch, limits: BatchLimits) -> Result<bool, Damage> {
        batch.form = Form::Bson;
        loop {
            if self.held.is_none() {
                if !batch.items.is_empty() {
                    break;
                }
                match self.next_reply()? {
                    Some(reply) => self.held = Some((reply, 0)),
                    None => break,
                }
            }
            let Some((reply, taken)) = &mut self.held else { break };
            let documents = reply.doc_slices().map_err(|error| self.reading.damage(&error))?;
            let mut full = false;
            for document in documents.into_iter().skip(*taken) {
                let document = document.map_err(|error| self.reading.damage(&error.into()))?;
                let bytes = document.as_document().map_or(&[][..], |it| it.as_bytes());
                full = batch.items.len() >= limits.docs_max
                    || batch.bytes.len() + bytes.len() > limits.bytes_max;
                if full && !batch.items.is_empty() {
                    break;
                }
                full = false;
                let start = batch.bytes.len();
                batch.bytes.extend_from_slice(bytes);
                batch.items.push(Item {
                    start,
                    end: batch.bytes.len(),
                    place: Place::default(),
                    operation: Operation::Upsert,
                });
                *taken += 1;
                self.bytes_read += u64::try_from(bytes.len()).unwrap_or(0);
                let id = raw::Document::new(bytes).get("_id");
                self.last = id.map(|id| Id { kind: id.kind, value: id.bytes.to_vec() });
            }
            if full {
                break;
            }
            self.held = None;
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

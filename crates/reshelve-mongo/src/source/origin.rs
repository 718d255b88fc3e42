//! A live collection that can be opened: at its beginning, or after a document that was read
//! before.

use std::path::PathBuf;
use std::sync::OnceLock;

use mongodb::options::ReadPreference;
use reshelve::dump::COLLECTION_DEFAULT;
use reshelve::ends::{
    About, Compression, EndError, Hint, LiveCollection, LivePlace, Opened, Oplog, Origin,
    PlannedSource, Position, SourceDescription, SourceForm,
};

use super::about::about;
use super::by_id::Id;
use super::cursor::Query;
use super::identity::{Identity, differs};
use super::live_source::{Beginning, LiveSource};
use super::status_scan::statuses;
use crate::catalog::{check_collection, find_database, reply_docs, statistics, whole_number};
use crate::connection::{Connection, Topology};
use crate::patience::Patience;
use crate::place::Place;

/// Snapshots of single collections came with wire version 13, which is server 5.0.
const SNAPSHOT_WIRE_VERSION: i32 = 13;

/// A live collection.
#[derive(Clone, Debug)]
pub struct LiveOrigin {
    connection: Connection,
    collection: String,
    read_preference: Option<ReadPreference>,
    /// What the collection was when it was opened first, by the run that is resumed too.
    was: OnceLock<LiveCollection>,
}

impl LiveOrigin {
    /// The collection with that name, by default `jobs`.
    pub fn new(
        connection: Connection,
        collection: Option<&str>,
        read_preference: Option<ReadPreference>,
    ) -> Self {
        let collection = collection.unwrap_or(COLLECTION_DEFAULT).to_owned();
        LiveOrigin { connection, collection, read_preference, was: OnceLock::new() }
    }

    /// The same, for a run that began when the collection was this: another one is refused.
    #[must_use]
    pub fn as_it_was(self, was: Option<LiveCollection>) -> Self {
        LiveOrigin { was: was.map_or_else(OnceLock::new, OnceLock::from), ..self }
    }

    /// Connects to a collection: in the database that is named, or that the connection string
    /// names, or the only one that has it.
    ///
    /// # Errors
    /// If the server cannot be reached, or it is unclear which database is meant.
    pub fn connect(
        place: &Place,
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

    /// What the collection is compared with when its end is reached.
    fn beginning(&self, first: u64) -> Result<Beginning, EndError> {
        let connection = &self.connection;
        let identity = Identity {
            connection: connection.clone(),
            name: self.collection.clone(),
            read_preference: self.read_preference.clone(),
        };
        let was = self.was.get();
        let now = connection.wait(connection.patience.retry_long(|| identity.now(was)));
        let now = now.map_err(|error| connection.error("looking at", &self.collection, &error))?;
        let namespace = format!("{}.{}", connection.db, self.collection);
        let Some(now) = now else {
            return Err(EndError::refused(format!("{namespace} is gone"), Hint::ChooseACollection));
        };
        if let Some(was) = was
            && differs(now.uuid.as_deref(), was)
        {
            return Err(EndError::refused(
                format!(
                    "{namespace} is not the collection that was read before: it was dropped or \
                     renamed, and another one has its name now"
                ),
                "start a new run for this collection",
            ));
        }
        let was = self.was.get_or_init(|| now).clone();
        Ok(Beginning { identity, was, first })
    }

    fn open_at(&self, last: Option<Id>, first: u64) -> Result<Opened, EndError> {
        let connection = &self.connection;
        let statistics = connection.wait(async {
            check_collection(connection, &self.collection).await?;
            Ok::<_, EndError>(statistics(connection, &self.collection).await)
        })?;
        let beginning = self.beginning(first)?;
        let bytes_total = whole_number(&statistics, "size");
        let server = &connection.server;
        let query = Query {
            connection: connection.clone(),
            collection: connection.client.database(&connection.db).collection(&self.collection),
            namespace: format!("{}.{}", connection.db, self.collection),
            read_preference: self.read_preference.clone(),
            snapshot: server.topology != Topology::Standalone
                && server.wire_version >= SNAPSHOT_WIRE_VERSION,
            reply_docs: reply_docs(&statistics),
        };
        Ok(Opened {
            source: Box::new(LiveSource::new(query, beginning, last, bytes_total)),
            description: SourceDescription {
                form: SourceForm::LiveCollection { topology: server.topology.as_str() },
                compression: Compression::None,
                path: PathBuf::from(connection.place.name()),
                namespace: Some((connection.db.clone(), self.collection.clone())),
                rewindable: true,
                bytes_total,
                oplog: Oplog::Absent,
                notes: Vec::new(),
                about: About::default(),
            },
            first,
        })
    }
}

impl Origin for LiveOrigin {
    fn open(&self) -> Result<Opened, EndError> {
        self.open_at(None, 0)
    }

    /// Documents come in the order of their `_id`, so those that were read are not read again.
    fn open_after(&self, position: &Position) -> Result<Opened, EndError> {
        let Some(id) = &position.id else { return self.open() };
        let id = Id::from_hex(id).ok_or_else(|| {
            EndError::failed("the checkpoint's last id is not a BSON value", Some("it was edited"))
        })?;
        self.open_at(Some(id), position.count)
    }

    fn for_each_status(&self, give: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), EndError> {
        let connection = &self.connection;
        let preference = self.read_preference.as_ref();
        let statuses = connection.wait(statuses(connection, &self.collection, preference));
        let statuses =
            statuses.map_err(|error| connection.error("reading", &self.collection, &error))?;
        for (status, count) in &statuses {
            (0..*count).for_each(|_| give(status.as_deref()));
        }
        Ok(())
    }

    fn about(&self, _: &SourceDescription) -> Result<About, EndError> {
        self.connection.wait(about(&self.connection, &self.collection))
    }

    fn planned(&self, description: &SourceDescription) -> PlannedSource {
        PlannedSource {
            path: description.path.clone(),
            db: Some(self.connection.db.clone()),
            collection: Some(self.collection.clone()),
            form: description.form_words(),
            bytes: description.bytes_total,
            live: Some(LivePlace {
                collection: self.was.get().cloned(),
                ..self.connection.planned()
            }),
            ..PlannedSource::default()
        }
    }
}

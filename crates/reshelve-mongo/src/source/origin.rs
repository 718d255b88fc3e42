//! A live collection that can be opened: at its beginning, or after a document that was read
//! before.

use std::path::PathBuf;

use mongodb::options::ReadPreference;
use reshelve::dump::COLLECTION_DEFAULT;
use reshelve::ends::{
    Compression, EndError, Opened, Origin, PlannedSource, Position, SourceDescription, SourceForm,
};

use super::by_id::Id;
use super::cursor::Query;
use super::live_source::LiveSource;
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

    fn open_at(&self, last: Option<Id>) -> Result<Opened, EndError> {
        let connection = &self.connection;
        let statistics = connection.wait(async {
            check_collection(connection, &self.collection).await?;
            Ok::<_, EndError>(statistics(connection, &self.collection).await)
        })?;
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
            source: Box::new(LiveSource::new(query, last, bytes_total)),
            description: SourceDescription {
                form: SourceForm::LiveCollection { topology: server.topology.as_str() },
                compression: Compression::None,
                path: PathBuf::from(connection.place.name()),
                namespace: Some((connection.db.clone(), self.collection.clone())),
                rewindable: true,
                bytes_total,
            },
            first: 0,
        })
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
        let preference = self.read_preference.as_ref();
        let statuses = connection.wait(statuses(connection, &self.collection, preference));
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
            form: description.form_words(),
            bytes: description.bytes_total,
            live: Some(self.connection.planned()),
        }
    }
}

//! A connection to a server, with the runtime that the driver needs.

use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::time::Duration;

use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::error::Error;
use mongodb::options::{
    Acknowledgment, ClientOptions, ReadConcern, ReadConcernLevel, ReadPreference,
    SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection, Database};
use reshelve::ends::EndError;
use reshelve::ends::LivePlace;
use tokio::runtime::Runtime;

use crate::catalog::whole_number;
use crate::error::{failed, is_authentication, unreachable};
use crate::patience::{Patience, limited};
use crate::place::Place;

/// How long the driver looks for a server before an operation fails, if the connection string does
/// not say.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest document that a server takes, if it does not say: every one since version 1.8.
const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What kind of deployment a server belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// A single server without an oplog: no transactions, no snapshots.
    Standalone,
    /// A replica set, of one member or more.
    ReplicaSet,
    /// A sharded cluster, behind its routers.
    Sharded,
}

impl Topology {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Topology::Standalone => "standalone",
            Topology::ReplicaSet => "replica set",
            Topology::Sharded => "sharded cluster",
        }
    }
}

/// What a server says about itself.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) topology: Topology,
    pub(crate) replica_set: Option<String>,
    /// Its logical clock, as `seconds.increment`.
    pub(crate) operation_time: Option<String>,
    pub(crate) wire_version: i32,
    /// The largest document that it takes.
    pub(crate) document_bytes_max: usize,
}

/// A connection to one database.
#[derive(Clone)]
pub struct Connection {
    pub(crate) client: Client,
    pub(crate) place: Place,
    pub(crate) db: String,
    pub(crate) server: Server,
    /// How it waits for the server.
    pub(crate) patience: Patience,
    /// Options of the connection string that are not used.
    overridden: Vec<&'static str>,
    runtime: &'static Runtime,
}

/// The threads of the driver. They live as long as the process: the driver still cleans up after a
/// connection is dropped.
fn runtime() -> Result<&'static Runtime, EndError> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let built = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("mongodb")
        .enable_all()
        .build();
    let built = built
        .map_err(|error| EndError::failed(format!("threads cannot be started: {error}"), None))?;
    Ok(RUNTIME.get_or_init(|| built))
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.place.name();
        formatter.debug_struct("Connection").field("place", &name).field("db", &self.db).finish()
    }
}

impl Connection {
    /// Connects, and asks the server what it is. Later operations retry with this `patience`.
    ///
    /// # Errors
    /// If the string cannot be used, or the server cannot be reached.
    pub fn open(place: &Place, db: &str, patience: &Patience) -> Result<Connection, EndError> {
        let runtime = runtime()?;
        let name = place.name();
        let (client, server, overridden) = runtime.block_on(async {
            let mut options = place.options().await?;
            options.server_selection_timeout.get_or_insert(SELECTION_TIMEOUT);
            let overridden = take_own_concerns(&mut options);
            let client = Client::with_options(options)
                .map_err(|error| failed("connecting to", &name, &error))?;
            let hello = limited(hello(&client)).await.map_err(|error| {
                if is_authentication(&error) {
                    failed("connecting to", &name, &error)
                } else {
                    unreachable(&name, &error)
                }
            })?;
            Ok::<_, EndError>((client, server_of(&hello), overridden))
        })?;
        Ok(Connection {
            client,
            place: place.clone(),
            db: db.to_owned(),
            server,
            patience: patience.clone(),
            overridden,
            runtime,
        })
    }

    /// Which options of the connection string are not used, in a sentence: those that would
    /// promise less than a run does.
    pub fn overridden(&self) -> Option<String> {
        let names = self.overridden.join(", ");
        (!names.is_empty()).then(|| {
            format!(
                "note: not used of the connection string of {}: {names}. What is written is \
                 acknowledged by the majority and journaled, without a time limit, and what is \
                 read is what the majority has",
                self.place.name()
            )
        })
    }

    /// Checks that the server belongs to the replica set that a run used.
    ///
    /// # Errors
    /// If it belongs to another one.
    pub fn check_same(&self, planned: &LivePlace) -> Result<(), EndError> {
        match (&self.server.replica_set, &planned.replica_set) {
            (here, Some(there)) if here.as_ref() != Some(there) => Err(EndError::refused(
                format!(
                    "{} belongs to the replica set {}, and the run used {there}",
                    self.place.name(),
                    here.as_deref().unwrap_or("none")
                ),
                "give the connection string of the run, or start a new run",
            )),
            _ => Ok(()),
        }
    }

    /// The same connection, for another database.
    pub(crate) fn at(&self, db: &str) -> Connection {
        Connection { db: db.to_owned(), ..self.clone() }
    }

    /// The kind of deployment.
    pub fn topology(&self) -> Topology {
        self.server.topology
    }

    /// What `run.json` keeps.
    pub(crate) fn planned(&self) -> LivePlace {
        let mut planned = self.place.planned(&self.db, self.server.replica_set.clone());
        planned.operation_time.clone_from(&self.server.operation_time);
        planned
    }

    /// Waits for an operation of the driver. The loop that waits is compiled once for each type of
    /// answer, not for each of the operations.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        let future: Pin<&mut dyn Future<Output = F::Output>> = pin!(future);
        self.runtime.block_on(future)
    }

    /// Runs something in the background, until the handle is aborted.
    pub(crate) fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.runtime.spawn(future)
    }

    pub(crate) fn database(&self) -> Database {
        self.client.database(&self.db)
    }

    /// A collection of raw documents, read from the primary with majority read concern.
    pub(crate) fn raw(&self, collection: &str) -> Collection<RawDocumentBuf> {
        self.collection(collection)
    }

    /// A collection of documents that may be decoded.
    pub(crate) fn decoded(&self, collection: &str) -> Collection<Document> {
        self.collection(collection)
    }

    fn collection<T: Send + Sync>(&self, collection: &str) -> Collection<T> {
        let options = mongodb::options::CollectionOptions::builder()
            .read_concern(ReadConcern::majority())
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .build();
        self.database().collection_with_options(collection, options)
    }

    /// Runs a command on the database, and retries errors that pass.
    pub(crate) async fn command(&self, command: Document) -> Result<Document, Error> {
        let database = self.database();
        self.patience.retry_long(|| database.run_command(command.clone()).into_future()).await
    }

    /// Runs a command on `admin`.
    pub(crate) async fn admin(&self, command: Document) -> Result<Document, Error> {
        let database = self.client.database("admin");
        self.patience.retry(|| database.run_command(command.clone()).into_future()).await
    }

    /// The error for an operation that failed on a collection.
    pub(crate) fn error(&self, action: &str, collection: &str, error: &Error) -> EndError {
        failed(action, &format!("{}.{collection}", self.db), error)
    }
}

/// Sets what every write has to be acknowledged by, and every read has to be: the promises of a run
/// are not to be lowered by a connection string. Tells which of its options are not used.
fn take_own_concerns(options: &mut ClientOptions) -> Vec<&'static str> {
    let mut overridden = Vec::new();
    let own = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
    let given = options.write_concern.replace(own).unwrap_or_default();
    if given.w.is_some_and(|w| w != Acknowledgment::Majority) {
        overridden.push("w");
    }
    if given.journal == Some(false) {
        overridden.push("journal");
    }
    if given.w_timeout.is_some_and(|limit| !limit.is_zero()) {
        overridden.push("wtimeoutMS");
    }
    // Each read names its own.
    let given = options.read_concern.take();
    if given.is_some_and(|read| read.level != ReadConcernLevel::Majority) {
        overridden.push("readConcernLevel");
    }
    overridden
}

/// Asks once, without retries: a person waits, and should know at once that a server is not there.
async fn hello(client: &Client) -> Result<Document, Error> {
    let database = client.database("admin");
    match database.run_command(doc! { "hello": 1 }).await {
        Err(error) if crate::error::code(&error) == Some(59) => {
            database.run_command(doc! { "isMaster": 1 }).await
        }
        other => other,
    }
}

fn server_of(hello: &Document) -> Server {
    let replica_set = hello.get_str("setName").ok().map(str::to_owned);
    let topology = match (&replica_set, hello.get_str("msg")) {
        (_, Ok("isdbgrid")) => Topology::Sharded,
        (Some(_), _) => Topology::ReplicaSet,
        _ => Topology::Standalone,
    };
    let operation_time = hello
        .get_timestamp("operationTime")
        .ok()
        .map(|time| format!("{}.{}", time.time, time.increment));
    Server {
        topology,
        replica_set,
        operation_time,
        wire_version: hello.get_i32("maxWireVersion").unwrap_or(0),
        document_bytes_max: whole_number(hello, "maxBsonObjectSize")
            .and_then(|bytes| usize::try_from(bytes).ok())
            .unwrap_or(DOCUMENT_BYTES_MAX),
    }
}

//! Servers that speak MongoDB's protocol: the one that all tests share, servers that a test starts
//! for itself to kill them, and databases on them that are filled and read byte for byte.
//!
//! `cargo xtask test` sets both variables below. Without them the tests say that they are left out.

use std::collections::BTreeSet;
use std::fs;
use std::future::IntoFuture;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use mongodb::Client;
use mongodb::bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use mongodb::error::Result;
use mongodb::options::WriteConcern;
use tokio::runtime::Runtime;

use crate::common::split;

/// The connection string of the server that tests share.
const URI_VARIABLE: &str = "RESHELVE_TEST_MONGODB_URI";

/// The program that tests start as a server of their own.
const PROGRAM_VARIABLE: &str = "RESHELVE_TEST_SERVER";

/// How long a server may take until it listens.
const START_MAX: Duration = Duration::from_secs(60);

/// The driver looks for a server that is gone for no longer, and looks again after an error that
/// may mean that another one leads. Its own values would let every test of an error wait for long.
const TIMES: &str = "serverSelectionTimeoutMS=10000&heartbeatFrequencyMS=500";

/// The threads on which the driver works.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

/// A server has one failpoint for failing commands: who sets it waits until the others are done.
static FAULTS: Mutex<()> = Mutex::new(());

/// Waits for what the driver promises.
pub(crate) fn wait<T>(promise: impl IntoFuture<Output = T>) -> T {
    let promise = promise.into_future();
    RUNTIME.block_on(promise)
}

/// A server: the shared one, or one of the test.
pub(crate) struct Server {
    /// Without database and options where it is the test's own.
    uri: String,
    own: Option<Own>,
}

/// A server that the test started.
struct Own {
    process: Child,
    /// The words of the command: the program, or what starts it.
    program: Vec<String>,
    folder: tempfile::TempDir,
    port: u16,
}

impl Server {
    /// The server that all tests share; None, and a line that says so, where there is none.
    pub(crate) fn shared() -> Option<Server> {
        match std::env::var(URI_VARIABLE) {
            Ok(uri) if !uri.is_empty() => Some(Server { uri, own: None }),
            _ => left_out(URI_VARIABLE),
        }
    }

    /// A server with an empty data folder of its own, which ends with the value: it may be killed
    /// and started again. What it acknowledges is on disk.
    pub(crate) fn start(args: &[&str]) -> Option<Server> {
        Server::start_by(&[], args)
    }

    /// The same, started by another program, whose words these are.
    pub(crate) fn start_by(by: &[String], args: &[&str]) -> Option<Server> {
        let Some(program) = std::env::var(PROGRAM_VARIABLE).ok().filter(|name| !name.is_empty())
        else {
            return left_out(PROGRAM_VARIABLE);
        };
        let program = [by, &[program]].concat();
        let folder = tempfile::Builder::new().prefix("reshelve-server-").tempdir().unwrap();
        let (process, port) = launch(&program, folder.path(), 0, args);
        let uri = format!("mongodb://127.0.0.1:{port}");
        Some(Server { uri, own: Some(Own { process, program, folder, port }) })
    }

    /// The connection string of a database, with a name by which failpoints know the connection.
    pub(crate) fn uri(&self, database: &str) -> String {
        self.uri_as("", database)
    }

    /// The same with credentials such as `user:password`.
    pub(crate) fn uri_as(&self, credentials: &str, database: &str) -> String {
        let (scheme, rest) = self.uri.split_once("://").unwrap();
        let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (hosts, given) = path.split_once('/').unwrap_or((path, ""));
        let at = if credentials.is_empty() { "" } else { "@" };
        let mut uri = format!("{scheme}://{credentials}{at}{hosts}/{database}?appName={database}");
        // Whoever logs in with the database of the string alone has to say now which it was.
        if !given.is_empty() && !options.contains("authSource=") {
            uri += &format!("&authSource={given}");
        } else if hosts.contains('@') && !options.contains("authSource=") || at == "@" {
            uri += "&authSource=admin";
        }
        for option in TIMES.split('&').chain(options.split('&')).filter(|text| !text.is_empty()) {
            uri += &format!("&{option}");
        }
        uri
    }

    /// A database that no other test uses.
    pub(crate) fn database(&self) -> Database {
        self.database_as("")
    }

    /// The same, by a user such as `user:password`.
    pub(crate) fn database_as(&self, credentials: &str) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("reshelve_test_{:x}_{}_{count}", now.as_millis(), std::process::id());
        self.open(credentials, &name, self.own.is_none())
    }

    /// A database by its name; it stays when the value goes.
    pub(crate) fn database_named(&self, credentials: &str, name: &str) -> Database {
        self.open(credentials, name, false)
    }

    fn open(&self, credentials: &str, name: &str, dropped: bool) -> Database {
        let uri = self.uri_as(credentials, name);
        // Tests want to see the first error, and not after a search for another server.
        let client = wait(Client::with_uri_str(format!("{uri}&retryWrites=false"))).unwrap();
        let handle = client.database(name);
        Database { uri, handle, dropped }
    }

    /// Ends it as a power cut would: no word to anybody, nothing written.
    pub(crate) fn kill(&mut self) {
        let own = self.own.as_mut().expect("the server of all tests is not to be killed");
        own.process.kill().unwrap();
        own.process.wait().unwrap();
    }

    /// Starts it again on the same data and the same port.
    pub(crate) fn restart(&mut self, args: &[&str]) {
        let own = self.own.as_mut().expect("the server of all tests is not to be restarted");
        let (process, port) = launch(&own.program, own.folder.path(), own.port, args);
        assert_eq!(port, own.port);
        own.process = process;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(own) = &mut self.own {
            // It may be dead already, and its data goes anyway.
            drop(own.process.kill());
            drop(own.process.wait());
        }
    }
}

fn left_out<T>(variable: &str) -> Option<T> {
    crate::common::left_out(&format!("{variable} is not set"));
    None
}

/// Starts a server, and waits until it says where it listens.
fn launch(program: &[String], folder: &Path, port: u16, args: &[&str]) -> (Child, u16) {
    let log: PathBuf = folder.join("server.log");
    let out = fs::File::create(&log).unwrap();
    let mut process = Command::new(&program[0])
        .args(&program[1..])
        .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--storage-path", "data"])
        .args(["--sync-on-commit", "--enable-test-commands"])
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .spawn()
        .unwrap();
    let start = Instant::now();
    loop {
        let said = fs::read_to_string(&log).unwrap();
        if let Some(port) = port_in(&said) {
            return (process, port);
        }
        let ended = process.try_wait().unwrap();
        if ended.is_some() || start.elapsed() > START_MAX {
            drop(process.kill());
            panic!("{program:?} did not start ({ended:?}): {said}");
        }
        sleep(Duration::from_millis(10));
    }
}

/// The port in `… listening on 127.0.0.1:12345` and the end of the line.
fn port_in(said: &str) -> Option<u16> {
    let (_, rest) = said.split_once("listening on ")?;
    let (address, _) = rest.split_once('\n')?;
    address.trim().rsplit_once(':')?.1.parse().ok()
}

/// The databases on the server of this one that rehearsals made.
pub(crate) fn scratches(database: &Database) -> Vec<String> {
    let names = wait(database.handle.client().list_database_names()).unwrap();
    names.into_iter().filter(|name| name.starts_with("reshelve_rehearsal_")).collect()
}

/// A database of one test. On the shared server it is dropped when the test ends.
pub(crate) struct Database {
    /// The connection string with the database in it.
    pub(crate) uri: String,
    pub(crate) handle: mongodb::Database,
    dropped: bool,
}

impl Database {
    pub(crate) fn name(&self) -> &str {
        self.handle.name()
    }

    /// The connection string that leads to the one server that takes writes, for a proxy in front
    /// of it; None, and a line that says so, where a proxy could not read what passes.
    pub(crate) fn uri_of_one_server(&self) -> Option<String> {
        let (scheme, rest) = self.uri.split_once("://").unwrap();
        if scheme != "mongodb" || rest.contains("tls=true") || rest.contains("compressors=") {
            crate::common::left_out("a proxy cannot read what is encrypted or compressed");
            return None;
        }
        let (authority, tail) = rest.split_once('/').unwrap();
        if !authority.contains(',') {
            return Some(self.uri.clone());
        }
        let hello = self.admin(doc! { "hello": 1 }).unwrap();
        let primary = hello.get_str("primary").unwrap();
        let credentials =
            authority.rsplit_once('@').map(|(credentials, _)| format!("{credentials}@"));
        Some(format!("{scheme}://{}{primary}/{tail}", credentials.unwrap_or_default()))
    }

    /// Runs a command that must succeed.
    pub(crate) fn command(&self, command: Document) -> Document {
        self.try_command(command).unwrap()
    }

    pub(crate) fn try_command(&self, command: Document) -> Result<Document> {
        wait(self.handle.run_command(command))
    }

    /// Runs a command on the database `admin`.
    pub(crate) fn admin(&self, command: Document) -> Result<Document> {
        wait(self.handle.client().database("admin").run_command(command))
    }

    /// Everything that it holds, by collection.
    pub(crate) fn content(&self) -> Vec<(String, Vec<Vec<u8>>)> {
        self.collections().into_iter().map(|name| (name.clone(), self.dump(&name))).collect()
    }

    /// Every document of some collections.
    pub(crate) fn documents(
        &self,
        collections: &[&'static str],
    ) -> BTreeSet<(&'static str, Vec<u8>)> {
        let of = |name: &'static str| self.dump(name).into_iter().map(move |it| (name, it));
        collections.iter().copied().flat_map(of).collect()
    }

    /// The jobs that a collection of a target has something of.
    pub(crate) fn job_ids(&self, collection: &str) -> BTreeSet<String> {
        let id = |it: &Vec<u8>| {
            RawDocument::from_bytes(it.as_slice()).unwrap().get_str("jobId").unwrap().to_owned()
        };
        self.dump(collection).iter().map(id).collect()
    }

    /// Inserts documents as they are, in this order; the majority has them when this returns.
    pub(crate) fn seed<D: AsRef<[u8]>>(&self, collection: &str, documents: &[D]) {
        self.insert(collection, documents).unwrap();
    }

    /// The same, which may fail. The driver sends documents beside the command, not in it: in a
    /// command, the test server does not keep their bytes.
    pub(crate) fn insert<D: AsRef<[u8]>>(&self, collection: &str, documents: &[D]) -> Result<()> {
        let documents = documents
            .iter()
            .map(|document| RawDocumentBuf::from_bytes(document.as_ref().to_vec()).unwrap());
        let collection = self.handle.collection::<RawDocumentBuf>(collection);
        let majority = WriteConcern::majority();
        wait(collection.insert_many(documents).write_concern(majority)).map(drop)
    }

    /// Inserts the documents of a `.bson` file.
    pub(crate) fn seed_file(&self, collection: &str, path: &Path) {
        self.seed(collection, &split(&fs::read(path).unwrap()));
    }

    /// The documents of a collection as they are, in the order of their ids.
    pub(crate) fn dump(&self, collection: &str) -> Vec<Vec<u8>> {
        let collection = self.handle.collection::<RawDocumentBuf>(collection);
        wait(async {
            let mut cursor = collection.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap();
            let mut documents = Vec::new();
            while cursor.advance().await.unwrap() {
                documents.push(cursor.current().as_bytes().to_vec());
            }
            documents
        })
    }

    pub(crate) fn count(&self, collection: &str) -> u64 {
        let collection = self.handle.collection::<Document>(collection);
        wait(collection.count_documents(doc! {})).unwrap()
    }

    /// Whether a run holds the target, or has left a lease there.
    pub(crate) fn has_lease(&self) -> bool {
        let runs = self.handle.collection::<Document>("reshelve_runs");
        wait(runs.find_one(doc! { "_id": "lock" })).unwrap().is_some()
    }

    /// Lets the lease on the target expire, as if nobody had renewed it for a minute.
    pub(crate) fn expire_lease(&self) {
        let earlier = doc! { "$set": { "expires": mongodb::bson::DateTime::from_millis(0) } };
        let update = doc! { "q": { "_id": "lock" }, "u": earlier };
        let done = self.command(doc! { "update": "reshelve_runs", "updates": [update] });
        assert_eq!(done.get_i32("n").unwrap(), 1, "there is a lease: {done}");
    }

    /// The names of the collections, sorted.
    pub(crate) fn collections(&self) -> Vec<String> {
        let mut names = wait(self.handle.list_collection_names()).unwrap();
        names.sort();
        names
    }

    /// Makes commands of connections with this database's connection string fail, until the value
    /// that is returned goes. `mode` is `{"times": n}`, `{"skip": n}` or `"alwaysOn"`; `data` says
    /// how: `errorCode`, `closeConnection`, `writeConcernError`, `blockConnection`. None, and a
    /// line that says so, where the server has no failpoints.
    pub(crate) fn fail(
        &self,
        commands: &[&str],
        mode: impl Into<Bson>,
        data: Document,
    ) -> Option<Fault<'_>> {
        let turn = FAULTS.lock().unwrap_or_else(PoisonError::into_inner);
        let mut data = data;
        data.insert("failCommands", commands);
        data.insert("appName", self.name());
        let mode = mode.into();
        let set = doc! { "configureFailPoint": "failCommand", "mode": mode, "data": data };
        match self.admin(set) {
            Ok(_) => Some(Fault { database: self, _turn: turn }),
            Err(error) => {
                crate::common::left_out(&format!("the server has no failpoints: {error}"));
                None
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.dropped {
            drop(wait(self.handle.drop()));
        }
    }
}

/// A failpoint that is set.
pub(crate) struct Fault<'a> {
    database: &'a Database,
    _turn: MutexGuard<'static, ()>,
}

impl Drop for Fault<'_> {
    fn drop(&mut self) {
        let off = doc! { "configureFailPoint": "failCommand", "mode": "off" };
        drop(self.database.admin(off));
    }
}

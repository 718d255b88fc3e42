//! The lock of a live target: a lease in the target database, by the server's clock.
//!
//! One document in `reshelve_runs` names the run that writes, with a token that is new for every
//! process. It is renewed every ten seconds and expires after sixty, so that a run whose process
//! or machine is gone can be taken over; a process that finds another token stops before it writes
//! again. Conditions stand in the update pipelines, where `$$NOW` is the server's clock on every
//! server, and the answer tells who holds the lease now: one atomic step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;
use mongodb::options::ReturnDocument;
use reshelve::ends::EndError;

use crate::connection::Connection;
use crate::retry::limited;

/// The collection of the lease.
pub(crate) const RUNS: &str = "reshelve_runs";
const LOCK: &str = "lock";
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// How long leaving may take: whoever leaves has something else to say.
const LEAVE_MAX: Duration = Duration::from_secs(5);
const EXPIRES_AFTER_MS: i64 = 60_000;

/// Who wants the lease.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) run: String,
    pub(crate) folder: String,
    /// What may be broken.
    pub(crate) over: Over,
}

/// Which lease of another run may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// None.
    Nobody,
    /// One that has expired.
    Expired,
}

/// A lease that is held: renewed until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    connection: Connection,
    token: String,
    lost: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    renewing: tokio::task::JoinHandle<()>,
}

/// What a lease document says.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) run: String,
    pub(crate) host: String,
    pub(crate) process: i64,
    pub(crate) expired: bool,
}

impl Holder {
    fn of(document: &Document) -> Holder {
        let text = |name: &str| document.get_str(name).unwrap_or("unknown").to_owned();
        Holder {
            run: text("run"),
            host: text("host"),
            process: match document.get("process") {
                Some(Bson::Int64(process)) => *process,
                Some(Bson::Int32(process)) => i64::from(*process),
                _ => 0,
            },
            expired: document.get_bool("expired").unwrap_or(false),
        }
    }

    /// Why a new run may not start.
    pub(crate) fn refusal(&self, connection: &Connection) -> EndError {
        let Holder { run, host, process, expired } = self;
        let db = &connection.db;
        if *expired {
            return EndError::refused(
                format!(
                    "a run on the database {db} has not finished: {run}, last on {host} (process \
                     {process})"
                ),
                &format!(
                    "`reshelve resume {run}` goes on with it; --take-over starts anew, and what is \
                     there counts as unchanged"
                ),
            );
        }
        EndError::refused(
            format!(
                "another run is writing to the database {db}: {run} on {host} (process {process})"
            ),
            "wait until it is done; where its process is gone, its lease expires within a minute, \
             and --take-over breaks it then",
        )
    }
}

/// Who holds the lease; nothing is changed.
pub(crate) async fn look(connection: &Connection) -> Result<Option<Holder>, Error> {
    let pipeline = vec![
        doc! { "$match": { "_id": LOCK } },
        doc! { "$set": { "expired": { "$lt": ["$expires", "$$NOW"] } } },
    ];
    let runs = connection.own(RUNS);
    let found = connection
        .patience
        .retry(|| async {
            let mut cursor = runs.aggregate(pipeline.clone()).await?;
            if cursor.advance().await? { cursor.deserialize_current().map(Some) } else { Ok(None) }
        })
        .await?;
    Ok(found.as_ref().map(Holder::of))
}

impl Lease {
    /// Takes the lease, or says who has it.
    pub(crate) fn take(
        connection: &Connection,
        claim: &Tenant,
    ) -> Result<Result<Lease, Holder>, EndError> {
        let token = new_token();
        let taken = connection.wait(claim_lease(connection, claim, &token));
        let now = taken.map_err(|error| connection.error("locking", RUNS, &error))?;
        if now.get_str("token").ok() != Some(token.as_str()) {
            return Ok(Err(Holder::of(&now)));
        }
        let lost = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicU64::new(0));
        let renewing = connection.beside(renew(
            connection.clone(),
            token.clone(),
            Arc::clone(&lost),
            Arc::clone(&written),
        ));
        Ok(Ok(Lease { connection: connection.clone(), token, lost, written, renewing }))
    }

    /// Whether this process still holds it, as the server says; it is told how many jobs were
    /// written so far with the next renewal.
    pub(crate) async fn check(&self, written: u64) -> Result<(), EndError> {
        self.written.store(written, Ordering::Relaxed);
        let runs = self.connection.own(RUNS);
        let filter = self.filter();
        let found = self
            .connection
            .patience
            .retry(|| runs.find_one(filter.clone()).into_future())
            .await
            .map_err(|error| self.connection.error("checking the lease in", RUNS, &error))?;
        if found.is_some() && !self.lost.load(Ordering::Relaxed) {
            return Ok(());
        }
        let holder = look(&self.connection).await;
        let holder = holder
            .map_err(|error| self.connection.error("looking at the lease in", RUNS, &error))?;
        Err(self.lost(holder.as_ref()))
    }

    fn lost(&self, holder: Option<&Holder>) -> EndError {
        let db = &self.connection.db;
        let what = match holder {
            Some(Holder { run, host, process, .. }) => format!(
                "another process has taken over the target database {db}: {run} on {host} (process \
                 {process})"
            ),
            None => format!(
                "the lease on the target database {db} is gone: a run that had taken over has \
                 ended, or `reshelve_runs` was dropped"
            ),
        };
        EndError::lost(
            format!("{what}; this process has stopped before its next batch"),
            "look what that run has done, with `reshelve verify`, before anything else",
        )
    }

    fn filter(&self) -> Document {
        doc! { "_id": LOCK, "token": self.token.as_str() }
    }

    /// Lets it expire now: the run stops here, and can be gone on with.
    pub(crate) fn leave(self) -> Result<(), EndError> {
        self.renewing.abort();
        let runs = self.connection.own(RUNS);
        let expire = vec![doc! { "$set": { "expires": "$$NOW" } }];
        // One try: where the server is gone, the lease expires by itself.
        let leaving = runs.update_one(self.filter(), expire).into_future();
        let left = self.connection.wait(async {
            match tokio::time::timeout(LEAVE_MAX, leaving).await {
                Ok(left) => left,
                Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
            }
        });
        left.map(drop).map_err(|error| self.connection.error("leaving the lease in", RUNS, &error))
    }

    /// Takes it away: the run is done.
    pub(crate) fn end(self) -> Result<(), EndError> {
        self.renewing.abort();
        let runs = self.connection.own(RUNS);
        let ended = self
            .connection
            .wait(self.connection.patience.retry(|| runs.delete_one(self.filter()).into_future()));
        ended.map(drop).map_err(|error| self.connection.error("ending the lease in", RUNS, &error))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// One step: takes the lease where it is free, and answers with the lease as it is then.
async fn claim_lease(
    connection: &Connection,
    claim: &Tenant,
    token: &str,
) -> Result<Document, Error> {
    let mut free = vec![
        doc! { "$eq": [{ "$type": "$token" }, "missing"] },
        doc! { "$eq": ["$run", claim.run.as_str()] },
        // The same process again, where the answer to the first try was lost.
        doc! { "$eq": ["$token", token] },
    ];
    if claim.over == Over::Expired {
        free.push(doc! { "$lt": ["$expires", "$$NOW"] });
    }
    let mine = |name: &str, value: Bson| {
        doc! { "$cond": ["$free", value, format!("${name}")] }
    };
    let literal = |text: &str| Bson::from(doc! { "$literal": text });
    let process = Bson::from(i64::from(std::process::id()));
    let pipeline = vec![
        doc! { "$set": { "free": { "$or": free } } },
        doc! { "$set": {
            "run": mine("run", literal(&claim.run)),
            "folder": mine("folder", literal(&claim.folder)),
            "host": mine("host", literal(&host())),
            "process": mine("process", process),
            "since": mine("since", "$$NOW".into()),
            "expires": mine("expires", in_a_while()),
            "written": mine("written", 0_i64.into()),
            "token": mine("token", literal(token)),
        } },
        doc! { "$set": { "expired": { "$lt": ["$expires", "$$NOW"] } } },
        doc! { "$unset": "free" },
    ];
    let runs = connection.own(RUNS);
    let take = || {
        runs.find_one_and_update(doc! { "_id": LOCK }, pipeline.clone())
            .upsert(true)
            .return_document(ReturnDocument::After)
            .into_future()
    };
    match connection.patience.retry(take).await {
        // Two that came at the same time: one has made the lease, the other finds it now.
        Err(error) if crate::error::code(&error) == Some(11_000) => {
            connection.patience.retry(take).await
        }
        other => other,
    }
    .map(Option::unwrap_or_default)
}

/// The server's clock, and how long a lease lasts.
fn in_a_while() -> Bson {
    doc! { "$toDate": { "$add": [{ "$toLong": "$$NOW" }, EXPIRES_AFTER_MS] } }.into()
}

async fn renew(
    connection: Connection,
    token: String,
    lost: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
) {
    let runs = connection.own(RUNS);
    let filter = doc! { "_id": LOCK, "token": token };
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let jobs = i64::try_from(written.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let later = vec![doc! { "$set": { "expires": in_a_while(), "written": jobs } }];
        // What fails is tried again at the next turn; the check before a batch is what decides.
        if let Ok(updated) = limited(runs.update_one(filter.clone(), later).into_future()).await
            && updated.matched_count == 0
        {
            lost.store(true, Ordering::Relaxed);
            return;
        }
    }
}

fn new_token() -> String {
    use std::hash::{BuildHasher, RandomState};
    let half = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half(), half())
}

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name =
        if name.trim().is_empty() { std::env::var("HOSTNAME").unwrap_or_default() } else { name };
    if name.trim().is_empty() { "unknown".to_owned() } else { name.trim().to_owned() }
}

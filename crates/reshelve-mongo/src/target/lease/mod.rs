//! The lock of a live target: a lease in the target database, by the server's clock.
//!
//! One document in `reshelve_runs` names the run that writes, with a token that is new for every
//! process. It is renewed every 10 seconds and expires after 60, so that a run whose process or
//! machine is gone can be taken over. A process that finds another token stops before it writes
//! again; what it may have sent before that is held off by the [`fence`].
//!
//! Every write of it is a plain document on condition of what was read, and the time is what the
//! primary tells: no update with a pipeline, which some servers do not have.

mod claim;
mod clock;
mod fence;
mod holder;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mongodb::ClientSession;
use mongodb::bson::{DateTime, Document, doc};
use mongodb::error::Error;
use reshelve::ends::{EndError, Hint};

use crate::connection::{Connection, Topology};
use crate::patience::limited;

use claim::{EXPIRES_AFTER_MS, claim_lease, in_a_while, new_token};
pub(crate) use claim::{Over, Tenant};
use clock::server_now;
pub(crate) use fence::hold;
use fence::{RAISES_MAX, Seen};
pub(crate) use holder::{Holder, holder, written_by};

/// The collection of the lease.
pub(crate) const RUNS: &str = "reshelve_runs";
/// The `_id` of the lease.
const LOCK: &str = "lock";
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// How long leaving may take: the process has an error or an interruption to report.
const LEAVE_MAX: Duration = Duration::from_secs(5);
/// A write outside a transaction is given no more time than this …
const WRITE_MAX: Duration = Duration::from_secs(15);
/// … and is sent only while the lease lasts for this long.
const LEFT_MIN: Duration = Duration::from_secs(40);

/// A lease that is held: renewed until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    held: Held,
    /// The session whose transactions the fence knows of; none on a server without transactions.
    session: Mutex<Option<ClientSession>>,
    renewing: tokio::task::JoinHandle<()>,
}

/// What the process and its renewals share.
#[derive(Clone, Debug)]
struct Held {
    connection: Connection,
    token: String,
    lost: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    granted: Arc<Mutex<Granted>>,
}

/// Until when a lease lasts.
#[derive(Clone, Copy, Debug)]
struct Granted {
    /// By this machine's clock, counted from before the renewal was sent.
    until: Instant,
    /// What the renewal wrote.
    expires: DateTime,
}

impl Held {
    fn filter(&self) -> Document {
        doc! { "_id": LOCK, "token": self.token.as_str() }
    }

    /// Renews the lease once; false if it is no longer this process's.
    async fn renew(&self) -> Result<bool, Error> {
        let runs = self.connection.decoded(RUNS);
        let asked = Instant::now();
        let expires = in_a_while(server_now(&self.connection).await?);
        let jobs = i64::try_from(self.written.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        // A renewal that arrives late does not shorten the lease.
        let later = doc! { "$max": { "expires": expires }, "$set": { "written": jobs } };
        let renewed = limited(runs.update_one(self.filter(), later).into_future()).await?;
        if renewed.matched_count == 0 {
            self.lost.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        let granted = Granted { until: asked + lasts(), expires };
        *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = granted;
        Ok(true)
    }

    fn granted(&self) -> Granted {
        *self.granted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left(&self) -> Duration {
        self.granted().until.saturating_duration_since(Instant::now())
    }
}

fn lasts() -> Duration {
    Duration::from_millis(EXPIRES_AFTER_MS.unsigned_abs())
}

impl Lease {
    /// Takes the lease, or returns who has it.
    pub(crate) fn take(
        connection: &Connection,
        claim: &Tenant,
    ) -> Result<Result<Lease, Holder>, EndError> {
        let taken = connection.wait(Lease::take_over(connection, claim));
        taken.map_err(|error| connection.error("locking", RUNS, &error))
    }

    /// Lease first, then the fence. Between the two nothing is written; and the token is in the
    /// fence only if the lease was still held after the fence was read.
    async fn take_over(
        connection: &Connection,
        claim: &Tenant,
    ) -> Result<Result<Lease, Holder>, Error> {
        let has_transactions = connection.server.topology != Topology::Standalone;
        let session = match has_transactions {
            true => Some(connection.client.start_session().await?),
            false => None,
        };
        let token = new_token();
        let mut seen = Seen::read(connection).await?;
        let asked = Instant::now();
        if let Err(holder) = claim_lease(connection, claim, &token).await? {
            return Ok(Err(holder));
        }
        let held = Held {
            connection: connection.clone(),
            token,
            lost: Arc::default(),
            written: Arc::default(),
            granted: Arc::new(Mutex::new(Granted {
                until: asked + lasts(),
                expires: DateTime::from_millis(0),
            })),
        };
        // The fence may have to wait for a transaction: the lease must not expire meanwhile.
        let renewing = connection.spawn(keep_renewing(held.clone()));
        let lease = Lease { held, session: Mutex::new(None), renewing };
        for _ in 0..RAISES_MAX {
            seen.end_session(connection).await;
            let token = &lease.held.token;
            if seen.replace(connection, &claim.run, token, session.as_ref()).await? {
                break;
            }
            seen = Seen::read(connection).await?;
            if seen.is_of(token) {
                break;
            }
            if !lease.held.renew().await? {
                break;
            }
        }
        if !Seen::read(connection).await?.is_of(&lease.held.token) || !lease.held.renew().await? {
            let holder = holder(connection).await?;
            return Ok(Err(holder.unwrap_or_default()));
        }
        *lease.session.lock().unwrap_or_else(PoisonError::into_inner) = session;
        Ok(Ok(lease))
    }

    /// The session whose transactions the fence knows of, for the one who writes. There is none on
    /// a server without transactions.
    pub(crate) fn take_session(&self) -> Option<ClientSession> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The filter and the update with which a transaction holds the fence.
    pub(crate) fn hold(&self) -> (Document, Document) {
        hold(&self.held.token)
    }

    /// Says that the run is being taken back: from here on, nobody takes over.
    pub(crate) async fn note_rolling_back(&self) -> Result<(), EndError> {
        let connection = &self.held.connection;
        let runs = connection.decoded(RUNS);
        let update = doc! { "$set": { holder::ROLLING_BACK: true } };
        let noting = || runs.update_one(self.held.filter(), update.clone()).into_future();
        match connection.patience.retry(noting).await {
            Ok(noted) if noted.matched_count == 0 => Err(self.lost().await),
            Ok(_) => Ok(()),
            Err(error) => Err(connection.error("writing to", RUNS, &error)),
        }
    }

    /// Says that nothing is left of what the run wrote.
    pub(crate) async fn note_rolled_back(&self) -> Result<(), EndError> {
        let connection = &self.held.connection;
        let runs = connection.decoded(RUNS);
        let (filter, update) = fence::rolled_back(&self.held.token);
        let noting = || runs.update_one(filter.clone(), update.clone()).into_future();
        let noted = connection.patience.retry(noting).await;
        noted.map(drop).map_err(|error| connection.error("writing to", RUNS, &error))
    }

    /// Refuses if a renewal has found that the lease is lost. The next renewal records how many
    /// jobs were written so far.
    pub(crate) async fn note_written(&self, written: u64) -> Result<(), EndError> {
        self.held.written.store(written, Ordering::Relaxed);
        match self.held.lost.load(Ordering::Relaxed) {
            true => Err(self.lost().await),
            false => Ok(()),
        }
    }

    /// Asks the server whether this process still holds the lease, and returns how long a write may
    /// take that is sent now: well below what is left. Renews the lease first if little is left.
    pub(crate) async fn time_to_write(&self) -> Result<Duration, EndError> {
        let connection = &self.held.connection;
        let failed = |error| connection.error("checking the lease in", RUNS, &error);
        let runs = connection.decoded(RUNS);
        let find = || runs.find_one(self.held.filter()).into_future();
        let found = connection.patience.retry(find).await.map_err(failed)?;
        let Some(found) = found else { return Err(self.lost().await) };
        let expires = found.get_datetime("expires").copied();
        let expires = expires.unwrap_or(DateTime::from_millis(0));
        let is_short = self.held.left() < LEFT_MIN || expires < self.held.granted().expires;
        if is_short && !connection.patience.retry(|| self.held.renew()).await.map_err(failed)? {
            return Err(self.lost().await);
        }
        Ok(WRITE_MAX.min(self.held.left() / 2))
    }

    /// Why this process may not write any more.
    pub(crate) async fn lost(&self) -> EndError {
        let connection = &self.held.connection;
        let holder = match holder(connection).await {
            Ok(holder) => holder,
            Err(error) => return connection.error("looking at the lease in", RUNS, &error),
        };
        let db = &connection.db;
        let stopped = "this process has stopped before its next batch";
        if let Some(Holder { run, host, process, .. }) = holder {
            return EndError::lost(
                format!(
                    "another process has taken over the target database {db}: {run} on {host} \
                     (process {process}); {stopped}"
                ),
                Hint::CheckTheOtherRun,
            );
        }
        let seen = match Seen::read(connection).await {
            Ok(seen) => seen,
            Err(error) => return connection.error("looking at the fence in", RUNS, &error),
        };
        match seen.run() {
            Some(run) if !seen.is_of(&self.held.token) => EndError::lost(
                format!(
                    "another process has taken over the target database {db}, and has ended: \
                     {run}; {stopped}"
                ),
                Hint::CheckTheOtherRun,
            ),
            // Nobody has taken over: the run can be resumed.
            _ => EndError::failed(
                format!("the lease on the target database {db} was removed; {stopped}"),
                None,
            ),
        }
    }

    /// Lets the lease expire now: the run stops here, and can be resumed.
    pub(crate) fn leave(self) -> Result<(), EndError> {
        self.renewing.abort();
        let Held { connection, .. } = &self.held;
        let runs = connection.decoded(RUNS);
        let leaving = async {
            let expire = doc! { "$set": { "expires": server_now(connection).await? } };
            runs.update_one(self.held.filter(), expire).await
        };
        // One try: if the server is gone, the lease expires by itself.
        let left = connection.wait(async {
            match tokio::time::timeout(LEAVE_MAX, leaving).await {
                Ok(left) => left,
                Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
            }
        });
        left.map(drop).map_err(|error| connection.error("leaving the lease in", RUNS, &error))
    }

    /// Removes the lease: the run is done.
    pub(crate) fn end(self) -> Result<(), EndError> {
        self.renewing.abort();
        let Held { connection, .. } = &self.held;
        let runs = connection.decoded(RUNS);
        let filter = self.held.filter();
        let ended = connection
            .wait(connection.patience.retry(|| runs.delete_one(filter.clone()).into_future()));
        ended.map(drop).map_err(|error| connection.error("ending the lease in", RUNS, &error))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

async fn keep_renewing(held: Held) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        // The next turn retries what fails; the check before a write decides.
        if matches!(held.renew().await, Ok(false)) {
            return;
        }
    }
}

/// The run that wrote last into a target, or may have, as its fence says; nothing is changed.
pub(crate) async fn last_writer(connection: &Connection) -> Result<Option<String>, Error> {
    Ok(Seen::read(connection).await?.run().map(str::to_owned))
}

/// The same, unless nothing is left of what it wrote.
pub(crate) async fn last_standing(connection: &Connection) -> Result<Option<String>, Error> {
    let seen = Seen::read(connection).await?;
    Ok(seen.run().filter(|_| !seen.is_rolled_back()).map(str::to_owned))
}

//! The lock of a live target: a lease in the target database, by the server's clock.
//!
//! One document in `reshelve_runs` names the run that writes, with a token that is new for every
//! process. It is renewed every 10 seconds and expires after 60, so that a run whose process or
//! machine is gone can be taken over. A process that finds another token stops before it writes
//! again. The conditions are in the update pipelines, because there `$$NOW` is the server's clock on
//! every server, and the answer says who holds the lease now: one atomic step.

mod claim;
mod holder;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mongodb::bson::{Document, doc};
use reshelve::ends::{EndError, Hint};

use crate::connection::Connection;
use crate::patience::limited;

pub(crate) use claim::{Over, Tenant};
use claim::{claim_lease, in_a_while, new_token};
pub(crate) use holder::{Holder, holder};

/// The collection of the lease.
pub(crate) const RUNS: &str = "reshelve_runs";
/// The `_id` of the lease.
const LOCK: &str = "lock";
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// How long leaving may take: the process has an error or an interruption to report.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// A lease that is held: renewed until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    connection: Connection,
    token: String,
    lost: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    renewing: tokio::task::JoinHandle<()>,
}

impl Lease {
    /// Takes the lease, or returns who has it.
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
        let renewing = connection.spawn(renew(
            connection.clone(),
            token.clone(),
            Arc::clone(&lost),
            Arc::clone(&written),
        ));
        Ok(Ok(Lease { connection: connection.clone(), token, lost, written, renewing }))
    }

    /// Asks the server whether this process still holds the lease. The next renewal records how
    /// many jobs were written so far.
    pub(crate) async fn check(&self, written: u64) -> Result<(), EndError> {
        self.written.store(written, Ordering::Relaxed);
        let runs = self.connection.decoded(RUNS);
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
        let holder = holder(&self.connection).await;
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
            Hint::CheckTheOtherRun,
        )
    }

    fn filter(&self) -> Document {
        doc! { "_id": LOCK, "token": self.token.as_str() }
    }

    /// Lets the lease expire now: the run stops here, and can be resumed.
    pub(crate) fn leave(self) -> Result<(), EndError> {
        self.renewing.abort();
        let runs = self.connection.decoded(RUNS);
        let expire = vec![doc! { "$set": { "expires": "$$NOW" } }];
        // One try: if the server is gone, the lease expires by itself.
        let leaving = runs.update_one(self.filter(), expire).into_future();
        let left = self.connection.wait(async {
            match tokio::time::timeout(LEAVE_MAX, leaving).await {
                Ok(left) => left,
                Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
            }
        });
        left.map(drop).map_err(|error| self.connection.error("leaving the lease in", RUNS, &error))
    }

    /// Removes the lease: the run is done.
    pub(crate) fn end(self) -> Result<(), EndError> {
        self.renewing.abort();
        let runs = self.connection.decoded(RUNS);
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

async fn renew(
    connection: Connection,
    token: String,
    lost: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
) {
    let runs = connection.decoded(RUNS);
    let filter = doc! { "_id": LOCK, "token": token };
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let jobs = i64::try_from(written.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let later = vec![doc! { "$set": { "expires": in_a_while(), "written": jobs } }];
        // The next turn retries what fails; the check before a batch decides.
        if let Ok(updated) = limited(runs.update_one(filter.clone(), later).into_future()).await
            && updated.matched_count == 0
        {
            lost.store(true, Ordering::Relaxed);
            return;
        }
    }
}

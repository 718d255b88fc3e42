//! Who holds the lease, according to its document.

use mongodb::bson::{Bson, DateTime, Document, doc};
use mongodb::error::Error;
use reshelve::ends::{EndError, Hint, LastWriter};

use super::clock::server_now;
use super::{LOCK, RUNS, last_writer};
use crate::connection::Connection;

/// Says in a lease that its run is being taken back.
pub(super) const ROLLING_BACK: &str = "rollingBack";

/// What a lease document says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holder {
    pub(crate) run: String,
    pub(crate) host: String,
    pub(crate) process: i64,
    pub(crate) expired: bool,
    /// Whether a part of the run is taken back: only the same rollback knows the rest.
    pub(crate) is_rolling_back: bool,
}

impl Holder {
    /// What it says at this time of the server.
    pub(super) fn of(document: &Document, now: DateTime) -> Holder {
        let text = |name: &str| document.get_str(name).unwrap_or("unknown").to_owned();
        Holder {
            run: text("run"),
            host: text("host"),
            process: match document.get("process") {
                Some(Bson::Int64(process)) => *process,
                Some(Bson::Int32(process)) => i64::from(*process),
                _ => 0,
            },
            expired: has_expired(document, now),
            is_rolling_back: is_rolling_back(document),
        }
    }

    /// Why a new run may not start.
    pub(crate) fn refusal(&self, connection: &Connection) -> EndError {
        let Holder { run, host, process, expired, is_rolling_back } = self;
        let db = &connection.db;
        if *is_rolling_back {
            let what = if *expired { "has not finished" } else { "is at work, or was killed" };
            return EndError::refused(
                format!(
                    "a rollback on the database {db} {what}: that of {run}, last on {host} (process \
                     {process})"
                ),
                Hint::GoOnRollingBack { run: run.into() },
            );
        }
        if *expired {
            return EndError::refused(
                format!(
                    "a run on the database {db} has not finished: {run}, last on {host} (process \
                     {process})"
                ),
                Hint::ResumeOrTakeOver { run: run.into() },
            );
        }
        EndError::refused(
            format!(
                "another run is writing to the database {db}: {run} on {host} (process {process})"
            ),
            Hint::WaitForTheLease,
        )
    }
}

/// Whether the holder has begun to take its run back.
pub(super) fn is_rolling_back(lease: &Document) -> bool {
    lease.get_bool(ROLLING_BACK).unwrap_or(false)
}

/// Whether a lease has expired at this time of the server.
pub(super) fn has_expired(lease: &Document, now: DateTime) -> bool {
    lease.get_datetime("expires").is_ok_and(|expires| *expires <= now)
}

/// Who holds the lease; nothing is changed.
pub(crate) async fn holder(connection: &Connection) -> Result<Option<Holder>, Error> {
    let runs = connection.decoded(RUNS);
    let find = || runs.find_one(doc! { "_id": LOCK }).into_future();
    let Some(found) = connection.patience.retry(find).await? else { return Ok(None) };
    Ok(Some(Holder::of(&found, server_now(connection).await?)))
}

/// The run that wrote last, or may have: the one that holds or left the lease, else the one in the
/// fence, which stays when a run is done.
pub(crate) async fn written_by(connection: &Connection) -> Result<Option<LastWriter>, Error> {
    let runs = connection.decoded(RUNS);
    let find = || runs.find_one(doc! { "_id": LOCK }).into_future();
    if let Some(lease) = connection.patience.retry(find).await?
        && let Ok(run) = lease.get_str("run")
    {
        let folder = lease.get_str("folder").ok().map(Into::into);
        return Ok(Some(LastWriter { run: run.to_owned(), folder }));
    }
    let last = last_writer(connection).await?;
    Ok(last.map(|run| LastWriter { run, folder: None }))
}

//! Transactions that hold the fence: what is written in one is written by the process that holds the
//! target, or not at all.

use std::time::Duration;

use mongodb::bson::{Document, RawDocumentBuf};
use mongodb::error::{Error, ErrorKind, UNKNOWN_TRANSACTION_COMMIT_RESULT};
use mongodb::{ClientSession, Collection};
use reshelve::ends::EndError;

use super::by_ids::with_the_id_of;
use super::lease::{Lease, RUNS};
use crate::connection::Connection;
use crate::error::code;
use crate::error_class::is_passing;
use crate::patience::limited;

/// How long a transaction that failed is given to end on the server; it would end by itself.
const ABORT_MAX: Duration = Duration::from_secs(5);

/// The session of a process that writes, with what its transactions do first.
#[derive(Debug)]
pub(super) struct Fenced {
    session: ClientSession,
    /// The filter and the update of the fence.
    hold: (Document, Document),
    /// Whether nobody knows the outcome of an earlier try of the same transaction.
    pub(super) is_unknown: bool,
}

/// Why nothing of a transaction was written.
#[derive(Debug)]
pub(super) enum Undone {
    /// An operation on this collection failed.
    Failed { name: &'static str, error: Error },
    /// The fence has the token of somebody else.
    Lost,
    /// The server has no transactions.
    Unsupported,
    /// The commit was sent, and its outcome is not known.
    Unknown(Error),
    /// What was read in it is not what may be changed.
    Refused(EndError),
}

impl Undone {
    /// For the error of an operation on a collection.
    pub(super) fn on(name: &'static str) -> impl FnOnce(Error) -> Undone {
        move |error| Undone::Failed { name, error }
    }

    /// The error for a run that cannot go on.
    pub(super) async fn error(
        self,
        connection: &Connection,
        lease: &Lease,
        action: &str,
    ) -> EndError {
        match self {
            Undone::Failed { name, error } => connection.error(action, name, &error),
            Undone::Lost => lease.lost().await,
            Undone::Refused(error) => error,
            Undone::Unknown(error) => connection.error("ending a transaction in", RUNS, &error),
            Undone::Unsupported => EndError::failed("the server has transactions no longer", None),
        }
    }
}

impl Fenced {
    pub(super) fn new(session: ClientSession, hold: (Document, Document)) -> Self {
        Fenced { session, hold, is_unknown: false }
    }

    /// Does these steps in a transaction, and retries it as a whole if an error passes.
    pub(super) async fn run<T>(
        &mut self,
        connection: &Connection,
        mut steps: impl AsyncFnMut(&mut ClientSession) -> Result<T, Undone>,
    ) -> Result<T, Undone> {
        let mut backoff = connection.patience.backoff();
        self.is_unknown = false;
        loop {
            match self.attempt(connection, &mut steps).await {
                Err(Undone::Failed { name, error }) => {
                    if !is_passing(&error) || !backoff.wait(&error).await {
                        return Err(Undone::Failed { name, error });
                    }
                }
                other => return other,
            }
        }
    }

    async fn attempt<T>(
        &mut self,
        connection: &Connection,
        steps: &mut impl AsyncFnMut(&mut ClientSession) -> Result<T, Undone>,
    ) -> Result<T, Undone> {
        match self.session.start_transaction().await {
            Err(error) if matches!(*error.kind, ErrorKind::Transaction { .. }) => {
                return Err(Undone::Unsupported);
            }
            started => started.map_err(Undone::on(RUNS))?,
        }
        let done = match self.hold_fence(connection).await {
            Ok(()) => in_time(steps(&mut self.session)).await,
            Err(undone) => Err(undone),
        };
        match done {
            Ok(value) => self.commit(connection).await.map(|()| value),
            Err(undone) => {
                // The first error is the one to report; the server ends what is abandoned.
                let abort = self.session.abort_transaction().into_future();
                drop(tokio::time::timeout(ABORT_MAX, abort).await);
                Err(undone)
            }
        }
    }

    async fn hold_fence(&mut self, connection: &Connection) -> Result<(), Undone> {
        let runs = connection.database().collection::<Document>(RUNS);
        let (filter, update) = self.hold.clone();
        let hold = runs.update_one(filter, update).session(&mut self.session).into_future();
        match limited(hold).await {
            Ok(held) if held.matched_count == 1 => Ok(()),
            Ok(_) => Err(Undone::Lost),
            Err(error) if matches!(code(&error), Some(20 | 263)) => Err(Undone::Unsupported),
            Err(error) => Err(Undone::Failed { name: RUNS, error }),
        }
    }

    /// A commit whose outcome is not known is sent again: the server commits once.
    async fn commit(&mut self, connection: &Connection) -> Result<(), Undone> {
        let mut backoff = connection.patience.backoff();
        loop {
            let Err(error) = limited(self.session.commit_transaction().into_future()).await else {
                return Ok(());
            };
            let is_unknown = error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT)
                || matches!(*error.kind, ErrorKind::Io(_));
            if !is_unknown {
                return Err(Undone::Failed { name: RUNS, error });
            }
            self.is_unknown = true;
            if !backoff.wait(&error).await {
                return Err(Undone::Unknown(error));
            }
        }
    }
}

/// A collection that is written in a transaction: that has the read concern, so the collection must
/// not.
pub(super) fn in_session(connection: &Connection, name: &str) -> Collection<RawDocumentBuf> {
    connection.database().collection(name)
}

/// Deletes, in a transaction, the documents that are still what they were.
pub(super) async fn delete_same_in(
    connection: &Connection,
    session: &mut ClientSession,
    name: &'static str,
    documents: &[RawDocumentBuf],
) -> Result<(), Undone> {
    let target = in_session(connection, name);
    for document in documents {
        let filter = with_the_id_of(document);
        let found = target.find_one(filter.clone()).session(&mut *session).await;
        if found.map_err(Undone::on(name))?.as_ref() == Some(document) {
            let deleting = target.delete_one(filter).session(&mut *session);
            deleting.await.map_err(Undone::on(name))?;
        }
    }
    Ok(())
}

/// The same limit as for a single operation.
async fn in_time<T>(steps: impl Future<Output = Result<T, Undone>>) -> Result<T, Undone> {
    match limited(async { Ok(steps.await) }).await {
        Ok(done) => done,
        Err(error) => Err(Undone::Failed { name: RUNS, error }),
    }
}

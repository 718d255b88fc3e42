//! Replacing a job: its earlier version is kept in `reshelve_undo`, then the new one takes its place.
//!
//! A job is replaced by delete and insert, in a transaction if the server has them: update commands
//! may change bytes. Without transactions the job document is deleted first and inserted last, so
//! that a reader sees no job rather than a job without its parts, and every step can be repeated.

use std::collections::HashSet;

use futures_util::StreamExt;
use mongodb::ClientSession;
use mongodb::bson::{Document, RawDocument, RawDocumentBuf, doc};
use mongodb::error::Error;
use reshelve::ends::EndError;
use reshelve::ends::{Fate, Found, Section};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::TargetDocuments;
use reshelve_core::raw;

use super::insert::{Taken, insert};
use super::undo::keep;
use crate::connection::{Connection, Topology};
use crate::error::{at_document, code, sentence};
use crate::error_class::{Blame, blame, is_passing};
use crate::patience::limited;

/// Filters for the events that a mapping made.
pub(crate) fn made_by_a_mapping() -> [Document; 2] {
    [doc! { "event.synthetic": true }, doc! { "snapshot.synthetic": true }]
}

/// A job that replaces an earlier version.
pub(crate) struct Replacement<'r> {
    pub(crate) run: &'r str,
    pub(crate) target: &'r TargetDocuments,
    pub(crate) section: &'r Section,
    /// Whether an earlier process of this run had begun to replace it: then some of its own
    /// documents may stand there, and the earlier version may be kept and gone.
    pub(crate) begun: bool,
    /// What each collection held of it before the run.
    pub(crate) found: [Found; 4],
}

impl Replacement<'_> {
    fn bytes(&self, collection: Collection) -> &[u8] {
        let at = collection.index();
        &self.target.bytes()[at][self.section[at].clone()]
    }

    fn documents(&self, collection: Collection) -> Vec<RawDocumentBuf> {
        let bytes = self.bytes(collection);
        raw::documents(bytes)
            .filter_map(|place| RawDocumentBuf::from_bytes(bytes[place].to_vec()).ok())
            .collect()
    }

    /// The bytes of its documents in a collection.
    pub(super) fn own(&self, collection: Collection) -> HashSet<&[u8]> {
        let bytes = self.bytes(collection);
        raw::documents(bytes).map(|place| &bytes[place]).collect()
    }

    /// The filter for an earlier version of the job: its job, metrics and metadata, and the events
    /// that a mapping made. Events of the new application do not belong to an earlier version.
    fn earlier_filter(&self, collection: Collection) -> Document {
        let mut filter = doc! { "jobId": self.job_id() };
        if collection == Collection::Events {
            filter.insert("$or", made_by_a_mapping());
        }
        filter
    }

    fn job_id(&self) -> String {
        let job = self.bytes(Collection::Jobs);
        let id = raw::Document::new(job).get("jobId").and_then(raw::Value::string);
        String::from_utf8_lossy(id.unwrap_or_default()).into_owned()
    }
}

/// Replaces a job.
///
/// # Errors
/// If the target cannot be written. If the job itself is refused, that is its fate, and the earlier
/// version stays.
pub(crate) async fn replace(
    connection: &Connection,
    what: &Replacement<'_>,
) -> Result<Fate, EndError> {
    let earlier = earlier(connection, what).await?;
    if earlier.iter().all(Vec::is_empty) && !what.begun {
        let why = "the target holds a document of another job under one of its ids";
        return Ok(Fate::Conflict(why.to_owned()));
    }
    if let Some(fate) = keep(connection, what, &earlier).await? {
        return Ok(fate);
    }
    if connection.server.topology == Topology::Standalone {
        return swap_in_steps(connection, what, &earlier).await;
    }
    let mut backoff = connection.patience.backoff();
    loop {
        let error = match limited(swap_in_transaction(connection, what)).await {
            Ok(()) => return Ok(Fate::Written),
            Err(error) => error,
        };
        // A server without transactions that does not look like a standalone one.
        if matches!(code(&error), Some(20 | 263)) {
            return swap_in_steps(connection, what, &earlier).await;
        }
        if is_passing(&error) && backoff.wait(&error).await {
            continue;
        }
        let is_write_error = matches!(
            error.kind.as_ref(),
            mongodb::error::ErrorKind::InsertMany(many) if many.write_concern_error.is_none()
        );
        if is_write_error && is_duplicate(&error) {
            return Ok(Fate::Conflict(sentence(&error)));
        }
        if blame(&error) == Blame::Document {
            return Ok(Fate::Refused(sentence(&error)));
        }
        let job = RawDocument::from_bytes(what.bytes(Collection::Jobs));
        let error = match job {
            Ok(job) if blame(&error) == Blame::Unknown => at_document(error, job),
            _ => error,
        };
        return Err(connection.error("replacing a job in", Collection::Jobs.name(), &error));
    }
}

fn is_duplicate(error: &Error) -> bool {
    matches!(
        error.kind.as_ref(),
        mongodb::error::ErrorKind::InsertMany(many)
            if many.write_errors.iter().flatten().any(|failed| failed.code == 11_000)
    )
}

/// Everything that the target holds of the job, by collection.
async fn earlier(
    connection: &Connection,
    what: &Replacement<'_>,
) -> Result<Vec<Vec<RawDocumentBuf>>, EndError> {
    let mut earlier = Vec::new();
    for target in Collection::ALL {
        let name = target.name();
        let collection = connection.raw(name);
        let filter = what.earlier_filter(target);
        let found = connection.patience.retry(|| async {
            let mut found = Vec::new();
            let mut cursor = collection.find(filter.clone()).batch().await?;
            while let Some(batch) = cursor.next().await {
                let batch = batch?;
                let documents = batch.doc_slices()?.into_iter().flatten();
                found.extend(documents.filter_map(|it| it.as_document().map(ToOwned::to_owned)));
            }
            Ok::<_, Error>(found)
        });
        let found = found.await.map_err(|error| connection.error("reading", name, &error))?;
        earlier.push(found);
    }
    Ok(earlier)
}

async fn swap_in_transaction(connection: &Connection, what: &Replacement<'_>) -> Result<(), Error> {
    let mut session = connection.client.start_session().await?;
    session.start_transaction().await?;
    if let Err(error) = swap_steps(connection, what, &mut session).await {
        // The first error is the one to report; the server aborts a transaction that is abandoned.
        drop(session.abort_transaction().await);
        return Err(error);
    }
    let mut backoff = connection.patience.backoff();
    loop {
        match session.commit_transaction().await {
            Ok(()) => return Ok(()),
            Err(error)
                if error.contains_label(mongodb::error::UNKNOWN_TRANSACTION_COMMIT_RESULT) =>
            {
                if !backoff.wait(&error).await {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

async fn swap_steps(
    connection: &Connection,
    what: &Replacement<'_>,
    session: &mut ClientSession,
) -> Result<(), Error> {
    let database = connection.database();
    for collection in Collection::ALL {
        let name = collection.name();
        let stored = database.collection::<RawDocumentBuf>(name);
        stored.delete_many(what.earlier_filter(collection)).session(&mut *session).await?;
        let documents = what.documents(collection);
        if !documents.is_empty() {
            stored.insert_many(&documents).session(&mut *session).await?;
        }
    }
    Ok(())
}

/// Without a transaction: the job is deleted first and inserted last.
async fn swap_in_steps(
    connection: &Connection,
    what: &Replacement<'_>,
    earlier: &[Vec<RawDocumentBuf>],
) -> Result<Fate, EndError> {
    let mut refused = None;
    for collection in Collection::ALL {
        clear(connection, what, collection).await?;
    }
    for collection in Collection::ALL.into_iter().rev() {
        let name = collection.name();
        let taken = insert(connection, name, what.documents(collection))
            .await
            .map_err(|error| connection.error("writing to", name, &error))?;
        refused = taken.into_iter().find_map(|taken| match taken {
            Taken::Refused(why) | Taken::Other(why) => Some(format!("{name}: {why}")),
            _ => None,
        });
        if refused.is_some() {
            break;
        }
    }
    let Some(why) = refused else { return Ok(Fate::Written) };
    // Put the earlier version back.
    for collection in Collection::ALL {
        clear(connection, what, collection).await?;
    }
    for collection in Collection::ALL.into_iter().rev() {
        let name = collection.name();
        insert(connection, name, earlier[collection.index()].clone())
            .await
            .map_err(|error| connection.error("writing back to", name, &error))?;
    }
    Ok(Fate::Refused(why))
}

async fn clear(
    connection: &Connection,
    what: &Replacement<'_>,
    collection: Collection,
) -> Result<(), EndError> {
    let name = collection.name();
    let stored = connection.raw(name);
    let filter = what.earlier_filter(collection);
    connection
        .patience
        .retry(|| stored.delete_many(filter.clone()).into_future())
        .await
        .map(drop)
        .map_err(|error| connection.error("deleting from", name, &error))
}

//! Earlier versions of replaced jobs, kept in the target database.

use std::collections::HashSet;

use mongodb::ClientSession;
use mongodb::bson::RawDocumentBuf;
use mongodb::error::Error;
use reshelve::ends::{EndError, Fate, Found};
use reshelve::store::key_of;
use reshelve::target_schema::Collection;
use reshelve_core::raw::{self, Writer, kind};

use super::by_ids::{id_of, stored};
use super::delete::delete_same;
use super::fenced::{Fenced, Undone, delete_same_in};
use super::insert::{Taken, insert, is_duplicate, is_too_large};
use super::lease::Lease;
use super::replace::Replacement;
use super::standing::{Documents, is_own as is_of_this_run};
use super::together::insert_in;
use super::undo_record::{EVENTS_BEFORE_MAX, UndoRecord, events_of_others};
use crate::connection::Connection;
use crate::error::sentence;
use crate::error_class::{Blame, blame};

/// Where earlier versions are kept, in the target database.
pub(crate) const UNDO: &str = "reshelve_undo";

/// Whether an earlier version is kept.
pub(super) enum Kept {
    /// It is; these documents were not kept before.
    Now(Vec<RawDocumentBuf>),
    /// It cannot be, so it must not be replaced.
    Never(Fate),
}

/// What stands is neither what this run replaced nor what it wrote.
const EDITED_SINCE: &str = "another version is kept: it was edited since";

fn never(why: &str) -> Kept {
    let why = format!("its earlier version cannot be kept in {UNDO}: {why}");
    Kept::Never(Fate::Conflict(why))
}

/// Where earlier versions are kept.
pub(super) struct Undo<'u> {
    pub(super) connection: &'u Connection,
    pub(super) lease: &'u Lease,
    /// None on a server without transactions.
    pub(super) fenced: &'u mut Option<Fenced>,
}

impl Undo<'_> {
    /// Keeps the earlier version. Rollback goes back to the first one that a run meets, so what is
    /// kept already stays; the record that comes last says that all of it is kept.
    pub(super) async fn keep(
        &mut self,
        what: &Replacement<'_>,
        earlier: &Documents,
    ) -> Result<Kept, EndError> {
        let job = what.job_id();
        if what.begun && UndoRecord::is_there(self.connection, what.run, &job).await? {
            return self.is_kept(what, earlier).await;
        }
        let Some(events_before) = events_of_others(self.connection, &job).await? else {
            let why = format!("it has more than {EVENTS_BEFORE_MAX} events of others");
            return Ok(Kept::Never(Fate::Conflict(why)));
        };
        let mut documents = to_keep(what, earlier);
        let kept = documents.iter().map(|it| key_of(kept_in(it))).collect();
        let record = UndoRecord { kept, events_before }.document(what.run, &job);
        // Without transactions nothing keeps an order among documents of one command.
        let mut last = vec![record];
        if self.fenced.is_some() {
            documents.append(&mut last);
        }
        let mut now = Vec::new();
        for documents in [documents, last] {
            match self.keep_these(documents).await? {
                Kept::Now(kept) => now.extend(kept),
                never @ Kept::Never(_) => return Ok(never),
            }
        }
        Ok(Kept::Now(now))
    }

    /// Keeps documents; without transactions in any order.
    async fn keep_these(&mut self, documents: Vec<RawDocumentBuf>) -> Result<Kept, EndError> {
        let taken = self.insert(&documents).await?;
        let mut now = Vec::new();
        for (document, taken) in documents.into_iter().zip(taken) {
            let why = match taken {
                Taken::Inserted | Taken::Retried => {
                    now.push(document);
                    continue;
                }
                Taken::Same => continue,
                Taken::Refused(why) => why,
                // Neither what this run replaced nor what it wrote: somebody has edited it since.
                Taken::Other(_) => EDITED_SINCE.to_owned(),
            };
            return Ok(never(&why));
        }
        Ok(Kept::Now(now))
    }

    /// Whether all that stands was kept by an earlier process of this run, which may have begun to
    /// replace it, or is what this run writes.
    async fn is_kept(
        &self,
        what: &Replacement<'_>,
        standing: &Documents,
    ) -> Result<Kept, EndError> {
        let is_older_own = |collection: Collection| {
            let documents = &standing[collection.index()];
            what.wrote.is_some_and(|it| is_of_this_run(it, &what.job_id(), collection, documents))
        };
        let others = Collection::ALL.map(|collection| match is_older_own(collection) {
            true => Vec::new(),
            false => standing[collection.index()].clone(),
        });
        let documents = to_keep(what, &others);
        let own: HashSet<&[u8]> =
            Collection::ALL.into_iter().flat_map(|collection| what.own(collection)).collect();
        let taken = taken_before(self.connection, &documents).await?;
        let is_edited = |(document, taken): (&RawDocumentBuf, Taken)| {
            taken != Taken::Same && !own.contains(kept_in(document))
        };
        match documents.iter().zip(taken).any(is_edited) {
            true => Ok(never(EDITED_SINCE)),
            false => Ok(Kept::Now(Vec::new())),
        }
    }

    async fn insert(&mut self, documents: &[RawDocumentBuf]) -> Result<Vec<Taken>, EndError> {
        if let Some(fenced) = self.fenced
            && let Some(taken) =
                insert_together(self.connection, self.lease, fenced, documents).await?
        {
            return Ok(taken);
        }
        *self.fenced = None;
        insert(self.connection, self.lease, UNDO, documents.to_vec()).await
    }

    /// Forgets documents that were kept just now and were not replaced.
    pub(super) async fn unkeep(&mut self, kept: &[RawDocumentBuf]) -> Result<(), EndError> {
        let (connection, lease) = (self.connection, self.lease);
        let Some(fenced) = self.fenced else {
            return delete_same(connection, lease, UNDO, kept).await.map(drop);
        };
        let steps = async |session: &mut ClientSession| {
            delete_same_in(connection, session, UNDO, kept).await
        };
        match fenced.run(connection, steps).await {
            Ok(()) => Ok(()),
            Err(undone) => Err(undone.error(connection, lease, "deleting from").await),
        }
    }
}

/// Inserts documents that are not there yet, in a transaction. None if the server has none.
async fn insert_together(
    connection: &Connection,
    lease: &Lease,
    fenced: &mut Fenced,
    documents: &[RawDocumentBuf],
) -> Result<Option<Vec<Taken>>, EndError> {
    let mut is_again = false;
    loop {
        let mut taken = taken_before(connection, documents).await?;
        let new = || documents.iter().zip(&taken).filter(|(_, taken)| **taken == Taken::Inserted);
        if new().next().is_none() {
            return Ok(Some(taken));
        }
        let steps = async |session: &mut ClientSession| {
            insert_in(connection, session, UNDO, new().map(|(document, _)| document)).await
        };
        match fenced.run(connection, steps).await {
            Ok(()) => return Ok(Some(taken)),
            Err(Undone::Unsupported) => return Ok(None),
            // A try whose outcome was not known has kept them.
            Err(Undone::Failed { error, .. }) if is_duplicate(&error) && !is_again => {
                is_again = true;
            }
            Err(Undone::Failed { error, .. }) if is_refused(connection, &error, documents) => {
                let why = Taken::Refused(sentence(&error));
                let new = taken.iter_mut().filter(|it| **it == Taken::Inserted);
                new.for_each(|it| *it = why.clone());
                return Ok(Some(taken));
            }
            Err(undone) => return Err(undone.error(connection, lease, "writing to").await),
        }
    }
}

/// Whether the server does not store one of these documents, which are larger than what they keep.
fn is_refused(connection: &Connection, error: &Error, documents: &[RawDocumentBuf]) -> bool {
    match blame(error) {
        Blame::Document => true,
        Blame::Unknown => documents.iter().any(|document| is_too_large(connection, document)),
        Blame::Everything => false,
    }
}

/// What is kept already of these documents; those that are not are the ones to insert.
async fn taken_before(
    connection: &Connection,
    documents: &[RawDocumentBuf],
) -> Result<Vec<Taken>, EndError> {
    let bytes = documents.iter().map(|document| document.as_bytes());
    let found = stored(connection, UNDO, bytes).await?;
    let taken = documents.iter().map(|document| match found.get(id_of(document.as_bytes())) {
        None => Taken::Inserted,
        Some(found) if found.as_slice() == document.as_bytes() => Taken::Same,
        Some(_) => Taken::Other(String::new()),
    });
    Ok(taken.collect())
}

/// What is to be kept of the earlier version, as it is kept.
fn to_keep(what: &Replacement<'_>, earlier: &Documents) -> Vec<RawDocumentBuf> {
    let mut kept = Vec::new();
    for (collection, documents) in Collection::ALL.into_iter().zip(earlier) {
        let own = what.own(collection);
        // What this run wrote before it was killed is not an earlier version; only where the
        // journal says that nothing equal was there before is it known to be the run's own.
        let is_own = what.begun
            && match what.found[collection.index()] {
                Found::Absent => true,
                // One document for each job: it was another one.
                Found::Other => collection != Collection::Events,
                Found::Same | Found::Partly => false,
            };
        let is_earlier_own = is_own
            && what
                .wrote
                .is_some_and(|wrote| is_of_this_run(wrote, &what.job_id(), collection, documents));
        if is_earlier_own {
            continue;
        }
        for document in documents {
            if is_own && own.contains(&document.as_bytes()) {
                continue;
            }
            kept.extend(undo_document(what.run, collection.name(), document.as_bytes()));
        }
    }
    kept
}

/// The document in one that is kept.
pub(super) fn kept_in(undo: &RawDocumentBuf) -> &[u8] {
    raw::Document::new(undo.as_bytes()).get("document").map_or(&[], |kept| kept.bytes)
}

/// `{_id: {run, collection, id}, document}`, with the document as it is.
fn undo_document(run: &str, collection: &str, document: &[u8]) -> Option<RawDocumentBuf> {
    let id = raw::Document::new(document).get("_id")?;
    let mut writer = Writer::default();
    let outer = writer.begin();
    let inner = writer.begin_document("_id");
    writer.string("run", run.as_bytes());
    writer.string("collection", collection.as_bytes());
    writer.header(id.kind, b"id");
    writer.extend(id.bytes);
    writer.end(inner);
    writer.header(kind::DOCUMENT, b"document");
    writer.extend(document);
    writer.end(outer);
    RawDocumentBuf::from_bytes(writer.bytes().to_vec()).ok()
}

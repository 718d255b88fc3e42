//! Replacing a job: its earlier version is kept in `reshelve_undo`, then the new one takes its place.
//!
//! A job is replaced by delete and insert: update commands may change bytes. What is deleted has to
//! be what is kept: if it was changed in between, it is looked at and kept again. With transactions
//! the comparison is a part of the transaction; without them ([`swap_apart`](super::swap_apart)) the
//! deletion is conditional on the content, and the job document is deleted first and inserted last,
//! so that a reader sees no job rather than a job without its parts.

use std::collections::HashSet;

use mongodb::ClientSession;
use mongodb::bson::RawDocumentBuf;
use reshelve::ends::{EndError, Fate, Found, Section, Wrote};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::TargetDocuments;
use reshelve_core::raw;

use super::by_ids::{IDS_MAX, ids_of, with_ids, with_the_id_of};
use super::fenced::{Fenced, Undone, in_session};
use super::lease::Lease;
use super::look::job_id_of;
use super::standing::{Documents, standing, version_filter};
use super::swap_apart::swap_apart;
use super::together::{PARTS_FIRST, fate_of, insert_in};
use super::undo::{Kept, Undo};
use crate::connection::Connection;

/// How often a job is looked at again that is edited while it is being replaced.
const LOOKS_MAX: u32 = 5;

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
    /// What that process was about to write, if the legacy document has changed since.
    pub(crate) wrote: Option<&'r Wrote>,
}

impl Replacement<'_> {
    fn bytes(&self, collection: Collection) -> &[u8] {
        let at = collection.index();
        &self.target.bytes()[at][self.section[at].clone()]
    }

    pub(super) fn documents(&self, collection: Collection) -> Vec<RawDocumentBuf> {
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

    pub(super) fn job_id(&self) -> String {
        job_id_of(self.target, self.section)
    }
}

/// Replaces a job.
///
/// # Errors
/// If the target cannot be written. If the job itself is refused, that is its fate, and the earlier
/// version stays.
pub(crate) async fn replace(
    connection: &Connection,
    lease: &Lease,
    fenced: &mut Option<Fenced>,
    what: &Replacement<'_>,
) -> Result<Fate, EndError> {
    for _ in 0..LOOKS_MAX {
        let earlier = standing(connection, &what.job_id()).await?;
        if earlier.iter().all(Vec::is_empty) && !what.begun {
            let why = "the target holds a document of another job under one of its ids";
            return Ok(Fate::Conflict(why.to_owned()));
        }
        let mut undo = Undo { connection, lease, fenced };
        let kept = match undo.keep(what, &earlier).await? {
            Kept::Now(kept) => kept,
            Kept::Never(fate) => return Ok(fate),
        };
        let swapped = match fenced {
            Some(with) => swap_together(connection, lease, with, what, &earlier).await?,
            None => swap_apart(connection, lease, what, &earlier).await?,
        };
        match swapped {
            Swapped::Done => return Ok(Fate::Written),
            Swapped::Not(fate) => return Ok(fate),
            Swapped::Unsupported => *fenced = None,
            // What is there now is not what was kept. Nothing of it was replaced, so that the
            // next look may keep it in the place of what was there before.
            Swapped::Changed => Undo { connection, lease, fenced }.unkeep(&kept).await?,
        }
    }
    Ok(Fate::Conflict("it was edited again and again while it was to be replaced".to_owned()))
}

/// What became of an attempt to put a new version in the place of an earlier one.
pub(super) enum Swapped {
    Done,
    /// It is not taken; the earlier version stands.
    Not(Fate),
    /// The earlier version was changed since it was read. It stands, as far as it was changed.
    Changed,
    /// The server has no transactions.
    Unsupported,
}

async fn swap_together(
    connection: &Connection,
    lease: &Lease,
    fenced: &mut Fenced,
    what: &Replacement<'_>,
    earlier: &Documents,
) -> Result<Swapped, EndError> {
    let steps =
        async |session: &mut ClientSession| swap_steps(connection, what, earlier, session).await;
    match fenced.run(connection, steps).await {
        Ok(true) => Ok(Swapped::Done),
        Ok(false) => Ok(Swapped::Changed),
        Err(Undone::Unsupported) => Ok(Swapped::Unsupported),
        Err(Undone::Failed { name, error }) => {
            let documents = Collection::ALL.map(|collection| what.documents(collection));
            fate_of(connection, name, error, &documents).map(Swapped::Not)
        }
        Err(undone) => Err(undone.error(connection, lease, "replacing a job in").await),
    }
}

/// The steps of a transaction; false, and nothing is done, if what is there is not what was read.
async fn swap_steps(
    connection: &Connection,
    what: &Replacement<'_>,
    earlier: &Documents,
    session: &mut ClientSession,
) -> Result<bool, Undone> {
    let target = |name| in_session(connection, name);
    for collection in Collection::ALL {
        let name = collection.name();
        let stored = target(name);
        let find = stored.find(version_filter(&what.job_id(), collection)).session(&mut *session);
        let mut found = HashSet::new();
        let mut cursor = find.await.map_err(Undone::on(name))?;
        while let Some(document) = cursor.next(&mut *session).await {
            found.insert(document.map_err(Undone::on(name))?.as_bytes().to_vec());
        }
        let read = &earlier[collection.index()];
        if found.len() != read.len() || read.iter().any(|it| !found.contains(it.as_bytes())) {
            return Ok(false);
        }
    }
    for collection in Collection::ALL {
        let name = collection.name();
        let stored = target(name);
        // They are what was found just now, in this transaction.
        for some in earlier[collection.index()].chunks(IDS_MAX) {
            let filter = match some {
                [one] => with_the_id_of(one),
                many => with_ids(&ids_of(many.iter().map(|it| it.as_bytes()))),
            };
            let deleting = stored.delete_many(filter).session(&mut *session);
            deleting.await.map_err(Undone::on(name))?;
        }
    }
    for collection in PARTS_FIRST {
        let documents = what.documents(collection);
        insert_in(connection, session, collection.name(), documents.iter()).await?;
    }
    Ok(true)
}

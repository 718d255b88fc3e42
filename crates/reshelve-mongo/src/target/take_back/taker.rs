//! Changes a live target: what goes and what comes, a few jobs in one step.

use std::collections::HashMap;

use mongodb::ClientSession;
use mongodb::bson::RawDocumentBuf;
use reshelve::ends::{Action, ChangedDocuments, EndError, How, TakenBack};
use reshelve::standing::{OwnDocuments, Part, was_changed};
use reshelve::target_schema::Collection;

use super::super::by_ids::{IDS_MAX, id_of, ids_of, with_ids};
use super::super::delete::delete_same;
use super::super::fenced::{Fenced, Undone};
use super::super::insert::{Taken, insert};
use super::super::lease::Lease;
use super::super::standing::Documents;
use super::super::together::{PARTS_FIRST, insert_in};
use super::place::{Place, Stands};
use super::{BYTES_MAX, changed_now, count};
use crate::connection::Connection;

/// Takes jobs back.
pub(super) struct Taker<'t> {
    at: &'t Place<'t>,
    back: &'t TakenBack<'t>,
    lease: &'t Lease,
    /// None on a server without transactions.
    fenced: Option<Fenced>,
}

/// What is changed in one step.
#[derive(Default)]
struct Change {
    goes: Documents,
    comes: Documents,
}

impl Change {
    fn bytes(&self) -> usize {
        let all = self.goes.iter().chain(&self.comes).flatten();
        all.map(|document| document.as_bytes().len()).sum()
    }

    fn add(&mut self, other: Change) {
        for (into, from) in [(&mut self.goes, other.goes), (&mut self.comes, other.comes)] {
            for (into, from) in into.iter_mut().zip(from) {
                into.extend(from);
            }
        }
    }

    fn counts(&self) -> ChangedDocuments {
        let count = |documents: &Documents| count(documents.iter().map(Vec::len).sum());
        ChangedDocuments {
            deleted: count(&self.goes),
            put_back: count(&self.comes),
            bytes: self::count(self.bytes()),
        }
    }
}

impl<'t> Taker<'t> {
    pub(super) fn new(
        at: &'t Place<'t>,
        back: &'t TakenBack<'t>,
        lease: &'t Lease,
        fenced: Option<Fenced>,
    ) -> Self {
        Taker { at, back, lease, fenced }
    }

    pub(super) fn take(&mut self, batch: &[OwnDocuments]) -> Result<ChangedDocuments, EndError> {
        let connection = self.at.connection;
        let mut all = ChangedDocuments::default();
        let mut change = Change::default();
        for (own, stands) in batch.iter().zip(self.at.stands(batch)?) {
            let Some(how) = own.how else { continue };
            if stands.was_never_replaced(own) {
                continue;
            }
            self.at.check_kept(&own.job, &stands)?;
            change.add(self.change(own, how, stands)?);
            if change.bytes() >= BYTES_MAX {
                connection.wait(self.apply(std::mem::take(&mut change), &mut all))?;
            }
        }
        connection.wait(self.apply(change, &mut all))?;
        Ok(all)
    }

    /// What is to be changed for a job.
    fn change(
        &self,
        own: &OwnDocuments,
        how: How,
        Stands { now, kept, .. }: Stands,
    ) -> Result<Change, EndError> {
        let mut change = Change::default();
        if how == How::AsWritten {
            let at = Collection::Events.index();
            self.check_events(own, &now[at], &kept[at])?;
        }
        for (collection, (now, kept)) in Collection::ALL.into_iter().zip(now.into_iter().zip(kept))
        {
            let at = collection.index();
            change.comes[at].extend(kept.iter().filter(|it| !now.contains(it)).cloned());
            // What is the same in both versions, or was put back before, stays.
            for document in now.into_iter().filter(|it| !kept.contains(it)) {
                if own.goes(collection, document.as_bytes(), self.back)? {
                    change.goes[at].push(document);
                }
            }
        }
        Ok(change)
    }

    /// Whether the events are what the run wrote: all of them together tell.
    fn check_events(
        &self,
        own: &OwnDocuments,
        now: &[RawDocumentBuf],
        kept: &[RawDocumentBuf],
    ) -> Result<(), EndError> {
        let is_own = |event: &&RawDocumentBuf| {
            let bytes = event.as_bytes();
            let is_foreign = own.is_foreign(Collection::Events, bytes);
            !is_foreign && !kept.contains(event)
        };
        let events: Vec<&[u8]> = now.iter().filter(is_own).map(|it| it.as_bytes()).collect();
        let may_be_fewer =
            own.job.is_open || self.back.from.is_some() || own.job.action == Action::Replace;
        match own.part(Collection::Events, &events) {
            Part::Same | Part::Absent => Ok(()),
            Part::Fewer if may_be_fewer => Ok(()),
            _ => Err(was_changed(&own.job, Collection::Events)),
        }
    }

    async fn apply(&mut self, change: Change, all: &mut ChangedDocuments) -> Result<(), EndError> {
        let counts = change.counts();
        if counts == ChangedDocuments::default() {
            return Ok(());
        }
        let connection = self.at.connection;
        if let Some(fenced) = &mut self.fenced {
            let steps =
                async |session: &mut ClientSession| together(connection, &change, session).await;
            match fenced.run(connection, steps).await {
                Ok(None) => {
                    all.deleted += counts.deleted;
                    all.put_back += counts.put_back;
                    all.bytes += counts.bytes;
                    return Ok(());
                }
                Ok(Some(collection)) => return Err(changed_now(collection)),
                Err(Undone::Unsupported) => self.fenced = None,
                Err(undone) => {
                    return Err(undone.error(connection, self.lease, "taking back from").await);
                }
            }
        }
        self.apart(&change).await?;
        all.deleted += counts.deleted;
        all.put_back += counts.put_back;
        all.bytes += counts.bytes;
        Ok(())
    }

    /// Without a transaction: by content, the jobs first; what is put back, the jobs last.
    async fn apart(&self, change: &Change) -> Result<(), EndError> {
        let connection = self.at.connection;
        for collection in PARTS_FIRST.into_iter().rev() {
            let goes = &change.goes[collection.index()];
            if !delete_same(connection, self.lease, collection.name(), goes).await?.is_empty() {
                return Err(changed_now(collection));
            }
        }
        for collection in PARTS_FIRST {
            let comes = change.comes[collection.index()].clone();
            for taken in insert(connection, self.lease, collection.name(), comes).await? {
                if let Taken::Refused(why) | Taken::Other(why) = taken {
                    let message =
                        format!("an earlier version cannot be put back into {collection}: {why}");
                    return Err(EndError::failed(message, None));
                }
            }
        }
        Ok(())
    }
}

/// The steps of a transaction. If a document is not what was read, nothing is done, and it says in
/// which collection.
async fn together(
    connection: &Connection,
    change: &Change,
    session: &mut ClientSession,
) -> Result<Option<Collection>, Undone> {
    for collection in PARTS_FIRST.into_iter().rev() {
        let name = collection.name();
        let target = connection.database().collection::<RawDocumentBuf>(name);
        for some in change.goes[collection.index()].chunks(IDS_MAX) {
            let filter = with_ids(&ids_of(some.iter().map(|it| it.as_bytes())));
            let find = target.find(filter.clone()).session(&mut *session);
            let mut found: HashMap<Vec<u8>, RawDocumentBuf> = HashMap::new();
            let mut cursor = find.await.map_err(Undone::on(name))?;
            while let Some(document) = cursor.next(&mut *session).await {
                let document = document.map_err(Undone::on(name))?;
                found.insert(id_of(document.as_bytes()).to_vec(), document);
            }
            if some.iter().any(|it| found.get(id_of(it.as_bytes())) != Some(it)) {
                return Ok(Some(collection));
            }
            let deleting = target.delete_many(filter).session(&mut *session);
            deleting.await.map_err(Undone::on(name))?;
        }
    }
    for collection in PARTS_FIRST {
        let comes = change.comes[collection.index()].iter();
        insert_in(connection, session, collection.name(), comes).await?;
    }
    Ok(None)
}

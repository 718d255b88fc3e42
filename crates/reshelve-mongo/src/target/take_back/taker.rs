//! Changes a live target: what goes and what comes, a few jobs in one step.

use std::collections::HashMap;

use futures_util::StreamExt;
use mongodb::ClientSession;
use mongodb::bson::RawDocumentBuf;
use mongodb::error::Error;
use reshelve::ends::{Action, ChangedDocuments, EndError, How, TakenBack};
use reshelve::standing::{OwnDocuments, Part, was_changed};
use reshelve::target_schema::Collection;

use super::super::by_ids::{IDS_MAX, REPLY_DOCS, id_of, ids_of, with_ids};
use super::super::delete::delete_same;
use super::super::fenced::{Fenced, Undone};
use super::super::going;
use super::super::insert::{Taken, insert};
use super::super::lease::Lease;
use super::super::standing::Documents;
use super::super::together::{PARTS_FIRST, insert_in};
use super::place::{Earlier, Place, Stands, job_of, of_jobs, places};
use super::{BYTES_MAX, changed_now, count};
use crate::connection::Connection;

/// Takes jobs back.
pub(super) struct Taker<'t> {
    judge: Judge<'t>,
    lease: &'t Lease,
    /// None on a server without transactions.
    fenced: Option<Fenced>,
}

/// Says what goes and what comes.
#[derive(Clone, Copy)]
struct Judge<'t> {
    at: &'t Place<'t>,
    back: &'t TakenBack<'t>,
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
        Taker { judge: Judge { at, back }, lease, fenced }
    }

    /// Takes these jobs back: with transactions in one, in which they are read too, so that nothing
    /// comes between the two.
    pub(super) fn take(&mut self, batch: &[OwnDocuments]) -> Result<ChangedDocuments, EndError> {
        // Whether such a job was replaced at all, only all of its documents together tell.
        let may_be_untouched =
            |own: &OwnDocuments| own.job.is_open && own.job.action == Action::Replace;
        let connection = self.judge.at.connection;
        if self.fenced.is_some() && !batch.iter().any(may_be_untouched) {
            let earlier = self.judge.at.earlier(batch)?;
            let decided: Vec<(&OwnDocuments, &Earlier)> =
                batch.iter().zip(&earlier).filter(|(own, _)| own.how.is_some()).collect();
            decided.iter().try_for_each(|(own, earlier)| earlier.check(&own.job))?;
            if let Some(changed) = connection.wait(self.take_read(&decided))? {
                return Ok(changed);
            }
        }
        self.take_in_parts(batch)
    }

    /// Reads and takes back jobs in one transaction; nothing is done on a server without them.
    async fn take_read(
        &mut self,
        jobs: &[(&OwnDocuments, &Earlier)],
    ) -> Result<Option<ChangedDocuments>, EndError> {
        let (judge, connection) = (self.judge, self.judge.at.connection);
        let Some(fenced) = &mut self.fenced else { return Ok(None) };
        if jobs.is_empty() {
            return Ok(Some(ChangedDocuments::default()));
        }
        let steps = async |session: &mut ClientSession| judge.read_and_change(jobs, session).await;
        match fenced.run(connection, steps).await {
            Ok(changed) => Ok(Some(changed)),
            Err(Undone::Unsupported) => {
                self.fenced = None;
                Ok(None)
            }
            Err(undone) => Err(undone.error(connection, self.lease, "taking back from").await),
        }
    }

    /// Looks at jobs, then changes them, a few at a time.
    fn take_in_parts(&mut self, batch: &[OwnDocuments]) -> Result<ChangedDocuments, EndError> {
        let connection = self.judge.at.connection;
        let mut all = ChangedDocuments::default();
        let mut change = Change::default();
        for (own, stands) in batch.iter().zip(self.judge.at.stands(batch)?) {
            if own.how.is_none() || stands.was_never_replaced(own) {
                continue;
            }
            stands.earlier.check(&own.job)?;
            change.add(self.judge.change(own, stands)?);
            if change.bytes() >= BYTES_MAX {
                connection.wait(self.apply(std::mem::take(&mut change), &mut all))?;
            }
        }
        connection.wait(self.apply(change, &mut all))?;
        Ok(all)
    }

    async fn apply(&mut self, change: Change, all: &mut ChangedDocuments) -> Result<(), EndError> {
        let counts = change.counts();
        if counts == ChangedDocuments::default() {
            return Ok(());
        }
        let connection = self.judge.at.connection;
        let mut is_done = false;
        if let Some(fenced) = &mut self.fenced {
            let steps =
                async |session: &mut ClientSession| together(connection, &change, session).await;
            match fenced.run(connection, steps).await {
                Ok(()) => is_done = true,
                Err(Undone::Unsupported) => self.fenced = None,
                Err(undone) => {
                    return Err(undone.error(connection, self.lease, "taking back from").await);
                }
            }
        }
        if !is_done {
            self.apart(&change).await?;
        }
        all.add(counts);
        Ok(())
    }

    /// Without a transaction: by content, the jobs first; what is put back, the jobs last.
    async fn apart(&self, change: &Change) -> Result<(), EndError> {
        let connection = self.judge.at.connection;
        let events = &change.goes[Collection::Events.index()];
        if !events.is_empty() {
            going::keep(connection, &self.judge.back.claim.run, events).await?;
        }
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

impl Judge<'_> {
    /// The steps of a transaction: each collection is read, judged and cleared, the jobs first; then
    /// comes what is put back, the jobs last. If a document is not what was to be taken back, nothing
    /// is done.
    async fn read_and_change(
        self,
        jobs: &[(&OwnDocuments, &Earlier)],
        session: &mut ClientSession,
    ) -> Result<ChangedDocuments, Undone> {
        let connection = self.at.connection;
        let mut all = ChangedDocuments::default();
        let mut comes = Documents::default();
        for collection in PARTS_FIRST.into_iter().rev() {
            let standing = read_in(connection, session, collection, jobs).await?;
            self.at.count(standing.iter().flatten());
            let mut change = Change::default();
            for ((own, earlier), now) in jobs.iter().zip(standing) {
                let now = earlier.without_older(collection, now);
                self.add(&mut change, own, (collection, now), &earlier.kept)
                    .map_err(Undone::Refused)?;
            }
            let at = collection.index();
            delete_in(connection, session, collection, &change.goes[at]).await?;
            all.add(change.counts());
            comes[at] = std::mem::take(&mut change.comes[at]);
        }
        for collection in PARTS_FIRST {
            let comes = comes[collection.index()].iter();
            insert_in(connection, session, collection.name(), comes).await?;
        }
        Ok(all)
    }

    /// What is to be changed for a job.
    fn change(
        self,
        own: &OwnDocuments,
        Stands { now, earlier }: Stands,
    ) -> Result<Change, EndError> {
        let mut change = Change::default();
        for (collection, now) in Collection::ALL.into_iter().zip(now) {
            self.add(&mut change, own, (collection, now), &earlier.kept)?;
        }
        Ok(change)
    }

    /// Adds what is to be changed for a job in one collection.
    fn add(
        self,
        change: &mut Change,
        own: &OwnDocuments,
        (collection, now): (Collection, Vec<RawDocumentBuf>),
        kept: &Documents,
    ) -> Result<(), EndError> {
        let at = collection.index();
        let kept = &kept[at];
        if own.how == Some(How::AsWritten) && collection == Collection::Events {
            self.check_events(own, &now, kept)?;
        }
        change.comes[at].extend(kept.iter().filter(|it| !now.contains(it)).cloned());
        // What is the same in both versions, or was put back before, stays.
        for document in now.into_iter().filter(|it| !kept.contains(it)) {
            if own.goes(collection, document.as_bytes(), self.back)? {
                change.goes[at].push(document);
            }
        }
        Ok(())
    }

    /// Whether the events are what the run wrote: all of them together tell.
    fn check_events(
        self,
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
        let may_be_fewer = own.job.is_open || own.job.action == Action::Replace;
        let is_continued = self.back.from.is_some();
        match own.part(Collection::Events, &events) {
            Part::Same | Part::Absent => Ok(()),
            Part::Fewer if may_be_fewer => Ok(()),
            Part::Fewer if is_continued && self.at.were_going(own, now) => Ok(()),
            _ => Err(was_changed(&own.job, Collection::Events)),
        }
    }
}

/// The documents that a collection holds of each job, as a transaction sees them.
async fn read_in(
    connection: &Connection,
    session: &mut ClientSession,
    collection: Collection,
    jobs: &[(&OwnDocuments, &Earlier)],
) -> Result<Vec<Vec<RawDocumentBuf>>, Undone> {
    let own = || jobs.iter().map(|(own, _)| *own);
    let (target, by_job) = (connection.raw(collection.name()), places(own()));
    let mut standing = vec![Vec::new(); jobs.len()];
    let reading = async {
        let find = target.find(of_jobs(own())).batch_size(REPLY_DOCS);
        let mut cursor = find.session(&mut *session).batch().await?;
        let mut replies = cursor.stream(session);
        while let Some(reply) = replies.next().await {
            for document in reply?.doc_slices()?.into_iter().flatten() {
                let Some(document) = document.as_document() else { continue };
                if let Some(at) = job_of(document.as_bytes()).and_then(|job| by_job.get(job)) {
                    standing[*at].push(document.to_owned());
                }
            }
        }
        Ok::<_, Error>(())
    };
    reading.await.map_err(Undone::on(collection.name()))?;
    Ok(standing)
}

/// Deletes documents by their ids, in a transaction that has read them.
async fn delete_in(
    connection: &Connection,
    session: &mut ClientSession,
    collection: Collection,
    documents: &[RawDocumentBuf],
) -> Result<(), Undone> {
    let target = connection.raw(collection.name());
    for some in documents.chunks(IDS_MAX) {
        let filter = with_ids(&ids_of(some.iter().map(|it| it.as_bytes())));
        let deleting = target.delete_many(filter).session(&mut *session);
        deleting.await.map_err(Undone::on(collection.name()))?;
    }
    Ok(())
}

/// The steps of a transaction that changes what was looked at before. If a document is not what was
/// read, nothing is done.
async fn together(
    connection: &Connection,
    change: &Change,
    session: &mut ClientSession,
) -> Result<(), Undone> {
    for collection in PARTS_FIRST.into_iter().rev() {
        let goes = &change.goes[collection.index()];
        for some in goes.chunks(IDS_MAX) {
            if !are_same_in(connection, session, collection, some).await? {
                return Err(Undone::Refused(changed_now(collection)));
            }
        }
        delete_in(connection, session, collection, goes).await?;
    }
    for collection in PARTS_FIRST {
        let comes = change.comes[collection.index()].iter();
        insert_in(connection, session, collection.name(), comes).await?;
    }
    Ok(())
}

/// Whether documents are still what was read of them.
async fn are_same_in(
    connection: &Connection,
    session: &mut ClientSession,
    collection: Collection,
    documents: &[RawDocumentBuf],
) -> Result<bool, Undone> {
    let name = collection.name();
    let filter = with_ids(&ids_of(documents.iter().map(|it| it.as_bytes())));
    let target = connection.raw(name);
    let find = target.find(filter).session(&mut *session);
    let mut found: HashMap<Vec<u8>, RawDocumentBuf> = HashMap::new();
    let mut cursor = find.await.map_err(Undone::on(name))?;
    while let Some(document) = cursor.next(&mut *session).await {
        let document = document.map_err(Undone::on(name))?;
        found.insert(id_of(document.as_bytes()).to_vec(), document);
    }
    Ok(documents.iter().all(|it| found.get(id_of(it.as_bytes())) == Some(it)))
}

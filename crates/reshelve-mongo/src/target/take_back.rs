//! Takes what a run wrote out of a live target: the jobs first, then their parts, so that a reader
//! never sees a job whose parts are missing.

use std::cell::Cell;
use std::collections::HashMap;

use mongodb::ClientSession;
use mongodb::bson::{RawDocumentBuf, doc};
use reshelve::ends::{
    Action, ChangedDocuments, EndError, Found, Hint, How, LeftOver, OwnJob, OwnJobs, Position,
    SaveStep, Standing, TakenBack, TakesBack,
};
use reshelve::standing::{Fate, OwnDocuments, Part, of_job, part};
use reshelve::store::{DiskError, Key};
use reshelve::target_schema::Collection;
use reshelve_core::raw;

use super::by_ids::{IDS_MAX, id_of, ids_of, matching, with_ids};
use super::delete::delete_same;
use super::destination::LiveDestination;
use super::fenced::{Fenced, Undone};
use super::insert::{Taken, insert};
use super::lease::{Lease, Over};
use super::standing::Documents;
use super::together::{PARTS_FIRST, insert_in};
use super::undo::UNDO;
use crate::connection::Connection;

/// Most jobs that are looked at, or taken back, at a time …
const JOBS_MAX: usize = 200;
/// … so many at first, until it is known how large they are …
const JOBS_FIRST: usize = 4;
/// … and target bytes of them, about; more than that goes into one transaction only if it is one job.
const BYTES_MAX: usize = 8 * 1024 * 1024;

impl TakesBack for LiveDestination {
    fn is_undone_by_position(&self) -> bool {
        false
    }

    fn lock_back(&mut self, run: &TakenBack<'_>) -> Result<(), EndError> {
        if run.from.is_some() && self.holder()?.is_none() {
            self.expect_last(&run.claim.run)?;
        }
        self.take(run.claim, Over::Nobody)
    }

    fn survey(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&OwnJob, Standing) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        let at = Place::new(self.connection(), run);
        let is_continued = run.from.is_some();
        let after = run.from.map(key_in).transpose()?.flatten();
        at.in_batches(jobs, after, &mut |batch| {
            let stands = at.stands(batch)?;
            for (own, Stands { now, kept }) in batch.iter().zip(stands) {
                if was_never_replaced(own, &kept) {
                    continue;
                }
                at.check_kept(&own.job, &kept)?;
                each(&own.job, standing_of(own, &now, &kept, is_continued))?;
            }
            Ok(())
        })
    }

    fn discarded(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&[u8]) -> Result<(), DiskError>,
    ) -> Result<(), EndError> {
        let at = Place::new(self.connection(), run);
        at.in_batches(jobs, None, &mut |batch| {
            for (own, Stands { now, kept }) in batch.iter().zip(at.stands(batch)?) {
                if own.how != Some(How::Discard) {
                    continue;
                }
                for collection in Collection::ALL {
                    let (now, kept) = (&now[collection.index()], &kept[collection.index()]);
                    for document in now.iter().filter(|document| !kept.contains(document)) {
                        if own.fate(collection, document.as_bytes()) == Fate::Goes {
                            each(document.as_bytes())?;
                        }
                    }
                }
            }
            Ok(())
        })
    }

    fn take_back(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        (from, mut documents): (&Position, ChangedDocuments),
        save: &mut SaveStep<'_>,
    ) -> Result<ChangedDocuments, EndError> {
        let Some(lease) = self.lease() else {
            return Err(EndError::failed("a rollback without a lease: a bug in reshelve", None));
        };
        let at = Place::new(self.connection(), run);
        let fenced = lease.take_session().map(|session| Fenced::new(session, lease.hold()));
        let mut taker = Taker { at: &at, back: run, lease: &lease, fenced };
        at.in_batches(jobs, key_in(from)?, &mut |batch| {
            let Some(last) = batch.last() else { return Ok(()) };
            let changed = taker.take(batch)?;
            documents.deleted += changed.deleted;
            documents.put_back += changed.put_back;
            save(&position_after(&last.job.key), documents, true)
        })?;
        Ok(documents)
    }

    fn left_over(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<LeftOver, EndError> {
        let at = Place::new(self.connection(), run);
        let mut left = LeftOver::default();
        at.in_batches(jobs, None, &mut |batch| {
            for (own, stands) in batch.iter().zip(at.stands(batch)?) {
                if own.how.is_some() && !was_never_replaced(own, &stands.kept) {
                    add_left_over(&mut left, own, &stands);
                }
            }
            Ok(())
        })?;
        Ok(left)
    }
}

fn add_left_over(left: &mut LeftOver, own: &OwnDocuments, Stands { now, kept }: &Stands) {
    for collection in Collection::ALL {
        let (now, kept) = (&now[collection.index()], &kept[collection.index()]);
        for document in now.iter().filter(|document| !kept.contains(document)) {
            let bytes = document.as_bytes();
            let is_foreign = own.is_foreign(collection, bytes);
            left.foreign_events += u64::from(is_foreign);
            let is_wrong = match own.job.action {
                Action::Replace => own.is_version(bytes),
                Action::Insert | Action::Complete => own.fate(collection, bytes) == Fate::Goes,
            };
            left.wrong += u64::from(is_wrong && !is_foreign);
        }
        left.wrong += count(kept.iter().filter(|document| !now.contains(document)).count());
    }
}

fn count(documents: usize) -> u64 {
    u64::try_from(documents).unwrap_or(u64::MAX)
}

/// Whether a job was only about to be replaced when its process was killed: its earlier version was
/// not kept yet, so it stands.
fn was_never_replaced(own: &OwnDocuments, kept: &Documents) -> bool {
    own.job.is_open && own.job.action == Action::Replace && kept.iter().all(Vec::is_empty)
}

/// What stands of a job. Of a rollback that is continued, events that came meanwhile are nobody's
/// edit, and of a job that is half replaced, or half put back, what is the earlier version is none.
fn standing_of(
    own: &OwnDocuments,
    now: &Documents,
    kept: &Documents,
    is_continued: bool,
) -> Standing {
    let may_be_half = is_continued || own.job.is_open;
    let parts = |without_kept: bool| {
        Collection::ALL.map(|collection| {
            let (now, kept) = (&now[collection.index()], &kept[collection.index()]);
            let counts = |document: &&RawDocumentBuf| {
                let is_foreign = own.is_foreign(collection, document.as_bytes());
                own.is_version(document.as_bytes())
                    && !(is_continued && is_foreign)
                    && !(without_kept && kept.contains(document))
            };
            let now: Vec<&[u8]> =
                now.iter().filter(counts).map(|document| document.as_bytes()).collect();
            part(&own.job, collection, &now)
        })
    };
    let standing = of_job(&own.job, parts(false), may_be_half);
    if standing == Standing::AsWritten || !may_be_half || own.job.action != Action::Replace {
        return standing;
    }
    let is_own = |part: &Part| matches!(part, Part::Absent | Part::Same | Part::Fewer);
    if parts(true).iter().all(is_own) { Standing::AsWritten } else { standing }
}

/// The last job that was taken back.
fn position_after(key: &Key) -> Position {
    Position { opaque: raw::hex(key).into(), ..Position::default() }
}

fn key_in(position: &Position) -> Result<Option<Key>, EndError> {
    let Some(text) = position.opaque.as_str() else { return Ok(None) };
    let digits =
        |at: usize| text.get(2 * at..2 * at + 2).and_then(|it| u8::from_str_radix(it, 16).ok());
    let key: Option<Vec<u8>> = (0..16).map(digits).collect();
    match key.and_then(|key| key.try_into().ok()) {
        Some(key) if text.len() == 32 => Ok(Some(key)),
        _ => Err(EndError::failed(
            "the record of the rollback is malformed",
            Some("it was written by another version, or edited"),
        )),
    }
}

fn changed(own: &OwnDocuments, collection: Collection) -> EndError {
    let job = String::from_utf8_lossy(&own.job.job_id).into_owned();
    let message = format!("{collection} was changed since it was looked at, at the job {job}");
    EndError::refusal(message, Hint::LookWhoWrites)
}

fn changed_now(collection: Collection) -> EndError {
    let message = format!("{collection} was changed since it was looked at, a moment ago");
    EndError::refusal(message, Hint::LookWhoWrites)
}

/// What a target holds of a job, and what was kept of its earlier version.
#[derive(Clone, Debug, Default)]
struct Stands {
    now: Documents,
    kept: Documents,
}

/// Where jobs of a run are looked at.
struct Place<'p> {
    connection: &'p Connection,
    run: &'p str,
    /// Bytes of documents since the last batch.
    bytes_read: Cell<usize>,
}

impl<'p> Place<'p> {
    fn new(connection: &'p Connection, run: &'p TakenBack<'_>) -> Place<'p> {
        Place { connection, run: &run.claim.run, bytes_read: Cell::new(0) }
    }
}

impl Place<'_> {
    /// Gives the jobs a few at a time, in the order of their keys: as many as memory allows, going
    /// by those before.
    fn in_batches(
        &self,
        jobs: &dyn OwnJobs,
        after: Option<Key>,
        give: &mut dyn FnMut(&[OwnDocuments]) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        let mut batch: Vec<OwnDocuments> = Vec::new();
        let mut most = JOBS_FIRST;
        jobs.each(after, &mut |job, how| {
            batch.push(OwnDocuments::new(job, how));
            if batch.len() < most {
                return Ok(());
            }
            give(&batch)?;
            let bytes = self.bytes_read.replace(0).max(1);
            most = (BYTES_MAX * batch.len() / bytes).clamp(1, (most * 2).min(JOBS_MAX));
            batch.clear();
            Ok(())
        })?;
        if batch.is_empty() { Ok(()) } else { give(&batch) }
    }

    /// What stands of each job.
    fn stands(&self, jobs: &[OwnDocuments]) -> Result<Vec<Stands>, EndError> {
        let now = self.connection.wait(self.standing(jobs))?;
        let mut kept = self.connection.wait(self.kept(jobs))?;
        let bytes = now.iter().chain(kept.values()).flatten().flatten();
        let bytes: usize = bytes.map(|document| document.as_bytes().len()).sum();
        self.bytes_read.set(self.bytes_read.get() + bytes);
        let both = jobs.iter().zip(now).map(|(own, now)| {
            let kept = kept.remove(&own.job.key).unwrap_or_default();
            Stands { now, kept }
        });
        Ok(both.collect())
    }

    /// Everything that the target holds of each job.
    async fn standing(&self, jobs: &[OwnDocuments]) -> Result<Vec<Documents>, EndError> {
        let mut standing = vec![Documents::default(); jobs.len()];
        let places: HashMap<&[u8], usize> =
            jobs.iter().enumerate().map(|(at, own)| (own.job.job_id.as_slice(), at)).collect();
        let ids: Vec<String> = jobs.iter().map(job_id).collect();
        for collection in Collection::ALL {
            let filter = doc! { "jobId": { "$in": &ids } };
            for document in matching(self.connection, collection.name(), filter).await? {
                if let Some(at) = job_of(document.as_bytes()).and_then(|job| places.get(job)) {
                    standing[*at][collection.index()].push(document);
                }
            }
        }
        Ok(standing)
    }

    /// The earlier versions that were kept of these jobs, by their keys.
    async fn kept(&self, jobs: &[OwnDocuments]) -> Result<HashMap<Key, Documents>, EndError> {
        let replaced = jobs.iter().filter(|own| own.job.action == Action::Replace);
        let keys: HashMap<&[u8], Key> =
            replaced.clone().map(|own| (own.job.job_id.as_slice(), own.job.key)).collect();
        let ids: Vec<String> = replaced.map(job_id).collect();
        let mut kept: HashMap<Key, Documents> = HashMap::new();
        if ids.is_empty() {
            return Ok(kept);
        }
        let filter = doc! { "_id.run": self.run, "document.jobId": { "$in": &ids } };
        for undo in matching(self.connection, UNDO, filter).await? {
            let undo = raw::Document::new(undo.as_bytes());
            let id = undo.get("_id").and_then(raw::Value::document);
            let collection = id.and_then(|id| id.get("collection")).and_then(raw::Value::string);
            let collection = collection
                .and_then(|name| std::str::from_utf8(name).ok())
                .and_then(Collection::from_name);
            let document = undo.get("document").filter(|value| value.document().is_some());
            let document =
                document.and_then(|value| RawDocumentBuf::from_bytes(value.bytes.to_vec()).ok());
            let (Some(collection), Some(document)) = (collection, document) else { continue };
            let key = job_of(document.as_bytes()).and_then(|job| keys.get(job)).copied();
            if let Some(key) = key {
                kept.entry(key).or_default()[collection.index()].push(document);
            }
        }
        Ok(kept)
    }

    /// What was replaced must have been kept.
    fn check_kept(&self, job: &OwnJob, kept: &Documents) -> Result<(), EndError> {
        let is_lost = |collection: &Collection| {
            let was_there = job.found[collection.index()] != Found::Absent;
            was_there && kept[collection.index()].is_empty()
        };
        if job.action != Action::Replace || !Collection::ALL.iter().any(is_lost) {
            return Ok(());
        }
        let id = String::from_utf8_lossy(&job.job_id).into_owned();
        let message = format!("the earlier version of the job {id} is not in {UNDO}");
        Err(EndError::refusal(message, Hint::MendTheTarget))
    }
}

fn job_id(own: &OwnDocuments) -> String {
    String::from_utf8_lossy(&own.job.job_id).into_owned()
}

fn job_of(document: &[u8]) -> Option<&[u8]> {
    raw::Document::new(document).get("jobId").and_then(raw::Value::string)
}

/// Takes jobs back.
struct Taker<'t> {
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
        ChangedDocuments { deleted: count(&self.goes), put_back: count(&self.comes) }
    }
}

impl Taker<'_> {
    fn take(&mut self, batch: &[OwnDocuments]) -> Result<ChangedDocuments, EndError> {
        let connection = self.at.connection;
        let mut all = ChangedDocuments::default();
        let mut change = Change::default();
        for (own, stands) in batch.iter().zip(self.at.stands(batch)?) {
            let Some(how) = own.how else { continue };
            if was_never_replaced(own, &stands.kept) {
                continue;
            }
            self.at.check_kept(&own.job, &stands.kept)?;
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
        Stands { now, kept }: Stands,
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
                match own.fate(collection, document.as_bytes()) {
                    Fate::Goes if how == How::Discard => {
                        if !(self.back.is_copied)(document.as_bytes())? {
                            return Err(changed(own, collection));
                        }
                        change.goes[at].push(document);
                    }
                    Fate::Goes => change.goes[at].push(document),
                    Fate::Stays => {}
                    Fate::Changed => return Err(changed(own, collection)),
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
            own.is_version(bytes) && !is_foreign && !kept.contains(event)
        };
        let events: Vec<&[u8]> = now.iter().filter(is_own).map(|it| it.as_bytes()).collect();
        let may_be_fewer =
            own.job.is_open || self.back.from.is_some() || own.job.action == Action::Replace;
        match part(&own.job, Collection::Events, &events) {
            Part::Same | Part::Absent => Ok(()),
            Part::Fewer if may_be_fewer => Ok(()),
            _ => Err(changed(own, Collection::Events)),
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

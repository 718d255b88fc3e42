//! Takes what a run wrote out of a live target: the jobs first, then their parts, so that a reader
//! never sees a job whose parts are missing.

use std::collections::HashMap;

use mongodb::ClientSession;
use mongodb::bson::{RawDocumentBuf, doc};
use reshelve::ends::{
    Action, ChangedDocuments, EndError, Found, Hint, How, JobSet, Notes, OwnJob, OwnJobs, Position,
    SaveStep, Standing, TakenBack, TakesBack,
};
use reshelve::standing::{Fate, OwnDocuments, of_job, part};
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

/// Jobs that are looked at, or taken back, at a time.
const JOBS_MAX: usize = 200;
/// Target bytes that are taken back in one transaction, about.
const BYTES_MAX: usize = 8 * 1024 * 1024;

impl TakesBack for LiveDestination {
    fn is_undone_by_position(&self) -> bool {
        false
    }

    fn lock_back(
        &mut self,
        run: &TakenBack<'_>,
        _: &dyn JobSet,
        _: &mut dyn Notes,
    ) -> Result<(), EndError> {
        self.take(run.claim, Over::Nobody)
    }

    fn survey(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&OwnJob, Standing) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        let at = Place { connection: self.connection(), run: &run.claim.run };
        in_batches(jobs, None, &mut |batch| {
            let standing_now = at.connection.wait(at.standing(batch))?;
            let kept = at.connection.wait(at.kept(batch))?;
            for (own, stands) in batch.iter().zip(&standing_now) {
                at.check_kept(&own.job, kept.get(&own.job.key))?;
                let parts = Collection::ALL.map(|collection| {
                    let stands = stands[collection.index()].iter();
                    let stands: Vec<&[u8]> = stands.map(|document| document.as_bytes()).collect();
                    part(&own.job, collection, &stands)
                });
                each(&own.job, of_job(&own.job, parts))?;
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
        let at = Place { connection: self.connection(), run: &run.claim.run };
        in_batches(jobs, None, &mut |batch| {
            let batch: Vec<OwnDocuments> =
                batch.iter().filter(|own| own.how == Some(How::Discard)).cloned().collect();
            let stands = at.connection.wait(at.standing(&batch))?;
            for (own, stands) in batch.iter().zip(&stands) {
                for document in goes(own, stands)?.iter().flatten() {
                    each(document.as_bytes())?;
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
        let at = Place { connection: self.connection(), run: &run.claim.run };
        let fenced = lease.take_session().map(|session| Fenced::new(session, lease.hold()));
        let mut taker = Taker { at, lease: &lease, fenced };
        in_batches(jobs, key_in(from)?, &mut |batch| {
            let Some(last) = batch.last() else { return Ok(()) };
            let changed = taker.at.connection.wait(taker.take(batch))?;
            documents.deleted += changed.deleted;
            documents.put_back += changed.put_back;
            save(&position_after(&last.job.key), documents)
        })?;
        Ok(documents)
    }

    fn left_over(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<u64, EndError> {
        let at = Place { connection: self.connection(), run: &run.claim.run };
        let mut left = 0_u64;
        in_batches(jobs, None, &mut |batch| {
            let standing = at.connection.wait(at.standing(batch))?;
            let kept = at.connection.wait(at.kept(batch))?;
            for (own, stands) in batch.iter().zip(&standing) {
                let versions =
                    |at: usize| stands[at].iter().filter(|it| own.is_version(it.as_bytes()));
                if own.how.is_none() {
                    continue;
                }
                if own.job.action == Action::Replace {
                    let nothing = Documents::default();
                    let kept = kept.get(&own.job.key).unwrap_or(&nothing);
                    for (at, kept) in kept.iter().enumerate() {
                        let is_back = |document: &&RawDocumentBuf| stands[at].contains(document);
                        let back = kept.iter().filter(is_back).count();
                        left += count(kept.len() - back);
                        left += count(versions(at).count().saturating_sub(back));
                    }
                    continue;
                }
                for collection in Collection::ALL {
                    let stands = stands[collection.index()].iter();
                    let stays =
                        |it: &&RawDocumentBuf| own.fate(collection, it.as_bytes()) == Fate::Stays;
                    left += count(stands.filter(|it| !stays(it)).count());
                }
            }
            Ok(())
        })?;
        Ok(left)
    }
}

fn count(documents: usize) -> u64 {
    u64::try_from(documents).unwrap_or(u64::MAX)
}

/// Gives the jobs a few at a time, in the order of their keys.
fn in_batches(
    jobs: &dyn OwnJobs,
    after: Option<Key>,
    give: &mut dyn FnMut(&[OwnDocuments]) -> Result<(), EndError>,
) -> Result<(), EndError> {
    let mut batch = Vec::new();
    jobs.each(after, &mut |job, how| {
        batch.push(OwnDocuments::new(job, how));
        if batch.len() == JOBS_MAX { give(&std::mem::take(&mut batch)) } else { Ok(()) }
    })?;
    if batch.is_empty() { Ok(()) } else { give(&batch) }
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

/// The documents of a job that go.
fn goes(own: &OwnDocuments, stands: &Documents) -> Result<Documents, EndError> {
    let mut goes = Documents::default();
    for collection in Collection::ALL {
        for document in &stands[collection.index()] {
            match own.fate(collection, document.as_bytes()) {
                Fate::Goes => goes[collection.index()].push(document.clone()),
                Fate::Stays => {}
                Fate::Changed => return Err(changed(collection)),
            }
        }
    }
    Ok(goes)
}

fn changed(collection: Collection) -> EndError {
    let message = format!(
        "{collection} was changed since it was looked at: a job of the run is not as it wrote it"
    );
    EndError::refusal(message, Hint::LookWhoWrites)
}

/// Where jobs of a run are looked at.
#[derive(Clone, Copy)]
struct Place<'p> {
    connection: &'p Connection,
    run: &'p str,
}

impl Place<'_> {
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
    fn check_kept(&self, job: &OwnJob, kept: Option<&Documents>) -> Result<(), EndError> {
        let jobs = Collection::Jobs.index();
        let had_job = job.found[jobs] != Found::Absent;
        if job.action != Action::Replace || !had_job || kept.is_some_and(|it| !it[jobs].is_empty())
        {
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
    at: Place<'t>,
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
    async fn take(&mut self, batch: &[OwnDocuments]) -> Result<ChangedDocuments, EndError> {
        let standing = self.at.standing(batch).await?;
        let kept = self.at.kept(batch).await?;
        let mut all = ChangedDocuments::default();
        let mut change = Change::default();
        for (own, stands) in batch.iter().zip(&standing) {
            let Some(how) = own.how else { continue };
            change.add(self.change(own, how, stands, kept.get(&own.job.key))?);
            if change.bytes() >= BYTES_MAX {
                self.apply(std::mem::take(&mut change), &mut all).await?;
            }
        }
        self.apply(change, &mut all).await?;
        Ok(all)
    }

    /// What is to be changed for a job.
    fn change(
        &self,
        own: &OwnDocuments,
        how: How,
        stands: &Documents,
        kept: Option<&Documents>,
    ) -> Result<Change, EndError> {
        let mut change = Change::default();
        if own.job.action != Action::Replace {
            change.goes = goes(own, stands)?;
            return Ok(change);
        }
        let nothing = Documents::default();
        let kept = kept.unwrap_or(&nothing);
        for collection in Collection::ALL {
            let (stands, kept) = (&stands[collection.index()], &kept[collection.index()]);
            for document in stands {
                // An earlier try has put it back, or it is the same in both versions.
                if kept.contains(document) {
                    continue;
                }
                match own.fate(collection, document.as_bytes()) {
                    Fate::Goes => change.goes[collection.index()].push(document.clone()),
                    Fate::Stays => {}
                    Fate::Changed if how == How::Discard => {}
                    Fate::Changed => return Err(changed(collection)),
                }
            }
            let comes = kept.iter().filter(|document| !stands.contains(document)).cloned();
            change.comes[collection.index()].extend(comes);
        }
        Ok(change)
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
                Ok(Some(collection)) => return Err(changed(collection)),
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
                return Err(changed(collection));
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

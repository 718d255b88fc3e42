//! What stands of jobs in a live target, and what was kept of their earlier versions.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use futures_util::future::try_join_all;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use reshelve::ends::{Action, EndError, Hint, OwnJob, OwnJobs, TakenBack, has_its_id};
use reshelve::standing::{Half, OwnDocuments};
use reshelve::store::{Key, key_of};
use reshelve::target_schema::{Collection, id_bytes, is_of_a_version};
use reshelve_core::raw;

use super::super::by_ids::{IDS_MAX, id_of, matching, stored};
use super::super::going;
use super::super::standing::Documents;
use super::super::undo::{UNDO, kept_in};
use super::super::undo_record::UndoRecord;
use super::BYTES_MAX;
use crate::connection::{Connection, Topology};

/// Most jobs that are looked at, or taken back, at a time …
const JOBS_MAX: usize = 200;
/// … and so many at first, until it is known how large they are.
const JOBS_FIRST: usize = 4;

/// What a target holds of a job, and what was kept of its earlier version.
#[derive(Clone, Debug, Default)]
pub(super) struct Stands {
    /// Without events of others that stood before the job was replaced.
    pub(super) now: Documents,
    pub(super) earlier: Earlier,
}

/// What was kept of the earlier version of a job.
#[derive(Clone, Debug, Default)]
pub(super) struct Earlier {
    pub(super) kept: Documents,
    /// What was written down when all of it was kept; none of a job that replaced nothing.
    record: Option<UndoRecord>,
}

impl Earlier {
    /// Of the documents that stand, those that did not stand before the job was replaced, or belong
    /// to a version of it.
    pub(super) fn without_older(
        &self,
        collection: Collection,
        mut now: Vec<RawDocumentBuf>,
    ) -> Vec<RawDocumentBuf> {
        if let (Collection::Events, Some(record)) = (collection, &self.record) {
            let before: HashSet<&Key> = record.events_before.iter().collect();
            now.retain(|event| {
                let event = event.as_bytes();
                is_of_a_version(event) || !before.contains(&key_of(&id_bytes(event)))
            });
        }
        now
    }

    /// What was replaced must have been kept.
    pub(super) fn check(&self, job: &OwnJob) -> Result<(), EndError> {
        let kept: usize = self.kept.iter().map(Vec::len).sum();
        let is_whole = self.record.as_ref().is_some_and(|record| record.kept.len() == kept);
        if job.action != Action::Replace || is_whole {
            return Ok(());
        }
        let id = String::from_utf8_lossy(&job.job_id).into_owned();
        let message = format!(
            "the earlier version of the job {id} is not in {UNDO} as it was kept: documents of it \
             were changed, or are gone"
        );
        Err(EndError::refusal(message, Hint::PutBackWhatWasKept))
    }
}

impl Stands {
    /// Whether a job was only about to be replaced when its process was killed: nothing says that
    /// all of its earlier version was kept, so it stands.
    pub(super) fn was_never_replaced(&self, own: &OwnDocuments) -> bool {
        let Stands { now, earlier: Earlier { kept, record } } = self;
        let stands = |(kept, now): (&Vec<_>, &Vec<_>)| kept.iter().all(|it| now.contains(it));
        own.job.is_open
            && own.job.action == Action::Replace
            && record.is_none()
            && kept.iter().zip(now).all(stands)
    }
}

/// Where jobs of a run are looked at.
pub(super) struct Place<'p> {
    pub(super) connection: &'p Connection,
    run: &'p str,
    /// Bytes of documents since the last batch.
    bytes_read: Cell<usize>,
    /// The keys of the events that an earlier process was about to delete.
    going: HashSet<Key>,
}

impl<'p> Place<'p> {
    pub(super) fn new(connection: &'p Connection, run: &'p TakenBack<'_>) -> Place<'p> {
        let bytes_read = Cell::new(0);
        Place { connection, run: &run.claim.run, bytes_read, going: HashSet::new() }
    }
}

impl Place<'_> {
    /// Of a rollback that is continued: which events an earlier process was about to delete.
    pub(super) fn read_going(&mut self) -> Result<(), EndError> {
        self.going = self.connection.wait(going::keys(self.connection, self.run))?;
        Ok(())
    }

    /// What a killed process may have left of a job. With transactions it was one for all documents
    /// of a job; without, a command for each collection, and of events perhaps not all of one.
    pub(super) fn half(&self, own: &OwnDocuments, stands: &Stands, is_continued: bool) -> Half {
        if !own.job.is_open && !is_continued {
            return Half::No;
        }
        let has_transactions = self.connection.topology() != Topology::Standalone;
        let may_lack_events = !has_transactions && own.job.is_open
            || is_continued && self.were_going(own, &stands.now[Collection::Events.index()]);
        if may_lack_events { Half::Events } else { Half::Parts }
    }

    /// Whether these events, as far as they are the run's, are as they were when the rollback was
    /// about to delete them.
    pub(super) fn were_going(&self, own: &OwnDocuments, events: &[RawDocumentBuf]) -> bool {
        let is_own =
            |event: &&RawDocumentBuf| !own.is_foreign(Collection::Events, event.as_bytes());
        events.iter().filter(is_own).all(|event| self.going.contains(&key_of(event.as_bytes())))
    }

    /// Gives the jobs a few at a time, in the order of their keys: as many as memory allows, going
    /// by those before.
    pub(super) fn in_batches(
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
    pub(super) fn stands(&self, jobs: &[OwnDocuments]) -> Result<Vec<Stands>, EndError> {
        let now = self.connection.wait(self.standing(jobs))?;
        self.count(now.iter().flatten().flatten());
        let earlier = self.earlier(jobs)?;
        let both = now.into_iter().zip(earlier).map(|(mut now, earlier)| {
            for collection in Collection::ALL {
                let of_one = std::mem::take(&mut now[collection.index()]);
                now[collection.index()] = earlier.without_older(collection, of_one);
            }
            Stands { now, earlier }
        });
        Ok(both.collect())
    }

    /// What was kept of the earlier version of each job.
    pub(super) fn earlier(&self, jobs: &[OwnDocuments]) -> Result<Vec<Earlier>, EndError> {
        let mut kept = self.connection.wait(self.kept(jobs))?;
        let mut records = self.connection.wait(self.records(jobs))?;
        self.count(kept.values().flatten().flatten());
        let of_job = jobs.iter().map(|own| {
            let mut kept = kept.remove(&own.job.key).unwrap_or_default();
            let record = records.remove(&own.job.job_id);
            if let Some(UndoRecord { kept: hashes, .. }) = &record {
                // What was kept by a process that was killed, and no longer stood when another one
                // replaced the job, is not put back.
                let hashes: HashSet<&Key> = hashes.iter().collect();
                for kept in &mut kept {
                    kept.retain(|it| hashes.contains(&key_of(it.as_bytes())));
                }
            }
            Earlier { kept, record }
        });
        Ok(of_job.collect())
    }

    /// Checks that no document of another job has the `_id` of one that is to be put back.
    pub(super) fn check_ids(&self, jobs: &[OwnDocuments]) -> Result<(), EndError> {
        let earlier = self.earlier(jobs)?;
        for collection in Collection::ALL {
            let mut jobs_by_id = HashMap::new();
            for (own, earlier) in jobs.iter().zip(&earlier).filter(|(own, _)| own.how.is_some()) {
                for document in &earlier.kept[collection.index()] {
                    jobs_by_id.insert(id_of(document.as_bytes()), own.job.job_id.as_slice());
                }
            }
            let kept = earlier.iter().flat_map(|it| &it.kept[collection.index()]);
            let kept: Vec<&[u8]> = kept.map(|document| document.as_bytes()).collect();
            for some in kept.chunks(IDS_MAX) {
                let found = stored(self.connection, collection.name(), some.iter().copied());
                for (id, document) in self.connection.wait(found)? {
                    if let Some(job) = jobs_by_id.get(id.as_slice())
                        && job_of(&document) != Some(job)
                    {
                        return Err(has_its_id(collection, &document, job));
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts bytes that were read, for the size of the next batch.
    pub(super) fn count<'d>(&self, documents: impl Iterator<Item = &'d RawDocumentBuf>) {
        let bytes: usize = documents.map(|document| document.as_bytes().len()).sum();
        self.bytes_read.set(self.bytes_read.get() + bytes);
    }

    async fn records(
        &self,
        jobs: &[OwnDocuments],
    ) -> Result<HashMap<Vec<u8>, UndoRecord>, EndError> {
        let replaced = jobs.iter().filter(|own| own.job.action == Action::Replace);
        let ids: Vec<String> = replaced.map(job_id).collect();
        match ids.is_empty() {
            true => Ok(HashMap::new()),
            false => UndoRecord::read(self.connection, self.run, &ids).await,
        }
    }

    /// Everything that the target holds of each job.
    async fn standing(&self, jobs: &[OwnDocuments]) -> Result<Vec<Documents>, EndError> {
        let filter = of_jobs(jobs.iter());
        let found = Collection::ALL
            .map(|collection| matching(self.connection, collection.name(), filter.clone()));
        let mut standing = vec![Documents::default(); jobs.len()];
        let by_job = places(jobs.iter());
        for (collection, found) in Collection::ALL.into_iter().zip(try_join_all(found).await?) {
            for document in found {
                if let Some(at) = job_of(document.as_bytes()).and_then(|job| by_job.get(job)) {
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

    /// Another run that keeps one of the jobs about which nothing is decided, as this run wrote it.
    pub(super) fn replaced_by(&self, jobs: &[OwnDocuments]) -> Result<Option<String>, EndError> {
        let edited: HashMap<&[u8], &OwnDocuments> = jobs
            .iter()
            .filter(|own| own.how.is_none())
            .map(|own| (own.job.job_id.as_slice(), own))
            .collect();
        if edited.is_empty() {
            return Ok(None);
        }
        let ids: Vec<String> = edited.values().map(|own| job_id(own)).collect();
        let filter = doc! {
            // Ids begin with a time. An earlier run may keep a version that this one wrote again.
            "_id.run": { "$gt": &self.run },
            "_id.collection": Collection::Jobs.name(),
            "document.jobId": { "$in": ids },
        };
        for undo in self.connection.wait(matching(self.connection, UNDO, filter))? {
            let document = kept_in(&undo);
            let run = undo.get_document("_id").and_then(|id| id.get_str("run"));
            let own = job_of(document).and_then(|job| Some((job, edited.get(job)?)));
            let (Ok(run), Some((job, own))) = (run, own) else { continue };
            let job = String::from_utf8_lossy(job);
            // A run that was taken back has no record any more.
            if own.job.wrote.is(Collection::Jobs, document)
                && self.connection.wait(UndoRecord::is_there(self.connection, run, &job))?
            {
                return Ok(Some(run.to_owned()));
            }
        }
        Ok(None)
    }
}

/// The filter for every document of these jobs.
pub(super) fn of_jobs<'o>(jobs: impl Iterator<Item = &'o OwnDocuments>) -> Document {
    let ids: Vec<String> = jobs.map(job_id).collect();
    doc! { "jobId": { "$in": ids } }
}

/// The place of each job among these, by its id.
pub(super) fn places<'o>(jobs: impl Iterator<Item = &'o OwnDocuments>) -> HashMap<&'o [u8], usize> {
    jobs.enumerate().map(|(at, own)| (own.job.job_id.as_slice(), at)).collect()
}

fn job_id(own: &OwnDocuments) -> String {
    String::from_utf8_lossy(&own.job.job_id).into_owned()
}

pub(super) fn job_of(document: &[u8]) -> Option<&[u8]> {
    raw::Document::new(document).get("jobId").and_then(raw::Value::string)
}

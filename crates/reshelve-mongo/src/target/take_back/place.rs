//! What stands of jobs in a live target, and what was kept of their earlier versions.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use mongodb::bson::{RawDocumentBuf, doc};
use reshelve::ends::{Action, EndError, Hint, OwnJob, OwnJobs, TakenBack};
use reshelve::standing::OwnDocuments;
use reshelve::store::{Key, key_of};
use reshelve::target_schema::{Collection, id_bytes, is_of_a_version};
use reshelve_core::raw;

use super::super::by_ids::matching;
use super::super::standing::Documents;
use super::super::undo::{UNDO, kept_in};
use super::super::undo_record::UndoRecord;
use super::BYTES_MAX;
use crate::connection::Connection;

/// Most jobs that are looked at, or taken back, at a time …
const JOBS_MAX: usize = 200;
/// … and so many at first, until it is known how large they are.
const JOBS_FIRST: usize = 4;

/// What a target holds of a job, and what was kept of its earlier version.
#[derive(Clone, Debug, Default)]
pub(super) struct Stands {
    /// Without events of others that stood before the job was replaced.
    pub(super) now: Documents,
    pub(super) kept: Documents,
    /// What was written down when all of it was kept; none of a job that replaced nothing.
    record: Option<UndoRecord>,
}

impl Stands {
    /// Whether a job was only about to be replaced when its process was killed: nothing says that
    /// all of its earlier version was kept, so it stands.
    pub(super) fn was_never_replaced(&self, own: &OwnDocuments) -> bool {
        let Stands { now, kept, record } = self;
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
}

impl<'p> Place<'p> {
    pub(super) fn new(connection: &'p Connection, run: &'p TakenBack<'_>) -> Place<'p> {
        Place { connection, run: &run.claim.run, bytes_read: Cell::new(0) }
    }
}

impl Place<'_> {
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
        let mut kept = self.connection.wait(self.kept(jobs))?;
        let mut records = self.connection.wait(self.records(jobs))?;
        let bytes = now.iter().chain(kept.values()).flatten().flatten();
        let bytes: usize = bytes.map(|document| document.as_bytes().len()).sum();
        self.bytes_read.set(self.bytes_read.get() + bytes);
        let both = jobs.iter().zip(now).map(|(own, mut now)| {
            let mut kept = kept.remove(&own.job.key).unwrap_or_default();
            let record = records.remove(&own.job.job_id);
            if let Some(UndoRecord { kept: hashes, events_before }) = &record {
                // What was kept by a process that was killed, and no longer stood when another one
                // replaced the job, is not put back.
                let hashes: HashSet<&Key> = hashes.iter().collect();
                for kept in &mut kept {
                    kept.retain(|it| hashes.contains(&key_of(it.as_bytes())));
                }
                let before: HashSet<&Key> = events_before.iter().collect();
                now[Collection::Events.index()].retain(|event| {
                    let event = event.as_bytes();
                    is_of_a_version(event) || !before.contains(&key_of(&id_bytes(event)))
                });
            }
            Stands { now, kept, record }
        });
        Ok(both.collect())
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
            "_id.run": { "$ne": self.run },
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

    /// What was replaced must have been kept.
    pub(super) fn check_kept(&self, job: &OwnJob, stands: &Stands) -> Result<(), EndError> {
        let kept: usize = stands.kept.iter().map(Vec::len).sum();
        let is_whole = stands.record.as_ref().is_some_and(|record| record.kept.len() == kept);
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

fn job_id(own: &OwnDocuments) -> String {
    String::from_utf8_lossy(&own.job.job_id).into_owned()
}

fn job_of(document: &[u8]) -> Option<&[u8]> {
    raw::Document::new(document).get("jobId").and_then(raw::Value::string)
}

//! The jobs of a live legacy collection: each document is mapped when it is asked for.

use std::cmp::Reverse;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, RawDocument, doc};
use mongodb::options::{FindOptions, ReadPreference};
use reshelve::ends::{
    EndError, JobCatalogue, JobLookup, JobPage, JobQuery, JobTotals, LIST_MAX, OneJob,
};
use reshelve::lookup::{
    Catalogue, CatalogueMaker, Changes, Extras, Fresh, JobTexts, MappedJob, Wanted, card, texts_of,
};
use reshelve::target_schema::Collection;
use reshelve_core::mapping::{
    FirstLook, InFlight, Mapper, OnUnknownStatus, Options, Outcome, Status, StatusPolicy,
    TargetDocuments,
};
use reshelve_core::raw::{self, Value};

use super::Reading;
use super::catalogue::{LiveCatalogue, each_of_all, scratch};
use crate::connection::Connection;

/// After which time the order of the newest jobs is looked up again. The server cannot answer that
/// from an index: the time of a job is in one of three fields.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How many of the newest jobs that may get a status are known. A list has fewer: some may not map,
/// or to another status.
const NEWEST_MAX: usize = 10_000;

/// The jobs that a mapping makes of a live collection, as they are when they are asked for.
#[derive(Debug)]
pub struct LiveLegacyLookup {
    reading: Reading,
    options: Options,
    newest: Fresh<Vec<Candidate>>,
    catalogue: LiveCatalogue,
}

/// How old the list of all jobs may be. Every document is read and mapped for it: which chapters
/// are completed, and so the words, may depend on texts.
const LIST_AGE: Duration = Duration::from_secs(60);

/// A job that may be in a list.
#[derive(Clone, Debug)]
struct Candidate {
    created_ms: Reverse<i64>,
    /// Its place in the order of `_id`.
    ordinal: u64,
    id: Bson,
    may_become: &'static [Status],
}

impl LiveLegacyLookup {
    /// Reads a collection with this read preference, by default from the primary.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn open(
        connection: Connection,
        collection: &str,
        read_preference: Option<ReadPreference>,
        options: Options,
    ) -> Result<Self, EndError> {
        let reading = Reading { connection, collection: collection.to_owned(), read_preference };
        let scanned = reading.clone();
        let candidates = move || candidates(&scanned, &options);
        let newest = Fresh::new(Changes::After(LOOK_EVERY), candidates)?;
        Ok(LiveLegacyLookup { reading, options, newest, catalogue: LiveCatalogue::default() })
    }

    /// What lists show of all jobs.
    fn all(&self) -> Result<Arc<Catalogue>, EndError> {
        let (reading, options) = (self.reading.clone(), self.options);
        self.catalogue.get(LIST_AGE, move || all(&reading, options))
    }

    /// The documents that the mapping makes of a job: of the first document that maps to it, in the
    /// order of `_id`, as for a run.
    fn mapped(&self, job_id: &[u8]) -> Result<Option<MappedJob>, EndError> {
        let ids = legacy_ids(job_id);
        let sorted = FindOptions::builder().sort(doc! { "_id": 1 }).build();
        let mut mapper = Mapper::new(self.options);
        for document in self.reading.found(doc! { "_id": { "$in": ids } }, sorted)? {
            let mut out = TargetDocuments::default();
            if let Outcome::Mapped(mapped) = mapper.map(&document, &mut out)
                && mapped.job_id == job_id
            {
                return Ok(Some(MappedJob::new(out)));
            }
        }
        Ok(None)
    }

    /// The job documents that the mapping makes of these, by their legacy ids.
    fn jobs(&self, wanted: &[&Candidate]) -> Result<Vec<(Bson, Vec<u8>)>, EndError> {
        let ids: Vec<&Bson> = wanted.iter().map(|candidate| &candidate.id).collect();
        let mut mapper = Mapper::new(self.options);
        let (mut out, mut jobs) = (TargetDocuments::default(), Vec::new());
        let filter = doc! { "_id": { "$in": ids } };
        self.reading.each(filter, FindOptions::default(), |document| {
            out.clear();
            if let Some(id) = id_of(document)
                && let Outcome::Mapped(_) = mapper.map(document, &mut out)
            {
                jobs.push((id, card(out.jobs.bytes())));
            }
        })?;
        Ok(jobs)
    }
}

/// The newest documents that may get each status, newest first, equal ones in the order of `_id`.
fn candidates(reading: &Reading, options: &Options) -> Result<Vec<Candidate>, EndError> {
    let mut find = FindOptions::builder().sort(doc! { "_id": 1 }).build();
    find.projection = Some(doc! { "status": 1, "createdAt": 1, "updatedAt": 1 });
    let mut by_status: Vec<(&'static [Status], Vec<Candidate>)> = Vec::new();
    let mut ordinal = 0;
    reading.each(doc! {}, find, |document| {
        let look = FirstLook::at(raw::Document::new(document));
        let may_become = may_become(look.status.and_then(Value::string), options);
        if let Some(id) = id_of(document).filter(|_| !may_become.is_empty()) {
            let created_ms = Reverse(look.created.unwrap_or(0));
            let at = by_status.iter().position(|(known, _)| *known == may_become);
            let at = at.unwrap_or_else(|| {
                by_status.push((may_become, Vec::new()));
                by_status.len() - 1
            });
            let list = &mut by_status[at].1;
            list.push(Candidate { created_ms, ordinal, id, may_become });
            if list.len() >= 2 * NEWEST_MAX {
                keep_newest(list);
            }
        }
        ordinal += 1;
    })?;
    by_status.iter_mut().for_each(|(_, list)| keep_newest(list));
    let mut newest: Vec<Candidate> = by_status.into_iter().flat_map(|(_, list)| list).collect();
    newest.sort_by_key(order);
    Ok(newest)
}

fn order(candidate: &Candidate) -> (Reverse<i64>, u64) {
    (candidate.created_ms, candidate.ordinal)
}

fn keep_newest(list: &mut Vec<Candidate>) {
    list.sort_by_key(order);
    list.truncate(NEWEST_MAX);
}

/// Which statuses the mapping may give to a document with that status: none where it leaves the
/// document out.
fn may_become(legacy: Option<&[u8]>, options: &Options) -> &'static [Status] {
    match legacy.and_then(Status::of_legacy) {
        None if options.on_unknown_status == OnUnknownStatus::Reject => &[],
        Some(status) if status.is_in_flight() => match options.in_flight {
            InFlight::Include if status == Status::Queued => &[Status::Queued],
            InFlight::Include => &[Status::Running],
            InFlight::Skip => &[],
            InFlight::AsFailed => &[Status::Failed],
        },
        _ if options.status_policy == StatusPolicy::Evidence => {
            &[Status::Completed, Status::Failed]
        }
        Some(Status::Completed) => &[Status::Completed],
        _ => &[Status::Failed],
    }
}

fn id_of(document: &[u8]) -> Option<Bson> {
    let id = RawDocument::from_bytes(document).ok()?.get("_id").ok()??;
    Bson::try_from(id).ok()
}

fn status_of(job: &[u8]) -> Option<&[u8]> {
    raw::Document::new(job).get("status").and_then(Value::string)
}

/// The legacy ids that map to a job id.
fn legacy_ids(job_id: &[u8]) -> Vec<Bson> {
    let Ok(text) = std::str::from_utf8(job_id) else { return Vec::new() };
    let mut ids = vec![Bson::String(text.to_owned())];
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ids.extend(ObjectId::parse_str(text).ok().filter(|_| is_hex).map(Bson::ObjectId));
    ids
}

/// Reads and maps all documents; of several for one job, the first in the order of `_id` counts.
fn all(reading: &Reading, options: Options) -> Result<Catalogue, EndError> {
    let mut maker = CatalogueMaker::of_mapped(&scratch())?;
    let mut mapper = Mapper::new(options);
    let (mut out, mut added) = (TargetDocuments::default(), Ok(()));
    // Only an ObjectId and a string of its digits map to one job, and strings come first.
    let sorted = FindOptions::builder().sort(doc! { "_id": 1 }).build();
    let mut of_strings = HexIds::default();
    reading.each(doc! {}, sorted, |document| {
        out.clear();
        let outcome = mapper.map(document, &mut out);
        let Outcome::Mapped(mapped) = &outcome else { return maker.leave_out(&outcome) };
        if added.is_err() || !of_strings.is_first(document, &mapped.job_id) {
            return maker.leave_out(&outcome);
        }
        let mut extras = Extras::default();
        extras.take_metrics(out.metrics.bytes());
        extras.take_metadata(out.metadata.bytes());
        extras.take_warnings(&mapped.warnings);
        added = maker.add(out.jobs.bytes(), &extras);
    })?;
    added?;
    maker.finish()
}

/// The most string ids that could be ObjectIds and are remembered. Ids of the legacy application
/// are ObjectIds: such strings are rare.
const HEX_IDS_MAX: usize = 100_000;

/// Job ids of documents whose `_id` is a string of 24 hex digits.
#[derive(Default)]
struct HexIds(std::collections::BTreeSet<Vec<u8>>);

impl HexIds {
    /// Whether no earlier document maps to that job.
    fn is_first(&mut self, document: &[u8], job_id: &[u8]) -> bool {
        let is_string =
            raw::Document::new(document).get("_id").is_some_and(|id| id.string().is_some());
        if !is_string {
            return !self.0.contains(job_id);
        }
        if job_id.len() == 24 && self.0.len() < HEX_IDS_MAX {
            self.0.insert(job_id.to_vec());
        }
        true
    }
}

/// The texts of jobs, in their order: the mapping copies title and premise as they are.
fn texts(
    reading: &Reading,
    options: Options,
    wanted: &[Wanted<'_>],
) -> Result<Vec<Option<JobTexts>>, EndError> {
    let ids: Vec<Bson> = wanted.iter().flat_map(|one| legacy_ids(one.job_id)).collect();
    let mut find = FindOptions::default();
    find.projection = Some(doc! { "title": 1, "premise": 1, "status": 1 });
    let mut mapper = Mapper::new(options);
    let (mut out, mut found) = (TargetDocuments::default(), Vec::new());
    reading.each(doc! { "_id": { "$in": ids } }, find, |document| {
        out.clear();
        if let Outcome::Mapped(_) = mapper.map(document, &mut out) {
            found.extend(texts_of(out.jobs.bytes()));
        }
    })?;
    let of = |one: &Wanted<'_>| found.iter().find(|texts| texts.job_id == one.job_id).cloned();
    Ok(wanted.iter().map(of).collect())
}

impl JobCatalogue for LiveLegacyLookup {
    fn page(&self, query: &JobQuery) -> Result<JobPage, EndError> {
        self.all()?.page(query, &|wanted| texts(&self.reading, self.options, wanted))
    }

    fn totals(&self) -> Result<Arc<JobTotals>, EndError> {
        Ok(self.all()?.totals())
    }

    fn each_id(&self, give: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Result<(), EndError> {
        // Documents that do not map are given too: whoever looks them up finds no job.
        let mut find = FindOptions::builder().sort(doc! { "_id": 1 }).build();
        find.projection = Some(doc! { "_id": 1 });
        let read = |add: &mut dyn FnMut(&[u8])| {
            self.reading.each(doc! {}, find, |document| {
                let Some(id) = raw::Document::new(document).get("_id") else { return };
                let hex = id.object_id().map(|bytes| raw::hex(&bytes).into_bytes());
                if let Some(id) = hex.as_deref().or(id.string()) {
                    add(id);
                }
            })
        };
        each_of_all(read, give)
    }
}

impl JobLookup for LiveLegacyLookup {
    fn name(&self) -> String {
        let Reading { connection, collection, .. } = &self.reading;
        format!("{} ({}.{collection})", connection.place.name(), connection.db)
    }

    fn newest(&self, statuses: &[&[u8]], limit: usize) -> Result<Vec<Vec<u8>>, EndError> {
        let limit = limit.min(LIST_MAX);
        let newest = self.newest.get()?;
        let is_asked = |status: &Status| statuses.contains(&status.as_str().as_bytes());
        let wanted: Vec<&Candidate> =
            newest.iter().filter(|candidate| candidate.may_become.iter().any(is_asked)).collect();
        let mut listed = Vec::new();
        for some in wanted.chunks(LIST_MAX) {
            let jobs = self.jobs(some)?;
            let in_order = some.iter().filter_map(|candidate| {
                jobs.iter().find(|(id, _)| *id == candidate.id).map(|(_, job)| job)
            });
            let asked = in_order
                .filter(|job| status_of(job).is_some_and(|status| statuses.contains(&status)));
            listed.extend(asked.cloned());
            if listed.len() >= limit {
                break;
            }
        }
        listed.truncate(limit);
        Ok(listed)
    }

    fn card(&self, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        self.mapped(job_id)?.card()
    }

    fn document(&self, collection: Collection, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        self.mapped(job_id)?.document(collection)
    }

    fn events(&self, job_id: &[u8], before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        self.mapped(job_id)?.events(before)
    }

    fn look_at(&self, job_id: &[u8], look: &mut dyn FnMut(&dyn OneJob)) -> Result<(), EndError> {
        look(&self.mapped(job_id)?);
        Ok(())
    }
}

//! The jobs of a target folder.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use reshelve_core::mapping::{Retraced, Retracer};
use reshelve_core::raw::{self, Document, Value, documents};

use super::card::card;
use super::catalogue::{
    Catalogue, CatalogueMaker, ExtrasByJob, ExtrasMaker, JobTexts, Traces, Wanted,
};
use super::kept::{Extent, Keeping, Kept};
use super::newest::{Lists, Newest};
use super::retraced::WholeJob;
use crate::dump::Documents;
use crate::ends::{
    Compression, DamageKind, EVENTS_MAX, EndError, Hint, JobCatalogue, JobLookup, JobPage,
    JobQuery, JobTotals, TargetFolder, Told,
};
use crate::store::{Disk, Files, Open, Scratch, key_of};
use crate::target_schema::{self, Collection};

/// The jobs of a target folder, as it was when it was opened.
#[derive(Debug)]
pub struct FolderLookup {
    name: String,
    collections: [Option<Kept>; 4],
    lists: Lists,
    catalogue: Catalogue,
    /// What the mapping left of each job, once somebody has asked for it.
    traces: Mutex<Option<Arc<Traces>>>,
}

impl FolderLookup {
    /// Reads a target from front to end. What does not fit into memory goes to files without a
    /// name in `scratch`. In a target with an unfinished run, what lies behind the last whole
    /// document is not there yet.
    ///
    /// # Errors
    /// Where it is damaged, or cannot be read.
    pub fn open(target: &TargetFolder, scratch: &Scratch) -> Result<Self, EndError> {
        expect_there(target)?;
        let mut newest = Newest::default();
        let mut catalogue = CatalogueMaker::new(scratch)?;
        let mut extras = ExtrasMaker::new(scratch);
        let metrics =
            keep(target, Collection::Metrics, scratch, |document, _| extras.add_metrics(document))?;
        let metadata = keep(target, Collection::Metadata, scratch, |document, _| {
            extras.add_metadata(document)
        })?;
        let extras: ExtrasByJob = extras.finish()?;
        let jobs = keep(target, Collection::Jobs, scratch, |document, extent| {
            newest.offer(document, extent)?;
            catalogue.add_with_at(document, &extras, extent)
        })?;
        let events = keep(target, Collection::Events, scratch, |_, _| Ok(()))?;
        let mut collections = [None, None, None, None];
        for (collection, kept) in [
            (Collection::Jobs, jobs),
            (Collection::Events, events),
            (Collection::Metrics, metrics),
            (Collection::Metadata, metadata),
        ] {
            collections[collection.index()] = kept;
        }
        let catalogue = catalogue.finish()?;
        let name = target.database().display().to_string();
        let jobs = &collections[Collection::Jobs.index()];
        let lists = Lists::make(newest, scratch, |extent| match jobs {
            Some(jobs) => whole(jobs, extent, None),
            None => Ok(Vec::new()),
        })?;
        Ok(FolderLookup { name, collections, lists, catalogue, traces: Mutex::default() })
    }

    /// The files whose change means that there is something else to read.
    pub fn files(target: &TargetFolder) -> Vec<PathBuf> {
        Collection::ALL.iter().map(|collection| target.file(*collection)).collect()
    }

    fn kept(&self, collection: Collection) -> Option<&Kept> {
        self.collections[collection.index()].as_ref()
    }
}

/// A target that is gone, or whose jobs are, is not one without jobs.
fn expect_there(target: &TargetFolder) -> Result<(), EndError> {
    let database = target.database();
    if Disk.look(&database)?.is_none() {
        let message = format!("{}: the target is not there", database.display());
        return Err(EndError::failed(message, None));
    }
    let jobs = target.file(Collection::Jobs);
    if Disk.is_file(&jobs)? {
        return Ok(());
    }
    // One that has only got its indexes yet has no documents of any collection.
    let is_document_file = |name: &OsString| {
        let name = name.to_string_lossy();
        Collection::ALL.iter().any(|it| name.starts_with(it.name()))
            && !name.ends_with(".metadata.json")
    };
    let names = Disk.list(&database)?;
    if names.is_empty() || names.iter().any(is_document_file) {
        let message = format!("{}: not there any more", jobs.display());
        return Err(EndError::failed(message, None));
    }
    Ok(())
}

/// Writes down where the documents of a collection lie; `found` is told of each.
fn keep(
    target: &TargetFolder,
    collection: Collection,
    scratch: &Scratch,
    mut found: impl FnMut(&[u8], Extent) -> Result<(), EndError>,
) -> Result<Option<Kept>, EndError> {
    let path = target.file(collection);
    if !Disk.is_file(&path)? {
        return Ok(None);
    }
    let mut keeping = match target.compression {
        Compression::None => Keeping::in_place(Disk.open(&path, Open::Read)?, scratch),
        _ => Keeping::aside(scratch)?,
    };
    let mut documents = Documents::open(&Disk, &path, u64::MAX)?;
    let mut offset = 0;
    loop {
        let document = match documents.next_document() {
            Ok(Some(document)) => document,
            Ok(None) => break,
            Err(damage) if damage.kind == DamageKind::Truncated && target.left_by()?.is_some() => {
                break;
            }
            Err(damage) if damage.kind == DamageKind::Io => return Err(damage.into()),
            Err(damage) => {
                return Err(EndError::refusal(damage.to_string(), Hint::MendTheTarget));
            }
        };
        if let Err(malformed) = raw::check(document) {
            let message = format!("{}: byte offset {offset}: {malformed}", path.display());
            return Err(EndError::refusal(message, Hint::MendTheTarget));
        }
        let key = key_of(target_schema::job_id(document));
        let extent = keeping.add(&key, document, offset)?;
        found(document, extent)?;
        offset += u64::try_from(document.len()).unwrap_or(0);
    }
    Ok(Some(keeping.finish()?))
}

/// The documents at a place, each of which must be whole, and of that job if one is given: the file
/// may be another one than the one that was indexed.
fn checked(kept: &Kept, extent: Extent, job_id: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
    let bytes = kept.read(extent)?;
    let found: Vec<Vec<u8>> = documents(&bytes).map(|range| bytes[range].to_vec()).collect();
    let is_sound = |document: &Vec<u8>| {
        raw::check(document).is_ok()
            && job_id.is_none_or(|job_id| target_schema::job_id(document) == job_id)
    };
    let length: usize = found.iter().map(Vec::len).sum();
    if length == bytes.len() && !found.is_empty() && found.iter().all(is_sound) {
        return Ok(found);
    }
    Err(kept.changed(extent))
}

/// The first document at a place.
fn whole(kept: &Kept, extent: Extent, job_id: Option<&[u8]>) -> Result<Vec<u8>, EndError> {
    let first = checked(kept, extent, job_id)?.into_iter().next();
    first.ok_or_else(|| kept.changed(extent))
}

/// How much of a job document is read to find its texts, which are at its beginning.
const BEGINNING_BYTES: u32 = 4096;

impl FolderLookup {
    /// The texts of a job, from the beginning of its document if they are there.
    fn texts(&self, wanted: &Wanted<'_>) -> Result<Option<JobTexts>, EndError> {
        let Some(kept) = self.kept(Collection::Jobs) else { return Ok(None) };
        let Wanted { offset, length, .. } = *wanted;
        let beginning = kept.read(Extent { offset, length: length.min(BEGINNING_BYTES) })?;
        if let Some(texts) = texts_of(&beginning) {
            return Ok(Some(texts));
        }
        Ok(texts_of(&whole(kept, Extent { offset, length }, None)?))
    }
}

/// The texts of a job document; nothing where it has none, or ends before them.
pub fn texts_of(job: &[u8]) -> Option<JobTexts> {
    let job = Document::new(job);
    let payload = job.get("payload").and_then(Value::document)?;
    let text = |value: Option<Value<'_>>| {
        value.and_then(Value::string).map(<[u8]>::to_vec).unwrap_or_default()
    };
    Some(JobTexts {
        job_id: text(job.get("jobId")),
        title: text(payload.get("title")),
        premise: text(payload.get("premise")),
    })
}

impl FolderLookup {
    /// What the mapping left of each job: looked for when jobs are asked for by it, which reads and
    /// maps all of them once.
    fn traces_for(&self, query: &JobQuery) -> Result<Option<Arc<Traces>>, EndError> {
        if query.traces.is_empty() {
            // Who does not ask does not wait for who does.
            return Ok(self.traces.try_lock().ok().and_then(|held| held.clone()));
        }
        let mut held = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            let (mut traces, mut retracer, mut failed) =
                (Traces::default(), Retracer::default(), None);
            self.each_id(&mut |id| match self.retraced(id.as_bytes(), &mut retracer) {
                Ok(retraced) => {
                    traces.add(retraced);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            })?;
            if let Some(error) = failed {
                return Err(error);
            }
            *held = Some(Arc::new(traces));
        }
        Ok(held.clone())
    }

    /// What the documents of a job tell of their own mapping.
    fn retraced(&self, job_id: &[u8], retracer: &mut Retracer) -> Result<Retraced, EndError> {
        let Some(job) = self.document(Collection::Jobs, job_id)? else {
            return Ok(Retraced::default());
        };
        let whole = WholeJob {
            job,
            metrics: self.document(Collection::Metrics, job_id)?,
            metadata: self.document(Collection::Metadata, job_id)?,
            events: self.all_events(job_id)?,
        };
        Ok(whole.retraced(retracer))
    }

    fn all_events(&self, job_id: &[u8]) -> Result<Vec<Vec<u8>>, EndError> {
        let Some(kept) = self.kept(Collection::Events) else { return Ok(Vec::new()) };
        let mut events = Vec::new();
        for extent in kept.all(&key_of(job_id))? {
            events.extend(checked(kept, extent, Some(job_id))?);
        }
        Ok(events)
    }
}

impl JobCatalogue for FolderLookup {
    fn page(&self, query: &JobQuery) -> Result<JobPage, EndError> {
        let read = |wanted: &[Wanted<'_>]| wanted.iter().map(|one| self.texts(one)).collect();
        let traces = self.traces_for(query)?;
        let mut page = self.catalogue.page_with(query, &read, traces.as_deref())?;
        page.facets.traces = traces.map_or([Told::WhenAsked; 2], |traces| traces.told());
        Ok(page)
    }

    fn totals(&self) -> Result<Arc<JobTotals>, EndError> {
        Ok(self.catalogue.totals())
    }

    fn each_id(&self, give: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Result<(), EndError> {
        let read = |wanted: &[Wanted<'_>]| wanted.iter().map(|one| self.texts(one)).collect();
        self.catalogue.each_id(&read, give)
    }
}

impl JobLookup for FolderLookup {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn newest(&self, statuses: &[&[u8]], limit: usize) -> Result<Vec<Vec<u8>>, EndError> {
        self.lists.of(statuses, limit)
    }

    fn card(&self, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        Ok(self.document(Collection::Jobs, job_id)?.map(|job| card(&job)))
    }

    fn has(&self, job_id: &[u8]) -> Result<bool, EndError> {
        let Some(kept) = self.kept(Collection::Jobs) else { return Ok(false) };
        Ok(kept.first(&key_of(job_id))?.is_some())
    }

    fn document(&self, collection: Collection, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        let Some(kept) = self.kept(collection) else { return Ok(None) };
        let extent = kept.first(&key_of(job_id))?;
        extent.map(|extent| whole(kept, extent, Some(job_id))).transpose()
    }

    fn events(&self, job_id: &[u8], before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        Ok(newest_events(self.all_events(job_id)?, before))
    }
}

/// The newest of a job's events before a time, newest first.
pub fn newest_events(mut events: Vec<Vec<u8>>, before: Option<&[u8]>) -> Vec<Vec<u8>> {
    if let Some(before) = before {
        events.retain(|event| emitted_at(event).is_some_and(|emitted_at| emitted_at < before));
    }
    events.sort_by(|left, right| emitted_at(right).cmp(&emitted_at(left)));
    events.truncate(EVENTS_MAX);
    events
}

pub(super) fn emitted_at(event: &[u8]) -> Option<&[u8]> {
    Document::new(event).get("emittedAt").and_then(Value::string)
}

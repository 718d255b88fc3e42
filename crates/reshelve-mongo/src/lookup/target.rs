//! The jobs of a live target.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::options::{FindOptions, ReadPreference};
use reshelve::ends::{
    EVENTS_MAX, EndError, JobCatalogue, JobLookup, JobPage, JobQuery, JobTotals, LIST_MAX, Told,
};
use reshelve::lookup::{
    Catalogue, CatalogueMaker, ExtrasMaker, JobTexts, Wanted, newest_events, texts_of,
};
use reshelve::target_schema::Collection;
use reshelve_core::raw;

use super::Reading;
use super::cards;
use super::catalogue::{Live, LiveCatalogue, each_of_all, scratch};
use super::gathered::Gathered;
use super::traces::{AGE, Traced};
use crate::connection::Connection;

/// The jobs of a live target, as they are when they are asked for.
#[derive(Clone, Debug)]
pub struct LiveLookup {
    connection: Connection,
    read_preference: Option<ReadPreference>,
    catalogue: LiveCatalogue,
    traced: Live<Traced>,
    lists: Arc<Lists>,
    ones: Arc<Ones>,
}

/// Lists of the newest jobs, by their statuses and their length.
type Lists = Gathered<(Vec<Vec<u8>>, usize), (), Vec<Vec<u8>>>;

/// Single documents of jobs, by the ids of the jobs.
type Ones = Gathered<One, String, Vec<u8>>;

/// Which document of a job. Whole jobs are not among them: they are too large to gather.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum One {
    /// That there is one which has [`cards::plain`] parts, and nothing of it.
    Plain,
    Card,
    Metrics,
    Metadata,
}

/// How old the list of all jobs may be.
const LIST_AGE: Duration = Duration::from_secs(2);

impl LiveLookup {
    /// Reads with this read preference, by default from the primary.
    pub fn new(connection: Connection, read_preference: Option<ReadPreference>) -> Self {
        LiveLookup {
            connection,
            read_preference,
            catalogue: LiveCatalogue::default(),
            traced: Live::default(),
            // The same list for all who ask: a second one beside it would only take its time.
            lists: Arc::new(Gathered::new(1)),
            // Enough that a server with several cores has something to do, few enough that there
            // is something to gather.
            ones: Arc::new(Gathered::new(2)),
        }
    }

    pub(super) fn find(
        &self,
        collection: Collection,
        filter: Document,
        options: FindOptions,
    ) -> Result<Vec<Vec<u8>>, EndError> {
        self.reading(collection).found(filter, options)
    }

    fn reading(&self, collection: Collection) -> Reading {
        let (connection, read_preference) = (self.connection.clone(), self.read_preference.clone());
        Reading { connection, collection: collection.name().to_owned(), read_preference }
    }

    /// What lists show of all jobs.
    fn catalogue(&self) -> Result<Arc<Catalogue>, EndError> {
        let all = self.alone();
        self.catalogue.get(LIST_AGE, move || all.all())
    }

    /// The same with what the mapping left of each job.
    fn traced(&self) -> Result<Arc<Traced>, EndError> {
        let all = self.alone();
        self.traced.get(AGE, move || Traced::read(&all, all.all()?))
    }

    /// The same target, without what is kept of it: what is kept there must not keep itself.
    fn alone(&self) -> LiveLookup {
        let (catalogue, traced) = (LiveCatalogue::default(), Live::default());
        LiveLookup { catalogue, traced, ..self.clone() }
    }

    /// A document of a job, read together with those of others that are asked for meanwhile.
    fn one(&self, which: One, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        let Some(job_id) = text(job_id) else { return Ok(None) };
        self.ones.get(&which, &job_id.to_owned(), |ids| self.ones(which, ids))
    }

    /// Such documents of several jobs, by the ids of the jobs.
    fn ones(
        &self,
        which: One,
        ids: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Vec<u8>>, EndError> {
        let filter = doc! { "jobId": { "$in": ids.iter().collect::<Vec<_>>() } };
        // Of several, one may have more than one: no limit tells how many there are in all.
        let options = || if ids.len() == 1 { limited_to(1) } else { FindOptions::default() };
        let documents = match which {
            One::Plain => {
                let mut options = options();
                options.projection = Some(doc! { "_id": 0, "jobId": 1 });
                let mut filter = filter;
                filter.extend(cards::plain());
                self.find(Collection::Jobs, filter, options)?
            }
            One::Card => self.cards(&filter, &options)?,
            One::Metrics => self.find(Collection::Metrics, filter, options())?,
            One::Metadata => self.find(Collection::Metadata, filter, options())?,
        };
        let mut found = BTreeMap::new();
        for document in documents {
            let id = raw::Document::new(&document).get("jobId").and_then(raw::Value::string);
            if let Some(id) = id.and_then(text).map(str::to_owned) {
                found.entry(id).or_insert(document);
            }
        }
        Ok(found)
    }

    /// The jobs that a filter matches, without their texts.
    fn cards(
        &self,
        filter: &Document,
        options: &dyn Fn() -> FindOptions,
    ) -> Result<Vec<Vec<u8>>, EndError> {
        let read = |projection| {
            let mut options = options();
            options.projection = Some(projection);
            self.find(Collection::Jobs, filter.clone(), options)
        };
        match read(cards::shown()) {
            Ok(found) if found.iter().all(|job| cards::is_whole(job)) => Ok(found),
            _ => read(cards::without_texts()),
        }
    }

    /// Reads what lists show of all jobs.
    fn all(&self) -> Result<Catalogue, EndError> {
        let read = |collection, projection: Document, add: &mut Add<'_>| {
            let mut options = FindOptions::default();
            options.sort = Some(doc! { "_id": 1 });
            options.projection = Some(projection);
            let mut added = Ok(());
            self.reading(collection).each(doc! {}, options, |document| {
                if added.is_ok() {
                    added = add(document);
                }
            })?;
            added
        };
        let mut extras = ExtrasMaker::new(&scratch());
        let spent = doc! { "jobId": 1, "cost": 1, "tokens": 1, "latencyMs": 1 };
        read(Collection::Metrics, spent, &mut |document| extras.add_metrics(document))?;
        let noted = doc! {
            "jobId": 1, "legacy.era": 1, "continuityAlerts.severity": 1,
            "performance.averageResponseTime": 1,
        };
        read(Collection::Metadata, noted, &mut |document| extras.add_metadata(document))?;
        let extras = extras.finish()?;
        let mut maker = CatalogueMaker::new(&scratch())?;
        let listed = doc! {
            "jobId": 1, "status": 1, "createdAt": 1, "updatedAt": 1, "payload.title": 1,
            "payload.premise": 1, "payload.genre": 1, "summary": 1, "progress.hasFailures": 1,
            "progress.lastActivity": 1, "failures.stage": 1, "chapters.status": 1,
            "engine.modelOverrides": 1,
        };
        read(Collection::Jobs, listed, &mut |document| maker.add_with(document, &extras))?;
        maker.finish()
    }

    /// The texts of jobs, in their order.
    pub(super) fn texts(&self, wanted: &[Wanted<'_>]) -> Result<Vec<Option<JobTexts>>, EndError> {
        let ids: Vec<&str> = wanted.iter().filter_map(|one| text(one.job_id)).collect();
        let mut options = FindOptions::default();
        options.projection = Some(doc! { "jobId": 1, "payload.title": 1, "payload.premise": 1 });
        let found = self.find(Collection::Jobs, doc! { "jobId": { "$in": ids } }, options)?;
        let found: Vec<JobTexts> = found.iter().filter_map(|job| texts_of(job)).collect();
        let of = |one: &Wanted<'_>| found.iter().find(|texts| texts.job_id == one.job_id).cloned();
        Ok(wanted.iter().map(of).collect())
    }
}

/// Takes a document.
type Add<'a> = dyn FnMut(&[u8]) -> Result<(), EndError> + 'a;

impl JobCatalogue for LiveLookup {
    fn page(&self, query: &JobQuery) -> Result<JobPage, EndError> {
        let read = |wanted: &[Wanted<'_>]| self.texts(wanted);
        if query.traces.is_empty() {
            let mut page = self.catalogue()?.page(query, &read)?;
            page.facets.traces = [Told::WhenAsked; 2];
            return Ok(page);
        }
        let traced = self.traced()?;
        let mut page = traced.catalogue.page_with(query, &read, Some(&traced.traces))?;
        page.facets.traces = traced.traces.told();
        Ok(page)
    }

    fn totals(&self) -> Result<Arc<JobTotals>, EndError> {
        Ok(self.catalogue()?.totals())
    }

    fn each_id(&self, give: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Result<(), EndError> {
        let mut options = FindOptions::default();
        options.sort = Some(doc! { "_id": 1 });
        options.projection = Some(doc! { "jobId": 1 });
        let read = |add: &mut dyn FnMut(&[u8])| {
            self.reading(Collection::Jobs).each(doc! {}, options, |job| {
                if let Some(id) = raw::Document::new(job).get("jobId").and_then(raw::Value::string)
                {
                    add(id);
                }
            })
        };
        each_of_all(read, give)
    }
}

/// The text of an id. What is not UTF-8 is nobody's id.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn limited_to(count: usize) -> FindOptions {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    FindOptions::builder().limit(i64::from(count)).batch_size(count).build()
}

impl JobLookup for LiveLookup {
    fn name(&self) -> String {
        format!("{} ({})", self.connection.place.name(), self.connection.db)
    }

    fn newest(&self, statuses: &[&[u8]], limit: usize) -> Result<Vec<Vec<u8>>, EndError> {
        let limit = limit.min(LIST_MAX);
        let key = (statuses.iter().map(|status| status.to_vec()).collect(), limit);
        let listed = self.lists.get(&key, &(), |_| {
            let statuses: Vec<&str> = statuses.iter().filter_map(|status| text(status)).collect();
            let options = || {
                let mut options = limited_to(limit);
                options.sort = Some(doc! { "createdAt": -1 });
                options
            };
            let found = self.cards(&doc! { "status": { "$in": statuses } }, &options);
            Ok(BTreeMap::from([((), found?)]))
        })?;
        Ok(listed.unwrap_or_default())
    }

    fn card(&self, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        self.one(One::Card, job_id)
    }

    fn is_plain(&self, job_id: &[u8]) -> Result<bool, EndError> {
        Ok(self.one(One::Plain, job_id)?.is_some())
    }

    fn has(&self, job_id: &[u8]) -> Result<bool, EndError> {
        let Some(job_id) = text(job_id) else { return Ok(false) };
        let mut options = limited_to(1);
        // An index has it.
        options.projection = Some(doc! { "_id": 0, "jobId": 1 });
        Ok(!self.find(Collection::Jobs, doc! { "jobId": job_id }, options)?.is_empty())
    }

    fn document(&self, collection: Collection, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        match collection {
            Collection::Metrics => self.one(One::Metrics, job_id),
            Collection::Metadata => self.one(One::Metadata, job_id),
            Collection::Jobs | Collection::Events => {
                let Some(job_id) = text(job_id) else { return Ok(None) };
                Ok(self.find(collection, doc! { "jobId": job_id }, limited_to(1))?.pop())
            }
        }
    }

    fn events(&self, job_id: &[u8], before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        let Some(job_id) = text(job_id) else { return Ok(Vec::new()) };
        let mut filter = doc! { "jobId": job_id };
        if let Some(before) = before.and_then(text) {
            // Not `{emittedAt: {$lt: …}}`: along an index, a compatible server leaves out texts that
            // `before` begins with.
            let before = doc! { "$literal": before };
            filter.insert("$expr", doc! { "$lt": ["$emittedAt", before] });
        }
        let mut options = limited_to(EVENTS_MAX);
        options.sort = Some(doc! { "emittedAt": -1 });
        Ok(newest_events(self.find(Collection::Events, filter, options)?, before))
    }
}

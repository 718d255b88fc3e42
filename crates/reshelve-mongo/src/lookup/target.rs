//! The jobs of a live target.

use mongodb::bson::{Document, doc};
use mongodb::options::{FindOptions, ReadPreference};
use reshelve::ends::{EVENTS_MAX, EndError, JobLookup, LIST_MAX};
use reshelve::lookup::newest_events;
use reshelve::target_schema::Collection;

use super::Reading;
use crate::connection::Connection;

/// The jobs of a live target, as they are when they are asked for.
#[derive(Clone, Debug)]
pub struct LiveLookup {
    connection: Connection,
    read_preference: Option<ReadPreference>,
}

impl LiveLookup {
    /// Reads with this read preference, by default from the primary.
    pub fn new(connection: Connection, read_preference: Option<ReadPreference>) -> Self {
        LiveLookup { connection, read_preference }
    }

    fn find(
        &self,
        collection: Collection,
        filter: Document,
        options: FindOptions,
    ) -> Result<Vec<Vec<u8>>, EndError> {
        let connection = self.connection.clone();
        let (collection, read_preference) =
            (collection.name().to_owned(), self.read_preference.clone());
        Reading { connection, collection, read_preference }.found(filter, options)
    }
}

/// The text of an id. What is not UTF-8 is nobody's id.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What no list shows stays at the server: texts of chapters above all.
fn without_texts() -> Document {
    doc! {
        "chapters.content": 0, "chapters.legacy": 0, "outline.summary": 0, "context": 0,
        "analysis": 0, "events": 0, "domainEvents": 0, "modelUsage": 0, "qualityMetrics": 0,
    }
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
        let statuses: Vec<&str> = statuses.iter().filter_map(|status| text(status)).collect();
        let mut options = limited_to(limit.min(LIST_MAX));
        options.sort = Some(doc! { "createdAt": -1 });
        options.projection = Some(without_texts());
        self.find(Collection::Jobs, doc! { "status": { "$in": statuses } }, options)
    }

    fn card(&self, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        let Some(job_id) = text(job_id) else { return Ok(None) };
        let mut options = limited_to(1);
        options.projection = Some(without_texts());
        Ok(self.find(Collection::Jobs, doc! { "jobId": job_id }, options)?.pop())
    }

    fn document(&self, collection: Collection, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        let Some(job_id) = text(job_id) else { return Ok(None) };
        Ok(self.find(collection, doc! { "jobId": job_id }, limited_to(1))?.pop())
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

//! The seam where single jobs are looked up: what a reader of the new stack asks a place.

use super::{EndError, JobCatalogue};
use crate::target_schema::Collection;

/// How many jobs a list has, at most: as many as the application declares that one may ask for.
pub const LIST_MAX: usize = 100;

/// How many events of a job are read at a time, at most: as many as the application serves.
pub const EVENTS_MAX: usize = 250;

/// Target documents, looked up by job. A legacy place gives what the mapping makes of its
/// documents.
///
/// Every document is well formed BSON (`raw::check` accepts it). All of it may be called from many
/// threads at once, and may wait for a disk or a server.
pub trait JobLookup: JobCatalogue {
    /// What messages call the place.
    fn name(&self) -> String;

    /// The newest jobs whose status is one of these, by `createdAt`, newest first, equal ones in
    /// source order; at most `limit` and [`LIST_MAX`]. A job document may lack what no list shows,
    /// as a [`card`](Self::card) does.
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn newest(&self, statuses: &[&[u8]], limit: usize) -> Result<Vec<Vec<u8>>, EndError>;

    /// The document of a job without its texts. It may lack what no list shows: of its chapters
    /// everything but `status` and `attempts`, of its outline everything but `keyEvents`, of its
    /// failures all.
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn card(&self, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError>;

    /// Whether there is such a job and the application can read it, by conditions that a place looks
    /// at without reading the job: its outline is an array of documents that have key events, and
    /// no chapter is null or has attempts, and no failure is null. `false` says nothing: its card
    /// tells.
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn is_plain(&self, _job_id: &[u8]) -> Result<bool, EndError> {
        Ok(false)
    }

    /// Whether there is such a job; cheaper than its card where a place knows without reading it.
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn has(&self, job_id: &[u8]) -> Result<bool, EndError> {
        Ok(self.card(job_id)?.is_some())
    }

    /// The whole document of a job in a collection that has one for each job.
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn document(&self, collection: Collection, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError>;

    /// The newest events of a job by `emittedAt`, newest first, at most [`EVENTS_MAX`]; with
    /// `before`, only those whose `emittedAt` is less, as bytes of strings.
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn events(&self, job_id: &[u8], before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError>;

    /// Looks at a job of which several documents are asked. A place that makes documents when they
    /// are asked for makes them once for all that `look` asks; `look` is called once.
    ///
    /// # Errors
    /// Where the place cannot be read. What `look` cannot read, it knows itself.
    fn look_at(&self, job_id: &[u8], look: &mut dyn FnMut(&dyn OneJob)) -> Result<(), EndError> {
        look(&Apart { place: self, job_id });
        Ok(())
    }
}

/// A job that is looked at: what [`JobLookup`] gives of it, without its id.
pub trait OneJob {
    /// As [`JobLookup::is_plain`].
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn is_plain(&self) -> Result<bool, EndError> {
        Ok(false)
    }

    /// As [`JobLookup::card`].
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn card(&self) -> Result<Option<Vec<u8>>, EndError>;

    /// As [`JobLookup::document`].
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn document(&self, collection: Collection) -> Result<Option<Vec<u8>>, EndError>;

    /// As [`JobLookup::events`].
    ///
    /// # Errors
    /// Where the place cannot be read.
    fn events(&self, before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError>;
}

/// A job whose documents are stored apart: each is read when it is asked for.
struct Apart<'p, L: ?Sized> {
    place: &'p L,
    job_id: &'p [u8],
}

impl<L: JobLookup + ?Sized> OneJob for Apart<'_, L> {
    fn is_plain(&self) -> Result<bool, EndError> {
        self.place.is_plain(self.job_id)
    }

    fn card(&self) -> Result<Option<Vec<u8>>, EndError> {
        self.place.card(self.job_id)
    }

    fn document(&self, collection: Collection) -> Result<Option<Vec<u8>>, EndError> {
        self.place.document(collection, self.job_id)
    }

    fn events(&self, before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        self.place.events(self.job_id, before)
    }
}

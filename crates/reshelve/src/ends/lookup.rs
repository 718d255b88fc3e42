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
}

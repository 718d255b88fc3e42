//! The seam where a target gives back what a run wrote.

use super::{Action, Claim, EndError, Found, Notes, Position, Wrote};
use crate::store::{DiskError, Key};
use crate::target_schema::Collection;

/// A job that a run wrote, as its journal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnJob {
    /// The key of its job id.
    pub key: Key,
    /// The job id.
    pub job_id: Vec<u8>,
    /// The `_id` of its job, metrics and metadata.
    pub id: [u8; 12],
    /// What the run did with it at first.
    pub action: Action,
    /// What each collection held of it before the run.
    pub found: [Found; 4],
    /// Which of its events were there before the run, where some were and some were not.
    pub events_before: Vec<bool>,
    /// What the run wrote at last.
    pub wrote: Wrote,
    /// Whether the process was killed before the batch was complete: any of the parts may be
    /// missing, as the job comes last.
    pub is_open: bool,
}

/// How a job is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// What the run wrote is still what stands there; if not, nothing more is changed.
    AsWritten,
    /// Whatever stands there goes, as decided: a copy of it is kept.
    Discard,
}

/// The jobs that a run wrote, and what is to become of them.
pub trait OwnJobs {
    /// A job of the run, and how it is taken back; `None` for how if it is left alone.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    fn get(&self, key: &Key) -> Result<Option<(OwnJob, Option<How>)>, DiskError>;

    /// Gives each job of the run whose key comes after this one, in the order of their keys.
    ///
    /// # Errors
    /// Where the journal cannot be read, or `give` fails.
    fn each(
        &self,
        after: Option<Key>,
        give: &mut dyn FnMut(OwnJob, Option<How>) -> Result<(), EndError>,
    ) -> Result<(), EndError>;
}

/// Why a job is not as the run wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Where.
    pub collection: Collection,
    /// What about it, as the rest of a sentence that begins with the collection.
    pub what: &'static str,
}

/// What stands of a job that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// What the run wrote, all of it and nothing else.
    AsWritten,
    /// Nothing.
    Gone,
    /// Something else, or a part of it.
    Edited(Edit),
}

/// Documents that were changed in a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChangedDocuments {
    /// Deleted.
    pub deleted: u64,
    /// Earlier versions that were put back.
    pub put_back: u64,
}

/// What is known of a run that is to be taken back.
#[derive(Clone, Debug)]
pub struct TakenBack<'r> {
    /// The run.
    pub claim: &'r Claim,
    /// How far it had written the target.
    pub position: &'r Position,
    /// Whether documents that a killed process left may lie after that position.
    pub has_tail: bool,
    /// Where the earlier versions of replaced jobs are.
    pub earlier: Earlier,
}

/// Where the earlier versions of jobs are that a run replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// It replaced none.
    None,
    /// Still in the target, beside the new ones.
    StillThere,
    /// Kept for rollback, and no longer in the target.
    Kept,
}

/// Is told how far taking back is, and keeps it durably before the next step.
pub type SaveStep<'s> = dyn FnMut(&Position, ChangedDocuments) -> Result<(), EndError> + 's;

/// A target from which a run is taken back.
pub trait TakesBack {
    /// Whether whatever was written after the position of a checkpoint is cut off.
    fn is_undone_by_position(&self) -> bool;

    /// Takes the lock in the name of the run, and cuts off what a killed process left after the
    /// last checkpoint, where a target is undone by its position.
    ///
    /// # Errors
    /// Refused where another run holds it, or has not finished.
    fn lock_back(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn super::JobSet,
        notes: &mut dyn Notes,
    ) -> Result<(), EndError>;

    /// Gives what stands of each job of the run, in any order.
    ///
    /// # Errors
    /// Where the target cannot be read, or `each` fails.
    fn survey(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&OwnJob, Standing) -> Result<(), EndError>,
    ) -> Result<(), EndError>;

    /// Gives every document that discarding the jobs will delete.
    ///
    /// # Errors
    /// Where the target cannot be read, or `each` fails.
    fn discarded(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&[u8]) -> Result<(), DiskError>,
    ) -> Result<(), EndError>;

    /// Takes the jobs back that are to be taken back, and puts earlier versions in their places,
    /// from a step on that an earlier process had saved.
    ///
    /// # Errors
    /// Where the target cannot be written; refused where a document is no longer what it was.
    fn take_back(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        from: (&Position, ChangedDocuments),
        save: &mut SaveStep<'_>,
    ) -> Result<ChangedDocuments, EndError>;

    /// Reads the target, and counts documents of these jobs that should be gone, and earlier
    /// versions that should be back and are not.
    ///
    /// # Errors
    /// Where the target cannot be read.
    fn left_over(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<u64, EndError>;
}

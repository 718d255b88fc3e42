//! The seam where a target gives back what a run wrote.

use super::{Action, Claim, EndError, Found, Hint, Notes, Position, Wrote};
use crate::store::{DiskError, Key};
use crate::target_schema::{Collection, job_id};

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
pub trait OwnJobs: Sync {
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

    /// How many jobs the run was to replace and did not after all: the earlier version of such a job
    /// may have been kept.
    fn withdrawn(&self) -> u64;
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
    /// Bytes of all of these, where they were changed one by one by this process.
    #[serde(skip)]
    pub bytes: u64,
}

impl ChangedDocuments {
    /// Adds others.
    pub fn add(&mut self, others: ChangedDocuments) {
        self.deleted += others.deleted;
        self.put_back += others.put_back;
        self.bytes += others.bytes;
    }
}

/// What is known of a run that is to be taken back.
#[derive(Clone, Copy)]
pub struct TakenBack<'r> {
    /// The run.
    pub claim: &'r Claim,
    /// How far it had written the target.
    pub position: &'r Position,
    /// Whether documents that a killed process left may lie after that position.
    pub has_tail: bool,
    /// Where the earlier versions of replaced jobs are.
    pub earlier: Earlier,
    /// How far an earlier process had come with taking it back, if one had begun.
    pub from: Option<&'r Position>,
    /// Whether a copy was made of a document that is discarded.
    pub is_copied: &'r (dyn Fn(&[u8]) -> Result<bool, DiskError> + Sync),
}

impl std::fmt::Debug for TakenBack<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut run = formatter.debug_struct("TakenBack");
        run.field("claim", &self.claim).field("from", &self.from).finish_non_exhaustive()
    }
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

/// Is told how far taking back is, and keeps it durably before the next step; and whether that is
/// a place between two steps, where it may be told to stop.
pub type SaveStep<'s> = dyn FnMut(&Position, ChangedDocuments, bool) -> Result<(), EndError> + 's;

/// A target from which a run is taken back.
pub trait TakesBack {
    /// Whether whatever was written after the position of a checkpoint is cut off.
    fn is_undone_by_position(&self) -> bool;

    /// Takes the lock in the name of the run, and changes nothing. Tells whether the run had left it
    /// there.
    ///
    /// # Errors
    /// Refused where another run holds it, or has not finished.
    fn lock_back(&mut self, run: &TakenBack<'_>) -> Result<bool, EndError>;

    /// Looks at what a killed process left after the last checkpoint, where a target is undone by
    /// its position. `tail` are the jobs that the process may have been writing.
    ///
    /// # Errors
    /// Refused where something else lies there.
    fn look_at_tail(&mut self, _run: &TakenBack<'_>, _tail: &dyn OwnJobs) -> Result<(), EndError> {
        Ok(())
    }

    /// Cuts that off. What nothing proves to be the run's own is kept in its folder, and told.
    ///
    /// # Errors
    /// Refused, and nothing is cut off, where something else lies there.
    fn cut_tail(
        &mut self,
        _run: &TakenBack<'_>,
        _tail: &dyn OwnJobs,
        _notes: &mut dyn Notes,
    ) -> Result<(), EndError> {
        Ok(())
    }

    /// Gives what stands of each job of the run, in any order. Of a rollback that is continued,
    /// what was taken back counts as gone, and a job that is half taken back stands as written.
    ///
    /// # Errors
    /// Where the target cannot be read, or `each` fails.
    fn survey(
        &mut self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        each: &mut dyn FnMut(&OwnJob, Standing) -> Result<(), EndError>,
    ) -> Result<(), EndError>;

    /// The run that has replaced one of these jobs, of which nothing is decided, as this run wrote
    /// it, if the target tells and that run was not taken back.
    ///
    /// # Errors
    /// Where the target cannot be read.
    fn replaced_by(
        &mut self,
        _run: &TakenBack<'_>,
        _jobs: &dyn OwnJobs,
    ) -> Result<Option<String>, EndError> {
        Ok(None)
    }

    /// The runs that have written jobs into the target after this one, and were not taken back, as
    /// far as the target itself tells.
    ///
    /// # Errors
    /// If the target cannot be read.
    fn later_writers(&mut self, _run: &str) -> Result<Vec<String>, EndError> {
        Ok(Vec::new())
    }

    /// Refuses where a document of another job has the `_id` of an earlier version that is to be put
    /// back.
    ///
    /// # Errors
    /// The refusal, or that the target cannot be read.
    fn expect_free_ids(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<(), EndError>;

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

    /// Of a run that is taken back: takes away what a killed process left behind beside documents.
    ///
    /// # Errors
    /// Where the target cannot be told.
    fn tidy_back(&mut self, claim: &Claim) -> Result<(), EndError>;

    /// Reads the target when everything is taken back.
    ///
    /// # Errors
    /// Where the target cannot be read.
    fn left_over(&mut self, run: &TakenBack<'_>, jobs: &dyn OwnJobs) -> Result<LeftOver, EndError>;
}

/// The refusal to take back a run that was not finished and was taken over.
pub fn is_relied_on(claim: &Claim, by: &str) -> EndError {
    let message = format!(
        "the run {by} has taken over the target of {} since, and counts what it found there as its \
         own result",
        claim.run
    );
    EndError::refusal(message, Hint::TakeBackFirst { run: by.into() })
}

/// The refusal to put the earlier version of a job back where a document of another job has its
/// `_id`.
pub fn has_its_id(collection: Collection, document: &[u8], job: &[u8]) -> EndError {
    let other = match job_id(document) {
        [] => "no job".to_owned(),
        other => format!("the job {}", String::from_utf8_lossy(other)),
    };
    let job = String::from_utf8_lossy(job);
    let message = format!(
        "{collection} holds a document of {other} that has the _id of the earlier version of the job \
         {job}, which is to be put back"
    );
    EndError::refusal(message, Hint::FreeTheId)
}

/// What a target holds when everything is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOver {
    /// Documents that should be gone, and earlier versions that should be back and are not.
    pub wrong: u64,
    /// Events of jobs that were taken back which the run did not write: they stay.
    pub foreign_events: u64,
}

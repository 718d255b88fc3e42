//! The seam where a run meets its target as a whole: what is there, the lock, the sink, the end.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{EndError, OwnJob, PlannedTarget, Position, Sink, SourceSize, TakesBack};
use crate::store::{DiskError, Key};

/// What a run does with a target that holds documents already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnExisting {
    /// It refuses to start.
    #[default]
    Refuse,
    /// It leaves what is there and adds to it; a job that is there with other bytes is a reject.
    Keep,
    /// It replaces such a job, and keeps the earlier version for rollback.
    Replace,
}

/// Whether a lock that another run left behind may be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandoned {
    /// It keeps everybody out but the run that left it.
    Keep,
    /// It is broken.
    TakeOver,
}

/// What a run asks of its target before it starts.
#[derive(Clone, Debug)]
pub struct TargetRequest {
    /// Whether the run writes.
    pub apply: bool,
    /// What to do with a target that holds documents.
    pub on_existing: OnExisting,
    /// What to do with a lock that another run left behind.
    pub abandoned: Abandoned,
    /// Whether to start even where the disk looks too small.
    pub skip_disk_check: bool,
    /// How large the source is.
    pub source: SourceSize,
    /// A folder for large scratch files.
    pub scratch: PathBuf,
}

/// What a target holds before a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// How far it was written.
    pub position: Position,
    /// Documents in its collections.
    pub documents: u64,
}

/// A run, as its target knows it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The id of the run.
    pub run: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it writes.
    pub apply: bool,
    /// What it does with a target that holds documents.
    pub on_existing: OnExisting,
    /// What the target held before the run.
    pub base: Base,
    /// Where earlier versions of replaced jobs are kept, where that is a folder.
    pub undo: PathBuf,
    /// A folder for large scratch files.
    pub scratch: PathBuf,
}

/// How far an interrupted run had come.
#[derive(Clone)]
pub struct Left<'c> {
    /// How far the target was written.
    pub position: &'c Position,
    /// Jobs of the run that the target must hold: at least.
    pub jobs: u64,
    /// The jobs that may stand after that position; none where nothing after it is cut off.
    pub named: Option<&'c dyn NamedJobs>,
}

impl std::fmt::Debug for Left<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut left = formatter.debug_struct("Left");
        left.field("position", &self.position).field("jobs", &self.jobs).finish_non_exhaustive()
    }
}

/// What a run wrote of its jobs, or was about to write, as its journal tells.
pub trait NamedJobs {
    /// The job with this key, which is that of its job id; none if the journal does not name it, or
    /// not in whole.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    fn get(&self, job: &Key) -> Result<Option<OwnJob>, DiskError>;

    /// The same, of what the run had written before its last checkpoint.
    ///
    /// # Errors
    /// If the journal cannot be read.
    fn settled(&self, _job: &Key) -> Result<Option<OwnJob>, DiskError> {
        Ok(None)
    }
}

/// Jobs of a run, as its journal tells.
pub trait JobSet {
    /// Whether the job with this key, which is that of its job id, is one of them.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    fn has(&self, job: &Key) -> Result<bool, DiskError>;
}

/// What a target has to hold when a run is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How far the target was written.
    pub position: Position,
    /// Jobs that the run wrote, and those that it found there; each with metrics and metadata.
    pub jobs: u64,
    /// Their events.
    pub events: u64,
}

/// A job that a run wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenJob {
    /// Its `_id`, which its metrics and its metadata have too.
    pub id: [u8; 12],
    /// How many events it has; not known of one that was to replace another version, and may have
    /// been left as it was.
    pub events: Option<u32>,
}

/// The jobs that a run wrote.
pub trait WrittenJobs {
    /// Gives each job.
    ///
    /// # Errors
    /// Where the journal cannot be read, or `give` fails.
    fn each(
        &self,
        give: &mut dyn FnMut(WrittenJob) -> Result<(), EndError>,
    ) -> Result<(), EndError>;
}

/// Is told something that people should know, in a sentence.
pub trait Notes {
    /// Tells it.
    fn note(&mut self, text: &str);
}

/// The members of a target that is several servers.
pub trait Members: Send {
    /// How far the slowest voting member is behind; none if the target does not tell.
    ///
    /// # Errors
    /// Where the target cannot be asked.
    fn lag(&mut self) -> Result<Option<Duration>, EndError>;
}

/// What tells a target from others at the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetIdentity {
    /// Nothing is at that place.
    Nothing,
    /// Something is, and the file system or the server does not tell which one.
    Untold,
    /// What no other target has.
    Told(String),
}

/// A target, from the first look at it to the end of a run.
pub trait Destination: TakesBack {
    /// What `run.json` says of it.
    fn planned(&self) -> PlannedTarget;

    /// What tells this target from any other one at the same place, such as a folder that has its
    /// name since, or the database of a server behind the same tunnel.
    ///
    /// # Errors
    /// If the target cannot be asked.
    fn identity(&self) -> Result<TargetIdentity, EndError>;

    /// Whether the target itself names the run as one that wrote there; none if it keeps no such
    /// names.
    ///
    /// # Errors
    /// If the target cannot be asked.
    fn names_run(&self, run: &str) -> Result<Option<bool>, EndError>;

    /// Its members, if it is several servers.
    fn members(&self) -> Option<Box<dyn Members>> {
        None
    }

    /// Looks at the target before a run, and changes nothing.
    ///
    /// # Errors
    /// [`Refused`](super::EndErrorKind::Refused) where there is a reason not to start.
    fn look(&mut self, request: &TargetRequest, notes: &mut dyn Notes) -> Result<Base, EndError>;

    /// Takes the lock for a new run that writes; under it, the target must still be as it was
    /// looked at.
    ///
    /// # Errors
    /// Refused where another run holds it, or the target was changed meanwhile.
    fn lock(&mut self, claim: &Claim, abandoned: Abandoned) -> Result<(), EndError>;

    /// Takes the lock of a run that is resumed.
    ///
    /// # Errors
    /// As for [`lock`](Self::lock).
    fn lock_again(
        &mut self,
        claim: &Claim,
        left: &Left<'_>,
        notes: &mut dyn Notes,
    ) -> Result<(), EndError>;

    /// Opens the sink of a run at a position; of a dry run, one that writes nothing. It may use so
    /// many threads.
    ///
    /// # Errors
    /// Where the target cannot be opened.
    fn sink<'s>(
        &'s mut self,
        claim: &Claim,
        position: &Position,
        threads: usize,
    ) -> Result<Box<dyn Sink + 's>, EndError>;

    /// Whether a run that replaced jobs has work left when all documents are written.
    fn finishes(&self) -> bool {
        false
    }

    /// Does that work for the jobs that were replaced. It can be resumed after a kill: each
    /// position that is given to `save` is durable before the next step, and is where a later call
    /// begins.
    ///
    /// # Errors
    /// Where the target cannot be written, or `save` fails.
    fn finish(
        &mut self,
        _claim: &Claim,
        _replaced: &dyn JobSet,
        from: &Position,
        _save: &mut dyn FnMut(&Position) -> Result<(), EndError>,
    ) -> Result<Position, EndError> {
        Ok(from.clone())
    }

    /// Asks the target whether it holds what the run wrote, before the run is called done.
    ///
    /// # Errors
    /// [`Missing`](super::EndErrorKind::Missing) where it holds less.
    fn check_held(
        &mut self,
        _claim: &Claim,
        _held: &Held,
        _written: &dyn WrittenJobs,
    ) -> Result<(), EndError> {
        Ok(())
    }

    /// Keeps in the target how many jobs a run has written that is about to be done.
    ///
    /// # Errors
    /// Where the target cannot be told.
    fn note_end(&mut self, _claim: &Claim, _jobs: u64) -> Result<(), EndError> {
        Ok(())
    }

    /// Says that this process stops, and that the run can be resumed.
    ///
    /// # Errors
    /// Where the target cannot be told.
    fn leave(&mut self) -> Result<(), EndError> {
        Ok(())
    }

    /// The run that a saved plan was used by in this target, if it was.
    ///
    /// # Errors
    /// Where the target cannot be asked.
    fn plan_user(&mut self, plan: &str) -> Result<Option<String>, EndError>;

    /// Keeps in the target, durably, that this run uses a saved plan; the lock is held. What is
    /// kept stays when the run is rolled back.
    ///
    /// # Errors
    /// Refused where another run has used it; others where the target cannot be told.
    fn use_plan(&mut self, plan: &str, run: &str) -> Result<(), EndError>;

    /// Takes away what says in the target that the run relies on others, as nothing of it is left
    /// there; the lock is held.
    ///
    /// # Errors
    /// Where the target cannot be told.
    fn forget(&mut self, claim: &Claim) -> Result<(), EndError>;

    /// Takes the lock away: the run is done.
    ///
    /// # Errors
    /// Where the target cannot be told.
    fn unlock(&mut self) -> Result<(), EndError>;

    /// Takes away a lock of this run that a killed process left behind when all was done.
    ///
    /// # Errors
    /// Where the target cannot be told.
    fn tidy(&mut self, claim: &Claim) -> Result<(), EndError>;
}

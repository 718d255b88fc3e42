//! The seam where target documents go: a sink says what is there, writes what was decided, and
//! says when it is safe.
//!
//! A batch goes through it in three steps. [`Look::look`] tells what the target holds of its jobs.
//! The run decides, and writes the decision down. [`Sink::write`] does what was decided, and tells
//! what became of each job.

use std::ops::Range;

use reshelve_core::mapping::TargetDocuments;

use super::{ContentHash, EndError, Position, content_hash};
use crate::target_schema::Collection;

/// Which bytes of each collection of a [`TargetDocuments`] are meant, in the order of
/// [`Collection::ALL`](crate::target_schema::Collection::ALL).
pub type Section = [Range<usize>; 4];

/// A job that is about to be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobAhead {
    /// Its documents.
    pub section: Section,
    /// Whether an earlier process of this run had begun to write it, and may have written any of
    /// its documents.
    pub begun: bool,
    /// What that process was about to write, if the legacy document has changed since.
    pub wrote: Option<Wrote>,
}

/// What an earlier process of this run was about to write of a job, of an earlier version of its
/// legacy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrote {
    /// The hash over the documents of each collection, in their order.
    pub hashes: [ContentHash; 4],
    /// How many events it had.
    pub events: u32,
}

impl Wrote {
    /// Whether these documents of a collection are what that process was about to write.
    pub fn is(&self, collection: Collection, documents: &[u8]) -> bool {
        self.hashes[collection.index()] == content_hash(documents)
    }
}

/// What a collection of a target holds of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    #[default]
    Absent,
    /// The same documents, byte for byte.
    Same,
    /// Some of the same documents, byte for byte, and nothing else.
    Partly,
    /// Something else, under one of its ids.
    Other,
}

impl Found {
    /// What two documents of a collection make together.
    #[must_use]
    pub fn and(self, other: Found) -> Found {
        match (self, other) {
            (Found::Other, _) | (_, Found::Other) => Found::Other,
            (one, other) if one == other => one,
            _ => Found::Partly,
        }
    }
}

/// What a target holds of a job before it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// In each collection.
    pub found: [Found; 4],
    /// The documents that are missing, where some are and some are not: a section each.
    pub missing: Vec<Section>,
    /// What stands in the way, where something else is there under one of its ids.
    pub conflict: Option<String>,
    /// Whether that belongs to another job: to replace this one would not take it away.
    pub is_of_another_job: bool,
    /// Whether something stands of it, and all of that is what [`JobAhead::wrote`] names.
    pub is_earlier_own: bool,
}

impl Before {
    /// Whether nothing of the job is there.
    pub fn is_absent(&self) -> bool {
        self.conflict.is_none() && self.found.iter().all(|found| *found == Found::Absent)
    }

    /// Whether all of the job is there, byte for byte.
    pub fn is_same(&self) -> bool {
        let same = |found: &Found| matches!(found, Found::Same | Found::Absent);
        self.conflict.is_none()
            && self.missing.is_empty()
            && self.found.iter().all(same)
            && !self.is_absent()
    }
}

/// What a target holds of the jobs of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Nothing of any of them.
    Nothing,
    /// This, for each of them.
    Jobs(Vec<Before>),
}

/// What is to be done with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// All its documents are written.
    Insert,
    /// The documents that are missing are written.
    Complete,
    /// Its earlier version is kept for rollback, and this one takes its place.
    Replace,
}

/// A job that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobWrite {
    /// Its documents, missing or not.
    pub section: Section,
    /// What is to be done.
    pub action: Action,
    /// The documents that are missing, for [`Action::Complete`].
    pub missing: Vec<Section>,
    /// As in [`JobAhead::begun`].
    pub begun: bool,
    /// What each collection held of it before the run.
    pub found: [Found; 4],
    /// As in [`JobAhead::wrote`]: it need not be kept when it is replaced.
    pub wrote: Option<Wrote>,
}

impl JobWrite {
    /// Whether it takes the place of a version that this run did not write.
    pub fn replaces_others(&self) -> bool {
        let was_there = self.found.iter().any(|found| *found != Found::Absent);
        self.action == Action::Replace && (self.wrote.is_none() || was_there)
    }

    /// The sections that are to be written.
    pub fn sections(&self) -> &[Section] {
        match self.action {
            Action::Complete => &self.missing,
            Action::Insert | Action::Replace => std::slice::from_ref(&self.section),
        }
    }

    /// How many bytes are to be written.
    pub fn bytes(&self) -> usize {
        self.sections().iter().flatten().map(ExactSizeIterator::len).sum()
    }
}

/// What became of a job that was to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is there now, by this run.
    Written,
    /// It was there by somebody else, the same bytes.
    Unchanged,
    /// Something else came under one of its ids; says what. Nothing of this run is left of it.
    Conflict(String),
    /// The target does not take one of its documents; says why. Nothing of this run is left of it.
    Refused(String),
}

/// Looks into a target.
pub trait Look: Send {
    /// What the target holds of these jobs; nothing is changed.
    ///
    /// # Errors
    /// Where the target cannot be read.
    fn look(&mut self, target: &TargetDocuments, jobs: &[JobAhead]) -> Result<Looked, EndError>;
}

/// Makes what a sink has written so far durable, from another thread, while it goes on.
pub trait Syncer: Send {
    /// Returns when everything that was written before the call is durable, and is still there up
    /// to `position`.
    ///
    /// # Errors
    /// Where the operating system refuses, or what was written is gone: nothing may be checkpointed
    /// then.
    fn sync(&mut self, position: &Position) -> Result<(), EndError>;
}

/// Takes target documents.
pub trait Sink: Look {
    /// Whether a sink that is opened at a position undoes whatever was written after it: so it is
    /// where documents are appended to files. Else the decisions must be durable before the write.
    fn is_undone_by_position(&self) -> bool;

    /// Does what was decided, in this order, and tells what became of each job. It is durable only
    /// after a sync.
    ///
    /// # Errors
    /// Where the target cannot be written: disk full, for one.
    fn write(
        &mut self,
        target: &TargetDocuments,
        writes: &[JobWrite],
    ) -> Result<Vec<Fate>, EndError>;

    /// After how many target bytes a cut is due; none where every document boundary is one.
    fn cut_bytes(&self) -> Option<usize> {
        None
    }

    /// Makes this place one from which writing can be resumed, as soon as
    /// [`written_cuts`](Self::written_cuts) tells its position.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn cut(&mut self) -> Result<(), EndError> {
        Ok(())
    }

    /// The positions of cuts that were written since this was asked last, in their order. Where
    /// `is_waiting`, it waits until every cut is written.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn written_cuts(&mut self, is_waiting: bool) -> Result<Vec<Position>, EndError> {
        let _ = is_waiting;
        Ok(Vec::new())
    }

    /// Where the last cut is that was written; without [`cut_bytes`](Self::cut_bytes), where
    /// writing is.
    fn position(&self) -> Position {
        Position::default()
    }

    /// Ends a target that is complete, when every cut is written.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn finish(&mut self) -> Result<(), EndError> {
        Ok(())
    }

    /// A syncer for what this sink writes.
    ///
    /// # Errors
    /// Where the operating system gives no second handle.
    fn syncer(&self) -> Result<Box<dyn Syncer>, EndError>;
}

/// For sinks whose writes are durable when they return, or that do not write.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingToSync;

impl Syncer for NothingToSync {
    fn sync(&mut self, _: &Position) -> Result<(), EndError> {
        Ok(())
    }
}

/// The sink of a dry run: looks into a target, where there is one to look into, and writes
/// nothing.
pub struct DrySink {
    target: Option<Box<dyn Look>>,
}

impl DrySink {
    /// A sink that looks into this target; without one, into an empty target.
    pub fn new(target: Option<Box<dyn Look>>) -> Self {
        DrySink { target }
    }
}

impl std::fmt::Debug for DrySink {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DrySink").field("looks", &self.target.is_some()).finish()
    }
}

impl Look for DrySink {
    fn look(&mut self, target: &TargetDocuments, jobs: &[JobAhead]) -> Result<Looked, EndError> {
        match &mut self.target {
            Some(look) => look.look(target, jobs),
            None => Ok(Looked::Nothing),
        }
    }
}

impl Sink for DrySink {
    fn is_undone_by_position(&self) -> bool {
        true
    }

    fn write(&mut self, _: &TargetDocuments, writes: &[JobWrite]) -> Result<Vec<Fate>, EndError> {
        Ok(vec![Fate::Written; writes.len()])
    }

    fn syncer(&self) -> Result<Box<dyn Syncer>, EndError> {
        Ok(Box::new(NothingToSync))
    }
}

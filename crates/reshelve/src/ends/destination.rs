//! The seam where a run meets its target as a whole: what is there, the lock, the sink, the end.

use super::SourceDescription;
use crate::ends::{Sink, SinkPosition};
use crate::folder::Abandoned;
use crate::run::{Checkpoint, Observer, Plan, PlannedTarget, RunError, RunFolder, RunRequest};

/// What a target holds before a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// Where its files end; rollback cuts back to that.
    pub position: SinkPosition,
    /// Documents in its collections.
    pub documents: u64,
}

/// A target, from the first look at it to the end of a run.
pub trait Destination {
    /// What `run.json` says of it.
    fn planned(&self) -> PlannedTarget;

    /// Looks at the target before a run, and changes nothing.
    ///
    /// # Errors
    /// [`RunError::Refused`] where there is a reason not to start.
    fn look(
        &mut self,
        request: &RunRequest,
        source: &SourceDescription,
        observer: &mut dyn Observer,
    ) -> Result<Base, RunError>;

    /// Takes the lock for a new run that writes; under it, the target must still be as it was
    /// looked at.
    ///
    /// # Errors
    /// [`RunError::Refused`] where another run holds it, or the target was changed meanwhile.
    fn lock(
        &mut self,
        plan: &Plan,
        folder: &RunFolder,
        abandoned: Abandoned,
    ) -> Result<(), RunError>;

    /// Takes the lock of a run that is gone on with.
    ///
    /// # Errors
    /// As for [`lock`](Self::lock).
    fn lock_again(
        &mut self,
        plan: &Plan,
        folder: &RunFolder,
        from: &Checkpoint,
    ) -> Result<(), RunError>;

    /// Opens the sink of a run at a position; of a dry run, one that writes nothing.
    ///
    /// # Errors
    /// Where the target cannot be opened.
    fn sink<'s>(
        &'s mut self,
        plan: &Plan,
        folder: &RunFolder,
        position: SinkPosition,
    ) -> Result<Box<dyn Sink + 's>, RunError>;

    /// Whether a run that replaces has work left when all documents are written.
    fn finishes(&self) -> bool {
        false
    }

    /// Does that work. Can be gone on with after a kill: the checkpoint, which this keeps up to
    /// date, says how far it is.
    ///
    /// # Errors
    /// Where the target cannot be written.
    fn finish(
        &mut self,
        _plan: &Plan,
        _folder: &RunFolder,
        _checkpoint: &mut Checkpoint,
    ) -> Result<(), RunError> {
        Ok(())
    }

    /// Says that this process stops, and that the run can be gone on with.
    ///
    /// # Errors
    /// Where the target cannot be told.
    fn leave(&mut self) -> Result<(), RunError> {
        Ok(())
    }

    /// Takes the lock away: the run is done.
    ///
    /// # Errors
    /// Where the target cannot be told.
    fn unlock(&mut self) -> Result<(), RunError>;

    /// Takes away a lock of this run that a killed process left behind when all was done.
    ///
    /// # Errors
    /// Where the target cannot be told.
    fn tidy(&mut self, plan: &Plan, folder: &RunFolder) -> Result<(), RunError>;
}

//! What a later run has replaced of a run that is to be taken back.
//!
//! That run keeps the replaced version, and puts it back when it is taken back itself. It has to be
//! taken back first: otherwise documents of a run come back that is rolled back already, and nothing
//! takes them away any more.

use super::steps::Rollback;
use crate::dump::Documents;
use crate::ends::{Destination, EndError, Hint, OwnJobs, TakenBack};
use crate::run::{RunError, RunFolder, State};
use crate::store::key_of;
use crate::target_schema::{Collection, job_id};

impl Rollback<'_> {
    /// Refuses to decide on jobs that were changed since where a later run has changed them.
    pub(super) fn refuse_replaced(
        &self,
        run: &TakenBack<'_>,
        jobs: &dyn OwnJobs,
        destination: &mut dyn Destination,
    ) -> Result<(), RunError> {
        let by = match destination.replaced_by(run, jobs)? {
            Some(by) => Some(by),
            None => self.replaced_beside(jobs)?,
        };
        let Some(by) = by else { return Ok(()) };
        let message = format!(
            "the run {by} has replaced jobs that {} wrote, and keeps their versions to put them back",
            self.plan.run
        );
        Err(EndError::refusal(message, Hint::TakeBackFirst { run: by.into() }).into())
    }

    /// The run beside this one that keeps a version of an edited job as this run wrote it. An earlier
    /// one may keep a version that this run has written again.
    fn replaced_beside(&self, jobs: &dyn OwnJobs) -> Result<Option<String>, RunError> {
        for other in self.request.folder.begun_after()? {
            // One that cannot be read says nothing.
            let (Ok(plan), Ok(checkpoint)) = (other.plan(), other.checkpoint()) else { continue };
            if plan.apply && checkpoint.state != State::RolledBack && keeps(&other, jobs)? {
                return Ok(Some(plan.run));
            }
        }
        Ok(None)
    }
}

/// Whether a run keeps a version of an edited job that is as the other run wrote it.
fn keeps(other: &RunFolder, jobs: &dyn OwnJobs) -> Result<bool, RunError> {
    let path = other.undo_folder().join(format!("{}.bson", Collection::Jobs));
    let Some(found) = other.files().look(&path)? else { return Ok(false) };
    let mut documents = Documents::open(other.files(), &path, found.length)?;
    // What is damaged is told when that run is taken back.
    while let Ok(Some(document)) = documents.next_document() {
        if let Some((job, None)) = jobs.get(&key_of(job_id(document)))?
            && job.wrote.is(Collection::Jobs, document)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

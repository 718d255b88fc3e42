//! Carrying a plan out: its use is written down, once, before anything else is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::PlanError;
use super::target::{Collections, state_of};
use super::used::{UsedBy, note_use, used_by, used_file};
use crate::ends::{Claim, Destination, EndError, Hint, TargetReader};
use crate::run::FromPlan;
use crate::store::Files;

/// How the use of a plan is written down.
pub struct Carrying<'p> {
    /// The file system of the plan.
    pub files: Arc<dyn Files>,
    /// The plan.
    pub from_plan: FromPlan,
    /// What the target must still hold, and how that is read; none for a run that is resumed.
    pub expected: Option<(Collections, &'p dyn TargetReader)>,
}

impl std::fmt::Debug for Carrying<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Carrying").field("plan", &self.from_plan).finish_non_exhaustive()
    }
}

impl Carrying<'_> {
    fn file(&self) -> &Path {
        &self.from_plan.file
    }

    /// Under the lock, of a new run: the target is what it was, and nobody has used the plan.
    pub(super) fn begin(
        &self,
        claim: &Claim,
        destination: &mut dyn Destination,
    ) -> Result<(), EndError> {
        if let Some((expected, target)) = &self.expected
            && state_of(*target)? != *expected
        {
            let message = format!(
                "the target {} was changed since it was compared with the plan",
                target.name()
            );
            return Err(EndError::refusal(message, Hint::LookWhoWrites));
        }
        let hash = &self.from_plan.hash;
        let files = self.files.as_ref();
        if let Some(used) = used_by(files, self.file()).map_err(as_end)? {
            return Err(was_used(&used));
        }
        if let Some(run) = destination.plan_user(hash)? {
            let message = format!("the plan was used by the run {run}, as the target says");
            return Err(EndError::refusal(message, Hint::SaveAnotherPlan));
        }
        self.note(claim)?;
        let used = destination.use_plan(hash, &claim.run);
        if used.is_err() {
            // Nothing was written by this run, which ends here: somebody else may use the plan.
            drop(files.remove_file(&used_file(self.file())));
        }
        used
    }

    /// Under the lock, of a run that is resumed: nobody else has used the plan. The process may
    /// have been killed before it had written its use down.
    pub(super) fn begin_again(
        &self,
        claim: &Claim,
        destination: &mut dyn Destination,
    ) -> Result<(), EndError> {
        let files = self.files.as_ref();
        // The plan may be elsewhere by now: the run knows all that it needs of it.
        if files.look(self.file())?.is_some() {
            match used_by(files, self.file()).map_err(as_end)? {
                Some(used) if used.plan == self.from_plan.hash && used.run != claim.run => {
                    return Err(was_used(&used));
                }
                Some(_) => {}
                None => self.note(claim)?,
            }
        }
        destination.use_plan(&self.from_plan.hash, &claim.run)
    }

    fn note(&self, claim: &Claim) -> Result<(), EndError> {
        let folder: PathBuf = crate::store::absolute(&claim.folder);
        let by = (self.from_plan.hash.as_str(), claim.run.as_str(), folder.as_path());
        note_use(self.files.as_ref(), self.file(), by).map_err(as_end)
    }
}

fn was_used(used: &UsedBy) -> EndError {
    let message = format!("the plan was used by the run {}", used.run);
    EndError::refusal(message, Hint::SaveAnotherPlan)
}

fn as_end(error: PlanError) -> EndError {
    match error {
        PlanError::End(error) => error,
        PlanError::Disk(error) => error.into(),
        error => EndError::refusal(error.to_string(), Hint::SaveAnotherPlan),
    }
}

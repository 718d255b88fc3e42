//! `target.json`: which target a run writes to, whatever is at its place later.
//!
//! A path or a connection string leads elsewhere once a folder was renamed, a link was set anew or a
//! tunnel ends at another server. The same source gives the same documents: what is there then may
//! be the work of another run, byte for byte.

use serde::{Deserialize, Serialize};

use super::states::State;
use super::{Refusal, RunError, RunFolder};
use crate::ends::{Destination, TargetIdentity};
use crate::store::{read_state, write_checked_state};

/// The version of the file.
const SCHEMA: &str = "reshelve.run-target/1";

#[derive(Serialize, Deserialize)]
struct WrittenTarget {
    schema: String,
    /// The run.
    run: String,
    /// What [`Destination::identity`] said when the run began.
    identity: String,
}

impl RunFolder {
    /// What tells the target of the run from others; none if the target did not tell, or the run
    /// was never told to write.
    ///
    /// # Errors
    /// If the file cannot be read, or is of another version.
    pub fn written_target(&self) -> Result<Option<String>, RunError> {
        Ok(self.kept_target()?.map(|target| target.identity))
    }

    fn kept_target(&self) -> Result<Option<WrittenTarget>, RunError> {
        match read_state(self.files(), &self.target_file(), SCHEMA) {
            Ok(target) => Ok(Some(target)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps it, durably, before anything is written there.
    pub(crate) fn keep_target(
        &self,
        run: &str,
        destination: &dyn Destination,
    ) -> Result<(), RunError> {
        let TargetIdentity::Told(identity) = destination.identity()? else { return Ok(()) };
        let target = WrittenTarget { schema: SCHEMA.to_owned(), run: run.to_owned(), identity };
        Ok(write_checked_state(self.files(), &self.target_file(), &target)?)
    }

    /// Refuses a target that is certainly not the one that the run writes to: one that names the runs
    /// that wrote there, and not this one, or the one that another run beside this one wrote to. One
    /// that was put back from a copy is another one too, and may be the right one all the same. Where
    /// nothing is, nothing can be lost.
    pub(crate) fn expect_target(
        &self,
        run: &str,
        destination: &dyn Destination,
    ) -> Result<(), RunError> {
        self.expect_target_of_none(run, destination, || self.others())
    }

    /// The same among other runs, wherever their folders lie.
    ///
    /// # Errors
    /// [`Refusal::OtherTarget`], or that the target or a file of one of the runs cannot be read.
    pub fn expect_target_of_none(
        &self,
        run: &str,
        destination: &dyn Destination,
        others: impl FnOnce() -> Result<Vec<RunFolder>, RunError>,
    ) -> Result<(), RunError> {
        let Some(written) = self.written_target()? else { return Ok(()) };
        let TargetIdentity::Told(found) = destination.identity()? else { return Ok(()) };
        if found == written {
            return Ok(());
        }
        let is_its = match destination.names_run(run)? {
            Some(is_its) => is_its,
            None => !is_of_one(run, &found, &others()?)?,
        };
        if is_its { Ok(()) } else { Err(Refusal::OtherTarget { run: run.to_owned() }.into()) }
    }

    /// The other runs beside this one, but for later ones into the same place: where a copy was put
    /// back there, these found what this one wrote.
    fn others(&self) -> Result<Vec<RunFolder>, RunError> {
        let place = self.plan()?.target;
        let after = self.begun_after()?;
        let is_later = |other: &RunFolder| {
            after.iter().any(|it| it.path() == other.path())
                && other.plan().is_ok_and(|plan| plan.target == place)
        };
        Ok(self.beside()?.into_iter().filter(|other| !is_later(other)).collect())
    }

    /// Whether something else is at the place of the run's target.
    pub(crate) fn has_another_target(
        &self,
        destination: &dyn Destination,
    ) -> Result<bool, RunError> {
        let Some(written) = self.written_target()? else { return Ok(false) };
        let found = destination.identity()?;
        Ok(matches!(found, TargetIdentity::Told(found) if found != written))
    }
}

/// Whether another run wrote to a target, and was not taken back.
fn is_of_one(run: &str, identity: &str, others: &[RunFolder]) -> Result<bool, RunError> {
    for other in others {
        // One that cannot be read says nothing; a copy of the run's own folder is no other run.
        let Ok(Some(written)) = other.kept_target() else { continue };
        let is_its = written.run != run && written.identity == identity;
        if is_its && other.checkpoint()?.state != State::RolledBack {
            return Ok(true);
        }
    }
    Ok(false)
}

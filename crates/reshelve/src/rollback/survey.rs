//! The look at what stands of the jobs of a run.

use std::sync::atomic::Ordering;

use super::progress::{Observer, Phase, Telling};
use super::record::{EditedKeys, JobCounts, OnEdited};
use super::steps::Rollback;
use super::{EditedJob, LISTED_MAX};
use crate::ends::{Action, Destination, Edit, EndError, How, OwnJob, OwnJobs, Standing, TakenBack};
use crate::run::RunError;
use crate::target_schema::Collection;

/// What was found in the target.
pub(super) struct Surveyed {
    pub(super) jobs: JobCounts,
    pub(super) keys: EditedKeys,
    pub(super) listed: Vec<EditedJob>,
}

impl Rollback<'_> {
    /// Looks at the jobs about which nothing is decided; none if it was told to stop.
    pub(super) fn survey(
        &self,
        run: &TakenBack<'_>,
        own: &dyn OwnJobs,
        destination: &mut dyn Destination,
        observer: &mut dyn Observer,
    ) -> Result<Option<Surveyed>, RunError> {
        let mut jobs = JobCounts::default();
        let mut keys = EditedKeys::new(self.request.folder.scratch());
        let mut listed = Vec::new();
        let on_edited = self.request.edited;
        let is_continued = run.from.is_some();
        let mut is_stopped = false;
        let mut telling = Telling::new(Phase::Looking, self.own.jobs(), observer);
        let mut count = |job: &OwnJob, standing: Standing| -> Result<(), EndError> {
            telling.add(1);
            is_stopped = self.stop.load(Ordering::Relaxed);
            if is_stopped {
                return Err(EndError::failed("it was told to stop", None));
            }
            if is_continued && own.get(&job.key)?.and_then(|(_, how)| how) != Some(How::AsWritten) {
                return Ok(());
            }
            let was_there = job.action == Action::Replace && !is_continued;
            let edit = match standing {
                Standing::AsWritten => None,
                Standing::Gone if !was_there => {
                    jobs.gone += 1;
                    return Ok(());
                }
                Standing::Gone => Some(Edit { collection: Collection::Jobs, what: "is missing" }),
                Standing::Edited(edit) => Some(edit),
            };
            let goes = edit.is_none() || matches!(on_edited, Some(OnEdited::Discard { .. }));
            if let Some(edit) = edit {
                jobs.edited += 1;
                jobs.kept += u64::from(on_edited == Some(OnEdited::Keep));
                keys.add(job.key)?;
                if listed.len() < LISTED_MAX {
                    let name = String::from_utf8_lossy(&job.job_id).into_owned();
                    listed.push(EditedJob { job: name, edit, wrote: job.wrote.clone() });
                }
            }
            match job.action {
                Action::Replace => jobs.put_back += u64::from(goes),
                Action::Insert | Action::Complete => jobs.deleted += u64::from(goes),
            }
            Ok(())
        };
        let surveyed = destination.survey(run, own, &mut count);
        if is_stopped {
            return Ok(None);
        }
        surveyed?;
        Ok(Some(Surveyed { jobs, keys, listed }))
    }
}

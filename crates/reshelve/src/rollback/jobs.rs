//! The jobs of a run, with what becomes of each.

use super::record::OnEdited;
use crate::ends::{EndError, How, OwnJob, OwnJobs};
use crate::run::journal::Own;
use crate::store::{DiskError, Key, Sorted};

/// The jobs of a run, while nothing is decided.
pub(super) struct Undecided<'o>(pub(super) &'o Own);

impl OwnJobs for Undecided<'_> {
    fn get(&self, key: &Key) -> Result<Option<(OwnJob, Option<How>)>, DiskError> {
        Ok(self.0.get(key)?.map(|job| (job, None)))
    }

    fn each(
        &self,
        after: Option<Key>,
        give: &mut dyn FnMut(OwnJob, Option<How>) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        self.0.each(after, &mut |job| give(job, None))
    }

    fn withdrawn(&self) -> u64 {
        self.0.withdrawn()
    }
}

/// The same, when it is known which of them were edited, and what becomes of these.
pub(super) struct DecidedJobs<'o> {
    pub(super) own: &'o Own,
    pub(super) edited: &'o Sorted<16>,
    pub(super) on_edited: Option<OnEdited>,
    /// Those that were edited later, and are left alone whatever becomes of the others.
    pub(super) kept: &'o Sorted<16>,
}

impl DecidedJobs<'_> {
    fn how(&self, key: &Key) -> Result<Option<How>, DiskError> {
        if self.kept.get(key)?.is_some() {
            return Ok(None);
        }
        Ok(match (self.edited.get(key)?, self.on_edited) {
            (None, _) => Some(How::AsWritten),
            (Some(_), Some(OnEdited::Discard { .. })) => Some(How::Discard),
            (Some(_), _) => None,
        })
    }
}

impl OwnJobs for DecidedJobs<'_> {
    fn get(&self, key: &Key) -> Result<Option<(OwnJob, Option<How>)>, DiskError> {
        match self.own.get(key)? {
            Some(job) => Ok(Some((job, self.how(key)?))),
            None => Ok(None),
        }
    }

    fn each(
        &self,
        after: Option<Key>,
        give: &mut dyn FnMut(OwnJob, Option<How>) -> Result<(), EndError>,
    ) -> Result<(), EndError> {
        self.own.each(after, &mut |job| {
            let how = self.how(&job.key)?;
            give(job, how)
        })
    }

    fn withdrawn(&self) -> u64 {
        self.own.withdrawn()
    }
}

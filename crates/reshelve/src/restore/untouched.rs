//! Whether a job is still what a mapping made of its legacy document, byte for byte: more than that
//! it can be restored, because nobody asks a restore for what somebody has added.

use super::RestoreFolderError;
use super::parts::{ChangedParts, Parts};
use crate::ends::TargetReader;
use crate::store::Scratch;
use crate::target_schema::{self, Collection};
use reshelve_core::mapping::{
    InFlight, Mapper, OnUnknownStatus, Options, StatusPolicy, TargetDocuments,
};

/// Maps restored documents again, with every choice of options: a target does not say which were
/// chosen.
#[derive(Debug)]
pub(super) struct Again {
    mappers: Vec<Mapper>,
    target: TargetDocuments,
    parts: Parts,
}

impl Again {
    pub(super) fn new(scratch: &Scratch) -> Again {
        let mut mappers = Vec::new();
        for in_flight in [InFlight::Include, InFlight::AsFailed] {
            for status_policy in [StatusPolicy::Legacy, StatusPolicy::Evidence] {
                for on_unknown_status in [OnUnknownStatus::Reject, OnUnknownStatus::Failed] {
                    let options = Options { on_unknown_status, status_policy, in_flight };
                    mappers.push(Mapper::new(options));
                }
            }
        }
        Again { mappers, target: TargetDocuments::default(), parts: Parts::new(scratch) }
    }

    /// Whether one of the choices makes this job and this metadata of the legacy document.
    pub(super) fn makes(
        &mut self,
        legacy: &[u8],
        job: &[u8],
        metadata: &[u8],
    ) -> Result<bool, RestoreFolderError> {
        let Again { mappers, target, parts } = self;
        let choice = mappers.iter_mut().position(|mapper| {
            target.clear();
            mapper.map(legacy, target);
            let made = target.bytes();
            made[Collection::Jobs.index()] == job && made[Collection::Metadata.index()] == metadata
        });
        let Some(choice) = choice else { return Ok(false) };
        parts.add(target_schema::job_id(job), target)?;
        // A target was written with one choice: it is tried first for the next job.
        mappers.swap(0, choice);
        Ok(true)
    }

    /// Which metrics and events of these jobs a target holds that the mapping does not make.
    pub(super) fn changed_parts(
        self,
        target: &dyn TargetReader,
    ) -> Result<Vec<ChangedParts>, RestoreFolderError> {
        self.parts.changed_in(target)
    }
}

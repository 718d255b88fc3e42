//! The profile: what is in a source, field by field, and what a run would report about it.
//!
//! One pass. The documents go through the same pipeline as those of a run, so that the forecast is
//! what a dry run would count. One thread takes them in source order and walks their fields, so
//! that nothing depends on the number of mapping threads.

mod fields;
mod known;
mod model;
mod paths;
mod sizes;
mod survey;
mod tallies;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

pub use fields::LEVELS_MAX;
pub use known::is_name;
#[cfg(test)]
pub(crate) use known::schema_paths;
pub use model::{Dates, Field, Forecast, Largest, Numbers, Profile, Sizes, Unknown};
pub use paths::{OTHER, PATH_BYTES_MAX, PATHS_BYTES_MAX, PATHS_MAX};
pub use survey::{
    IN_FLIGHT_SHOWN_MAX, LARGEST_MAX, MISSING, STATUS_BYTES_MAX, STATUS_PAIRS_MAX, is_placeholder,
};
pub use tallies::{VALUE_BYTES_MAX, VALUES_MAX, VALUES_TOTAL_MAX};

use crate::ends::{BatchLimits, Damage, Source};
use crate::pass::pipeline::{self, BatchSize, PipelineOptions, Step};
use crate::store::DiskError;
use reshelve_core::mapping::Options;
use survey::Survey;

/// How to profile a source.
#[derive(Clone, Debug)]
pub struct ProfileRequest {
    /// The options that the forecast is for.
    pub options: Options,
    /// Mapping threads, at least one. The profile does not depend on them.
    pub jobs: usize,
    /// Where unnamed files are created for what does not fit into memory.
    pub scratch: PathBuf,
}

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The source is damaged: the profile of a part would look like one of the whole.
    #[error("the source is damaged: {damage}")]
    Source {
        /// What is wrong, and where.
        damage: Damage,
        /// How many documents come before the damage.
        documents: u64,
    },
    /// A scratch file cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Reads a source to its end and describes what is in it. After every batch, `progress` is called
/// with the documents and the bytes of the source's file that were read.
///
/// # Errors
/// If the source cannot be read to its end, or a scratch file cannot be used.
pub fn profile(
    source: &mut dyn Source,
    request: &ProfileRequest,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Profile, ProfileError> {
    let mut survey = Survey::new(&request.scratch);
    let options = PipelineOptions {
        mapping: request.options,
        batch: &BatchSize::new(BatchLimits::default()),
        jobs: request.jobs,
        first: 0,
        known: 0,
        documents_max: None,
        only: None,
        hash_targets: false,
        stop: &AtomicBool::new(false),
    };
    pipeline::run(source, &options, |steps| {
        loop {
            match steps.next() {
                Step::Batch(batch) => {
                    survey.take_batch(&batch)?;
                    progress(survey.documents(), batch.file_bytes_read);
                    steps.give_back(batch);
                }
                Step::End | Step::Stopped => return Ok(()),
                Step::Damaged(damage) => {
                    let documents = survey.documents();
                    return Err(ProfileError::Source { damage, documents });
                }
            }
        }
    })?;
    Ok(survey.finish()?)
}

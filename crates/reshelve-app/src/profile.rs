//! `profile`: what the documents of a source are like.

use reshelve::profile::{self, Profile, ProfileError, ProfileRequest};
use reshelve_core::mapping::Options;
use serde::Serialize;

use crate::failure::Failure;
use crate::handle::{Handle, Reading};
use crate::hints;
use crate::options::{MappingOptions, threads};
use crate::places::{self, SourcePlace};
use crate::text::counted;

/// What `profile` is asked.
pub struct Request {
    /// The source.
    pub source: SourcePlace,
    /// The decisions of a run, for the forecast.
    pub mapping: MappingOptions,
    /// Mapping threads; none for one per core.
    pub threads: Option<usize>,
}

impl Request {
    /// A profile of all of a source, with the usual decisions.
    pub fn new(source: SourcePlace) -> Self {
        Request { source, mapping: MappingOptions::default(), threads: None }
    }
}

/// The profile; as JSON, `reshelve.profile/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// What there is.
    #[serde(flatten)]
    pub profile: Profile,
    /// The decisions that the forecast is made with.
    #[serde(skip)]
    pub options: Options,
}

/// The same of a profile that somebody else made.
#[derive(Debug, Serialize)]
pub(crate) struct ProfileDocument<'p> {
    schema: &'static str,
    #[serde(flatten)]
    profile: &'p Profile,
}

/// The version of the profile as JSON.
const SCHEMA: &str = "reshelve.profile/1";

impl<'p> ProfileDocument<'p> {
    pub(crate) fn of(profile: &'p Profile) -> Self {
        ProfileDocument { schema: SCHEMA, profile }
    }
}

/// Reads a source to its end.
///
/// # Errors
/// If the source cannot be read to its end.
pub fn profile(request: &Request, handle: &Handle) -> Result<Outcome, Failure> {
    let options = request.mapping.options();
    let asked =
        ProfileRequest { options, jobs: threads(request.threads), scratch: std::env::temp_dir() };
    let mut source = places::origin(&request.source, handle)?.open()?.source;
    let file_bytes_total = source.bytes_total();
    let mut tell = |documents, file_bytes| {
        handle.watcher().reading(Reading { documents, file_bytes, file_bytes_total });
    };
    let profile = profile::profile(source.as_mut(), &asked, &mut tell).map_err(failure)?;
    Ok(Outcome { schema: SCHEMA, profile, options })
}

fn failure(error: ProfileError) -> Failure {
    let ProfileError::Source { documents, damage } = &error else {
        return Failure::failed(error.to_string());
    };
    let message = format!("{error}; {} before that place", counted(*documents, "document"));
    let hint = hints::of_damage(damage.kind).unwrap_or_else(|| hints::NO_PARTIAL_PROFILE.into());
    Failure { hint: Some(hint), ..Failure::failed(message) }
}

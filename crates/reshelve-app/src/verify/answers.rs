//! `verify --api`: the answers of both sides compared, and those of the running application.

use reshelve_core::mapping::Options;
use reshelve_serve::comparison::{Others, Scope, Texts};
use serde::Serialize;

use super::Request;
use crate::crosscheck::{self, Asked, Ready};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::lines;
use crate::options::MappingOptions;
use crate::{shadow, sides};

/// The file that `--out` gets: what both sides would answer, compared.
const FILE: &str = "answers.json";

/// Which answers are compared.
#[derive(Clone, Debug)]
pub struct Api {
    /// The running application that is asked too; none for both sides alone.
    pub application: Option<Asked>,
}

/// What came of comparing answers.
#[derive(Clone, Debug, Serialize)]
pub struct Answers {
    /// Both sides: `reshelve.shadow/1`.
    pub offline: shadow::Outcome,
    /// The running application against the target: `reshelve.crosscheck/1`; null if it was not
    /// asked.
    pub application: Option<crosscheck::Outcome>,
}

impl Answers {
    /// The exit code: an answer differs, could not be had, or all agree. Jobs that the target lacks
    /// are for the comparison of documents, which knows what the target refused.
    pub fn exit_code(&self) -> ExitCode {
        match &self.application {
            _ if self.offline.compared.differs() => ExitCode::NoParity,
            Some(application) => application.exit_code(),
            None => ExitCode::Done,
        }
    }
}

/// What has to be in order before anything is read.
pub(super) fn ready(request: &Request, handle: &Handle) -> Result<Option<Ready>, Failure> {
    let Some(api) = &request.api else { return Ok(None) };
    api.application.as_ref().map(|asked| crosscheck::ready(asked, handle)).transpose()
}

/// Compares the answers of both sides, and asks the application if there is one.
pub(super) fn answers(
    request: &Request,
    (options, others): (Options, Others),
    application: Option<Ready>,
    handle: &Handle,
) -> Result<Answers, Failure> {
    let mapping = MappingOptions::from(options);
    let [legacy, normalized] =
        sides::both(&request.source, &request.target, mapping, None, handle)?;
    let scope = Scope {
        texts: Texts::Hidden,
        is_unfinished: true,
        sample: request.sample.map(|size| u64::try_from(size).unwrap_or(u64::MAX)),
        others,
    };
    let offline = shadow::compared([&legacy, &normalized], options, scope, handle)?;
    if let Some(out) = &request.out {
        lines::write_whole(out, FILE, &offline)?;
    }
    let asked =
        application.map(|ready| ready.ask((&normalized, None), false, Texts::Hidden, handle));
    Ok(Answers { offline, application: asked.transpose()? })
}

/// A source that can be read once cannot be compared and looked up.
pub(super) fn check_rewindable(request: &Request, is_rewindable: bool) -> Result<(), Failure> {
    match request.api {
        Some(_) if !is_rewindable => {
            let message =
                "standard input or a pipe can be read only once, and --api reads it again";
            Err(Failure::usage(message, hints::NAME_A_FILE))
        }
        _ => Ok(()),
    }
}

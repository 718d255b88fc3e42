//! Errors on their way to the user: a sentence, a hint, an exit code.

use reshelve::dump::OpenError;
use reshelve::ends::{EndError, EndErrorKind, Hint};
use reshelve::run::RunError;
use reshelve::store::DiskError;

use crate::exit_code::ExitCode;

/// A command that did not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: ExitCode,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, hint: Option<&str>) -> Self {
        let hint = hint.map(Into::into);
        Failure { code: ExitCode::Usage, message: message.into(), hint }
    }

    pub(crate) fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into());
        Failure { code: ExitCode::Refused, message: message.into(), hint }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Failure { code: ExitCode::Failed, message: message.into(), hint: None }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let code = match &error {
            RunError::Refused(_) => ExitCode::Refused,
            RunError::End(error) => return Failure::from(error.clone()),
            RunError::NoSuchRun { .. } => ExitCode::Usage,
            _ => ExitCode::Failed,
        };
        Failure { code, message: error.to_string(), hint: error.hint() }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        EndError::from(error).into()
    }
}

impl From<EndError> for Failure {
    fn from(error: EndError) -> Self {
        let code = match error.kind {
            EndErrorKind::Usage => ExitCode::Usage,
            EndErrorKind::Refused => ExitCode::Refused,
            _ => ExitCode::Failed,
        };
        let hint = error.hint.as_ref().map(Hint::text);
        Failure { code, message: error.message, hint }
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Failure::failed(error.to_string())
    }
}

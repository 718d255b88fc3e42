//! Errors on their way to the user: a sentence, a hint, an exit code.

use reshelve::dump::OpenError;
use reshelve::ends::{LiveError, LiveErrorKind};
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
            RunError::Open(open) => return open_failure(open),
            RunError::Live(error) => return Failure::from(error.clone()),
            RunError::NoSuchRun { .. } => ExitCode::Usage,
            _ => ExitCode::Failed,
        };
        Failure { code, message: error.to_string(), hint: error.hint() }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        open_failure(&error)
    }
}

fn open_failure(error: &OpenError) -> Failure {
    // What was named does not make sense, or the system refused to read it.
    let code = match error {
        OpenError::Live(error) => return Failure::from(error.clone()),
        OpenError::NotFound { .. } | OpenError::Io { .. } => ExitCode::Failed,
        _ => ExitCode::Usage,
    };
    Failure { code, message: error.to_string(), hint: error.hint().map(Into::into) }
}

impl From<LiveError> for Failure {
    fn from(error: LiveError) -> Self {
        let code = match error.kind {
            LiveErrorKind::Usage => ExitCode::Usage,
            LiveErrorKind::Refused => ExitCode::Refused,
            LiveErrorKind::Failed => ExitCode::Failed,
        };
        Failure { code, message: error.message, hint: error.hint }
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Failure::failed(error.to_string())
    }
}

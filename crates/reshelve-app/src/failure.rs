//! Errors on their way to the user: a sentence, a hint, an exit code.

use reshelve::dump::OpenError;
use reshelve::ends::{EndError, EndErrorKind};
use reshelve::run::{Refusal, RunError};
use reshelve::store::DiskError;
use serde::{Serialize, Serializer};

use crate::exit_code::ExitCode;
use crate::hints;

/// A command that did not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code of a process that ran the command.
    pub code: ExitCode,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// The request makes no sense.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Failure { code: ExitCode::Usage, message: message.into(), hint: Some(hint.into()) }
    }

    /// Refused before anything was changed.
    pub fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Failure { code: ExitCode::Refused, message: message.into(), hint: Some(hint.into()) }
    }

    /// It could not be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Failure { code: ExitCode::Failed, message: message.into(), hint: None }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn hinting(self, hint: impl Into<String>) -> Self {
        Failure { hint: Some(hint.into()), ..self }
    }
}

/// As JSON, `reshelve.error/1`.
impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = FailureDocument {
            schema: "reshelve.error/1",
            error: ErrorDocument {
                kind: self.code.word(),
                message: &self.message,
                hint: self.hint.as_deref(),
            },
            exit: self.code.number(),
        };
        document.serialize(serializer)
    }
}

#[derive(Debug, Serialize)]
struct FailureDocument<'f> {
    schema: &'static str,
    error: ErrorDocument<'f>,
    exit: u8,
}

#[derive(Debug, Serialize)]
struct ErrorDocument<'f> {
    kind: &'static str,
    message: &'f str,
    hint: Option<&'f str>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let code = match &error {
            RunError::End(error) => return Failure::from(error.clone()),
            RunError::Refused(Refusal::InFlightDecided { .. }) => ExitCode::Usage,
            RunError::Refused(_) => ExitCode::Refused,
            RunError::NoSuchRun { .. } => ExitCode::Usage,
            _ => ExitCode::Failed,
        };
        Failure { code, message: error.to_string(), hint: hints::of_run(&error) }
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
        let hint = error.hint.as_ref().map(hints::of_end);
        Failure { code, message: error.message, hint }
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Failure::failed(error.to_string())
    }
}

//! The error of a live database, as the seams pass it on.

/// How a [`LiveError`] ends a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveErrorKind {
    /// The command line makes no sense.
    Usage,
    /// Refused before anything was changed.
    Refused,
    /// It could not be done.
    Failed,
}

/// A live database cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LiveError {
    /// How it ends a command.
    pub kind: LiveErrorKind,
    /// What happened; without credentials.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl LiveError {
    /// The command line makes no sense.
    pub fn usage(message: impl Into<String>, hint: &str) -> Self {
        LiveError {
            kind: LiveErrorKind::Usage,
            message: message.into(),
            hint: Some(hint.to_owned()),
        }
    }

    /// Refused before anything was changed.
    pub fn refused(message: impl Into<String>, hint: &str) -> Self {
        LiveError {
            kind: LiveErrorKind::Refused,
            message: message.into(),
            hint: Some(hint.to_owned()),
        }
    }

    /// It could not be done.
    pub fn failed(message: impl Into<String>, hint: Option<&str>) -> Self {
        LiveError {
            kind: LiveErrorKind::Failed,
            message: message.into(),
            hint: hint.map(str::to_owned),
        }
    }

    /// The live error inside an I/O error, where there is one.
    pub fn inside(error: &std::io::Error) -> Option<&LiveError> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl From<LiveError> for std::io::Error {
    fn from(error: LiveError) -> Self {
        std::io::Error::other(error)
    }
}

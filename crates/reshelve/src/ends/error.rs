//! What goes wrong at an end, as the seams pass it on.

use std::error::Error;
use std::sync::Arc;

use super::{Damage, DamageKind, Hint};
use crate::store::DiskError;

/// How an [`EndError`] ends a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndErrorKind {
    /// The command line makes no sense.
    Usage,
    /// Refused: nothing was changed, and trying again does not help.
    Refused,
    /// It could not be done.
    Failed,
    /// There is no room left.
    Full,
    /// The target was taken over by another run: this one is over, and changes nothing any more.
    Lost,
    /// The target lacks what the run has written: resuming it does not bring it back.
    Missing,
    /// What is read is damaged: nothing after that place can be read.
    Damaged,
}

/// A source or a target cannot be used.
#[derive(Clone, Debug)]
pub struct EndError {
    /// How it ends a command.
    pub kind: EndErrorKind,
    /// What happened, and where; without credentials.
    pub message: String,
    /// What to do about it.
    pub hint: Option<Hint>,
    /// What it came from.
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl EndError {
    /// The command line makes no sense.
    pub fn usage(message: impl Into<String>, hint: impl Into<Hint>) -> Self {
        Self::new(EndErrorKind::Usage, message, Some(hint.into()))
    }

    /// Refused: nothing was changed, and trying again does not help.
    pub fn refused(message: impl Into<String>, hint: impl Into<Hint>) -> Self {
        Self::new(EndErrorKind::Refused, message, Some(hint.into()))
    }

    /// The target was taken over by another run.
    pub fn lost(message: impl Into<String>, hint: impl Into<Hint>) -> Self {
        Self::new(EndErrorKind::Lost, message, Some(hint.into()))
    }

    /// The target lacks what the run has written.
    pub fn missing(message: impl Into<String>, hint: Hint) -> Self {
        Self::new(EndErrorKind::Missing, message, Some(hint))
    }

    /// It could not be done.
    pub fn failed(message: impl Into<String>, hint: Option<&str>) -> Self {
        Self::new(EndErrorKind::Failed, message, hint.map(Into::into))
    }

    /// Refused, for a reason that the application has words for.
    pub fn refusal(message: impl Into<String>, hint: Hint) -> Self {
        Self::refused(message, hint)
    }

    fn new(kind: EndErrorKind, message: impl Into<String>, hint: Option<Hint>) -> Self {
        EndError { kind, message: message.into(), hint, source: None }
    }

    /// The same error, with what it came from.
    #[must_use]
    pub fn caused_by(self, source: impl Error + Send + Sync + 'static) -> Self {
        EndError { source: Some(Arc::new(source)), ..self }
    }

    /// The same error, with what to do about it.
    #[must_use]
    pub fn hinting(self, hint: Hint) -> Self {
        EndError { hint: Some(hint), ..self }
    }
}

impl std::fmt::Display for EndError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for EndError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| {
            let source: &(dyn Error + 'static) = source.as_ref();
            source
        })
    }
}

impl From<Damage> for EndError {
    fn from(damage: Damage) -> Self {
        let kind = match damage.kind {
            DamageKind::Io => EndErrorKind::Failed,
            _ => EndErrorKind::Damaged,
        };
        Self::new(kind, damage.to_string(), None).caused_by(damage)
    }
}

impl From<DiskError> for EndError {
    fn from(error: DiskError) -> Self {
        let kind = if error.is_full() { EndErrorKind::Full } else { EndErrorKind::Failed };
        Self::new(kind, error.to_string(), None).caused_by(error)
    }
}

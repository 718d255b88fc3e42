//! Why a copy could not be made.

use crate::ends::Damage;
use crate::pass::Stopped;
use crate::store::DiskError;

/// Why no copy was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnonymizeError {
    /// The source cannot be read to its end.
    #[error(transparent)]
    Source(Damage),
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The source holds paths that the policy does not know.
    #[error("the policy does not know {} of the source", paths_text(.0.len()))]
    Unknown(Vec<String>),
    /// The source is not the one that it was when it was read first.
    #[error("the source changed between its two readings")]
    Changed,
    /// The operating system gives no random bytes.
    #[error("no random bytes for a key: {0}")]
    Random(String),
    /// It was told to stop.
    #[error("interrupted")]
    Interrupted,
}

impl From<Stopped> for AnonymizeError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Source(damage) => AnonymizeError::Source(damage),
            Stopped::Interrupted => AnonymizeError::Interrupted,
        }
    }
}

fn paths_text(count: usize) -> String {
    match count {
        1 => "1 path".to_owned(),
        count => format!("{count} paths"),
    }
}

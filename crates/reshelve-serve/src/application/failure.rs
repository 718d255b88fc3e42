//! Why an application gave no answer that can be compared.

use std::time::Duration;

/// What came instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Nobody listens there, or the name is not known.
    #[error("nobody can be reached there: {why}")]
    Unreachable {
        /// What the system says.
        why: String,
    },
    /// The connection ended before the answer did.
    #[error("the answer was cut off: {why}")]
    CutOff {
        /// What came instead.
        why: String,
    },
    /// There was no whole answer in time.
    #[error("no answer within {} s", .limit.as_secs())]
    TooSlow {
        /// How long it may take.
        limit: Duration,
    },
    /// The answer is longer than any that the application gives.
    #[error("the answer has more than {bytes_max} bytes")]
    TooLong {
        /// How long it may be.
        bytes_max: usize,
    },
    /// The answer is something else, such as the page of a proxy.
    #[error("the answer {status} is not JSON: {bytes} bytes, {kind}")]
    NotJson {
        /// Its status.
        status: u16,
        /// Its content type.
        kind: String,
        /// Its length in bytes.
        bytes: usize,
    },
    /// It is somewhere else. It is not looked for there: that may be another application.
    #[error("the answer {status} leads to {to}; redirects are not followed")]
    Redirected {
        /// Its status.
        status: u16,
        /// Where it leads.
        to: String,
    },
    /// It needs a token, or another one.
    #[error("the answer is {status}: not without the right token")]
    Denied {
        /// Its status.
        status: u16,
    },
    /// A proxy cannot reach the application, or it is not ready.
    #[error("the answer is {status}: the application is not available")]
    Unavailable {
        /// Its status.
        status: u16,
    },
    /// It said each time that it is to be asked later.
    #[error("the answer is {status}, also after {times} waits")]
    Busy {
        /// Its status.
        status: u16,
        /// How often it was waited for.
        times: u32,
    },
    /// The target is none that a request can have.
    #[error("it cannot be asked for: {why}")]
    Unaskable {
        /// Why not.
        why: String,
    },
    /// It was answered, and the place has no answer to compare that with.
    #[error("what it should be is not known: {why}")]
    NothingExpected {
        /// Why not.
        why: String,
    },
    /// The command is to stop.
    #[error("interrupted")]
    Stopped,
}

impl AskError {
    /// Whether another connection may help.
    pub(super) fn is_of_connection(&self) -> bool {
        matches!(self, AskError::Unreachable { .. } | AskError::CutOff { .. })
    }

    /// Whether no other request will be answered either.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, AskError::Unreachable { .. } | AskError::Stopped)
    }
}

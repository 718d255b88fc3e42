//! Trying again: what is worth it, how often, and after which wait.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mongodb::error::{Error, ErrorKind, RETRYABLE_WRITE_ERROR, TRANSIENT_TRANSACTION_ERROR};

use crate::error::{code, sentence};

/// How often something is tried again, beyond the driver's own single retry.
pub(crate) const RETRIES_MAX: u32 = 12;
/// The first wait; each is twice the one before …
const WAIT_FIRST: Duration = Duration::from_millis(100);
/// … up to this. All of them together are more than 40 seconds.
const WAIT_MAX: Duration = Duration::from_secs(8);

/// How long an operation may take that is done in a moment; longer than any election.
const OPERATION_MAX: Duration = Duration::from_secs(60);

/// Codes of errors that pass: elections, shutdowns, lost connections, timeouts, conflicts, and
/// cursors that died.
const PASSING_CODES: [i32; 34] = [
    6, 7, 24, 43, 46, 50, 63, 64, 89, 91, 112, 133, 134, 136, 175, 189, 202, 237, 239, 246, 251,
    262, 317, 358, 384, 462, 9001, 10107, 11600, 11601, 11602, 13388, 13435, 13436,
];

/// Codes of errors that the next document would meet too: no document is to blame.
const NOT_THE_DOCUMENT: [i32; 14] =
    [11, 13, 18, 20, 59, 72, 79, 100, 166, 238, 8000, 14031, 40352, 40414];

/// Whether the same operation may succeed a little later.
pub(crate) fn is_passing(error: &Error) -> bool {
    if error.contains_label(RETRYABLE_WRITE_ERROR)
        || error.contains_label(TRANSIENT_TRANSACTION_ERROR)
        || error.contains_label("RetryableError")
    {
        return true;
    }
    match error.kind.as_ref() {
        ErrorKind::Io(_)
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::DnsResolve { .. } => true,
        _ => code(error).is_some_and(is_passing_code),
    }
}

/// The same of a code by itself.
pub(crate) fn is_passing_code(code: i32) -> bool {
    PASSING_CODES.contains(&code)
}

/// Whether the next document would meet the same error.
pub(crate) fn is_nobodys_fault(code: i32) -> bool {
    NOT_THE_DOCUMENT.contains(&code)
}

/// Whether an error of a whole command may be the fault of one of its documents.
pub(crate) fn may_be_the_document(error: &Error) -> bool {
    match error.kind.as_ref() {
        // What the driver refuses to send: a document above the server's limit.
        ErrorKind::InvalidArgument { .. } | ErrorKind::Bson(_) => true,
        ErrorKind::Command(command) => !NOT_THE_DOCUMENT.contains(&command.code),
        _ => false,
    }
}

/// Who is told of waiting, and who may end it.
struct Patience {
    stop: Arc<AtomicBool>,
    tell: fn(&str),
}

static PATIENCE: OnceLock<Patience> = OnceLock::new();

/// Has waiting end when `stop` is set, and `tell` told of tries that take long. The first call in a
/// process counts.
pub fn be_patient(stop: Arc<AtomicBool>, tell: fn(&str)) {
    PATIENCE.get_or_init(|| Patience { stop, tell });
}

/// After so many tries whoever waits is told.
const TOLD_AFTER: u32 = 4;

/// The waits between tries.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// Waits, longer each time; false where it was tried often enough, or nobody wants to wait.
    pub(crate) async fn wait(&mut self, error: &Error) -> bool {
        let patience = PATIENCE.get();
        let is_over = patience.is_some_and(|patience| patience.stop.load(Ordering::Relaxed));
        if self.tries >= RETRIES_MAX || is_over {
            return false;
        }
        if let Some(patience) = patience
            && self.tries >= TOLD_AFTER
        {
            (patience.tell)(&format!(
                "waiting for the server, try {} of {RETRIES_MAX}: {}",
                self.tries + 1,
                sentence(error)
            ));
        }
        let wait = WAIT_FIRST.saturating_mul(1 << self.tries.min(16)).min(WAIT_MAX);
        self.tries += 1;
        // Half of it again at most, so that many who were cut off do not come back together.
        let jitter = RandomState::new().hash_one(self.tries) % 512;
        let jitter = u32::try_from(jitter).unwrap_or(0);
        tokio::time::sleep(wait + wait * jitter / 1024).await;
        true
    }
}

/// Does something, but not for ever: a server that is gone may leave an operation waiting.
pub(crate) async fn limited<T>(
    operation: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(OPERATION_MAX, operation).await {
        Ok(done) => done,
        Err(_) => {
            let text = format!("no answer within {} seconds", OPERATION_MAX.as_secs());
            Err(std::io::Error::new(std::io::ErrorKind::TimedOut, text).into())
        }
    }
}

/// Does something that takes a moment, again where it failed in a way that passes.
pub(crate) async fn retrying<T, F>(mut operation: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    retrying_long(|| limited(operation())).await
}

/// The same for what may take as long as it likes: counting, and making indexes.
pub(crate) async fn retrying_long<T, F>(mut operation: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut backoff = Backoff::default();
    loop {
        match operation().await {
            Ok(value) => return Ok(value),
            Err(error) if is_passing(&error) => {
                if !backoff.wait(&error).await {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

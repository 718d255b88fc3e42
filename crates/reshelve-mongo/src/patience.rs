//! Patience with a server: how often an operation is retried, after which wait, and how long a try
//! may take.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mongodb::error::Error;

use crate::error::sentence;
use crate::error_class::is_passing;

/// Most retries of an operation, beyond the driver's own single retry.
pub(crate) const RETRIES_MAX: u32 = 12;
/// The first wait; each wait is twice the one before …
const WAIT_FIRST: Duration = Duration::from_millis(100);
/// … up to this. All of them together are more than 40 seconds.
const WAIT_MAX: Duration = Duration::from_secs(8);

/// How long a short operation may take; longer than any election.
const OPERATION_MAX: Duration = Duration::from_secs(60);

/// How operations on a server wait and retry: what ends the waiting, and who hears of it.
///
/// Clones share the flag and the listener. The default never stops early and tells nobody.
#[derive(Clone)]
pub struct Patience {
    stop: Arc<AtomicBool>,
    tell: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Patience {
    /// Waiting ends when `stop` is set; `tell` gets a line for each late try.
    pub fn new(stop: Arc<AtomicBool>, tell: impl Fn(&str) + Send + Sync + 'static) -> Patience {
        Patience { stop, tell: Arc::new(tell) }
    }

    /// Tells something at once.
    pub(crate) fn tell(&self, text: &str) {
        (self.tell)(text);
    }

    /// The waits between the tries of one operation.
    pub(crate) fn backoff(&self) -> Backoff<'_> {
        Backoff { patience: self, tries: 0 }
    }

    /// Runs a short operation, and retries errors that pass.
    pub(crate) async fn retry<T, F>(&self, mut operation: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.retry_long(|| limited(operation())).await
    }

    /// The same for an operation without a limit: counting, and creating indexes.
    pub(crate) async fn retry_long<T, F>(
        &self,
        mut operation: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut backoff = self.backoff();
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
}

impl Default for Patience {
    fn default() -> Self {
        Patience::new(Arc::default(), |_| {})
    }
}

impl std::fmt::Debug for Patience {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Patience").field("stop", &self.stop).finish_non_exhaustive()
    }
}

/// After this many tries `tell` is called.
const TOLD_AFTER: u32 = 4;

/// The waits between tries.
#[derive(Debug)]
pub(crate) struct Backoff<'p> {
    patience: &'p Patience,
    tries: u32,
}

impl Backoff<'_> {
    /// Waits, longer each time; false after the last retry, or when waiting is stopped.
    pub(crate) async fn wait(&mut self, error: &Error) -> bool {
        if self.tries >= RETRIES_MAX || self.patience.stop.load(Ordering::Relaxed) {
            return false;
        }
        if self.tries >= TOLD_AFTER {
            (self.patience.tell)(&format!(
                "waiting for the server, try {} of {RETRIES_MAX}: {}",
                self.tries + 1,
                sentence(error)
            ));
        }
        let wait = WAIT_FIRST.saturating_mul(1 << self.tries.min(16)).min(WAIT_MAX);
        self.tries += 1;
        // At most half of it again, so that clients that were cut off together do not all come
        // back at once.
        let jitter = RandomState::new().hash_one(self.tries) % 512;
        let jitter = u32::try_from(jitter).unwrap_or(0);
        tokio::time::sleep(wait + wait * jitter / 1024).await;
        true
    }
}

/// Runs an operation for a limited time: a server that is gone may leave it waiting.
pub(crate) async fn limited<T>(
    operation: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    within(OPERATION_MAX, operation).await
}

/// Runs an operation for this time at most.
pub(crate) async fn within<T>(
    time: Duration,
    operation: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(time, operation).await {
        Ok(done) => done,
        Err(_) => {
            let text = format!("no answer within {} seconds", time.as_secs());
            Err(std::io::Error::new(std::io::ErrorKind::TimedOut, text).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn passing() -> Error {
        std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()
    }

    fn wait<F: Future>(future: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.unwrap().block_on(future)
    }

    #[test]
    fn each_value_stops_and_tells_by_itself() {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(true));
        let listener = Arc::clone(&told);
        let patience = Patience::new(Arc::clone(&stop), move |line: &str| {
            listener.lock().unwrap().push(line.to_owned());
        });
        let mut late = Backoff { patience: &patience, tries: TOLD_AFTER };
        assert!(!wait(late.wait(&passing())), "nobody wants to wait");
        assert!(told.lock().unwrap().is_empty());
        let quiet = Patience::default();
        assert!(wait(quiet.backoff().wait(&passing())), "another value is not stopped");
        stop.store(false, Ordering::Relaxed);
        let clone = patience.clone();
        assert!(wait(clone.backoff().wait(&passing())), "its clone hears that it may wait again");
        let mut last = Backoff { patience: &clone, tries: RETRIES_MAX };
        assert!(!wait(last.wait(&passing())), "it was tried often enough");
    }

    #[test]
    fn late_tries_are_told_and_early_ones_are_not() {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let listener = Arc::clone(&told);
        let patience = Patience::new(Arc::default(), move |line: &str| {
            listener.lock().unwrap().push(line.to_owned());
        });
        for tries in 0..=TOLD_AFTER {
            assert!(told.lock().unwrap().is_empty(), "before try {}", tries + 1);
            let mut backoff = Backoff { patience: &patience, tries };
            // The telling comes before the wait, which is not waited for.
            wait(async {
                let moment = Duration::from_millis(1);
                tokio::time::timeout(moment, backoff.wait(&passing())).await.unwrap_err()
            });
        }
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("waiting for the server, try 5 of 12: "), "{told:?}");
    }
}

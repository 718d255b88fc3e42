//! Which place answers a request, and how it is asked: away from the threads that serve
//! connections, so many at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use reshelve::ends::JobLookup;
use tokio::sync::Semaphore;

mod report;

pub use report::{Failure, Report};

/// The places that requests are answered from. One for now: with a legacy and a normalised place,
/// this is where each request is given the one that answers it.
#[derive(Clone)]
pub struct Sides {
    only: Arc<dyn JobLookup>,
}

impl Sides {
    /// Everything is answered from one place.
    pub fn one(place: Arc<dyn JobLookup>) -> Self {
        Sides { only: place }
    }

    /// The place that answers for a job, or the list where there is none.
    fn answering(&self, _job_id: Option<&str>) -> Arc<dyn JobLookup> {
        Arc::clone(&self.only)
    }
}

/// A question that was not answered: what is looked up panicked, or the server is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unanswered(pub(crate) String);

/// Asks the places.
pub(crate) struct Asking {
    sides: Sides,
    at_once: Arc<Semaphore>,
}

impl Asking {
    /// At most `at_once` questions are asked at a time; further ones wait.
    pub(crate) fn new(sides: Sides, at_once: usize) -> Self {
        Asking { sides, at_once: Arc::new(Semaphore::new(at_once)) }
    }

    /// Asks the place that answers for a job.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        job_id: Option<&str>,
        question: impl FnOnce(&dyn JobLookup) -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        let stopped = || Unanswered("the server is stopped".to_owned());
        let permit = Arc::clone(&self.at_once).acquire_owned().await.map_err(|_| stopped())?;
        let place = self.sides.answering(job_id);
        let asked = tokio::task::spawn_blocking(move || {
            let answer = catch_unwind(AssertUnwindSafe(|| question(&*place)));
            // Held to here, even where nobody waits for the answer any more.
            drop(permit);
            answer
        });
        match asked.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(panic)) => Err(Unanswered(format!("the look-up panicked: {}", text(&*panic)))),
            Err(_) => Err(stopped()),
        }
    }
}

/// What a panic says.
fn text(panic: &(dyn std::any::Any + Send)) -> &str {
    let owned = || panic.downcast_ref::<String>().map(String::as_str);
    panic.downcast_ref::<&str>().copied().or_else(owned).unwrap_or("without a message")
}

/// The time, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

//! Which place answers a request, and how it is asked: away from the threads that serve
//! connections, so many at once.

mod breaker;
mod persistence;
mod report;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use reshelve::ends::JobLookup;
use tokio::sync::Semaphore;

pub use persistence::{Persistence, RouteName, Side, Turn, Turned, UnknownSide};
pub use report::{Audit, Failure, Report};

use breaker::Breaker;
use persistence::Switch;

/// The places that requests are answered from: one, or a legacy and a normalised one with the
/// switch between them. Clones share the switch.
#[derive(Clone)]
pub struct Sides {
    places: Places,
}

#[derive(Clone)]
enum Places {
    One(Arc<dyn JobLookup>),
    Two(Arc<Two>),
}

struct Two {
    legacy: Arc<dyn JobLookup>,
    normalized: Arc<dyn JobLookup>,
    switch: Switch,
    /// Whether the other side answers where the one that was chosen fails.
    falls_back: bool,
    /// How often it did.
    fallbacks: AtomicU64,
    /// Whether each side is asked, or left alone for a while.
    breakers: [Breaker; 2],
    /// How often the switch was turned, by whom.
    turns: [AtomicU64; 2],
}

/// By what a switch is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A request to the server.
    Request,
    /// A signal to the process.
    Signal,
}

impl By {
    /// Both.
    pub const ALL: [By; 2] = [By::Request, By::Signal];

    /// Its word, in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            By::Request => "request",
            By::Signal => "signal",
        }
    }
}

impl Sides {
    /// Everything is answered from one place.
    pub fn one(place: Arc<dyn JobLookup>) -> Self {
        Sides { places: Places::One(place) }
    }

    /// A switch decides. With `falls_back`, the other side answers where the chosen one cannot be
    /// read.
    pub fn two(
        legacy: Arc<dyn JobLookup>,
        normalized: Arc<dyn JobLookup>,
        persistence: Persistence,
        falls_back: bool,
    ) -> Self {
        let (switch, fallbacks) = (Switch::new(persistence), AtomicU64::new(0));
        let turns = Default::default();
        let breakers = Default::default();
        let two = Two { legacy, normalized, switch, falls_back, fallbacks, breakers, turns };
        Sides { places: Places::Two(Arc::new(two)) }
    }

    /// How the switch stands; none where there is one place.
    pub fn persistence(&self) -> Option<Persistence> {
        match &self.places {
            Places::One(_) => None,
            Places::Two(two) => Some(two.switch.now()),
        }
    }

    /// Turns the switch for the requests that come from now on; none where there is one place.
    /// Requests that have begun are answered by the side that they began with.
    pub fn turn(&self, turn: &Turn, by: By) -> Option<Turned> {
        let Places::Two(two) = &self.places else { return None };
        two.turns[by as usize].fetch_add(1, Ordering::Relaxed);
        Some(two.switch.turn(turn))
    }

    /// How often the switch was turned so.
    pub fn turns(&self, by: By) -> u64 {
        match &self.places {
            Places::One(_) => 0,
            Places::Two(two) => two.turns[by as usize].load(Ordering::Relaxed),
        }
    }

    /// One of two sides; none where there is one place.
    pub(crate) fn place(&self, side: Side) -> Option<Arc<dyn JobLookup>> {
        match (&self.places, side) {
            (Places::One(_), _) => None,
            (Places::Two(two), Side::Legacy) => Some(Arc::clone(&two.legacy)),
            (Places::Two(two), Side::Normalized) => Some(Arc::clone(&two.normalized)),
        }
    }

    /// How often the other side answered because the chosen one could not be read.
    pub fn fallbacks(&self) -> u64 {
        match &self.places {
            Places::One(_) => 0,
            Places::Two(two) => two.fallbacks.load(Ordering::Relaxed),
        }
    }

    /// How often a side was left alone because it took long to fail.
    pub fn pauses(&self, side: Side) -> u64 {
        match &self.places {
            Places::One(_) => 0,
            Places::Two(two) => two.breaker(side).pauses(),
        }
    }

    /// For how many more seconds a side is left alone, if it is.
    pub fn paused_s(&self, side: Side) -> Option<u64> {
        match &self.places {
            Places::One(_) => None,
            Places::Two(two) => Some(two.breaker(side).paused_for(Instant::now())?.as_secs()),
        }
    }

    /// Asks the place that answers, and the other one where that fails and may.
    fn ask<T, E>(
        &self,
        (route, job_id): (RouteName, Option<&str>),
        question: impl Fn(&dyn JobLookup) -> Result<T, E>,
        is_of_place: impl Fn(&E) -> bool,
    ) -> Answered<Result<T, E>> {
        let two = match &self.places {
            Places::One(place) => return Answered { side: None, value: question(&**place) },
            Places::Two(two) => two,
        };
        let place = |side: Side| match side {
            Side::Legacy => &*two.legacy,
            Side::Normalized => &*two.normalized,
        };
        let side = two.switch.now().answering(route, job_id);
        if !two.falls_back {
            return Answered { side: Some(side), value: question(place(side)) };
        }
        let (breaker, begun) = (two.breaker(side), Instant::now());
        if breaker.may_ask(begun) {
            let value = question(place(side));
            if !value.as_ref().is_err_and(is_of_place) {
                breaker.answered();
                return Answered { side: Some(side), value };
            }
            breaker.failed(begun.elapsed(), Instant::now());
        }
        two.fallbacks.fetch_add(1, Ordering::Relaxed);
        Answered { side: Some(side.other()), value: question(place(side.other())) }
    }
}

impl Two {
    fn breaker(&self, side: Side) -> &Breaker {
        &self.breakers[side as usize]
    }
}

/// What was answered, and by which side, where there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered<T> {
    pub(crate) side: Option<Side>,
    pub(crate) value: T,
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

    /// The sides that are asked.
    pub(crate) fn sides(&self) -> &Sides {
        &self.sides
    }

    /// Asks the place that answers for a route and a job. `is_of_place` says which errors mean that
    /// the place could not be read, so that another one may answer.
    pub(crate) async fn ask<T: Send + 'static, E: Send + 'static>(
        &self,
        route: RouteName,
        job_id: Option<&str>,
        question: impl Fn(&dyn JobLookup) -> Result<T, E> + Send + 'static,
        is_of_place: impl Fn(&E) -> bool + Send + 'static,
    ) -> Result<Answered<Result<T, E>>, Unanswered> {
        let stopped = || Unanswered("the server is stopped".to_owned());
        let permit = Arc::clone(&self.at_once).acquire_owned().await.map_err(|_| stopped())?;
        let (sides, job_id) = (self.sides.clone(), job_id.map(str::to_owned));
        let asked = tokio::task::spawn_blocking(move || {
            let answer = catch_unwind(AssertUnwindSafe(|| {
                sides.ask((route, job_id.as_deref()), question, is_of_place)
            }));
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

    /// Whether there is a place that answers: the chosen one, or the other one where that may.
    pub(crate) async fn is_readable(&self) -> bool {
        let question = |place: &dyn JobLookup| place.card(b"");
        let asked = self.ask(RouteName::Detail, None, question, |_| true).await;
        asked.is_ok_and(|answered| answered.value.is_ok())
    }

    /// The sides that are left alone for a while, and for how many more seconds.
    pub(crate) fn paused(&self) -> Vec<(Side, u64)> {
        let sides = [Side::Legacy, Side::Normalized].into_iter();
        sides.filter_map(|side| Some((side, self.sides.paused_s(side)?))).collect()
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

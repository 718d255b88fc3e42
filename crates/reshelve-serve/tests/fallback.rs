//! A side that takes long to fail is left alone for a while: the other one answers at once.

mod serving;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reshelve::ends::{EndError, JobCatalogue, JobLookup, JobPage, JobQuery, JobTotals};
use reshelve::target_schema::Collection;
use reshelve_serve::Sides;
use reshelve_serve::sides::{Persistence, Side};
use serving::{MemoryPlace, Running};

/// A place that fails after so long, and counts how often it is asked.
struct Frozen(Duration, Arc<AtomicUsize>);

impl Frozen {
    fn fail<T>(&self) -> Result<T, EndError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(self.0);
        Err(EndError::failed("no answer came".to_owned(), None))
    }
}

impl JobCatalogue for Frozen {
    fn page(&self, _: &JobQuery) -> Result<JobPage, EndError> {
        self.fail()
    }
    fn totals(&self) -> Result<Arc<JobTotals>, EndError> {
        self.fail()
    }
}

impl JobLookup for Frozen {
    fn name(&self) -> String {
        "frozen".to_owned()
    }
    fn newest(&self, _: &[&[u8]], _: usize) -> Result<Vec<Vec<u8>>, EndError> {
        self.fail()
    }
    fn card(&self, _: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        self.fail()
    }
    fn document(&self, _: Collection, _: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        self.fail()
    }
    fn events(&self, _: &[u8], _: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        self.fail()
    }
}

/// A server whose normalised side takes so long to fail, and how often that side is asked.
fn served(fails_after: Duration, falls_back: bool) -> (Running, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let legacy = Arc::new(MemoryPlace::recorded());
    let frozen = Arc::new(Frozen(fails_after, Arc::clone(&asked)));
    let running = Running::with(Arc::clone(&legacy) as Arc<dyn JobLookup>, |settings| {
        let persistence = Persistence::of(Side::Normalized);
        settings.sides = Sides::two(legacy, frozen, persistence, falls_back);
    });
    (running, asked)
}

fn lists(server: &Running, count: usize) {
    for _ in 0..count {
        let answer = server.get("/api/novel");
        assert_eq!((answer.status, answer.header("x-reshelve-side")), (200, "legacy"));
    }
}

#[test]
fn a_frozen_side_is_asked_three_times_and_then_left_alone() {
    let (server, asked) = served(Duration::from_millis(1_050), true);
    lists(&server, 3);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    lists(&server, 20);
    assert_eq!(server.get("/ui/novels").status, 200);
    assert_eq!(asked.load(Ordering::Relaxed), 3, "it was asked in its pause");
    let ready = server.get("/readyz");
    assert_eq!(ready.status, 200);
    let told = ready.text();
    assert!(told.starts_with("ready\nthe normalized side took long to fail"), "{told}");
    assert!(told.contains("the legacy side answers"), "{told}");
    let metrics = server.get("/metrics").text();
    for line in [
        "reshelve_side_pauses_total{side=\"normalized\"} 1",
        "reshelve_side_pauses_total{side=\"legacy\"} 0",
        "reshelve_side_paused{side=\"normalized\"} 1",
        "reshelve_side_paused{side=\"legacy\"} 0",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line}: {metrics}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[test]
fn a_side_that_fails_at_once_is_asked_every_time() {
    let (server, asked) = served(Duration::ZERO, true);
    lists(&server, 10);
    assert_eq!(asked.load(Ordering::Relaxed), 10);
    assert_eq!(server.get("/readyz").text(), "ready\n");
    let (alone, _) = served(Duration::ZERO, false);
    assert_eq!(alone.get("/api/novel").status, 500);
    assert_eq!(
        (alone.get("/readyz").status, &alone.get("/readyz").text()[..]),
        (503, "not ready\n")
    );
}

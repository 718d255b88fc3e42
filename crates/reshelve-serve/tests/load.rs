//! Places that fail or take long, and more requests than are looked up at once.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]

mod serving;

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use reshelve::ends::{EndError, JobCatalogue, JobLookup, JobPage, JobQuery, JobTotals, OneJob};
use reshelve::target_schema::Collection;
use reshelve_serve::Report;
use serving::{Answer, MemoryPlace, Running};

/// A place that does what a test needs when a job is asked for.
struct Odd(Box<LookUp>);

type LookUp = dyn Fn(&[u8]) -> Result<Option<Vec<u8>>, EndError> + Send + Sync;

impl JobCatalogue for Odd {
    fn page(&self, _: &JobQuery) -> Result<JobPage, EndError> {
        (self.0)(b"list").map(|_| JobPage::default())
    }

    fn totals(&self) -> Result<Arc<JobTotals>, EndError> {
        (self.0)(b"list").map(|_| Arc::default())
    }
}

impl JobLookup for Odd {
    fn name(&self) -> String {
        "odd".to_owned()
    }
    fn newest(&self, _: &[&[u8]], _: usize) -> Result<Vec<Vec<u8>>, EndError> {
        (self.0)(b"list").map(|_| Vec::new())
    }
    fn card(&self, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        (self.0)(job_id)
    }
    fn document(&self, _: Collection, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        (self.0)(job_id)
    }
    fn events(&self, job_id: &[u8], _: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        (self.0)(job_id).map(|_| Vec::new())
    }
}

/// Jobs that can only be looked at whole.
struct Looked(Arc<AtomicUsize>);

impl JobCatalogue for Looked {
    fn page(&self, _: &JobQuery) -> Result<JobPage, EndError> {
        Ok(JobPage::default())
    }

    fn totals(&self) -> Result<Arc<JobTotals>, EndError> {
        Ok(Arc::default())
    }
}

impl JobLookup for Looked {
    fn name(&self) -> String {
        "looked at".to_owned()
    }
    fn newest(&self, _: &[&[u8]], _: usize) -> Result<Vec<Vec<u8>>, EndError> {
        Ok(Vec::new())
    }
    fn card(&self, _: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        panic!("the job was asked for apart")
    }
    fn document(&self, _: Collection, _: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        panic!("the job was asked for apart")
    }
    fn events(&self, _: &[u8], _: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        panic!("the job was asked for apart")
    }
    fn look_at(&self, job_id: &[u8], look: &mut dyn FnMut(&dyn OneJob)) -> Result<(), EndError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        MemoryPlace::recorded().look_at(job_id, look)
    }
}

#[test]
fn a_request_looks_at_a_job_once() {
    let looks = Arc::new(AtomicUsize::new(0));
    let server = Running::of(Arc::new(Looked(Arc::clone(&looks))));
    for (at, below) in ["", "/events", "/metrics", "/metadata"].iter().enumerate() {
        let answer = server.get(&format!("/api/novel/680000000000000000000000{below}"));
        assert_eq!((answer.status, looks.load(Ordering::Relaxed)), (200, at + 1), "{below}");
    }
}

#[test]
fn a_place_that_fails_or_panics_is_answered_500_and_told() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let place = Odd(Box::new(|job_id| match job_id {
        b"panics" => panic!("out of ideas"),
        b"fails" | b"list" => Err(EndError::failed("the disk is gone", None)),
        _ => Ok(None),
    }));
    let server = Running::with(Arc::new(place), |settings| {
        settings.report = Report::to(move |failure| {
            tell.lock().unwrap().push(format!("{}: {}", failure.request, failure.why));
        });
    });
    let expected = r#"{"statusCode":500,"message":"Internal server error"}"#;
    for target in ["/api/novel/panics", "/api/novel/fails/events", "/api/novel?status=x"] {
        let answer = server.get(target);
        assert_eq!((answer.status, &answer.text()[..]), (500, expected), "{target}");
    }
    for _ in 0..100 {
        assert_eq!(server.get("/api/novel/panics").status, 500);
    }
    assert_eq!(server.get("/api/novel/nope").status, 404);
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    let told = told.lock().unwrap();
    assert_eq!(told[0], "/api/novel/panics: the look-up panicked: out of ideas");
    assert_eq!(told[1], "/api/novel/fails/events: the disk is gone");
    assert_eq!(told[2], "/api/novel?status=x: the disk is gone");
}

/// Counts those that are in it, and lets them out together.
#[derive(Default)]
struct Room {
    inside: AtomicUsize,
    most: AtomicUsize,
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Room {
    fn pass(&self) {
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        let mut is_open = self.is_open.lock().unwrap();
        while !*is_open {
            is_open = self.opened.wait(is_open).unwrap();
        }
        drop(is_open);
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn so_many_are_looked_up_at_once_and_what_needs_none_is_answered() {
    const LOOKUPS: usize = 3;
    let room = Arc::new(Room::default());
    let waiting = Arc::clone(&room);
    let place = Odd(Box::new(move |_| {
        waiting.pass();
        Ok(None)
    }));
    let mut server = Running::with(Arc::new(place), |settings| settings.limits.lookups = LOOKUPS);
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.write_all(b"GET /api/novel/x HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    }
    while room.inside.load(Ordering::SeqCst) < LOOKUPS {
        std::thread::yield_now();
    }
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(server.get("/healthz").status, 200);
    *room.is_open.lock().unwrap() = true;
    room.opened.notify_all();
    for client in &mut clients {
        assert_eq!(Answer::read(client, false).unwrap().status, 404);
    }
    assert_eq!(room.most.load(Ordering::SeqCst), LOOKUPS);
    server.stop();
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    let server = Running::with(Arc::new(MemoryPlace::recorded()), |settings| {
        settings.limits.connections = 2;
    });
    let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in clients.iter_mut().rev() {
        client.write_all(request).unwrap();
    }
    for client in &mut clients {
        assert_eq!(Answer::read(client, false).unwrap().status, 200);
    }
}

#[test]
fn requests_are_counted_by_route_and_status() {
    let server = Running::recorded();
    for target in ["/api/novel", "/API/NOVEL/rich/events", "/api/novel/nope", "/nope?a", "/nope?b"]
    {
        server.get(target);
    }
    let metrics = server.get("/metrics");
    assert_eq!(metrics.status, 200);
    let text = metrics.text();
    for line in [
        r#"reshelve_http_requests_total{route="list",status="200"} 1"#,
        r#"reshelve_http_requests_total{route="events",status="200"} 1"#,
        r#"reshelve_http_requests_total{route="detail",status="404"} 1"#,
        r#"reshelve_http_requests_total{route="unmatched",status="404"} 2"#,
        r#"reshelve_http_request_duration_seconds_count{route="list"} 1"#,
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_server_that_is_stopped_answers_what_has_begun() {
    let room = Arc::new(Room::default());
    let waiting = Arc::clone(&room);
    let place = Odd(Box::new(move |_| {
        waiting.pass();
        Ok(None)
    }));
    let mut server = Running::of(Arc::new(place));
    let mut busy = server.connect();
    busy.write_all(b"GET /api/novel/x HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut idle = server.connect();
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut idle, false).unwrap().status, 200);
    while room.inside.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    let address = server.address;
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| server.stop());
        assert_eq!(idle.read(&mut [0]).unwrap(), 0);
        *room.is_open.lock().unwrap() = true;
        room.opened.notify_all();
        assert_eq!(Answer::read(&mut busy, false).unwrap().status, 404);
        stopping.join().unwrap();
    });
    assert!(std::net::TcpStream::connect(address).is_err());
}

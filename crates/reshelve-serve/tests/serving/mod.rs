//! A place in memory, a server of it, and a client that sends bytes as they are.

#![allow(dead_code, reason = "each test file uses some of it")]
#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use reshelve::ends::{EVENTS_MAX, EndError, JobCatalogue, JobLookup, JobPage, JobQuery, JobTotals};
use reshelve::lookup::{Catalogue, CatalogueMaker, Extras, texts_of};
use reshelve::store::Scratch;
use reshelve::target_schema::Collection;
use reshelve_core::extjson;
use reshelve_core::mapping::{Mapper, Options, Outcome, TargetDocuments};
use reshelve_core::raw::{Document, Writer, documents};
use reshelve_serve::{Server, Settings, Sides, Stop};

/// A file of recorded answers, unpacked.
pub(crate) fn record(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api").join(name);
    let bytes = fs::read(&path).unwrap();
    let mut text = String::new();
    if name.ends_with(".gz") {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    text
}

#[derive(Default)]
struct Job {
    job: Vec<u8>,
    events: Vec<Vec<u8>>,
    metrics: Vec<u8>,
    metadata: Vec<u8>,
}

/// Target documents in memory, in source order.
#[derive(Default)]
pub(crate) struct MemoryPlace {
    jobs: Vec<Job>,
    by_id: BTreeMap<Vec<u8>, usize>,
}

impl MemoryPlace {
    /// What the mapping makes of legacy documents, given as Extended JSON, one a line.
    pub(crate) fn mapped(lines: &str) -> Self {
        let mut place = MemoryPlace::default();
        let mut mapper = Mapper::new(Options::default());
        for line in lines.lines() {
            let mut legacy = Vec::new();
            extjson::parse(line.as_bytes(), &mut legacy).unwrap();
            let mut out = TargetDocuments::default();
            let Outcome::Mapped(mapped) = mapper.map(&legacy, &mut out) else { continue };
            let events = out.events.bytes();
            let job = Job {
                job: out.jobs.bytes().to_vec(),
                events: documents(events).map(|range| events[range].to_vec()).collect(),
                metrics: out.metrics.bytes().to_vec(),
                metadata: out.metadata.bytes().to_vec(),
            };
            place.by_id.insert(mapped.job_id, place.jobs.len());
            place.jobs.push(job);
        }
        place
    }

    /// The documents of the recorded answers.
    pub(crate) fn recorded() -> Self {
        MemoryPlace::mapped(&record("http-source.json"))
    }

    /// The same jobs, of which nothing is known to have happened.
    pub(crate) fn without_events(mut self) -> Self {
        self.jobs.iter_mut().for_each(|job| job.events.clear());
        self
    }

    /// The same jobs, with another status in the target.
    pub(crate) fn with_status(mut self, status: &str) -> Self {
        for Job { job, .. } in &mut self.jobs {
            *job = with_text(job, "status", status);
        }
        self
    }

    fn job(&self, id: &[u8]) -> Option<&Job> {
        self.by_id.get(id).map(|at| &self.jobs[*at])
    }

    fn catalogue(&self) -> Result<Catalogue, EndError> {
        let mut maker = CatalogueMaker::new(&Scratch::from(&std::env::temp_dir()))?;
        for Job { job, metrics, metadata, .. } in &self.jobs {
            let mut extras = Extras::default();
            extras.take_metrics(metrics);
            extras.take_metadata(metadata);
            maker.add(job, &extras)?;
        }
        maker.finish()
    }
}

/// A document with another text in a field of its own.
fn with_text(document: &[u8], field: &str, text: &str) -> Vec<u8> {
    let mut out = Writer::new(Vec::new());
    let open = out.begin();
    for element in Document::new(document).elements() {
        if element.name == field.as_bytes() {
            out.string(field, text.as_bytes());
        } else {
            out.value_bytes(element.name, element.value);
        }
    }
    out.end(open);
    out.into_bytes()
}

fn text<'a>(document: &'a [u8], name: &str) -> &'a [u8] {
    Document::new(document).get(name).unwrap().text().unwrap()
}

impl JobCatalogue for MemoryPlace {
    fn page(&self, query: &JobQuery) -> Result<JobPage, EndError> {
        let texts = |id: &[u8]| self.job(id).and_then(|job| texts_of(&job.job));
        self.catalogue()?
            .page(query, &|wanted| Ok(wanted.iter().map(|one| texts(one.job_id)).collect()))
    }

    fn totals(&self) -> Result<Arc<JobTotals>, EndError> {
        Ok(self.catalogue()?.totals())
    }
}

impl JobLookup for MemoryPlace {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn newest(&self, statuses: &[&[u8]], limit: usize) -> Result<Vec<Vec<u8>>, EndError> {
        let has_status = |job: &&Job| statuses.contains(&text(&job.job, "status"));
        let mut found: Vec<&Job> = self.jobs.iter().filter(has_status).collect();
        let created = |job: &Job| Document::new(&job.job).get("createdAt").unwrap().date_ms();
        found.sort_by_key(|job| std::cmp::Reverse(created(job)));
        Ok(found.into_iter().take(limit).map(|job| job.job.clone()).collect())
    }

    fn card(&self, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        self.document(Collection::Jobs, job_id)
    }

    fn document(&self, kind: Collection, job_id: &[u8]) -> Result<Option<Vec<u8>>, EndError> {
        Ok(self.job(job_id).map(|job| match kind {
            Collection::Metrics => job.metrics.clone(),
            Collection::Metadata => job.metadata.clone(),
            _ => job.job.clone(),
        }))
    }

    fn events(&self, job_id: &[u8], before: Option<&[u8]>) -> Result<Vec<Vec<u8>>, EndError> {
        let Some(job) = self.job(job_id) else { return Ok(Vec::new()) };
        let is_before =
            |event: &&Vec<u8>| before.is_none_or(|before| text(event, "emittedAt") < before);
        let mut found: Vec<&Vec<u8>> = job.events.iter().filter(is_before).collect();
        found.sort_by(|one, other| text(other, "emittedAt").cmp(text(one, "emittedAt")));
        Ok(found.into_iter().take(EVENTS_MAX).cloned().collect())
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// A server of a place, on a port that is free.
    pub(crate) fn of(place: Arc<dyn JobLookup>) -> Self {
        Running::with(place, |_| {})
    }

    /// The same, with other settings.
    pub(crate) fn with(place: Arc<dyn JobLookup>, change: impl FnOnce(&mut Settings)) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut settings = Settings::new(listen, Sides::one(place));
        change(&mut settings);
        let server = Server::bind(settings).unwrap();
        let (address, stop) = (server.local_address(), Stop::default());
        let until = stop.clone();
        let thread = std::thread::spawn(move || server.run(&until));
        Running { address, stop, thread: Some(thread) }
    }

    /// A server of the documents of the recorded answers.
    pub(crate) fn recorded() -> Self {
        Running::of(Arc::new(MemoryPlace::recorded()))
    }

    /// Ends it, and waits until it has ended.
    pub(crate) fn stop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        // Far beyond what any answer takes: a test that waits for one fails, and does not hang.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends bytes over a connection of their own, and reads the answer to its end.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Option<Answer> {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes);
        Answer::read(&mut stream, bytes.starts_with(b"HEAD "))
    }

    /// `GET` of a target, which must be answered.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.raw(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case; several values of one joined.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads one answer; `None` where the connection ends without one.
    pub(crate) fn read(stream: &mut TcpStream, is_head: bool) -> Option<Self> {
        let head = loop {
            let head = read_head(stream)?;
            if !head.starts_with("HTTP/1.1 100") {
                break head;
            }
        };
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            let (name, value) = (name.to_ascii_lowercase(), value.trim());
            let all = headers.entry(name).or_default();
            *all = if all.is_empty() { value.to_owned() } else { format!("{all}, {value}") };
        }
        let mut body = Vec::new();
        let is_empty = is_head || [204, 304].contains(&status) || status < 200;
        match headers.get("content-length").map(|length| length.parse::<usize>().unwrap()) {
            _ if is_empty => {}
            Some(length) => {
                body.resize(length, 0);
                stream.read_exact(&mut body).unwrap();
            }
            None if headers.contains_key("transfer-encoding") => body = read_chunks(stream),
            None => {
                let _ = stream.read_to_end(&mut body);
            }
        }
        Some(Answer { status, headers, body })
    }

    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// A head, without its last line end; nothing where the connection ends before it is whole.
fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("no answer came: {}", String::from_utf8_lossy(&head))
            }
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).trim_end().to_owned())
}

fn read_chunks(stream: &mut TcpStream) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        let size = String::from_utf8(line).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut data = vec![0; size + 2];
        stream.read_exact(&mut data).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&data[..size]);
    }
}

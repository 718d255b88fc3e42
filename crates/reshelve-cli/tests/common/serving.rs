//! The binary as a server, and requests to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::common::{Call, Place};

/// A server that ends with the value.
pub(crate) struct Served {
    process: Child,
    address: String,
    stderr: Option<BufReader<ChildStderr>>,
}

/// An answer: the status, the header that names a side, the body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) side: Option<String>,
    pub(crate) body: String,
}

impl Served {
    /// Serves at a free port, and waits until it listens.
    pub(crate) fn new(place: &Place, args: &[&str]) -> Served {
        Served::of(place.call(&[&["serve", "--listen", "127.0.0.1:0"], args].concat()))
    }

    /// The same, and what it says before it listens.
    pub(crate) fn telling(place: &Place, args: &[&str]) -> (Served, String) {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        Served::of_telling(place.call(&args))
    }

    /// The same for a call that is made already.
    pub(crate) fn of(call: Call) -> Served {
        Served::of_telling(call).0
    }

    fn of_telling(call: Call) -> (Served, String) {
        let mut process = call.spawn(false);
        let stderr = process.stderr.take().map(BufReader::new);
        let mut served = Served { process, address: String::new(), stderr };
        let mut told = String::new();
        while served.address.is_empty() {
            let mut line = String::new();
            assert_ne!(
                served.stderr.as_mut().unwrap().read_line(&mut line).unwrap(),
                0,
                "it ended:\n{told}"
            );
            match line.trim_end().strip_prefix("listening on http://") {
                Some(address) => address.clone_into(&mut served.address),
                None => told.push_str(&line),
            }
        }
        (served, told)
    }

    /// `GET` of a target.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[], "").0
    }

    /// A request with some headers and a body; also gives the head of the answer.
    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (Answer, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        // Far beyond what any answer takes: a test that waits for one fails, and does not hang.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let host = &self.address;
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str(&format!("Connection: close\r\n\r\n{body}"));
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let side = head.lines().find_map(|line| line.strip_prefix("x-reshelve-side: "));
        let answer = Answer { status, side: side.map(str::to_owned), body: body.to_owned() };
        (answer, head.to_owned())
    }

    /// Where it listens: `127.0.0.1:8080`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What a client is given to reach it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process, where it was started without another program in front of it.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.stderr.as_mut().unwrap().read_line(&mut line).unwrap(), 0, "it ended");
        line.trim_end().to_owned()
    }

    /// Reads all that it prints from now on, beside the test: a pipe that nobody reads fills up.
    pub(crate) fn hear(&mut self) -> JoinHandle<String> {
        let mut stderr = self.stderr.take().unwrap();
        std::thread::spawn(move || {
            let mut told = String::new();
            stderr.read_to_string(&mut told).unwrap();
            told
        })
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Ends it as Ctrl-C does; its exit code, and what else it said.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        self.signal(Signal::INT);
        let mut told = String::new();
        if let Some(stderr) = &mut self.stderr {
            stderr.read_to_string(&mut told).unwrap();
        }
        (self.process.wait().unwrap().code(), told)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Answers of the application, as they were recorded over the documents of `http-source.json`:
/// target, status and body.
pub(crate) fn recorded() -> Vec<(String, u16, String)> {
    let records = include_bytes!("../../../reshelve-serve/tests/api/http.jsonl.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&records[..]).read_to_string(&mut text).unwrap();
    let recorded = text.lines().filter_map(|line| {
        let all: serde_json::Value = serde_json::from_str(line).unwrap();
        let request = &all["request"];
        let is_plain = request["method"] == "GET"
            && request["headers"].as_object().unwrap().is_empty()
            && request.get("body").is_none();
        let target = request["target"].as_str().unwrap();
        let is_of_a_job = target.starts_with("/api/novel");
        let (_, served) = line.split_once(r#","body":"#)?;
        let status = u16::try_from(all["status"].as_u64()?).unwrap();
        let is_json = all["body"].is_object();
        (is_plain && is_of_a_job && is_json)
            .then(|| (target.to_owned(), status, served[..served.len() - 1].to_owned()))
    });
    recorded.collect()
}

/// The documents that they were recorded over, as Extended JSON.
pub(crate) const SOURCE: &[u8] =
    include_bytes!("../../../reshelve-serve/tests/api/http-source.json");

/// Expects every recorded answer, from this side where there are two.
pub(crate) fn expect_recorded(served: &Served, side: Option<&str>, what: &str) {
    let recorded = recorded();
    assert!(recorded.len() > 100, "{}", recorded.len());
    for (target, status, body) in recorded {
        let answer = served.get(&target);
        let is_of_place = status == 200 || body.contains("was not found");
        let side = side.filter(|_| is_of_place).map(str::to_owned);
        assert_eq!(answer, Answer { status, side, body }, "{what}: {target}");
    }
}

//! A small HTTP server between the binary and an application: it passes requests on, or answers
//! otherwise, and remembers what was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is sent in place of an answer.
pub(crate) enum Instead {
    /// These bytes, and the end of the connection.
    Bytes(Vec<u8>),
    /// A whole answer; the connection ends when the next request comes on it.
    Whole(Vec<u8>),
    /// Nothing: the connection stays open.
    Silence,
}

impl Instead {
    /// A whole answer.
    pub(crate) fn answer(status: &str, head: &str, body: &str) -> Option<Instead> {
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\n\r\n{body}");
        Some(Instead::Whole(text.into_bytes()))
    }

    /// A whole answer in JSON.
    pub(crate) fn json(status: &str, body: &str) -> Option<Instead> {
        Instead::answer(status, "Content-Type: application/json\r\n", body)
    }
}

/// A server that ends with the test.
pub(crate) struct Between {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Between {
    /// Stands in front of an application; `instead` is asked with the target, and with how often it
    /// was asked for before.
    pub(crate) fn new(
        application: &str,
        instead: impl Fn(&str, usize) -> Option<Instead> + Send + Sync + 'static,
    ) -> Between {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (kept, instead) = (Arc::clone(&asked), Arc::new(instead));
        let application = application.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, instead, application) =
                    (Arc::clone(&kept), Arc::clone(&instead), application.clone());
                thread::spawn(move || serve(stream.unwrap(), &application, &kept, &*instead));
            }
        });
        Between { address, asked }
    }

    /// What it is reached by.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first line and the other fields of each request that came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Takes one request of a connection.
fn serve(
    mut stream: TcpStream,
    application: &str,
    kept: &Mutex<Vec<String>>,
    instead: &dyn Fn(&str, usize) -> Option<Instead>,
) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap().to_owned();
    let before = {
        let mut kept = kept.lock().unwrap();
        let is_same = |asked: &&String| asked.split(' ').nth(1) == Some(&target);
        let before = kept.iter().filter(is_same).count();
        kept.push(head.clone());
        before
    };
    let bytes = match instead(&target, before) {
        Some(Instead::Silence) => {
            // Until the other side gives up.
            let _ = stream.read(&mut byte);
            return;
        }
        Some(Instead::Bytes(bytes)) => bytes,
        Some(Instead::Whole(bytes)) => {
            let _ = stream.write_all(&bytes);
            let _ = stream.read(&mut byte);
            return;
        }
        None => {
            let mut to = TcpStream::connect(application).unwrap();
            let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
            to.write_all(head.as_bytes()).unwrap();
            let mut answer = Vec::new();
            to.read_to_end(&mut answer).unwrap();
            answer
        }
    };
    // It may not wait for the answer any more.
    let _ = stream.write_all(&bytes);
}

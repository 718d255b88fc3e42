//! Every recorded request, sent again: status, headers and body are those of the application.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]

mod serving;

use std::collections::BTreeMap;

use reshelve_serve::{ClientOrigin, Validation};
use serde_json::Value;
use serving::{Answer, Running, record};

/// Headers that are compared by their presence alone, or not: they are of the moment or of the
/// connection.
const OF_THE_CONNECTION: [&str; 4] = ["date", "connection", "keep-alive", "transfer-encoding"];

struct Recorded {
    request: Value,
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    /// As it was served.
    body: Vec<u8>,
}

impl Recorded {
    fn parse(line: &str) -> Self {
        let all: Value = serde_json::from_str(line).unwrap();
        let served = line.split_once(r#","body":"#).map(|(_, rest)| &rest[..rest.len() - 1]);
        let body = match &all["body"] {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            value => served.map_or_else(|| value.to_string(), str::to_owned).into_bytes(),
        };
        Recorded {
            request: all["request"].clone(),
            status: all["status"].as_u64().map(|status| u16::try_from(status).unwrap()),
            headers: serde_json::from_value(all["headers"].clone()).unwrap(),
            body,
        }
    }

    fn text(&self, name: &str) -> &str {
        self.request[name].as_str().unwrap_or("")
    }

    /// The request, as bytes.
    fn bytes(&self, server: &Running) -> Vec<u8> {
        let mut fields = BTreeMap::from([
            ("Host".to_owned(), server.address.to_string()),
            ("Connection".to_owned(), "close".to_owned()),
        ]);
        for (name, value) in self.request["headers"].as_object().unwrap() {
            fields.insert(name.clone(), value.as_str().unwrap().to_owned());
        }
        let mut body = self.text("body").to_owned();
        if let Some(length) = body.strip_prefix('(').and_then(|rest| rest.strip_suffix(" bytes)")) {
            let length: usize = length.parse().unwrap();
            body = format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
        }
        if self.request.get("body").is_some() {
            fields.insert("Content-Length".to_owned(), body.len().to_string());
        }
        let fields: String =
            fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let line = format!("{} {} HTTP/1.1\r\n", self.text("method"), self.text("target"));
        format!("{line}{fields}\r\n{body}").into_bytes()
    }

    /// Whether it is a new job that the declared rules refuse: this server takes none, and
    /// answers each alike.
    fn is_new_job_by_the_rules(&self) -> bool {
        (self.text("method"), self.text("target")) == ("POST", "/api/novel")
            && self.body.starts_with(b"{\"statusCode\":400,\"message\":\"Validation failed\"")
    }

    /// How an answer differs.
    fn differences(&self, answer: Option<&Answer>) -> Vec<String> {
        let (Some(status), Some(answer)) = (self.status, answer) else {
            let agree = self.status.is_none() && answer.is_none();
            let told = format!("{:?} instead of {:?}", answer, self.status);
            return if agree { Vec::new() } else { vec![told] };
        };
        let target = self.text("target");
        let of_the_moment = target.to_lowercase().starts_with("/health");
        let is_ours = target == "/internal/realtime/metrics" && status == 200;
        let is_session = answer.body.starts_with(b"0{\"sid\"");
        let mut found = Vec::new();
        if answer.status != status {
            found.push(format!("status {} instead of {status}", answer.status));
        }
        let mut names: Vec<&String> = answer.headers.keys().chain(self.headers.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let (one, other) = (answer.headers.get(name), self.headers.get(name));
            let is_left_out = OF_THE_CONNECTION.contains(&&name[..])
                || (name == "etag" && (of_the_moment || is_ours))
                || (name == "content-length"
                    && is_length_ours(status, is_ours || is_session, other));
            if one != other && !is_left_out {
                found.push(format!("{name}: {one:?} instead of {other:?}"));
            }
        }
        let (body, expected) = match of_the_moment && status == 200 && !self.body.is_empty() {
            true => (timeless(&answer.body), timeless(&self.body)),
            false if is_session => (sessionless(&answer.body), sessionless(&self.body)),
            false => (answer.text(), String::from_utf8(self.body.clone()).unwrap()),
        };
        if body != expected {
            found.push(format!("body {}", first_difference(&body, &expected)));
        }
        found
    }
}

/// Whether the length of a body need not be the recorded one: some bodies are ours or of the
/// moment, some came in chunks, and hyper sends no length with an answer that has no body.
fn is_length_ours(status: u16, is_ours: bool, recorded: Option<&String>) -> bool {
    is_ours || recorded.is_none() || status == 204
}

/// A health answer without what is of the moment, if that has its form.
fn timeless(body: &[u8]) -> String {
    let mut health: Value = serde_json::from_slice(body).unwrap();
    let at = health["timestamp"].as_str().unwrap();
    assert!(at.len() == 24 && at.ends_with('Z'), "{at}");
    assert!(health["uptimeSeconds"].is_u64());
    health["timestamp"] = Value::Null;
    health["uptimeSeconds"] = Value::Null;
    health.to_string()
}

/// The beginning of a session without its id.
fn sessionless(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap();
    let end = text.find("\",").unwrap();
    text[end..].to_owned()
}

fn first_difference(body: &str, expected: &str) -> String {
    let same = body.bytes().zip(expected.bytes()).take_while(|(one, other)| one == other).count();
    let near = |text: &str| {
        let bytes = &text.as_bytes()[same.saturating_sub(40)..text.len().min(same + 60)];
        String::from_utf8_lossy(bytes).into_owned()
    };
    format!("differs at byte {same}: {:?} instead of {:?}", near(body), near(expected))
}

fn replay(name: &str, server: &Running) -> usize {
    let text = record(name);
    let mut offenders = Vec::new();
    for line in text.lines() {
        let recorded = Recorded::parse(line);
        if recorded.is_new_job_by_the_rules() {
            continue;
        }
        let answer = server.raw(&recorded.bytes(server));
        let differences = recorded.differences(answer.as_ref());
        if !differences.is_empty() {
            let target: String = recorded.text("target").chars().take(100).collect();
            let request = format!("{} {target}", recorded.text("method"));
            offenders.push(format!("{request}\n    {}", differences.join("\n    ")));
        }
    }
    let count = offenders.len();
    assert!(offenders.is_empty(), "{count} answers differ:\n{}", offenders.join("\n"));
    text.lines().count()
}

#[test]
fn every_recorded_request_gets_the_recorded_answer() {
    assert_eq!(replay("http.jsonl.gz", &Running::recorded()), 303);
}

#[test]
fn with_the_declared_rules_unsound_parameters_are_refused_as_recorded() {
    let place = std::sync::Arc::new(serving::MemoryPlace::recorded());
    let server = Running::with(place, |settings| settings.validation = Validation::Declared);
    assert_eq!(replay("http-declared.jsonl.gz", &server), 308);
}

#[test]
fn so_does_a_server_for_pages_of_any_origin() {
    let place = std::sync::Arc::new(serving::MemoryPlace::recorded());
    let server = Running::with(place, |settings| {
        settings.client_origin = ClientOrigin::new("*").unwrap();
    });
    assert_eq!(replay("http-origin-star.jsonl", &server), 6);
}

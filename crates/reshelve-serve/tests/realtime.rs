//! Socket.IO over websocket and polling, against what a client of the application got.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]

mod serving;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use serving::{Answer, MemoryPlace, Running, record};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

const POLLING: &str = "/ws/?EIO=4&transport=polling";

/// A client of Socket.IO.
trait Client {
    fn send(&mut self, packet: &str);
    /// The next packet of Socket.IO.
    fn receive(&mut self) -> String;
}

/// Over a websocket.
struct Socket(WebSocket<TcpStream>);

impl Socket {
    fn open(server: &Running, query: &str, origin: Option<&str>) -> Self {
        let address = server.address;
        let url = format!("ws://{address}/ws/?EIO=4&transport=websocket{query}");
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let (socket, _) = tungstenite::client(request, server.connect()).unwrap();
        Socket(socket)
    }

    fn connect(server: &Running, origin: Option<&str>) -> Self {
        let mut socket = Socket::open(server, "", origin);
        let opened = socket.text();
        assert!(opened.starts_with("0{\"sid\":\""), "{opened}");
        socket
    }

    fn text(&mut self) -> String {
        self.0.read().unwrap().into_text().unwrap().to_string()
    }

    fn send_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }
}

impl Client for Socket {
    fn send(&mut self, packet: &str) {
        self.send_text(&format!("4{packet}"));
    }

    fn receive(&mut self) -> String {
        loop {
            let text = self.text();
            match text.strip_prefix('4') {
                Some(packet) => return packet.to_owned(),
                None => assert_eq!(text, "2", "an unknown packet"),
            }
            self.send_text("3");
        }
    }
}

/// By polling.
struct Polling<'a> {
    server: &'a Running,
    target: String,
    origin: Option<String>,
    received: std::collections::VecDeque<String>,
}

impl<'a> Polling<'a> {
    fn connect(server: &'a Running, origin: Option<&str>) -> Self {
        let target = POLLING.to_owned();
        let origin = origin.map(str::to_owned);
        let mut client = Polling { server, target, origin, received: Default::default() };
        let opened = client.ask("GET", "");
        let opened: Value = serde_json::from_str(opened.strip_prefix('0').unwrap()).unwrap();
        client.target = format!("{POLLING}&sid={}", opened["sid"].as_str().unwrap());
        client
    }

    fn ask(&self, method: &str, body: &str) -> String {
        let origin = self.origin.as_ref().map(|origin| format!("Origin: {origin}\r\n"));
        let request = format!(
            "{method} {} HTTP/1.1\r\nHost: localhost\r\n{}Content-Length: {}\r\n\r\n{body}",
            self.target,
            origin.unwrap_or_default(),
            body.len()
        );
        let answer = self.server.raw(request.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{request}: {}", answer.text());
        answer.text()
    }
}

impl Client for Polling<'_> {
    fn send(&mut self, packet: &str) {
        assert_eq!(self.ask("POST", &format!("4{packet}")), "ok");
    }

    fn receive(&mut self) -> String {
        loop {
            if let Some(packet) = self.received.pop_front() {
                return packet;
            }
            for text in self.ask("GET", "").split('\u{1e}') {
                match text.strip_prefix('4') {
                    Some(packet) => self.received.push_back(packet.to_owned()),
                    None => assert_eq!(text, "2", "an unknown packet"),
                }
            }
        }
    }
}

/// An event, as it was recorded: name and payload.
fn event(packet: &str) -> Value {
    serde_json::from_str(packet.strip_prefix('2').unwrap()).unwrap()
}

/// Without what is of the moment, if that has its form.
fn timeless(mut event: Value) -> Value {
    for name in ["subscribedAt", "unsubscribedAt"] {
        if let Some(at) = event[1].get_mut(name) {
            assert!(at.as_str().is_some_and(|at| at.len() == 24 && at.ends_with('Z')), "{at}");
            *at = Value::Null;
        }
    }
    if let Some(at) = event[1].get_mut("timestamp") {
        assert!(at.as_u64().is_some_and(|at| at > 1_700_000_000_000), "{at}");
        *at = Value::Null;
    }
    event
}

/// Does what a recorded client did, and compares what it got.
fn replay(recorded: &Value, client: &mut dyn Client) {
    let name = recorded["case"].as_str().unwrap();
    let received = recorded["received"].as_array().unwrap();
    client.send("0");
    let joined = client.receive();
    if let Some(refused) = received.first().filter(|first| first[0] == "connect_error") {
        let expected = json!({"message": refused[1], "data": refused[2]});
        assert_eq!(joined, format!("4{expected}"), "{name}");
        return;
    }
    let sid: Value = serde_json::from_str(joined.strip_prefix('0').unwrap()).unwrap();
    assert_eq!(sid["sid"].as_str().unwrap().len(), 20);
    client.send(&format!("2{}", recorded["emit"]));
    for expected in received {
        let packet = client.receive();
        if expected[1].get("event").is_some() || expected[1].get("snapshot").is_some() {
            assert_eq!(packet, format!("2{expected}"), "{name}");
        }
        assert_eq!(timeless(event(&packet)), timeless(expected.clone()), "{name}");
    }
    // Subscriptions are served one after the other: what comes now is all that comes.
    client.send(r#"2["subscribe",{"jobId":"the end"}]"#);
    let next = event(&client.receive());
    assert_eq!(
        (&next[0], &next[1]["jobId"]),
        (&json!("novel.subscribed"), &json!("the end")),
        "{name}"
    );
}

fn cases() -> Vec<Value> {
    let text = record("socketio.jsonl");
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(cases.len(), 13);
    cases
}

#[test]
fn over_a_websocket_clients_get_what_was_recorded() {
    let server = Running::recorded();
    for recorded in cases() {
        let origin = recorded["headers"]["Origin"].as_str();
        replay(&recorded, &mut Socket::connect(&server, origin));
    }
}

#[test]
fn by_polling_clients_get_what_was_recorded() {
    let server = Running::recorded();
    for recorded in cases() {
        let origin = recorded["headers"]["Origin"].as_str();
        replay(&recorded, &mut Polling::connect(&server, origin));
    }
}

#[test]
fn a_polling_client_may_change_to_a_websocket() {
    let server = Running::recorded();
    let mut polling = Polling::connect(&server, None);
    polling.send("0");
    assert!(polling.receive().starts_with('0'));
    let sid = polling.target.split("&sid=").nth(1).unwrap().to_owned();
    let mut socket = Socket::open(&server, &format!("&sid={sid}"), None);
    socket.send_text("2probe");
    assert_eq!(socket.text(), "3probe");
    socket.send_text("5");
    socket.send(r#"2["subscribe",{"jobId":"rich"}]"#);
    assert_eq!(event(&socket.receive())[0], "novel.subscribed");
    assert_eq!(event(&socket.receive())[0], "novel.job-status");
}

#[test]
fn a_job_without_events_is_one_status() {
    let server = Running::of(Arc::new(MemoryPlace::recorded().without_events()));
    let mut client = Socket::connect(&server, None);
    client.send("0");
    client.receive();
    client.send(r#"2["subscribe",{"jobId":"rich"}]"#);
    assert_eq!(event(&client.receive())[0], "novel.subscribed");
    let status = event(&client.receive());
    assert_eq!(
        (&status[0], &status[1]["status"]),
        (&json!("novel.job-status"), &json!("completed"))
    );
    client.send(r#"2["subscribe",{"jobId":"the end"}]"#);
    assert_eq!(event(&client.receive())[0], "novel.subscribed");
    let metrics = server.get("/internal/realtime/metrics");
    let metrics: Value = serde_json::from_slice(&metrics.body).unwrap();
    assert_eq!(metrics["totalConnections"], 1);
    assert_eq!(metrics["totalSubscriptions"], 2);
    assert_eq!(metrics["subscribersPerJob"]["rich"], 1);
    assert_eq!(metrics["lastCatchUp"]["rich"]["replaySource"], "aggregate");
}

#[test]
fn engine_io_refuses_as_the_application_does() {
    let server = Running::recorded();
    let ask = |method: &str, query: &str| {
        let request = format!("{method} /ws/{query} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let answer = server.raw(request.as_bytes()).unwrap();
        (answer.status, answer.text())
    };
    for (method, query, code, message) in [
        ("GET", "", 0, "Transport unknown"),
        ("GET", "?EIO=4&transport=carrier-pigeon", 0, "Transport unknown"),
        ("GET", "?EIO=4&transport=polling&transport=x", 0, "Transport unknown"),
        ("GET", "?EIO=4&transport=polling&sid=x&sid=y", 1, "Session ID unknown"),
        ("GET", "?EIO=4&transport=polling&sid=nope", 1, "Session ID unknown"),
        ("POST", "?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAHs", 1, "Session ID unknown"),
        ("POST", "?EIO=4&transport=polling", 2, "Bad handshake method"),
        ("GET", "?EIO=4&transport=websocket", 3, "Bad request"),
        ("GET", "?EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("GET", "?transport=polling", 5, "Unsupported protocol version"),
    ] {
        let expected = format!("{{\"code\":{code},\"message\":\"{message}\"}}");
        assert_eq!(ask(method, query), (400, expected), "{method} {query}");
    }
}

#[test]
fn a_websocket_that_is_refused_is_told_and_ended() {
    let server = Running::recorded();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (query, fields, expected) in [
        ("EIO=4&transport=x", format!("{version}{key}"), "Transport unknown"),
        ("EIO=3&transport=websocket", format!("{version}{key}"), "Unsupported protocol version"),
        ("EIO=4&transport=websocket&sid=x", format!("{version}{key}"), "Session ID unknown"),
        (
            "EIO=4&transport=websocket",
            version.to_owned(),
            "Missing or invalid Sec-WebSocket-Key header",
        ),
        (
            "EIO=4&transport=websocket",
            key.to_owned(),
            "Missing or invalid Sec-WebSocket-Version header",
        ),
    ] {
        let request =
            format!("GET /ws/?{query} HTTP/1.1\r\nHost: localhost\r\n{upgrade}{fields}\r\n");
        // What follows is never read as a request.
        let followed = format!("{request}GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut stream = server.connect();
        stream.write_all(followed.as_bytes()).unwrap();
        let answer = Answer::read(&mut stream, false).unwrap();
        assert_eq!((answer.status, &answer.text()[..]), (400, expected), "{query}");
        assert_eq!(answer.header("connection"), "close");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty());
    }
}

#[test]
fn what_is_no_packet_ends_the_session() {
    let server = Running::recorded();
    for packet in ["49", "42{}", "42", "x"] {
        let mut socket = Socket::connect(&server, None);
        socket.send_text(packet);
        loop {
            match socket.0.read() {
                Ok(Message::Text(text)) => assert!(["1", "2"].contains(&text.as_str()), "{text}"),
                Ok(_) => {}
                Err(_) => break,
            }
        }
    }
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn a_session_that_has_not_joined_is_sent_nothing() {
    let server = Running::recorded();
    let mut client = Socket::connect(&server, None);
    client.send(r#"2["subscribe",{"jobId":"rich"}]"#);
    client.send("0/elsewhere,{}");
    assert_eq!(client.receive(), r#"4/elsewhere,{"message":"Invalid namespace"}"#);
    client.send("0");
    assert!(client.receive().starts_with('0'));
    client.send("1");
    client.send(r#"2["ping",null]"#);
    client.send("0");
    assert!(client.receive().starts_with('0'));
}

#[test]
fn a_message_that_is_too_long_ends_the_session() {
    let server = Running::recorded();
    let mut socket = Socket::connect(&server, None);
    let _ = socket.0.send(Message::text("4".repeat(1_000_001)));
    while socket.0.read().is_ok() {}
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn a_server_that_is_stopped_ends_its_sessions() {
    let place = Arc::new(MemoryPlace::recorded());
    let mut server = Running::with(place, |settings| {
        // Longer than any test: it would wait for sessions that do not end.
        settings.limits.stop_time = Duration::from_secs(3600);
    });
    let mut joined = Socket::connect(&server, None);
    joined.send("0");
    joined.receive();
    let mut opened = Socket::connect(&server, None);
    server.stop();
    for socket in [&mut joined, &mut opened] {
        while socket.0.read().is_ok() {}
    }
}

#[test]
fn one_client_subscribes_to_so_many_jobs() {
    let server = Running::recorded();
    let mut client = Socket::connect(&server, None);
    client.send("0");
    client.receive();
    let ids = (0..100).map(|at| format!("job {at}")).chain(["x".repeat(70_000), "y".to_owned()]);
    for (at, id) in ids.enumerate() {
        client.send(&format!("2{}", json!(["subscribe", {"jobId": id}])));
        let expected = if at < 100 { "novel.subscribed" } else { "novel.error" };
        assert_eq!(event(&client.receive())[0], expected, "{at}");
    }
}

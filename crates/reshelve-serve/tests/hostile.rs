//! Clients that are many, slow or wrong: the server answers everybody else.

mod serving;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use serving::{Answer, MemoryPlace, Running};

#[test]
fn a_thousand_connections_at_once_lose_none() {
    const CLIENTS: usize = 1000;
    let server = Running::recorded();
    let request = b"GET /api/novel/rich/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.write_all(request).unwrap();
    }
    let first = Answer::read(&mut clients[0], false).unwrap();
    assert_eq!(first.status, 200);
    for client in &mut clients[1..] {
        let answer = Answer::read(client, false).unwrap();
        assert_eq!((answer.status, answer.body), (200, first.body.clone()));
    }
    // All are still open: each is answered once more.
    for client in &mut clients {
        client.write_all(request).unwrap();
        assert_eq!(Answer::read(client, false).unwrap().status, 200);
    }
}

#[test]
fn slow_clients_hold_nobody_up() {
    let server = Running::recorded();
    let mut heads: Vec<_> = (0..50).map(|_| server.connect()).collect();
    let mut bodies: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for client in &mut bodies {
        client
            .write_all(
                b"POST /api/novel HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n",
            )
            .unwrap();
    }
    let head = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for byte in head {
        for client in &mut heads {
            client.write_all(&[*byte]).unwrap();
        }
        for client in &mut bodies {
            client.write_all(b"1\r\n \r\n").unwrap();
        }
    }
    assert_eq!(server.get("/api/novel").status, 200);
    for client in &mut heads {
        assert_eq!(Answer::read(client, false).unwrap().status, 200);
    }
    for client in &mut bodies {
        client.write_all(b"2\r\n{}\r\n0\r\n\r\n").unwrap();
        assert_eq!(Answer::read(client, false).unwrap().status, 503);
    }
}

#[test]
fn a_body_without_end_is_answered_and_ended() {
    let server = Running::recorded();
    let mut client = server.connect();
    client
        .write_all(
            b"POST /api/novel HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Content-Length: 1000000000000\r\n\r\n",
        )
        .unwrap();
    let block = [b' '; 64 * 1024];
    let mut sent = 0;
    while sent < 4 * 1024 * 1024 && client.write_all(&block).is_ok() {
        sent += block.len();
    }
    assert_eq!(Answer::read(&mut client, false).unwrap().status, 413);
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn who_takes_too_long_is_told_so() {
    let server = Running::with(Arc::new(MemoryPlace::recorded()), |settings| {
        settings.limits.head_time = Duration::from_millis(50);
        settings.limits.request_time = Duration::from_millis(50);
        settings.limits.idle_time = Duration::from_millis(50);
    });
    let mut late = server.connect();
    late.write_all(b"GET /health HT").unwrap();
    assert_eq!(Answer::read(&mut late, false).unwrap().status, 408);
    let mut late = server.connect();
    late.write_all(
        b"POST /api/novel HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 5\r\n\r\n{",
    )
    .unwrap();
    assert_eq!(Answer::read(&mut late, false).unwrap().status, 408);
    let mut idle = server.connect();
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut idle, false).unwrap().status, 200);
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    assert_eq!(server.connect().read(&mut [0]).unwrap(), 0);
}

#[test]
fn one_connection_is_answered_again_and_again() {
    let server = Running::recorded();
    let mut client = server.connect();
    let mut requests = Vec::new();
    for _ in 0..3 {
        requests.extend_from_slice(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        requests.extend_from_slice(
            b"POST /nope HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Content-Length: 2\r\n\r\n{}",
        );
        requests.extend_from_slice(
            b"PUT /nope HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\
            Content-Type: application/json\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        );
    }
    client.write_all(&requests).unwrap();
    for _ in 0..3 {
        assert_eq!(Answer::read(&mut client, false).unwrap().status, 200);
        for method in ["POST", "PUT"] {
            let answer = Answer::read(&mut client, false).unwrap();
            assert_eq!(answer.status, 404);
            assert!(answer.text().contains(method));
            assert_eq!(answer.header("connection"), "keep-alive");
            assert_eq!(answer.header("keep-alive"), "timeout=5");
        }
    }
    client.write_all(b"GET /health HTTP/1.0\r\n\r\n").unwrap();
    let last = Answer::read(&mut client, false).unwrap();
    assert_eq!((last.status, last.header("connection")), (200, "close"));
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_node_answers_itself_is_answered_so() {
    let server = Running::recorded();
    let long = "z".repeat(17_000);
    for (request, status) in [
        ("GET /api/novel HTTP/1.1\r\n\r\n".to_owned(), Some(400)),
        ("get /api/novel HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), Some(400)),
        ("GET nope HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), Some(400)),
        ("GET /\u{fc} HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), Some(400)),
        ("\u{16}\u{3}\u{1}".to_owned(), Some(400)),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\n\r\n".to_owned(), Some(417)),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n"), Some(431)),
        ("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), None),
        (
            "POST /nope HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Transfer-Encoding: chunked\r\n\r\nzz\r\n"
                .to_owned(),
            Some(400),
        ),
    ] {
        let answer = server.raw(request.as_bytes());
        assert_eq!(answer.as_ref().map(|answer| answer.status), status, "{request:.60}");
        if let Some(answer) = answer {
            assert!(answer.body.is_empty());
            assert_eq!(answer.header("x-powered-by"), "");
        }
    }
    let mut client = server.connect();
    client
        .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nFOO / HTTP/1.1\r\n\r\n")
        .unwrap();
    assert_eq!(Answer::read(&mut client, false).unwrap().status, 200);
    assert_eq!(Answer::read(&mut client, false).unwrap().status, 400);
}

#[test]
fn a_client_may_stop_sending_before_it_reads() {
    let server = Running::recorded();
    let mut client = server.connect();
    client.write_all(b"GET /api/novel HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(Answer::read(&mut client, false).unwrap().status, 200);
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[test]
fn who_expects_to_continue_is_told_to() {
    let server = Running::recorded();
    let mut client = server.connect();
    client
        .write_all(
            b"POST /api/novel HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Expect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        )
        .unwrap();
    let mut head = [0; 25];
    client.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"{}").unwrap();
    assert_eq!(Answer::read(&mut client, false).unwrap().status, 503);
}

#[test]
fn another_host_is_not_answered_for() {
    let server = Running::with(Arc::new(MemoryPlace::recorded()), |settings| {
        settings.hosts = vec!["novels.example".to_owned()];
    });
    let port = server.address.port();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        ("localhost".to_owned(), 200),
        ("novels.example".to_owned(), 200),
        ("evil.example".to_owned(), 421),
        (format!("evil.example:{port}"), 421),
        (String::new(), 421),
    ] {
        for target in ["/api/novel", "/ws/?EIO=4&transport=polling", "/healthz"] {
            let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            let answer = server.raw(request.as_bytes()).unwrap();
            assert_eq!(answer.status, status, "{host} {target}");
        }
    }
}

#[test]
fn a_repeated_cursor_is_refused_and_a_missing_job_comes_first() {
    let server = Running::recorded();
    let repeated = server.get("/api/novel/rich/events?before=a&before=b");
    assert_eq!(repeated.status, 400);
    assert!(repeated.text().contains("before must be given once"), "{}", repeated.text());
    assert_eq!(server.get("/api/novel/nope/events?before=a&before=b").status, 404);
}

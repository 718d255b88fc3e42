//! What hyper gets to read, for what a client sends.

use proptest::prelude::*;

use super::*;

/// What is passed on of some bytes, given in pieces of `step` bytes, and how it ended.
fn passed(sent: &[u8], step: usize) -> (String, Option<Refusal>) {
    let (mut guard, mut out) = (Guard::new(), Vec::new());
    for piece in sent.chunks(step) {
        let mut at = 0;
        while at < piece.len() && !guard.is_over() {
            at += guard.take(&piece[at..], &mut out);
        }
    }
    (String::from_utf8_lossy(&out).into_owned(), guard.refusal())
}

#[test]
fn a_request_is_passed_on_in_one_form() {
    let sent = b"GET  /a?b HTTP/1.1\r\nX-Other:  z \r\nHost: a\r\nKeep-Alive: 3\r\nTE: x\r\n\
        Reshelve-Target: /evil\r\nExpect: x, 100-Continue;q\r\nContent-Length: 3\r\n\r\nabc\
        POST /c HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1;x\r\nd\r\n0\r\nT: t\r\n\r\n";
    let expected = "GET / HTTP/1.1\r\nreshelve-target: /a?b\r\nconnection: keep-alive\r\n\
        content-length: 3\r\nexpect: 100-continue\r\nhost: a\r\nx-other: z\r\n\r\nabc\
        POST / HTTP/1.1\r\nreshelve-target: /c\r\nconnection: close\r\n\
        transfer-encoding: chunked\r\n\r\n1\r\nd\r\n0\r\n\r\n";
    for step in [1, 2, 7, sent.len()] {
        assert_eq!(passed(sent, step), (expected.to_owned(), None), "{step}");
    }
}

#[test]
fn connections_persist_as_in_node() {
    for (version, connection, expected) in [
        ("1.1", "", "keep-alive"),
        ("1.1", "Connection: Close\r\n", "close"),
        ("1.0", "", "close"),
        ("1.0", "Connection: x, Keep-Alive\r\n", "keep-alive"),
    ] {
        let sent = format!("GET / HTTP/{version}\r\nHost: a\r\n{connection}\r\n");
        let (out, refusal) = passed(sent.as_bytes(), sent.len());
        assert!(out.contains(&format!("\r\nconnection: {expected}\r\n")), "{out}");
        assert_eq!(refusal, None);
    }
}

#[test]
fn what_node_answers_itself_is_not_passed_on() {
    for (sent, expected) in [
        ("GET / HTTP/1.1\r\n\r\n", Refusal::Malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\n", Refusal::Expectation),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect:\r\n\r\n", Refusal::Expectation),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: x100-continue\r\n\r\n", Refusal::Expectation),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::Silent),
        (
            "GET /api HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            Refusal::Silent,
        ),
        (
            "GET /WS/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            Refusal::Silent,
        ),
    ] {
        assert_eq!(passed(sent.as_bytes(), sent.len()), (String::new(), Some(expected)), "{sent}");
    }
    let without = "GET / HTTP/1.0\r\nExpect: foo\r\n\r\n";
    assert_eq!(passed(without.as_bytes(), 1).1, None);
    let not_asked = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n";
    assert_eq!(passed(not_asked.as_bytes(), 1).1, None);
}

#[test]
fn nothing_is_passed_on_after_a_refusal() {
    let sent = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nFOO / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n";
    let (out, refusal) = passed(sent, sent.len());
    assert!(out.contains("reshelve-target: /a") && !out.contains("/b"), "{out}");
    assert_eq!(refusal, Some(Refusal::Malformed));
}

#[test]
fn of_many_fields_those_that_are_read_are_kept() {
    let others: String = (0..500).map(|at| format!("X-{at}: y\r\n")).collect();
    let sent = format!("GET / HTTP/1.1\r\n{others}Host: a\r\nIf-None-Match: *\r\n\r\n");
    let (out, _) = passed(sent.as_bytes(), sent.len());
    assert!(out.contains("\r\nhost: a\r\nif-none-match: *\r\nx-0: y\r\n"), "{out}");
    assert_eq!(out.matches("\r\nx-").count(), FIELDS_MAX - 2);
}

#[test]
fn a_websocket_is_passed_on_as_it_is_up_to_a_limit() {
    let head = "GET /ws/?EIO=4 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\
        Sec-WebSocket-Key: k\r\n\r\n";
    let short = [head.as_bytes(), &[0x81, 0x82, 1, 2, 3, 4, 5, 6]].concat();
    let (out, refusal) = passed(&short, 3);
    assert!(out.contains("connection: upgrade\r\nupgrade: WebSocket\r\n"), "{out}");
    assert!(out.ends_with("\r\n\r\n\u{fffd}\u{fffd}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}"), "{out:?}");
    assert_eq!(refusal, None);
    let long = [head.as_bytes(), &[0x81, 0xff, 0, 0, 0, 0, 1, 0, 0, 0]].concat();
    assert_eq!(passed(&long, long.len()).1, Some(Refusal::Silent));
}

/// Pieces of requests, sound and not.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    const TEXTS: [&str; 22] = [
        "GET ",
        "POST ",
        "/a?b",
        "*",
        " HTTP/1.1\r\n",
        " HTTP/1.0\r\n",
        "Host: a\r\n",
        "\r\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: upgrade\r\n",
        "Upgrade: websocket\r\n",
        "Expect: 100-continue\r\n",
        "/ws/",
        "3\r\nabc\r\n",
        "0\r\n",
        "abc",
        ";x=y",
        "\n",
        "\r",
        ": ",
        "\u{81}\u{fe}",
    ];
    let piece = prop_oneof![
        9 => proptest::sample::select(&TEXTS[..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn how_the_bytes_are_cut_makes_no_difference(sent in pieces(), step in 1_usize..9) {
        prop_assert_eq!(passed(&sent, step), passed(&sent, sent.len().max(1)));
    }

    #[test]
    fn heads_that_are_passed_on_hold_no_other_line(sent in pieces()) {
        let request = [b"GET /".as_slice(), &sent].concat();
        let (out, _) = passed(&request, request.len());
        if let Some((head, _)) = out.split_once("\r\n\r\n") {
            let is_field = |line: &str| line.split_once(": ").is_some_and(|(name, _)| !name.is_empty());
            prop_assert!(head.split("\r\n").skip(1).all(is_field), "{}", head);
            prop_assert!(!head.replace("\r\n", "").contains(['\r', '\n']));
        }
    }
}

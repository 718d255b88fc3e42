//! Heads against what Node 20 was seen to do with each.

use super::*;

const HOST: &str = "Host: a\r\n";

fn read(text: &[u8]) -> Result<Option<Head>, Refusal> {
    HeadReader::default().take(text).map(|(_, head)| head)
}

fn outcome(text: &str) -> Result<String, Refusal> {
    let bytes: Vec<u8> = text.chars().map(|character| character as u8).collect();
    let head = read(&bytes)?.expect("the head is whole");
    Ok(format!("{} {} {}", head.method, head.target, head.is_1_1))
}

#[test]
fn request_lines_are_judged_as_node_judges_them() {
    for (line, expected) in [
        ("GET /a HTTP/1.1", Ok("GET /a true")),
        ("\r\n\r\nGET /a HTTP/1.1", Ok("GET /a true")),
        ("GET  /a  HTTP/1.1", Ok("GET /a true")),
        ("GET /a HTTP/1.0", Ok("GET /a false")),
        ("GET /a HTTP/2.0", Ok("GET /a false")),
        ("GET /a HTTP/0.9", Ok("GET /a false")),
        ("GET /a", Ok("GET /a false")),
        ("GET /a HTTP/1.2", Err(Refusal::Malformed)),
        ("GET /a http/1.1", Err(Refusal::Malformed)),
        ("GET /a HTTP/1.1 ", Err(Refusal::Malformed)),
        (" GET /a HTTP/1.1", Err(Refusal::Malformed)),
        ("GET\t/a HTTP/1.1", Err(Refusal::Malformed)),
        ("QUERY /a HTTP/1.1", Ok("QUERY /a true")),
        ("M-SEARCH /a HTTP/1.1", Ok("M-SEARCH /a true")),
        ("TRACE /a HTTP/1.1", Ok("TRACE /a true")),
        ("get /a HTTP/1.1", Err(Refusal::Malformed)),
        ("FOO /a HTTP/1.1", Err(Refusal::Malformed)),
        ("GETX /a HTTP/1.1", Err(Refusal::Malformed)),
        ("DESCRIBE /a HTTP/1.1", Err(Refusal::Malformed)),
        ("PRI * HTTP/2.0", Err(Refusal::Malformed)),
        ("\x16\x03\x01", Err(Refusal::Malformed)),
    ] {
        let expected = expected.map(str::to_owned);
        assert_eq!(outcome(&format!("{line}\r\n{HOST}\r\n")), expected, "{line:?}");
    }
}

#[test]
fn targets_are_judged_as_node_judges_them() {
    for target in [
        "*",
        "*x",
        "/",
        "/!\"$%&'()*+,-./:;<=>@[\\]^_`{|}~?a\"<>`{}|^\\#b#c",
        "http://x",
        "http://x?y",
        "http://u@x/a",
        "foo://x/a",
        "http:///",
        "http://[::1]:80/a",
    ] {
        let found = outcome(&format!("GET {target} HTTP/1.1\r\n{HOST}\r\n"));
        assert_eq!(found, Ok(format!("GET {target} true")));
    }
    for target in [
        "nope",
        "?a",
        "http:/x",
        "http://u@@x/a",
        "h2://x/a",
        "http://x#y",
        "http://x\"y/a",
        "://x",
        "/a\tb",
        "/a\x0cb",
        "/a\x7fb",
        "/a\u{80}b",
        "/a?\u{c3}\u{a9}",
        "/a\0b",
    ] {
        let found = outcome(&format!("GET {target} HTTP/1.1\r\n{HOST}\r\n"));
        assert_eq!(found, Err(Refusal::Malformed), "{target:?}");
    }
}

#[test]
fn fields_are_judged_as_node_judges_them() {
    for field in [
        "Host : a",
        "foo",
        ": v",
        "X: a\x01b",
        "X: a\x7fb",
        "X: a\0b",
        "X: a\rb",
        "X(: a",
        "X y: a",
        "X\u{e9}: a",
        "X: y\r\n z",
        "X: y\nZ: z",
    ] {
        let found = outcome(&format!("GET /a HTTP/1.1\r\n{HOST}{field}\r\n\r\n"));
        assert_eq!(found, Err(Refusal::Malformed), "{field:?}");
    }
    let head = read(b"GET /a HTTP/1.1\r\nHost:\r\nX-A: \t a\tb \xff \t\r\nx-a: c\r\n\r\n");
    let head = head.unwrap().unwrap();
    assert_eq!(head.first("host"), Some(&b""[..]));
    assert_eq!(head.all("x-a").collect::<Vec<_>>(), [&b"a\tb \xff"[..], b"c"]);
    assert!(head.lists("x-a", "C") && !head.lists("x-a", "a"));
}

#[test]
fn lines_end_with_both_bytes() {
    for text in ["GET /a HTTP/1.1\nHost: a\n\n", "GET /a HTTP/1.1\r\nHost: a\r\n\n"] {
        assert_eq!(outcome(text), Err(Refusal::Malformed), "{text:?}");
    }
}

#[test]
fn a_head_is_as_long_as_node_allows() {
    let of_value = |length: usize| {
        let value = "y".repeat(length - "/aHostaX".len());
        outcome(&format!("GET /a HTTP/1.1\r\n{HOST}X: {value}\r\n\r\n"))
    };
    assert!(of_value(HEAD_BYTES_MAX - 1).is_ok());
    assert_eq!(of_value(HEAD_BYTES_MAX), Err(Refusal::TooLong));
    let of_target = |length: usize| {
        let target = "y".repeat(length - "/Hosta".len());
        outcome(&format!("GET /{target} HTTP/1.1\r\n{HOST}\r\n"))
    };
    assert!(of_target(HEAD_BYTES_MAX - 2).is_ok());
    assert_eq!(of_target(HEAD_BYTES_MAX), Err(Refusal::TooLong));
    let of_blanks = |length: usize| {
        outcome(&format!("GET /a HTTP/1.1\r\n{HOST}X:{}y\r\n\r\n", " ".repeat(length)))
    };
    assert!(of_blanks(30_000).is_ok());
    assert_eq!(of_blanks(HEAD_RAW_BYTES_MAX), Err(Refusal::TooLong));
}

#[test]
fn a_head_is_the_same_however_it_is_cut() {
    let text = b"\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    let whole = read(text).unwrap();
    for step in 1..text.len() {
        let mut reader = HeadReader::default();
        let mut found = (0, None);
        for piece in text.chunks(step) {
            let (took, head) = reader.take(piece).unwrap();
            found.0 += took;
            if head.is_some() {
                found.1 = head;
                break;
            }
        }
        assert_eq!(found, (text.len() - 3, read(text).unwrap()), "{step}");
        assert!(reader.is_empty());
    }
    assert_eq!(whole.unwrap().target, "/a?b");
}

//! `crosscheck` and an application that answers wrongly, late, elsewhere, or not at all.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[path = "common/between.rs"]
mod between;
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::net::TcpListener;

use between::{Between, Instead};
use common::{Place, Told};
use serde_json::Value;
use serving::Served;

const LEGACY: &str = "{\"_id\":\"one\",\"status\":\"completed\",\"title\":\"t\"}\n\
                      {\"_id\":\"two\",\"status\":\"completed\",\"title\":\"t\"}\n";

/// A target of two jobs, and its application.
fn served() -> (Place, Served) {
    let place = Place::new();
    place.write("legacy.jsonl", LEGACY.as_bytes());
    place.expect(0, &["run", "legacy.jsonl", "target", "--apply"]);
    let served = Served::new(&place, &["target"]);
    (place, served)
}

fn check(place: &Place, code: i32, between: &Between, more: &[&str]) -> Told {
    place.expect(code, &[&["crosscheck", &between.url(), "legacy.jsonl"], more].concat())
}

fn json(told: &Told) -> Value {
    serde_json::from_str(&told.stdout).unwrap()
}

/// Another answer about the metrics of the first job.
fn for_one(
    answer: impl Fn() -> Option<Instead> + Send + Sync + 'static,
) -> impl Fn(&str, usize) -> Option<Instead> + Send + Sync + 'static {
    move |target, _| if target == "/api/novel/one/metrics" { answer() } else { None }
}

#[test]
fn nothing_but_get_is_sent_and_every_route_is_asked() {
    let (place, served) = served();
    let between = Between::new(served.address(), |_, _| None);
    check(&place, 0, &between, &["--all"]);
    let asked = between.asked();
    assert!(asked.iter().all(|head| head.starts_with("GET /api/novel")), "{asked:?}");
    assert!(asked.iter().all(|head| !head.to_lowercase().contains("authorization")));
    for target in [
        "/api/novel",
        "/api/novel?status=completed",
        "/api/novel/one",
        "/api/novel/one/events",
        "/api/novel/two/metrics",
        "/api/novel/two/metadata",
    ] {
        let line = format!("GET {target} HTTP/1.1\r\n");
        assert_eq!(asked.iter().filter(|head| head.starts_with(&line)).count(), 1, "{target}");
    }
}

#[test]
fn an_answer_that_is_another_one_differs() {
    let (place, served) = served();
    for (status, body) in [
        ("500 Internal Server Error", r#"{"statusCode":500,"message":"Internal server error"}"#),
        ("404 Not Found", r#"{"message":"none","error":"Not Found","statusCode":404}"#),
    ] {
        let between = Between::new(served.address(), for_one(move || Instead::json(status, body)));
        let found = json(&check(&place, 5, &between, &["--json"]));
        assert_eq!(found["routes"]["metrics"]["different"], 1, "{found}");
        let example = &found["groups"][0]["examples"][0];
        let number: u64 = status[..3].parse().unwrap();
        assert_eq!(example["application"]["status"], number, "{found}");
        let told = check(&place, 5, &between, &[]).stdout;
        assert!(told.contains(&format!("expected 200, application {number}")), "{told}");
    }
    // The same values in another text are another answer too.
    let spaced = served.get("/api/novel/one/metrics").body.replacen('{', "{ ", 1);
    let between = Between::new(served.address(), for_one(move || Instead::json("200 OK", &spaced)));
    let told = check(&place, 5, &between, &[]).stdout;
    assert!(told.contains("the same values, in another text"), "{told}");
}

#[test]
fn an_answer_that_cannot_be_had_is_told_and_says_nothing() {
    let (place, served) = served();
    let html = || Instead::answer("200 OK", "Content-Type: text/html\r\n", "<p>Sign in");
    let moved = || Instead::answer("302 Found", "Location: http://elsewhere/x\r\n", "");
    let cut = || {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"jobId\":";
        Some(Instead::Bytes(text.as_bytes().to_vec()))
    };
    let gone = || Instead::answer("502 Bad Gateway", "", "no");
    let denied = || Instead::json("401 Unauthorized", "{}");
    type Answer = fn() -> Option<Instead>;
    let all: [(Answer, &str); 6] = [
        (html, "the answer 200 is not JSON: 10 bytes, text/html"),
        (moved, "the answer 302 leads to http://elsewhere/x; redirects are not followed"),
        (cut, "the answer was cut off"),
        (gone, "the answer is 502"),
        (denied, "the answer is 401"),
        (|| Some(Instead::Silence), "no answer within 1 s"),
    ];
    for (answer, says) in all {
        let between = Between::new(served.address(), for_one(answer));
        let found = json(&check(&place, 1, &between, &["--timeout", "1", "--json"]));
        assert_eq!((&found["failed"], &found["exit"]), (&1.into(), &1.into()), "{found}");
        let failure = found["failures"][0].as_str().unwrap();
        assert!(failure.starts_with("GET /api/novel/one/metrics: "), "{failure}");
        assert!(failure.contains(says), "{failure}");
        assert_eq!(found["jobs"]["failed"], 1, "{found}");
        let told = check(&place, 1, &between, &["--timeout", "1"]).stdout;
        assert!(told.contains("1 answer could not be had") && told.contains(says), "{told}");
    }
}

#[test]
fn a_connection_that_fails_is_tried_again() {
    let (place, served) = served();
    let between = Between::new(served.address(), |target, before| {
        let is_first = target == "/api/novel/one/metrics" && before < 2;
        is_first.then(|| Instead::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_vec()))
    });
    let found = json(&check(&place, 0, &between, &["--json"]));
    assert_eq!(found["requests"]["retried"], 2, "{found}");
    let asked = between.asked();
    let times = asked.iter().filter(|head| head.starts_with("GET /api/novel/one/metrics ")).count();
    assert_eq!(times, 3);
}

#[test]
fn a_busy_application_is_left_alone_as_long_as_it_says() {
    let (place, served) = served();
    let between = Between::new(served.address(), |target, before| {
        let is_busy = target == "/api/novel/one/metrics" && before < 2;
        let passed = "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        let after = if before == 0 { "Retry-After: 0\r\n" } else { passed };
        if is_busy { Instead::answer("429 Too Many Requests", after, "{}") } else { None }
    });
    let found = json(&check(&place, 0, &between, &["--json"]));
    assert_eq!(found["requests"]["waited"], 2, "{found}");
    let never = Between::new(served.address(), |target, _| {
        let is_busy = target == "/api/novel/one/metrics";
        let answer = || Instead::answer("429 Too Many Requests", "Retry-After: 0\r\n", "{}");
        if is_busy { answer() } else { None }
    });
    let told = check(&place, 1, &never, &[]).stdout;
    assert!(told.contains("the answer is 429, also after 5 waits"), "{told}");
}

#[test]
fn what_is_no_such_application_ends_it_at_once() {
    let (place, served) = served();
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = format!("http://{unused}");
    place.expect(1, &["crosscheck", &address, "legacy.jsonl"]).says(&[
        &address,
        "nobody can be reached there",
        "hint:",
        "running",
    ]);
    let not_found = r#"{"message":"Cannot GET","error":"Not Found","statusCode":404}"#;
    let between =
        Between::new(served.address(), move |_, _| Instead::json("404 Not Found", not_found));
    check(&place, 1, &between, &[]).says(&["404", "hint:", "MONGODB_URI"]);
    assert_eq!(between.asked().len(), 1);
    let between = Between::new(served.address(), |_, _| {
        Instead::answer("301 Moved Permanently", "Location: https://h/\r\n", "")
    });
    check(&place, 1, &between, &[]).says(&["301", "https://h/", "hint:"]);
}

#[test]
fn an_application_that_stops_to_answer_ends_it() {
    let place = Place::new();
    let made = ["generate", "legacy.jsonl", "--documents", "40", "--preset", "lifecycle"];
    place.expect(0, &made);
    place.expect(0, &["run", "legacy.jsonl", "target", "--apply", "--in-flight", "include"]);
    let served = Served::new(&place, &["target"]);
    let between = Between::new(served.address(), |target, _| {
        let is_of_job = target.starts_with("/api/novel/");
        if is_of_job { Instead::answer("502 Bad Gateway", "", "no") } else { None }
    });
    check(&place, 1, &between, &["--all"]).says(&["after ", " answers, GET ", "502", "hint:"]);
    // 40 jobs with 4 answers each, of which 20 failed, and what was on the way.
    assert!(between.asked().len() < 50, "{}", between.asked().len());
}

#[test]
fn a_token_is_sent_and_never_shown() {
    let (place, _) = served();
    place.write("token", b"open-sesame\n");
    let served = Served::new(&place, &["target", "--token-file", "token"]);
    let between = Between::new(served.address(), |_, _| None);
    check(&place, 1, &between, &[]).says(&["401", "hint:", "--token-file"]);
    let told = check(&place, 0, &between, &["--token-file", "token", "--json", "--verbose"]);
    assert!(!format!("{}{}", told.stdout, told.stderr).contains("open-sesame"));
    let asked = between.asked();
    assert!(asked.last().unwrap().to_lowercase().contains("authorization: bearer open-sesame"));
}

//! A rollback is followed from another terminal, with its own figures.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/taken_back.rs"]
mod taken_back;

use common::{Told, until};
use serde_json::Value;
use taken_back::{COLLECTIONS, applied, checksums, document, place};

#[test]
fn a_rollback_is_followed_with_its_own_figures() {
    let place = place();
    let run = applied(&place, 0, "jobs.bson", &[]);
    let documents = |name: &str| checksums(&place)[name]["documents"].as_u64().unwrap();
    let all: u64 = COLLECTIONS.iter().map(|name| documents(name)).sum();
    let status = || document(&place.expect(0, &["status", &run, "--json"]));
    assert!(status().get("rollback").is_none(), "it is not being rolled back");
    // So slow that it waits after the first collection until it is told otherwise.
    let slow = ["rollback", &run, "--apply", "--max-docs-per-s", "1"];
    let back = place.call(&slow).spawn(false);
    let taken = || status().pointer("/rollback/documents").and_then(Value::as_u64).unwrap_or(0);
    until("something is taken back", || taken() > 0);
    let found = status();
    let rollback = &found["rollback"];
    assert_eq!((&found["state"], &found["at_work"]), (&"rolling-back".into(), &true.into()));
    assert_eq!((&rollback["documents"], &rollback["of"]), (&12.into(), &all.into()));
    assert!(rollback["left_ms"].is_u64() && rollback["elapsed_ms"].is_u64(), "{rollback}");
    assert!(rollback["docs_per_s"].is_number(), "{rollback}");
    assert_eq!(found["left_ms"], Value::Null, "that is the run's");
    let page = place.expect(0, &["status", &run]).stdout;
    assert!(page.contains(&format!("12 of about {all} documents")), "{page}");
    let mut watch = place.call(&["status", &run, "--watch"]).spawn(false);
    // It looks at least once before the end.
    let mut lines = std::io::BufReader::new(watch.stdout.take().unwrap());
    let mut first = String::new();
    std::io::BufRead::read_line(&mut lines, &mut first).unwrap();
    let words = format!("rolling-back, 12 of about {all} documents taken back, ");
    assert!(first.contains(&words) && first.contains("documents/s"), "{first}");
    assert!(first.contains(" left"), "{first}");
    place.expect(0, &["throttle", &run, "--max-docs-per-s", "off"]);
    Told::of("rollback".to_owned(), back.wait_with_output().unwrap()).expect(0);
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut lines, &mut rest).unwrap();
    assert!(watch.wait().unwrap().success());
    assert!(rest.contains("rolled-back"), "{rest}");
    assert!(status().get("rollback").is_none(), "it is over");
}

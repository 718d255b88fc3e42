//! Runs that take a part of their source are never called done, nor is their verdict plain.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use serde_json::{Value, json};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, Told, mixed_source, split, with};

const APPLY: [&str; 3] = ["--apply", "--in-flight", "include"];

fn place() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "30", "--preset", "lifecycle"]);
    place
}

fn document(told: &Told) -> Value {
    serde_json::from_str(&told.stdout).expect("the answer is JSON")
}

/// The verdict of the report of a run.
fn verdict(place: &Place, run: &str) -> Value {
    let told = place.expect(0, &["report", run, "--json"]);
    document(&told)["verdict"].clone()
}

fn expect_partial(place: &Place, told: &Told, words: &[&str]) {
    for word in words.iter().chain([&"is partial"]) {
        assert!(told.stdout.contains(word), "no {word:?} in {}", told.stdout);
    }
    assert!(!told.stdout.contains("is done"), "{}", told.stdout);
    let status = place.expect(0, &["status"]);
    assert!(status.stdout.lines().next().unwrap().ends_with(": partial"), "{}", status.stdout);
    let status = document(&place.expect(0, &["status", "--json"]));
    assert_eq!((&status["state"], &status["partial"]), (&json!("partial"), &json!(true)));
    assert_eq!(status["can_be_resumed"], false);
    let runs = document(&place.expect(0, &["runs", "--json"]));
    assert_eq!(runs["runs"].as_array().unwrap().last().unwrap()["state"], "partial");
}

#[test]
fn a_limited_run_is_partial() {
    let place = place();
    let dry = place.expect(0, &["run", "jobs.bson", "target", "--limit", "10"]);
    expect_partial(&place, &dry, &["the first 10 documents"]);
    let applied = with(&["run", "jobs.bson", "target", "--limit", "10"], &APPLY);
    let told = place.expect(0, &applied);
    expect_partial(&place, &told, &["the first 10 documents"]);
    let run = place.runs().pop().unwrap();
    let verdict = verdict(&place, &run);
    assert_eq!(verdict["word"], "holds-with-exceptions", "{verdict}");
    assert!(verdict["sentence"].as_str().unwrap().contains("A partial run"), "{verdict}");
    let page = String::from_utf8(place.read(&format!(".reshelve/runs/{run}/report/report.html")));
    assert!(page.unwrap().contains("verdict open"));
    // Against the whole source, the rest is missing.
    place.expect(5, &["verify", "jobs.bson", "target", "--run", &run]);
    // It has ended: nothing is left to resume, and the next run finds no lock.
    place.expect(0, &["resume", &run]);
    place.expect(0, &with(&["run", "jobs.bson", "target", "--allow-existing"], &APPLY));
}

#[test]
fn a_limit_that_is_not_reached_makes_no_part() {
    let place = place();
    let args = with(&["run", "jobs.bson", "target", "--limit", "31", "--json"], &APPLY);
    let told = document(&place.expect(0, &args));
    assert_eq!((&told["state"], &told["partial"]), (&json!("done"), &json!(false)));
    assert_eq!(verdict(&place, &place.run())["word"], "holds");
}

#[test]
fn a_retry_of_rejects_is_partial() {
    let place = Place::new();
    let source = mixed_source(&place, 30, "small");
    place.write("jobs.bson", &source);
    let rejected = document(&place.expect(4, &with(&["run", "jobs.bson", "t", "--json"], &APPLY)));
    assert_eq!((&rejected["state"], &rejected["partial"]), (&json!("done"), &json!(false)));
    let first = place.run();
    assert_eq!(verdict(&place, &first)["word"], "holds-with-exceptions");
    let retry = with(&["run", "jobs.bson", "t", "--only-rejects", &first], &APPLY);
    let told = place.expect(4, &retry);
    expect_partial(&place, &told, &["only what an earlier run had rejected"]);
}

#[test]
fn an_interrupted_run_is_partial_in_json() {
    let place = place();
    let source = place.read("jobs.bson");
    let args = ["run", "-", "target", "--in-flight", "include", "--json"];
    let told = place.call(&args).stdin(&source[..source.len() / 2]).expect(1);
    let told = document(&told);
    assert_eq!((&told["state"], &told["partial"]), (&json!("failed"), &json!(true)));
    let run = place.run();
    assert_eq!(verdict(&place, &run)["word"], "not-checked");
}

#[test]
fn what_was_left_out_is_an_exception() {
    let place = Place::new();
    place.write("jobs.bson", &mixed_source(&place, 30, "small"));
    place.expect(4, &["run", "jobs.bson", "target", "--apply", "--in-flight", "skip"]);
    let verify = ["verify", "jobs.bson", "target", "--in-flight", "skip"];
    let told = place.expect(0, &verify);
    let words = "Parity holds, with exceptions: 3 documents rejected, ";
    assert!(told.stdout.starts_with(words), "{}", told.stdout);
    let told = document(&place.expect(0, &with(&verify, &["--json"])));
    assert_eq!(told["verdict"], "holds-with-exceptions");
}

#[test]
fn a_source_that_is_rejected_whole_may_be_the_wrong_one() {
    let place = Place::new();
    let source = mixed_source(&place, 10, "small");
    // The document that is no job.
    let no_job = split(&source).into_iter().find(|document| document.ends_with(b"no\0\0")).unwrap();
    place.write("other.bson", &no_job);
    let told = place.expect(4, &with(&["run", "other.bson", "target"], &APPLY));
    assert!(told.stdout.contains("Is this the right collection?"), "{}", told.stdout);
    let told = place.expect(0, &["verify", "other.bson", "target"]);
    assert!(told.stdout.contains("Is this the right collection?"), "{}", told.stdout);
    let verdict = verdict(&place, &place.run());
    assert_eq!(verdict["word"], "holds-with-exceptions", "{verdict}");
    assert!(verdict["sentence"].as_str().unwrap().contains("right collection?"), "{verdict}");
}

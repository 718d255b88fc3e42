//! `crosscheck`: the running application asked, and its answers compared.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/asked.rs"]
mod asked;
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::fs;

use asked::{alter, place};
use common::Place;
use serde_json::{Value, json};
use serving::Served;

fn check(place: &Place, code: i32, args: &[&str]) -> Value {
    let told = place.expect(code, &[&["crosscheck"], args, &["--json"]].concat());
    serde_json::from_str(&told.stdout).unwrap()
}

#[test]
fn an_application_that_answers_as_it_should_agrees() {
    let place = place();
    let served = Served::new(&place, &["target"]);
    for (source, side) in [("legacy.jsonl", "legacy"), ("target", "normalized")] {
        let found = check(&place, 0, &[&served.url(), source, "--all"]);
        assert_eq!(found["schema"], "reshelve.crosscheck/1");
        assert_eq!((&found["side"], &found["sample"]), (&json!(side), &Value::Null));
        assert_eq!(found["compared"], found["agreed"]);
        let jobs = &found["jobs"];
        assert_eq!((&jobs["asked"], &jobs["agreed"]), (&json!(20), &json!(20)), "{found}");
        for route in ["detail", "events", "metrics", "metadata"] {
            assert!(found["routes"][route]["agreed"].as_u64() >= Some(20), "{route}: {found}");
        }
        // Each status, no status, all of them.
        assert!(found["routes"]["list"]["agreed"].as_u64() >= Some(6), "{found}");
        assert_eq!((&found["groups"], &found["exit"]), (&json!([]), &json!(0)));
    }
    let told = place.expect(0, &["crosscheck", &served.url(), "target"]).stdout;
    assert!(told.starts_with("All ") && told.contains("of the application agree."), "{told}");
}

#[test]
fn a_sample_is_even_always_the_same_and_said() {
    let place = place();
    let served = Served::new(&place, &["target"]);
    let url = served.url();
    let args = [&url[..], "legacy.jsonl", "--sample", "4"];
    let found = check(&place, 0, &args);
    let jobs = &found["jobs"];
    assert_eq!((&jobs["asked"], &jobs["inPlace"]), (&json!(4), &json!(20)), "{found}");
    assert_eq!(check(&place, 0, &args)["jobs"], *jobs);
    let told = place.expect(0, &[&["crosscheck"], &args[..]].concat()).stdout;
    assert!(told.contains("a sample, 4 of 20 jobs; --all"), "{told}");
    place.expect(2, &[&["crosscheck", "--all"], &args[..]].concat()).says(&["--sample"]);
    place.expect(2, &["crosscheck", "http://h", "target", "--sample", "0"]);
}

#[test]
fn each_altered_document_is_found_and_named() {
    let place = place();
    for (collection, after, step, route, path, source) in [
        ("novel_jobs", &b"\x02title\0"[..], 4, "detail", "payload.title", "title"),
        ("novel_job_events", b"\x02status\0", 4, "events", "items[].status", "status"),
        (
            "novel_job_metrics",
            b"\x01totalUsd\0",
            6,
            "metrics",
            "cost.totalUsd",
            "metadata.costTracking.totalCost",
        ),
        (
            "novel_job_metadata",
            b"\x02message\0",
            4,
            "metadata",
            "continuityAlerts[].message",
            "alert",
        ),
    ] {
        let sound = alter(&place, collection, after, step);
        let served = Served::new(&place, &["target"]);
        let out = format!("out-{route}");
        let found = check(&place, 5, &[&served.url(), "legacy.jsonl", "--all", "--out", &out]);
        assert_eq!(found["routes"][route]["different"], 1, "{found}");
        assert_eq!((&found["jobs"]["different"], &found["exit"]), (&json!(1), &json!(5)));
        let groups = found["groups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["route"] == route).unwrap();
        assert_eq!((&group["path"], &group["answers"]), (&json!(path), &json!(1)), "{group}");
        let example = &group["examples"][0];
        assert!(example["request"].as_str().unwrap().starts_with("/api/novel/"), "{example}");
        let difference = &example["differences"][0];
        let target = difference["target"].as_str().unwrap();
        assert!(target.starts_with(collection), "{difference}");
        let first = difference["sources"][0]["path"].as_str().unwrap_or_default();
        assert!(first.to_lowercase().contains(&source.to_lowercase()), "{difference}");
        // What was found is left, and each answer that differs on a line of its own.
        let kept: Value =
            serde_json::from_slice(&place.read(&format!("{out}/crosscheck.json"))).unwrap();
        assert_eq!(kept["groups"], found["groups"]);
        let lines = fs::read_to_string(place.path(&format!("{out}/crosscheck.jsonl"))).unwrap();
        assert_eq!(
            lines.lines().count(),
            usize::try_from(found["different"].as_u64().unwrap()).unwrap()
        );
        let line: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert_eq!(line["jobId"], example["jobId"]);
        let told = place.expect(5, &["crosscheck", &served.url(), "legacy.jsonl", "--all"]).stdout;
        assert!(told.contains("from what") && told.contains(target), "{told}");
        place.write(&format!("target/letswriteabook/{collection}.bson"), &sound);
    }
}

#[test]
fn texts_are_shown_only_if_asked_for() {
    let place = place();
    let titles = |found: &Value| -> Vec<Value> {
        let groups = found["groups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["route"] == "detail").unwrap();
        ["expected", "application"].map(|side| group["examples"][0][side]["value"].clone()).to_vec()
    };
    alter(&place, "novel_jobs", b"\x02title\0", 4);
    let served = Served::new(&place, &["target"]);
    let url = served.url();
    let args = [&url[..], "legacy.jsonl", "--all"];
    let hidden = check(&place, 5, &args);
    assert!(titles(&hidden).iter().all(|title| title["textBytes"].is_u64()), "{hidden}");
    let shown = check(&place, 5, &[&args[..], &["--with-texts"]].concat());
    assert!(titles(&shown).iter().all(Value::is_string), "{shown}");
}

#[test]
fn decisions_of_the_mapping_count_and_in_flight_jobs_are_expected() {
    let place = Place::new();
    let lines = [
        r#"{"_id":"done","status":"completed","title":"t"}"#,
        r#"{"_id":"in flight/ü","status":"queued"}"#,
        r#"{"_id":"odd","status":"no such status"}"#,
    ];
    place.write("legacy.jsonl", format!("{}\n", lines.join("\n")).as_bytes());
    place.expect(4, &["run", "legacy.jsonl", "target", "--apply", "--in-flight", "skip"]);
    let served = Served::new(&place, &["target"]);
    let found = check(&place, 0, &[&served.url(), "legacy.jsonl", "--in-flight", "skip"]);
    let jobs = &found["jobs"];
    let counts = ["agreed", "rejected", "skipped"].map(|name| jobs[name].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(1)], "{found}");
    // In flight, and carried over unless told otherwise: the application lacks it.
    let found = check(&place, 5, &[&served.url(), "legacy.jsonl"]);
    assert_eq!(found["jobs"]["different"], 1, "{found}");
    let groups = found["groups"].as_array().unwrap();
    let group = groups.iter().find(|group| group["route"] == "detail").unwrap();
    assert_eq!((&group["kind"], &group["path"]), (&json!("status"), &Value::Null), "{group}");
    let example = &group["examples"][0];
    assert_eq!(
        (&example["jobId"], &example["application"]["status"]),
        (&json!("in flight/ü"), &json!(404))
    );
}

#[test]
fn what_is_not_an_address_is_refused_and_never_quoted() {
    let place = Place::new();
    for (address, says) in [
        ("https://localhost:3000", &["https://", "hint:", "proxy"][..]),
        ("http://user:s3cret@localhost", &["API_URL", "hint:"]),
        ("http://s3cret@localhost", &["API_URL", "hint:"]),
        ("mongodb://user:s3cret@localhost/db", &["API_URL", "hint:"]),
        ("localhost:3000", &["API_URL", "hint:", "http://localhost:3000"]),
        ("http://localhost/?a=b", &["API_URL", "query"]),
    ] {
        let told = place.expect(2, &["crosscheck", address, "target"]).says(says);
        assert!(!format!("{}{}", told.stdout, told.stderr).contains("s3cret"), "{address}");
    }
    place.expect(1, &["crosscheck", "http://localhost:1", "no such place"]).says(&["hint:"]);
}

//! Shadow reads: every answer compared with the other side's, and why the two differ.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::time::{Duration, Instant};

use common::Place;
use serde_json::{Value, json};
use serving::{SOURCE, Served, recorded};

const JOB: &str = "/api/novel/680000000000000000000000";
const BOTH: [&str; 5] = ["--legacy", "legacy.json", "--normalized", "target", "--shadow"];

/// Legacy documents, and a target of them.
fn place(in_flight: &str) -> Place {
    let place = Place::new();
    place.write("legacy.json", SOURCE);
    place.expect(0, &["run", "legacy.json", "target", "--apply", "--in-flight", in_flight]);
    place
}

/// What has come of so many answers, once all are dealt with.
fn settled(served: &Served, answers: u64) -> Value {
    let begun = Instant::now();
    loop {
        let shadow: Value = serde_json::from_str(&served.get("/api/reshelve/shadow").body).unwrap();
        let routes = shadow["routes"].as_object().unwrap().values();
        let counts = routes.flat_map(|route| route.as_object().unwrap().values());
        if counts.map(|count| count.as_u64().unwrap()).sum::<u64>() == answers {
            return shadow;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{shadow}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn after_a_correct_migration_every_answer_agrees() {
    let place = place("include");
    for side in ["legacy", "normalized"] {
        let served = Served::new(&place, &[&BOTH[..], &["100", "--persistence", side]].concat());
        let mut answers = 0;
        for (target, _, _) in recorded() {
            answers += u64::from(served.get(&target).side.is_some());
            // No more wait at a time than there is room for.
            if answers % 100 == 0 {
                settled(&served, answers);
            }
        }
        let shadow = settled(&served, answers);
        assert!(answers > 100);
        assert_eq!(shadow["agreed"], answers, "{shadow}");
        assert_eq!(shadow["compared"], shadow["agreed"], "{shadow}");
        assert_eq!(shadow["examples"], Value::Array(Vec::new()));
    }
}

/// The example of one answer that differs.
fn example(place: &Place, target: &str, more: &[&str]) -> Value {
    let served = Served::new(place, &[&BOTH[..], more].concat());
    assert_eq!(served.get(target).status, 200);
    let shadow = settled(&served, 1);
    let count = [&shadow["compared"], &shadow["agreed"]].map(|count| count.as_u64().unwrap());
    assert_eq!(count, [1, 0], "{shadow}");
    let example = shadow["examples"][0].clone();
    let cause = example["cause"].as_str().unwrap();
    let route = example["route"].as_str().unwrap();
    assert_eq!(shadow["routes"][route][cause], 1, "{shadow}");
    let line = format!("reshelve_shadow_reads_total{{route=\"{route}\",outcome=\"{cause}\"}} 1");
    let metrics = served.get("/metrics").body;
    assert!(metrics.lines().any(|it| it == line), "{metrics}");
    example
}

#[test]
fn a_difference_is_lag_where_the_legacy_document_is_another_one() {
    let place = place("include");
    let source = std::str::from_utf8(SOURCE).unwrap();
    let changed = source.replace("\"premise\": \"p\"", "\"premise\": \"Secret\"");
    place.write("legacy.json", changed.as_bytes());
    for target in [JOB, "/api/novel"] {
        let example = example(&place, target, &["100"]);
        assert_eq!(example["cause"], "lag", "{example}");
        assert!(!example.to_string().contains("Secret"), "{example}");
    }
    let changed = source.replacen("Novel 0", "Secret 0", 1);
    place.write("legacy.json", changed.as_bytes());
    let example = example(&place, JOB, &["--with-texts"]);
    assert_eq!(example["path"], "payload.title");
    assert_eq!(example["legacy"]["value"], "Secret 0");
    assert_eq!(example["normalized"]["value"], "Novel 0");
}

#[test]
fn a_difference_is_an_edit_where_the_target_is_not_what_a_mapping_makes() {
    let place = place("include");
    let file = "target/letswriteabook/novel_jobs.bson";
    let mut jobs = place.read(file);
    let at = jobs.windows(8).position(|bytes| bytes == b"Novel 0\0").unwrap();
    jobs[at] = b'M';
    place.write(file, &jobs);
    let example = example(&place, JOB, &[]);
    assert_eq!(example["cause"], "edit", "{example}");
    assert_eq!(example["jobId"], "680000000000000000000000");
    let differences = example["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{example}");
    let difference = &differences[0];
    assert_eq!(
        (&difference["path"], &difference["kind"]),
        (&json!("payload.title"), &json!("value"))
    );
    assert_eq!(difference["target"], "novel_jobs.payload.title");
    assert_eq!(difference["sources"], json!([{ "path": "title", "rule": "text, as it is" }]));
    assert!(!example.to_string().contains("ovel 0"), "no texts: {example}");
}

#[test]
fn every_place_that_differs_is_named_with_what_it_comes_from() {
    let place = place("include");
    let file = "target/letswriteabook/novel_job_metrics.bson";
    let mut metrics = place.read(file);
    // Both are Int32: what follows the name is the value.
    for name in [&b"\x10totalUsd\0"[..], b"\x10outlineUsd\0"] {
        let at = metrics.windows(name.len()).position(|bytes| bytes == name).unwrap() + name.len();
        metrics[at..at + 4].copy_from_slice(&77_i32.to_le_bytes());
    }
    place.write(file, &metrics);
    let example = example(&place, &format!("{JOB}/metrics"), &[]);
    assert_eq!(example["cause"], "edit", "{example}");
    let named = example["differences"].as_array().unwrap().iter().map(|difference| {
        let of = |name: &str| difference[name].as_str().unwrap().to_owned();
        let source = difference["sources"][0]["path"].as_str().unwrap().to_owned();
        assert_eq!(difference["normalized"], 77, "{example}");
        (of("path"), of("target"), source)
    });
    let expected = [
        ("cost.totalUsd", "novel_job_metrics.cost.totalUsd", "metadata.costTracking.totalCost"),
        (
            "cost.outlineUsd",
            "novel_job_metrics.cost.outlineUsd",
            "metadata.costTracking.breakdown.outline",
        ),
    ];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(named.collect::<Vec<_>>(), expected);
}

#[test]
fn an_event_that_was_changed_is_an_edit() {
    let place = place("include");
    let file = "target/letswriteabook/novel_job_events.bson";
    let mut events = place.read(file);
    let at = events.windows(10).position(|bytes| bytes == b"requested\0").unwrap();
    events[at] = b'R';
    place.write(file, &events);
    let example = example(&place, &format!("{JOB}/events"), &["100"]);
    assert_eq!(example["cause"], "edit", "{example}");
    let target = example["differences"][0]["target"].as_str().unwrap();
    assert_eq!(target, "novel_job_events.snapshot.stage", "{example}");
}

#[test]
fn a_difference_is_the_mapping_where_the_run_decided_otherwise() {
    let place = place("as-failed");
    let example = example(&place, JOB, &[]);
    assert_eq!((&example["cause"], &example["path"]), (&"mapping".into(), &"status".into()));
}

#[test]
fn a_side_that_fails_costs_no_request_anything_and_is_left_alone() {
    let place = place("include");
    let served = Served::new(&place, &[&BOTH[..], &["100", "--persistence", "legacy"]].concat());
    let file = "target/letswriteabook/novel_job_metadata.bson";
    let mut bytes = place.read(file);
    bytes.rotate_left(5);
    place.write(file, &bytes);
    for asked in 1..=8 {
        let answer = served.get(&format!("{JOB}/metadata"));
        assert_eq!((answer.status, answer.side.as_deref()), (200, Some("legacy")));
        settled(&served, asked);
    }
    let shadow = settled(&served, 8);
    let metadata = &shadow["routes"]["metadata"];
    assert_eq!((&metadata["failed"], &metadata["skipped"]), (&5.into(), &3.into()), "{shadow}");
    let (_, told) = served.end();
    assert!(told.contains("shadow reads: failed 5 times in a row"), "{told}");
}

#[test]
fn without_two_sides_or_shadows_there_is_nothing_to_show() {
    let place = place("include");
    place.expect(2, &["serve", "target", "--shadow"]);
    let served = Served::new(&place, &BOTH[..4]);
    assert_eq!(served.get("/api/reshelve/shadow").status, 404);
}

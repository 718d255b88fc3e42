//! `shadow --offline`: every answer of both sides compared before the first request.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::fs;
use std::path::Path;

use common::{Place, split};
use serde_json::{Value, json};

const SHADOW: [&str; 4] = ["shadow", "--offline", "legacy.json", "target"];

/// The legacy documents of the golden cases, each with an id of its own.
fn golden() -> (Vec<u8>, usize) {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let mut names: Vec<_> = fs::read_dir(cases).unwrap().map(|it| it.unwrap().path()).collect();
    names.sort();
    let (mut out, mut count) = (Vec::new(), 0);
    for case in names {
        let (legacy, reject) = (case.join("legacy.json"), case.join("reject.json"));
        let Ok(text) = fs::read_to_string(legacy) else { continue };
        let Ok(mut legacy) = serde_json::from_str::<Value>(&text) else { continue };
        if reject.exists() || !legacy.is_object() {
            continue;
        }
        legacy["_id"] = json!(format!("case {count}/ü"));
        out.extend_from_slice(legacy.to_string().as_bytes());
        out.push(b'\n');
        count += 1;
    }
    (out, count)
}

/// Legacy documents of the golden cases, and a target of them.
fn place(in_flight: &str) -> (Place, usize) {
    let place = Place::new();
    let (legacy, count) = golden();
    place.write("legacy.json", &legacy);
    place.call(&["run", "legacy.json", "target", "--apply", "--in-flight", in_flight]).finish();
    (place, count)
}

fn shadow(place: &Place, code: i32, more: &[&str]) -> Value {
    let told = place.expect(code, &[&SHADOW[..], &["--json"], more].concat());
    serde_json::from_str(&told.stdout).unwrap()
}

/// How many answers of a route had such a fate.
fn count(shadow: &Value, route: &str, fate: &str) -> u64 {
    shadow["routes"][route][fate].as_u64().unwrap()
}

#[test]
fn after_a_correct_migration_every_answer_agrees() {
    let (place, count_of_cases) = place("include");
    let found = shadow(&place, 0, &[]);
    assert_eq!(found["schema"], "reshelve.shadow/1");
    let jobs = found["jobs"]["agreed"].as_u64().unwrap();
    let rejected = found["jobs"]["rejected"].as_u64().unwrap();
    assert!(jobs > 80, "{found}");
    assert_eq!(jobs + rejected, count_of_cases as u64, "{found}");
    assert_eq!(found["compared"], found["agreed"]);
    for route in ["detail", "metrics", "metadata"] {
        assert_eq!(count(&found, route, "agreed"), jobs, "{found}");
    }
    // Each status, no status, all of them.
    assert!(count(&found, "list", "agreed") >= 6, "{found}");
    let text = place.expect(0, &SHADOW).stdout;
    assert!(text.contains("answers agree"), "{text}");
}

#[test]
fn events_are_compared_on_every_page() {
    let place = Place::new();
    let chapters: Vec<Value> = (0..300)
        .map(|number| json!({ "chapterNumber": number, "title": "t", "content": "c", "status": "completed", "cost": 0.5, "tokensUsed": 3 }))
        .collect();
    let legacy =
        json!({ "_id": "long", "status": "completed", "title": "t", "chapters": chapters });
    place.write("legacy.json", format!("{legacy}\n").as_bytes());
    place.expect(0, &["run", "legacy.json", "target", "--apply"]);
    let found = shadow(&place, 0, &[]);
    // 600 events and more: three pages.
    assert_eq!(count(&found, "events", "agreed"), 3, "{found}");
    let file = "target/letswriteabook/novel_job_events.bson";
    let mut events = place.read(file);
    let at = events.windows(10).position(|bytes| bytes == b"requested\0").unwrap();
    events[at] = b'R';
    place.write(file, &events);
    // The oldest event is on the last page.
    let found = shadow(&place, 5, &[]);
    assert_eq!((count(&found, "events", "agreed"), count(&found, "events", "edit")), (2, 1));
    assert_eq!(found["jobs"]["different"], 1, "{found}");
    let request = found["examples"][0]["request"].as_str().unwrap();
    assert!(request.starts_with("/api/novel/long/events?before="), "{request}");
    assert_eq!(found["exit"], 5);
}

#[test]
fn each_difference_has_its_cause() {
    let (place, _) = place("include");
    let target = "target/letswriteabook/novel_jobs.bson";
    let sound = place.read(target);
    // A job of the new application, which was never mapped, is gone from the legacy side.
    let mut jobs = split(&sound);
    let edited = jobs[0].clone();
    let at = edited.windows(6).position(|bytes| bytes == b"title\0").unwrap() + 10;
    jobs[0][at] = jobs[0][at].wrapping_add(1);
    place.write(target, &jobs.concat());
    let found = shadow(&place, 5, &[]);
    assert_eq!(count(&found, "detail", "edit"), 1, "{found}");
    assert_eq!(found["jobs"]["different"], 1, "{found}");
    let example = &found["examples"].as_array().unwrap().last().unwrap();
    assert_eq!(example["differences"][0]["target"], "novel_jobs.payload.title", "{example}");
    // A job that the target lacks.
    jobs.remove(0);
    place.write(target, &jobs.concat());
    let found = shadow(&place, 5, &[]);
    assert_eq!(found["jobs"]["onlyLegacy"], 1, "{found}");
    // A document that is another one since.
    place.write(target, &sound);
    let source = String::from_utf8(place.read("legacy.json")).unwrap();
    place.write("legacy.json", source.replacen("\"title\":\"", "\"title\":\"New ", 1).as_bytes());
    let found = shadow(&place, 5, &[]);
    assert_eq!(count(&found, "detail", "lag"), 1, "{found}");
    // A document that is gone.
    place.write("legacy.json", source.split_once('\n').unwrap().1.as_bytes());
    let found = shadow(&place, 5, &[]);
    assert_eq!(found["jobs"]["onlyNormalized"], 1, "{found}");
    assert_eq!(count(&found, "detail", "lag"), 1, "{found}");
}

#[test]
fn other_decisions_than_those_of_the_run_are_the_mapping() {
    let (place, _) = place("as-failed");
    // What is not decided here is decided as it was there.
    assert_eq!(shadow(&place, 0, &[])["jobs"]["different"], 0);
    let found = shadow(&place, 5, &["--in-flight", "include"]);
    let different = found["jobs"]["different"].as_u64().unwrap();
    assert!(different > 0);
    assert_eq!(count(&found, "detail", "mapping"), different, "{found}");
    let found = shadow(&place, 0, &["--in-flight", "as-failed"]);
    assert_eq!(found["jobs"]["different"], 0);
    // Left out here, carried over by the run: that is no agreement, and no lag.
    let found = shadow(&place, 5, &["--in-flight", "skip"]);
    assert_eq!(found["jobs"]["skipped"], different, "{found}");
    assert_eq!(found["jobs"]["onlyNormalized"], different, "{found}");
    assert_eq!(count(&found, "detail", "mapping"), different, "{found}");
}

#[test]
fn what_is_rejected_or_left_out_is_counted_and_is_no_agreement() {
    let place = Place::new();
    let lines = [
        r#"{"_id":"done","status":"completed","title":"t"}"#,
        r#"{"_id":"in flight","status":"queued"}"#,
        r#"{"_id":"odd","status":"no such status"}"#,
        r#"{"_id":"done","status":"completed","title":"again"}"#,
    ];
    place.write("legacy.json", format!("{}\n", lines.join("\n")).as_bytes());
    place.expect(4, &["run", "legacy.json", "target", "--apply", "--in-flight", "skip"]);
    let found = shadow(&place, 0, &["--in-flight", "skip"]);
    let jobs = &found["jobs"];
    let counts = ["agreed", "rejected", "skipped", "different"].map(|name| jobs[name].as_u64());
    assert_eq!(counts, [Some(1), Some(2), Some(1), Some(0)], "{found}");
    let told = place.expect(0, &[&SHADOW[..], &["--in-flight", "skip"]].concat());
    assert!(told.stdout.contains("with exceptions: 2 documents rejected"), "{}", told.stdout);
}

#[test]
fn jobs_that_an_unfinished_run_has_not_carried_over_are_unfinished() {
    let place = Place::new();
    let (legacy, _) = golden();
    place.write("legacy.json", &legacy);
    let args = ["run", "legacy.json", "target", "--apply", "--in-flight", "include"];
    place.expect(0, &[&args[..], &["--limit", "10"]].concat());
    let found = shadow(&place, 5, &[]);
    let jobs = &found["jobs"];
    assert_eq!((&jobs["agreed"], &jobs["different"]), (&json!(10), &json!(0)), "{found}");
    let unfinished = jobs["unfinished"].as_u64().unwrap();
    assert!(unfinished > 50, "{found}");
    assert_eq!(count(&found, "detail", "skipped"), unfinished);
    assert_eq!(count(&found, "detail", "agreed"), 10);
}

#[test]
fn it_compares_only_when_asked_to_and_only_two_sides() {
    let place = Place::new();
    place.write("legacy.json", br#"{"_id":"done","status":"completed","title":"t"}"#);
    place.expect(2, &["shadow", "legacy.json", "target"]).says(&["--offline", "hint:", "serve"]);
    place.expect(2, &SHADOW).says(&["no target collections there", "hint:"]);
    place.expect(2, &["shadow", "--offline", "mongodb//x:secret@h/", "target"]);
}

#[test]
fn a_status_that_was_edited_in_the_target_is_an_edit_in_every_list_that_it_moved() {
    let place = Place::new();
    let line = |number: usize, status: &str| {
        let at = 1_700_000_000_000_i64 + i64::try_from(number).unwrap();
        let created = json!({ "$date": { "$numberLong": at.to_string() } });
        let id = format!("job {number}");
        json!({ "_id": id, "title": "t", "status": status, "createdAt": created }).to_string()
    };
    let status = |number: usize| if number.is_multiple_of(2) { "completed" } else { "failed" };
    let legacy: Vec<String> = (0..9).map(|number| line(number, status(number))).collect();
    place.write("legacy.json", (legacy.join("\n") + "\n").as_bytes());
    place.expect(0, &["run", "legacy.json", "target", "--apply"]);
    let file = "target/letswriteabook/novel_jobs.bson";
    // The newest of the completed ones, which is in front of the list that it comes to as well.
    let mut jobs = split(&place.read(file));
    let at = jobs[8].windows(7).position(|it| it == b"status\0").unwrap() - 1;
    let (old, new) = (b"\x02status\0\x0a\0\0\0completed\0", b"\x02status\0\x07\0\0\0failed\0");
    assert_eq!(&jobs[8][at..at + old.len()], old);
    jobs[8].splice(at..at + old.len(), new.iter().copied());
    let length = u32::try_from(jobs[8].len()).unwrap().to_le_bytes();
    jobs[8][..4].copy_from_slice(&length);
    place.write(file, &jobs.concat());
    let found = shadow(&place, 5, &[]);
    // The lists of completed, of failed, and of all jobs.
    assert_eq!(count(&found, "list", "edit"), 3, "{found}");
    assert_eq!(count(&found, "list", "presenter"), 0, "{found}");
    let lists = found["examples"].as_array().unwrap().iter().filter(|it| it["route"] == "list");
    let ids: Vec<&Value> = lists.map(|example| &example["jobId"]).collect();
    assert_eq!(ids, ["job 8"; 3], "{found}");
    // The same place, where the legacy document has moved on instead.
    let place = Place::new();
    place.write("legacy.json", (legacy.join("\n") + "\n").as_bytes());
    place.expect(0, &["run", "legacy.json", "target", "--apply"]);
    let mut changed = legacy;
    changed[8] = line(8, "failed");
    place.write("legacy.json", (changed.join("\n") + "\n").as_bytes());
    let found = shadow(&place, 5, &[]);
    assert_eq!(count(&found, "list", "lag"), 3, "{found}");
    assert_eq!(count(&found, "list", "presenter"), 0, "{found}");
}

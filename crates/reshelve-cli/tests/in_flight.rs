//! A decision about jobs in flight that nobody made stays open: the run stops before the first of
//! them, whenever it comes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::fs;

use serde_json::{Value, json};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, Told, split, with};

const RUN: [&str; 5] = ["run", "jobs.bson", "target", "--apply", "--json"];

/// The documents of a source whose first part has no job in flight, and how many that part has.
fn source(place: &Place) -> (Vec<Vec<u8>>, usize) {
    let part = |more: &[&str]| {
        let args = ["generate", "part.bson", "--preset", "lifecycle", "--documents", "60"];
        place.expect(0, &with(&args, &[more, &["--overwrite"]].concat()));
        let documents = split(&place.read("part.bson"));
        fs::remove_file(place.path("part.bson")).unwrap();
        documents
    };
    let mut documents = part(&["--seed", "1", "--no-in-flight"]);
    let finished = documents.len();
    documents.extend(part(&["--seed", "2"]));
    (documents, finished)
}

fn document(told: &Told) -> Value {
    serde_json::from_str(told.stdout.lines().last().unwrap()).unwrap()
}

fn plan(place: &Place, run: &str) -> Value {
    serde_json::from_slice(&place.read(&format!(".reshelve/runs/{run}/run.json"))).unwrap()
}

fn checksums(place: &Place, target: &str) -> Value {
    document(&place.expect(0, &["checksums", target, "--json"]))["collections"].clone()
}

/// A run over the beginning of a source, which is cut off inside a document before the first job in
/// flight; then the whole source in its place.
fn cut_off(place: &Place) -> (String, Vec<Vec<u8>>) {
    let (documents, finished) = source(place);
    let beginning = documents[..finished].concat();
    place.write("jobs.bson", &beginning[..beginning.len() - 7]);
    place.expect(1, &RUN).says(&["truncated"]);
    place.write("jobs.bson", &documents.concat());
    (place.run(), documents)
}

#[test]
fn a_resumed_run_stops_before_the_first_job_in_flight() {
    let place = Place::new();
    let (run, documents) = cut_off(&place);
    assert_eq!(plan(&place, &run)["options"]["in_flight"], Value::Null);

    // It stops, however often it is asked, and nothing in flight is written.
    let mut reads = Vec::new();
    for _ in 0..2 {
        let told = place.expect(3, &["resume", &run, "--json"]).says(&[
            "is in flight (queued or running), and no --in-flight decision was made",
            "hint:",
            "reshelve resume",
            "--in-flight",
        ]);
        let ended = document(&told);
        assert_eq!((&ended["exit"], &ended["state"]), (&json!(3), &json!("interrupted")));
        reads.push(ended["documents"]["read"].as_u64().unwrap());
    }
    assert!(reads[0] == reads[1] && reads[0] >= 60 && reads[0] < 120, "{reads:?}");
    let target = place.read("target/letswriteabook/novel_jobs.bson");
    for status in ["queued", "running"] {
        let value = [b"\x02status\0", &[status.len() as u8 + 1, 0, 0, 0][..], status.as_bytes()];
        let value = value.concat();
        assert!(!target.windows(value.len()).any(|window| window == value), "{status}");
    }
    let status = document(&place.expect(0, &["status", &run, "--json"]));
    assert!(status["reason"].as_str().unwrap().contains("in flight"), "{status}");
    assert_eq!(status["can_be_resumed"], true);

    // With a decision it goes on, as if that had been there from the beginning.
    place.expect(0, &["resume", &run, "--json", "--in-flight", "skip"]);
    place.write("jobs.bson", &documents.concat());
    place.expect(0, &["run", "jobs.bson", "other", "--apply", "--in-flight", "skip"]);
    assert_eq!(checksums(&place, "target"), checksums(&place, "other"));
    place.expect(0, &["verify", "jobs.bson", "target", "--run", &run]);
    let report = document(&place.expect(0, &["report", &run, "--json"]));
    assert_eq!(report["plan"]["options"]["in_flight"], "skip");
}

#[test]
fn a_decision_that_was_made_is_kept() {
    let place = Place::new();
    let (run, documents) = cut_off(&place);
    let (whole, cut) = (documents.concat(), documents[..100].concat());
    place.write("jobs.bson", &cut[..cut.len() - 7]);
    place.expect(1, &["resume", &run, "--in-flight", "as-failed"]).says(&["truncated"]);
    place.write("jobs.bson", &whole);
    for other in ["include", "skip"] {
        place
            .expect(2, &["resume", &run, "--in-flight", other])
            .says(&["begun with --in-flight as-failed", "hint: leave --in-flight out"]);
    }
    place.expect(0, &["resume", &run]);
    place.expect(0, &["run", "jobs.bson", "other", "--apply", "--in-flight", "as-failed"]);
    assert_eq!(checksums(&place, "target"), checksums(&place, "other"));
}

#[test]
fn a_dry_run_includes_them_and_says_that_nobody_decided() {
    let place = Place::new();
    let (documents, _) = source(&place);
    let whole = documents.concat();
    place.write("jobs.bson", &whole[..whole.len() - 7]);
    let dry = ["run", "jobs.bson", "target", "--json"];
    let told = place.expect(1, &dry);
    assert!(document(&told)["documents"]["mapped"].as_u64().unwrap() > 60);
    let run = place.run();
    assert_eq!(plan(&place, &run)["options"]["in_flight"], Value::Null);
    place.write("jobs.bson", &whole);
    place.expect(2, &["resume", &run, "--in-flight", "skip"]);
    let told = place.expect(0, &["resume", &run, "--json"]);
    assert_eq!(document(&told)["documents"]["skipped"], 0);
    place.expect(0, &["report", &run]);
    let page = place.read(&format!(".reshelve/runs/{run}/report/report.html"));
    assert!(String::from_utf8(page).unwrap().contains("nothing was decided"));
}

/// A source that has moved is where the run was resumed from, for everything that comes after.
#[test]
fn a_source_that_has_moved_is_remembered() {
    let place = Place::new();
    let (documents, finished) = source(&place);
    let whole = documents[..finished].concat();
    place.write("jobs.bson", &whole[..whole.len() - 7]);
    place.expect(1, &RUN).says(&["truncated"]);
    place.write("whole.bson", &whole);
    let run = place.run();
    // Another source is refused, and not remembered.
    place.write("other.bson", &documents[finished..].concat());
    place.expect(3, &["resume", &run, "--source", "other.bson", "--in-flight", "include"]);
    let told = place.expect(0, &["resume", &run, "--source", "whole.bson"]);
    assert!(told.stderr.contains("verify"), "{}", told.stderr);
    assert!(told.stderr.contains("whole.bson"), "{}", told.stderr);
    let report = document(&place.expect(0, &["report", &run, "--json"]));
    assert_eq!(report["verdict"]["word"], "holds");
    assert!(report["plan"]["source"]["path"].as_str().unwrap().ends_with("whole.bson"));
    let told = place.expect(0, &["verify", "whole.bson", "target", "--json"]);
    assert_eq!(document(&told)["options_from"], "last-run");
}

/// The checkpoint knows what the documents followed: a decision that is lost is not made again.
#[test]
fn a_decision_that_was_followed_cannot_be_changed() {
    let place = Place::new();
    let (run, documents) = cut_off(&place);
    let cut = documents[..100].concat();
    place.write("jobs.bson", &cut[..cut.len() - 7]);
    place.expect(1, &["resume", &run, "--in-flight", "include"]).says(&["truncated"]);
    place.write("jobs.bson", &documents.concat());
    let file = place.path(&format!(".reshelve/runs/{run}/decision.json"));
    let decided = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    for more in [&[][..], &["--in-flight", "skip"]] {
        place.expect(3, &with(&["resume", &run], more)).says(&["followed --in-flight include"]);
    }
    fs::write(&file, decided.replace("include", "skip")).unwrap();
    place.expect(3, &["resume", &run]);
    place.expect(3, &["verify", "jobs.bson", "target", "--run", &run]);
    place.expect(3, &["report", &run]);
    fs::write(&file, decided.replace(&run, "20261101-000000000-abcdef")).unwrap();
    place.expect(1, &["resume", &run]).says(&["it belongs to another run"]);
    fs::write(&file, decided).unwrap();
    place.expect(0, &["resume", &run]);
}

/// What is shown to be copied is one word of a shell, whatever the folder is called.
#[test]
fn names_of_folders_are_quoted_in_hints() {
    let place = Place::new();
    let (documents, _) = source(&place);
    let whole = documents.concat();
    place.write("jobs.bson", &whole[..9000]);
    let runs = "p;touch PROOF;x $(touch PROOF)";
    let told = place.expect(1, &["run", "jobs.bson", "dry", "--runs-dir", runs]);
    assert!(told.stderr.contains("`reshelve resume 'p;touch PROOF;x $(touch PROOF)/"));
    let status = place.expect(0, &["status", "--runs-dir", runs]);
    assert!(status.stdout.contains("resume 'p;touch PROOF;x $(touch PROOF)/"), "{}", status.stdout);
}

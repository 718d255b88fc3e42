//! The whole move and the way back in a scratch folder: what is proved, what is recorded, what is
//! left, and what is refused.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, Told, Tree, assert_same, mixed_source, refused, split, with};

const STEPS: [&str; 10] = [
    "prepare",
    "run",
    "resume",
    "verify",
    "report",
    "rollback",
    "empty",
    "run-again",
    "restore",
    "drop",
];
const RECORDS: &str = ".reshelve/runs/.rehearsals";

/// A place with a file of finished novels.
fn place_with(documents: u32) -> Place {
    let place = Place::new();
    let count = documents.to_string();
    place.expect(0, &["generate", "jobs.bson", "--documents", &count, "--size", "small"]);
    place
}

fn answer(told: &Told) -> Value {
    serde_json::from_str(told.stdout.lines().last().unwrap()).unwrap()
}

fn rehearse(place: &Place, code: i32, args: &[&str]) -> Value {
    answer(&place.expect(code, &with(&with(&["rehearse"], args), &["--json"])))
}

fn steps(record: &Value) -> Vec<(&str, &str)> {
    let steps = record["steps"].as_array().unwrap();
    steps.iter().map(|it| (it["step"].as_str().unwrap(), it["outcome"].as_str().unwrap())).collect()
}

/// What is there, without the records of rehearsals.
fn without_records(place: &Place) -> Tree {
    let mut tree = place.tree("");
    tree.retain(|name, _| {
        !name.starts_with(RECORDS) && name != ".reshelve/" && name != ".reshelve/runs/"
    });
    tree
}

/// The names in the folder of a record.
fn files_of(place: &Place, record: &Value) -> Vec<String> {
    let id = record["rehearsal"].as_str().unwrap();
    place.tree(&format!("{RECORDS}/{id}")).into_keys().collect()
}

/// What a record consists of, once the scratch is gone.
const FILES: [&str; 4] = [".lock", "rehearsal.html", "rehearsal.json", "rehearsal.md"];

fn told_of(place: &Place, args: &[&str]) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = place.call(args).stderr(Stdio::piped()).spawn(false);
    let stderr = BufReader::new(child.stderr.take().unwrap());
    (child, stderr)
}

/// Waits until the step with this number begins.
fn step_begins(stderr: &mut impl BufRead, number: u32) {
    let begins = format!("{number}/10 ");
    for line in stderr.lines() {
        if line.unwrap().starts_with(&begins) {
            return;
        }
    }
    panic!("the step {number} did not begin");
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn everything_is_tried_and_nothing_is_left() {
    let place = place_with(60);
    // What the user has: a target, a run, a source.
    place.expect(0, &["run", "jobs.bson", "target", "--apply"]);
    let sums = answer(&place.expect(0, &["checksums", "target", "--json"]));
    let before = without_records(&place);
    let record = rehearse(&place, 0, &["jobs.bson"]);
    assert_eq!(record["schema"], "reshelve.rehearsal/1");
    assert_eq!((&record["outcome"], &record["exit"]), (&json!("passed"), &json!(0)));
    assert_eq!(steps(&record), STEPS.map(|step| (step, "done")));
    assert_eq!(record["documents"]["written"], 60);
    let restored = &record["restored"];
    assert_eq!(restored["documents"], 60);
    assert_eq!((&restored["same_set"], &restored["same_bytes"]), (&json!(true), &json!(true)));
    assert_eq!(restored["set_hash"], record["set_hash"]);
    assert_eq!(record["checksums"], sums["collections"]);
    assert_eq!((&record["would_refuse"], &record["failure"]), (&json!([]), &Value::Null));
    assert_eq!(
        (&record["scratch"]["kept"], &record["scratch"]["remove"]),
        (&json!(false), &Value::Null)
    );
    let window = &record["window"];
    let of = |name: &str| window[name].as_u64().unwrap();
    let after = of("verify_ms") + of("report_ms");
    let runs = [of("run_ms") + after, of("interrupted_run_ms") + after];
    assert_eq!(of("from_ms"), runs[0].min(runs[1]));
    assert_eq!(of("to_ms"), runs[0].max(runs[1]));
    // Only the record is new, and no command takes its runs for runs of the user.
    assert_same(&before, &without_records(&place), "what was there");
    assert_eq!(files_of(&place, &record), FILES);
    let id = record["rehearsal"].as_str().unwrap();
    let stored = place.read(&format!("{RECORDS}/{id}/rehearsal.json"));
    assert_eq!(serde_json::from_slice::<Value>(&stored).unwrap(), record);
    let listed = answer(&place.expect(0, &["runs", "--json"]));
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1);
    let latest = answer(&place.expect(0, &["status", "latest", "--json"]));
    assert_eq!(latest["run"], json!(place.run()));
    let verified = answer(&place.expect(0, &["verify", "jobs.bson", "target", "--json"]));
    assert_eq!(verified["runs"], json!([place.run()]));
}

#[test]
fn every_form_of_source_and_target_comes_back() {
    let place = place_with(30);
    let forms = [
        ("dump", "folder", Some(true)),
        ("jobs.bson.gz", "bson.gz", None),
        ("all.archive", "archive", None),
        ("jobs.jsonl", "jsonl", None),
    ];
    for (name, _, same_bytes) in forms {
        place.expect(0, &["generate", name, "--documents", "30", "--size", "small"]);
        let record = rehearse(&place, 0, &[name]);
        assert_eq!(record["restored"]["same_set"], true, "{name}");
        assert_eq!(record["restored"]["same_bytes"], json!(same_bytes), "{name}");
    }
    let plain = rehearse(&place, 0, &["jobs.bson"]);
    for flag in ["--gzip", "--zstd"] {
        let record = rehearse(&place, 0, &["jobs.bson", flag]);
        assert_eq!(steps(&record), STEPS.map(|step| (step, "done")), "{flag}");
        // The documents are the same, however they are stored.
        assert_eq!(record["checksums"], plain["checksums"]);
        assert_eq!(files_of(&place, &record), FILES);
    }
}

#[test]
fn tiny_sources_are_rehearsed_too() {
    for documents in [0, 1, 2] {
        let place = place_with(3);
        let all = split(&place.read("jobs.bson"));
        place.write("jobs.bson", &all[..documents].concat());
        let record = rehearse(&place, 0, &["jobs.bson"]);
        assert_eq!(record["documents"]["read"], documents, "{documents}");
        assert_eq!(record["restored"]["same_bytes"], true, "{documents}");
        assert_eq!(files_of(&place, &record), FILES);
    }
}

#[test]
fn what_would_be_refused_is_listed_and_no_obstacle() {
    let place = Place::new();
    let bytes = mixed_source(&place, 60, "small");
    place.write("jobs.bson", &bytes);
    let record = rehearse(&place, 0, &["jobs.bson"]);
    assert_eq!(record["outcome"], "passed");
    let codes = |record: &Value| -> Vec<String> {
        let list = record["would_refuse"].as_array().unwrap();
        list.iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
    };
    let rejected = record["documents"]["rejected"].as_u64().unwrap();
    assert!(rejected > 0);
    assert_eq!(codes(&record)[0], "in-flight");
    let of_rejects = record["would_refuse"].as_array().unwrap()[1..].iter();
    assert_eq!(of_rejects.map(|it| it["count"].as_u64().unwrap()).sum::<u64>(), rejected);
    assert_eq!(record["restored"]["same_set"], true);
    assert_eq!(record["restored"]["same_bytes"], Value::Null, "it is not the whole file");
    // The run is refused for just that.
    place.expect(3, &["run", "jobs.bson", "out", "--apply"]);
    // A decision that was made is not listed, and counts.
    let record = rehearse(&place, 0, &["jobs.bson", "--in-flight", "skip"]);
    assert!(!codes(&record).contains(&"in-flight".to_owned()));
    assert!(record["documents"]["skipped"].as_u64().unwrap() > 0);
    assert_eq!(record["options"]["in_flight"], "skip");
    let record = rehearse(&place, 0, &["jobs.bson", "--in-flight", "as-failed"]);
    assert_eq!(record["restored"]["same_set"], true);
    let told = place.expect(0, &["rehearse", "jobs.bson"]);
    assert!(told.stdout.contains("What would have been refused:"), "{}", told.stdout);
    assert!(told.stdout.contains("in-flight"), "{}", told.stdout);
}

#[test]
fn a_scratch_of_ones_own_is_empty_again() {
    let place = place_with(12);
    rehearse(&place, 0, &["jobs.bson", "scratch"]);
    assert!(!place.path("scratch").exists(), "it was not there before");
    fs::create_dir(place.path("scratch")).unwrap();
    let record = rehearse(&place, 0, &["jobs.bson", "scratch"]);
    assert!(place.tree("scratch").is_empty() && place.path("scratch").exists(), "it was there");
    assert_eq!(files_of(&place, &record), FILES);
    let kept = rehearse(&place, 0, &["jobs.bson", "scratch", "--keep-scratch"]);
    assert_eq!(steps(&kept), STEPS[..9].iter().map(|step| (*step, "done")).collect::<Vec<_>>());
    assert_eq!(kept["scratch"]["kept"], true);
    let sums = answer(&place.expect(0, &["checksums", "scratch/target", "--json"]));
    assert_eq!(sums["collections"], kept["checksums"]);
}

#[test]
fn a_scratch_that_is_not_empty_or_not_apart_is_refused() {
    let place = place_with(6);
    place.expect(0, &["generate", "dump", "--documents", "6", "--size", "small"]);
    fs::create_dir(place.path("full")).unwrap();
    place.write("full/mine.txt", b"mine");
    refused(&place, &["rehearse", "jobs.bson", "full"], &["is not empty", "mine.txt"]);
    refused(&place, &["rehearse", "jobs.bson", "jobs.bson"], &["is not a folder"]);
    for scratch in ["dump", "dump/letswriteabook", "dump/new", "dump/letswriteabook/new", "."] {
        refused(&place, &["rehearse", "dump", scratch], &["the scratch"]);
    }
    // The default lies beside the run folders: in a source that holds these, it is not apart.
    let inside = ["rehearse", "dump", "--runs-dir", "dump/letswriteabook/runs"];
    refused(&place, &inside, &["the same place, or one lies in the other"]);
    // Links do not hide what overlaps.
    std::os::unix::fs::symlink(place.path("dump"), place.path("link")).unwrap();
    refused(&place, &["rehearse", "dump", "link/new"], &["the same place"]);
}

#[test]
fn what_makes_no_sense_is_refused_and_leaves_nothing() {
    let place = place_with(6);
    let bytes = place.read("jobs.bson");
    let before = place.tree("");
    let told = place.call(&["rehearse", "-"]).stdin(&bytes).expect(2);
    told.says(&["can be read only once", "hint:"]);
    place.expect(1, &["rehearse", "missing.bson"]).says(&["error:"]);
    place.expect(2, &["rehearse", "jobs.bson", "u:s3cret@host/db"]).says(&["malformed"]);
    let told = place.call(&["rehearse", "jobs.bson"]).env("DRY_RUN", "true").expect(2);
    told.says(&["`rehearse` writes", "DRY_RUN"]);
    assert_same(&before, &place.tree(""), "everything");
}

#[test]
fn a_damaged_source_ends_it_and_keeps_the_scratch() {
    let place = place_with(40);
    let bytes = place.read("jobs.bson");
    place.write("jobs.bson", &bytes[..bytes.len() - 100]);
    let told = place.expect(1, &["rehearse", "jobs.bson", "--json"]);
    let told = told.says(&["truncated", "the scratch is kept", "rm -r "]);
    assert!(!told.stderr.contains("reshelve resume"), "{}", told.stderr);
    let record = answer(&told);
    assert_eq!((&record["outcome"], &record["exit"]), (&json!("failed"), &json!(1)));
    assert_eq!(steps(&record).last(), Some(&("resume", "failed")));
    assert!(record["failure"]["message"].as_str().unwrap().contains("truncated"));
    assert_eq!(record["window"], Value::Null);
    let scratch = record["scratch"]["place"].as_str().unwrap();
    assert!(std::path::Path::new(scratch).join("target").exists(), "{scratch}");
    // The run in it is none of the user, and the next rehearsal is not in its way.
    assert!(place.runs().is_empty());
    place.write("jobs.bson", &bytes);
    rehearse(&place, 0, &["jobs.bson"]);
}

#[test]
fn what_a_failed_one_has_met_is_listed_too() {
    let place = Place::new();
    let bytes = mixed_source(&place, 60, "small");
    place.write("jobs.bson", &bytes[..bytes.len() - 100]);
    let record = rehearse(&place, 1, &["jobs.bson"]);
    let refused = record["would_refuse"].as_array().unwrap();
    assert_eq!(refused[0]["code"], "in-flight");
    assert!(refused.len() > 1, "rejects too: {refused:?}");
    assert_eq!(record["documents"], Value::Null, "it was not done");
}

#[test]
fn what_somebody_puts_into_the_scratch_is_not_removed() {
    let place = place_with(3_000);
    let (mut child, mut stderr) = told_of(&place, &["rehearse", "jobs.bson", "scratch", "--json"]);
    step_begins(&mut stderr, 2);
    place.write("scratch/mine.txt", b"mine");
    let rest: Vec<String> = stderr.lines().map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("scratch holds mine.txt")), "{rest:?}");
    assert_eq!(place.read("scratch/mine.txt"), b"mine");
    // Nothing else was removed either: it may belong together.
    assert!(place.path("scratch/target/letswriteabook/novel_jobs.bson").exists());
}

#[test]
fn ctrl_c_ends_it_and_says_what_is_left() {
    let place = place_with(3_000);
    let (mut child, mut stderr) = told_of(&place, &["rehearse", "jobs.bson", "--json"]);
    step_begins(&mut stderr, 2);
    signal(&child, "-INT");
    let rest: Vec<String> = stderr.lines().map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(6), "{rest:?}");
    for words in ["interrupted", "the scratch is kept", "rm -r "] {
        assert!(rest.iter().any(|line| line.contains(words)), "{words}: {rest:?}");
    }
    let ids: Vec<String> = place.tree(RECORDS).into_keys().collect();
    let json = ids.iter().find(|name| name.ends_with("/rehearsal.json")).unwrap();
    let record: Value = serde_json::from_slice(&place.read(&format!("{RECORDS}/{json}"))).unwrap();
    assert_eq!((&record["outcome"], &record["exit"]), (&json!("interrupted"), &json!(6)));
    assert_eq!(steps(&record).last().unwrap().1, "interrupted");
    assert_eq!(record["scratch"]["kept"], true);
}

#[test]
fn one_that_was_killed_is_told_of_and_in_nobodys_way() {
    let place = place_with(3_000);
    let (mut child, mut stderr) = told_of(&place, &["rehearse", "jobs.bson"]);
    step_begins(&mut stderr, 3);
    signal(&child, "-KILL");
    child.wait().unwrap();
    let told = place.expect(0, &["rehearse", "jobs.bson", "--json"]);
    let told =
        told.says(&["did not end", "its scratch may still be there", "before you remove anything"]);
    assert_eq!(answer(&told)["outcome"], "passed");
    assert!(place.runs().is_empty());
}

#[test]
fn a_scratch_beside_the_run_folders_is_refused() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "20"]);
    for scratch in [".reshelve", ".reshelve/runs", ".reshelve/runs/new", "."] {
        let told = place.expect(3, &["rehearse", "dump", scratch]);
        assert!(!told.stderr.contains("rm -r"), "{}", told.stderr);
    }
    assert!(!place.path(".reshelve").exists());
}

/// The limits hold for each run and for the rollback, whose own they are.
#[test]
fn limits_are_passed_on() {
    let place = place_with(12);
    let limits =
        ["--max-docs-per-s", "100000", "--max-bytes-per-s", "1GiB", "--max-write-ms", "9000"];
    let args = [&["jobs.bson", "--keep-scratch"][..], &limits].concat();
    let record = rehearse(&place, 0, &args);
    let scratch = record["rehearsal"].as_str().unwrap();
    let tree = place.tree(&format!("{RECORDS}/{scratch}"));
    let asked = |name: &'static str| tree.iter().filter(move |(path, _)| path.ends_with(name));
    let expected = json!({
        "max_docs_per_s": 100_000, "max_bytes_per_s": 1 << 30, "max_lag_s": null,
        "max_write_ms": 9_000,
    });
    // The run that is taken back, and the one after it.
    assert_eq!(asked("/control.json").count(), asked("/run.json").count());
    assert_eq!((asked("/control.json").count(), asked("/rollback.json").count()), (2, 1));
    for (path, bytes) in asked("/control.json") {
        let control: Value = serde_json::from_slice(bytes).unwrap();
        assert_eq!(control["throttle"], expected, "{path}");
    }
}

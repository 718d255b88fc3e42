//! Files that change while a run reads them, or before it is resumed.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::fs;
use std::io::Write;
use std::process::Child;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, Told, mixed_source, split, until, with};

const RUN: [&str; 6] = ["run", "jobs.bson", "target", "--apply", "--in-flight", "skip"];

/// A run over a file, stopped in the middle of it.
fn stopped(place: &Place) -> Child {
    let mut child = place.call(&with(&RUN, &["--batch-docs", "1", "--jobs", "1"])).spawn(false);
    let state = || {
        let run = place.runs().pop()?;
        let text = place.read(&format!(".reshelve/runs/{run}/checkpoint.json"));
        let checkpoint: serde_json::Value = serde_json::from_slice(&text).unwrap();
        checkpoint["state"].as_str().map(str::to_owned)
    };
    until("the run has begun", || state().is_some_and(|state| state != "planned"));
    signal(&child, "STOP");
    let found = state().unwrap();
    if found != "running" {
        // A stopped process would stay for ever, with whatever locks it was given.
        child.kill().unwrap();
    }
    assert_eq!(found, "running");
    child
}

/// A run that was killed in the middle of a file, with the content of that.
fn killed() -> (Place, Vec<u8>, String) {
    let place = Place::new();
    let source = mixed_source(&place, 3_000, "small");
    place.write("jobs.bson", &source);
    let mut child = stopped(&place);
    child.kill().unwrap();
    child.wait().unwrap();
    let run = place.run();
    (place, source, run)
}

fn signal(child: &Child, name: &str) {
    let args = [format!("-{name}"), child.id().to_string()];
    assert!(std::process::Command::new("kill").args(args).status().unwrap().success());
}

#[test]
fn a_source_that_changes_under_a_run_is_noticed() {
    type Accident = fn(&Place, &[u8]);
    let accidents: [Accident; 3] = [
        |place, document| {
            let mut file = fs::File::options().append(true).open(place.path("jobs.bson")).unwrap();
            file.write_all(document).unwrap();
        },
        |place, document| {
            let source = place.read("jobs.bson");
            place.write("next.bson", &[&source, document].concat());
            fs::rename(place.path("next.bson"), place.path("jobs.bson")).unwrap();
        },
        |place, _| fs::remove_file(place.path("jobs.bson")).unwrap(),
    ];
    let made = Place::new();
    let source = mixed_source(&made, 3_000, "small");
    let last = split(&source).pop().unwrap();
    for accident in accidents {
        let place = Place::new();
        place.write("jobs.bson", &source);
        let child = stopped(&place);
        accident(&place, &last);
        signal(&child, "CONT");
        let told = Told::of("the run".to_owned(), child.wait_with_output().unwrap()).expect(1);
        assert!(told.stdout.contains("its source changed while it was read"), "{}", told.stdout);
        told.says(&["the file changed while it was read", "hint:", "resume"]);
        let run = place.run();
        place.write("whole.bson", &source);
        place.expect(4, &["resume", &run, "--source", "whole.bson"]);
        place.expect(0, &["verify", "whole.bson", "target", "--in-flight", "skip"]);
    }
}

#[test]
fn a_source_that_shrank_since_the_run_began_is_refused() {
    let (place, source, run) = killed();
    let mut documents = split(&source);
    documents.pop();
    place.write("jobs.bson", &documents.concat());
    place.expect(3, &["resume", &run]).says(&["and had", "when the run began", "hint:"]);
    place.write("jobs.bson", &source);
    place.expect(4, &["resume", &run]);
}

/// What was read is compared; what comes after it cannot be.
#[test]
fn a_source_that_grew_since_the_run_began_is_told() {
    let (place, source, run) = killed();
    let first = split(&source)[0].clone();
    place.write("jobs.bson", &[source, first].concat());
    place.expect(4, &["resume", &run]).says(&["warning: the source has", "when the run began"]);
}

//! What differs is put together: one line for what many jobs have in common, and what may have
//! caused it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::collections::BTreeSet;

use common::{Place, split, with};
use serde_json::{Value, json};

const APPLY: [&str; 3] = ["--apply", "--in-flight", "include"];
const VERIFY: [&str; 4] = ["verify", "jobs.bson", "target", "--json"];

/// A source with jobs in flight, and its target.
fn migrated() -> Place {
    let place = Place::new();
    let source = ["generate", "jobs.bson", "--preset", "lifecycle", "--documents", "40"];
    place.expect(0, &with(&source, &["--size", "small"]));
    place.expect(0, &with(&["run", "jobs.bson", "target"], &APPLY));
    place
}

fn file(collection: &str) -> String {
    format!("target/letswriteabook/{collection}.bson")
}

fn documents(place: &Place, collection: &str) -> Vec<Vec<u8>> {
    split(&place.read(&file(collection)))
}

fn differs(place: &Place, args: &[&str]) -> Value {
    let told = place.expect(5, args);
    let found: Value = serde_json::from_str(&told.stdout).unwrap();
    let groups = found["groups"].as_array().unwrap();
    // Nothing is told twice.
    let told = |it: &Value| {
        format!(
            "{} {} {}{}{}",
            it["job"], it["collection"], it["path"], it["expected"], it["actual"]
        )
    };
    let mismatches = found["mismatches"].as_array().unwrap();
    let different: BTreeSet<String> = mismatches.iter().map(told).collect();
    assert_eq!(different.len(), mismatches.len(), "{mismatches:?}");
    // Each mismatch is in one group.
    let sum: u64 = groups.iter().map(|group| group["mismatches"].as_u64().unwrap()).sum();
    assert_eq!(sum, found["mismatches_total"], "{groups:?}");
    found
}

fn expect_cause(found: &Value, cause: &str) {
    let causes = found["causes"].as_array().unwrap();
    assert!(causes.iter().any(|it| it["cause"] == cause), "no {cause}: {causes:?}");
}

#[test]
fn the_same_difference_of_many_jobs_is_one_line_with_its_cause() {
    let place = migrated();
    let as_failed = with(&VERIFY, &["--in-flight", "as-failed"]);
    let found = differs(&place, &as_failed);
    let in_flight = found["in_flight"]["count"].as_u64().unwrap();
    assert!(in_flight > 3, "{in_flight}");
    assert_eq!(found["mismatched_jobs"], in_flight);
    let groups = found["groups"].as_array().unwrap();
    let of_status = groups
        .iter()
        .filter(|group| group["collection"] == "novel_jobs" && group["path"] == "status");
    let of_status: Vec<_> = of_status.collect();
    assert_eq!(of_status.iter().map(|it| it["jobs"].as_u64().unwrap()).sum::<u64>(), in_flight);
    assert!(of_status.iter().all(|it| it["expected"] == "\"failed\""), "{of_status:?}");
    expect_cause(&found, "other-options");
    // The page has a line for each, before the mismatches one by one.
    let page = place.expect(5, &["verify", "jobs.bson", "target", "--in-flight", "as-failed"]);
    let line = format!(
        "{} × novel_jobs status \"failed\" → {}",
        of_status[0]["jobs"],
        of_status[0]["actual"].as_str().unwrap()
    );
    assert!(page.stdout.contains(&line), "no {line:?} in {}", page.stdout);
    assert!(page.stdout.contains("were other options used for the run than here?"));
}

#[test]
fn jobs_that_were_left_out_or_carried_over_are_told_from_others() {
    let place = migrated();
    let found = differs(&place, &with(&VERIFY, &["--in-flight", "skip"]));
    expect_cause(&found, "in-flight-carried-over");
    let groups = found["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "a job is extra once, not its parts: {groups:?}");
    assert_eq!(
        (&groups[0]["kind"], &groups[0]["jobs"]),
        (&json!("extra-job"), &found["counts"]["skipped"])
    );
    place.expect(0, &["run", "jobs.bson", "skipped", "--apply", "--in-flight", "skip"]);
    let verify = ["verify", "jobs.bson", "skipped", "--json", "--in-flight", "include"];
    let found = differs(&place, &verify);
    let group = &found["groups"][0];
    assert_eq!(
        (&group["kind"], &group["jobs"]),
        (&json!("missing-job"), &found["in_flight"]["count"])
    );
    assert_eq!(
        found["groups"].as_array().unwrap().len(),
        1,
        "a job is missing once, not its parts"
    );
    expect_cause(&found, "in-flight-left-out");
}

#[test]
fn an_empty_target_an_empty_collection_and_another_one_are_told() {
    let place = migrated();
    place.write(&file("novel_job_metrics"), b"");
    let found = differs(&place, &VERIFY);
    assert_eq!(
        found["causes"],
        json!([
            { "cause": "collection-empty", "collection": "novel_job_metrics" }
        ])
    );
    let group = &found["groups"][0];
    assert_eq!((&group["kind"], &group["jobs"]), (&json!("missing"), &json!(40)));
    for collection in ["novel_jobs", "novel_job_events", "novel_job_metadata"] {
        place.write(&file(collection), b"");
    }
    let found = differs(&place, &VERIFY);
    assert_eq!(found["causes"], json!([{ "cause": "target-empty" }]));
    let place = migrated();
    let other = ["generate", "other.bson", "--documents", "20", "--seed", "77", "--size", "small"];
    place.expect(0, &other);
    let found = differs(&place, &["verify", "other.bson", "target", "--json"]);
    assert_eq!(found["causes"], json!([{ "cause": "nothing-in-common" }]));
    let group = found["groups"].as_array().unwrap().iter().find(|it| it["kind"] == "missing-job");
    assert_eq!(group.unwrap()["jobs"], 20);
}

#[test]
fn one_field_that_a_program_has_changed_is_one_line_of_the_report_too() {
    let place = migrated();
    let mut jobs = place.read(&file("novel_jobs"));
    let queue = b"novel-generation";
    let places: Vec<usize> =
        (0..jobs.len() - queue.len()).filter(|at| jobs[*at..].starts_with(queue)).collect();
    for at in places {
        jobs[at] = b'N';
    }
    place.write(&file("novel_jobs"), &jobs);
    let found = differs(&place, &VERIFY);
    let groups = found["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{groups:?}");
    assert_eq!((&groups[0]["jobs"], &groups[0]["path"]), (&json!(40), &json!("queue")));
    expect_cause(&found, "one-place");
    place.expect(0, &["report", &place.run(), "--out", "report"]);
    let page = String::from_utf8(place.read("report/report.html")).unwrap();
    assert!(page.contains("What differs, each difference once"), "{page}");
    assert!(page.contains("all differences are in novel_jobs queue"), "{page}");
}

/// A document of others with the `jobId` of a job hides the one of the run from the application.
#[test]
fn a_second_document_of_one_job_is_found_among_those_that_are_left_alone() {
    for collection in ["novel_jobs", "novel_job_metrics", "novel_job_metadata"] {
        for is_reversed in [false, true] {
            let place = migrated();
            let verify = with(&VERIFY, &["--allow-existing"]);
            let mut stored = documents(&place, collection);
            let mut stranger = stored[3].clone();
            // Its `_id` is the first field: a length, a type, `_id`, and twelve bytes.
            stranger[9] ^= 1;
            stored.push(stranger);
            if is_reversed {
                stored.reverse();
            }
            place.write(&file(collection), &stored.concat());
            let found = differs(&place, &verify);
            assert_eq!(found["mismatches_total"], 1, "{collection} {}", found["mismatches"]);
            let group = &found["groups"][0];
            assert_eq!((&group["kind"], &group["mismatches"]), (&json!("same-job"), &json!(1)));
            let mismatch = &found["mismatches"][0];
            assert_eq!(mismatch["collection"], collection);
            assert_eq!(mismatch["job"], group["example"]);
            assert_eq!(mismatch["job"].as_str().unwrap().len(), 24, "{mismatch}");
            let told = place.expect(5, &["verify", "jobs.bson", "target", "--allow-existing"]);
            assert!(told.stdout.contains("a jobId for the second time"), "{}", told.stdout);
        }
    }
    // Events of others may be there as before, and so may two jobs of others.
    let place = migrated();
    let other = ["generate", "other.bson", "--documents", "5", "--seed", "9"];
    place.expect(0, &with(&other, &["--size", "small"]));
    place.expect(0, &with(&["run", "other.bson", "target", "--allow-existing"], &APPLY));
    for collection in ["novel_jobs", "novel_job_events"] {
        let mut stored = documents(&place, collection);
        let mut stranger = stored.last().unwrap().clone();
        stranger[9] ^= 1;
        stored.push(stranger);
        place.write(&file(collection), &stored.concat());
    }
    place.expect(0, &with(&VERIFY, &["--allow-existing"]));
}

#[test]
fn a_second_document_of_one_id_is_found_among_those_that_are_left_alone() {
    for collection in ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"]
    {
        for is_reversed in [false, true] {
            let place = migrated();
            let other = ["generate", "other.bson", "--documents", "5", "--seed", "9"];
            place.expect(0, &with(&other, &["--size", "small"]));
            let add = ["run", "other.bson", "target", "--allow-existing"];
            place.expect(0, &with(&add, &APPLY));
            let verify = with(&VERIFY, &["--allow-existing"]);
            place.expect(0, &verify);
            let mut stored = documents(&place, collection);
            // One of ours, and one of others.
            let doubles = [stored[3].clone(), stored.last().unwrap().clone()];
            stored.extend(doubles);
            if is_reversed {
                stored.reverse();
            }
            place.write(&file(collection), &stored.concat());
            let found = differs(&place, &verify);
            assert_eq!(found["mismatches_total"], 2, "{collection} {}", found["mismatches"]);
            let group = &found["groups"][0];
            assert_eq!((&group["kind"], &group["mismatches"]), (&json!("double"), &json!(2)));
            assert_eq!(found["mismatches"][0]["collection"], collection);
        }
    }
}

//! Every kind of damage to a target is found by `verify`, and named by job, collection and path.
//! The damage is done by code of these tests, on a copy of what was written.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::fs;
use std::path::PathBuf;

use common::tree::{Body, Field, at, build, parse};
use common::{Place, Told, split};
use serde_json::Value;

const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// A place with a source of so many documents and its target.
fn migrated(documents: u32) -> Place {
    let place = Place::new();
    let documents = documents.to_string();
    let source = ["generate", "source.bson", "--preset", "populated", "--size", "small"];
    place.expect(0, &[&source[..], &["--documents", &documents]].concat());
    place.expect(0, &["run", "source.bson", "target", "--apply", "--in-flight", "include"]);
    place
}

fn file(place: &Place, collection: &str) -> PathBuf {
    place.path("target").join("letswriteabook").join(format!("{collection}.bson"))
}

fn job_of(document: &[u8]) -> String {
    let mut fields = parse(document);
    at(&mut fields, &["jobId"]).unwrap().as_text().to_owned()
}

/// Edits the first document that `edit` finds something to do in; its job, and what `edit` says.
fn edit_one(
    place: &Place,
    collection: &str,
    edit: impl Fn(&mut Vec<Field>) -> Option<String>,
) -> (String, String) {
    let path = file(place, collection);
    let mut documents = split(&fs::read(&path).unwrap());
    for document in &mut documents {
        let mut fields = parse(document);
        assert_eq!(build(&fields), *document, "the editor of the tests changes nothing by itself");
        if let Some(damaged) = edit(&mut fields) {
            let job = job_of(document);
            *document = build(&fields);
            fs::write(&path, documents.concat()).unwrap();
            return (job, damaged);
        }
    }
    panic!("there is nothing to damage in {collection}");
}

fn verify(place: &Place, code: i32) -> Value {
    let told = place.expect(code, &["verify", "source.bson", "target", "--json"]);
    serde_json::from_str(&told.stdout).unwrap()
}

/// Expects that this job is named, at this path or below it, and no other job.
fn expect_named(place: &Place, job: &str, collection: &str, path: &str) -> Value {
    let told = verify(place, 5);
    let mismatches = told["mismatches"].as_array().unwrap();
    for mismatch in mismatches {
        assert_eq!(mismatch["job"], job, "{told}");
        assert_eq!(mismatch["collection"], collection, "{told}");
    }
    let found = mismatches.iter().find(|found| found["path"].as_str().unwrap().starts_with(path));
    found.unwrap_or_else(|| panic!("{path} is not named: {told}")).clone()
}

#[test]
fn a_lost_alert_is_named() {
    let place = migrated(40);
    let (job, _) = edit_one(&place, "novel_job_metadata", |fields| {
        let alerts = at(fields, &["continuityAlerts"])?.fields();
        if alerts.len() < 2 {
            return None;
        }
        alerts.remove(0);
        for (position, alert) in alerts.iter_mut().enumerate() {
            alert.name = position.to_string();
        }
        Some(String::new())
    });
    expect_named(&place, &job, "novel_job_metadata", "continuityAlerts");
}

#[test]
fn a_lost_and_an_added_map_key_are_named() {
    for map in ["storyBibleCharacters", "storyBibleLocations"] {
        let place = migrated(40);
        let (job, key) = edit_one(&place, "novel_job_metadata", |fields| {
            let map = at(fields, &[map])?.fields();
            if map.len() < 2 {
                return None;
            }
            Some(map.remove(1).name)
        });
        let found = expect_named(&place, &job, "novel_job_metadata", &format!("{map}.{key}"));
        assert_eq!(found["actual"], Value::Null);
        assert!(found["expected"].is_string());

        let place = migrated(40);
        let (job, _) = edit_one(&place, "novel_job_metadata", |fields| {
            at(fields, &[map])?.fields().push(Field::text("Nobody", "was here"));
            Some(String::new())
        });
        let found = expect_named(&place, &job, "novel_job_metadata", &format!("{map}.Nobody"));
        assert_eq!(found["expected"], Value::Null);
        assert_eq!(found["actual"], "\"was here\"");
    }
}

#[test]
fn swapped_events_are_named() {
    // The events of a job trade everything but their ids.
    let place = migrated(10);
    let path = file(&place, "novel_job_events");
    let mut documents = split(&fs::read(&path).unwrap());
    let (mut one, mut other) = (parse(&documents[3]), parse(&documents[4]));
    assert_eq!(job_of(&documents[3]), job_of(&documents[4]));
    let job = job_of(&documents[3]);
    std::mem::swap(&mut one[0].body, &mut other[0].body);
    (documents[3], documents[4]) = (build(&other), build(&one));
    fs::write(&path, documents.concat()).unwrap();
    expect_named(&place, &job, "novel_job_events", "");

    // Those inside the job trade places.
    let place = migrated(10);
    let (job, _) = edit_one(&place, "novel_jobs", |fields| {
        let events = at(fields, &["events"])?.fields();
        let (first, second) = (events.first()?.body.clone(), events.get(1)?.body.clone());
        (events[0].body, events[1].body) = (second, first);
        Some(String::new())
    });
    expect_named(&place, &job, "novel_jobs", "events.0");
}

#[test]
fn half_a_cent_and_one_token_are_named() {
    for (measure, field, more) in
        [("cost", "totalUsd", 0.005), ("cost", "chaptersUsd", 0.005), ("tokens", "total", 1.0)]
    {
        let place = migrated(40);
        let (job, _) = edit_one(&place, "novel_job_metrics", |fields| {
            let number = at(fields, &[measure, field])?;
            let Body::Bytes(bytes) = &number.body else { return None };
            let before = match number.kind {
                1 => f64::from_le_bytes(bytes[..8].try_into().unwrap()),
                _ => f64::from(i32::from_le_bytes(bytes[..4].try_into().unwrap())),
            };
            number.kind = 1;
            number.body = Body::Bytes((before + more).to_le_bytes().to_vec());
            Some(String::new())
        });
        expect_named(&place, &job, "novel_job_metrics", &format!("{measure}.{field}"));
    }
}

#[test]
fn a_residue_of_another_job_is_named() {
    let place = migrated(10);
    let path = file(&place, "novel_job_metadata");
    let mut documents = split(&fs::read(&path).unwrap());
    let (mut one, mut other) = (parse(&documents[1]), parse(&documents[2]));
    let foreign = at(&mut other, &["legacy", "residue"]).unwrap().body.clone();
    at(&mut one, &["legacy", "residue"]).unwrap().body = foreign;
    let job = job_of(&documents[1]);
    documents[1] = build(&one);
    fs::write(&path, documents.concat()).unwrap();
    expect_named(&place, &job, "novel_job_metadata", "legacy.residue");
    assert_eq!(verify(&place, 5)["restored"]["different"], 1);
}

/// A byte is changed anywhere in a document: what holds documents together is told apart from what
/// is in them.
#[test]
fn one_changed_byte_anywhere_is_found() {
    const STEP: usize = 41;
    let place = migrated(4);
    let mut tried = 0;
    for collection in COLLECTIONS {
        let path = file(&place, collection);
        let before = fs::read(&path).unwrap();
        let documents = split(&before);
        let (job, start) = (job_of(&documents[1]), documents[0].len());
        let length = documents[1].len();
        let inside = (4..length).step_by(STEP.max(length / 40)).chain([length - 1]);
        for offset in (0..4).chain(inside) {
            let mut bytes = before.clone();
            bytes[start + offset] ^= 0x10;
            fs::write(&path, &bytes).unwrap();
            let told = place.call(&["verify", "source.bson", "target", "--json"]).finish();
            let at = format!("{collection}, byte {offset} of {length}: {}", told.stderr);
            tried += 1;
            let told = expect_parity_broken(told, &at);
            let named = told["mismatches"]
                .as_array()
                .unwrap()
                .iter()
                .any(|found| found["job"] == job.as_str() && found["collection"] == collection);
            assert!(named, "{at}: {told}");
        }
        fs::write(&path, &before).unwrap();
    }
    assert!(tried > 100, "{tried}");
    verify(&place, 0);
}

fn expect_parity_broken(told: Told, what: &str) -> Value {
    assert_eq!(told.code, Some(5), "{what}");
    serde_json::from_str(&told.stdout).unwrap()
}

#[test]
fn bytes_that_are_no_document_are_placed() {
    let place = migrated(4);
    let path = file(&place, "novel_jobs");
    let bytes = fs::read(&path).unwrap();
    let documents = split(&bytes);
    // The length of the text of `queue`, which then does not fit any more.
    let name = b"\x02queue\0";
    let at = documents[0].windows(name.len()).position(|part| part == name).unwrap();
    let mut damaged = bytes.clone();
    damaged[at + name.len()] ^= 0x40;
    fs::write(&path, damaged).unwrap();
    let found = expect_named(&place, &job_of(&documents[0]), "novel_jobs", "queue");
    assert_eq!(found["expected"], "\"novel-generation\"");
    assert!(found["actual"].as_str().unwrap().contains("not a well-formed document"));
}

#[test]
fn a_collection_without_a_file_is_an_empty_one() {
    let place = migrated(4);
    fs::remove_file(file(&place, "novel_job_metrics")).unwrap();
    let told = verify(&place, 5);
    assert_eq!(told["counts"]["novel_job_metrics"], 0);
    assert_eq!(told["mismatches_total"], 4);
    assert_eq!(told["totals"]["cost_usd"]["within_tolerance"], false);
}

#[test]
fn metadata_whose_job_is_gone_is_told_by_restore() {
    for gone in [0, 5, 11] {
        let place = migrated(12);
        let path = file(&place, "novel_jobs");
        let mut jobs = split(&fs::read(&path).unwrap());
        jobs.remove(gone);
        fs::write(&path, jobs.concat()).unwrap();
        let told = place.expect(0, &["restore", "target", "back.bson"]);
        assert!(told.stdout.contains("Restored 11 of 11 jobs"), "{}", told.stdout);
        assert!(told.stdout.contains("1 metadata document without a job"), "{}", told.stdout);
        let told = place.expect(0, &["restore", "target", "again.bson", "--json"]);
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(told["metadata_without_job"], 1, "{told}");
        assert_eq!(told["identical"], 11, "{told}");
    }
}

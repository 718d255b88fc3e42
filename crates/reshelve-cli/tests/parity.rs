//! `verify` and `checksums`: a correct migration passes, and every kind of damage is named.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::path::PathBuf;

use common::Place;

const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// A place with a source and its target.
fn migrated() -> Place {
    let place = Place::new();
    let source = ["generate", "source.bson", "--preset", "populated", "--documents", "40"];
    place.expect(0, &[&source[..], &["--size", "small"]].concat());
    place.expect(0, &["run", "source.bson", "target", "--apply", "--in-flight", "include"]);
    place
}

fn file(place: &Place, collection: &str) -> PathBuf {
    place.path("target").join("letswriteabook").join(format!("{collection}.bson"))
}

/// The documents of a target file, changed by `change`, written back.
fn change(place: &Place, collection: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let path = file(place, collection);
    let bytes = std::fs::read(&path).unwrap();
    let mut documents = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let end = at + usize::try_from(length).unwrap();
        documents.push(bytes[at..end].to_vec());
        at = end;
    }
    change(&mut documents);
    std::fs::write(&path, documents.concat()).unwrap();
}

/// Verifies a damaged target: exit 5, and the mismatch names collection and path.
fn expect_named(place: &Place, collection: &str, path: &str) {
    let told = place.expect(5, &["verify", "source.bson", "target", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["schema"], "reshelve.verify/1");
    assert_eq!(told["exit"], 5);
    let named = told["mismatches"].as_array().unwrap().iter().any(|mismatch| {
        mismatch["collection"] == collection
            && mismatch["path"].as_str().unwrap().starts_with(path)
            && !mismatch["job"].as_str().unwrap().is_empty()
    });
    assert!(named, "{collection} {path} is not named: {told}");
}

fn replace(document: &mut [u8], from: &[u8], to: &[u8]) {
    let at = document.windows(from.len()).position(|part| part == from).unwrap();
    document[at..at + to.len()].copy_from_slice(to);
}

#[test]
fn a_correct_migration_holds() {
    let place = migrated();
    let told = place.expect(0, &["verify", "source.bson", "target", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["restored"]["identical"], 40);
    assert_eq!(told["counts"]["novel_jobs"], 40);
    assert_eq!(told["mismatches"], serde_json::json!([]));
    assert!(place.expect(0, &["verify", "source.bson", "target"]).stdout.contains("Parity holds"));
}

#[test]
fn rejected_and_skipped_documents_are_no_mismatch() {
    let place = Place::new();
    let source = ["generate", "source.jsonl", "--preset", "foreign", "--documents", "120"];
    place.expect(0, &[&source[..], &["--size", "small"]].concat());
    let options = ["--in-flight", "skip", "--status-policy", "evidence"];
    let run = ["run", "source.jsonl", "target", "--apply", "--gzip"];
    place.expect(4, &[&run[..], &options].concat());
    place.expect(0, &[&["verify", "source.jsonl", "target"][..], &options].concat());
    // With other options the target is another one.
    place.expect(5, &["verify", "source.jsonl", "target", "--in-flight", "include"]);
}

#[test]
fn the_order_of_documents_does_not_matter() {
    let place = migrated();
    let before = place.expect(0, &["checksums", "target", "--json"]).stdout;
    for collection in COLLECTIONS {
        change(&place, collection, |documents| documents.reverse());
    }
    place.expect(0, &["verify", "source.bson", "target"]);
    assert_eq!(place.expect(0, &["checksums", "target", "--json"]).stdout, before);
    place.expect(0, &["restore", "target", "restored.bson"]);
}

#[test]
fn missing_and_extra_documents_are_named() {
    for collection in COLLECTIONS {
        let place = migrated();
        change(&place, collection, |documents| drop(documents.remove(7)));
        expect_named(&place, collection, "_id");
        let place = migrated();
        change(&place, collection, |documents| {
            let mut extra = documents[7].clone();
            // Another `_id`, in a document that is otherwise the same.
            extra[9] ^= 0x55;
            documents.push(extra);
        });
        expect_named(&place, collection, "_id");
    }
}

#[test]
fn changed_values_are_named() {
    let place = migrated();
    change(&place, "novel_jobs", |documents| {
        replace(&mut documents[3], b"novel-generation", b"novel-Generation");
    });
    expect_named(&place, "novel_jobs", "queue");

    let place = migrated();
    change(&place, "novel_job_events", |documents| {
        // Two events of one job change places: each has the `_id` of the other. Type, name and
        // value of it take 17 bytes behind the length.
        let (one, other) = (documents[1].clone(), documents[2].clone());
        documents[1][4..21].copy_from_slice(&other[4..21]);
        documents[2][4..21].copy_from_slice(&one[4..21]);
    });
    expect_named(&place, "novel_job_events", "emittedAt");

    let place = migrated();
    change(&place, "novel_job_metadata", |documents| {
        let with = documents
            .iter_mut()
            .find(|document| document.windows(10).any(|part| part == b"\x02severity\0"));
        let document = with.unwrap();
        replace(document, b"\x02severity\0", b"\x02Severity\0");
    });
    expect_named(&place, "novel_job_metadata", "continuityAlerts");
}

#[test]
fn a_residue_tampered_with_is_named() {
    let place = migrated();
    change(&place, "novel_job_metadata", |documents| {
        let document = &mut documents[5];
        let name = b"\x05residue\0";
        let at = document.windows(name.len()).position(|part| part == name).unwrap();
        document[at + name.len() + 5 + 20] ^= 1;
    });
    expect_named(&place, "novel_job_metadata", "legacy.residue");
}

#[test]
fn a_cost_off_by_half_a_cent_is_named() {
    let place = migrated();
    change(&place, "novel_job_metrics", |documents| {
        let name = b"\x01totalUsd\0";
        let document = documents
            .iter_mut()
            .find(|document| document.windows(name.len()).any(|part| part == name))
            .unwrap();
        let at = document.windows(name.len()).position(|part| part == name).unwrap() + name.len();
        let cost = f64::from_le_bytes(document[at..at + 8].try_into().unwrap()) + 0.005;
        document[at..at + 8].copy_from_slice(&cost.to_le_bytes());
    });
    expect_named(&place, "novel_job_metrics", "cost.totalUsd");
}

#[test]
fn all_mismatches_go_to_a_file() {
    let place = migrated();
    change(&place, "novel_job_events", Vec::clear);
    let told = place.expect(5, &["verify", "source.bson", "target", "--json", "--out", "found"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    let lines = std::fs::read_to_string(place.path("found").join("mismatches.jsonl")).unwrap();
    assert_eq!(told["mismatches"].as_array().unwrap().len(), 100);
    assert_eq!(u64::try_from(lines.lines().count()).unwrap(), told["mismatches_total"]);
}

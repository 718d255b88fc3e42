//! What is said of a rehearsal: on its own pages, and in the report and the evidence of a run that
//! comes after it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::process::Command;

use serde_json::{Value, json};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, Told, mixed_source, with};

fn answer(told: &Told) -> Value {
    serde_json::from_str(told.stdout.lines().last().unwrap()).unwrap()
}

fn rehearse(place: &Place, args: &[&str]) -> Value {
    answer(&place.expect(0, &with(&with(&["rehearse"], args), &["--json"])))
}

/// A file of the record.
fn page(place: &Place, record: &Value, name: &str) -> String {
    let id = record["rehearsal"].as_str().unwrap();
    let path = format!(".reshelve/runs/.rehearsals/{id}/{name}");
    String::from_utf8(place.read(&path)).unwrap()
}

fn report(place: &Place, run: &str) -> Value {
    answer(&place.expect(0, &["report", run, "--out", "report", "--json"]))
}

fn place() -> Place {
    let place = Place::new();
    let bytes = mixed_source(&place, 40, "small");
    place.write("jobs.bson", &bytes);
    place
}

const RUN: [&str; 4] = ["run", "jobs.bson", "out", "--apply"];

#[test]
fn the_pages_say_what_happened_how_long_it_took_and_what_is_open() {
    let place = place();
    let record = rehearse(&place, &["jobs.bson"]);
    let [html, markdown] =
        ["rehearsal.html", "rehearsal.md"].map(|name| page(&place, &record, name));
    let id = record["rehearsal"].as_str().unwrap();
    for step in record["steps"].as_array().unwrap() {
        for text in [step["step"].as_str().unwrap(), step["detail"].as_str().unwrap()] {
            assert!(html.contains(text), "{text}: {html}");
            assert!(markdown.contains(text), "{text}: {markdown}");
        }
    }
    for refused in record["would_refuse"].as_array().unwrap() {
        assert!(html.contains(refused["code"].as_str().unwrap()));
        assert!(markdown.contains(refused["code"].as_str().unwrap()));
    }
    for words in [
        "The rehearsal passed",
        "What would have been refused",
        "What the maintenance window will need",
        "A live target takes longer",
        id,
        record["set_hash"].as_str().unwrap(),
        record["checksums"]["novel_jobs"]["checksum"].as_str().unwrap(),
    ] {
        assert!(html.contains(words), "{words}: {html}");
        assert!(markdown.contains(words), "{words}: {markdown}");
    }
    // One file, and nothing to sign in it.
    for word in ["<script", "http://", "https://", "src=", "Signature"] {
        assert!(!html.contains(word), "{word}");
    }
}

#[test]
fn a_failed_one_says_why_on_its_page() {
    let place = place();
    let bytes = place.read("jobs.bson");
    place.write("jobs.bson", &bytes[..bytes.len() - 50]);
    let record = answer(&place.expect(1, &["rehearse", "jobs.bson", "--json"]));
    let html = page(&place, &record, "rehearsal.html");
    for words in ["The rehearsal failed", "truncated", "The scratch was kept", "Not known"] {
        assert!(html.contains(words), "{words}: {html}");
    }
}

#[test]
fn a_report_names_the_newest_rehearsal_of_the_same_documents() {
    let place = place();
    place.expect(4, &with(&RUN, &["--in-flight", "include"]));
    let before = report(&place, "latest");
    assert_eq!(before["rehearsal"], Value::Null);
    let told = String::from_utf8(place.read("report/report.md")).unwrap();
    assert!(told.contains("Not rehearsed"), "{told}");
    // One that comes later counts too: the report is of what is known when it is made.
    rehearse(&place, &["jobs.bson"]);
    let record = rehearse(&place, &["jobs.bson", "--gzip"]);
    let after = report(&place, "latest");
    let rehearsal = &after["rehearsal"];
    assert_eq!(rehearsal["rehearsal"], record["rehearsal"], "the newest");
    for field in ["begun_at", "outcome", "steps", "window", "elapsed_ms"] {
        assert_eq!(rehearsal[field], record[field], "{field}");
    }
    assert_eq!(rehearsal["scratch"], "folder");
    for name in ["report.html", "report.md"] {
        let told = String::from_utf8(place.read(&format!("report/{name}"))).unwrap();
        for text in [record["rehearsal"].as_str().unwrap(), "run-again"] {
            assert!(told.contains(text), "{name} {text}");
        }
        assert!(!told.contains("Not rehearsed"), "{name}");
    }
    // The verdict is about the run alone.
    assert_eq!(before["verdict"], after["verdict"]);
}

#[test]
fn another_source_other_options_or_an_unfinished_one_do_not_count() {
    let place = place();
    let all = place.read("jobs.bson");
    rehearse(&place, &["jobs.bson", "--in-flight", "skip"]);
    let first = i32::from_le_bytes(all[..4].try_into().unwrap()) as usize;
    place.write("fewer.bson", &all[first..]);
    rehearse(&place, &["fewer.bson"]);
    rehearse(&place, &["jobs.bson", "--status-policy", "evidence"]);
    place.expect(4, &with(&RUN, &["--in-flight", "include"]));
    assert_eq!(report(&place, "latest")["rehearsal"], Value::Null);
    // What a run decides for itself is the same decision as none.
    let record = rehearse(&place, &["jobs.bson", "--in-flight", "include"]);
    assert_eq!(report(&place, "latest")["rehearsal"]["rehearsal"], record["rehearsal"]);
    // A record that cannot be read is none.
    let id = record["rehearsal"].as_str().unwrap();
    place.write(&format!(".reshelve/runs/.rehearsals/{id}/rehearsal.json"), b"{}");
    assert_eq!(report(&place, "latest")["rehearsal"], Value::Null);
}

#[test]
fn the_same_documents_in_another_order_are_the_same_set() {
    let place = place();
    place.expect(0, &["generate", "one.bson", "--documents", "8", "--size", "small"]);
    let mut documents = common::split(&place.read("one.bson"));
    documents.reverse();
    place.write("other.bson", &documents.concat());
    let record = rehearse(&place, &["one.bson"]);
    place.expect(0, &["run", "other.bson", "out", "--apply"]);
    assert_eq!(report(&place, "latest")["rehearsal"]["rehearsal"], record["rehearsal"]);
}

#[test]
fn the_evidence_pack_holds_the_record() {
    let place = place();
    let record = rehearse(&place, &["jobs.bson"]);
    place.expect(4, &with(&RUN, &["--in-flight", "include"]));
    place.expect(0, &["report", "latest", "--out", "report", "--bundle"]);
    let run = place.run();
    let pack = format!("report/evidence-{run}.tar.gz");
    let untar = Command::new("tar").args(["-xzf", &pack]).current_dir(place.path("")).status();
    assert!(untar.unwrap().success());
    let file = |name: &str| -> Value {
        serde_json::from_slice(&place.read(&format!("evidence-{run}/{name}"))).unwrap()
    };
    assert_eq!(file("rehearsal.json"), record);
    assert_eq!(file("evidence.json")["rehearsal"]["rehearsal"], record["rehearsal"]);
    let manifest = place.read(&format!("evidence-{run}/MANIFEST.sha256"));
    assert!(String::from_utf8(manifest).unwrap().contains("  rehearsal.json"));
    assert_eq!(file("evidence.json")["rehearsal"]["outcome"], json!("passed"));
}

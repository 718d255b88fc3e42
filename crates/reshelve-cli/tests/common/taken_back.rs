//! A source, targets that runs write, and rollbacks of these.

use reshelve_core::raw::{Document, Value};

use crate::common::documents::aged;
use crate::common::{Place, Told, split};

pub(crate) const APPLY: [&str; 3] = ["--apply", "--in-flight", "include"];
pub(crate) const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

pub(crate) fn document(told: &Told) -> serde_json::Value {
    serde_json::from_str(told.stdout.lines().last().unwrap()).unwrap()
}

pub(crate) fn text<'d>(document: &'d [u8], name: &str) -> &'d [u8] {
    Document::new(document).get(name).and_then(Value::string).unwrap_or_default()
}

/// A source of twelve documents, in two halves and in older versions.
pub(crate) fn place() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "12", "--size", "small"]);
    let documents = split(&place.read("jobs.bson"));
    place.write("first.bson", &documents[..6].concat());
    place.write("second.bson", &documents[6..].concat());
    let old: Vec<Vec<u8>> = documents[..8].iter().map(|document| aged(document)).collect();
    place.write("old.bson", &old.concat());
    place
}

pub(crate) fn applied(place: &Place, code: i32, source: &str, more: &[&str]) -> String {
    let told =
        place.expect(code, &[&["run", source, "target", "--json"][..], &APPLY, more].concat());
    document(&told)["run"].as_str().unwrap().to_owned()
}

pub(crate) fn checksums(place: &Place) -> serde_json::Value {
    document(&place.expect(0, &["checksums", "target", "--json"]))["collections"].clone()
}

pub(crate) fn roll_back(place: &Place, code: i32, run: &str, more: &[&str]) -> serde_json::Value {
    document(&place.expect(code, &[&["rollback", run, "--json"][..], more].concat()))
}

/// The documents of a collection of the target.
pub(crate) fn stored(place: &Place, collection: &str) -> Vec<Vec<u8>> {
    split(&place.read(&format!("target/letswriteabook/{collection}.bson")))
}

pub(crate) fn store(place: &Place, collection: &str, documents: &[Vec<u8>]) {
    place.write(&format!("target/letswriteabook/{collection}.bson"), &documents.concat());
}

/// Adds an event to the target that is like this one, under an `_id` that the mapping does not give.
pub(crate) fn add_event_like(place: &Place, event: &[u8]) {
    let mut events = stored(place, "novel_job_events");
    let mut event = event.to_vec();
    let id = event.windows(5).position(|window| window == b"\x07_id\0").unwrap() + 5;
    event[id + 11] ^= 0xff;
    events.push(event);
    store(place, "novel_job_events", &events);
}

//! Running rejected documents again from a source that was changed since: they are known by their
//! `_id` and content, not by their place.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, split};

const APPLY: [&str; 3] = ["--apply", "--in-flight", "include"];
const QUEUE: &[u8] = b"novel-generation";

/// The documents of a source, the fourth of which is rejected because it has no `_id`.
fn documents(place: &Place) -> Vec<Vec<u8>> {
    let args = ["generate", "jobs.bson", "--documents", "12", "--size", "small"];
    place.expect(0, &args);
    let mut documents = split(&place.read("jobs.bson"));
    documents[3] = b"\x11\0\0\0\x02at\0\x04\0\0\0mid\0\0".to_vec();
    documents
}

/// Changes every job of a target, as the new application does.
fn edit(place: &Place) -> Vec<u8> {
    let path = "target/letswriteabook/novel_jobs.bson";
    let mut jobs = place.read(path);
    let places: Vec<usize> =
        (0..jobs.len() - QUEUE.len()).filter(|at| jobs[*at..].starts_with(QUEUE)).collect();
    assert!(places.len() >= 11, "{} jobs", places.len());
    for at in places {
        jobs[at] = b'N';
    }
    place.write(path, &jobs);
    jobs
}

#[test]
fn a_document_at_the_place_of_a_rejected_one_is_not_taken() {
    let place = Place::new();
    let mut documents = documents(&place);
    place.write("jobs.bson", &documents.concat());
    place.expect(4, &[&["run", "jobs.bson", "target"], &APPLY[..]].concat());
    let first = place.run();
    let edited = edit(&place);
    // One document is gone, so that another one is at the place of the rejected one.
    documents.remove(0);
    place.write("jobs.bson", &documents.concat());
    let again = ["run", "jobs.bson", "target", "--replace", "--only-rejects", &first];
    let told = place.expect(4, &[&again[..], &APPLY].concat());
    told.says(&["no _id of its own"]);
    assert!(place.read("target/letswriteabook/novel_jobs.bson") == edited, "an edit is gone");
    // The list of an older version has no hashes: nothing is taken, and it is said.
    let list = format!(".reshelve/runs/{first}/rejects.jsonl");
    let text = String::from_utf8(place.read(&list)).unwrap();
    let mut line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(line["hash"].as_str().unwrap().len(), 64);
    line.as_object_mut().unwrap().remove("hash");
    place.write(&list, format!("{line}\n").as_bytes());
    let told = place.expect(0, &[&again[..], &APPLY].concat());
    told.says(&["neither an _id of its own nor a hash", "is not taken"]);
    assert!(place.read("target/letswriteabook/novel_jobs.bson") == edited, "an edit is gone");
}

#[test]
fn a_rejected_document_is_found_by_its_id_wherever_it_is() {
    let place = Place::new();
    let mut documents = documents(&place);
    documents.remove(3);
    // A status that the mapping does not know.
    let rejected = 8;
    let whole = documents[rejected].clone();
    let name = b"\x02status\0";
    let at = whole.windows(name.len()).position(|window| window == name).unwrap() + name.len() + 4;
    documents[rejected][at] = b'?';
    place.write("jobs.bson", &documents.concat());
    place.expect(4, &[&["run", "jobs.bson", "target"], &APPLY[..]].concat());
    let first = place.run();
    let before = split(&place.read("target/letswriteabook/novel_jobs.bson")).len();
    // It was repaired, and is at another place now.
    documents.remove(rejected);
    documents.insert(0, whole);
    place.write("jobs.bson", &documents.concat());
    let again = ["run", "jobs.bson", "target", "--only-rejects", &first];
    place.expect(0, &[&again[..], &APPLY].concat());
    let after = split(&place.read("target/letswriteabook/novel_jobs.bson")).len();
    assert_eq!(after, before + 1);
}

/// A document whose text differs from that of another one with its `_id`.
fn twin(document: &[u8]) -> Vec<u8> {
    let mut twin = document.to_vec();
    let at = twin.windows(9).position(|it| it == b"completed").unwrap();
    let title = twin.windows(7).position(|it| it == b"\x02title\0").unwrap_or(at);
    twin[title + 11] = b'N';
    twin
}

#[test]
fn a_retry_that_replaces_leaves_the_document_that_was_taken() {
    let place = Place::new();
    let mut documents = documents(&place);
    documents.truncate(3);
    documents.push(twin(&documents[1]));
    place.write("jobs.bson", &documents.concat());
    place.expect(4, &[&["run", "jobs.bson", "target"], &APPLY[..]].concat());
    let first = place.run();
    let jobs = place.read("target/letswriteabook/novel_jobs.bson");
    let again = ["run", "jobs.bson", "target", "--replace", "--only-rejects", &first];
    let told = place.expect(4, &[&again[..], &APPLY].concat());
    assert!(told.stdout.contains("duplicate-id"), "{}", told.stdout);
    let second = place.runs().pop().unwrap();
    let list = place.read(&format!(".reshelve/runs/{second}/rejects.jsonl"));
    let list = String::from_utf8(list).unwrap();
    assert!(list.contains("run this one from a file of its own"), "{list}");
    assert!(place.read("target/letswriteabook/novel_jobs.bson") == jobs, "a job was replaced");
    let verify = ["verify", "jobs.bson", "target", "--run", &first, "--run", &second];
    place.expect(0, &verify);
    // A retry of the retry knows it too.
    let again = ["run", "jobs.bson", "target", "--replace", "--only-rejects", &second];
    place.expect(4, &[&again[..], &APPLY].concat());
    assert!(place.read("target/letswriteabook/novel_jobs.bson") == jobs, "a job was replaced");
    // Who means the other one says so.
    place.write("meant.bson", &documents[3]);
    place.expect(0, &[&["run", "meant.bson", "target", "--replace"], &APPLY[..]].concat());
    assert!(place.read("target/letswriteabook/novel_jobs.bson") != jobs);
}

//! Jobs that a run did not carry over because the target held something else of them: that has to be
//! there still.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::documents::aged;
use common::{Place, Told, split, with};
use reshelve_core::raw::{Document, Value};
use serde_json::json;

const APPLY: [&str; 3] = ["--apply", "--in-flight", "include"];
const VERIFY: [&str; 4] = ["verify", "jobs.bson", "target", "--json"];
const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

fn document(told: &Told) -> serde_json::Value {
    serde_json::from_str(&told.stdout).unwrap()
}

fn text<'d>(document: &'d [u8], name: &str) -> &'d [u8] {
    Document::new(document).get(name).and_then(Value::string).unwrap_or_default()
}

/// A target that holds older versions of two jobs, and a run that could not carry these over.
struct Conflicting {
    place: Place,
    run: String,
    jobs: Vec<Vec<u8>>,
}

impl Conflicting {
    fn new() -> Conflicting {
        let place = Place::new();
        place.expect(0, &["generate", "jobs.bson", "--documents", "12", "--size", "small"]);
        let documents = split(&place.read("jobs.bson"));
        place.write("old.bson", &[aged(&documents[4]), aged(&documents[7])].concat());
        place.expect(0, &with(&["run", "old.bson", "target"], &APPLY));
        let jobs = split(&place.read("target/letswriteabook/novel_jobs.bson"));
        let jobs: Vec<_> = jobs.iter().map(|job| text(job, "jobId").to_vec()).collect();
        assert_eq!(jobs.len(), 2);
        let run = ["run", "jobs.bson", "target", "--allow-existing", "--json"];
        let ran = document(&place.expect(4, &with(&run, &APPLY)));
        assert_eq!(ran["rejects"], json!({ "target-conflict": 2 }));
        Conflicting { run: ran["run"].as_str().unwrap().to_owned(), place, jobs }
    }

    /// Keeps of a collection what `keep` says.
    fn filter(&self, collection: &str, keep: impl Fn(&[u8]) -> bool) {
        let path = format!("target/letswriteabook/{collection}.bson");
        let mut documents = split(&self.place.read(&path));
        let before = documents.len();
        documents.retain(|document| keep(document));
        assert!(documents.len() < before, "{collection}");
        self.place.write(&path, &documents.concat());
    }

    fn verdict(&self, code: i32) -> serde_json::Value {
        let found = document(&self.place.expect(code, &VERIFY));
        let report = ["report", &self.run, "--json", "--out", "report"];
        let report = document(&self.place.call(&report).finish());
        assert_eq!(report["verdict"]["word"], found["verdict"]);
        assert_eq!(report["parity"]["mismatches_total"], found["mismatches_total"]);
        found
    }
}

#[test]
fn what_was_in_the_way_has_to_be_there_still() {
    let at = Conflicting::new();
    let found = at.verdict(0);
    let rejected = &found["counts"]["rejected"];
    assert_eq!((&found["verdict"], rejected), (&json!("holds-with-exceptions"), &json!(2)));
    // Others may do with theirs what they like, as long as there is something.
    at.filter("novel_jobs", |document| text(document, "jobId") != at.jobs[0]);
    assert_eq!(at.verdict(0)["counts"]["rejected"], 2);
    // Now the job is nowhere.
    for collection in &COLLECTIONS[1..] {
        at.filter(collection, |document| text(document, "jobId") != at.jobs[0]);
    }
    let found = at.verdict(5);
    assert_eq!(found["mismatched_jobs"], 1);
    let group = &found["groups"][0];
    let job = String::from_utf8_lossy(&at.jobs[0]);
    assert_eq!((&group["kind"], &group["example"]), (&json!("conflict-gone"), &json!(job)));
    let told = at.place.expect(5, &["verify", "jobs.bson", "target"]).stdout;
    assert!(told.contains("which is gone, such as ") && told.contains(job.as_ref()), "{told}");
    // A sample holds none of it, and cannot tell.
    at.place.expect(0, &with(&VERIFY, &["--sample", "5"]));
}

#[test]
fn a_job_that_has_another_id_is_in_the_way_as_well() {
    let at = Conflicting::new();
    for collection in COLLECTIONS {
        at.filter(collection, |document| text(document, "jobId") != at.jobs[1]);
    }
    at.verdict(5);
    // The metrics of the other job, as if they were of this one, under an `_id` of their own.
    let path = "target/letswriteabook/novel_job_metrics.bson";
    let metrics = at.place.read(path);
    let mut of_others = split(&metrics).into_iter();
    let mut foreign = of_others.rfind(|metrics| text(metrics, "jobId") == at.jobs[0]).unwrap();
    let place = foreign.windows(24).position(|window| window == at.jobs[0]).unwrap();
    foreign[place..place + 24].copy_from_slice(&at.jobs[1]);
    let id = foreign.windows(5).position(|window| window == b"\x07_id\0").unwrap() + 5;
    foreign[id] ^= 0xff;
    at.place.write(path, &[metrics, foreign].concat());
    assert_eq!(at.verdict(0)["counts"]["rejected"], 2);
}

#[test]
fn a_list_of_rejects_that_was_changed_is_not_believed() {
    let at = Conflicting::new();
    let path = format!(".reshelve/runs/{}/rejects.jsonl", at.run);
    let list = String::from_utf8(at.place.read(&path)).unwrap();
    // As long as before.
    let changed = list.replacen("\"code\":\"target-conflict\"", "\"code\": \"target-refused\"", 1);
    assert_ne!(changed, list);
    assert_eq!(changed.len(), list.len());
    at.place.write(&path, changed.as_bytes());
    let says = ["rejects.jsonl cannot be used", "checkpoint.json counts"];
    at.place.expect(1, &VERIFY).says(&says);
    at.place.expect(1, &["report", &at.run, "--out", "report"]).says(&says);
    at.place.write(&path, list.as_bytes());
    at.verdict(0);
}

/// To replace a job takes out its earlier version by its job id; what has its `_id` and is of another
/// job would stay beside the new version.
#[test]
fn a_document_of_another_job_that_has_the_same_id_is_not_replaced() {
    for collection in COLLECTIONS {
        let place = Place::new();
        place.expect(0, &["generate", "jobs.bson", "--documents", "12", "--size", "small"]);
        place.expect(0, &with(&["run", "jobs.bson", "target"], &APPLY));
        let path = format!("target/letswriteabook/{collection}.bson");
        let mut documents = split(&place.read(&path));
        let job = text(&documents[0], "jobId").to_vec();
        let other: Vec<u8> = job.iter().rev().copied().collect();
        assert_ne!(job, other);
        let at = place_of_job_id(&documents[0], &job);
        documents[0][at..at + job.len()].copy_from_slice(&other);
        place.write(&path, &documents.concat());
        let before = place.tree("target");
        let told =
            place.expect(4, &with(&["run", "jobs.bson", "target", "--replace", "--json"], &APPLY));
        assert_eq!(document(&told)["rejects"], json!({ "target-conflict": 1 }), "{collection}");
        assert!(place.tree("target") == before, "{collection}");
        let run = document(&told)["run"].as_str().unwrap().to_owned();
        place.expect(0, &["rollback", &run, "--apply"]);
        assert!(place.tree("target") == before, "{collection}");
    }
}

/// Where a document has its job id.
fn place_of_job_id(document: &[u8], job: &[u8]) -> usize {
    let name = [b"\x02jobId\0", &u32::try_from(job.len() + 1).unwrap().to_le_bytes()[..]].concat();
    let found = document.windows(name.len()).position(|window| window == name).unwrap();
    found + name.len()
}

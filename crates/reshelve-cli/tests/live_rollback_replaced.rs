//! Jobs that a run replaced in a live target, and what the new application wrote to them before and
//! since.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::{RawDocument, RawDocumentBuf, doc};
use serde_json::{Value, json};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/proxy.rs"]
#[expect(dead_code, unused_imports, reason = "each of these files uses a part of it")]
mod proxy;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use common::documents::aged;
use common::split;
use live::{Database, Server};
use proxy::Proxy;
use rehearsal::{APPLY, Rehearsal, json as answer};

const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// A target in which older versions of twenty jobs stood, each with an event of the application,
/// and a run that has replaced them.
struct Replaced {
    rehearsal: Rehearsal,
    target: Database,
    proxy: Proxy,
    /// All documents before the run.
    before: Vec<Vec<Vec<u8>>>,
    /// A job that was replaced.
    job: String,
}

impl Replaced {
    fn new(server: &Server, is_standalone: bool) -> Option<Replaced> {
        let rehearsal = Rehearsal::new(40, "small");
        let target = rehearsal.target(server);
        let proxy = Proxy::start(&target.uri_of_one_server()?);
        if is_standalone {
            proxy.pose_as_standalone();
        }
        let documents = split(&rehearsal.place.read("jobs.bson"));
        let old: Vec<Vec<u8>> = documents[..20].iter().map(|document| aged(document)).collect();
        rehearsal.place.write("old.bson", &old.concat());
        let mut scene =
            Replaced { rehearsal, target, proxy, before: Vec::new(), job: String::new() };
        scene.apply("old.bson", &[]);
        let jobs: Vec<String> =
            scene.target.dump("novel_jobs").iter().map(|it| job_id(it)).collect();
        for (at, job) in jobs.iter().enumerate() {
            scene.add_event(&format!("before-{at}"), job);
        }
        scene.before = scene.contents();
        scene.apply("jobs.bson", &["--replace"]);
        let kept = scene.target.dump("reshelve_undo");
        let kept = kept.iter().find_map(|kept| {
            let kept = RawDocument::from_bytes(kept).unwrap();
            Some(job_id(kept.get_document("document").ok()?.as_bytes()))
        });
        scene.job = kept.unwrap();
        Some(scene)
    }

    fn apply(&self, source: &str, more: &[&str]) {
        let run = ["run", source, self.proxy.uri()];
        self.rehearsal.place.expect(0, &[&run[..], &APPLY, more].concat());
    }

    fn back(&self, code: i32, more: &[&str]) -> (Value, String) {
        let run = self.rehearsal.place.runs().pop().unwrap();
        let args = ["rollback", &run, "--json"];
        let told = self.rehearsal.place.expect(code, &[&args[..], more].concat());
        (answer(&told), told.stderr)
    }

    fn add_event(&self, id: &str, job: &str) -> Vec<u8> {
        let emitted_at = "2026-01-01T00:00:00.000Z";
        let event =
            doc! { "_id": id, "jobId": job, "emittedAt": emitted_at, "event": { "at": id } };
        let event = RawDocumentBuf::try_from(&event).unwrap().into_bytes();
        self.target.seed("novel_job_events", &[&event]);
        event
    }

    fn contents(&self) -> Vec<Vec<Vec<u8>>> {
        let sorted = |collection: &str| {
            let mut documents = self.target.dump(collection);
            documents.sort();
            documents
        };
        COLLECTIONS.into_iter().map(sorted).collect()
    }
}

fn job_id(document: &[u8]) -> String {
    RawDocument::from_bytes(document).unwrap().get_str("jobId").unwrap().to_owned()
}

#[test]
fn events_that_stood_before_their_job_was_replaced_are_no_edit() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        let Some(scene) = Replaced::new(&server, is_standalone) else { return };
        let (told, said) = scene.back(0, &["--apply"]);
        assert_eq!(told["jobs"]["edited"], 0, "{told}");
        assert!(!said.contains("did not write"), "{said}");
        assert!(scene.contents() == scene.before, "standalone: {is_standalone}");
    }
}

#[test]
fn an_event_that_came_since_a_job_was_replaced_waits_for_a_decision() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        let Some(scene) = Replaced::new(&server, is_standalone) else { return };
        let since = scene.add_event("since", &scene.job);
        let ran = scene.contents();
        for more in [&[][..], &["--apply"], &["--apply", "--edited", "discard=2"]] {
            let (told, _) = scene.back(3, more);
            assert_eq!((&told["applied"], &told["jobs"]["edited"]), (&json!(false), &json!(1)));
            assert_eq!(told["edited"][0]["job"], scene.job.as_str());
            assert_eq!(told["edited"][0]["collection"], "novel_job_events");
            assert!(scene.contents() == ran, "nothing is changed");
        }
        let of_job = |contents: Vec<Vec<Vec<u8>>>| -> Vec<Vec<u8>> {
            contents.into_iter().flatten().filter(|it| job_id(it) == scene.job).collect()
        };
        let (told, _) = scene.back(0, &["--apply", "--edited", "keep"]);
        assert_eq!(told["jobs"]["kept"], 1, "{told}");
        let left = of_job(scene.contents());
        assert!(left == of_job(ran), "it is as it stood");
        assert!(left.contains(&since));
    }
}

#[test]
fn such_an_event_is_discarded_with_a_copy_and_one_from_before_stays() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        let Some(scene) = Replaced::new(&server, is_standalone) else { return };
        let since = scene.add_event("since", &scene.job);
        scene.back(0, &["--apply", "--edited", "discard=1"]);
        assert!(scene.contents() == scene.before, "standalone: {is_standalone}");
        let run = scene.rehearsal.place.runs().pop().unwrap();
        let copy =
            split(&scene.rehearsal.place.read(&format!(".reshelve/runs/{run}/discarded.bson")));
        assert!(copy.contains(&since));
        let before = copy.iter().filter(|it| scene.before.iter().flatten().any(|was| was == *it));
        assert!(before.count() == 0, "what was there before is nothing of the run's");
    }
}

/// Without the record of what was kept nobody knows what stood before.
#[test]
fn without_the_record_of_what_was_kept_nothing_is_taken_back() {
    let Some(server) = Server::shared() else { return };
    let Some(scene) = Replaced::new(&server, false) else { return };
    let delete = doc! { "q": { "_id.job": &scene.job }, "limit": 0 };
    scene.target.command(doc! { "delete": "reshelve_undo", "deletes": [delete] });
    let ran = scene.contents();
    let run = scene.rehearsal.place.runs().pop().unwrap();
    for more in [&[][..], &["--apply"], &["--apply", "--edited", "keep"]] {
        let told =
            scene.rehearsal.place.expect(3, &[&["rollback", run.as_str()][..], more].concat());
        told.says(&["reshelve_undo", "hint:", "backup"]);
        assert!(scene.contents() == ran, "nothing is changed");
    }
}

/// An older copy of the run folder does not name what the run replaced since.
#[test]
fn a_journal_that_does_not_name_all_that_was_kept_takes_nothing_back() {
    let Some(server) = Server::shared() else { return };
    let Some(scene) = Replaced::new(&server, false) else { return };
    let ran = scene.contents();
    let run = scene.rehearsal.place.runs().pop().unwrap();
    let unnamed = doc! { "_id": { "run": &run, "job": "unnamed" } };
    let unnamed = RawDocumentBuf::try_from(&unnamed).unwrap().into_bytes();
    scene.target.seed("reshelve_undo", &[&unnamed]);
    for more in [&[][..], &["--apply"]] {
        let told =
            scene.rehearsal.place.expect(3, &[&["rollback", run.as_str()][..], more].concat());
        told.says(&["reshelve_undo", "an older copy", "hint:"]);
        assert!(scene.contents() == ran, "nothing is changed");
    }
    let delete = doc! { "q": { "_id.job": "unnamed" }, "limit": 0 };
    scene.target.command(doc! { "delete": "reshelve_undo", "deletes": [delete] });
    scene.back(0, &["--apply"]);
}

/// What happens to a document that was kept, what is there instead, and what was.
type Damage = (&'static str, Option<Vec<u8>>, Vec<u8>);

/// Damage to what was kept of a job.
fn damaged(scene: &Replaced) -> Vec<Damage> {
    let is_of_job = |kept: &Vec<u8>| {
        let kept = RawDocument::from_bytes(kept).unwrap();
        let document = kept.get_document("document");
        document.is_ok_and(|it| it.get_str("jobId").unwrap() == scene.job)
    };
    let kept: Vec<Vec<u8>> =
        scene.target.dump("reshelve_undo").into_iter().filter(is_of_job).collect();
    let flipped = |kept: &[u8], name: &[u8]| {
        let at = kept.windows(name.len()).rposition(|it| it == name).unwrap() + name.len() + 4;
        let mut flipped = kept.to_vec();
        flipped[at] ^= 1;
        Some(flipped)
    };
    let status = b"\x02status\0";
    let has_status = |kept: &&Vec<u8>| kept.windows(status.len()).any(|it| it == status);
    let job = kept.iter().find(has_status).unwrap().clone();
    let last = kept.last().unwrap().clone();
    vec![
        ("a letter of a status", flipped(&job, status), job),
        ("the job id", flipped(&last, b"\x02jobId\0"), last.clone()),
        ("one document is gone", None, last),
    ]
}

#[test]
fn an_earlier_version_that_was_damaged_is_not_put_back() {
    let Some(server) = Server::shared() else { return };
    let Some(scene) = Replaced::new(&server, false) else { return };
    let run = scene.rehearsal.place.runs().pop().unwrap();
    let ran = scene.contents();
    let delete = |document: &[u8]| {
        let id = RawDocument::from_bytes(document).unwrap().get_document("_id").unwrap();
        let id = mongodb::bson::Document::try_from(id).unwrap();
        let delete = doc! { "q": { "_id": id }, "limit": 1 };
        let done = scene.target.command(doc! { "delete": "reshelve_undo", "deletes": [delete] });
        assert_eq!(done.get_i32("n").unwrap(), 1);
    };
    for (what, instead, kept) in damaged(&scene) {
        delete(&kept);
        if let Some(instead) = &instead {
            scene.target.seed("reshelve_undo", &[instead]);
        }
        for more in [&[][..], &["--apply"], &["--apply", "--edited", "keep"]] {
            let args = [&["rollback", run.as_str()][..], more].concat();
            let told = scene.rehearsal.place.expect(3, &args);
            told.says(&["reshelve_undo", &scene.job, "hint:", "backup"]);
            assert!(scene.contents() == ran, "{what}: nothing is changed");
        }
        instead.iter().for_each(|it| delete(it));
        scene.target.seed("reshelve_undo", &[kept]);
    }
    scene.back(0, &["--apply"]);
    assert!(scene.contents() == scene.before);
}

#[test]
fn what_was_kept_goes_when_it_is_back_and_stays_where_it_is_the_only_copy() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        let Some(scene) = Replaced::new(&server, is_standalone) else { return };
        // What another run keeps stays.
        let of_another = doc! {
            "_id": { "run": "another", "collection": "novel_jobs", "id": 1 },
            "document": { "jobId": &scene.job },
        };
        let of_another = RawDocumentBuf::try_from(&of_another).unwrap().into_bytes();
        scene.target.seed("reshelve_undo", &[&of_another]);
        scene.back(0, &["--apply"]);
        assert!(scene.target.dump("reshelve_undo") == [of_another.clone()]);
        let run = scene.rehearsal.place.runs().pop().unwrap();
        scene.rehearsal.place.expect(0, &["rollback", &run, "--apply"]);
        // An empty one is in nobody's way.
        let all = doc! { "q": {}, "limit": 0 };
        scene.target.command(doc! { "delete": "reshelve_undo", "deletes": [&all] });
        scene.target.command(doc! { "delete": "novel_job_events", "deletes": [all] });
        scene.rehearsal.place.expect(0, &["indexes", "down", &scene.target.uri]);
        assert!(!scene.target.collections().contains(&"reshelve_undo".to_owned()));

        let Some(scene) = Replaced::new(&server, is_standalone) else { return };
        scene.add_event("since", &scene.job);
        let of_job = |target: &Database| -> Vec<Vec<u8>> {
            let is_of_job = |kept: &Vec<u8>| {
                let kept = RawDocument::from_bytes(kept).unwrap();
                let is_it = |job: &str| job == scene.job;
                kept.get_document("_id").unwrap().get_str("job").is_ok_and(is_it)
                    || kept.get_document("document").is_ok_and(|it| is_it(&job_id(it.as_bytes())))
            };
            target.dump("reshelve_undo").into_iter().filter(is_of_job).collect()
        };
        let kept = of_job(&scene.target);
        scene.back(0, &["--apply", "--edited", "keep"]);
        let left = scene.target.dump("reshelve_undo");
        assert!(kept.len() > 2 && left.len() < 2 * kept.len(), "{}", left.len());
        assert!(of_job(&scene.target).iter().any(|it| {
            let it = RawDocument::from_bytes(it).unwrap();
            it.get_document("_id").unwrap().get_str("collection").is_ok_and(|it| it == "novel_jobs")
        }));
    }
}

/// What a later run replaced comes back with that run: it is taken back first.
#[test]
fn a_run_of_which_a_later_one_replaced_documents_is_taken_back_after_it() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        let Some(scene) = Replaced::new(&server, is_standalone) else { return };
        let runs = scene.rehearsal.place.runs();
        let [older, later] = runs.as_slice() else { panic!("{runs:?}") };
        // The folder of the later run may be on another machine: the target tells.
        let folder = |run: &str| scene.rehearsal.place.path(&format!(".reshelve/runs/{run}"));
        let elsewhere = scene.rehearsal.place.path("elsewhere");
        std::fs::rename(folder(later), &elsewhere).unwrap();
        let ran = scene.contents();
        for more in [&[][..], &["--apply"]] {
            let args = ["rollback", older.as_str(), "--edited", "keep"];
            let told = scene.rehearsal.place.expect(3, &[&args[..], more].concat());
            told.says(&[later, "has replaced", "hint:", "take that run back first"]);
            assert!(scene.contents() == ran, "nothing is changed");
            assert!(!scene.target.has_lease());
        }
        std::fs::rename(&elsewhere, folder(later)).unwrap();
        scene.back(0, &["--apply"]);
        assert!(scene.contents() == scene.before);
        // The events of the application have come since the older run inserted their jobs.
        let told = scene.rehearsal.place.expect(3, &["rollback", older, "--json"]);
        let edited = format!("discard={}", answer(&told)["jobs"]["edited"]);
        let args = ["rollback", older.as_str(), "--apply", "--edited", edited.as_str()];
        scene.rehearsal.place.expect(0, &args);
        assert_eq!(scene.target.count("novel_jobs"), 0);
    }
}

/// Somebody writes to a job that a killed rollback had put back already: it waits for a decision,
/// and the rollback can end.
#[test]
fn what_was_put_back_and_edited_is_kept_or_discarded() {
    let Some(server) = Server::shared() else { return };
    for (is_standalone, decision) in [(false, "keep"), (true, "discard=1"), (false, "discard=1")] {
        let Some(scene) = Replaced::new(&server, is_standalone) else { return };
        let what = format!("standalone: {is_standalone}, {decision}");
        let replaced = scene.contents();
        let is_back = |job: &Vec<u8>| scene.before[0].contains(job) && !replaced[0].contains(job);
        let run = scene.rehearsal.place.runs().pop().unwrap();
        let slow = ["rollback", &run, "--apply", "--max-docs-per-s", "60"];
        let mut child = scene.rehearsal.place.call(&slow).spawn(false);
        let some_are_back = || scene.target.dump("novel_jobs").iter().any(is_back);
        common::until("some jobs are back", some_are_back);
        child.kill().unwrap();
        child.wait().unwrap();
        let jobs = scene.target.dump("novel_jobs");
        let job = job_id(jobs.iter().find(|job| is_back(job)).unwrap());
        let edit = doc! { "q": { "jobId": &job }, "u": { "$set": { "title": "Another" } } };
        scene.target.command(doc! { "update": "novel_jobs", "updates": [edit] });
        let edited = scene.target.dump("novel_jobs");
        let edited = edited.iter().find(|document| job_id(document) == job).unwrap();
        let args = ["rollback", &run, "--apply"];
        let mut told = scene.rehearsal.place.call(&args).finish();
        if told.code == Some(1) {
            told.says(&["not as they were before the run", "the same command looks again"]);
            told = scene.rehearsal.place.call(&args).finish();
        }
        assert_eq!(told.code, Some(3), "{what}: {}", told.stderr);
        scene.back(0, &["--apply", "--edited", decision]);
        if decision == "keep" {
            assert!(scene.target.dump("novel_jobs").contains(edited), "{what}");
        } else {
            assert!(scene.contents() == scene.before, "{what}");
            let copies = format!(".reshelve/runs/{run}/discarded.bson");
            assert!(split(&scene.rehearsal.place.read(&copies)).contains(edited), "{what}");
        }
    }
}

/// The server would refuse it in the middle of the rollback.
#[test]
fn an_earlier_version_waits_where_a_document_of_another_job_has_its_id() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        let Some(scene) = Replaced::new(&server, is_standalone) else { return };
        let rename = |from: &str, to: &str| {
            let update = doc! { "q": { "jobId": from }, "u": { "$set": { "jobId": to } } };
            scene.target.command(doc! { "update": "novel_jobs", "updates": [update] });
        };
        rename(&scene.job, "another");
        let before = scene.contents();
        let (_, said) = scene.back(3, &["--apply", "--edited", "discard=1"]);
        assert!(said.contains("has the _id of the earlier version of the job"), "{said}");
        assert!(scene.contents() == before && !scene.target.has_lease(), "{is_standalone}");
        rename("another", &scene.job);
        scene.back(0, &["--apply"]);
    }
}

//! Events that others edit while a rollback stands half done: no edit goes with what the run wrote.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::{Document, doc};
use serde_json::Value;

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

use live::{Database, Server, wait};
use proxy::{Act, Proxy, Turn, on};
use rehearsal::{APPLY, Rehearsal, json};

/// A target of which a rollback was killed in its first step.
struct Scene {
    rehearsal: Rehearsal,
    target: Database,
    run: String,
    /// What the run's connection string leads through.
    _proxy: Proxy,
}

impl Scene {
    fn new(server: &Server, is_standalone: bool) -> Option<Scene> {
        let rehearsal = Rehearsal::new(40, "small");
        let target = rehearsal.target(server);
        let proxy = Proxy::start(&target.uri_of_one_server()?);
        if is_standalone {
            proxy.pose_as_standalone();
        }
        rehearsal.place.expect(0, &[&["run", "jobs.bson", proxy.uri()][..], &APPLY].concat());
        let run = rehearsal.place.runs().pop().unwrap();
        let held = proxy.rule(on("delete").of("novel_job_metadata"), Turn::Nth(1), Act::Hold);
        let mut child = rehearsal.place.call(&["rollback", &run, "--apply"]).spawn(false);
        held.wait_until_acted();
        child.kill().unwrap();
        child.wait().unwrap();
        held.release();
        let scene = Scene { rehearsal, target, run, _proxy: proxy };
        // The transaction of the process that is gone is ended by the next one, which changes nothing.
        scene.back(3, &["--edited", "discard=99"]);
        Some(scene)
    }

    /// A job with several events, whose document and first event the application deletes.
    fn lessened(&self) -> (String, Vec<Document>) {
        let events = self.target.handle.collection::<Document>("novel_job_events");
        let of = |job: &str| self.events().into_iter().filter(|it| id_of(it) == job).collect();
        let job = self.events().iter().map(|it| id_of(it).to_owned()).find(|job| {
            let all: Vec<Document> = of(job);
            // Of a batch that is deleted as a whole on a standalone server.
            all.len() > 2 && !self.has_document(job)
        });
        let job = job.unwrap_or_else(|| id_of(&self.events()[0]).to_owned());
        let all: Vec<Document> = of(&job);
        let jobs = self.target.handle.collection::<Document>("novel_jobs");
        wait(jobs.delete_one(doc! { "jobId": &job })).unwrap();
        wait(events.delete_one(doc! { "_id": all[0].get("_id").unwrap() })).unwrap();
        (job, all)
    }

    fn has_document(&self, job: &str) -> bool {
        let jobs = self.target.handle.collection::<Document>("novel_jobs");
        wait(jobs.find_one(doc! { "jobId": job })).unwrap().is_some()
    }

    fn events(&self) -> Vec<Document> {
        let events = self.target.dump("novel_job_events");
        events.iter().map(|it| Document::from_reader(&it[..]).unwrap()).collect()
    }

    fn back(&self, code: i32, more: &[&str]) -> Value {
        let args = ["rollback", &self.run, "--apply", "--json"];
        json(&self.rehearsal.place.expect(code, &[&args[..], more].concat()))
    }
}

fn id_of(event: &Document) -> &str {
    event.get_str("jobId").unwrap()
}

#[test]
fn an_event_that_was_edited_beside_a_rollback_waits_for_a_decision() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        let Some(scene) = Scene::new(&server, is_standalone) else { return };
        let (job, events) = scene.lessened();
        let edited = doc! { "_id": events[1].get("_id").unwrap() };
        let text = doc! { "$set": { "note": "the only copy of this text" } };
        let all = scene.target.handle.collection::<Document>("novel_job_events");
        wait(all.update_one(edited.clone(), text)).unwrap();
        let told = scene.back(3, &[]);
        assert_eq!(told["edited"][0]["job"], job.as_str(), "standalone: {is_standalone}: {told}");
        assert!(wait(all.find_one(edited.clone())).unwrap().is_some());
        let told = scene.back(0, &["--edited", "keep"]);
        assert_eq!(told["ended"], "rolled-back");
        let left = wait(all.find_one(edited)).unwrap().unwrap();
        assert_eq!(left.get_str("note").unwrap(), "the only copy of this text");
        assert!(scene.events().iter().all(|event| id_of(event) == job));
    }
}

/// On a server without transactions a killed rollback may have left some of the events of a job.
#[test]
fn what_a_rollback_was_about_to_delete_is_known() {
    let Some(server) = Server::shared() else { return };
    let Some(scene) = Scene::new(&server, true) else { return };
    scene.lessened();
    let told = scene.back(0, &[]);
    assert_eq!((&told["ended"], &told["jobs"]["edited"]), (&"rolled-back".into(), &0.into()));
    assert!(scene.events().is_empty());
    let runs = scene.target.handle.collection::<Document>("reshelve_runs");
    assert!(wait(runs.find_one(doc! { "going": &scene.run })).unwrap().is_none());
}

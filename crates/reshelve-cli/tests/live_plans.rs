//! Plans of a live source and for a live target: what they name, what moves them, and that they are
//! used once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::{RawDocumentBuf, doc};
use serde_json::Value;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use common::documents::aged;
use common::{split, strace_is_there, with};
use live::{Database, Server};
use rehearsal::{APPLY, Rehearsal, json as answer};

const SAVE: [&str; 4] = ["--save-plan", "plan.json", "--in-flight", "include"];
const CARRY_OUT: [&str; 3] = ["--plan", "plan.json", "--apply"];
const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// Legacy documents in a database, and an empty target in another one.
struct Scene {
    rehearsal: Rehearsal,
    legacy: Database,
    target: Database,
}

impl Scene {
    fn new(server: &Server) -> Scene {
        let rehearsal = Rehearsal::new(40, "small");
        let (legacy, target) = (rehearsal.legacy(server), rehearsal.target(server));
        Scene { rehearsal, legacy, target }
    }

    fn ends(&self) -> [&str; 3] {
        ["run", &self.legacy.uri, &self.target.uri]
    }

    fn save(&self, code: i32, more: &[&str]) -> Value {
        self.rehearsal.place.expect(code, &[&self.ends()[..], &SAVE, more].concat());
        serde_json::from_slice(&self.rehearsal.place.read("plan.json")).unwrap()
    }

    fn carry_out(&self, code: i32) -> Value {
        let args = [&self.ends()[..], &CARRY_OUT, &["--json"]].concat();
        answer(&self.rehearsal.place.expect(code, &args))
    }

    /// Expects a refusal with these words, and that nothing is written.
    fn refused(&self, words: &[&str]) {
        let counts = || COLLECTIONS.map(|name| self.target.count(name));
        let before = counts();
        let args = [&self.ends()[..], &CARRY_OUT].concat();
        self.rehearsal.place.expect(3, &args).says(words).says(&["hint:"]);
        assert_eq!(counts(), before);
        assert!(!self.target.has_lease());
    }

    fn checksums(&self) -> Value {
        let told = self.rehearsal.place.expect(0, &["checksums", &self.target.uri, "--json"]);
        answer(&told)["collections"].clone()
    }
}

#[test]
fn a_plan_holds_and_is_used_once() {
    let Some(server) = Server::shared() else { return };
    let scene = Scene::new(&server);
    let plan = scene.save(0, &[]);
    assert_eq!(COLLECTIONS.map(|name| scene.target.count(name)), [0; 4]);
    assert!(!scene.target.has_lease());
    let live = &plan["source"]["place"]["live"];
    assert!(live["operation_time"].is_string() || live["operation_time"].is_null());
    let place = &scene.rehearsal.place;
    let text = String::from_utf8(place.read("plan.json")).unwrap();
    assert!(!text.contains('@'), "no credentials");
    for name in ["plan.json", "plan.json.keys"] {
        place.write(&name.replace("plan", "copy"), &place.read(name));
    }
    let told = scene.carry_out(0);
    assert_eq!(told["plan"]["state"], "reached");
    assert_eq!(scene.checksums(), plan["reaches"]);
    scene.rehearsal.expect_whole(&scene.target, "as an undisturbed run");
    let run = told["run"].as_str().unwrap();
    scene.refused(&["was used by the run", run]);
    place.expect(0, &["rollback", run, "--apply"]);
    assert_eq!(COLLECTIONS.map(|name| scene.target.count(name)), [0; 4]);
    // A copy is known to the target, after a rollback too.
    let copy = ["--plan", "copy.json", "--apply"];
    place.expect(3, &with(&scene.ends(), &copy)).says(&["was used by the run", run]);
    // What says so is in nobody's way.
    place.expect(0, &with(&scene.ends(), &APPLY));
    scene.rehearsal.expect_whole(&scene.target, "another run");
    // It is used up, even where everything else is dropped.
    place.expect(0, &["indexes", "down", &scene.target.uri]);
    assert_eq!(scene.target.collections(), ["reshelve_runs"]);
    place.expect(0, &["indexes", "up", &scene.target.uri]);
    place.expect(3, &with(&scene.ends(), &copy)).says(&["was used by the run", run]);
    assert_eq!(COLLECTIONS.map(|name| scene.target.count(name)), [0; 4]);
}

#[test]
fn a_source_that_changed_is_refused() {
    let Some(server) = Server::shared() else { return };
    let scene = Scene::new(&server);
    let plan = scene.save(0, &[]);
    let jobs = scene.legacy.dump("jobs");
    let edited = jobs.iter().position(|job| aged(job) != *job).unwrap();
    let id = |document: &[u8]| {
        RawDocumentBuf::from_bytes(document.to_vec()).unwrap().get_object_id("_id").unwrap()
    };
    let delete = |id: mongodb::bson::oid::ObjectId| {
        scene
            .legacy
            .command(doc! { "delete": "jobs", "deletes": [{ "q": { "_id": id }, "limit": 1 }] });
    };
    // The same count, the same size.
    delete(id(&jobs[edited]));
    scene.legacy.seed("jobs", &[aged(&jobs[edited])]);
    let changed = format!("changed  {}", id(&jobs[edited]));
    scene.refused(&["0 were added, 1 changed, 0 removed", &changed]);
    let other = usize::from(edited == 0);
    delete(id(&jobs[other]));
    let removed = format!("removed  {}", id(&jobs[other]));
    scene.refused(&["0 were added, 1 changed, 1 removed", &changed, &removed]);
    delete(id(&jobs[edited]));
    scene.legacy.seed("jobs", &[&jobs[edited], &jobs[other]]);
    // Put back as they were, wherever they lie now: they are read in the order of their `_id`.
    assert_eq!(scene.carry_out(0)["plan"]["state"], "reached");
    assert_eq!(scene.checksums(), plan["reaches"]);
}

#[test]
fn another_place_is_refused() {
    let Some(server) = Server::shared() else { return };
    let scene = Scene::new(&server);
    scene.save(0, &[]);
    let place = &scene.rehearsal.place;
    // The same documents in another database, and in a file.
    let copy = scene.rehearsal.legacy(&server);
    let elsewhere = scene.rehearsal.target(&server);
    for source in [copy.uri.as_str(), "jobs.bson"] {
        let args = [&["run", source, &scene.target.uri][..], &CARRY_OUT].concat();
        place.expect(3, &args).says(&["  source: "]);
    }
    let args = [&["run", &scene.legacy.uri, &elsewhere.uri][..], &CARRY_OUT].concat();
    place.expect(3, &args).says(&["1 part changed", "target: ", elsewhere.name()]);
    let args = [&["run", &scene.legacy.uri, "folder-of-a-plan"][..], &CARRY_OUT].concat();
    place.expect(3, &args).says(&["target: ", "folder-of-a-plan"]);
    assert!(!place.path("folder-of-a-plan").exists());
    let more = ["--target-db", elsewhere.name()];
    place.expect(2, &with(&with(&scene.ends(), &CARRY_OUT), &more)).says(&["--target-db is"]);
    assert_eq!(elsewhere.count("novel_jobs"), 0);
    scene.carry_out(0);
}

#[test]
fn a_target_that_holds_documents_is_a_part_of_the_plan() {
    let Some(server) = Server::shared() else { return };
    for (existing, code) in [("--allow-existing", 4), ("--replace", 0)] {
        let scene = Scene::new(&server);
        let place = &scene.rehearsal.place;
        // Every second job is there, some of them in an earlier version.
        let jobs = split(&place.read("jobs.bson"));
        let half = jobs.iter().step_by(2).enumerate();
        let half: Vec<Vec<u8>> =
            half.map(|(at, job)| if at % 3 == 0 { aged(job) } else { job.clone() }).collect();
        place.write("half.bson", &half.concat());
        place.expect(0, &with(&["run", "half.bson", &scene.target.uri], &APPLY));
        let plan = scene.save(code, &[existing]);
        assert!(plan["forecast"]["documents"]["unchanged"].as_u64() > Some(0));
        // One letter of one job that was there.
        let stored = scene.target.dump("novel_jobs");
        let job = RawDocumentBuf::from_bytes(stored[0].clone()).unwrap();
        let id = job.get_object_id("_id").unwrap();
        let delete =
            doc! { "delete": "novel_jobs", "deletes": [{ "q": { "_id": id }, "limit": 1 }] };
        scene.target.command(delete.clone());
        scene.refused(&["1 part changed", "target, novel_jobs: 20 documents", "19 documents"]);
        let mut edited = stored[0].clone();
        let at = edited.windows(9).position(|it| it == b"\x02premise\0").unwrap() + 13;
        edited[at] ^= 0x20;
        scene.target.seed("novel_jobs", &[edited]);
        scene.refused(&["1 part changed", "target, novel_jobs: 20 documents"]);
        scene.target.command(delete);
        scene.target.seed("novel_jobs", &[&stored[0]]);
        assert_eq!(scene.carry_out(code)["plan"]["state"], "reached");
        assert_eq!(scene.checksums(), plan["reaches"]);
    }
}

#[test]
fn a_run_that_was_killed_is_resumed_and_reaches_the_plan() {
    let Some(server) = Server::shared() else { return };
    if !strace_is_there() {
        return;
    }
    let mut kills = 0;
    // Before its use is known, and between its batches.
    for when in [2, 4, 6, 9, 12] {
        let scene = Scene::new(&server);
        let plan = scene.save(0, &[]);
        let inject = format!("inject=fsync:signal=KILL:when={when}");
        let killer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", &inject];
        let small = ["--batch-docs", "5", "--checkpoint-bytes", "4KiB"];
        let run = [&scene.ends()[..], &CARRY_OUT, &small].concat();
        let place = &scene.rehearsal.place;
        // The dry run need not be there any more.
        std::fs::remove_dir_all(place.path(".reshelve")).unwrap();
        let told = place.call_through(&killer, &run).finish();
        let told = match (told.code, place.runs().pop()) {
            (Some(0), _) => continue,
            // The lease is that of the run.
            (_, Some(run)) => answer(&place.expect(0, &["resume", &run, "--json"])),
            (_, None) => scene.carry_out(0),
        };
        kills += 1;
        assert_eq!(told["plan"]["state"], "reached", "{when}");
        assert_eq!(scene.checksums(), plan["reaches"], "{when}");
        scene.refused(&["was used by the run", told["run"].as_str().unwrap()]);
    }
    assert!(kills > 2, "{kills}");
}

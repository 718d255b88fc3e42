//! What a run wrote into a live target is taken back, and nothing else: with transactions and
//! without, after kills of the run and of the rollback, and beside somebody who edits.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::{Document, RawDocument, RawDocumentBuf, doc};
use reshelve::store::key_of;
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

use common::counts::{Ended, count};
use common::documents::aged;
use common::split;
use live::{Database, Server};
use proxy::{Act, Proxy, Turn, on};
use rehearsal::{APPLY, Rehearsal, json as answer};

const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// A source of sixty documents, and a target behind a proxy.
struct Scene {
    rehearsal: Rehearsal,
    target: Database,
    proxy: Proxy,
}

impl Scene {
    fn new(server: &Server, is_standalone: bool) -> Option<Scene> {
        let rehearsal = Rehearsal::new(60, "small");
        let target = rehearsal.target(server);
        let proxy = Proxy::start(&target.uri_of_one_server()?);
        if is_standalone {
            proxy.pose_as_standalone();
        }
        Some(Scene { rehearsal, target, proxy })
    }

    fn apply(&self, code: i32, source: &str, more: &[&str]) -> Value {
        let run = ["run", source, self.proxy.uri(), "--json", "--batch-docs", "20"];
        answer(&self.rehearsal.place.expect(code, &[&run[..], &APPLY, more].concat()))
    }

    fn run(&self) -> String {
        self.rehearsal.place.runs().pop().unwrap()
    }

    fn back(&self, code: i32, more: &[&str]) -> Value {
        let run = self.run();
        let args = ["rollback", &run, "--json"];
        answer(&self.rehearsal.place.expect(code, &[&args[..], more].concat()))
    }

    /// The older versions of twenty jobs, and some documents of the new application.
    fn with_others(&self) {
        let documents = split(&self.rehearsal.place.read("jobs.bson"));
        let old: Vec<Vec<u8>> = documents[..20].iter().map(|document| aged(document)).collect();
        self.rehearsal.place.write("old.bson", &old.concat());
        self.apply(0, "old.bson", &[]);
        for collection in COLLECTIONS {
            let other = doc! { "_id": format!("of-{collection}"), "jobId": "of-another" };
            let other = RawDocumentBuf::try_from(&other).unwrap();
            self.target.seed(collection, &[other.as_bytes()]);
        }
    }

    fn contents(&self) -> Vec<Vec<Vec<u8>>> {
        let sorted = |collection: &str| {
            let mut documents = self.target.dump(collection);
            documents.sort();
            documents
        };
        COLLECTIONS.into_iter().map(sorted).collect()
    }

    fn expect_empty(&self, what: &str) {
        for collection in COLLECTIONS {
            assert_eq!(self.target.count(collection), 0, "{what}: {collection}");
        }
        assert!(!self.target.has_lease(), "{what}: the lease is left");
    }
}

fn job_id(document: &[u8]) -> String {
    RawDocument::from_bytes(document).unwrap().get_str("jobId").unwrap().to_owned()
}

#[test]
fn a_live_target_that_was_empty_is_empty_again() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        let what = format!("standalone: {is_standalone}");
        let Some(scene) = Scene::new(&server, is_standalone) else { return };
        scene.apply(0, "jobs.bson", &[]);
        let before = scene.contents();
        let documents: usize = before.iter().map(Vec::len).sum();
        let told = scene.back(0, &[]);
        let jobs = json!({ "deleted": 60, "put_back": 0, "edited": 0, "kept": 0, "gone": 0 });
        assert_eq!((&told["jobs"], &told["applied"]), (&jobs, &json!(false)), "{what}");
        assert!(scene.contents() == before, "{what}: a dry run changes nothing");
        let told = scene.back(0, &["--apply"]);
        assert_eq!((&told["jobs"], &told["documents"]["deleted"]), (&jobs, &json!(documents)));
        scene.expect_empty(&what);
        assert_eq!(scene.back(0, &["--apply"])["ended"], "already");
        scene.rehearsal.place.expect(3, &["resume", &scene.run()]).says(&["was rolled back"]);
        // The indexes are there still, and the target can be written again.
        scene.apply(0, "jobs.bson", &[]);
        scene.rehearsal.expect_whole(&scene.target, &what);
    }
}

#[test]
fn a_live_target_gets_its_earlier_versions_back() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        let Some(scene) = Scene::new(&server, is_standalone) else { return };
        scene.with_others();
        let before = scene.contents();
        let ran = scene.apply(0, "jobs.bson", &["--replace"]);
        let told = scene.back(0, &["--apply"]);
        assert_eq!(told["jobs"]["deleted"], 40);
        let unchanged = ran["documents"]["unchanged"].as_u64().unwrap();
        assert_eq!(told["jobs"]["put_back"], 20 - unchanged);
        assert!(scene.contents() == before, "standalone: {is_standalone}");
    }
}

/// One job gets another title, one an event that no mapping made, and one loses its metrics.
fn edit(target: &Database) -> Vec<String> {
    let jobs: Vec<String> =
        target.dump("novel_jobs").iter().step_by(17).take(3).map(|it| job_id(it)).collect();
    let title = doc! { "$set": { "payload.title": "another title" } };
    let update = doc! { "q": { "jobId": &jobs[0] }, "u": title };
    target.command(doc! { "update": "novel_jobs", "updates": [update] });
    let event = doc! { "_id": "new", "jobId": &jobs[1], "emittedAt": "2026-01-01T00:00:00.000Z" };
    target.seed("novel_job_events", &[RawDocumentBuf::try_from(&event).unwrap().as_bytes()]);
    let delete = doc! { "q": { "jobId": &jobs[2] }, "limit": 1 };
    target.command(doc! { "delete": "novel_job_metrics", "deletes": [delete] });
    jobs
}

#[test]
fn jobs_that_somebody_changed_in_a_live_target_wait_for_a_decision() {
    let Some(server) = Server::shared() else { return };
    let Some(scene) = Scene::new(&server, false) else { return };
    scene.apply(0, "jobs.bson", &[]);
    let jobs = edit(&scene.target);
    let before = scene.contents();
    for more in [&[][..], &["--apply"], &["--apply", "--edited", "discard=4"]] {
        let told = scene.back(3, more);
        assert_eq!(told["jobs"]["edited"], 3);
        let edited = told["edited"].as_array().unwrap();
        assert!(edited.iter().all(|it| jobs.iter().any(|job| it["job"] == job.as_str())));
        assert!(scene.contents() == before);
    }
    assert!(!scene.target.has_lease(), "nothing was done");
    let told = scene.back(0, &["--apply", "--edited", "keep"]);
    assert_eq!((&told["jobs"]["deleted"], &told["jobs"]["kept"]), (&json!(57), &json!(3)));
    let mut left: Vec<String> =
        scene.target.dump("novel_jobs").iter().map(|it| job_id(it)).collect();
    let mut jobs = jobs;
    left.sort();
    jobs.sort();
    assert_eq!(left, jobs);
}

#[test]
fn what_is_discarded_of_a_live_target_is_kept_in_the_run_folder() {
    let Some(server) = Server::shared() else { return };
    let Some(scene) = Scene::new(&server, false) else { return };
    scene.apply(0, "jobs.bson", &[]);
    let jobs = edit(&scene.target);
    let all = scene.contents().into_iter().flatten();
    let mut lost: Vec<Vec<u8>> = all.filter(|it| jobs.contains(&job_id(it))).collect();
    let told = scene.back(0, &["--apply", "--edited", "discard=3"]);
    assert_eq!((&told["jobs"]["deleted"], &told["jobs"]["edited"]), (&json!(60), &json!(3)));
    scene.expect_empty("discarded");
    let path = format!(".reshelve/runs/{}/discarded.bson", scene.run());
    let mut copy = split(&scene.rehearsal.place.read(&path));
    lost.sort();
    copy.sort();
    assert!(copy == lost);
}

#[test]
fn a_killed_run_is_taken_back_from_a_live_target() {
    let Some(server) = Server::shared() else { return };
    let at = ["novel_job_events", "novel_job_metrics", "novel_job_metadata", "novel_jobs"];
    for (is_standalone, collection) in
        [false, true].into_iter().flat_map(|it| at.map(|collection| (it, collection)))
    {
        let what = format!("killed at {collection}, standalone: {is_standalone}");
        let Some(scene) = Scene::new(&server, is_standalone) else { return };
        let held = scene.proxy.rule(on("insert").of(collection), Turn::Nth(2), Act::Hold);
        let run = ["run", "jobs.bson", scene.proxy.uri(), "--batch-docs", "20"];
        let mut child = scene.rehearsal.place.call(&[&run[..], &APPLY].concat()).spawn(false);
        held.wait_until_acted();
        child.kill().unwrap();
        child.wait().unwrap();
        held.release();
        let is_done = || scene.proxy.log().of("insert", collection)[1].answered.is_some();
        common::until("the insert is answered", is_done);
        let told = scene.back(0, &["--apply"]);
        assert_eq!(told["jobs"]["edited"], 0, "{what}");
        scene.expect_empty(&what);
        count("kill -9 of a run at a command, then rollback", "live", Ended::same(1));
    }
}

/// A copy of the run folder that was made while the run was at work does not name all that it wrote.
#[test]
fn an_older_copy_of_the_run_folder_takes_nothing_back() {
    let Some(server) = Server::shared() else { return };
    let Some(scene) = Scene::new(&server, false) else { return };
    let held = scene.proxy.rule(on("insert").of("novel_jobs"), Turn::Nth(2), Act::Hold);
    let run = ["run", "jobs.bson", scene.proxy.uri(), "--batch-docs", "20"];
    let often = ["--checkpoint-bytes", "1"];
    let args = [&run[..], &often, &APPLY].concat();
    let child = scene.rehearsal.place.call(&args).spawn(false);
    held.wait_until_acted();
    let run = scene.run();
    let folder = scene.rehearsal.place.path(".reshelve/runs").join(&run);
    let older = common::tree(&folder);
    held.release();
    assert!(child.wait_with_output().unwrap().status.success());
    let (whole, ran) = (common::tree(&folder), scene.contents());
    std::fs::remove_dir_all(&folder).unwrap();
    common::plant(&older, &folder);
    for more in [&[][..], &["--apply"], &["--apply", "--edited", "keep"]] {
        let args = [&["rollback", &run][..], more].concat();
        scene.rehearsal.place.expect(3, &args).says(&["wrote 60 jobs", "an older copy", "hint:"]);
        assert!(scene.contents() == ran, "nothing is changed");
        assert!(!scene.target.has_lease(), "no lease is left");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    common::plant(&whole, &folder);
    scene.back(0, &["--apply"]);
    scene.expect_empty("taken back");
    let runs = scene.target.handle.collection::<Document>("reshelve_runs");
    assert!(live::wait(runs.find_one(doc! { "ended": run })).unwrap().is_none());
}

/// Some jobs of the batch were replaced, one was about to be, and others not yet.
#[test]
fn a_run_that_was_killed_while_it_replaced_is_taken_back() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        for (collection, nth) in
            [("novel_jobs", 3), ("novel_job_metadata", 4), ("reshelve_undo", 3)]
        {
            let what = format!("{collection} {nth}, standalone: {is_standalone}");
            let Some(scene) = Scene::new(&server, is_standalone) else { return };
            scene.with_others();
            let before = scene.contents();
            let nth = nth + scene.proxy.log().of("insert", collection).len();
            let held = scene.proxy.rule(on("insert").of(collection), Turn::Nth(nth), Act::Hold);
            let run = ["run", "jobs.bson", scene.proxy.uri(), "--batch-docs", "20", "--replace"];
            let mut child = scene.rehearsal.place.call(&[&run[..], &APPLY].concat()).spawn(false);
            held.wait_until_acted();
            child.kill().unwrap();
            child.wait().unwrap();
            held.release();
            let is_done = || scene.proxy.log().of("insert", collection)[nth - 1].answered.is_some();
            common::until("the insert is answered", is_done);
            let told = scene.back(0, &["--apply"]);
            assert_eq!(told["jobs"]["edited"], 0, "{what}: {told}");
            assert!(scene.contents() == before, "{what}");
            count("kill -9 of a replacing run at a command, then rollback", "live", Ended::same(1));
        }
    }
}

/// A rollback that was killed meets an edit when it goes on: it waits for a decision again.
#[test]
fn an_edit_between_two_tries_waits_for_a_decision() {
    let Some(server) = Server::shared() else { return };
    let Some(scene) = Scene::new(&server, false) else { return };
    scene.apply(0, "jobs.bson", &[]);
    let held = scene.proxy.rule(on("delete").of("novel_job_metadata"), Turn::Nth(1), Act::Hold);
    let run = scene.run();
    let mut child = scene.rehearsal.place.call(&["rollback", &run, "--apply"]).spawn(false);
    held.wait_until_acted();
    child.kill().unwrap();
    child.wait().unwrap();
    held.release();
    // The transaction of the process that is gone is ended by the next one.
    scene.back(3, &["--apply", "--edited", "discard=7"]);
    let edited = job_id(scene.target.dump("novel_jobs").last().unwrap());
    let title = doc! { "$set": { "payload.title": "another title" } };
    let update = doc! { "q": { "jobId": &edited }, "u": title };
    scene.target.command(doc! { "update": "novel_jobs", "updates": [update] });
    let told = scene.back(3, &["--apply"]);
    assert_eq!((&told["ended"], &told["edited"][0]["job"]), (&json!("undecided"), &json!(edited)));
    let told = scene.back(0, &["--apply", "--edited", "keep"]);
    assert_eq!((&told["ended"], &told["jobs"]["kept"]), (&json!("rolled-back"), &json!(1)));
    let left = scene.target.dump("novel_jobs");
    assert_eq!(left.iter().map(|it| job_id(it)).collect::<Vec<_>>(), [edited]);
}

#[test]
fn a_killed_rollback_goes_on() {
    let Some(server) = Server::shared() else { return };
    for (is_standalone, replaces) in [(false, false), (false, true), (true, false), (true, true)] {
        for (nth, act) in [(1, Act::Hold), (1, Act::HoldReply), (2, Act::Hold)] {
            let what = format!("{act:?} {nth}, standalone: {is_standalone}, replaces: {replaces}");
            let Some(scene) = Scene::new(&server, is_standalone) else { return };
            if replaces {
                scene.with_others();
            }
            let before = scene.contents();
            scene.apply(0, "jobs.bson", if replaces { &["--replace"] } else { &[] });
            let deletes = scene.proxy.log().of("delete", "novel_job_metadata").len();
            let turn = Turn::Nth(nth + deletes);
            let held = scene.proxy.rule(on("delete").of("novel_job_metadata"), turn, act);
            let run = scene.run();
            let args = ["rollback", &run, "--apply"];
            let mut child = scene.rehearsal.place.call(&args).spawn(false);
            // There may be one command only.
            let mut is_over = false;
            common::until("the delete", || {
                is_over = child.try_wait().unwrap().is_some();
                is_over || held.acted() > 0
            });
            if is_over {
                continue;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            held.release();
            let place = &scene.rehearsal.place;
            place.expect(3, &["resume", &run]).says(&["it is being rolled back"]);
            scene.target.expire_lease();
            let other = ["run", "jobs.bson", &scene.target.uri, "--take-over"];
            let refused = place.expect(3, &[&other[..], &APPLY].concat());
            refused.says(&["a rollback on the database", "has not finished", &run]);
            let told = scene.back(0, &["--apply"]);
            assert_eq!(told["ended"], "rolled-back", "{what}: {told}");
            assert!(scene.contents() == before, "{what}");
            count("kill -9 of a rollback at a command", "live", Ended::same(1));
        }
    }
}

/// What is edited after the look is not what the rollback deletes.
#[test]
fn an_edit_beside_a_rollback_is_not_lost() {
    let Some(server) = Server::shared() else { return };
    for is_standalone in [false, true] {
        let Some(scene) = Scene::new(&server, is_standalone) else { return };
        scene.apply(0, "jobs.bson", &[]);
        // The last one whose turn comes.
        let jobs = scene.target.dump("novel_jobs").into_iter().map(|job| job_id(&job));
        let edited = jobs.max_by_key(|job| key_of(job.as_bytes())).unwrap();
        let event =
            scene.target.dump("novel_job_events").into_iter().find(|it| job_id(it) == edited);
        // Everything was looked at; the first jobs are about to go.
        let held = scene.proxy.rule(on("delete").of("novel_jobs"), Turn::Nth(1), Act::Hold);
        let run = scene.run();
        let child =
            scene.rehearsal.place.call(&["rollback", &run, "--apply", "--json"]).spawn(true);
        held.wait_until_acted();
        let title = doc! { "$set": { "payload.title": "another title" } };
        let update = doc! { "q": { "jobId": &edited }, "u": title };
        scene.target.command(doc! { "update": "novel_jobs", "updates": [update] });
        held.release();
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(3), "{told}");
        assert!(told.contains("was changed since it was looked at"), "{told}");
        let stands = scene.target.dump("novel_jobs");
        let stands = stands.iter().find(|it| job_id(it) == edited).expect("the edit is lost");
        assert!(RawDocument::from_bytes(stands).unwrap().get_document("payload").is_ok());
        // It is decided about, and the others go.
        let told = scene.back(0, &["--apply", "--edited", "keep"]);
        assert_eq!(told["jobs"]["kept"], 1, "{told}");
        let left = scene.target.dump("novel_job_events");
        assert!(event.is_some_and(|event| left.contains(&event)));
        count("an edit by others between look and rollback", "live", Ended::refused(1));
    }
}

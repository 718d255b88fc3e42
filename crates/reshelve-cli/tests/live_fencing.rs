//! A process that lost its lease changes nothing any more, however long it was held between its
//! check and its write. The proxy's log says what the server got of it and did.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::{Document, RawDocument, doc};

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
#[path = "common/scene.rs"]
mod scene;

use common::counts::{Ended, count};
use live::{Database, Server, wait};
use proxy::{Act, Matching, Proxy, Turn, on};
use rehearsal::{APPLY, Rehearsal};
use scene::{COLLECTIONS, Scene};

/// What is held of the second batch of a run, by the step of its transaction.
fn steps() -> [(Matching, Turn); 6] {
    let insert = |name| (on("insert").of(name), Turn::Nth(2));
    let fence = on("update").of("reshelve_runs").when(|request| request.in_transaction);
    [
        (fence, Turn::Nth(2)),
        insert("novel_job_events"),
        insert("novel_job_metrics"),
        insert("novel_job_metadata"),
        insert("novel_jobs"),
        (on("commitTransaction"), Turn::Nth(2)),
    ]
}

#[test]
fn a_held_batch_of_a_process_that_was_taken_over_is_not_written() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    for (matching, turn) in steps() {
        let what = format!("{matching:?}");
        let Some(scene) = Scene::new(&rehearsal, &server) else { return };
        let (child, held) = scene.held(matching, turn, &["--in-flight", "include"]);
        // B leaves out the jobs in flight, parts of which A has sent.
        let other = ["--in-flight", "skip", "--take-over", "--allow-existing"];
        let told = scene.run(0, &other);
        assert_eq!(
            told["documents"]["unchanged"],
            20 - in_flight(&rehearsal, 20),
            "{what}: {told}"
        );
        scene.expect_stopped(child, &held, &what);
        let jobs = scene.target.count("novel_jobs");
        for parts in ["novel_job_metrics", "novel_job_metadata"] {
            assert_eq!(scene.target.count(parts), jobs, "{what}: a job without its {parts}");
        }
        count("a command of a process that was taken over arrives late", "live", Ended::refused(1));
    }
}

/// How many of the first documents of the source are in flight.
fn in_flight(rehearsal: &Rehearsal, first: usize) -> u64 {
    let documents = common::split(&rehearsal.place.read("jobs.bson"));
    let in_flight = documents.iter().take(first).filter(|document| {
        let status = RawDocument::from_bytes(document.as_slice()).unwrap();
        !matches!(status.get_str("status"), Ok("completed" | "failed" | "cancelled"))
    });
    u64::try_from(in_flight.count()).unwrap()
}

#[test]
fn a_held_replacement_of_a_process_that_was_taken_over_overwrites_nothing() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(40, "small");
    for (command, name, nth) in [
        ("delete", "novel_jobs", 3),
        ("delete", "novel_job_metadata", 3),
        ("insert", "novel_job_metrics", 3),
        ("insert", "novel_jobs", 3),
        ("insert", "reshelve_undo", 3),
        ("commitTransaction", "", 3),
    ] {
        let what = format!("{command} of {name}");
        let Some(scene) = Scene::new(&rehearsal, &server) else { return };
        scene.run(0, &["--in-flight", "as-failed"]);
        let matching = match name {
            "" => on(command),
            name => on(command).of(name),
        };
        let more = ["--in-flight", "include", "--replace"];
        let (child, held) = scene.held(matching, Turn::Nth(nth), &more);
        scene.run(0, &["--in-flight", "as-failed", "--take-over", "--replace"]);
        scene.expect_stopped(child, &held, &what);
        scene
            .rehearsal
            .place
            .expect(0, &["verify", "jobs.bson", &scene.target.uri, "--in-flight", "as-failed"]);
        count(
            "a replacement of a process that was taken over arrives late",
            "live",
            Ended::refused(1),
        );
    }
}

#[test]
fn a_take_over_waits_for_a_batch_that_is_under_way() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let Some(scene) = Scene::new(&rehearsal, &server) else { return };
    let (child, held) =
        scene.held(on("insert").of("novel_jobs"), Turn::Nth(2), &["--in-flight", "include"]);
    // A does not begin another batch before B is there.
    let fence = on("update").of("reshelve_runs").when(|request| request.in_transaction);
    let next = scene.proxy.rule(fence, Turn::Nth(1), Act::Hold);
    // B may not end the sessions of others.
    let other = Proxy::start(&scene.target.uri_of_one_server().unwrap());
    let refused = Act::Refuse { code: 13, message: "not you" };
    let ending = other.rule(on("killSessions"), Turn::Every, refused);
    let fence = on("findAndModify").when(|request| {
        let query = request.body.get_document("query");
        query.is_ok_and(|query| query.get_str("_id").ok() == Some("fence"))
    });
    let raised = other.rule(fence, Turn::Every, Act::Pass);
    let args = ["run", "jobs.bson", other.uri(), "--take-over", "--allow-existing"];
    let mut taking_over = rehearsal.place.call(&[&args[..], &APPLY].concat()).spawn(false);
    raised.wait_until_acted();
    assert_eq!(ending.acted(), 1);
    let is_raised = || {
        let asked = other.log().of("findAndModify", "reshelve_runs").pop().unwrap();
        asked.answered.is_some()
    };
    assert!(!is_raised() && taking_over.try_wait().unwrap().is_none());
    held.release();
    let ended = taking_over.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(is_raised());
    assert_eq!(next.acted(), 1);
    next.release();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("taken over"), "{said}");
    rehearsal.expect_whole(&scene.target, "after both");
}

/// Sets a field of a job, as the application does.
fn edit(target: &Database, job_id: &str) -> Vec<u8> {
    let edit = doc! { "q": { "jobId": job_id }, "u": { "$set": { "summary": "edited" } } };
    let told = target.command(doc! { "update": "novel_jobs", "updates": [edit] });
    assert_eq!(told.get_i32("nModified").unwrap(), 1, "{told}");
    let mut jobs = target.dump("novel_jobs").into_iter();
    let is_it = |job: &Vec<u8>| {
        RawDocument::from_bytes(job.as_slice()).unwrap().get_str("jobId").unwrap() == job_id
    };
    jobs.find(is_it).unwrap()
}

#[test]
fn an_edit_while_a_job_is_replaced_is_kept() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(40, "small");
    for is_standalone in [false, true] {
        for (command, name) in [("delete", "novel_jobs"), ("insert", "reshelve_undo")] {
            let what = format!("{command} of {name}, standalone: {is_standalone}");
            let Some(scene) = Scene::new(&rehearsal, &server) else { return };
            if is_standalone {
                scene.proxy.pose_as_standalone();
            }
            scene.run(0, &["--in-flight", "as-failed"]);
            // Without transactions a record follows the documents that are kept of a job.
            let nth = if is_standalone && command == "insert" { 3 } else { 2 };
            let held = scene.proxy.rule(on(command).of(name), Turn::Nth(nth), Act::Hold);
            let child = scene.spawn(&["--in-flight", "include", "--replace"]);
            held.wait_until_acted();
            // The last job that is kept so far is the one that is being replaced; the held command
            // may be the one that keeps it.
            let job_id = match name {
                "reshelve_undo" => being_kept(&scene),
                _ => being_deleted(&scene),
            };
            let edited = edit(&scene.target, &job_id);
            held.release();
            let ended = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(0), "{what}: {said}");
            let undone = scene.target.dump("reshelve_undo").into_iter();
            let kept = undone.filter(|kept| {
                let kept = RawDocument::from_bytes(kept.as_slice()).unwrap();
                kept.get_document("document").is_ok_and(|it| it.as_bytes() == edited.as_slice())
            });
            assert_eq!(kept.count(), 1, "{what}: the edit is kept");
            rehearsal.expect_whole(&scene.target, &what);
            count("an edit by others between look and replacement", "live", Ended::same(1));
        }
    }
}

/// The job whose deletion is held.
fn being_deleted(scene: &Scene<'_>) -> String {
    let held = scene.proxy.log().of("delete", "novel_jobs").pop().unwrap();
    let proxy::What::Delete(filter) = &held.request.writes[0].what else { panic!("{held:?}") };
    job_of(&scene.target, filter.get_object_id("_id").unwrap())
}

/// The job of which a document is about to be kept.
fn being_kept(scene: &Scene<'_>) -> String {
    let held = scene.proxy.log().of("insert", "reshelve_undo").pop().unwrap();
    let mut ids = held.request.writes.iter().filter_map(|write| match &write.what {
        proxy::What::Insert(id) => id.as_document().cloned(),
        other => panic!("no insert: {other:?}"),
    });
    let of_job = |id: &Document| id.get_str("collection").ok() == Some("novel_jobs");
    let id = ids.find(of_job).unwrap();
    job_of(&scene.target, id.get_object_id("id").unwrap())
}

fn job_of(target: &Database, id: mongodb::bson::oid::ObjectId) -> String {
    let jobs = target.handle.collection::<Document>("novel_jobs");
    let job = wait(jobs.find_one(doc! { "_id": id })).unwrap().expect("it is there");
    job.get_str("jobId").unwrap().to_owned()
}

#[test]
fn writes_that_arrive_after_their_retry_change_nothing() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(40, "small");
    for (command, name) in [
        ("delete", "novel_jobs"),
        ("delete", "novel_job_events"),
        ("delete", "novel_job_metadata"),
        ("insert", "novel_jobs"),
        ("insert", "novel_job_metadata"),
        ("insert", "reshelve_undo"),
    ] {
        let what = format!("{command} of {name}");
        let Some(scene) = Scene::new(&rehearsal, &server) else { return };
        scene.proxy.pose_as_standalone();
        scene.run(0, &["--in-flight", "as-failed"]);
        let late = scene.proxy.rule(on(command).of(name), Turn::Nth(1), Act::CutAndHold);
        let child = scene.spawn(&["--in-flight", "include", "--replace"]);
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{what}: {said}");
        if command == "delete" && name == "novel_job_metadata" {
            assert_eq!(late.acted(), 0, "{what}: what is the same in both versions stays");
            continue;
        }
        assert_eq!(late.acted(), 1, "{what}");
        let before = scene.contents();
        late.release();
        let first = || scene.proxy.log().of(command, name).remove(0);
        while first().answered.is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(scene.contents() == before, "{what}: it has changed something");
        rehearsal.expect_whole(&scene.target, &what);
    }
}

#[test]
fn every_deletion_without_a_transaction_has_a_deadline_and_a_content() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(40, "small");
    let Some(scene) = Scene::new(&rehearsal, &server) else { return };
    scene.proxy.pose_as_standalone();
    scene.run(0, &["--in-flight", "as-failed"]);
    let child = scene.spawn(&["--in-flight", "include", "--replace"]);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    let mut deletions = scene.proxy.log().exchanges();
    deletions.retain(|it| {
        it.request.command == "delete" && COLLECTIONS.contains(&it.request.collection.as_str())
    });
    assert!(!deletions.is_empty());
    for deletion in deletions {
        let time = deletion.request.body.get_i64("maxTimeMS").unwrap();
        assert!((1..=30_000).contains(&time), "{time}");
        for write in &deletion.request.writes {
            let proxy::What::Delete(filter) = &write.what else { panic!("{write:?}") };
            let condition = filter.get_document("$expr").unwrap().to_string();
            assert!(condition.contains("$bsonSize") && condition.contains("$literal"));
        }
    }
}

#[test]
fn a_process_without_transactions_that_was_taken_over_takes_nothing_back() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let Some(scene) = Scene::new(&rehearsal, &server) else { return };
    scene.proxy.pose_as_standalone();
    let held = scene.proxy.rule(on("insert").of("novel_job_metrics"), Turn::Nth(2), Act::Hold);
    let child = scene.spawn(&["--in-flight", "include"]);
    held.wait_until_acted();
    scene.target.expire_lease();
    scene.run(0, &["--in-flight", "include", "--take-over", "--allow-existing"]);
    scene.expect_stopped(child, &held, "standalone");
    rehearsal.expect_whole(&scene.target, "standalone");
}

#[test]
fn a_run_whose_lease_was_removed_by_hand_stops_and_is_resumed() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    for filter in [doc! { "_id": "lock" }, doc! {}] {
        let what = filter.to_string();
        let Some(scene) = Scene::new(&rehearsal, &server) else { return };
        let held = scene.proxy.rule(on("insert").of("novel_jobs"), Turn::Nth(2), Act::Hold);
        let mut child = scene.spawn(&["--in-flight", "include"]);
        held.wait_until_acted();
        child.kill().unwrap();
        child.wait().unwrap();
        let runs = scene.target.handle.collection::<Document>("reshelve_runs");
        // What the killed process has left open holds the fence: a second look may be needed.
        wait(scene.target.handle.client().database("admin").run_command(doc! {
            "killAllSessions": []
        }))
        .unwrap();
        wait(runs.delete_many(filter)).unwrap();
        let told = scene.resume(0);
        assert_eq!(told["documents"]["written"], 60, "{what}: {told}");
        rehearsal.expect_whole(&scene.target, &what);
    }
}

#[test]
fn no_update_needs_a_pipeline() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(20, "small");
    let Some(scene) = Scene::new(&rehearsal, &server) else { return };
    let child = scene.spawn(&["--in-flight", "include"]);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    let log = scene.proxy.log();
    assert!(log.exchanges().iter().all(|exchange| !exchange.request.has_pipeline));
    assert!(!log.of("findAndModify", "reshelve_runs").is_empty());
    let update = doc! { "q": {}, "u": [{ "$set": { "seen": true } }] };
    let direct = live::wait(mongodb::Client::with_uri_str(scene.proxy.uri())).unwrap();
    let update = doc! { "update": "reshelve_runs", "updates": [update] };
    wait(direct.database(scene.target.name()).run_command(update)).unwrap();
    let last = scene.proxy.log().of("update", "reshelve_runs").pop().unwrap();
    assert!(last.request.has_pipeline, "the log would show one");
}

//! The indexes of a live target: what is not exactly what it should be is shown, and refused by a
//! run, a dry one too; and what the new application has changed is not dropped.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::{Document, doc};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use live::{Database, Server, wait};
use rehearsal::{APPLY, Rehearsal, json};

const JOB_ID: &str = "idx_novel_jobs_jobId";

/// Expects the same refusal of a dry run and of one that writes.
fn expect_refused(rehearsal: &Rehearsal, target: &Database, words: &[&str]) {
    let run = ["run", "jobs.bson", &target.uri];
    let dry = rehearsal.place.expect(3, &run).says(words);
    let applied = rehearsal.place.expect(3, &[&run[..], &APPLY].concat()).says(words);
    assert_eq!(dry.stderr, applied.stderr);
    assert_eq!(target.count("novel_jobs"), 0);
}

#[test]
fn an_index_with_another_definition_is_different() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(5, "small");
    for (key, options, words) in [
        (doc! { "jobId": 1 }, doc! {}, "not unique"),
        (doc! { "jobId": -1 }, doc! { "unique": true }, "key"),
        (doc! { "jobId": 1, "status": 1 }, doc! { "unique": true }, "key"),
        (doc! { "jobId": 1 }, doc! { "unique": true, "sparse": true }, "sparse"),
        (
            doc! { "jobId": 1 },
            doc! { "unique": true, "partialFilterExpression": { "status": "done" } },
            "partialFilterExpression",
        ),
        (
            doc! { "jobId": 1 },
            doc! { "unique": true, "collation": { "locale": "de" } },
            "collation",
        ),
        (doc! { "jobId": 1.0 }, doc! { "unique": true }, ""),
    ] {
        let target = rehearsal.target(&server);
        target.command(doc! { "dropIndexes": "novel_jobs", "index": JOB_ID });
        let mut index = doc! { "key": key, "name": JOB_ID };
        index.extend(options.clone());
        let made = doc! { "createIndexes": "novel_jobs", "indexes": [index] };
        if target.try_command(made).is_err() {
            // A server that does not know the option cannot have such an index.
            continue;
        }
        let status = ["indexes", "status", &target.uri];
        let told =
            json(&rehearsal.place.expect(0, &[&status[..], &["--json"]].concat()))["indexes"][0]
                .clone();
        if words.is_empty() {
            assert_eq!(told["state"], "present", "{told}");
            continue;
        }
        assert_eq!(told["state"], "different", "{options}");
        assert!(told["difference"].as_str().unwrap().contains(words), "{told}");
        let page = rehearsal.place.expect(0, &status);
        assert!(page.stdout.contains("DIFFERENT") && page.stdout.contains(words), "{options}");
        rehearsal.place.expect(3, &["indexes", "up", &target.uri]).says(&[JOB_ID, words]);
        expect_refused(&rehearsal, &target, &[JOB_ID, words]);
        let shown = rehearsal.place.expect(0, &["inspect", &target.uri]);
        let is_option = !["not unique", "key"].contains(&words);
        assert_eq!(shown.stdout.contains(words), is_option, "{}", shown.stdout);
    }
}

#[test]
fn a_target_that_deletes_documents_by_itself_is_refused() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(5, "small");
    for (collection, key) in [("novel_jobs", "createdAt"), ("novel_job_events", "emittedAt")] {
        let target = rehearsal.target(&server);
        let index = doc! { "key": { key: 1 }, "name": "old", "expireAfterSeconds": 60 };
        target.command(doc! { "createIndexes": collection, "indexes": [index] });
        expect_refused(&rehearsal, &target, &[collection, "old", "expireAfterSeconds"]);
        let status = ["indexes", "status", &target.uri];
        let told = rehearsal.place.expect(0, &status);
        assert!(told.stdout.contains("deletes documents"), "{}", told.stdout);
    }
    let target = server.database();
    target.command(doc! { "create": "novel_job_events", "capped": true, "size": 1_000_000 });
    rehearsal.place.expect(0, &["indexes", "up", &target.uri]);
    expect_refused(&rehearsal, &target, &["novel_job_events", "capped"]);
}

#[test]
fn jobs_that_the_application_changed_are_not_dropped() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(20, "small");
    let target = rehearsal.target(&server);
    let run = [&["run", "jobs.bson", &target.uri], &APPLY[..]].concat();
    rehearsal.place.expect(0, &run);
    let jobs = target.handle.collection::<Document>("novel_jobs");
    let renamed = doc! { "$set": { "title": "Another title" } };
    let one = wait(jobs.find_one(doc! {})).unwrap().unwrap();
    let id = doc! { "_id": one.get_object_id("_id").unwrap() };
    wait(jobs.update_one(id, renamed)).unwrap();
    let down = ["indexes", "down", &target.uri];
    let job = one.get_str("jobId").unwrap();
    rehearsal.place.expect(3, &down).says(&["1 document", job, "--force novel_jobs"]);
    assert_eq!(target.count("novel_jobs"), 20);
    assert_eq!(target.count("novel_job_metadata"), 20);
    let call = rehearsal.place.call(&[&down[..], &["--force", "novel_jobs"]].concat());
    call.env("DRY_RUN", "true").expect(2).says(&["DRY_RUN"]);
    assert_eq!(target.count("novel_jobs"), 20);
    let up = rehearsal.place.call(&["indexes", "up", &target.uri]).env("DRY_RUN", "1");
    up.expect(2).says(&["DRY_RUN"]);
    // To drop the one collection whatever it holds is not to drop the others so.
    let events = target.handle.collection::<Document>("novel_job_events");
    let of_others = doc! { "jobId": { "$ne": job } };
    let changed = doc! { "$set": { "payload.note": "seen" } };
    wait(events.update_one(of_others, changed)).unwrap();
    let force = [&down[..], &["--force", "novel_jobs"]].concat();
    rehearsal.place.expect(3, &force).says(&["1 document of novel_job_events"]);
    let force = [&force[..], &["--force", "novel_job_events"]].concat();
    rehearsal.place.expect(0, &force);
    assert_eq!(target.collections(), Vec::<String>::new());
}

#[test]
fn metrics_and_events_that_the_application_changed_are_not_dropped() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(20, "small");
    for (collection, change) in [
        ("novel_job_metrics", doc! { "$set": { "note": "seen" } }),
        ("novel_job_events", doc! { "$set": { "payload.note": "seen" } }),
    ] {
        let target = rehearsal.target(&server);
        let run = [&["run", "jobs.bson", &target.uri], &APPLY[..]].concat();
        rehearsal.place.expect(0, &run);
        let documents = target.handle.collection::<Document>(collection);
        let one = wait(documents.find_one(doc! {})).unwrap().unwrap();
        let id = doc! { "_id": one.get("_id").unwrap() };
        wait(documents.update_one(id, change)).unwrap();
        let before = target.count(collection);
        let down = ["indexes", "down", &target.uri];
        let words = ["1 document of", collection, one.get_str("jobId").unwrap()];
        let force = format!("--force {collection}");
        rehearsal.place.expect(3, &down).says(&words).says(&[&force, "hint:"]);
        assert_eq!((target.count("novel_jobs"), target.count(collection)), (20, before));
        rehearsal.place.expect(0, &[&down[..], &["--force", collection]].concat());
        assert_eq!(target.collections(), Vec::<String>::new());
    }
}

#[test]
fn a_live_run_is_not_resumed_in_a_dry_run() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(20, "small");
    let target = rehearsal.target(&server);
    let bad = [rehearsal.place.read("jobs.bson"), vec![5, 0, 0, 0, 0]].concat();
    rehearsal.place.write("bad.bson", &bad);
    let run = [&["run", "bad.bson", &target.uri, "--fail-fast"], &APPLY[..]].concat();
    rehearsal.place.expect(4, &run);
    let run = rehearsal.place.runs().pop().unwrap();
    let call = rehearsal.place.call(&["resume", &run]).env("DRY_RUN", "true");
    call.expect(2).says(&["DRY_RUN"]);
    rehearsal.place.expect(4, &["resume", &run]);
}

//! The end of a live run is proved: the source is the collection that it was, and was read to its
//! end; the target holds what was written; and what a connection string promises less is not used.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::{Document, doc};

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

use common::split;
use live::{Database, Server, wait};
use proxy::{Act, Proxy, Turn, on};
use rehearsal::{APPLY, Rehearsal, json};

/// More than one reply of a server.
const DOCUMENTS: u32 = 2_500;

fn delete(database: &Database, collection: &str, filter: Document) {
    wait(database.handle.collection::<Document>(collection).delete_many(filter)).unwrap();
}

fn rename(database: &Database, from: &str, to: &str) {
    let name = |collection: &str| format!("{}.{collection}", database.name());
    database.admin(doc! { "renameCollection": name(from), "to": name(to) }).unwrap();
}

/// Runs from a live source into a folder, and does something between two replies. Gives the exit
/// code, what was said, and the proxy that the source was read through.
fn run_and_meanwhile(
    rehearsal: &Rehearsal,
    legacy: &Database,
    target: &str,
    meanwhile: impl FnOnce(),
) -> Option<(Option<i32>, String, Proxy)> {
    let proxy = Proxy::start(&legacy.uri_of_one_server()?);
    if target == "standalone" {
        proxy.pose_as_standalone();
        let lost = Act::Refuse { code: 43, message: "the cursor is gone" };
        proxy.rule(on("getMore").of("jobs"), Turn::Nth(2), lost);
    }
    let rule = proxy.rule(on("getMore").of("jobs"), Turn::Nth(1), Act::Hold);
    let args = [&["run", proxy.uri(), target], &APPLY[..]].concat();
    let child = rehearsal.place.call(&args).spawn(true);
    rule.wait_until_acted();
    meanwhile();
    rule.release();
    let ended = child.wait_with_output().unwrap();
    Some((ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned(), proxy))
}

#[test]
fn a_source_that_is_gone_or_another_one_is_no_end() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(DOCUMENTS, "small");
    let documents = split(&rehearsal.place.read("jobs.bson"));
    let half = &documents[..documents.len() / 2];
    type Change<'c> = (&'c str, Box<dyn Fn(&Database) + 'c>);
    let changes: [Change<'_>; 5] = [
        ("dropped", Box::new(|legacy| drop(legacy.command(doc! { "drop": "jobs" })))),
        (
            "created again",
            Box::new(|legacy| {
                legacy.command(doc! { "drop": "jobs" });
                legacy.seed("jobs", half);
            }),
        ),
        (
            "created again with all documents",
            Box::new(|legacy| {
                legacy.command(doc! { "drop": "jobs" });
                legacy.seed("jobs", &documents);
            }),
        ),
        ("renamed", Box::new(|legacy| rename(legacy, "jobs", "jobs_old"))),
        (
            "exchanged",
            Box::new(|legacy| {
                rename(legacy, "jobs", "jobs_old");
                legacy.seed("jobs", half);
            }),
        ),
    ];
    for (number, (what, change)) in changes.iter().enumerate() {
        let legacy = rehearsal.legacy(&server);
        let target = format!("target-{number}");
        let ended = run_and_meanwhile(&rehearsal, &legacy, &target, || change(&legacy));
        let Some((code, said, _proxy)) = ended else { return };
        assert_eq!(code, Some(1), "{what}: {said}");
        for words in ["not read to its end", "dropped or renamed", "reshelve resume"] {
            assert!(said.contains(words), "{what}: no {words:?} in {said}");
        }
        let run = rehearsal.place.runs().pop().unwrap();
        let status = json(&rehearsal.place.expect(0, &["status", &run, "--json"]));
        assert_eq!(status["state"], "failed", "{what}");
        if *what == "renamed" {
            rename(&legacy, "jobs_old", "jobs");
            rehearsal.place.expect(0, &["resume", &run]);
            rehearsal.expect_whole_at(&target, what);
        }
    }
}

#[test]
fn documents_that_the_application_deletes_are_not_missing() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(DOCUMENTS, "small");
    // A standalone server has no snapshots: the cursor is lost, and the next one does not find it.
    for (target, is_noted) in [("target", false), ("standalone", true)] {
        let legacy = rehearsal.legacy(&server);
        let last = legacy.dump("jobs").pop().unwrap();
        let last = mongodb::bson::RawDocument::from_bytes(&last).unwrap();
        let last = last.get_object_id("_id").unwrap();
        let ended = run_and_meanwhile(&rehearsal, &legacy, target, || {
            delete(&legacy, "jobs", doc! { "_id": last });
        });
        let Some((code, said, _)) = ended else { return };
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(said.contains("2499 documents were read of the 2500"), is_noted, "{said}");
    }
}

#[test]
fn a_run_resumes_in_no_other_collection() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let documents = split(&rehearsal.place.read("jobs.bson"));
    let legacy = rehearsal.legacy(&server);
    let bad = doc! { "_id": 7, "status": "completed" };
    wait(legacy.handle.collection::<Document>("jobs").insert_one(bad)).unwrap();
    let args = [&["run", &legacy.uri, "target", "--fail-fast"], &APPLY[..]].concat();
    rehearsal.place.expect(4, &args);
    let run = rehearsal.place.runs().pop().unwrap();
    legacy.command(doc! { "drop": "jobs" });
    rehearsal.place.expect(2, &["resume", &run]).says(&["no collection"]);
    legacy.seed("jobs", &documents);
    rehearsal.place.expect(3, &["resume", &run]).says(&["another one has its name"]);
}

#[test]
fn a_target_that_lost_what_was_written_is_not_done() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    // What others have written before, and meanwhile, hides it.
    for (collection, before, meanwhile) in [
        ("novel_jobs", 0, 0),
        ("novel_jobs", 0, 1),
        ("novel_job_events", 0, 0),
        ("novel_job_events", 0, 900),
        ("novel_job_events", 900, 0),
        ("novel_job_metrics", 0, 90),
        ("novel_job_metadata", 90, 0),
    ] {
        let target = rehearsal.target(&server);
        let add = |number: i32| {
            let other = doc! { "_id": number, "jobId": format!("foreign-{number}") };
            wait(target.handle.collection::<Document>(collection).insert_one(other)).unwrap();
        };
        (0..before).for_each(add);
        let Some(uri) = target.uri_of_one_server() else { return };
        let proxy = Proxy::start(&uri);
        let rule = proxy.rule(on("insert").of("novel_jobs"), Turn::Nth(3), Act::Hold);
        let args = ["run", "jobs.bson", proxy.uri(), "--batch-docs", "20", "--allow-existing"];
        let child = rehearsal.place.call(&[&args[..], &APPLY].concat()).spawn(true);
        rule.wait_until_acted();
        let ours = doc! { "jobId": { "$not": { "$regex": "^foreign" } } };
        let one = wait(target.handle.collection::<Document>("novel_jobs").find_one(ours)).unwrap();
        let job = one.unwrap().get_str("jobId").unwrap().to_owned();
        delete(&target, collection, doc! { "jobId": &job });
        (0..meanwhile).for_each(add);
        rule.release();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{collection}: {said}");
        for words in [collection, "the run wrote", "--allow-existing", &job] {
            assert!(said.contains(words), "{collection}: no {words:?} in {said}");
        }
        let run = rehearsal.place.runs().pop().unwrap();
        let status = json(&rehearsal.place.expect(0, &["status", &run, "--json"]));
        assert_eq!(status["state"], "failed", "{collection}");
    }
}

#[test]
fn what_was_removed_between_a_kill_and_the_resume_is_named() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let target = rehearsal.target(&server);
    let Some(uri) = target.uri_of_one_server() else { return };
    let proxy = Proxy::start(&uri);
    let rule = proxy.rule(on("insert").of("novel_jobs"), Turn::Nth(3), Act::Hold);
    let often = ["--batch-docs", "20", "--checkpoint-bytes", "1"];
    let args = [&["run", "jobs.bson", proxy.uri()], &APPLY[..], &often].concat();
    let mut child = rehearsal.place.call(&args).spawn(true);
    rule.wait_until_acted();
    let run = rehearsal.place.runs().pop().unwrap();
    let is_saved = || {
        let status = json(&rehearsal.place.expect(0, &["status", &run, "--json"]));
        status["documents"]["written"].as_u64().unwrap() >= 20
    };
    while !is_saved() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // Of every job, one event is gone. What comes after the checkpoint is written again.
    let jobs = target.dump("novel_jobs");
    assert_eq!(jobs.len(), 40);
    let events = target.handle.collection::<Document>("novel_job_events");
    let mut gone = Vec::new();
    for job in &jobs {
        let job = mongodb::bson::RawDocument::from_bytes(job.as_slice()).unwrap();
        let job_id = job.get_str("jobId").unwrap();
        let deleted = wait(events.delete_one(doc! { "jobId": job_id })).unwrap();
        gone.extend((deleted.deleted_count == 1).then(|| job_id.to_owned()));
    }
    let told = rehearsal.place.expect(1, &["resume", &run]);
    let told = told.says(&["jobs that the run wrote: ", "novel_job_events"]);
    let named = gone.iter().filter(|job| told.stderr.contains(job.as_str())).count();
    assert!((10..=20).contains(&named), "{}", told.stderr);
    // A new run writes what is missing.
    let again = ["run", "jobs.bson", &target.uri, "--allow-existing", "--take-over"];
    rehearsal.place.expect(0, &[&again[..], &APPLY].concat());
    rehearsal.expect_whole(&target, "written again");
}

#[test]
fn a_connection_string_does_not_lower_what_is_promised() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(20, "small");
    let legacy = rehearsal.legacy(&server);
    for (options, names) in [
        ("w=1&journal=false&wtimeoutMS=5", "w, journal, wtimeoutMS"),
        ("w=0", ": w."),
        ("readConcernLevel=local", "readConcernLevel"),
        ("readConcernLevel=available&w=2", "w, readConcernLevel"),
        ("w=majority&journal=true&readConcernLevel=majority&wtimeoutMS=0", ""),
    ] {
        let target = rehearsal.target(&server);
        let (Some(from), Some(to)) = (legacy.uri_of_one_server(), target.uri_of_one_server())
        else {
            return;
        };
        let (from, to) = (Proxy::start(&from), Proxy::start(&to));
        let (source, uri) =
            (format!("{}&{options}", from.uri()), format!("{}&{options}", to.uri()));
        let told = rehearsal.place.expect(0, &[&["run", &source, &uri], &APPLY[..]].concat());
        let notes = told.stderr.matches("not used of the connection string").count();
        assert_eq!(notes, usize::from(!names.is_empty()), "{options}: {}", told.stderr);
        assert!(told.stderr.contains(names), "{options}: {}", told.stderr);
        let log = to.log();
        // Of a transaction, the commit has it.
        let mut writes = log.exchanges();
        writes.retain(|it| {
            let is_write = it.request.command == "insert" && !it.request.in_transaction;
            is_write || it.request.command == "commitTransaction"
        });
        assert!(!writes.is_empty());
        for write in writes {
            let concern = write.request.body.get_document("writeConcern").unwrap();
            assert_eq!(concern, &doc! { "w": "majority", "j": true }, "{options}");
        }
        for find in from.log().of("find", "jobs") {
            let level = find.request.body.get_document("readConcern").unwrap();
            let level = level.get_str("level").unwrap();
            assert!(["majority", "snapshot"].contains(&level), "{options}: {level}");
        }
        rehearsal.expect_whole(&target, options);
    }
}

/// Whether two names of hosts are one server, nobody can tell by the names.
#[test]
fn a_collection_of_the_target_is_not_its_source_by_any_name() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(20, "small");
    let target = rehearsal.target(&server);
    let run = [&["run", "jobs.bson", &target.uri], &APPLY[..]].concat();
    rehearsal.place.expect(0, &run);
    let before = target.content();
    for name in ["127.0.0.1", "0.0.0.0", "127.1", "[::ffff:127.0.0.1]"] {
        let other = target.uri.replace("127.0.0.1", name);
        for collection in ["novel_jobs", "novel_job_events"] {
            let run = ["run", &other, &target.uri, "-c", collection, "--allow-existing"];
            let run = [&run[..], &APPLY].concat();
            rehearsal.place.expect(3, &run).says(&[collection, "of the target", "hint:"]);
        }
    }
    assert!(target.content() == before);
}

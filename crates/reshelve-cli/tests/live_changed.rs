//! A live source that was changed between a kill and the resume: what the run itself has written of
//! an earlier version gives way to the new one, and nothing else does.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};

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
use proxy::{Act, Matching, Proxy, Turn, What, on};
use rehearsal::{APPLY, Rehearsal, json};

/// A run from a live source that was killed in its second batch.
struct Killed<'r> {
    rehearsal: &'r Rehearsal,
    legacy: Database,
    target: Database,
    proxy: Proxy,
}

impl<'r> Killed<'r> {
    /// Kills the run when the proxy holds this; what is held arrives all the same.
    fn at(
        rehearsal: &'r Rehearsal,
        server: &Server,
        is_standalone: bool,
        (matching, act): (Matching, Act),
    ) -> Option<Killed<'r>> {
        let legacy = rehearsal.legacy(server);
        let target = rehearsal.target(server);
        let proxy = Proxy::start(&target.uri_of_one_server()?);
        if is_standalone {
            proxy.pose_as_standalone();
        }
        let held = proxy.rule(matching, Turn::Nth(2), act);
        let args = ["run", &legacy.uri, proxy.uri(), "--batch-docs", "20"];
        let mut child = rehearsal.place.call(&[&args[..], &APPLY].concat()).spawn(false);
        held.wait_until_acted();
        child.kill().unwrap();
        child.wait().unwrap();
        held.release();
        let is_it = |exchange: &proxy::Exchange| exchange.request.command == "commitTransaction";
        while !is_standalone
            && proxy.log().exchanges().iter().filter(|it| is_it(it)).any(|it| it.answered.is_none())
        {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Some(Killed { rehearsal, legacy, target, proxy })
    }

    /// The ids of the second batch.
    fn ids(&self) -> Vec<Bson> {
        let metrics = self.proxy.log().of("insert", "novel_job_metrics").remove(1);
        let id = |write: &proxy::Write| match &write.what {
            What::Insert(id) => id.clone(),
            other => panic!("no insert: {other:?}"),
        };
        metrics.request.writes.iter().map(id).collect()
    }

    /// Gives some documents of the second batch the content of others.
    fn change_legacy(&self) -> Vec<Bson> {
        let documents = self.legacy.dump("jobs");
        let ids: Vec<Bson> = self.ids().into_iter().step_by(3).collect();
        for (number, id) in ids.iter().enumerate() {
            let mut other = documents[documents.len() - 1 - number].clone();
            // `_id` comes first.
            other[9..21].copy_from_slice(&id.as_object_id().unwrap().bytes());
            self.legacy.command(doc! {
                "delete": "jobs", "deletes": [{ "q": { "_id": id.clone() }, "limit": 1 }]
            });
            self.legacy.seed("jobs", &[other]);
        }
        ids
    }

    fn resume(&self, code: i32) -> serde_json::Value {
        let run = self.rehearsal.place.runs().pop().unwrap();
        let told = self.rehearsal.place.expect(code, &["resume", &run, "--json"]);
        json(&told)
    }

    /// Expects that the target is what the source makes now.
    fn expect_whole(&self, what: &str) {
        let place = &self.rehearsal.place;
        let told =
            json(&place.expect(0, &["verify", &self.legacy.uri, &self.target.uri, "--json"]));
        assert_eq!(told["mismatches_total"], 0, "{what}");
    }
}

fn cases() -> [(bool, (Matching, Act)); 3] {
    [
        (false, (on("commitTransaction"), Act::HoldReply)),
        (true, (on("insert").of("novel_jobs"), Act::HoldReply)),
        // The parts are there, and the job is not.
        (true, (on("insert").of("novel_jobs"), Act::CutBefore)),
    ]
}

#[test]
fn documents_that_were_changed_since_a_kill_take_the_place_of_the_earlier_ones() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    for (is_standalone, held) in cases() {
        let what = format!("{held:?}, standalone: {is_standalone}");
        let Some(killed) = Killed::at(&rehearsal, &server, is_standalone, held) else { return };
        let ids = killed.change_legacy();
        assert_eq!(ids.len(), 7);
        let told = killed.resume(0);
        assert_eq!(told["documents"]["written"], 60, "{what}: {told}");
        assert_eq!(told["replaced"].as_u64().unwrap_or(0), 0, "{what}: {told}");
        killed.expect_whole(&what);
        let jobs = killed.target.count("novel_jobs");
        assert_eq!(jobs, 60, "{what}");
    }
}

#[test]
fn an_edit_of_the_application_stays_if_the_source_was_changed_too() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let [(is_standalone, held), ..] = cases();
    let Some(killed) = Killed::at(&rehearsal, &server, is_standalone, held) else { return };
    let ids = killed.change_legacy();
    let edits = [
        ("novel_jobs", doc! { "_id": ids[0].clone() }),
        ("novel_job_metadata", doc! { "_id": ids[1].clone() }),
    ];
    for (collection, filter) in &edits {
        let edit = doc! { "q": filter.clone(), "u": { "$set": { "edited": true } } };
        killed.target.command(doc! { "update": collection, "updates": [edit] });
    }
    // An event that a mapping made, and that is gone, is an edit too.
    let job = find(&killed.target, "novel_jobs", &ids[2]);
    let job_id = RawDocument::from_bytes(job.as_bytes()).unwrap().get_str("jobId").unwrap();
    let gone = doc! { "q": { "jobId": job_id }, "limit": 1 };
    killed.target.command(doc! { "delete": "novel_job_events", "deletes": [gone] });
    let before: Vec<RawDocumentBuf> =
        ids[..3].iter().map(|id| find(&killed.target, "novel_jobs", id)).collect();
    let told = killed.resume(4);
    assert_eq!(told["rejects"]["target-conflict"], 3, "{told}");
    for (id, job) in ids.iter().zip(before) {
        assert!(find(&killed.target, "novel_jobs", id) == job, "{id} was touched");
    }
    let edited = find(&killed.target, "novel_job_metadata", &ids[1]);
    assert!(edited.get("edited").unwrap().is_some());
}

fn find(target: &Database, collection: &str, id: &Bson) -> RawDocumentBuf {
    let collection = target.handle.collection::<RawDocumentBuf>(collection);
    wait(collection.find_one(doc! { "_id": id.clone() })).unwrap().expect("it is there")
}

/// Jobs that begin to be written between the kill and the resume: nobody has decided about them.
#[test]
fn jobs_that_begin_after_a_kill_need_a_decision() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(100, "small");
    let place = &rehearsal.place;
    let legacy = rehearsal.legacy(&server);
    for status in ["queued", "outlining", "planning", "writing", "recovering", "paused"] {
        legacy.command(doc! {
            "delete": "jobs", "deletes": [{ "q": { "status": status }, "limit": 0 }]
        });
    }
    let target = rehearsal.target(&server);
    let Some(uri) = target.uri_of_one_server() else { return };
    let proxy = Proxy::start(&uri);
    let held = proxy.rule(on("insert").of("novel_jobs"), Turn::Nth(2), Act::CutBefore);
    let args = ["run", &legacy.uri, proxy.uri(), "--batch-docs", "10", "--apply"];
    let mut child = place.call(&args).spawn(false);
    held.wait_until_acted();
    child.kill().unwrap();
    child.wait().unwrap();
    held.release();

    let ids: Vec<Bson> =
        legacy.dump("jobs").iter().rev().take(7).map(|document| id(document)).collect();
    for id in &ids {
        legacy.command(doc! {
            "update": "jobs",
            "updates": [{ "q": { "_id": id.clone() }, "u": { "$set": { "status": "writing" } } }]
        });
    }
    let run = place.runs().pop().unwrap();
    let resume = ["resume", &run, "--json"];
    let told = place.expect(3, &resume).says(&["in flight", "--in-flight"]);
    assert_eq!(json(&told)["state"], "interrupted");
    let running = doc! { "status": { "$in": ["queued", "running"] } };
    assert_eq!(count(&target, &running), 0);
    place.expect(0, &[&resume[..], &["--in-flight", "include"]].concat());
    assert_eq!(count(&target, &running), 7);
}

fn count(target: &Database, filter: &Document) -> u64 {
    let jobs = target.handle.collection::<Document>("novel_jobs");
    wait(jobs.count_documents(filter.clone())).unwrap()
}

fn id(document: &[u8]) -> Bson {
    RawDocument::from_bytes(document).unwrap().get("_id").unwrap().unwrap().try_into().unwrap()
}

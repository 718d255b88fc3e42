//! The journal of a run into a live target: what it says of each job is what an independent look at
//! the target finds, and it names every write that can have happened and no other, as a proxy's log
//! shows. What somebody else has changed since a kill stays as it is.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Child;

use mongodb::bson::{Bson, RawDocument, RawDocumentBuf, doc, oid::ObjectId};
use reshelve::run::RunFolder;
use reshelve::run::journal::{JobRecord, Reader, Record};
use reshelve::target_schema::Collection;
use twox_hash::XxHash3_128;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/proxy.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod proxy;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use common::counts::{Ended, count};
use live::{Database, Server};
use proxy::{Act, Exchange, Log, Proxy, Reply, Turn, What, Write, on};
use rehearsal::{APPLY, Rehearsal, json};

const BATCH_DOCS: usize = 20;

/// What a journal says: the jobs of complete batches, and those of the last one that is not.
#[derive(Debug, Default)]
struct Said {
    complete: Vec<JobRecord>,
    open: Vec<JobRecord>,
}

fn said(rehearsal: &Rehearsal) -> Said {
    let runs = rehearsal.place.path(".reshelve/runs");
    let folder = RunFolder::list(&runs).unwrap().pop().unwrap();
    let mut reader = Reader::of_run(&folder).unwrap();
    // Each record, whether its batch is complete, and whether it was withdrawn since.
    let mut jobs: Vec<(JobRecord, bool, bool)> = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        match record {
            Record::Job(job) => jobs.push((job, false, false)),
            Record::Withdrawn(key) => {
                jobs.iter_mut().filter(|(job, ..)| job.key == key).for_each(|job| job.2 = true);
            }
            Record::Completed { jobs: count } => {
                let batch = jobs.len() - usize::try_from(count).unwrap();
                jobs[batch..].iter_mut().for_each(|job| job.1 = true);
            }
        }
    }
    // A resumed run names a job again: it is complete if any of its records is.
    let mut said = Said::default();
    let mut seen = BTreeSet::new();
    jobs.retain(|(_, _, is_withdrawn)| !is_withdrawn);
    for (job, is_complete, _) in jobs.iter().rev() {
        if seen.insert(job.key) {
            if *is_complete { said.complete.push(job.clone()) } else { said.open.push(job.clone()) }
        }
    }
    said
}

fn id_of(job: &JobRecord) -> String {
    Bson::ObjectId(ObjectId::from_bytes(job.id)).to_string()
}

fn field(document: &[u8], name: &str) -> String {
    let value = RawDocument::from_bytes(document).unwrap().get(name).unwrap().unwrap();
    Bson::try_from(value).unwrap().to_string()
}

/// The ids of jobs that any request has named for a collection with one document for each job.
fn asked(log: &Log) -> BTreeSet<String> {
    let one_each = [Collection::Jobs, Collection::Metrics, Collection::Metadata];
    let inserts = one_each.into_iter().flat_map(|collection| log.of("insert", collection.name()));
    let writes = inserts.flat_map(|insert: Exchange| insert.request.writes);
    writes
        .map(|write: Write| match write.what {
            What::Insert(id) => id.to_string(),
            other => panic!("no insert: {other:?}"),
        })
        .collect()
}

/// What the journal says of the jobs of complete batches is what stands in the target, and nothing
/// stands there that it does not name.
fn expect_true(said: &Said, target: &Database, foreign: &[String], what: &str) {
    let named: BTreeSet<String> = said.complete.iter().chain(&said.open).map(id_of).collect();
    // The documents of each job, in the order of the events' ids; told apart by job id.
    let mut standing: BTreeMap<String, [BTreeSet<[u8; 16]>; 4]> = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for collection in Collection::ALL {
        for document in target.dump(collection.name()) {
            let job_id = field(&document, "jobId");
            if collection != Collection::Events {
                ids.insert(job_id.clone(), field(&document, "_id"));
            }
            let hash = XxHash3_128::oneshot(&document).to_be_bytes();
            standing.entry(job_id).or_default()[collection.index()].insert(hash);
        }
    }
    for (job_id, id) in &ids {
        assert!(foreign.contains(id) || named.contains(id), "{what}: {job_id} is not named");
    }
    for job in &said.complete {
        let job_id = ids.iter().find(|(_, id)| **id == id_of(job)).map(|(job_id, _)| job_id);
        let documents = &standing[job_id.unwrap_or_else(|| panic!("{what}: {job:?} is gone"))];
        for collection in [Collection::Jobs, Collection::Metrics, Collection::Metadata] {
            let expected = job.target[collection.index()];
            assert!(documents[collection.index()].contains(&expected), "{what}: {collection}");
        }
        let events = documents[Collection::Events.index()].len();
        assert_eq!(events, usize::try_from(job.events).unwrap(), "{what}");
    }
}

struct Scene<'r> {
    rehearsal: &'r Rehearsal,
    target: Database,
    proxy: Proxy,
}

impl<'r> Scene<'r> {
    fn new(rehearsal: &'r Rehearsal, server: &Server) -> Option<Scene<'r>> {
        let target = rehearsal.target(server);
        let proxy = Proxy::start(&target.uri_of_one_server()?);
        Some(Scene { rehearsal, target, proxy })
    }

    fn run(&self) -> Child {
        let docs = BATCH_DOCS.to_string();
        let args = ["run", "jobs.bson", self.proxy.uri(), "--batch-docs", &docs];
        self.rehearsal.place.call(&[&args[..], &APPLY].concat()).spawn(false)
    }

    fn resume(&self, code: i32) -> serde_json::Value {
        let run = self.rehearsal.place.runs().pop().unwrap();
        json(&self.rehearsal.place.expect(code, &["resume", &run, "--json"]))
    }
}

#[test]
fn after_a_kill_at_every_write_the_journal_names_what_can_have_been_written_and_no_more() {
    let Some(server) = Server::shared() else { return };
    for collection in Collection::ALL {
        for (nth, act) in [(1, Act::Hold), (2, Act::Hold), (2, Act::HoldReply)] {
            let what = format!("{act:?} of insert {nth} into {collection}");
            let rehearsal = Rehearsal::new(60, "small");
            let Some(scene) = Scene::new(&rehearsal, &server) else { return };
            let on_insert = on("insert").of(collection.name());
            let held = scene.proxy.rule(on_insert, Turn::Nth(nth), act);
            let mut child = scene.run();
            held.wait_until_acted();
            child.kill().unwrap();
            child.wait().unwrap();
            // Before what is held arrives, and after it.
            let first = said(&rehearsal);
            expect_true(&first, &scene.target, &[], &what);
            held.release();
            let arrived = || {
                let insert = scene.proxy.log().of("insert", collection.name()).remove(nth - 1);
                insert.reply.as_ref().is_some_and(Reply::is_success)
            };
            while !arrived() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            expect_true(&first, &scene.target, &[], &what);
            assert!(first.open.len() <= BATCH_DOCS, "{what}: one batch is open");
            assert!(!first.open.is_empty(), "{what}: its records were durable before it was sent");
            let named: BTreeSet<String> =
                first.complete.iter().chain(&first.open).map(id_of).collect();
            let asked = asked(&scene.proxy.log());
            assert!(asked.is_subset(&named), "{what}: every write is named");
            if collection != Collection::Events {
                assert!(asked == named, "{what}: and no other");
            }
            let told = scene.resume(0);
            assert_eq!(told["documents"]["unchanged"], 0, "{what}: all of it is the run's own");
            rehearsal.expect_whole(&scene.target, &what);
            let last = said(&rehearsal);
            assert!(last.open.is_empty(), "{what}");
            assert_eq!(last.complete.len(), 60, "{what}: each job once");
            expect_true(&last, &scene.target, &[], &what);
            count("kill -9 of a run at a command, then resume", "live", Ended::same(1));
        }
    }
}

#[test]
fn a_job_that_somebody_else_put_there_first_is_withdrawn() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let Some(scene) = Scene::new(&rehearsal, &server) else { return };
    let held = scene.proxy.rule(on("insert").of("novel_jobs"), Turn::Nth(2), Act::Hold);
    let child = scene.run();
    held.wait_until_acted();
    let insert = scene.proxy.log().of("insert", "novel_jobs").pop().unwrap();
    let What::Insert(id) = insert.request.writes[3].what.clone() else { panic!("no insert") };
    let foreign =
        RawDocumentBuf::try_from(&doc! { "_id": id.clone(), "jobId": "another" }).unwrap();
    scene.target.seed("novel_jobs", &[foreign.as_bytes()]);
    held.release();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(4), "{}", String::from_utf8_lossy(&ended.stderr));
    let said = said(&rehearsal);
    assert_eq!((said.complete.len(), said.open.len()), (59, 0));
    let foreign_id = id.to_string();
    assert!(said.complete.iter().all(|job| id_of(job) != foreign_id));
    expect_true(&said, &scene.target, std::slice::from_ref(&foreign_id), "conflict");
    // Nothing of the job is left but what the other one wrote.
    let stood = scene.target.dump("novel_jobs");
    assert!(stood.iter().any(|job| job.as_slice() == foreign.as_bytes()));
    for collection in [Collection::Metrics, Collection::Metadata] {
        let ids = scene
            .target
            .dump(collection.name())
            .iter()
            .map(|it| field(it, "_id"))
            .collect::<Vec<_>>();
        assert!(!ids.contains(&foreign_id), "{collection}");
        assert_eq!(ids.len(), 59, "{collection}");
    }
}

#[test]
fn a_job_that_was_edited_after_a_kill_keeps_its_parts() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let Some(scene) = Scene::new(&rehearsal, &server) else { return };
    let held = scene.proxy.rule(on("insert").of("novel_job_metrics"), Turn::Nth(3), Act::Hold);
    let mut child = scene.run();
    held.wait_until_acted();
    child.kill().unwrap();
    child.wait().unwrap();
    held.release();
    assert_eq!(scene.target.count("novel_jobs"), 40);
    let edited: Vec<Vec<u8>> = scene.target.dump("novel_jobs").into_iter().step_by(4).collect();
    for job in &edited {
        let id = RawDocument::from_bytes(job).unwrap().get_object_id("_id").unwrap();
        let title = doc! { "$set": { "payload.title": "another title" } };
        let update = doc! { "q": { "_id": id }, "u": title };
        scene.target.command(doc! { "update": "novel_jobs", "updates": [update] });
    }
    let before: Vec<usize> =
        Collection::ALL.iter().map(|it| scene.target.dump(it.name()).len()).collect();
    let told = scene.resume(4);
    assert_eq!(told["rejects"]["target-conflict"], edited.len(), "{told}");
    assert_eq!(told["documents"]["written"], 60 - edited.len(), "{told}");
    let metadata = scene.target.dump("novel_job_metadata");
    for job in &edited {
        let job_id = field(job, "jobId");
        assert!(metadata.iter().any(|it| field(it, "jobId") == job_id), "{job_id} has lost it");
    }
    for (collection, before) in Collection::ALL.iter().zip(before) {
        let now = scene.target.dump(collection.name()).len();
        assert!(now >= before, "{collection}: {before} before the resume, {now} after it");
    }
    assert_eq!(scene.target.count("novel_job_metrics"), 60);
}

/// `--replace` is about what stood there before: an edit of what the run itself has written waits for
/// a decision when the run is taken back.
#[test]
fn an_edit_between_a_kill_and_the_resume_of_a_replacing_run_is_left_alone() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(40, "small");
    let Some(scene) = Scene::new(&rehearsal, &server) else { return };
    let (place, uri) = (&rehearsal.place, scene.proxy.uri());
    let held = scene.proxy.rule(on("insert").of("novel_jobs"), Turn::Nth(2), Act::Hold);
    let replace = ["run", "jobs.bson", uri, "--replace", "--batch-docs", "20"];
    let mut child = place.call(&[&replace[..], &APPLY].concat()).spawn(false);
    held.wait_until_acted();
    child.kill().unwrap();
    child.wait().unwrap();
    held.release();
    let edit = doc! { "q": {}, "u": { "$set": { "queue": "edited" } } };
    scene.target.command(doc! { "update": "novel_jobs", "updates": [edit] });
    let edited = || {
        let all = scene.target.dump("novel_jobs").into_iter();
        let is_edited = |job: &Vec<u8>| field(job, "queue").contains("edited");
        all.filter(is_edited).collect::<Vec<_>>()
    };
    let jobs = edited();
    assert_eq!(jobs.len(), 1);
    let told = scene.resume(4);
    assert_eq!(told["rejects"]["target-conflict"], 1, "{told}");
    assert!(edited() == jobs, "the edit was replaced");
    let run = place.run();
    place.expect(3, &["rollback", &run, "--apply", "--target", uri]).says(&["--edited discard=1"]);
    place.expect(0, &["rollback", &run, "--apply", "--target", uri, "--edited", "keep"]);
    assert!(scene.target.dump("novel_jobs") == jobs);
}

#[test]
fn a_run_that_stops_twice_still_knows_what_it_had_begun() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let Some(scene) = Scene::new(&rehearsal, &server) else { return };
    let kill_at = |nth: usize, mut child: Child, held: &proxy::Rule| {
        held.wait_until_acted();
        child.kill().unwrap();
        child.wait().unwrap();
        held.release();
        let metrics = || scene.proxy.log().of("insert", "novel_job_metrics").remove(nth - 1);
        while metrics().answered.is_none() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    let on_metrics = || on("insert").of("novel_job_metrics");
    let first = scene.proxy.rule(on_metrics(), Turn::Nth(3), Act::Hold);
    kill_at(3, scene.run(), &first);
    // The second process passes what is there, makes checkpoints, and stops in the last batch.
    let second = scene.proxy.rule(on_metrics(), Turn::Nth(1), Act::Hold);
    let run = rehearsal.place.runs().pop().unwrap();
    let args = ["resume", &run, "--batch-docs", "7", "--checkpoint-bytes", "1"];
    kill_at(4, rehearsal.place.call(&args).spawn(false), &second);
    expect_true(&said(&rehearsal), &scene.target, &[], "stopped twice");
    let told = scene.resume(0);
    assert_eq!(told["documents"]["unchanged"], 0, "{told}");
    assert_eq!(told["documents"]["written"], 60, "{told}");
    rehearsal.expect_whole(&scene.target, "stopped twice");
    let said = said(&rehearsal);
    assert!(said.open.is_empty(), "{} open", said.open.len());
    let jobs: BTreeSet<String> = said.complete.iter().map(id_of).collect();
    assert_eq!(jobs.len(), 60);
}

/// The documents of all collections, and those that are kept for rollback.
fn everything(target: &Database) -> BTreeSet<(String, Vec<u8>)> {
    let standing = Collection::ALL.into_iter().flat_map(|collection| {
        let documents = target.dump(collection.name());
        documents.into_iter().map(move |document| (collection.name().to_owned(), document))
    });
    let kept = target.dump("reshelve_undo").into_iter().filter_map(|kept| {
        let kept = RawDocument::from_bytes(&kept).unwrap();
        let collection = kept.get_document("_id").unwrap().get_str("collection").ok()?;
        Some((collection.to_owned(), kept.get_document("document").unwrap().as_bytes().to_vec()))
    });
    standing.chain(kept).collect()
}

#[test]
fn a_kill_while_jobs_are_replaced_keeps_every_earlier_version_and_every_edit() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(40, "small");
    let Some(scene) = Scene::new(&rehearsal, &server) else { return };
    let place = &rehearsal.place;
    let uri = scene.proxy.uri();
    let earlier = ["run", "jobs.bson", uri, "--apply", "--in-flight", "as-failed"];
    place.expect(0, &earlier);
    std::fs::remove_dir_all(place.path(".reshelve")).unwrap();
    let before = everything(&scene.target);
    let held = scene.proxy.rule(on("delete").of("novel_jobs"), Turn::Nth(4), Act::Hold);
    let replace = ["run", "jobs.bson", uri, "--replace", "--batch-docs", "40"];
    let mut child = place.call(&[&replace[..], &APPLY].concat()).spawn(false);
    held.wait_until_acted();
    child.kill().unwrap();
    child.wait().unwrap();
    held.release();
    // The application edits one of the jobs that were replaced, before the run is resumed.
    let replaced = scene.proxy.log().of("delete", "novel_jobs").remove(0);
    let What::Delete(filter) = replaced.request.writes[0].what.clone() else {
        panic!("{replaced:?}")
    };
    let is_it = |job: &&Vec<u8>| {
        let id = RawDocument::from_bytes(job).unwrap().get_object_id("_id").unwrap();
        id == filter.get_object_id("_id").unwrap()
    };
    let job_id = field(scene.target.dump("novel_jobs").iter().find(is_it).unwrap(), "jobId");
    let job_id = job_id.trim_matches('"');
    let edit = doc! { "q": { "jobId": job_id }, "u": { "$set": { "summary": "edited" } } };
    scene.target.command(doc! { "update": "novel_jobs", "updates": [edit] });
    let edited: Vec<Vec<u8>> = scene
        .target
        .dump("novel_jobs")
        .into_iter()
        .filter(|job| RawDocument::from_bytes(job).unwrap().get_str("jobId").unwrap() == job_id)
        .collect();
    assert_eq!(edited.len(), 1);
    scene.resume(4);
    let after = everything(&scene.target);
    let lost: Vec<_> = before.difference(&after).map(|(collection, _)| collection).collect();
    assert!(lost.is_empty(), "{lost:?}");
    for job in edited {
        assert!(after.contains(&("novel_jobs".to_owned(), job)), "the edit is gone");
    }
}

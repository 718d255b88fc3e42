//! Live databases as sources and as targets, through the binary: every way between dump and live,
//! what the preflight says, what is already exist, indexes, privileges, secrets.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::collections::BTreeMap;

use mongodb::bson::{Document, doc};
use serde_json::Value;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;

use common::{Place, Told, split};
use live::{Database, Server, wait};

const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];
const APPLY: [&str; 3] = ["--apply", "--in-flight", "include"];

/// The answer has to hold these words.
fn tells(told: &Told, words: &[&str]) {
    for word in words {
        assert!(told.stdout.contains(word), "no {word:?} in {}", told.stdout);
    }
}

fn json(told: &Told) -> Value {
    serde_json::from_str(told.stdout.lines().last().unwrap()).unwrap()
}

/// A source of a hundred documents of every stage.
fn source(place: &Place) -> Vec<Vec<u8>> {
    let args = ["generate", "jobs.bson", "--preset", "lifecycle", "--documents", "100"];
    place.expect(0, &[args.as_slice(), &["--size", "small"]].concat());
    split(&place.read("jobs.bson"))
}

/// A target database with its indexes.
fn target(server: &Server, place: &Place) -> Database {
    let target = server.database();
    place.expect(0, &["indexes", "up", &target.uri]);
    target
}

fn run(place: &Place, code: i32, source: &str, target: &str, more: &[&str]) -> Told {
    place.expect(code, &[&["run", source, target], &APPLY[..], more].concat())
}

fn checksums(place: &Place, target: &str) -> Value {
    json(&place.expect(0, &["checksums", target, "--json"]))["collections"].clone()
}

fn contents(database: &Database) -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    COLLECTIONS.map(|name| (name, database.dump(name))).into()
}

#[test]
fn every_way_between_dump_and_live_gives_the_same_target() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    let documents = source(&place);
    let legacy = server.database();
    legacy.seed("jobs", &documents);
    let target = target(&server, &place);

    run(&place, 0, "jobs.bson", "folder", &[]);
    let expected = checksums(&place, "folder");
    run(&place, 0, "jobs.bson", &target.uri, &[]);
    assert_eq!(checksums(&place, &target.uri), expected, "dump to live");
    assert!(!target.has_lease(), "the lease is gone");
    run(&place, 0, &legacy.uri, "from-live", &[]);
    assert_eq!(checksums(&place, "from-live"), expected, "live to dump");
    let other = self::target(&server, &place);
    run(&place, 0, &legacy.uri, &other.uri, &["--batch-docs", "7"]);
    assert_eq!(checksums(&place, &other.uri), expected, "live to live");
    assert_eq!(contents(&other), contents(&target));

    for (from, to) in [
        ("jobs.bson", target.uri.as_str()),
        (&legacy.uri, "folder"),
        (&legacy.uri, &other.uri),
        ("jobs.bson", "from-live"),
    ] {
        let told = json(&place.expect(0, &["verify", from, to, "--json"]));
        assert_eq!(told["restored"]["identical"], 100, "{from} {to}");
    }
    // Back again, in the order in which the target holds them.
    place.expect(0, &["restore", &target.uri, "back.bson"]);
    assert!(place.read("back.bson") == place.read("jobs.bson"));
    let run = json(&place.expect(0, &["runs", "--json"]))["runs"][1]["run"].clone();
    let report = place.expect(0, &["report", run.as_str().unwrap(), "--out", "report"]);
    tells(&report, &["Parity holds."]);
}

#[test]
fn a_byte_that_was_changed_in_a_live_target_is_found() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    source(&place);
    let target = target(&server, &place);
    run(&place, 0, "jobs.bson", &target.uri, &[]);
    let mut job = target.dump("novel_jobs").swap_remove(40);
    let at = job.windows(16).position(|window| window == b"novel-generation").unwrap();
    job[at] = b'N';
    let jobs = target.handle.collection::<Document>("novel_jobs");
    let id = Document::try_from(mongodb::bson::RawDocument::from_bytes(&job).unwrap()).unwrap();
    let id = id.get_object_id("_id").unwrap();
    wait(jobs.delete_one(doc! { "_id": id })).unwrap();
    target.seed("novel_jobs", &[job]);
    let told = json(&place.expect(5, &["verify", "jobs.bson", &target.uri, "--json"]));
    assert_eq!(told["mismatches"][0]["path"], "queue", "{told}");
    assert_eq!(told["restored"]["missing"], 0);
}

#[test]
fn ids_of_every_type_are_read_in_every_batch_size() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    source(&place);
    place.expect(0, &["run", "jobs.bson", "o", "--apply", "--in-flight", "include"]);
    let legacy = server.database();
    let jobs = legacy.handle.collection::<Document>("jobs");
    let mut ids: Vec<mongodb::bson::Bson> = vec![
        f64::NAN.into(),
        (-1).into(),
        1.5.into(),
        7_i64.into(),
        "a".into(),
        "b".into(),
        doc! { "k": 1 }.into(),
        mongodb::bson::oid::ObjectId::from_bytes([1; 12]).into(),
        false.into(),
        true.into(),
        mongodb::bson::DateTime::from_millis(0).into(),
        mongodb::bson::DateTime::from_millis(9).into(),
        mongodb::bson::Bson::MinKey,
        mongodb::bson::Bson::MaxKey,
        mongodb::bson::Bson::Null,
    ];
    ids.extend((10..30).map(|number: i32| mongodb::bson::Bson::from(number)));
    let documents: Vec<Document> =
        ids.iter().map(|id| doc! { "_id": id.clone(), "status": "failed", "title": "t" }).collect();
    wait(jobs.insert_many(&documents)).unwrap();
    let expected = json(&place.expect(0, &["profile", &legacy.uri, "--json"]));
    assert_eq!(expected["documents"], u64::try_from(ids.len()).unwrap());
    // A cursor that is lost at every second reply, and continued after the last document.
    for times in [1, 3] {
        let lost = doc! { "errorCode": 43 };
        let fault = legacy.fail(&["getMore", "find"], doc! { "times": times }, lost);
        let told = json(&place.expect(0, &["profile", &legacy.uri, "--json"]));
        assert_eq!(told, expected);
        drop(fault);
    }
}

#[test]
fn a_dry_run_changes_nothing() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    source(&place);
    let target = server.database();
    // It refuses what a run that writes would meet.
    place.expect(3, &["run", "jobs.bson", &target.uri]).says(&["indexes up"]);
    assert_eq!(target.collections(), Vec::<String>::new());
    // What is already exist is forecast.
    place.expect(0, &["indexes", "up", &target.uri]);
    run(&place, 0, "jobs.bson", &target.uri, &["--limit", "40"]);
    let before = contents(&target);
    let collections = target.collections();
    let told = json(&place.expect(
        0,
        &["run", "jobs.bson", &target.uri, "--in-flight", "include", "--allow-existing", "--json"],
    ));
    assert_eq!(told["documents"]["unchanged"], 40, "{told}");
    assert_eq!(told["documents"]["mapped"], 100);
    assert_eq!((contents(&target), target.collections()), (before, collections));
}

#[test]
fn the_preflight_names_what_is_in_the_way() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    source(&place);
    let target = server.database();
    run(&place, 3, "jobs.bson", &target.uri, &[]).says(&["indexes up", "idx_novel_jobs_jobId"]);
    assert_eq!(target.collections(), Vec::<String>::new());
    place.expect(0, &["indexes", "up", &target.uri]);
    let undecided = ["run", "jobs.bson", &target.uri, "--apply"];
    place.expect(3, &undecided).says(&["in flight", "--in-flight"]);
    run(&place, 0, "jobs.bson", &target.uri, &["--limit", "1"]);
    let told = run(&place, 3, "jobs.bson", &target.uri, &[]);
    told.says(&["already holds", "novel_jobs", "--allow-existing"]);
    // Validators are told before they refuse anything.
    let command = doc! { "collMod": "novel_jobs", "validator": { "queue": "novel-generation" } };
    target.command(command);
    let told = run(&place, 0, "jobs.bson", &target.uri, &["--allow-existing"]);
    assert!(told.stderr.contains("novel_jobs has a validator"), "{}", told.stderr);
    assert!(place.call(&["run", "nowhere.bson", &target.uri]).finish().code == Some(1));
    place.expect(2, &["run", &target.uri, "out"]).says(&["no collection", "jobs"]);
}

#[test]
fn what_is_there_already_is_left_alone_or_replaced() {
    let Some(server) = Server::shared() else { return };
    replace_on(&server);
}

#[test]
fn a_standalone_server_is_enough() {
    let Some(server) = Server::start(&["--standalone"]) else { return };
    replace_on(&server);
    let place = Place::new();
    let documents = source(&place);
    let legacy = server.database();
    legacy.seed("jobs", &documents);
    run(&place, 0, &legacy.uri, "folder", &[]);
    tells(&place.expect(0, &["inspect", &legacy.uri]), &["standalone"]);
    place.expect(0, &["verify", &legacy.uri, "folder"]);
}

fn replace_on(server: &Server) {
    let place = Place::new();
    let documents = source(&place);
    let target = target(server, &place);
    // A job that changed since, one of the new stack's own, and the rest as it was.
    let changed = documents.iter().map(|document| common::documents::aged(document)).take(3);
    let before: Vec<u8> = changed.chain(documents[3..50].iter().cloned()).flatten().collect();
    place.write("before.bson", &before);
    run(&place, 0, "before.bson", &target.uri, &[]);
    let foreign = doc! { "_id": "foreign", "jobId": "foreign", "status": "queued" };
    wait(target.handle.collection::<Document>("novel_jobs").insert_one(foreign)).unwrap();
    let earlier = contents(&target);

    let told = run(&place, 4, "jobs.bson", &target.uri, &["--allow-existing", "--json"]);
    let told = json(&told);
    assert_eq!(told["rejects"]["target-conflict"], 3, "{told}");
    assert_eq!(told["documents"]["unchanged"], 47);
    assert_eq!(told["documents"]["written"], 50);
    let now = contents(&target);
    for (collection, documents) in &earlier {
        for document in documents {
            assert!(now[collection].contains(document), "{collection}: a document was touched");
        }
    }
    let told = run(&place, 0, "jobs.bson", &target.uri, &["--replace", "--json"]);
    assert_eq!(json(&told)["documents"]["unchanged"], 97);
    let verify = ["verify", "jobs.bson", &target.uri, "--allow-existing", "--json"];
    let told = json(&place.expect(0, &verify));
    assert_eq!(told["restored"]["identical"], 100);
    assert_eq!(told["counts"]["left_alone"], 1);
    // Every document of the earlier versions is kept as it was.
    let kept = target.dump("reshelve_undo");
    let kept_inside = |document: &Vec<u8>| {
        kept.iter().any(|kept| kept.windows(document.len()).any(|window| window == &document[..]))
    };
    let mut replaced = 0;
    for (collection, documents) in &earlier {
        for document in documents {
            if !contents(&target)[collection].contains(document) {
                assert!(kept_inside(document), "{collection}: an earlier version is lost");
                replaced += 1;
            }
        }
    }
    assert!(replaced >= 3 && kept.len() >= replaced, "{replaced} {}", kept.len());
}

#[test]
fn a_document_that_the_server_refuses_leaves_nothing_behind() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    let documents = source(&place);
    let target = target(&server, &place);
    let id = documents[10].windows(4).position(|window| window == b"_id\0").unwrap() + 4;
    let refused: String =
        documents[10][id..id + 12].iter().map(|byte| format!("{byte:02x}")).collect();
    let validator = doc! { "jobId": { "$ne": refused.as_str() } };
    target.command(doc! { "collMod": "novel_job_metrics", "validator": validator });
    let told = json(&run(&place, 4, "jobs.bson", &target.uri, &["--json"]));
    assert_eq!(told["rejects"]["target-refused"], 1, "{told}");
    assert_eq!(told["documents"]["written"], 99);
    for collection in COLLECTIONS {
        let stored = target.handle.collection::<Document>(collection);
        let found = wait(stored.count_documents(doc! { "jobId": refused.as_str() })).unwrap();
        assert_eq!(found, 0, "{collection}");
    }
    let run = told["run"].as_str().unwrap();
    let rejects = place.read(&format!(".reshelve/runs/{run}/rejects.jsonl"));
    let reject: Value = serde_json::from_slice(&rejects).unwrap();
    assert!(reject["message"].as_str().unwrap().contains("novel_job_metrics"), "{reject}");
    place.expect(0, &["verify", "jobs.bson", &target.uri, "--run", run]);
    let told = json(&place.expect(0, &["verify", "jobs.bson", &target.uri, "--json"]));
    assert_eq!((&told["options_from"], &told["runs"][0]), (&"last-run".into(), &run.into()));
    place.expect(5, &["verify", "jobs.bson", &target.uri, "--runs-dir", "none"]).says(&[run]);
    // Once the server takes it, only that one is missing.
    target.command(doc! { "collMod": "novel_job_metrics", "validator": {} });
    let again = ["--only-rejects", run, "--json"];
    let told = json(&self::run(&place, 0, "jobs.bson", &target.uri, &again));
    assert_eq!(told["documents"]["written"], 1);
    let retry = told["run"].as_str().unwrap();
    let told = json(&place.expect(0, &["verify", "jobs.bson", &target.uri, "--json"]));
    assert_eq!((&told["verdict"], &told["counts"]["retried"]), (&"holds".into(), &1.into()));
    let told = json(&place.expect(0, &["report", retry, run, "--json", "--out", "report"]));
    assert_eq!(told["verdict"]["word"], "holds", "{}", told["verdict"]);
    place.expect(0, &["verify", "jobs.bson", &target.uri]);
}

#[test]
fn a_target_names_its_last_run_and_options_of_another_one_are_not_taken() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    let documents = source(&place);
    let legacy = server.database();
    legacy.seed("jobs", &documents);
    let target = target(&server, &place);
    let skip = ["--apply", "--in-flight", "skip", "--json"];
    let told = place.expect(0, &[&["run", &legacy.uri, &target.uri][..], &skip].concat());
    let first = json(&told)["run"].clone();
    let verify = ["verify", &legacy.uri, &target.uri, "--json"];
    let told = json(&place.expect(0, &verify));
    assert_eq!((&told["options_from"], &told["runs"][0]), (&"last-run".into(), &first));
    assert_eq!(told["options"]["in_flight"], "skip");
    // The same documents, and another source.
    let told = place.expect(5, &["verify", "jobs.bson", &target.uri, "--json"]);
    assert_eq!(json(&told)["options_from"], "defaults");
    // A run whose folder is elsewhere has written it since.
    let add = ["--allow-existing", "--runs-dir", "elsewhere"];
    let add = [&["run", &legacy.uri, &target.uri, "--apply", "--in-flight", "include"][..], &add];
    place.expect(0, &add.concat());
    let told = place.expect(0, &verify).says(&["wrote the target last", "is not in"]);
    assert_eq!(json(&told)["options_from"], "defaults");
    let told = place.expect(0, &[&verify[..], &["--runs-dir", "elsewhere"]].concat());
    assert_eq!(json(&told)["options_from"], "last-run");
}

#[test]
fn a_validator_that_comes_later_takes_nothing_back() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    source(&place);
    let target = target(&server, &place);
    let child = [&["run", "jobs.bson", &target.uri, "--batch-docs", "4"], &APPLY[..]].concat();
    let mut child = place.call(&child).spawn(false);
    while target.count("novel_jobs") < 20 {}
    child.kill().unwrap();
    child.wait().unwrap();
    let written = contents(&target);
    // It refuses every job that is already exist.
    target.command(doc! { "collMod": "novel_jobs", "validator": { "queue": "other" } });
    let run = place.runs().pop().unwrap();
    let told = json(&place.expect(4, &["resume", &run, "--json"]));
    for (collection, documents) in &written {
        let now = target.dump(collection);
        // Parts of jobs that were being written may go, with their job.
        let jobs = target.dump("novel_jobs").len();
        let whole = collection != &"novel_job_events" && now.len() == jobs;
        let kept = documents.iter().filter(|document| now.contains(document)).count();
        assert!(whole || kept > 0, "{collection}: {kept} of {} ({told})", documents.len());
    }
    for part in ["novel_job_metrics", "novel_job_metadata"] {
        assert_eq!(target.count(part), target.count("novel_jobs"), "{part}");
    }
}

#[test]
fn a_dry_run_that_would_replace_says_so() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    let documents = source(&place);
    let target = target(&server, &place);
    let changed: Vec<u8> = documents
        .iter()
        .map(|document| common::documents::aged(document))
        .collect::<Vec<_>>()
        .concat();
    place.write("before.bson", &changed);
    run(&place, 0, "before.bson", &target.uri, &[]);
    // What the new application adds to a job is nobody's earlier version.
    let jobs = target.dump("novel_jobs").into_iter().map(|job| {
        let job = mongodb::bson::RawDocument::from_bytes(&job).unwrap().try_into();
        let job: Document = job.unwrap();
        doc! { "jobId": job.get_str("jobId").unwrap(), "kind": "domain", "event": {} }
    });
    let events = target.handle.collection::<Document>("novel_job_events");
    wait(events.insert_many(jobs)).unwrap();
    let before = contents(&target);
    let dry = ["run", "jobs.bson", &target.uri, "--replace", "--in-flight", "include", "--json"];
    let dry = json(&place.expect(0, &dry));
    assert!(dry["replaced"].as_u64().unwrap() > 50, "{dry}");
    assert_eq!(dry["documents"]["rejected"], 0, "{dry}");
    assert_eq!(contents(&target), before);
    let told = json(&run(&place, 0, "jobs.bson", &target.uri, &["--replace", "--json"]));
    assert_eq!(told["replaced"], dry["replaced"]);
    let foreign = wait(events.count_documents(doc! { "event": {} })).unwrap();
    assert_eq!(foreign, 100, "the events of the new application are still there");
    // What was replaced is the only copy.
    place.expect(3, &["indexes", "down", &target.uri]).says(&["added or changed since"]);
    wait(events.delete_many(doc! { "event": {} })).unwrap();
    place.expect(3, &["indexes", "down", &target.uri]).says(&["reshelve_undo", "only copy"]);
    place.expect(0, &["indexes", "down", &target.uri, "--force", "reshelve_undo"]);
    assert_eq!(target.collections(), Vec::<String>::new());
}

#[test]
fn the_database_of_a_run_may_be_named_beside_the_string() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    let documents = source(&place);
    let (legacy, target) = (server.database(), target(&server, &place));
    legacy.seed("jobs", &documents);
    // Connection strings often name the database of the login.
    let (from, to) = (server.uri("admin"), server.uri("admin"));
    let names = ["--db", legacy.name(), "--target-db", target.name(), "--limit", "30"];
    run(&place, 0, &from, &to, &names);
    let run = place.runs().pop().unwrap();
    let sides = ["--source", &from, "--target", &to];
    place.expect(0, &[&["report", &run, "--out", "report"][..], &sides].concat());
    place.expect(0, &[&["resume", &run][..], &sides].concat()).says(&["done already"]);
    let elsewhere = ["resume", &run, "--target", "mongodb://127.0.0.1:1/x"];
    place.expect(3, &elsewhere).says(&["not the one of the run"]);
}

#[test]
fn indexes_go_up_and_down() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    source(&place);
    let target = server.database();
    let status =
        |place: &Place| json(&place.expect(0, &["indexes", "status", &target.uri, "--json"]));
    assert_eq!(status(&place)["indexes"].as_array().unwrap().len(), 8);
    assert_eq!(status(&place)["indexes"][0]["state"], "missing");
    tells(&place.expect(0, &["indexes", "up", &target.uri]), &["idx_novel_jobs_jobId"]);
    let told = status(&place);
    for index in told["indexes"].as_array().unwrap() {
        assert_eq!(index["state"], "present", "{index}");
    }
    tells(&place.expect(0, &["indexes", "up", &target.uri]), &["already exist"]);
    let migration = doc! { "fileName": "20251005120000-initialize-novel-collections.js" };
    let migrations = target.handle.collection::<Document>("persistence_migrations");
    wait(migrations.insert_one(migration)).unwrap();
    assert_eq!(status(&place)["migration_applied"], true);
    // Documents of this tool may go, those of others may not.
    run(&place, 0, "jobs.bson", &target.uri, &["--limit", "5"]);
    let jobs = target.handle.collection::<Document>("novel_jobs");
    wait(jobs.insert_one(doc! { "jobId": "foreign" })).unwrap();
    place.expect(3, &["indexes", "down", &target.uri]).says(&["novel_jobs", "--force"]);
    assert_eq!(target.count("novel_jobs"), 6);
    place.expect(0, &["indexes", "down", &target.uri, "--force", "novel_jobs"]);
    assert_eq!(target.collections(), ["persistence_migrations"]);
    assert_eq!(target.count("persistence_migrations"), 1);
    // An index of another shape is nothing to be silent about.
    target.command(doc! { "create": "novel_jobs" });
    let index = doc! { "key": { "jobId": -1 }, "name": "idx_novel_jobs_jobId" };
    target.command(doc! { "createIndexes": "novel_jobs", "indexes": [index] });
    assert_eq!(status(&place)["indexes"][0]["state"], "different");
    place.expect(3, &["indexes", "up", &target.uri]).says(&["its key is"]);
    // A folder has them in its metadata files.
    place.expect(0, &["indexes", "up", "folder"]);
    let told = json(&place.expect(0, &["indexes", "status", "folder", "--json"]));
    assert_eq!(told["indexes"][7]["state"], "present");
    assert_eq!(told["collections"], serde_json::json!([]));
}

#[test]
fn users_without_the_privilege_are_refused_and_passwords_are_nowhere() {
    let Some(server) = Server::start(&["--auth"]) else { return };
    let user = doc! { "createUser": "root", "pwd": "f:r@st/", "roles": ["root"] };
    server.database_named("", "shop").admin(user).unwrap();
    let root = server.database_named("root:f%3Ar%40st%2F", "shop");
    let role = doc! { "role": "read", "db": "shop" };
    root.admin(doc! { "createUser": "reader", "pwd": "sekret", "roles": [role] }).unwrap();
    let place = Place::new();
    let documents = source(&place);
    root.seed("jobs", &documents);
    let reader = server.uri_as("reader:sekret", "shop");
    let wrong = server.uri_as("reader:wrongsekret", "shop");
    place.expect(0, &["indexes", "up", &root.uri]);
    let told = place.expect(0, &["inspect", &reader]);
    assert!(
        told.stdout.contains("reader@admin") && told.stdout.contains("insert"),
        "{}",
        told.stdout
    );
    run(&place, 3, "jobs.bson", &reader, &[]).says(&["may not", "insert"]);
    place.expect(3, &["run", "jobs.bson", &reader]).says(&["may not", "insert"]);
    place.expect(1, &["inspect", &wrong]).says(&["authentication failed", "authSource"]);
    place.expect(0, &["run", &reader, &root.uri, "--limit", "9"]);
    run(&place, 0, &reader, &root.uri, &["--limit", "40"]);
    let told = run(&place, 0, &reader, &root.uri, &["--allow-existing"]);
    tells(&told, &["unchanged"]);
    place.expect(0, &["verify", &reader, &root.uri]);
    tells(&place.expect(0, &["inspect", &reader, "--print-role", "target"]), &["createRole"]);
    // Who goes on has to give the password again, and to the same place.
    let run = place.runs().pop().unwrap();
    let told = place.call(&["report", &run, "--out", "report"]).finish();
    tells(&told, &["not checked"]);
    let sides = ["--source", &reader, "--target", &root.uri];
    let told = place.expect(0, &[&["report", &run, "--out", "report"][..], &sides].concat());
    tells(&told, &["Parity holds."]);
    for (name, bytes) in place.tree("") {
        for secret in ["sekret", "f%3Ar", "f:r@st"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {name}");
        }
    }
}

//! A rehearsal in a scratch database: what is there before and after, what is refused, and what is
//! never dropped.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use mongodb::bson::doc;
use serde_json::{Value, json};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use live::{Database, Server, scratches};
use rehearsal::{Rehearsal, json as answer};

const SCRATCH: &str = "reshelve_rehearsal_";

/// The connection string of a database without the database, or with another one.
fn server_of(database: &Database, other: &str) -> String {
    database.uri.replace(&format!("/{}?", database.name()), &format!("/{other}?"))
}

/// Everything is on a server of the test's own: databases of other tests come and go.
fn server() -> Option<Server> {
    Server::start(&[])
}

#[test]
fn the_database_is_dropped_and_no_other_is_touched() {
    let Some(server) = server() else { return };
    let scene = Rehearsal::new(60, "small");
    let legacy = scene.legacy(&server);
    // The real target, with what somebody wrote into it.
    let target = scene.target(&server);
    target.seed("novel_jobs", &scene_documents(&scene)[..1]);
    let before = (legacy.content(), target.content());
    for source in ["jobs.bson", legacy.uri.as_str()] {
        let told = scene.place.expect(0, &["rehearse", source, &server_of(&target, ""), "--json"]);
        let record = answer(&told);
        assert_eq!(
            (&record["outcome"], &record["exit"]),
            (&json!("passed"), &json!(0)),
            "{source}"
        );
        assert_eq!(record["scratch"]["form"], "database");
        assert_eq!(record["scratch"]["kept"], false);
        assert!(record["scratch"]["place"].as_str().unwrap().contains(SCRATCH));
        assert_eq!(record["restored"]["same_set"], true);
        assert_eq!(record["documents"]["written"], 60);
        assert_eq!(scratches(&target), Vec::<String>::new(), "{source}");
    }
    assert!((legacy.content(), target.content()) == before, "what is not the rehearsal's");
    assert!(scene.place.runs().is_empty());
}

fn scene_documents(scene: &Rehearsal) -> Vec<Vec<u8>> {
    common::split(&scene.place.read("jobs.bson"))
}

#[test]
fn a_database_of_somebody_is_refused() {
    let Some(server) = server() else { return };
    let scene = Rehearsal::new(6, "small");
    let target = scene.target(&server);
    let named = format!("{SCRATCH}mine");
    let mine = server.database_named("", &named);
    mine.seed("notes", &scene_documents(&scene)[..1]);
    let before = (target.content(), mine.content());
    for (uri, words) in [
        (target.uri.clone(), "which is not one for rehearsals"),
        (server_of(&target, SCRATCH), "which is not one for rehearsals"),
        (server_of(&target, "admin"), "which is not one for rehearsals"),
        (server_of(&target, &named), "is not empty: it holds notes"),
    ] {
        let told = scene.place.expect(3, &["rehearse", "jobs.bson", &uri]);
        told.says(&[words, "hint:"]);
    }
    let gzip = ["rehearse", "jobs.bson", &server_of(&target, ""), "--gzip"];
    scene.place.expect(2, &gzip).says(&["a live target is not compressed"]);
    assert!((target.content(), mine.content()) == before);
    assert!(!scene.place.path(".reshelve/runs/.rehearsals").exists(), "nothing was begun");
    // One of that form that does not exist is taken, and gone afterwards.
    let other = format!("{SCRATCH}other");
    let uri = server_of(&target, &other);
    let record = answer(&scene.place.expect(0, &["rehearse", "jobs.bson", &uri, "--json"]));
    assert!(record["scratch"]["place"].as_str().unwrap().contains(&other));
    assert_eq!(scratches(&target), [named]);
}

#[test]
fn what_somebody_puts_into_it_is_not_dropped() {
    let Some(server) = server() else { return };
    let scene = Rehearsal::new(300, "small");
    let target = scene.target(&server);
    let named = format!("{SCRATCH}shared");
    let shared = server.database_named("", &named);
    let uri = server_of(&target, &named);
    let mut child = scene
        .place
        .call(&["rehearse", "jobs.bson", &uri, "--json"])
        .stderr(Stdio::piped())
        .spawn(false);
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    // After it was looked at for remnants: a collection of others is one.
    assert!(said.any(|line| line.starts_with("8/10 ")));
    shared.command(doc! { "create": "notes" });
    let rest: Vec<String> = said.collect();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("it holds a collection notes")), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains(&format!("drop the database {named}"))));
    assert!(shared.collections().contains(&"notes".to_owned()));
    assert_eq!(shared.count("novel_jobs"), 300, "what belongs together stays");
}

#[test]
fn no_password_is_in_the_record() {
    let Some(server) = server() else { return };
    let scene = Rehearsal::new(6, "small");
    let target = scene.target(&server);
    let uri = server_of(&target, "").replace("mongodb://", "mongodb://nobody:s3cret@");
    let told = scene.place.call(&["rehearse", "jobs.bson", &uri, "--json"]).finish();
    let mut text = told.stdout + &told.stderr;
    for (_, bytes) in scene.place.tree(".reshelve") {
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn ctrl_c_keeps_the_database_and_names_it() {
    let Some(server) = server() else { return };
    let scene = Rehearsal::new(300, "small");
    let target = scene.target(&server);
    let mut child = scene
        .place
        .call(&["rehearse", "jobs.bson", &server_of(&target, ""), "--json"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn(false);
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.starts_with("2/10 ")));
    rehearsal::signal(&child, "INT");
    let rest: Vec<String> = said.collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{rest:?}");
    let record: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(record["outcome"], "interrupted");
    let kept = scratches(&target);
    assert_eq!(kept.len(), 1);
    assert!(rest.iter().any(|line| line.contains(&kept[0])), "{rest:?}");
    // The next one is another one.
    let told = scene.place.expect(0, &["rehearse", "jobs.bson", &server_of(&target, "")]);
    assert!(told.stdout.contains("The rehearsal passed"), "{}", told.stdout);
    assert_eq!(scratches(&target), kept);
}

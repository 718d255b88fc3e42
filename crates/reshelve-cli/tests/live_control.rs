//! A run into a live target is held, and keeps its lease.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;

use common::{Place, Told, until};
use live::{Database, Server, wait};
use mongodb::bson::{DateTime, Document, doc};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn state(place: &Place) -> Value {
    let told = place.expect(0, &["status", "latest", "--json"]);
    serde_json::from_str(&told.stdout).unwrap()
}

/// When the lease of a target expires.
fn expires(target: &Database) -> DateTime {
    let runs = target.handle.collection::<Document>("reshelve_runs");
    let lease = wait(runs.find_one(doc! { "_id": "lock" })).unwrap().expect("there is a lease");
    *lease.get_datetime("expires").unwrap()
}

#[test]
fn a_paused_run_renews_its_lease_and_goes_on() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    let (legacy, target) = (server.database(), server.database());
    place.expect(0, &["generate", "jobs.bson", "--documents", "60", "--no-in-flight"]);
    legacy.seed_file("jobs", &place.path("jobs.bson"));
    place.expect(0, &["indexes", "up", &target.uri]);
    let slow = ["--max-docs-per-s", "20", "--max-lag", "5"];
    let args = [&["run", &legacy.uri, &target.uri, "--apply"], &slow[..]].concat();
    let run = place.call(&args).spawn(false);
    until("there is a checkpoint", || {
        !place.runs().is_empty() && state(&place)["documents"]["written"].as_u64() > Some(0)
    });
    place.expect(0, &["pause", "latest"]);
    let (status, before) = (state(&place), expires(&target));
    assert_eq!(status["state"], "paused");
    until("the lease is renewed", || expires(&target) > before);
    // Nothing else was written, and nobody else may write.
    let written = status["documents"]["written"].as_u64().unwrap();
    assert_eq!(target.count("novel_jobs"), written);
    place.expect(3, &["run", "jobs.bson", &target.uri, "--apply", "--allow-existing"]);
    place.expect(0, &["resume", "latest"]);
    place.expect(0, &["throttle", "latest", "--max-docs-per-s", "off"]);
    Told::of("the run".to_owned(), run.wait_with_output().unwrap()).expect(0);
    assert_eq!(target.count("novel_jobs"), 60);
    place.expect(0, &["verify", &legacy.uri, &target.uri, "--run", &place.run()]);
}

#[test]
fn a_cancelled_run_is_taken_back() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    let target = server.database();
    place.expect(0, &["generate", "jobs.bson", "--documents", "60", "--no-in-flight"]);
    place.expect(0, &["indexes", "up", &target.uri]);
    let args = ["run", "jobs.bson", &target.uri, "--apply", "--max-docs-per-s", "20"];
    let run = place.call(&args).spawn(false);
    until("there is a checkpoint", || {
        !place.runs().is_empty() && state(&place)["documents"]["written"].as_u64() > Some(0)
    });
    place.expect(0, &["cancel", "latest"]);
    Told::of("the run".to_owned(), run.wait_with_output().unwrap()).expect(1);
    assert!(target.count("novel_jobs") > 0);
    place.expect(3, &["resume", "latest"]);
    place.expect(0, &["rollback", "latest", "--apply"]);
    assert_eq!(target.count("novel_jobs"), 0);
    assert!(!target.has_lease());
}

#[test]
fn a_rollback_is_slowed_down_too() {
    let Some(server) = Server::shared() else { return };
    let place = Place::new();
    let target = server.database();
    let small = ["--documents", "450", "--size", "small", "--no-in-flight"];
    place.expect(0, &[&["generate", "jobs.bson"], &small[..]].concat());
    place.expect(0, &["indexes", "up", &target.uri]);
    place.expect(0, &["run", "jobs.bson", &target.uri, "--apply"]);
    let back = place.call(&["rollback", "latest", "--apply", "--max-docs-per-s", "1"]).spawn(false);
    until("a part is taken back", || target.count("novel_jobs") < 450);
    // The rest has to wait for more than the test has time.
    place.expect(0, &["throttle", "latest", "--max-bytes-per-s", "1KiB"]);
    until("it is written down", || place.path(&record(&place)).exists());
    kill_process(Pid::from_child(&back), Signal::INT).unwrap();
    Told::of("the rollback".to_owned(), back.wait_with_output().unwrap()).expect(6);
    let left = target.count("novel_jobs");
    assert!(left > 0 && left < 450, "{left} jobs are left");
    place.expect(3, &["pause", "latest"]).says(&["it is being rolled back"]);
    let off = ["--max-docs-per-s", "off", "--max-bytes-per-s", "off"];
    place.expect(0, &[&["rollback", "latest", "--apply"], &off[..]].concat());
    assert_eq!(target.count("novel_jobs"), 0);
}

fn record(place: &Place) -> String {
    format!(".reshelve/runs/{}/rollback.json", place.run())
}

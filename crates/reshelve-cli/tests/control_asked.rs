//! What a run was told and has not done yet can be seen.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn status(place: &Place) -> Value {
    let told = place.expect(0, &["status", "latest", "--json"]);
    serde_json::from_str(&told.stdout).unwrap()
}

#[test]
fn a_cancel_that_is_not_obeyed_yet_is_shown() {
    let place = Place::new();
    place.expect(0, &["generate", "made.bson", "--documents", "60", "--no-in-flight"]);
    let slow = ["--max-docs-per-s", "5", "--checkpoint-bytes", "1"];
    let args = [&["run", "made.bson", "target", "--apply"][..], &slow].concat();
    let run = place.call(&args).spawn(false);
    let is_at_work = || !place.runs().is_empty() && status(&place)["documents"]["read"] != 0;
    until("it is at work", is_at_work);
    assert!(status(&place).get("asked").is_none());
    // It stands still, and cannot obey.
    let process = Pid::from_raw(i32::try_from(run.id()).unwrap()).unwrap();
    kill_process(process, Signal::STOP).unwrap();
    let cancel = place.call(&["cancel", "latest"]).spawn(false);
    until("it is told", || status(&place)["asked"] == "cancel");
    assert_eq!(status(&place)["state"], "running");
    let told = place.expect(0, &["status", "latest"]);
    assert!(told.stdout.contains("to cancel, between two batches"), "{}", told.stdout);
    kill_process(process, Signal::CONT).unwrap();
    assert_eq!(cancel.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(run.wait_with_output().unwrap().status.code(), Some(1));
    let ended = status(&place);
    assert_eq!(ended["state"], "cancelled");
    assert!(ended.get("asked").is_none(), "it is done: {ended}");
}

//! The clock of the tool jumps, forwards and backwards, while a run is at work, between its
//! processes, and while it is taken back.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[path = "common/clock.rs"]
mod clock;
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::process::Child;

use clock::Clock;
use common::counts::{Ended, count};
use common::{Place, Told, until};
use serde_json::Value;

const JUMPS: [&str; 4] = ["+10y", "-10y", "+2h", "-1d"];

fn place() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "made.bson", "--documents", "60", "--no-in-flight"]);
    place
}

fn read(place: &Place) -> u64 {
    let Some(run) = place.runs().pop() else { return 0 };
    let told = place.expect(0, &["status", &run, "--json"]);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    told["documents"]["read"].as_u64().unwrap()
}

fn spawn(place: &Place, clock: &Clock, args: &[&str]) -> Child {
    let program = clock.program();
    let program: Vec<&str> = program.iter().map(String::as_str).collect();
    place.call_through(&program, args).spawn(false)
}

fn whole() -> common::Outcome {
    let place = place();
    place.expect(0, &["run", "made.bson", "target", "--apply"]);
    place.outcome("target")
}

#[test]
fn a_clock_that_jumps_changes_nothing_of_a_run() {
    let place = place();
    let Some(clock) = Clock::new(place.path("clock")) else { return };
    let slow = ["--max-docs-per-s", "10", "--checkpoint-bytes", "1"];
    let args = [&["run", "made.bson", "target", "--apply"], &slow[..]].concat();
    let run = spawn(&place, &clock, &args);
    for jump in JUMPS {
        let before = read(&place);
        until("it goes on", || read(&place) > before);
        clock.move_by(jump);
    }
    place.expect(0, &["throttle", "latest", "--max-docs-per-s", "off"]);
    Told::of("the run".to_owned(), run.wait_with_output().unwrap()).expect(0);
    place.outcome("target").expect_same(&whole(), "a run whose clock jumped");
    count("a jump of the tool's clock under a run", "folder", Ended::same(JUMPS.len()));
}

#[test]
fn a_run_is_resumed_and_taken_back_by_processes_with_other_clocks() {
    for jump in JUMPS {
        let place = place();
        let Some(clock) = Clock::new(place.path("clock")) else { return };
        let slow = ["--max-docs-per-s", "10", "--checkpoint-bytes", "1"];
        let args = [&["run", "made.bson", "target", "--apply"], &slow[..]].concat();
        let mut run = place.call(&args).spawn(false);
        until("it goes on", || read(&place) > 0);
        run.kill().unwrap();
        run.wait().unwrap();
        clock.move_by(jump);
        let resume = ["resume", "latest", "--max-docs-per-s", "off"];
        let resumed = spawn(&place, &clock, &resume);
        Told::of("resume".to_owned(), resumed.wait_with_output().unwrap()).expect(0);
        place.outcome("target").expect_same(&whole(), jump);
        let back = spawn(&place, &clock, &["rollback", "latest", "--apply"]);
        Told::of("rollback".to_owned(), back.wait_with_output().unwrap()).expect(0);
        place.expect(0, &["run", "made.bson", "target", "--apply"]);
    }
    let what = "a jump of the tool's clock between run, resume and rollback";
    count(what, "folder", Ended::same(JUMPS.len()));
}

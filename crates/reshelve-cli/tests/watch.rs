//! `status --watch`: follows a run that another process is at work on, and ends with it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/terminal.rs"]
mod terminal;

use std::io::Write;
use std::process::Child;

use common::{Call, Place, Told, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use terminal::Terminal;

/// A run that waits for more on its standard input, after it has written a checkpoint.
struct AtWork {
    place: Place,
    run: Child,
    rest: Vec<u8>,
}

impl AtWork {
    fn new() -> AtWork {
        let place = Place::new();
        place.expect(0, &["generate", "made.bson", "--documents", "80", "--no-in-flight"]);
        let documents = common::split(&place.read("made.bson"));
        let args = ["run", "-", "target", "--apply", "--in-flight", "include"];
        let small = ["--batch-docs", "5", "--checkpoint-bytes", "1"];
        let mut run = place.call(&common::with(&args, &small)).spawn(true);
        // More than what is looked at to tell the form, which a run waits for.
        let (first, rest) = (documents[..60].concat(), documents[60..].concat());
        run.stdin.as_mut().unwrap().write_all(&first).unwrap();
        until("there is a checkpoint", || match place.runs().as_slice() {
            [run] => status(&place, run)["documents"]["read"].as_u64() > Some(0),
            _ => false,
        });
        AtWork { place, run, rest }
    }

    /// Gives the rest, and expects that the run has not noticed anything.
    fn end(mut self) -> Place {
        self.run.stdin.take().unwrap().write_all(&self.rest).unwrap();
        Told::of("the run".to_owned(), self.run.wait_with_output().unwrap()).expect(0);
        self.place
    }
}

fn status(place: &Place, run: &str) -> Value {
    let told = place.expect(0, &["status", run, "--json"]);
    serde_json::from_str(&told.stdout).unwrap()
}

/// Waits until a file in a place holds these words.
fn until_said(place: &Place, file: &str, words: &str) {
    until(words, || String::from_utf8_lossy(&place.read(file)).contains(words));
}

fn into_file(place: &Place, call: Call, file: &str) -> Child {
    call.stdout(std::fs::File::create(place.path(file)).unwrap()).spawn(false)
}

#[test]
fn it_follows_a_run_to_its_end() {
    let work = AtWork::new();
    let watching = work.place.call(&["status", "--watch"]);
    let watch = into_file(&work.place, watching, "watched");
    let json = work.place.call(&["status", "latest", "--watch", "--json"]);
    let json = into_file(&work.place, json, "watched.json");
    until_said(&work.place, "watched", ": running, ");
    until_said(&work.place, "watched.json", "\"running\"");
    let place = work.end();
    for child in [watch, json] {
        Told::of("the watch".to_owned(), child.wait_with_output().unwrap()).expect(0);
    }
    let watched = String::from_utf8(place.read("watched")).unwrap();
    assert!(watched.contains("documents/s, "), "{watched}");
    assert!(watched.contains(&format!("\nrun {}: done\n", place.run())), "{watched}");
    assert!(watched.contains("  read         80 documents"), "{watched}");
    assert!(!watched.contains('\u{1b}'), "{watched}");
    let lines = String::from_utf8(place.read("watched.json")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["schema"] == "reshelve.status/1"));
    let last = lines.last().unwrap();
    assert_eq!((&last["state"], &last["documents"]["read"]), (&"done".into(), &80.into()));
    // A run that has ended is shown at once.
    assert!(place.expect(0, &["status", "--watch"]).stdout.contains(": done"));
}

#[test]
fn it_ends_when_the_run_is_killed() {
    let mut work = AtWork::new();
    let watch = work.place.call(&["status", "--watch"]);
    let watch = into_file(&work.place, watch, "watched");
    until_said(&work.place, "watched", ": running, ");
    work.run.kill().unwrap();
    work.run.wait().unwrap();
    Told::of("the watch".to_owned(), watch.wait_with_output().unwrap()).expect(0);
    until_said(&work.place, "watched", ": killed\n");
}

#[test]
fn ctrl_c_ends_it_and_not_the_run() {
    let work = AtWork::new();
    let watch = work.place.call(&["status", "--watch"]);
    let watch = into_file(&work.place, watch, "watched");
    until_said(&work.place, "watched", ": running, ");
    let pid = Pid::from_child(&watch);
    kill_process(pid, Signal::INT).unwrap();
    Told::of("the watch".to_owned(), watch.wait_with_output().unwrap()).expect(0);
    let run = work.place.run();
    assert_eq!(status(&work.place, &run)["state"], "running");
    let place = work.end();
    assert_eq!(status(&place, &run)["state"], "done");
}

#[test]
fn on_a_terminal_one_block_is_drawn_again_and_again() {
    for columns in [40, 80, 120] {
        let work = AtWork::new();
        let terminal = Terminal::new(columns);
        let mut watch = terminal.spawn(work.place.call(&["status", "--watch"]));
        until("it has drawn twice", || terminal.written().matches("documents/s").count() > 1);
        let place = work.end();
        assert!(watch.wait().unwrap().success());
        let shown = terminal.end();
        // Nothing of the block is left, only the last word.
        let rows = shown.rows.join("\n");
        assert!(rows.starts_with(&format!("run {}: done\n", place.run())), "{rows}");
        assert!(!rows.contains(": running") && !rows.contains("Ctrl-C"), "{rows}");
        let block = shown.written.split("\u{1b}[").next().unwrap();
        for line in block.lines() {
            assert!(line.chars().count() < usize::from(columns), "{columns}: {line}");
        }
    }
}

#[test]
fn status_says_how_fast_a_run_is_and_how_long_it_will_take() {
    let place = Place::new();
    place.expect(0, &["generate", "made.bson", "--documents", "40", "--no-in-flight"]);
    place.expect(0, &["run", "made.bson", "target"]);
    let told = place.expect(0, &["status"]);
    assert!(told.stdout.contains("  rate "), "{}", told.stdout);
    let done = status(&place, "latest");
    assert!(done["docs_per_s"].as_f64().unwrap() > 0.0 && done["left_ms"].is_null(), "{done}");
    // A run on a file, caught half-way: its checkpoint says how much is read, the plan how much
    // there is. A process that holds the plan's lock is at work on it.
    let folder = place.path(".reshelve/runs").join(place.run());
    let mut half: Value =
        serde_json::from_slice(&std::fs::read(folder.join("checkpoint.json")).unwrap()).unwrap();
    let bytes = half["totals"]["bytes_read"].as_u64().unwrap();
    // Edited, it would be refused.
    half.as_object_mut().unwrap().shift_remove("check");
    half["state"] = "running".into();
    half["totals"]["bytes_read"] = (bytes / 2).into();
    half["elapsed_ms"] = 10_000.into();
    std::fs::write(folder.join("checkpoint.json"), half.to_string()).unwrap();
    assert!(status(&place, "latest")["left_ms"].is_null(), "nobody is at work");
    let plan = std::fs::File::open(folder.join("run.json")).unwrap();
    plan.lock().unwrap();
    let left = status(&place, "latest")["left_ms"].as_u64().unwrap();
    assert!((9_990..10_010).contains(&left), "{left}");
    let told = place.expect(0, &["status"]);
    assert!(told.stdout.contains("  left         about 10.0 s"), "{}", told.stdout);
}

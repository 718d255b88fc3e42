//! A run is held, slowed down, and stopped for good from another terminal.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::io::Write;
use std::process::Child;

use common::{Outcome, Place, Told, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How many documents the source has.
const DOCUMENTS: u64 = 60;
/// So few documents in a second that the run is at work until it is told otherwise.
const SLOW: &str = "5";

/// A place with a source and a run that is slowed down, after its first checkpoint.
struct AtWork {
    place: Place,
    run: Child,
}

fn place() -> Place {
    let place = Place::new();
    let documents = DOCUMENTS.to_string();
    place.expect(0, &["generate", "made.bson", "--documents", &documents, "--no-in-flight"]);
    place
}

fn begin(args: &[&str]) -> AtWork {
    let place = place();
    let all = ["run", "made.bson", "target", "--max-docs-per-s", SLOW, "--checkpoint-bytes", "1"];
    let run = place.call(&common::with(&all, args)).spawn(false);
    // A compressed target can be resumed only from the end of a member.
    let counts = if args.contains(&"--gzip") { "/elapsed_ms" } else { "/documents/read" };
    until("there is a checkpoint", || match place.runs().as_slice() {
        [run] => status(&place, run).pointer(counts).and_then(Value::as_u64) > Some(0),
        _ => false,
    });
    AtWork { place, run }
}

fn status(place: &Place, run: &str) -> Value {
    let told = place.expect(0, &["status", run, "--json"]);
    serde_json::from_str(&told.stdout).unwrap()
}

impl AtWork {
    fn status(&self) -> Value {
        status(&self.place, &self.place.run())
    }

    fn state(&self) -> String {
        self.status()["state"].as_str().unwrap().to_owned()
    }

    fn asked(&self, code: i32, command: &str) -> Told {
        self.place.expect(code, &[command, "latest"])
    }

    fn hurry(&self) {
        self.place.expect(0, &["throttle", "latest", "--max-docs-per-s", "off"]);
    }

    fn end(self, code: i32) -> (Place, Told) {
        let told = Told::of("the run".to_owned(), self.run.wait_with_output().unwrap());
        (self.place, told.expect(code))
    }
}

/// What a run leaves that nobody held.
fn unheld(args: &[&str]) -> Outcome {
    let place = place();
    place.expect(0, &common::with(&["run", "made.bson", "target"], args));
    place.outcome("target")
}

/// The time that a process has spent on processors, in ticks of a hundredth of a second.
fn ticks(run: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", run.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Whether a process comes to rest: whether in one of ten spans of 600 ms it spends one tick at
/// most. What it did before it waited may be counted in the first ones, the more so on a busy
/// machine; one that works spends more in every span.
fn rests(run: &Child) -> bool {
    (0..10).any(|_| {
        let spent = ticks(run);
        std::thread::sleep(std::time::Duration::from_millis(600));
        ticks(run) <= spent + 1
    })
}

const APPLY: [&str; 1] = ["--apply"];

#[test]
fn a_paused_run_waits_with_its_lock_and_goes_on_to_the_same_bytes() {
    for args in [&APPLY[..], &["--apply", "--gzip"]] {
        let work = begin(args);
        let told = work.asked(0, "pause");
        assert!(told.stdout.contains("is paused"), "{}", told.stdout);
        assert_eq!(work.state(), "paused");
        let before = (work.status(), work.place.tree("."));
        let others = ["run", "made.bson", "target", "--apply", "--allow-existing"];
        work.place.expect(3, &others).says(&["another run"]);
        work.asked(0, "pause");
        assert!(rests(&work.run), "a run that waits works");
        assert_eq!((work.status(), work.place.tree(".")), before);
        let told = work.asked(0, "resume");
        assert!(told.stdout.contains("goes on"), "{}", told.stdout);
        work.hurry();
        let (place, _) = work.end(0);
        place.outcome("target").expect_same(&unheld(args), "a run that was paused");
    }
}

#[test]
fn a_dry_run_is_paused_too() {
    let work = begin(&[]);
    work.asked(0, "pause");
    assert_eq!(work.state(), "paused");
    work.asked(0, "resume");
    work.hurry();
    assert_eq!(status(&work.end(0).0, "latest")["state"], "done");
}

#[test]
fn the_process_of_a_paused_run_may_be_ended() {
    for args in [&APPLY[..], &["--apply", "--gzip"]] {
        let mut work = begin(args);
        work.asked(0, "pause");
        work.run.kill().unwrap();
        work.run.wait().unwrap();
        let status = work.status();
        assert_eq!((&status["state"], &status["at_work"]), (&"killed".into(), &false.into()));
        for command in ["pause", "cancel"] {
            work.asked(3, command).says(&["no process is at work on it", "reshelve resume"]);
        }
        work.asked(0, "rollback");
        work.place.expect(0, &["resume", "latest", "--max-docs-per-s", "off"]);
        assert_eq!(work.state(), "done");
        work.place.outcome("target").expect_same(&unheld(args), "a run that was paused and killed");
    }
}

#[test]
fn a_paused_run_is_taken_back_without_its_source_once_its_process_is_gone() {
    let mut work = begin(&APPLY);
    work.asked(0, "pause");
    work.asked(3, "rollback").says(&["it is paused", "reshelve cancel"]);
    work.run.kill().unwrap();
    work.run.wait().unwrap();
    std::fs::remove_file(work.place.path("made.bson")).unwrap();
    work.asked(1, "resume");
    work.place.expect(0, &["rollback", "latest", "--apply"]);
    assert_eq!(work.state(), "rolled-back");
}

#[test]
fn ctrl_c_ends_a_paused_run_as_any_other() {
    let work = begin(&APPLY);
    work.asked(0, "pause");
    kill_process(Pid::from_child(&work.run), Signal::INT).unwrap();
    let (place, _) = work.end(6);
    assert_eq!(status(&place, "latest")["state"], "interrupted");
    // What was asked then does not hold the next process.
    place.expect(0, &["resume", "latest", "--max-docs-per-s", "off"]);
    place.outcome("target").expect_same(&unheld(&APPLY), "a run that was paused and interrupted");
}

#[test]
fn a_run_whose_source_is_silent_is_paused_and_cancelled() {
    for command in ["pause", "cancel"] {
        let place = place();
        let documents = common::split(&place.read("made.bson"));
        let args = ["run", "-", "target", "--apply", "--in-flight", "include", "--batch-docs", "5"];
        let run = place.call(&common::with(&args, &["--checkpoint-bytes", "1"])).spawn(true);
        let mut work = AtWork { place, run };
        let mut stdin = work.run.stdin.take().unwrap();
        stdin.write_all(&documents[..50].concat()).unwrap();
        until("there is a checkpoint", || match work.place.runs().as_slice() {
            [run] => status(&work.place, run)["documents"]["read"].as_u64() > Some(0),
            _ => false,
        });
        work.asked(0, command);
        if command == "pause" {
            work.asked(0, "resume");
            stdin.write_all(&documents[50..].concat()).unwrap();
            drop(stdin);
            assert_eq!(status(&work.end(0).0, "latest")["documents"]["read"], DOCUMENTS);
        } else {
            work.end(1);
        }
    }
}

#[test]
fn a_cancelled_run_is_over_and_can_only_be_taken_back() {
    for is_paused in [false, true] {
        let work = begin(&APPLY);
        if is_paused {
            work.asked(0, "pause");
        }
        let told = work.asked(0, "cancel");
        assert!(told.stdout.contains("cannot be resumed"), "{}", told.stdout);
        let (place, told) = work.end(1);
        assert!(told.stdout.contains("The run was cancelled."), "{}", told.stdout);
        assert!(told.stderr.contains("reshelve rollback"), "{}", told.stderr);
        assert_eq!(status(&place, "latest")["state"], "cancelled");
        assert!(status(&place, "latest")["documents"]["written"].as_u64() > Some(0));
        place.expect(0, &["cancel", "latest"]);
        for command in ["resume", "pause"] {
            let told = place.expect(3, &[command, "latest"]);
            told.says(&["it was cancelled", "reshelve rollback"]);
        }
        // Its lock keeps others from building on it.
        let args = ["run", "made.bson", "target", "--apply", "--allow-existing"];
        place.expect(3, &args);
        place.expect(0, &["rollback", "latest", "--apply"]);
        assert_eq!(status(&place, "latest")["state"], "rolled-back");
        place.expect(0, &["run", "made.bson", "target", "--apply"]);
    }
}

#[test]
fn a_run_that_nobody_works_on_is_neither_paused_nor_cancelled() {
    let mut work = begin(&APPLY);
    work.run.kill().unwrap();
    work.run.wait().unwrap();
    for command in ["pause", "cancel"] {
        work.asked(3, command).says(&["no process is at work on it", "reshelve resume"]);
    }
    work.place.expect(0, &["resume", "latest", "--max-docs-per-s", "off"]);
    for command in ["pause", "cancel", "throttle"] {
        let limit = if command == "throttle" { &["--max-docs-per-s", "1"][..] } else { &[] };
        let told = work.place.expect(3, &common::with(&[command, "latest"], limit));
        told.says(&["it has ended"]);
    }
}

#[test]
fn what_holds_a_run_back_is_shown_and_can_be_changed() {
    let work = begin(&APPLY);
    let status = work.status();
    assert_eq!(status["throttle"]["max_docs_per_s"], 5);
    until("it says that it waits", || work.status()["waiting"]["why"] == "max-docs-per-s");
    let shown = work.place.expect(0, &["status"]).stdout;
    assert!(shown.contains("waits        at most 5 documents/s, since 20"), "{shown}");
    let limits = ["--max-bytes-per-s", "64KiB", "--max-write-ms", "10000", "--max-lag", "3"];
    let told = work.place.expect(0, &common::with(&["throttle", "latest"], &limits));
    let said = "at most 5 documents/s, 64.0 KiB/s, 3 s of replication lag, 10 000 ms for a write";
    assert!(told.stdout.contains(said), "{}", told.stdout);
    let told = work.place.expect(0, &["throttle", "latest", "--json"]);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&told["schema"], &told["exit"]), (&"reshelve.control/1".into(), &0.into()));
    assert_eq!(told["throttle"]["max_bytes_per_s"], 65_536);
    work.hurry();
    work.place.expect(0, &["throttle", "latest", "--max-bytes-per-s", "off"]);
    let (place, told) = work.end(0);
    // A folder has no members that could be behind.
    assert!(told.stderr.contains("--max-lag holds nothing back"), "{}", told.stderr);
    place.outcome("target").expect_same(&unheld(&APPLY), "a run that was slowed down");
    for wrong in ["0", "-1", "fast", ""] {
        place.expect(2, &["throttle", "latest", "--max-docs-per-s", wrong]);
    }
}

#[test]
fn a_rate_is_never_exceeded() {
    let place = place();
    let args = ["run", "made.bson", "target", "--apply", "--max-docs-per-s", "100", "--json"];
    let told: Value = serde_json::from_str(&place.expect(0, &args).stdout).unwrap();
    // The last batch need not be waited for: a quarter of what a second may take.
    let least = (DOCUMENTS - 25) * 10;
    assert!(told["elapsed_ms"].as_u64().unwrap() >= least, "{told}");
}

#[test]
fn a_throttle_stays_when_a_run_is_resumed() {
    let mut work = begin(&APPLY);
    work.run.kill().unwrap();
    work.run.wait().unwrap();
    work.place.expect(0, &["throttle", "latest", "--max-write-ms", "500"]);
    let run = work.place.call(&["resume", "latest", "--max-docs-per-s", "200"]).spawn(false);
    Told::of("resume".to_owned(), run.wait_with_output().unwrap()).expect(0);
    let throttle = &work.status()["throttle"];
    assert_eq!(
        (&throttle["max_docs_per_s"], &throttle["max_write_ms"]),
        (&200.into(), &500.into())
    );
}

#[test]
fn a_spoiled_control_file_holds_nothing_up_and_loses_nothing() {
    for spoiled in ["{\"schema\":\"reshelve.control/1\"", "", "{\"schema\":\"x\"}"] {
        let work = begin(&APPLY);
        let file = format!(".reshelve/runs/{}/control.json", work.place.run());
        work.place.write(&file, spoiled.as_bytes());
        let read = work.status()["documents"]["read"].as_u64();
        until("it goes on", || work.status()["documents"]["read"].as_u64() > read);
        // Whoever asks next writes it anew.
        work.asked(0, "pause");
        work.asked(0, "resume");
        let (place, told) = work.end(0);
        assert!(told.stderr.contains("control.json"), "{}", told.stderr);
        place.outcome("target").expect_same(&unheld(&APPLY), "a run with a spoiled control file");
    }
}

#[test]
fn a_control_file_of_another_run_asks_nothing() {
    let work = begin(&APPLY);
    let file = format!(".reshelve/runs/{}/control.json", work.place.run());
    let other = String::from_utf8(work.place.read(&file)).unwrap();
    let other = other.replace(&work.place.run(), "20250101-000000000-abcdef");
    work.place.write(&file, other.replace("\"run\",", "\"cancel\",").as_bytes());
    let read = work.status()["documents"]["read"].as_u64();
    until("it goes on", || work.status()["documents"]["read"].as_u64() > read);
    work.hurry();
    assert_eq!(status(&work.end(0).0, "latest")["state"], "done");
}

#[test]
fn a_run_that_is_told_to_go_on_and_to_pause_at_once_is_paused() {
    let work = begin(&APPLY);
    work.asked(0, "pause");
    for _ in 0..3 {
        let go_on = work.place.call(&["resume", "latest"]).spawn(false);
        work.asked(0, "pause");
        go_on.wait_with_output().unwrap();
        // Whichever was asked last stands; a pause that says that it is one, is one.
        work.asked(0, "pause");
        let read = work.status()["documents"]["read"].as_u64();
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert_eq!(
            (work.state(), work.status()["documents"]["read"].as_u64()),
            ("paused".into(), read)
        );
    }
    work.asked(0, "resume");
    work.hurry();
    work.end(0);
}

#[test]
fn limits_are_not_lost_beside_other_commands() {
    let work = begin(&APPLY);
    for limit in 100..106 {
        let limit = limit.to_string();
        let asked = ["pause", "resume"][usize::from(limit.ends_with(['1', '3', '5']))];
        let beside = work.place.call(&[asked, "latest"]).spawn(false);
        work.place.expect(0, &["throttle", "latest", "--max-write-ms", &limit]);
        beside.wait_with_output().unwrap();
        assert_eq!(work.status()["throttle"]["max_write_ms"].to_string(), limit);
    }
    work.place.expect(0, &["cancel", "latest"]);
    work.end(1);
}

#[test]
fn a_run_that_is_just_beginning_is_nobody_elses() {
    if !common::strace_is_there() {
        return;
    }
    let place = place();
    // Each of its files appears long before it goes on.
    let slow = ["strace", "-f", "-o", "trace", "-e", "trace=rename,renameat,renameat2", "-e"];
    let slow = [&slow[..], &["inject=rename,renameat,renameat2:delay_exit=700000"]].concat();
    let args = ["run", "made.bson", "target", "--apply"];
    let run = place.call_through(&slow, &args).spawn(false);
    until("its folder is there", || !place.runs().is_empty());
    for command in [&["resume", "latest"][..], &["rollback", "latest", "--apply"]] {
        place.expect(3, command).says(&["a process is at work on"]);
    }
    Told::of("the run".to_owned(), run.wait_with_output().unwrap()).expect(0);
    place.outcome("target").expect_same(&unheld(&APPLY), "a run that others wanted");
}

#[test]
fn a_paused_run_whose_process_is_gone_is_not_resumed_with_another_source() {
    let mut work = begin(&APPLY);
    work.asked(0, "pause");
    work.run.kill().unwrap();
    work.run.wait().unwrap();
    let other = ["generate", "other.bson", "--documents", "60", "--no-in-flight", "--seed", "2"];
    work.place.expect(0, &other);
    work.place.expect(3, &["resume", "latest", "--source", "other.bson"]);
    assert_eq!(work.state(), "killed");
    work.place.expect(0, &["resume", "latest", "--max-docs-per-s", "off"]);
    work.place.outcome("target").expect_same(&unheld(&APPLY), "a run that was paused and killed");
}

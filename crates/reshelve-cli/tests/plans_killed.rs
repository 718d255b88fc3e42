//! A run that carries a plan out and is killed is resumed to what the plan says.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/planned.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod planned;
#[path = "common/taken_back.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod taken_back;

use std::fs;

use common::documents::aged;
use common::{Place, Told, split, strace_is_there, with};
use planned::{CARRY_OUT, carried_out, refused, saved};
use rustix::process::{Pid, Signal, kill_process};
use taken_back::{checksums, document, place, stored};

#[test]
fn a_target_that_does_not_hold_what_the_plan_says_is_told() {
    if !strace_is_there() {
        return;
    }
    let place = place();
    let plan = saved(&place, 0, "jobs.bson", &[]);
    let run = [&["run", "jobs.bson", "target", "--jobs", "1"][..], &CARRY_OUT].concat();
    let inject = "inject=fdatasync:signal=KILL:when=1";
    let trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject];
    place.call_through(&trace, &run).finish();
    let run = place.runs().pop().unwrap();
    let told = place.call(&["resume", &run, "--json"]).finish();
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert_eq!(checksums(&place), plan["reaches"]);
    // The application writes: the plan does not hold any more, and resuming says so.
    let events = stored(&place, "novel_job_events");
    taken_back::add_event_like(&place, &events[0]);
    let told = place.expect(5, &["resume", &run, "--json"]);
    let told_last = document(&told);
    assert_eq!((&told_last["plan"]["state"], &told_last["exit"]), (&"missed".into(), &5.into()));
    let difference = &told_last["plan"]["differences"][0];
    assert_eq!(difference["part"], "novel_job_events");
    assert_ne!(difference["planned"], difference["found"]);
    told.says(&["was not reached", "novel_job_events", "in the plan", "hint:"]);
    // And so does the page that is signed.
    place.expect(0, &["report", &run]);
    let page = place.read(&format!(".reshelve/runs/{run}/report/report.md"));
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("does not hold what the approved plan says"), "{page}");
}

#[test]
fn a_source_that_changed_after_it_was_compared_is_found_out() {
    if !strace_is_there() {
        return;
    }
    let place = place();
    saved(&place, 0, "jobs.bson", &[]);
    let bytes = place.read("jobs.bson");
    let mut edited = split(&bytes);
    let at = edited.iter().position(|document| aged(document) != *document).unwrap();
    edited[at] = aged(&edited[at]);
    let mut found = 0;
    for when in 1..20 {
        drop(fs::remove_dir_all(place.path("target")));
        drop(fs::remove_file(place.path("plan.json.used")));
        fs::remove_dir_all(place.path(".reshelve/runs")).unwrap();
        place.write("jobs.bson", &bytes);
        let inject = format!("inject=rename:signal=KILL:when={when}");
        let killer =
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=rename", "-e", &inject];
        let run = [&["run", "jobs.bson", "target", "--jobs", "1"][..], &CARRY_OUT].concat();
        place.call_through(&killer, &run).finish();
        let Some(run) = place.runs().pop() else { continue };
        let checkpoint = place.read(&format!(".reshelve/runs/{run}/checkpoint.json"));
        let checkpoint: serde_json::Value = serde_json::from_slice(&checkpoint).unwrap();
        if checkpoint["source"]["count"] != 0 {
            break;
        }
        // Nothing is known to have been read: the run begins again, with what is there now.
        place.write("jobs.bson", &edited.concat());
        let told = place.expect(5, &["resume", &run, "--json"]);
        let differences = document(&told)["plan"]["differences"].to_string();
        assert!(differences.contains("the documents that were read"), "{differences}");
        assert!(differences.contains("novel_jobs"), "{differences}");
        found += 1;
    }
    assert!(found > 0);
}

/// Kills the process at each effect of some kinds: what it leaves is resumed to what the plan says,
/// or was no use of the plan.
fn killed_everywhere(place: &Place, more: &[&str], code: i32) {
    let plan = saved(place, code, "jobs.bson", more);
    let before = place.path("target").exists().then(|| place.tree("target"));
    let mut kills = [0; 2];
    for (effect, step) in [("rename", 1), ("fsync", 1), ("fdatasync", 1), ("openat", 7)] {
        for when in (1..).step_by(step) {
            drop(fs::remove_dir_all(place.path("target")));
            drop(fs::remove_file(place.path("plan.json.used")));
            drop(fs::remove_dir_all(place.path(".reshelve/runs")));
            if let Some(before) = &before {
                common::plant(before, &place.path("target"));
            }
            let (trace, inject) =
                (format!("trace={effect}"), format!("inject={effect}:signal=KILL:when={when}"));
            let killer = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            let run = ["run", "jobs.bson", "target", "--jobs", "1", "--batch-docs", "3"];
            let run = [&run[..], &["--checkpoint-bytes", "4KiB"], &CARRY_OUT].concat();
            if place.call_through(&killer, &run).finish().code == Some(code) {
                break;
            }
            let told = match place.runs().pop() {
                Some(begun) => {
                    kills[0] += 1;
                    document(&place.expect(code, &["resume", &begun, "--json"]))
                }
                None => {
                    kills[1] += 1;
                    carried_out(place, code, "jobs.bson")
                }
            };
            assert_eq!(told["plan"]["state"], "reached", "{effect} {when}");
            assert_eq!(checksums(place), plan["reaches"], "{effect} {when}");
            refused(place, "jobs.bson", &["was used by the run", told["run"].as_str().unwrap()]);
        }
    }
    assert!(kills[0] > 10 && kills[1] > 3, "{kills:?}");
}

#[test]
fn a_run_that_was_killed_is_resumed_and_reaches_the_plan() {
    if strace_is_there() {
        killed_everywhere(&place(), &[], 0);
    }
}

#[test]
fn a_run_that_replaces_and_was_killed_is_resumed_and_reaches_the_plan() {
    if strace_is_there() {
        let place = place();
        let more = ["--apply", "--in-flight", "include"];
        place.expect(0, &with(&["run", "old.bson", "target"], &more));
        fs::remove_dir_all(place.path(".reshelve")).unwrap();
        killed_everywhere(&place, &["--replace"], 0);
    }
}

/// What a dry run foresees is not in its checkpoints: it is begun again, and nobody takes a dry run
/// without its plan for one that was saved.
#[test]
fn a_dry_run_that_was_to_be_saved_is_not_resumed_without_its_plan() {
    for signal in [Signal::KILL, Signal::INT] {
        let place = place();
        let slow = ["run", "jobs.bson", "target", "--max-docs-per-s", "2", "--batch-docs", "1"];
        let args = [&slow[..], &planned::SAVE].concat();
        let child = place.call(&args).spawn(false);
        common::until("the run begins", || !place.runs().is_empty());
        let run = place.run();
        let checkpoint = format!(".reshelve/runs/{run}/checkpoint.json");
        common::until("it is at work", || {
            String::from_utf8_lossy(&place.read(&checkpoint)).contains("\"running\"")
        });
        let process = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(process, signal).unwrap();
        let ended = Told::of("the dry run".to_owned(), child.wait_with_output().unwrap());
        if signal == Signal::INT {
            ended.expect(6).says(&["no plan was saved", "hint: nothing was written"]);
        }
        let status = document(&place.expect(0, &["status", &run, "--json"]));
        assert_eq!((&status["can_be_resumed"], &status["at_work"]), (&false.into(), &false.into()));
        let before = place.tree("");
        place.expect(3, &["resume", &run]).says(&[&run, "plan.json", "hint:", "--save-plan FILE"]);
        common::assert_same(&place.tree(""), &before, "nothing is changed");
        saved(&place, 0, "jobs.bson", &[]);
        carried_out(&place, 0, "jobs.bson");
    }
    // One that was saved is done.
    let place = place();
    saved(&place, 0, "jobs.bson", &[]);
    place.expect(0, &["resume", "latest"]);
}

//! Kills a rehearsal, before its effects on files and at the commands that it writes with: nothing
//! outside of its scratch is touched, nobody is held up by what is left, and the next rehearsal
//! passes.
//!
//! The short form kills at some points of each kind; `RESHELVE_FAULTS=all` at each.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::collections::BTreeSet;

use serde_json::Value;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/killing.rs"]
mod killing;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/proxy.rs"]
#[expect(dead_code, unused_imports, reason = "each of these files uses a part of it")]
mod proxy;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use common::counts::{Ended, count};
use common::{Place, Tree, strace_is_there};
use killing::{is_long, killer, points};
use live::{Database, Server, scratches};
use proxy::{Act, Proxy, Request, Turn, any};
use rehearsal::{APPLY, Rehearsal, json};

/// Where rehearsals leave their records, and their scratch unless another one is named.
const RECORDS: &str = ".reshelve/runs/.rehearsals";

/// Of the points of one kind, about this many are tried in the short form.
const SHORT: usize = 2;

/// A source, a real target with a run in it, and the run.
fn place() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "6", "--size", "small"]);
    place.expect(0, &[&["run", "jobs.bson", "target"], &APPLY[..]].concat());
    place
}

/// What is no rehearsal's: source, target, and the run folders of others.
fn of_others(place: &Place, scratch: Option<&str>) -> Tree {
    let mut tree = place.tree("");
    let is_scratch = |name: &str| {
        scratch.is_some_and(|it| {
            name.strip_prefix(it).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    tree.retain(|name, _| !name.starts_with(RECORDS) && !is_scratch(name) && name != "log");
    tree
}

/// A rehearsal from the beginning, which passes.
fn expect_passes(place: &Place, args: &[&str], what: &str) {
    let told = place.call(&[args, &["--json"]].concat()).finish();
    assert_eq!(told.code, Some(0), "{what}: {}", told.stderr);
    let record: Value = json(&told);
    assert_eq!(record["outcome"], "passed", "{what}");
    assert_eq!(record["restored"]["same_set"], true, "{what}");
}

/// At most `SHORT` of the points, spread evenly; all of them in the long form.
fn some_of(points: &BTreeSet<usize>) -> Vec<usize> {
    let step = if is_long() { 1 } else { points.len().div_ceil(SHORT).max(1) };
    points.iter().copied().step_by(step).collect()
}

fn kill_at_system_calls(name: &str, args: &[&str], scratch: Option<&str>) {
    let place = place();
    let before = of_others(&place, scratch);
    let all = points(&place, args, 0);
    let mut kills = 0;
    for (effect, points) in &all {
        for point in some_of(points) {
            let what = format!("{name}: killed at {effect} {point}");
            let told = place.call_through(&killer(effect, point).line(), args).finish();
            assert!(told.code.is_none_or(|code| code == 0), "{what}: {}", told.stderr);
            kills += usize::from(told.code.is_none());
            common::assert_same(&of_others(&place, scratch), &before, &what);
            if let Some(scratch) = scratch.filter(|it| place.path(it).exists()) {
                let is_used = std::fs::read_dir(place.path(scratch)).unwrap().next().is_some();
                if is_used {
                    // What is left is named, and stays for whoever wants to look at it.
                    let left = place.tree(scratch);
                    place.expect(3, args).says(&["is not empty", "hint:"]);
                    common::assert_same(&place.tree(scratch), &left, &what);
                }
                std::fs::remove_dir_all(place.path(scratch)).unwrap();
            }
            expect_passes(&place, args, &what);
            common::assert_same(&of_others(&place, scratch), &before, &what);
            // The run of the real target is as usable as before.
            place.expect(0, &["status", "latest"]);
        }
    }
    assert!(kills > 10, "{kills}");
    let fault = format!("kill -9 of a rehearsal before a system call ({name})");
    count(&fault, "folder", Ended::same(kills));
}

#[test]
fn at_a_system_call_with_a_scratch_of_its_own() {
    if strace_is_there() {
        kill_at_system_calls("its own scratch", &["rehearse", "jobs.bson"], None);
    }
}

#[test]
fn at_a_system_call_with_a_scratch_that_is_named() {
    if strace_is_there() {
        let args = ["rehearse", "jobs.bson", "scratch"];
        kill_at_system_calls("a scratch that is named", &args, Some("scratch"));
    }
}

/// Kills at one command, and holds the next rehearsal. None if there is no such command.
fn kill_at_command(scene: &Rehearsal, target: &Database, nth: usize, act: Act) -> Option<()> {
    let what = format!("{act:?} of write {nth}");
    let place = &scene.place;
    let upstream = target.uri_of_one_server().expect("a server with an address");
    let proxy = Proxy::start(&upstream.replace(&format!("/{}?", target.name()), "/?"));
    let before = scratches(target);
    let held = proxy.rule(any().when(Request::is_change), Turn::Nth(nth), act);
    let mut child = place.call(&["rehearse", "jobs.bson", proxy.uri()]).spawn(false);
    if !held.acts_before_end(&mut child, &what) {
        return None;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    held.release();
    let there = scratches(target);
    let left: Vec<&String> = there.iter().filter(|name| !before.contains(name)).collect();
    assert!(left.len() <= 1, "{what}: {left:?}");
    let uri = proxy.uri().to_owned();
    let told = place.call(&["rehearse", "jobs.bson", &uri, "--json"]).finish();
    assert_eq!(told.code, Some(0), "{what}: {}", told.stderr);
    for name in &left {
        assert!(
            told.stderr.contains(name.as_str()),
            "{what}: {name} is not named: {}",
            told.stderr
        );
    }
    assert_eq!(json(&told)["outcome"], "passed", "{what}");
    assert_eq!(scratches(target), there, "{what}: what is left is left alone");
    std::fs::remove_dir_all(place.path(RECORDS)).unwrap();
    Some(())
}

#[test]
fn at_a_command_that_writes_to_a_database() {
    // Of its own: databases of other tests come and go.
    let Some(server) = Server::start(&[]) else { return };
    let scene = Rehearsal::new(30, "small");
    let target = scene.target(&server);
    target.seed("novel_jobs", &common::split(&scene.place.read("jobs.bson"))[..1]);
    let before = target.content();
    let mut kills = 0;
    for (at, nth) in (1..400).step_by(if is_long() { 1 } else { 12 }).enumerate() {
        let act = if at % 2 == 0 { Act::Hold } else { Act::HoldReply };
        if kill_at_command(&scene, &target, nth, act).is_none() {
            break;
        }
        kills += 1;
        assert!(target.content() == before, "what is not the rehearsal's");
    }
    assert!(kills > 3, "{kills}");
    count("kill -9 of a rehearsal at a command that writes", "live", Ended::same(kills));
}

//! Snapshots that are killed, stopped, hindered or disturbed: nothing is left of one that was not
//! finished, and the next one is whole.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/killing.rs"]
mod killing;
#[path = "common/safe_copy.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod safe_copy;

use std::io::Write;
use std::process::Command;

use common::{Place, Tree, mixed_source, strace_is_there, until};
use killing::{EFFECTS, is_long, killer, points};
use safe_copy::dump;

#[test]
fn killed_at_any_effect_it_leaves_nothing_under_its_name_and_the_next_one_is_whole() {
    if !strace_is_there() {
        return;
    }
    for (dest, names) in [
        ("copy", &["copy/snapshot.json", "copy/letswriteabook/jobs.bson.gz"][..]),
        ("copy.archive.gz", &["copy.archive.gz", "copy.archive.gz.snapshot.json"]),
    ] {
        let place = Place::new();
        dump(&place);
        let args = ["snapshot", "dump", dest];
        let calls = points(&place, &args, 0);
        let whole = place.tree("");
        let before: Tree =
            whole.iter().filter(|(name, _)| !name.starts_with("copy")).collect_tree();
        let clear = || {
            for name in place.tree("").keys().filter(|name| !before.contains_key(*name)).rev() {
                let path = place.path(name.trim_end_matches('/'));
                drop(std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path)));
            }
        };
        let mut killed = 0;
        for effect in EFFECTS {
            let Some(numbers) = calls.get(effect) else { continue };
            let step = if is_long() { 1 } else { numbers.len().div_ceil(6).max(1) };
            for &number in numbers.iter().step_by(step) {
                clear();
                let told = place.call_through(&killer(effect, number).line(), &args).finish();
                killed += usize::from(told.code.is_none());
                let what = format!("killed at {effect} {number}: {:?}", told.code);
                let seen = place.tree("");
                let data = seen.contains_key(names[0]) && seen.contains_key(names[1]);
                // What has its name is whole: killed later, or not at all.
                let is_named = place.path(dest).exists();
                assert!(!is_named || data, "{what}");
                if is_named {
                    place.expect(0, &["snapshot", "verify", dest]);
                    // What it left is removed by the next one, wherever that goes.
                    place.expect(0, &["snapshot", "dump", "copy-of-another-day"]);
                    let hidden = place.tree("").into_keys().find(|name| name.starts_with('.'));
                    assert_eq!(hidden, None, "{what}");
                } else {
                    place.expect(0, &args);
                    let after = place.tree("");
                    let hidden: Vec<&String> =
                        after.keys().filter(|name| name.starts_with('.')).collect();
                    assert!(hidden.is_empty(), "{what}: {hidden:?}");
                    assert!(after.keys().eq(whole.keys()), "{what}: {:?}", after.keys());
                    place.expect(0, &["snapshot", "verify", dest]);
                }
            }
        }
        assert!(killed >= 10, "{dest}: {killed} kills");
    }
}

trait CollectTree {
    fn collect_tree(self) -> Tree;
}

impl<'t, I: Iterator<Item = (&'t String, &'t Vec<u8>)>> CollectTree for I {
    fn collect_tree(self) -> Tree {
        self.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
    }
}

#[test]
fn a_full_disk_and_a_failing_sync_are_told_and_leave_nothing() {
    if !strace_is_there() {
        return;
    }
    let place = Place::new();
    dump(&place);
    let before = place.tree("");
    for (inject, words) in [
        ("inject=write:error=ENOSPC:when=1+", "No space left on device"),
        ("inject=fsync:error=EIO:when=1+", "Input/output error"),
        ("inject=renameat2:error=EACCES:when=1+", "Permission denied"),
    ] {
        let call = inject.split([':', '=']).nth(1).unwrap();
        let trace = format!("trace={call}");
        // Only files of the snapshot: messages are written too.
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P"];
        let data = place.path(".copy.snapshot.tmp/letswriteabook/jobs.bson.gz");
        // Of a call that opens nothing, the path is what the program says.
        let is_rename = call == "renameat2";
        let path = if is_rename { "./.copy.snapshot.tmp" } else { data.to_str().unwrap() };
        let strace = [&strace[..], &[path, "-e", &trace, "-e", inject]].concat();
        let told = place.call_through(&strace, &["snapshot", "dump", "copy"]).expect(1);
        told.says(&["error:", words]);
        common::assert_same(&before, &place.tree(""), inject);
    }
}

#[test]
fn an_archive_that_cannot_get_its_name_leaves_no_manifest() {
    if !strace_is_there() {
        return;
    }
    let place = Place::new();
    dump(&place);
    let before = place.tree("");
    // The first of these calls gives the manifest its name, the second the archive.
    for number in ["1", "2"] {
        let inject = format!("inject=renameat2:error=EACCES:when={number}");
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2", "-e"];
        let strace = [&strace[..], &[&inject]].concat();
        let told = place.call_through(&strace, &["snapshot", "dump", "copy.archive"]).expect(1);
        told.says(&["Permission denied"]);
        common::assert_same(&before, &place.tree(""), &inject);
    }
}

#[test]
fn a_lock_that_somebody_removes_ends_it() {
    let place = Place::new();
    let documents = dump(&place);
    let first = place.call(&["snapshot", "-", "copy"]).spawn(true);
    let mut pipe = first.stdin.as_ref().unwrap();
    pipe.write_all(&documents[..5_000]).unwrap();
    until("it has begun", || place.path(".copy.snapshot.tmp").exists());
    std::fs::remove_file(place.path(".copy.snapshot.lock")).unwrap();
    place.expect(0, &["snapshot", "dump", "copy"]);
    pipe.write_all(&documents[5_000..]).unwrap();
    let output = first.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    place.expect(0, &["snapshot", "verify", "copy"]);
}

#[test]
fn two_at_once_to_the_same_place_are_one() {
    let place = Place::new();
    let documents = dump(&place);
    let first = place.call(&["snapshot", "-", "copy"]).spawn(true);
    let mut pipe = first.stdin.as_ref().unwrap();
    pipe.write_all(&documents[..5_000]).unwrap();
    until("it has its lock", || place.path(".copy.snapshot.lock").exists());
    place
        .expect(3, &["snapshot", "dump", "copy"])
        .says(&["another process takes a snapshot to the same place", "hint:"]);
    pipe.write_all(&documents[5_000..]).unwrap();
    let output = first.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    place.expect(0, &["snapshot", "verify", "copy"]);
    assert!(!place.tree("").keys().any(|name| name.starts_with('.')));
}

#[test]
fn ctrl_c_leaves_nothing() {
    let place = Place::new();
    let documents = mixed_source(&place, 10, "small");
    let child = place.call(&["snapshot", "-", "copy"]).spawn(true);
    child.stdin.as_ref().unwrap().write_all(&documents).unwrap();
    until("it has begun", || place.path(".copy.snapshot.tmp").exists());
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no snapshot was taken"));
    assert!(place.tree("").is_empty(), "{:?}", place.tree("").keys());
}

//! `generate` where something is already: what a run has read and what is in a target are left
//! alone, and a file is replaced in one step or not at all. `generate` and `restore` leave nothing
//! when they are stopped.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Child, Command};

use common::{Place, assert_same, refused, until, with};

const MAKE: [&str; 5] = ["--documents", "7", "--size", "small", "--overwrite"];

/// A place with the run of a file, and with that of a dump.
fn ran() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "9", "--size", "small"]);
    place.expect(0, &["generate", "dump", "--documents", "9", "--size", "small"]);
    let apply = ["--apply", "--in-flight", "include"];
    place.expect(0, &with(&["run", "jobs.bson", "target"], &apply));
    place.expect(0, &with(&["run", "dump", "of-dump"], &apply));
    place
}

#[test]
fn what_a_run_has_read_is_not_replaced() {
    let place = ran();
    for out in ["jobs.bson", "./jobs.bson", "dump", "dump/letswriteabook/jobs.bson"] {
        refused(&place, &with(&["generate", out], &MAKE), &["the source of the run"]);
    }
    fs::rename(place.path("jobs.bson"), place.path("moved.bson")).unwrap();
    fs::rename(place.path("dump"), place.path("moved")).unwrap();
    for out in ["moved.bson", "moved"] {
        refused(&place, &with(&["generate", out], &MAKE), &["is the source of the run"]);
    }
    place.expect(0, &with(&["generate", "other.bson"], &MAKE));
    place.expect(0, &with(&["generate", "other.bson", "--seed", "2"], &MAKE));
}

#[test]
fn nothing_is_generated_into_a_target() {
    let place = ran();
    let jobs = "target/letswriteabook/novel_jobs.bson";
    for out in [jobs, "target/letswriteabook/jobs.bson", "target", "target/letswriteabook/new"] {
        refused(&place, &with(&["generate", out], &MAKE), &["in the target"]);
    }
    // Whatever is known of its run.
    fs::remove_dir_all(place.path(".reshelve")).unwrap();
    refused(&place, &with(&["generate", jobs], &MAKE), &["in the target"]);
    place.expect(0, &with(&["generate", "target/beside.bson"], &MAKE));
}

#[test]
fn only_a_regular_file_is_replaced() {
    let place = Place::new();
    place.write("precious", b"mine");
    symlink(place.path("precious"), place.path("link.bson")).unwrap();
    refused(&place, &with(&["generate", "link.bson"], &MAKE), &["is no regular file"]);
    fs::create_dir(place.path("folder.bson")).unwrap();
    refused(&place, &with(&["generate", "folder.bson"], &MAKE), &["is no regular file"]);
    assert_eq!(place.read("precious"), b"mine");
    place.expect(2, &with(&["generate", "precious", "--form", "folder"], &MAKE));
}

/// What is there stays until the other one is whole.
#[test]
fn a_file_that_cannot_be_generated_costs_nothing() {
    let place = Place::new();
    place.expect(0, &["generate", "x.bson.gz", "--documents", "20", "--size", "small"]);
    place.expect(0, &["generate", "dump", "--documents", "20", "--size", "small"]);
    let before = place.tree("");
    // There is no place for that fault in a compressed file.
    let fault = with(&MAKE, &["--fault", "invalid-text"]);
    place.expect(1, &with(&["generate", "x.bson.gz"], &fault)).says(&["x.bson.gz"]);
    assert_same(&before, &place.tree(""), "everything");
    let line = format!(
        "ulimit -f 40; trap '' XFSZ; for out in x.bson.gz dump; do \
         {} generate $out --documents 500 --size large --overwrite && exit 9; done; true",
        env!("CARGO_BIN_EXE_reshelve")
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &line]).current_dir(place.path("")).env_clear();
    assert_eq!(shell.output().unwrap().status.code(), Some(0));
    assert_same(&before, &place.tree(""), "everything");
}

#[test]
fn a_folder_that_is_there_keeps_what_is_not_replaced() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "20", "--size", "small"]);
    place.write("dump/letswriteabook/notes.txt", b"mine");
    place.expect(2, &["generate", "dump", "--documents", "7"]).says(&["is there already"]);
    place.expect(0, &with(&["generate", "dump"], &MAKE));
    place.expect(0, &with(&["generate", "new"], &MAKE[..4]));
    let [mut dump, new] = ["dump", "new"].map(|name| place.tree(name));
    assert_eq!(dump.remove("letswriteabook/notes.txt").unwrap(), b"mine");
    assert_same(&dump, &new, "the folders");
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Interrupts a command as soon as it writes its temporary file, and expects that it leaves all as it
/// was; returns whether it could be interrupted.
fn interrupted(place: &Place, args: &[&str], name: &str) -> bool {
    let before = place.tree("");
    let mut child = place.call(args).spawn(false);
    let is_temporary = |entry: fs::DirEntry| {
        let path = entry.file_name().into_string().unwrap();
        path.starts_with(name) && entry.metadata().is_ok_and(|it| it.len() > 0)
    };
    let mut has_ended = false;
    until("it writes, or has ended", || {
        has_ended = child.try_wait().unwrap().is_some();
        has_ended || fs::read_dir(place.path("")).unwrap().flatten().any(is_temporary)
    });
    if has_ended {
        return false;
    }
    interrupt(&child);
    let ended = child.wait_with_output().unwrap();
    if ended.status.code() != Some(6) {
        return false;
    }
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("interrupted: nothing was") && said.contains("hint:"), "{said}");
    assert_same(&before, &place.tree(""), "everything");
    true
}

#[test]
fn a_restore_and_a_generation_that_are_interrupted_leave_nothing() {
    let place = Place::new();
    let many = ["--documents", "3000", "--size", "large", "--overwrite"];
    assert!(interrupted(&place, &with(&["generate", "jobs.bson"], &many), ".jobs.bson."));
    place.expect(0, &with(&["generate", "jobs.bson"], &many));
    assert!(interrupted(&place, &with(&["generate", "jobs.bson"], &many), ".jobs.bson."));
    place.expect(0, &["run", "jobs.bson", "target", "--apply", "--in-flight", "include"]);
    assert!(interrupted(&place, &["restore", "target", "back.bson"], ".back.bson."));
}

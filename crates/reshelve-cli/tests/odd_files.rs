//! What lies in a run folder under the name of one of its files and is no such file: a pipe that
//! nobody writes to, a device without an end, a folder, a file as large as a disk. Every command
//! ends, says which file it is, and changes nothing; what only asks something of a run asks nothing.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/taken_back.rs"]
mod taken_back;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use common::documents::spoiled;
use common::{Place, Told, split};
use taken_back::{applied, place};

/// Larger than any state file, and takes no room.
const HUGE_BYTES: u64 = 1 << 40;

const KINDS: [&str; 4] = ["pipe", "device", "folder", "huge"];

/// Puts something odd in the place of a file.
fn plant(kind: &str, path: &Path) {
    match kind {
        "pipe" => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        "device" => symlink("/dev/zero", path).unwrap(),
        "folder" => fs::create_dir(path).unwrap(),
        _ => fs::File::create(path).unwrap().set_len(HUGE_BYTES).unwrap(),
    }
}

fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

/// A call that is ended where it would wait for ever, with an exit code of its own.
fn call(place: &Place, args: &[&str]) -> Told {
    place.call_through(&["timeout", "300"], args).finish()
}

/// A run that stopped at its first reject, and its folder.
fn stopped() -> (Place, String) {
    let place = place();
    let mut documents = split(&place.read("jobs.bson"));
    documents[9] = spoiled(&documents[9]);
    place.write("jobs.bson", &documents.concat());
    let run = applied(&place, 4, "jobs.bson", &["--fail-fast", "--batch-docs", "2"]);
    (place, run)
}

#[test]
fn an_odd_control_file_asks_nothing() {
    for kind in KINDS {
        let (place, run) = stopped();
        let path = place.path(&format!(".reshelve/runs/{run}/control.json"));
        remove(&path);
        plant(kind, &path);
        for (code, args) in [
            (0, &["status", &run][..]),
            (0, &["runs"]),
            (0, &["rollback", &run]),
            (0, &["report", &run, "--out", "report"]),
            // It is replaced by who asks next.
            (if kind == "folder" { 1 } else { 4 }, &["resume", &run]),
        ] {
            let told = call(&place, args);
            assert_eq!(told.code, Some(code), "{kind}: {args:?}: {}", told.stderr);
        }
        assert_eq!(path.is_file(), kind != "folder");
    }
}

#[test]
fn an_odd_file_in_the_place_of_another_one_is_named() {
    for kind in KINDS {
        for name in ["checkpoint.json", "decision.json", "journal.bin", "rejects.jsonl"] {
            let (place, run) = stopped();
            let path = place.path(&format!(".reshelve/runs/{run}/{name}"));
            remove(&path);
            plant(kind, &path);
            let target = place.tree("target");
            for args in [&["status", &run][..], &["runs"], &["rollback", &run], &["resume", &run]] {
                let told = call(&place, args);
                let what = format!("{kind} as {name}: {args:?}: {:?} {}", told.code, told.stderr);
                assert!(matches!(told.code, Some(0 | 1 | 3 | 4)), "{what}");
                let relies_on_it =
                    matches!(args[0], "rollback" | "resume") && name != "rejects.jsonl";
                assert!(!relies_on_it || told.stderr.contains(name), "{what}");
                assert!(!relies_on_it || matches!(told.code, Some(1 | 3)), "{what}");
            }
            if name != "rejects.jsonl" {
                common::assert_same(&place.tree("target"), &target, "nothing is changed");
            }
        }
    }
}

#[test]
fn an_odd_record_of_a_rehearsal_or_of_a_rollback_keeps_nobody_waiting() {
    for kind in KINDS {
        let place = place();
        let run = applied(&place, 0, "jobs.bson", &[]);
        let folder = place.path(".reshelve/runs/.rehearsals/20260101-000000000-000000");
        fs::create_dir_all(&folder).unwrap();
        plant(kind, &folder.join("rehearsal.json"));
        let told = call(&place, &["report", &run, "--out", "report", "--bundle"]);
        assert_eq!(told.code, Some(0), "{kind}: {}", told.stderr);
        let told = call(&place, &["rollback", &run, "--apply"]);
        assert_eq!(told.code, Some(0), "{kind}: {}", told.stderr);
        let record = place.path(&format!(".reshelve/runs/{run}/rollback.json"));
        remove(&record);
        plant(kind, &record);
        let told = call(&place, &["rollback", &run, "--apply"]);
        assert_eq!(told.code, Some(1), "{kind}: {}", told.stderr);
        assert!(told.stderr.contains("rollback.json"), "{kind}: {}", told.stderr);
    }
}

/// People hand passwords over by pipes: `--target-password-file <(…)`.
#[test]
fn a_password_may_come_from_a_pipe() {
    let place = Place::new();
    plant("pipe", &place.path("password"));
    let uri = "mongodb://user@127.0.0.1:1/novels?serverSelectionTimeoutMS=100";
    let args = ["inspect", uri, "--source-password-file", "password"];
    let child = place.call_through(&["timeout", "300"], &args).spawn(false);
    fs::write(place.path("password"), "secret\n").unwrap();
    let told = child.wait_with_output().unwrap();
    let said = String::from_utf8(told.stderr).unwrap();
    // Nobody listens there: it is the server that cannot be reached.
    assert_eq!(told.status.code(), Some(1), "{said}");
    assert!(said.contains("127.0.0.1:1") && !said.contains("secret"), "{said}");
}

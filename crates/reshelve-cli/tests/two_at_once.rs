//! Two processes that want the same run, or the same target, at once: one does it, the other is
//! refused and changes nothing.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::process::{Child, Command};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::counts::{Ended, count};
use common::{Outcome, Place, mixed_source, until};

const RUN: [&str; 9] = [
    "run",
    "jobs.bson",
    "target",
    "--apply",
    "--in-flight",
    "skip",
    "--batch-docs",
    "2",
    "--checkpoint-bytes=4KiB",
];

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// A place with a source, and what a run comes to that nobody disturbs.
fn place() -> (Place, Outcome) {
    let place = Place::new();
    place.write("jobs.bson", &mixed_source(&place, 420, "large"));
    place.expect(4, &RUN);
    let expected = place.outcome("target");
    for name in ["target", ".reshelve"] {
        std::fs::remove_dir_all(place.path(name)).unwrap();
    }
    (place, expected)
}

/// Starts a command, and stops its process when the target has so many bytes; none if it ended
/// before that.
fn try_stopped(place: &Place, args: &[&str], is_due: impl Fn(u64) -> bool) -> Option<Child> {
    let mut child = place.call(args).spawn(false);
    let mut is_over = false;
    until("the target changes", || {
        is_over = child.try_wait().unwrap().is_some();
        is_over || is_due(bytes(place))
    });
    if is_over {
        return None;
    }
    signal(&child, "STOP");
    Some(child)
}

fn stopped(place: &Place, args: &[&str], is_due: impl Fn(u64) -> bool) -> Child {
    try_stopped(place, args, is_due).expect("it ended before it could be stopped")
}

fn bytes(place: &Place) -> u64 {
    let Ok(entries) = std::fs::read_dir(place.path("target/letswriteabook")) else { return 0 };
    entries.flatten().flat_map(|entry| entry.metadata()).map(|metadata| metadata.len()).sum()
}

/// Each of these commands is refused while another process is at work, and changes nothing.
fn expect_refused(place: &Place, commands: &[(&[&str], &str)]) {
    for (args, word) in commands {
        let before = place.tree("target");
        let runs = place.runs();
        place.expect(3, args).says(&[word, "hint:"]);
        assert!(place.tree("target") == before, "{args:?} changed the target");
        assert_eq!(place.runs(), runs, "{args:?}");
    }
    count("two processes at once: the second one", "folder", Ended::refused(commands.len()));
}

#[test]
fn a_second_command_is_refused_while_a_run_is_at_work() {
    let (place, expected) = place();
    let child = stopped(&place, &RUN, |bytes| bytes > 200_000);
    let run = place.run();
    let other_source = ["run", "jobs.bson", "target", "--apply", "--in-flight", "skip"];
    expect_refused(
        &place,
        &[
            (&["resume", &run], "at work"),
            (&["rollback", &run, "--apply"], "at work"),
            (&["rollback", &run], "at work"),
            (&other_source, "another run is writing"),
            (&[&other_source[..], &["--allow-existing"]].concat(), "another run is writing"),
            (&[&other_source[..], &["--take-over"]].concat(), "another run is writing"),
        ],
    );
    signal(&child, "CONT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(4));
    place.outcome("target").expect_same(&expected, "the first one goes on");
    count("SIGSTOP of a run while others try, then SIGCONT", "folder", Ended::same(1));
}

#[test]
fn a_second_command_is_refused_while_a_run_is_resumed() {
    let (place, expected) = place();
    let mut first = stopped(&place, &RUN, |bytes| bytes > 200_000);
    first.kill().unwrap();
    first.wait().unwrap();
    let run = place.run();
    let before = bytes(&place);
    let often = ["resume", &run, "--batch-docs", "2", "--checkpoint-bytes=4KiB"];
    let child = stopped(&place, &often, |bytes| bytes > before + 200_000);
    expect_refused(
        &place,
        &[(&["resume", &run], "at work"), (&["rollback", &run, "--apply"], "at work")],
    );
    signal(&child, "CONT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(4));
    place.outcome("target").expect_same(&expected, "the first one goes on");
    count("SIGSTOP of a resumed run while others try, then SIGCONT", "folder", Ended::same(1));
}

#[test]
fn a_second_command_is_refused_while_a_run_is_taken_back() {
    let (place, run, child) = (0..20)
        .find_map(|_| {
            let (place, _) = place();
            place.expect(4, &RUN);
            let (run, whole) = (place.run(), bytes(&place));
            let args = ["rollback", &run, "--apply"];
            let child = try_stopped(&place, &args, |bytes| bytes < whole)?;
            Some((place, run, child))
        })
        .expect("a rollback that could be stopped");
    let other = ["run", "jobs.bson", "target", "--apply", "--in-flight", "skip"];
    expect_refused(
        &place,
        &[
            (&["rollback", &run, "--apply"], "at work"),
            (&["resume", &run], "it is being rolled back"),
            (&[&other[..], &["--take-over"]].concat(), "another run is writing"),
        ],
    );
    signal(&child, "CONT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    let told = place.expect(0, &["checksums", "target", "--json"]);
    let told: serde_json::Value = serde_json::from_str(told.stdout.trim()).unwrap();
    assert_eq!(told["collections"]["novel_jobs"]["documents"], 0, "{told}");
    count("SIGSTOP of a rollback while others try, then SIGCONT", "folder", Ended::same(1));
}

/// Somebody removes the lock of a run that is at work. Its files are locked too: the run that is
/// refused because of that leaves nothing that could be resumed.
#[test]
fn a_run_that_finds_the_files_in_use_leaves_no_run_behind() {
    let (place, expected) = place();
    let child = stopped(&place, &RUN, |bytes| bytes > 200_000);
    let lock = place.path("target/letswriteabook/.reshelve.lock");
    std::fs::remove_file(&lock).unwrap();
    let runs = place.runs();
    let more = [&RUN[..], &["--allow-existing"]].concat();
    place.expect(3, &more).says(&["another run is writing to this target", "hint:"]);
    assert_eq!(place.runs(), runs);
    assert!(!lock.exists(), "the refused run left its lock");
    signal(&child, "CONT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(4));
    place.outcome("target").expect_same(&expected, "the run that was at work");
}

//! A disk that is full, or fails: exit code 1, a hint, and a run that can be resumed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on ends there"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::counts::{Ended, count};
use common::{Outcome, Place, left_out, mixed_source, strace_is_there};

const RUN: [&str; 10] = [
    "run",
    "jobs.bson",
    "target",
    "--apply",
    "--in-flight",
    "skip",
    "--batch-docs",
    "4",
    "--checkpoint-bytes",
    "4KiB",
];

struct Scene {
    source: Vec<u8>,
    expected: Outcome,
    args: Vec<&'static str>,
}

impl Scene {
    fn new(more: &[&'static str]) -> Scene {
        let place = Place::new();
        let source = mixed_source(&place, 40, "small");
        place.write("jobs.bson", &source);
        let args = [&RUN[..], more].concat();
        place.expect(4, &args);
        Scene { source, expected: place.outcome("target"), args }
    }

    /// Lets the Nth call of a kind fail, for as long as there is an Nth one; only calls on `path`,
    /// where there is one.
    fn fail_each(&self, call: &str, error: &str, path: Option<&str>, words: &[&str]) {
        let mut failures = 0;
        for number in 1..100 {
            let place = Place::new();
            place.write("jobs.bson", &self.source);
            let trace = format!("trace={call}");
            let inject = format!("inject={call}:error={error}:when={number}");
            let mut strace = vec!["strace", "-f", "-qq", "-o", "log", "-e", &trace, "-e", &inject];
            let path = path.map(|path| place.path(path).display().to_string());
            strace.extend(path.iter().flat_map(|path| ["-P", path.as_str()]));
            let told = place.call_through(&strace, &self.args).finish();
            if !String::from_utf8(place.read("log")).unwrap().contains("INJECTED") {
                break;
            }
            failures += 1;
            let what = format!("{call} {error} {number}: {}", told.stderr);
            // Standard error is written to as well, and nothing depends on that.
            if told.code == Some(4) && path.is_none() && call == "write" {
                place.outcome("target").expect_same(&self.expected, &what);
                continue;
            }
            assert_eq!(told.code, Some(1), "{what}");
            assert!(words.iter().all(|word| told.stderr.contains(word)), "{what}");
            let again = match place.runs().first() {
                Some(run) => {
                    assert!(told.stderr.contains("error:"), "{what}");
                    place.call(&["resume", run]).finish()
                }
                None => place.call(&self.args).finish(),
            };
            assert_eq!(again.code, Some(4), "{what}\nthen {}", again.stderr);
            place.outcome("target").expect_same(&self.expected, &what);
        }
        println!("{call} {error}: {failures} failures");
        let ends = if self.args.contains(&"--gzip") { "gzip folder" } else { "folder" };
        let of = if path.is_some() { "of the target" } else { "of target or run folder" };
        let fault = format!("{call} {of} fails: {error}");
        count(&fault, ends, Ended::same(failures));
        assert!(failures > 0);
    }
}

#[test]
fn writes_to_the_target_fail() {
    if strace_is_there() {
        let words = ["error:", "hint:", "make room", "reshelve resume"];
        for (more, ending) in [(&[][..], ""), (&["--gzip"], ".gz")] {
            let scene = Scene::new(more);
            for name in ["novel_jobs", "novel_job_events", "novel_job_metadata"] {
                let path = format!("target/letswriteabook/{name}.bson{ending}");
                scene.fail_each("write", "ENOSPC", Some(&path), &words);
            }
        }
    }
}

#[test]
fn any_write_fails() {
    if strace_is_there() {
        Scene::new(&[]).fail_each("write", "ENOSPC", None, &[]);
    }
}

#[test]
fn syncs_fail() {
    if strace_is_there() {
        let scene = Scene::new(&[]);
        scene.fail_each("fdatasync", "EIO", None, &["error:", "hint:", "reshelve resume"]);
        scene.fail_each("fsync", "EIO", None, &["error:"]);
    }
}

#[test]
fn renames_fail() {
    if strace_is_there() {
        Scene::new(&[]).fail_each("rename", "EIO", None, &["error:"]);
    }
}

/// A small disk, for as long as this lives.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path, size: &str) -> Option<Disk> {
        std::fs::create_dir_all(path).unwrap();
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Disk(path.to_owned()));
        }
        left_out("mounting is not allowed");
        None
    }

    fn grow(&self, size: &str) {
        let options = format!("remount,size={size}");
        assert!(
            Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success()
        );
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

#[test]
fn a_small_disk_is_seen_beforehand_and_a_full_one_survived() {
    for more in [&[][..], &["--gzip"]] {
        let place = Place::new();
        place.write("jobs.bson", &mixed_source(&place, 60, "large"));
        place.expect(4, &[&RUN[..], more].concat());
        let expected = place.outcome("target");
        for name in ["target", ".reshelve"] {
            std::fs::remove_dir_all(place.path(name)).unwrap();
        }
        let Some(disk) = Disk::mount(&place.path("target"), "400k") else { return };
        let args = [&RUN[..], more].concat();
        let told = place.expect(3, &args);
        told.says(&["needs about", "are free", "hint:", "--skip-disk-check"]);
        assert!(place.tree("target").is_empty() && place.runs().is_empty());
        let told = place.expect(1, &[&args[..], &["--skip-disk-check"]].concat());
        told.says(&["error:", "hint:", "make room", "reshelve resume"]);
        let run = place.run();
        let status = place.expect(0, &["status", &run]);
        assert!(status.stdout.contains("failed"), "{}", status.stdout);
        // Still full: nothing gets lost by trying.
        place.expect(1, &["resume", &run]).says(&["make room"]);
        disk.grow("64m");
        place.expect(4, &["resume", &run]);
        place.outcome("target").expect_same(&expected, "a full disk");
        let ends = if more.is_empty() { "folder" } else { "gzip folder" };
        count("a disk that is full", ends, Ended::same(1));
    }
}

/// The estimate before it goes by the source; a dry run knows what the target takes.
#[test]
fn a_dry_run_says_what_the_disk_has_no_room_for() {
    let place = Place::new();
    let small = ["generate", "jobs.bson", "--documents", "300", "--preset", "lifecycle"];
    place.expect(0, &small);
    let source = place.read("jobs.bson").len() as u64;
    let Some(_disk) = Disk::mount(&place.path("target"), &(source * 13 / 10).to_string()) else {
        return;
    };
    let dry = ["run", "jobs.bson", "target", "--in-flight", "include"];
    let told = place.expect(3, &dry);
    let told = told.says(&["warning: the target would have", "are free", "hint: make room"]);
    assert!(!told.stderr.contains("Next:"), "{}", told.stderr);
    place.expect(0, &[&dry[..], &["--skip-disk-check"]].concat());
}

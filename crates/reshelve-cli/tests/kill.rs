//! Kills the binary before each of its effects on files, then goes on: the target, the rejects and
//! the totals must be those of a run that nobody disturbed.
//!
//! strace does the killing.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on ends there"
)]

use std::path::Path;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/cut_off.rs"]
mod cut_off;
#[path = "common/killing.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod killing;

use common::counts::{Ended, count};
use common::{Outcome, Place, Tree, mixed_source, plant, strace_is_there};
use cut_off::outcome_after_kills;
use killing::{Points, killer, points};

/// Small batches.
const SMALL: [&str; 2] = ["--batch-docs", "3"];

/// A run, and what it comes to.
struct Scene {
    name: &'static str,
    /// What the target holds before.
    before: Tree,
    args: Vec<String>,
    code: i32,
    expected: Outcome,
}

impl Scene {
    fn new(name: &'static str, source: &Path, before: Tree, more: &[&str]) -> Scene {
        let source = source.to_str().unwrap();
        let always = [
            "run",
            source,
            "target",
            "--apply",
            "--in-flight",
            "skip",
            "--jobs",
            "2",
            "--checkpoint-bytes",
            "4KiB",
        ];
        let args: Vec<String> = always.iter().chain(more).map(|&arg| arg.to_owned()).collect();
        let expected = Outcome::default();
        let mut scene = Scene { name, before, args, code: 4, expected };
        scene.disturb_nobody();
        scene
    }

    fn ends(&self) -> &'static str {
        if self.args.iter().any(|arg| arg == "--gzip") { "gzip folder" } else { "folder" }
    }

    /// What it comes to where nobody disturbs it.
    fn disturb_nobody(&mut self) {
        let place = self.place();
        place.expect(self.code, &words(&self.args));
        self.expected = place.outcome("target");
    }

    fn place(&self) -> Place {
        let place = Place::new();
        if !self.before.is_empty() {
            plant(&self.before, &place.path("target"));
        }
        place
    }

    /// At which calls of each kind to kill: the number of the call within its thread.
    fn points(&self) -> Points {
        points(&self.place(), &words(&self.args), self.code)
    }

    /// Kills at every point.
    fn kill_everywhere(&self) {
        let mut kills = 0;
        for (effect, points) in self.points() {
            for point in points {
                let place = self.place();
                let what = format!("{}: killed at {effect} {point}", self.name);
                let args = words(&self.args);
                let told = place.call_through(&killer(effect, point).line(), &args).finish();
                kills += usize::from(told.code.is_none());
                assert!(told.code.is_none_or(|code| code == self.code), "{what}: {}", told.stderr);
                self.go_on(&place, &what);
            }
        }
        println!("{}: {kills} kills", self.name);
        let fault = format!("kill -9 of a run before a system call ({})", self.name);
        count(&fault, self.ends(), Ended::same(kills));
        assert!(kills > 20, "{kills}");
    }

    /// Kills once in the middle, then kills what goes on, then goes on.
    fn kill_resumes(&self, one_of: usize) {
        let points = self.points();
        let mut kills = 0;
        let writes: Vec<usize> = points["write"].iter().copied().collect();
        for (effect, points) in &points {
            for (at, &point) in points.iter().enumerate().filter(|(at, _)| at % one_of == 0) {
                let place = self.place();
                let first = writes[writes.len() * (1 + at % 4) / 5];
                let args = words(&self.args);
                place.call_through(&killer("write", first).line(), &args).finish();
                let Some(run) = place.runs().pop() else { continue };
                let what = format!("{}: killed at write {first}, {effect} {point}", self.name);
                let killer = killer(effect, point);
                let told = place.call_through(&killer.line(), &resume(&run)).finish();
                kills += usize::from(told.code.is_none());
                self.go_on(&place, &what);
            }
        }
        println!("{}: {kills} kills of what goes on", self.name);
        let fault = format!("kill -9 of a resumed run before a system call ({})", self.name);
        count(&fault, self.ends(), Ended::same(kills));
        assert!(kills > 5, "{kills}");
    }

    fn go_on(&self, place: &Place, what: &str) {
        match place.runs().first() {
            // It was killed before there was a run.
            None => drop(place.call(&words(&self.args)).expect(self.code)),
            Some(run) => {
                let told = place.call(&resume(run)).finish();
                assert_eq!(told.code, Some(self.code), "{what}: {}", told.stderr);
            }
        }
        outcome_after_kills(place, "target").expect_same(&self.expected, what);
    }
}

fn words(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

fn resume(run: &str) -> [&str; 8] {
    ["resume", run, "--jobs", "2", "--batch-docs", "3", "--checkpoint-bytes", "4KiB"]
}

/// A place with a source, and a target that an earlier state of the same source was carried to.
fn source(documents: u32, size: &str) -> Place {
    let place = Place::new();
    let bytes = mixed_source(&place, documents, size);
    place.write("source.bson", &bytes);
    place
}

/// A target with every second job, some of these with other content, and with documents of the
/// new application among them.
fn earlier_target(place: &Place, compression: &[&str]) -> Tree {
    let source = common::split(&place.read("source.bson"));
    let half: Vec<Vec<u8>> = source
        .into_iter()
        .step_by(2)
        .enumerate()
        .map(
            |(at, document)| {
                if at % 3 == 0 { common::documents::aged(&document) } else { document }
            },
        )
        .collect();
    place.write("half.bson", &half.concat());
    let args = ["run", "half.bson", "earlier", "--apply", "--in-flight", "skip"];
    let told = place.call(&[args.as_slice(), compression].concat()).finish();
    assert!(matches!(told.code, Some(0 | 4)), "{}", told.stderr);
    place.tree("earlier")
}

#[test]
fn plain() {
    if strace_is_there() {
        let place = source(36, "small");
        Scene::new("plain", &place.path("source.bson"), Tree::new(), &SMALL).kill_everywhere();
    }
}

#[test]
fn resumes() {
    if strace_is_there() {
        let place = source(36, "small");
        Scene::new("resumes", &place.path("source.bson"), Tree::new(), &SMALL).kill_resumes(1);
    }
}

#[test]
fn gzip() {
    if strace_is_there() {
        // Compressed targets are cut every 4 MiB: this makes two cuts before the last one.
        let place = source(130, "large");
        let path = place.path("source.bson");
        let scene = Scene::new("gzip", &path, Tree::new(), &["--gzip", "--batch-docs", "20"]);
        scene.kill_everywhere();
    }
}

#[test]
fn allow_existing() {
    if strace_is_there() {
        let place = source(30, "small");
        let before = earlier_target(&place, &[]);
        let path = place.path("source.bson");
        let scene =
            Scene::new("allow-existing", &path, before, &["--allow-existing", "--batch-docs", "3"]);
        assert!(scene.expected.documents("unchanged") > 0);
        assert!(scene.expected.totals["rejects"]["target-conflict"].as_u64() > Some(0));
        scene.kill_everywhere();
    }
}

#[test]
fn replace() {
    if strace_is_there() {
        for compression in [&[][..], &["--gzip"]] {
            let place = source(30, "small");
            let before = earlier_target(&place, compression);
            let path = place.path("source.bson");
            let more = [&["--replace"], &SMALL[..], compression].concat();
            let scene = Scene::new("replace", &path, before, &more);
            assert!(scene.expected.totals["replaced"].as_u64() > Some(0));
            scene.kill_everywhere();
            scene.kill_resumes(2);
        }
    }
}

#[test]
fn dry_run() {
    if strace_is_there() {
        let place = source(20, "small");
        let path = place.path("source.bson");
        let mut scene = Scene::new("dry run", &path, Tree::new(), &SMALL);
        scene.args.retain(|arg| arg != "--apply");
        scene.disturb_nobody();
        assert!(scene.expected.target.is_empty(), "a dry run writes nothing");
        scene.kill_everywhere();
    }
}

//! Kills the tool at each of its commands that writes to a live target, before the command arrives
//! and after it was done: of a run, a run that replaces, and their rollbacks. The second command
//! ends as if there had been no kill.
//!
//! The short form kills at every sixteenth command; `RESHELVE_FAULTS=all` at each.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::collections::BTreeSet;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/killing.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
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
use killing::is_long;
use live::{Database, Server};
use proxy::{Act, Proxy, Request, Turn, any};
use rehearsal::{APPLY, Rehearsal};

const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Run,
    Rollback,
}

/// A target, empty or with older versions of half of the jobs, behind a proxy.
struct Scene<'r> {
    rehearsal: &'r Rehearsal,
    target: Database,
    proxy: Proxy,
    replaces: bool,
}

impl<'r> Scene<'r> {
    fn new(
        rehearsal: &'r Rehearsal,
        server: &Server,
        (is_standalone, replaces): (bool, bool),
    ) -> Option<Scene<'r>> {
        let target = rehearsal.target(server);
        let proxy = Proxy::start(&target.uri_of_one_server()?);
        if is_standalone {
            proxy.pose_as_standalone();
        }
        if replaces {
            let args = ["run", rehearsal.older(), &target.uri];
            rehearsal.place.expect(0, &[&args[..], &APPLY].concat());
        }
        Some(Scene { rehearsal, target, proxy, replaces })
    }

    fn run_args(&self) -> Vec<&str> {
        let args = ["run", "jobs.bson", self.proxy.uri(), "--batch-docs", "10"];
        let more: &[&str] = if self.replaces { &["--replace"] } else { &[] };
        [&args[..], &APPLY, more].concat()
    }

    fn contents(&self) -> BTreeSet<(&'static str, Vec<u8>)> {
        self.target.documents(&COLLECTIONS)
    }

    /// Ends what was begun, and expects that it is as if there had been no kill.
    fn expect_ended(
        &self,
        what: What,
        run: Option<&String>,
        before: &BTreeSet<(&str, Vec<u8>)>,
        words: &str,
    ) {
        let place = &self.rehearsal.place;
        let told = match (what, run) {
            (What::Run, Some(run)) => place.call(&["resume", run]).finish(),
            (What::Run, None) => place.call(&self.run_args()).finish(),
            (What::Rollback, run) => place.call(&["rollback", run.unwrap(), "--apply"]).finish(),
        };
        assert_eq!(told.code, Some(0), "{words}: {}", told.stderr);
        match what {
            What::Run => self.rehearsal.expect_whole(&self.target, words),
            What::Rollback => assert!(self.contents() == *before, "{words}: not as before"),
        }
        assert!(!self.target.has_lease(), "{words}: the lease is left");
        // No job without its parts.
        let ids = |name: &str| self.target.job_ids(name);
        assert_eq!(ids("novel_jobs"), ids("novel_job_metadata"), "{words}");
    }
}

/// Kills at the commands of one kind of scene; none if there are no more.
fn kill_at(
    rehearsal: &Rehearsal,
    server: &Server,
    what: What,
    ends: (bool, bool),
    (nth, act): (usize, Act),
) -> Option<bool> {
    let words = format!("{what:?} {ends:?}, {act:?} of write {nth}");
    let place = &rehearsal.place;
    let scene = Scene::new(rehearsal, server, ends)?;
    let before = scene.contents();
    let runs = place.runs().len();
    let rollback;
    let args = match what {
        What::Run => scene.run_args(),
        What::Rollback => {
            place.expect(0, &scene.run_args());
            rollback = place.runs().pop().unwrap();
            vec!["rollback", &rollback, "--apply"]
        }
    };
    let held = scene.proxy.rule(any().when(Request::is_change), Turn::Nth(nth), act);
    let mut child = place.call(&args).spawn(false);
    if !held.acts_before_end(&mut child, &words) {
        return Some(false);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    held.release();
    // Held commands arrive late: the next process has to cope with that too.
    let runs = place.runs().split_off(runs);
    scene.expect_ended(what, runs.last(), &before, &words);
    Some(true)
}

fn kill_everywhere(what: What, fault: &str) {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(30, "small");
    for ends in [(false, false), (false, true), (true, false), (true, true)] {
        let mut kills = 0;
        for (at, nth) in (1..400).step_by(if is_long() { 1 } else { 16 }).enumerate() {
            let act = if at % 2 == 0 { Act::Hold } else { Act::HoldReply };
            match kill_at(&rehearsal, &server, what, ends, (nth, act)) {
                None => return,
                Some(true) => kills += 1,
                Some(false) => break,
            }
        }
        assert!(kills > 0, "{ends:?}");
        let (is_standalone, replaces) = ends;
        let of = if replaces { " (replaced)" } else { "" };
        let ends = if is_standalone { "live, standalone" } else { "live" };
        count(&format!("{fault}{of}"), ends, Ended::same(kills));
    }
}

#[test]
fn a_run_that_is_killed_at_any_write_is_resumed() {
    kill_everywhere(What::Run, "kill -9 of a run at a command that writes");
}

#[test]
fn a_rollback_that_is_killed_at_any_write_is_ended() {
    kill_everywhere(What::Rollback, "kill -9 of a rollback at a command that writes");
}

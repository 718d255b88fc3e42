//! A user whose rights are taken away in the middle of a run or a rollback, from a server that keeps
//! users and roles: the command stops and says so, nothing is lost, and once the rights are back the
//! second command ends as if nothing had been.
//!
//! The short form does it at some of the commands; `RESHELVE_FAULTS=all` at each.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::doc;

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
use common::split;
use killing::is_long;
use live::{Database, Server};
use proxy::{Act, Proxy, Request, Turn, any, on};
use rehearsal::{APPLY, Rehearsal};

const ROOT: &str = "root:first";
const MOVER: &str = "mover:second";
const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];

/// What is left of the rights to write.
#[derive(Clone, Copy, Debug)]
enum Left {
    Nothing,
    Reading,
}

/// What is at work when the rights go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Run,
    Rollback,
}

/// A server with users; the mover may write to one database.
struct Scene {
    server: Server,
    rehearsal: Rehearsal,
}

impl Scene {
    fn new(documents: u32, size: &str) -> Option<Scene> {
        let server = Server::start(&["--auth"])?;
        let root = doc! { "createUser": "root", "pwd": "first", "roles": ["root"] };
        // The first user can be made by anybody on the same machine.
        server.database_named("", "admin").admin(root).unwrap();
        let scene = Scene { server, rehearsal: Rehearsal::new(documents, size) };
        let mover = doc! { "createUser": "mover", "pwd": "second", "roles": [] };
        scene.root("admin").admin(mover).unwrap();
        Some(scene)
    }

    fn root(&self, database: &str) -> Database {
        self.server.database_named(ROOT, database)
    }

    /// An empty target with its indexes.
    fn target(&self) -> Database {
        let target = self.server.database_as(ROOT);
        self.rehearsal.place.expect(0, &["indexes", "up", &target.uri]);
        target
    }

    /// Changes what the mover may do in a database. The server of the tests lets a connection keep
    /// the rights with which it was opened: whoever takes rights away cuts the connections too.
    fn grant(&self, database: &str, role: Option<&str>) {
        let roles: Vec<_> =
            role.iter().map(|role| doc! { "role": *role, "db": database }).collect();
        self.root("admin").admin(doc! { "updateUser": "mover", "roles": roles }).unwrap();
    }

    /// Takes rights away before the nth command that writes arrives. Whether that ended what was at
    /// work; None if there is no such command.
    fn lose_at(&self, what: What, left: Left, replaces: bool, nth: usize) -> Option<bool> {
        let words = format!("{what:?}, replaces {replaces}, {left:?} at write {nth}");
        let place = &self.rehearsal.place;
        let target = self.target();
        self.grant(target.name(), Some("readWrite"));
        let direct = self.server.uri_as(MOVER, target.name());
        if replaces {
            place.expect(0, &[&["run", self.rehearsal.older(), &direct], &APPLY[..]].concat());
        }
        let before = target.documents(&COLLECTIONS);
        let proxy = Proxy::start(&direct);
        let mut run = vec!["run", "jobs.bson", proxy.uri(), "--batch-docs", "10"];
        run.extend(APPLY);
        run.extend(replaces.then_some("--replace"));
        let written;
        let args = match what {
            What::Run => run,
            What::Rollback => {
                place.expect(0, &run);
                written = place.runs().pop().unwrap();
                vec!["rollback", &written, "--apply", "--target", proxy.uri()]
            }
        };
        let runs = place.runs().len();
        let held = proxy.rule(any().when(Request::is_change), Turn::Nth(nth), Act::Hold);
        let mut child = place.call(&args).stderr(std::process::Stdio::piped()).spawn(false);
        if !held.acts_before_end(&mut child, &words) {
            return None;
        }
        self.grant(target.name(), matches!(left, Left::Reading).then_some("read"));
        proxy.cut_all();
        held.release();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        // What was done with the last command is done.
        let is_ended = ended.status.code() != Some(0);
        if is_ended {
            assert_eq!(ended.status.code(), Some(1), "{words}: {said}");
            assert!(said.contains("not authorized"), "{words}: {said}");
            assert!(said.contains("hint:") || said.contains("Next:"), "{words}: {said}");
        }
        expect_no_orphan(&target, &words);
        self.grant(target.name(), Some("readWrite"));
        // A run that had not begun is begun again, and so is a rollback.
        match place.runs().split_off(runs).last() {
            Some(run) => place.expect(0, &["resume", run, "--target", proxy.uri()]),
            None => place.expect(0, &args),
        };
        match what {
            What::Run => self.rehearsal.expect_whole(&target, &words),
            What::Rollback => {
                assert!(target.documents(&COLLECTIONS) == before, "{words}: not as before")
            }
        }
        assert!(!target.has_lease(), "{words}: the lease is left");
        Some(is_ended)
    }
}

/// No job stands without its parts.
fn expect_no_orphan(target: &Database, words: &str) {
    let jobs = target.job_ids("novel_jobs");
    for part in ["novel_job_metrics", "novel_job_metadata"] {
        assert!(jobs.is_subset(&target.job_ids(part)), "{words}: {part}");
    }
}

fn lose_everywhere(what: What, fault: &str) {
    let Some(scene) = Scene::new(30, "small") else { return };
    let (mut tried, mut ended) = (0, 0);
    for replaces in [false, true] {
        for (at, nth) in (1..400).step_by(if is_long() { 1 } else { 11 }).enumerate() {
            let left = if at % 2 == 0 { Left::Nothing } else { Left::Reading };
            let Some(is_ended) = scene.lose_at(what, left, replaces, nth) else { break };
            tried += 1;
            ended += u64::from(is_ended);
        }
    }
    assert!(ended > 3, "{ended} of {tried}");
    count(fault, "live", Ended::same(tried));
}

#[test]
fn a_run_that_may_no_longer_write_is_resumed() {
    lose_everywhere(What::Run, "the rights to write are taken away during a run, then resume");
}

#[test]
fn a_rollback_that_may_no_longer_write_is_ended() {
    let fault = "the rights to write are taken away during a rollback, then rollback";
    lose_everywhere(What::Rollback, fault);
}

#[test]
fn a_source_that_may_no_longer_be_read_is_gone_on_with() {
    // More than is asked for at once.
    let Some(scene) = Scene::new(150, "large") else { return };
    let place = &scene.rehearsal.place;
    let mut tried = 0;
    for (command, nth) in [("find", 1), ("getMore", 1), ("getMore", 2)] {
        let words = format!("{command} {nth}");
        let legacy = scene.root("shop");
        legacy.seed("jobs", &split(&place.read("jobs.bson")));
        scene.grant("shop", Some("read"));
        let proxy = Proxy::start(&scene.server.uri_as(MOVER, "shop"));
        let held = proxy.rule(on(command), Turn::Nth(nth), Act::Hold);
        let target = format!("folder-{command}-{nth}");
        let args = ["run", proxy.uri(), &target, "--batch-docs", "10"];
        let call = place.call(&[&args[..], &APPLY].concat());
        let child = call.stderr(std::process::Stdio::piped()).spawn(false);
        held.wait_until_acted();
        scene.grant("shop", None);
        proxy.cut_all();
        held.release();
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(matches!(ended.status.code(), Some(1 | 3)), "{words}: {said}");
        assert!(said.contains("not authorized") && said.contains("hint:"), "{words}: {said}");
        scene.grant("shop", Some("read"));
        if let Some(run) = place.runs().pop() {
            place.expect(0, &["resume", &run, "--source", proxy.uri()]);
            std::fs::remove_dir_all(place.path(".reshelve")).unwrap();
        } else {
            place.expect(0, &[&args[..], &APPLY].concat());
        }
        scene.rehearsal.expect_whole_at(&target, &words);
        legacy.command(doc! { "drop": "jobs" });
        tried += 1;
    }
    let fault = "the right to read the source is taken away during a run, then resume";
    count(fault, "live to folder", Ended::same(tried));
}

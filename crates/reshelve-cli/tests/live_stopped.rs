//! A rollback that is stopped, with a command held on its way, until its lease has expired and
//! another run has taken the target over: it changes nothing any more. What the server got of it,
//! the proxy's log says.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/proxy.rs"]
#[expect(dead_code, unused_imports, reason = "each of these files uses a part of it")]
mod proxy;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;
#[path = "common/scene.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod scene;

use common::counts::{Ended, count};
use live::Server;
use proxy::{Act, Turn, on};
use rehearsal::{APPLY, Rehearsal, signal};
use scene::Scene;

#[test]
fn a_rollback_that_was_taken_over_while_it_stood_still_changes_nothing() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(40, "small");
    let place = &rehearsal.place;
    for (command, collection) in [
        ("delete", "novel_jobs"),
        ("delete", "novel_job_events"),
        ("delete", "novel_job_metadata"),
        ("commitTransaction", ""),
    ] {
        let what = format!("{command} of {collection}");
        let Some(scene) = Scene::new(&rehearsal, &server) else { return };
        let args = ["run", "jobs.bson", scene.proxy.uri()];
        place.expect(0, &[&args[..], &APPLY].concat());
        let run = place.runs().pop().unwrap();
        let (matching, earlier) = match collection {
            "" => {
                let commits = scene.proxy.log().exchanges().into_iter();
                (on(command), commits.filter(|it| it.request.command == command).count())
            }
            name => (on(command).of(name), scene.proxy.log().of(command, name).len()),
        };
        let held = scene.proxy.rule(matching, Turn::Nth(earlier + 1), Act::Hold);
        let child = place.call(&["rollback", &run, "--apply"]).spawn(true);
        held.wait_until_acted();
        signal(&child, "STOP");
        // Nobody else may go on with it while its process is there.
        place.expect(3, &["rollback", &run, "--apply"]).says(&["at work"]);
        scene.target.expire_lease();
        // Nor does another run take over; only a copy of its run folder on another machine goes on.
        let other = ["run", "jobs.bson", &scene.target.uri, "--take-over"];
        let refused = place.expect(3, &[&other[..], &APPLY].concat());
        refused.says(&["a rollback on the database", "has not finished"]);
        common::plant(&place.tree(".reshelve"), &place.path("elsewhere"));
        place.expect(0, &["rollback", &run, "--apply", "--runs-dir", "elsewhere/runs"]);
        std::fs::remove_dir_all(place.path("elsewhere")).unwrap();
        signal(&child, "CONT");
        scene.expect_stopped(child, &held, &what);
        assert_eq!(scene.target.count("novel_jobs"), 0, "{what}");
        let fault = "SIGSTOP of a rollback until it is taken over, then SIGCONT";
        count(fault, "live", Ended::refused(1));
    }
}

/// Two processes that want to resume the same run at once, and one that wants to take it back.
#[test]
fn a_run_that_is_being_resumed_is_not_resumed_by_another_process() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(40, "small");
    let place = &rehearsal.place;
    let Some(scene) = Scene::new(&rehearsal, &server) else { return };
    let more = ["--in-flight", "include"];
    let killed_at = on("insert").of("novel_job_metrics");
    let (mut child, held) = scene.held(killed_at, Turn::Nth(2), &more);
    child.kill().unwrap();
    child.wait().unwrap();
    held.release();
    let run = place.runs().pop().unwrap();
    let matching = on("insert").of("novel_job_metrics");
    let held = scene.proxy.rule(matching, Turn::Nth(1), Act::Hold);
    let first = place.call(&["resume", &run]).spawn(true);
    held.wait_until_acted();
    let before = scene.contents();
    place.expect(3, &["resume", &run]).says(&["at work", "hint:"]);
    place.expect(3, &["rollback", &run, "--apply"]).says(&["at work", "hint:"]);
    assert!(scene.contents() == before, "the second one changed something");
    held.release();
    let told = first.wait_with_output().unwrap();
    assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
    rehearsal.expect_whole(&scene.target, "the first one goes on");
    count("two processes that resume a run at once: the second one", "live", Ended::refused(2));
}

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

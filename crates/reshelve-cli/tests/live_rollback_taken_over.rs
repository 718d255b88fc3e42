//! A run that was not finished and was taken over is not taken back from a live target as long as the
//! run that took over stands.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::doc;

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

use live::Server;
use proxy::{Turn, on};
use rehearsal::Rehearsal;
use scene::{COLLECTIONS, Scene};

/// Kills a run in its second batch, and has another one take its place.
fn taken_over(scene: &Scene<'_>, is_lease_removed: bool) -> [String; 2] {
    let matching = on("insert").of("novel_job_metrics");
    let (mut child, held) = scene.held(matching, Turn::Nth(2), &["--in-flight", "include"]);
    child.kill().unwrap();
    child.wait().unwrap();
    held.release();
    let run = scene.rehearsal.place.runs().pop().unwrap();
    let mut more = vec!["--in-flight", "include", "--allow-existing"];
    if is_lease_removed {
        let delete = doc! { "q": { "_id": "lock" }, "limit": 1 };
        scene.target.command(doc! { "delete": "reshelve_runs", "deletes": [delete] });
    } else {
        more.push("--take-over");
    }
    let told = scene.run(0, &more);
    assert_eq!(told["documents"]["unchanged"], 20, "{told}");
    [run, told["run"].as_str().unwrap().to_owned()]
}

#[test]
fn what_another_run_counts_as_unchanged_after_a_take_over_stays() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(40, "small");
    for (is_standalone, is_lease_removed) in [(false, false), (true, false), (false, true)] {
        let what = format!("standalone: {is_standalone}, lease removed: {is_lease_removed}");
        let Some(scene) = Scene::new(&rehearsal, &server) else { return };
        if is_standalone {
            scene.proxy.pose_as_standalone();
        }
        let [run, other] = taken_over(&scene, is_lease_removed);
        let before = scene.contents();
        for more in [&[][..], &["--apply"], &["--apply", "--edited", "keep"]] {
            let args = ["rollback", run.as_str()];
            let told = rehearsal.place.expect(3, &[&args[..], more].concat());
            told.says(&[&other, "has taken over", "hint:", "take that run back first"]);
            assert!(scene.contents() == before, "{what}");
            assert!(!scene.target.has_lease(), "{what}");
        }
        rehearsal.expect_whole(&scene.target, &what);
        rehearsal.place.expect(0, &["rollback", &other, "--apply"]);
        assert_eq!(scene.target.count("novel_jobs"), 20, "{what}");
        rehearsal.place.expect(0, &["rollback", &run, "--apply"]);
        for collection in COLLECTIONS {
            assert_eq!(scene.target.count(collection), 0, "{what}: {collection}");
        }
    }
}

/// A rollback that was killed goes on, and stops again before its first write: only it knows what is
/// left.
#[test]
fn a_rollback_that_stopped_twice_is_not_taken_over() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(200, "small");
    let target = rehearsal.target(&server);
    let run = ["run", "jobs.bson", &target.uri, "--apply", "--in-flight", "include"];
    rehearsal.place.expect(0, &run);
    let run_id = rehearsal.place.runs().pop().unwrap();
    let back = ["rollback", &run_id, "--apply"];
    let slow = [&back[..], &["--max-docs-per-s", "60"]].concat();
    let mut child = rehearsal.place.call(&slow).spawn(false);
    common::until("some jobs are gone", || target.count("novel_jobs") < 200);
    child.kill().unwrap();
    child.wait().unwrap();
    let left = target.count("novel_jobs");
    assert!(left > 0, "it was too fast");
    let edit = doc! { "q": {}, "u": { "$set": { "title": "Another" } } };
    target.command(doc! { "update": "novel_jobs", "updates": [edit] });
    rehearsal.place.expect(3, &back).says(&["--edited keep", "discard=1"]);
    let over = [&run[..], &["--allow-existing", "--take-over"]].concat();
    for _ in 0..2 {
        rehearsal.place.expect(3, &over).says(&["rollback", "hint:"]);
        assert_eq!(target.count("novel_jobs"), left);
        target.expire_lease();
    }
    rehearsal.place.expect(0, &[&back[..], &["--edited", "keep"]].concat());
    assert_eq!(target.count("novel_jobs"), 1);
}

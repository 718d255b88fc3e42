//! Live targets that were made anew, and such that runs of several machines write to: a run is taken
//! back in the collections that it wrote to, and not where another run may count on its documents.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::doc;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use common::plant;
use live::{Database, Server};
use rehearsal::{APPLY, Rehearsal};

/// A source, and an empty target.
fn scene(documents: u32) -> Option<(Rehearsal, Database)> {
    let server = Server::shared()?;
    let rehearsal = Rehearsal::new(documents, "small");
    let target = rehearsal.target(&server);
    Some((rehearsal, target))
}

/// The command of a run into it.
fn run<'a>(target: &'a Database, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", "jobs.bson", &target.uri], &APPLY[..], more].concat()
}

#[test]
fn what_stands_in_collections_that_were_made_anew_is_not_taken_back() {
    let Some((rehearsal, target)) = scene(40) else { return };
    let place = &rehearsal.place;
    place.expect(0, &run(&target, &[]));
    let first = place.run();
    target.command(doc! { "dropDatabase": 1 });
    place.expect(0, &["indexes", "up", &target.uri]);
    place.expect(0, &run(&target, &["--runs-dir", "elsewhere"]));
    let before = target.content();
    for more in [&[][..], &["--apply"], &["--apply", "--edited", "keep"]] {
        let told = place.expect(3, &[&["rollback", first.as_str()], more].concat());
        // The collections are others, and they name a later run.
        told.says(&["hint:"]);
        assert!(target.content() == before, "{more:?}");
    }
}

#[test]
fn a_run_that_is_resumed_elsewhere_leaves_nothing_there() {
    let Some((rehearsal, target)) = scene(200) else { return };
    let place = &rehearsal.place;
    let slow = ["--batch-docs", "10", "--max-docs-per-s", "60"];
    let mut child = place.call(&run(&target, &slow)).spawn(false);
    common::until("some jobs are there", || target.count("novel_jobs") > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    target.command(doc! { "dropDatabase": 1 });
    place.expect(0, &["indexes", "up", &target.uri]);
    let id = place.run();
    for command in [&["resume", id.as_str()][..], &["rollback", &id, "--apply"]] {
        place.expect(3, command).says(&["wrote to another target", "hint:"]);
        assert!(!target.collections().contains(&"reshelve_runs".to_owned()), "{command:?}");
    }
}

/// The folder of a run on another machine is not there to be asked: the target names the run.
#[test]
fn a_run_is_not_taken_back_under_one_of_another_machine() {
    let Some((rehearsal, target)) = scene(40) else { return };
    let place = &rehearsal.place;
    place.expect(0, &run(&target, &[]));
    let first = place.run();
    for collection in ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"]
    {
        target.command(doc! { "delete": collection, "deletes": [{ "q": {}, "limit": 0 }] });
    }
    place.expect(0, &run(&target, &["--runs-dir", "elsewhere", "--allow-existing"]));
    let later = place.tree("elsewhere");
    let id = later.keys().next().unwrap().split('/').next().unwrap().to_owned();
    let before = target.content();
    for more in [&[][..], &["--apply"]] {
        let told = place.expect(3, &[&["rollback", first.as_str()], more].concat());
        told.says(&[&id, "its run folder is not beside that of this one", "hint:"]);
    }
    plant(&later, &place.path(".reshelve/runs"));
    place.expect(3, &["rollback", &first, "--apply"]).says(&[&id, "written again 40 jobs"]);
    assert!(target.content() == before);
    place.expect(0, &["rollback", &id, "--apply"]);
    place.expect(0, &["rollback", &first, "--apply"]);
}

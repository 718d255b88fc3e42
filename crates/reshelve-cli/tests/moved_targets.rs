//! Targets that are somewhere else since, and others that are in their place: a run is taken back
//! where it wrote, and nowhere else.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::fs;
use std::os::unix::fs::symlink;

use common::{Place, Tree, assert_same, plant};

/// A place with a source, and nothing else.
fn place() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "src.bson", "--documents", "20", "--size", "small"]);
    place
}

fn moved(place: &Place, from: &str, to: &str) {
    fs::rename(place.path(from), place.path(to)).unwrap();
}

/// Applies the source, and gives the id of the run.
fn applied(place: &Place, target: &str, more: &[&str]) -> String {
    let run = ["run", "src.bson", target, "--apply", "--in-flight", "include"];
    place.expect(0, &[&run[..], more].concat());
    place.runs().pop().unwrap()
}

/// Neither a look nor a rollback is done elsewhere, whatever is decided on edited jobs.
fn is_refused(place: &Place, run: &str, says: &str, stays: &[&str]) {
    let before: Vec<Tree> = stays.iter().map(|folder| place.tree(folder)).collect();
    for more in [&[][..], &["--apply"], &["--apply", "--edited", "keep"]] {
        let told = place.expect(3, &[&["rollback", run][..], more].concat());
        told.says(&[says, "hint:"]);
    }
    for (folder, before) in stays.iter().zip(before) {
        assert_same(&place.tree(folder), &before, folder);
    }
}

#[test]
fn a_link_that_leads_elsewhere_since_does_not_lead_a_rollback_there() {
    let place = place();
    let other = applied(&place, "other", &[]);
    fs::create_dir(place.path("own")).unwrap();
    symlink("own", place.path("current")).unwrap();
    let run = applied(&place, "current", &[]);
    fs::remove_file(place.path("current")).unwrap();
    symlink("other", place.path("current")).unwrap();
    is_refused(&place, &run, "wrote to another target", &["own", "other"]);
    // By a copy of its folder, too.
    plant(&place.tree(&format!(".reshelve/runs/{run}")), &place.path("copy"));
    is_refused(&place, "./copy", "wrote to another target", &["own", "other"]);
    // Where the link leads back, it is taken back.
    fs::remove_file(place.path("current")).unwrap();
    symlink("own", place.path("current")).unwrap();
    place.expect(0, &["rollback", &run, "--apply"]);
    place.expect(0, &["verify", "src.bson", "other"]);
    place.expect(0, &["rollback", &other, "--apply"]);
}

#[test]
fn a_folder_that_took_the_place_of_another_is_not_taken_back() {
    let place = place();
    let run = applied(&place, "out", &[]);
    moved(&place, "out", "out-old");
    // Nothing is there: perhaps a disk that is not mounted.
    is_refused(&place, &run, "is not there", &["out-old"]);
    assert!(!place.path("out").exists());
    let later = applied(&place, "out-new", &[]);
    moved(&place, "out-new", "out");
    is_refused(&place, &run, "wrote to another target", &["out", "out-old"]);
    // Its own place is where its documents are, whatever that is called.
    moved(&place, "out", "out-new");
    moved(&place, "out-old", "out");
    place.expect(0, &["rollback", &run, "--apply"]);
    place.expect(0, &["verify", "src.bson", "out-new"]);
    place.expect(0, &["rollback", &later, "--apply"]);
}

/// What was put back from a copy is another folder, and no other run's.
#[test]
fn a_target_that_was_put_back_from_a_copy_is_taken_back() {
    let place = place();
    let run = applied(&place, "out", &[]);
    let backup = place.tree("out");
    fs::remove_dir_all(place.path("out")).unwrap();
    plant(&backup, &place.path("out"));
    place.expect(0, &["verify", "src.bson", "out"]);
    place.expect(0, &["rollback", &run, "--apply"]);
    let jobs = place.read("out/letswriteabook/novel_jobs.bson");
    assert!(jobs.is_empty(), "{} bytes are left", jobs.len());
    // Once more, after that: it is not said to be empty.
    let told = place.expect(0, &["rollback", &run, "--apply"]);
    assert!(told.stdout.contains("was rolled back already"), "{}", told.stdout);
    assert!(!told.stderr.contains("warning"), "{}", told.stderr);
    fs::remove_dir_all(place.path("out")).unwrap();
    plant(&backup, &place.path("out"));
    let told = place.expect(0, &["rollback", &run, "--apply"]);
    told.says(&["warning: what is at the target's place was made"]);
    place.expect(0, &["verify", "src.bson", "out"]);
}

#[test]
fn a_run_is_not_resumed_in_another_folder_and_makes_none() {
    let place = place();
    let whole = place.read("src.bson");
    place.write("cut.bson", &whole[..whole.len() - 10]);
    place.expect(1, &["run", "cut.bson", "out", "--apply", "--in-flight", "include"]);
    let id = place.run();
    moved(&place, "out", "out-moved");
    place.expect(3, &["resume", &id]).says(&["were expected", "hint:"]);
    assert!(!place.path("out").exists(), "a refused command makes nothing");
    applied(&place, "out-new", &[]);
    moved(&place, "out-new", "out");
    let before = place.tree("out");
    place.expect(3, &["resume", &id]).says(&["wrote to another target", "hint:"]);
    assert_same(&place.tree("out"), &before, "out");
    fs::remove_dir_all(place.path("out")).unwrap();
    moved(&place, "out-moved", "out");
    place.write("cut.bson", &whole);
    place.expect(0, &["resume", &id]);
}

#[test]
fn whoever_moved_a_side_is_told_what_to_do() {
    let place = place();
    let run = applied(&place, "target", &[]);
    moved(&place, "src.bson", "renamed.bson");
    place.expect(0, &["report", &run]).says(&["hint:", "renamed or moved, --source names"]);
    place.expect(0, &["report", &run, "--source", "renamed.bson"]);
    moved(&place, "renamed.bson", "src.bson");
    moved(&place, "target", "moved");
    place.expect(0, &["report", &run]).says(&["hint:", "renamed or moved, --target names"]);
    is_refused(&place, &run, "the target folder", &["moved"]);
    place.expect(3, &["rollback", &run]).says(&["give it its place back"]);
    moved(&place, "moved", "target");
    place.expect(0, &["rollback", &run, "--apply"]);
}

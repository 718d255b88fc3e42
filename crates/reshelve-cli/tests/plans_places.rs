//! The places of a plan are files and folders, whatever path leads to them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/planned.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod planned;
#[path = "common/taken_back.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod taken_back;

use std::fs;
use std::os::unix::fs::symlink;

use common::Place;
use planned::plan;
use taken_back::{checksums, place};

/// Saves a plan for one spelling of both places.
fn saved(place: &Place, source: &str, target: &str) {
    for name in ["plan.json", "plan.json.keys", "plan.json.used"] {
        drop(fs::remove_file(place.path(name)));
    }
    let save = ["--save-plan", "plan.json", "--in-flight", "include"];
    place.expect(0, &[&["run", source, target][..], &save].concat());
}

/// Carries it out with another.
fn carried_out(place: &Place, code: i32, source: &str, target: &str) -> common::Told {
    place.expect(code, &["run", source, target, "--plan", "plan.json", "--apply"])
}

/// A place with a source and with links to it; there is no target yet.
fn scene() -> Place {
    let place = place();
    for folder in ["sub", "real", "other"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    symlink("jobs.bson", place.path("link.bson")).unwrap();
    symlink(place.path(""), place.path("sub/up")).unwrap();
    symlink("real", place.path("linked")).unwrap();
    place
}

#[test]
fn other_paths_to_the_same_places_are_the_same_places() {
    let absolute = |place: &Place, name: &str| place.path(name).to_str().unwrap().to_owned();
    for at in 0..6 {
        let place = scene();
        let [source, target] = ["jobs.bson", "real/target"].map(|name| absolute(&place, name));
        let (before, after) = match at {
            0 => (["sub/../jobs.bson", "sub/../real/target"], [source.as_str(), target.as_str()]),
            1 => {
                ([source.as_str(), target.as_str()], ["./sub/../jobs.bson", "sub/../real//target/"])
            }
            2 => (["jobs.bson", "real/target"], ["link.bson", "linked/target"]),
            3 => (["link.bson", "linked/target"], ["sub/up/jobs.bson", "sub/up/real/target"]),
            4 => (["jobs.bson", "linked/target"], ["jobs.bson", "real/target"]),
            _ => (["sub/up/link.bson", "sub/up/linked/target"], ["jobs.bson", "real/target"]),
        };
        saved(&place, before[0], before[1]);
        carried_out(&place, 0, after[0], after[1]);
        fs::rename(place.path("real/target"), place.path("target")).unwrap();
        assert_eq!(checksums(&place), plan(&place)["reaches"]);
    }
}

#[test]
fn another_place_is_another_one_however_it_is_called() {
    let place = scene();
    fs::copy(place.path("jobs.bson"), place.path("other/jobs.bson")).unwrap();
    saved(&place, "jobs.bson", "real/target");
    // The same content elsewhere: the message has both paths as they were typed.
    let told = carried_out(&place, 3, "sub/../other/jobs.bson", "real/target");
    told.says(&["1 part changed", "source: ", "sub/../other/jobs.bson, collection jobs now"]);
    let told = carried_out(&place, 3, "jobs.bson", "linked/../other/target");
    told.says(&["1 part changed", "target: ", "linked/../other/target/letswriteabook"]);
    // A link that leads elsewhere since.
    saved(&place, "link.bson", "linked/target");
    fs::remove_file(place.path("linked")).unwrap();
    symlink("other", place.path("linked")).unwrap();
    carried_out(&place, 3, "link.bson", "real/target").says(&["1 part changed", "target: "]);
}

/// The use of a plan is kept beside the file itself.
#[test]
fn a_plan_that_was_used_by_a_link_is_used() {
    let place = scene();
    saved(&place, "jobs.bson", "target");
    symlink("../plan.json", place.path("sub/plan.json")).unwrap();
    let by_link = ["run", "jobs.bson", "target", "--plan", "sub/plan.json", "--apply"];
    place.expect(0, &by_link);
    fs::remove_dir_all(place.path("target")).unwrap();
    carried_out(&place, 3, "jobs.bson", "target").says(&["was used by the run"]);
    place.expect(3, &by_link).says(&["was used by the run"]);
}

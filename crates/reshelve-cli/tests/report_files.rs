//! The files of a report in a folder in which there is something already: nothing that `report` did
//! not write is changed, and an earlier report stays whole.
//!
//! The short form kills at some points of each kind; `RESHELVE_FAULTS=all` at each.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/killing.rs"]
mod killing;

use std::fs;
use std::os::unix::fs::symlink;

use common::{Place, Tree, plant, refused, strace_is_there, with};
use killing::{is_long, killer, points};

const REPORT: [&str; 5] = ["report", "latest", "--out", "out", "--bundle"];
/// Of the points of one kind, about this many are tried in the short form.
const SHORT: usize = 6;

/// A place with a run.
fn ran() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "source.bson", "--documents", "6", "--size", "small"]);
    let run = ["run", "source.bson", "target", "--apply", "--in-flight", "include"];
    place.expect(0, &run);
    place
}

/// The files of a report; of a pack only whether it is there.
fn files(place: &Place, folder: &str) -> Tree {
    let mut tree = place.tree(folder);
    tree.retain(|name, _| !name.contains('/'));
    tree
}

#[test]
fn a_file_that_no_report_wrote_is_not_written_over() {
    let place = ran();
    let pack = format!("evidence-{}.tar.gz", place.run());
    let names = ["report.html", "report.md", "report-data.json", pack.as_str()];
    fs::create_dir(place.path("out")).unwrap();
    for name in names {
        let path = format!("out/{name}");
        place.write(&path, b"# Notes of somebody else\n\nRun `latest` took an hour.\n");
        refused(&place, &REPORT, &[&path, "`report` did not write it", "--out"]);
        fs::remove_file(place.path(&path)).unwrap();
        symlink(place.path("nowhere"), place.path(&path)).unwrap();
        place.expect(3, &REPORT).says(&["`report` did not write it"]);
        assert!(!place.path("nowhere").exists(), "{name}");
        fs::remove_file(place.path(&path)).unwrap();
        fs::create_dir(place.path(&path)).unwrap();
        refused(&place, &REPORT, &["`report` did not write it"]);
        fs::remove_dir(place.path(&path)).unwrap();
    }
    fs::create_dir(place.path("out/earlier-unfinished")).unwrap();
    place.write("out/earlier-unfinished/notes.txt", b"mine");
    refused(&place, &REPORT, &["notes.txt is there, and `report` did not write it"]);
    fs::remove_dir_all(place.path("out/earlier-unfinished")).unwrap();
    place.write("out/evidence-of-others.tar.gz", b"theirs");
    place.expect(0, &REPORT);
    place.expect(0, &REPORT);
    assert_eq!(place.read("out/evidence-of-others.tar.gz"), b"theirs");
    assert!(!place.tree("out").contains_key("earlier-1/evidence-of-others.tar.gz"));
}

/// Somebody may have signed it.
#[test]
fn an_earlier_report_is_kept_whole_whatever_was_added_to_it() {
    let place = ran();
    place.expect(0, &REPORT);
    let mut signed = String::from_utf8(place.read("out/report.md")).unwrap();
    signed.push_str("\nSigned: somebody\n");
    place.write("out/report.md", signed.as_bytes());
    let before = files(&place, "out");
    assert_eq!(before.len(), 4, "{:?}", before.keys());
    place.expect(0, &REPORT);
    assert!(files(&place, "out/earlier-1") == before, "the earlier report is as it was");
    assert_eq!(files(&place, "out").len(), 4);
    // A dry run's report, and one of a run that was not compared, are reports too.
    fs::rename(place.path("source.bson"), place.path("moved.bson")).unwrap();
    place.expect(0, &REPORT);
    place.expect(0, &REPORT);
    assert_eq!(files(&place, "out/earlier-3").len(), 4);
}

#[test]
fn two_reports_at_once_do_not_mix() {
    let place = ran();
    place.expect(0, &REPORT);
    let lock = fs::File::create(place.path("out/.reshelve-report.lock")).unwrap();
    lock.lock().unwrap();
    let before = place.tree("out");
    place.expect(3, &REPORT).says(&["another `report` is writing into out", "hint:"]);
    assert!(place.tree("out") == before, "nothing has changed");
    drop(lock);
    // What a report that was killed leaves locked by nobody keeps nobody out.
    let mut reports: Vec<_> = (0..4).map(|_| place.call(&REPORT).spawn(false)).collect();
    let codes: Vec<_> = reports.iter_mut().map(|it| it.wait().unwrap().code()).collect();
    assert_eq!(codes, [Some(0); 4]);
    assert_whole(&place, 5);
}

/// So many reports are there, each of them whole, and nothing else is.
fn assert_whole(place: &Place, reports: usize) {
    let tree = place.tree("out");
    assert_eq!(tree.len(), 4 * reports + reports - 1, "{:?}", tree.keys());
    for number in 1..reports {
        assert_eq!(files(place, &format!("out/earlier-{number}")).len(), 4);
    }
}

#[test]
fn a_report_that_is_killed_loses_and_mixes_nothing() {
    if !strace_is_there() {
        return;
    }
    let place = ran();
    place.expect(0, &with(&REPORT, &["--with-texts"]));
    let before = place.tree("out");
    let first = files(&place, "out");
    let points = points(&place, &REPORT, 0);
    let mut tried = 0;
    for (effect, points) in points {
        let step = if is_long() { 1 } else { (points.len() / SHORT).max(1) };
        // The last calls of a kind are those in the folder.
        for point in points.into_iter().rev().step_by(step) {
            fs::remove_dir_all(place.path("out")).unwrap();
            plant(&before, &place.path("out"));
            let told = place.call_through(&killer(effect, point).line(), &REPORT).finish();
            if told.code.is_some() {
                continue;
            }
            tried += 1;
            place.expect(0, &REPORT);
            let is_first = |folder: &str| files(&place, folder) == first;
            assert!(is_first("out/earlier-1"), "{effect} {point}: {:?}", place.tree("out").keys());
            assert_eq!(files(&place, "out").len(), 4, "{effect} {point}");
            assert!(!is_first("out"), "{effect} {point}");
        }
    }
    assert!(tried > 20, "{tried}");
}

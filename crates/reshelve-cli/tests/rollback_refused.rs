//! Where a rollback cannot know what is the run's own, nothing is taken back.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/killing.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod killing;
#[path = "common/taken_back.rs"]
mod taken_back;

use common::documents::spoiled;
use common::{Place, assert_same, split, strace_is_there, with};
use killing::killer;
use taken_back::{
    COLLECTIONS, add_event_like, applied, document, place, roll_back, store, stored, text,
};

#[test]
fn a_dry_run_has_nothing_to_take_back() {
    let place = place();
    place.expect(0, &["run", "jobs.bson", "target"]);
    place.expect(3, &["rollback", "latest", "--apply"]).says(&["was a dry run", "hint:"]);
    place.expect(2, &["rollback", "nobody"]).says(&["there is no run"]);
    place.expect(2, &["rollback", "latest", "--edited", "discard"]).says(&["discard=N"]);
}

/// Without what the run wrote down nobody knows what is its own.
#[test]
fn a_run_folder_that_was_damaged_is_refused() {
    let place = place();
    let run = applied(&place, 0, "jobs.bson", &[]);
    let target = place.tree("target");
    let journal = format!(".reshelve/runs/{run}/journal.bin");
    let whole = place.read(&journal);
    for left in [None, Some(&whole[..640]), Some(&[])] {
        match left {
            Some(left) => place.write(&journal, left),
            None => std::fs::remove_file(place.path(&journal)).unwrap(),
        }
        for more in [&[][..], &["--apply"]] {
            place.expect(1, &with(&["rollback", &run], more)).says(&["journal.bin"]);
        }
        assert_same(&place.tree("target"), &target, "nothing is changed");
    }
    place.write(&journal, &whole);
    roll_back(&place, 0, &run, &["--apply"]);
}

/// Where another run took over, the lengths of the first one say nothing of what lies there.
#[test]
fn what_another_run_wrote_after_a_take_over_stays() {
    let place = place();
    let mut documents = split(&place.read("jobs.bson"));
    documents[9] = spoiled(&documents[9]);
    place.write("jobs.bson", &documents.concat());
    let run = applied(&place, 4, "jobs.bson", &["--fail-fast", "--batch-docs", "2"]);
    let other = applied(&place, 0, "second.bson", &["--take-over"]);
    let target = place.tree("target");
    for more in [&[][..], &["--apply"]] {
        let told = place.expect(3, &with(&["rollback", &run], more));
        told.says(&[&other, "has taken over", "hint:", "take that run back first"]);
        assert_same(&place.tree("target"), &target, "taken over");
    }
    // Neither is what somebody else appended to a target of a run that was stopped.
    std::fs::remove_dir_all(place.path("target")).unwrap();
    let run = applied(&place, 4, "jobs.bson", &["--fail-fast", "--batch-docs", "2"]);
    let mut metrics = stored(&place, "novel_job_metrics");
    let mut foreign = metrics[0].clone();
    let job = foreign.windows(6).position(|window| window == b"jobId\0").unwrap() + 10;
    foreign[job] = b'z';
    metrics.push(foreign);
    store(&place, "novel_job_metrics", &metrics);
    let collections = || COLLECTIONS.map(|collection| stored(&place, collection));
    let before = collections();
    place.expect(3, &["rollback", &run, "--apply"]).says(&["that the journal", "hint:"]);
    assert!(collections() == before);
    // An event of one of its jobs is not the run's either.
    store(&place, "novel_job_metrics", &before[2][..before[2].len() - 1]);
    add_event_like(&place, &stored(&place, "novel_job_events")[0]);
    let before = collections();
    place.expect(3, &["rollback", &run, "--apply"]).says(&["hint:"]);
    assert!(collections() == before);
}

/// The run that took over counts what it found there, even where it wrote nothing itself.
#[test]
fn what_another_run_counts_as_unchanged_after_a_take_over_stays() {
    for form in [&[][..], &["--gzip"]] {
        let place = place();
        let whole = place.read("jobs.bson");
        let mut documents = split(&whole);
        documents[9] = spoiled(&documents[9]);
        place.write("jobs.bson", &documents.concat());
        let stops = ["--fail-fast", "--batch-docs", "2"];
        let run = applied(&place, 4, "jobs.bson", &with(form, &stops));
        let (stopped, sums) = (place.tree("target"), taken_back::checksums(&place));
        place.write("written.bson", &documents[..8].concat());
        let other = applied(&place, 0, "written.bson", &with(form, &["--take-over"]));
        let target = place.tree("target");
        for more in [&[][..], &["--apply"]] {
            let told = place.expect(3, &with(&["rollback", &run], more));
            told.says(&[&other, "has taken over", "take that run back first"]);
            assert_same(&place.tree("target"), &target, "taken over");
        }
        roll_back(&place, 0, &other, &["--apply"]);
        assert_eq!(taken_back::checksums(&place), sums);
        if form.is_empty() {
            assert!(stopped.iter().all(|(name, bytes)| name.contains(".reshelve.lock")
                || place.tree("target").get(name) == Some(bytes)));
            roll_back(&place, 0, &run, &["--apply"]);
            assert_eq!(taken_back::checksums(&place)["novel_jobs"]["documents"], 0);
        }
    }
}

/// A rollback that was killed when the jobs were gone and their events not, and its run.
fn half_taken_back() -> Option<(Place, String)> {
    for point in 1..8 {
        let place = place();
        let run = applied(&place, 0, "jobs.bson", &[]);
        let rollback = ["rollback", &run, "--apply"];
        let killed = place.call_through(&killer("ftruncate", point).line(), &rollback).finish();
        if killed.code == Some(0) {
            return None;
        }
        let status = document(&place.expect(0, &["status", &run, "--json"]));
        let is_half = status["state"] == "rolling-back"
            && stored(&place, "novel_jobs").is_empty()
            && !stored(&place, "novel_job_events").is_empty();
        if is_half {
            return Some((place, run));
        }
    }
    None
}

/// What others did to the events of a job whose document is taken back already is an edit: nothing
/// tells whether they changed what they left.
#[test]
fn events_that_somebody_removed_beside_a_rollback_wait_for_a_decision() {
    if !strace_is_there() {
        return;
    }
    for decision in ["keep", "discard=1"] {
        let (place, run) = half_taken_back().expect("a point between jobs and events");
        let mut events = stored(&place, "novel_job_events");
        let job = text(&events[0], "jobId").to_vec();
        assert!(events.iter().filter(|event| text(event, "jobId") == job).count() > 1);
        events.remove(0);
        store(&place, "novel_job_events", &events);
        let told = roll_back(&place, 3, &run, &["--apply"]);
        assert_eq!((&told["ended"], &told["jobs"]["edited"]), (&"undecided".into(), &1.into()));
        roll_back(&place, 3, &run, &["--apply", "--edited", "discard=2"]);
        let told = roll_back(&place, 0, &run, &["--apply", "--edited", decision]);
        assert_eq!(told["ended"], "rolled-back");
        let left = stored(&place, "novel_job_events");
        let discarded = place.tree(&format!(".reshelve/runs/{run}")).remove("discarded.bson");
        let discarded = discarded.map(|bytes| split(&bytes)).unwrap_or_default();
        let kept = if decision == "keep" { left } else { discarded };
        assert!(!kept.is_empty(), "{decision}");
        assert!(kept.iter().all(|event| text(event, "jobId") == job), "{decision}");
    }
}

/// What is not where the run had written it is not gone.
#[test]
fn a_target_that_was_moved_or_packed_is_refused() {
    let place = place();
    let run = applied(&place, 0, "jobs.bson", &[]);
    let path = place.path("target/letswriteabook/novel_jobs.bson");
    let moved = place.path("target/letswriteabook/elsewhere");
    std::fs::rename(&path, &moved).unwrap();
    for more in [&[][..], &["--apply"]] {
        let told = place.expect(3, &with(&["rollback", &run], more));
        told.says(&["novel_jobs.bson is not there", "hint:"]);
    }
    std::fs::rename(&moved, &path).unwrap();
    let target = place.path("target");
    std::fs::rename(&target, place.path("elsewhere")).unwrap();
    place.expect(3, &["rollback", &run, "--apply"]).says(&["is not there"]);
    assert!(!target.exists(), "nothing is made");
    std::fs::rename(place.path("elsewhere"), &target).unwrap();
    roll_back(&place, 0, &run, &["--apply"]);
}

/// What is left then is a target that no command reads, with all the jobs in it.
#[test]
fn a_target_in_two_forms_is_not_taken_back() {
    let place = place();
    let run = applied(&place, 0, "jobs.bson", &[]);
    let jobs = "target/letswriteabook/novel_jobs.bson";
    let compressed = format!("{jobs}.gz");
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut member, &place.read(jobs)).unwrap();
    place.write(&compressed, &member.finish().unwrap());
    let target = place.tree("target");
    for more in [&[][..], &["--apply"]] {
        place.expect(3, &with(&["rollback", &run], more)).says(&["two forms", "hint:"]);
        assert_same(&place.tree("target"), &target, "nothing is changed");
    }
    std::fs::remove_file(place.path(&compressed)).unwrap();
    roll_back(&place, 0, &run, &["--apply"]);
}

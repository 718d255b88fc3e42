//! What a run wrote is taken back, and nothing else.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/taken_back.rs"]
mod taken_back;

use common::documents::spoiled;
use common::{Place, assert_same, split, with};
use serde_json::json;
use taken_back::{
    COLLECTIONS, add_event_like, applied, checksums, document, place, roll_back, store, stored,
    text,
};

#[test]
fn a_target_that_was_empty_is_empty_again() {
    for form in [&[][..], &["--gzip"], &["--zstd"]] {
        let place = place();
        let run = applied(&place, 0, "jobs.bson", form);
        let (target, sums) = (place.tree("target"), checksums(&place));
        let told = roll_back(&place, 0, "latest", &[]);
        let jobs = json!({ "deleted": 12, "put_back": 0, "edited": 0, "kept": 0, "gone": 0 });
        assert_eq!((&told["jobs"], &told["applied"]), (&jobs, &json!(false)));
        assert_same(&place.tree("target"), &target, "a dry run changes nothing");
        let told = roll_back(&place, 0, "latest", &["--apply"]);
        assert_eq!((&told["jobs"], &told["run"]), (&jobs, &json!(run)));
        let documents = COLLECTIONS.iter().map(|name| sums[name]["documents"].as_u64().unwrap());
        assert_eq!(told["documents"]["deleted"], documents.sum::<u64>());
        for name in COLLECTIONS {
            assert_eq!(checksums(&place)[name]["documents"], 0);
        }
        // It is done, and the run is at its end.
        let again = roll_back(&place, 0, &run, &["--apply"]);
        assert_eq!((&again["ended"], &again["jobs"]), (&json!("already"), &jobs));
        place.expect(3, &["resume", &run]).says(&["it was rolled back", "hint:"]);
        let told = place.expect(0, &["status", &run, "--json"]);
        assert_eq!(document(&told)["state"], "rolled-back");
        assert!(!place.expect(0, &["runs"]).stderr.contains("Next:"), "nothing comes after that");
        let told = place.expect(0, &["report", &run, "--json", "--out", "report"]);
        assert_eq!(document(&told)["verdict"]["word"], "not-checked");
        assert!(document(&told)["verdict"]["sentence"].to_string().contains("rolled back"));
        // The target can be written again, and nobody follows the run that is gone.
        let next = applied(&place, 0, "jobs.bson", form);
        assert_eq!(checksums(&place), sums);
        let told = document(&place.expect(0, &["verify", "jobs.bson", "target", "--json"]));
        assert_eq!(told["runs"], json!([next]));
    }
}

#[test]
fn what_was_there_before_is_there_byte_for_byte() {
    for form in [&[][..], &["--gzip"]] {
        let place = place();
        applied(&place, 0, "first.bson", form);
        let before = place.tree("target");
        // The other half is new; the first one is unchanged.
        let run = applied(&place, 0, "jobs.bson", &with(form, &["--allow-existing"]));
        let told = roll_back(&place, 0, &run, &["--apply"]);
        assert_eq!(told["jobs"]["deleted"], 6);
        assert_same(&place.tree("target"), &before, "as before");
    }
}

#[test]
fn earlier_versions_are_put_back() {
    for form in [&[][..], &["--gzip"]] {
        let place = place();
        applied(&place, 0, "old.bson", form);
        let before = checksums(&place);
        let run = applied(&place, 0, "jobs.bson", &with(form, &["--replace"]));
        let ran = document(&place.expect(0, &["status", &run, "--json"]));
        let told = roll_back(&place, 0, &run, &[]);
        // Those that were the same are not the run's.
        let replaced = 8 - ran["documents"]["unchanged"].as_u64().unwrap();
        let jobs = json!({ "deleted": 4, "put_back": replaced, "edited": 0, "kept": 0, "gone": 0 });
        assert_eq!(told["jobs"], jobs);
        let told = roll_back(&place, 0, &run, &["--apply"]);
        assert_eq!(told["jobs"], jobs);
        assert!(told["documents"]["put_back"].as_u64() >= Some(replaced), "{told}");
        assert_eq!(checksums(&place), before);
    }
    // Without them there is no way back.
    let place = place();
    applied(&place, 0, "old.bson", &[]);
    let run = applied(&place, 0, "jobs.bson", &["--replace"]);
    for collection in ["novel_jobs", "novel_job_metrics"] {
        let undo = format!(".reshelve/runs/{run}/undo/{collection}.bson");
        let kept = place.read(&undo);
        let documents = split(&kept);
        for left in [documents[1..].concat(), kept[..kept.len() - 3].to_vec()] {
            place.write(&undo, &left);
            let target = place.tree("target");
            place.expect(3, &["rollback", &run, "--apply"]).says(&["hint:"]);
            assert_same(&place.tree("target"), &target, collection);
        }
        place.write(&undo, &kept);
    }
    roll_back(&place, 0, &run, &["--apply"]);
}

#[test]
fn what_later_runs_wrote_stays() {
    let place = place();
    let first = applied(&place, 0, "first.bson", &[]);
    let second = applied(&place, 0, "second.bson", &["--allow-existing"]);
    let told = roll_back(&place, 0, &first, &["--apply"]);
    assert_eq!(told["jobs"]["deleted"], 6);
    let verify = ["verify", "second.bson", "target", "--json"];
    let found = document(&place.expect(0, &verify));
    assert_eq!((&found["runs"], &found["verdict"]), (&json!([second]), &json!("holds")));
    roll_back(&place, 0, &second, &["--apply"]);
    assert_eq!(checksums(&place)["novel_jobs"]["documents"], 0);
}

#[test]
fn documents_that_were_there_of_a_job_stay() {
    let place = place();
    applied(&place, 0, "jobs.bson", &[]);
    // As a tool leaves it that lost some of the documents.
    let mut lost = [0; 4];
    for (at, collection) in COLLECTIONS.into_iter().enumerate() {
        let all = stored(&place, collection);
        let stays = |place: usize| match collection {
            "novel_job_events" => place % 3 != 1,
            "novel_jobs" => place.is_multiple_of(2),
            "novel_job_metrics" => !place.is_multiple_of(5),
            _ => true,
        };
        let kept = all.iter().enumerate().filter(|(place, _)| stays(*place));
        let kept: Vec<Vec<u8>> = kept.map(|(_, document)| document.clone()).collect();
        lost[at] = all.len() - kept.len();
        store(&place, collection, &kept);
    }
    let before = place.tree("target");
    let run = applied(&place, 0, "jobs.bson", &["--allow-existing"]);
    let told = roll_back(&place, 0, &run, &["--apply"]);
    assert_eq!(told["documents"]["deleted"], lost.iter().sum::<usize>());
    assert_same(&place.tree("target"), &before, "as before");
    // They stay even if the job was edited, and what the run added is discarded.
    let run = applied(&place, 0, "jobs.bson", &["--allow-existing"]);
    add_event_like(&place, &stored(&place, "novel_job_events")[0]);
    roll_back(&place, 0, &run, &["--apply", "--edited", "discard=1"]);
    assert_eq!(
        place.tree("target")["letswriteabook/novel_jobs.bson"],
        before["letswriteabook/novel_jobs.bson"]
    );
}

/// A target in which three jobs were changed: one has another status, one an event more, and one
/// lost its metrics.
fn edited(form: &[&str]) -> (Place, String, Vec<Vec<u8>>) {
    let place = place();
    let run = applied(&place, 0, "jobs.bson", form);
    let mut jobs = stored(&place, "novel_jobs");
    let ids: Vec<Vec<u8>> = jobs.iter().map(|job| text(job, "jobId").to_vec()).collect();
    let at = jobs[1].windows(8).position(|window| window == b"\x02status\0").unwrap() + 12;
    jobs[1][at] ^= 1;
    store(&place, "novel_jobs", &jobs);
    let events = stored(&place, "novel_job_events");
    add_event_like(&place, events.iter().rfind(|it| text(it, "jobId") == ids[4]).unwrap());
    let mut metrics = stored(&place, "novel_job_metrics");
    metrics.retain(|it| text(it, "jobId") != ids[7]);
    store(&place, "novel_job_metrics", &metrics);
    (place, run, ids)
}

/// A document with another title of the same length.
fn retitled(document: &[u8]) -> Vec<u8> {
    let name = b"\x02title\0";
    let mut retitled = document.to_vec();
    if let Some(at) = document.windows(name.len()).position(|window| window == name) {
        retitled[at + name.len() + 4] ^= 1;
    }
    retitled
}

#[test]
fn the_path_of_an_edit_is_told_as_long_as_it_is_known_what_the_run_wrote() {
    let place = place();
    let run = applied(&place, 0, "jobs.bson", &[]);
    let mut jobs = stored(&place, "novel_jobs");
    jobs[2] = retitled(&jobs[2]);
    store(&place, "novel_jobs", &jobs);
    let path = || roll_back(&place, 3, &run, &[])["edited"][0]["path"].clone();
    // A title comes back as edited: only the source knows the one before.
    assert_eq!(path(), "payload.title");
    let told = place.expect(3, &["rollback", &run]);
    assert!(told.stdout.contains("novel_jobs was changed: payload.title"), "{}", told.stdout);
    // Another source knows nothing of it, and neither does one that is gone.
    let source = place.read("jobs.bson");
    let other: Vec<u8> = common::split(&source).iter().flat_map(|it| retitled(it)).collect();
    place.write("jobs.bson", &other);
    assert!(path().is_null());
    std::fs::remove_file(place.path("jobs.bson")).unwrap();
    assert!(path().is_null());
}

#[test]
fn jobs_that_somebody_changed_wait_for_a_decision() {
    let (place, run, ids) = edited(&[]);
    let target = place.tree("target");
    for more in [&[][..], &["--apply"], &["--apply", "--edited", "discard=2"]] {
        let told = roll_back(&place, 3, &run, more);
        assert_eq!((&told["applied"], &told["jobs"]["edited"]), (&json!(false), &json!(3)));
        let mut found: Vec<(String, String)> = Vec::new();
        for edited in told["edited"].as_array().unwrap() {
            let what = format!("{} {}", edited["collection"], edited["what"]).replace('"', "");
            let path = edited["path"].as_str().unwrap_or("nowhere").split(' ').next().unwrap();
            let what = format!("{what} at {path}");
            found.push((edited["job"].as_str().unwrap().to_owned(), what));
        }
        for (at, what) in [
            (1, "novel_jobs was changed at status"),
            (4, "novel_job_events holds a document of it that the run did not write at _id"),
            (7, "novel_job_metrics is missing at nowhere"),
        ] {
            let expected = (String::from_utf8(ids[at].clone()).unwrap(), what.to_owned());
            assert!(found.contains(&expected), "{expected:?} is not in {found:?}");
        }
        assert_same(&place.tree("target"), &target, "nothing is changed");
    }
    place.expect(3, &["rollback", &run, "--apply"]).says(&["hint:", "--edited discard=3"]);
    // A wrong number is told with the right one, and how to see which they are.
    let told = place.expect(3, &["rollback", &run, "--apply", "--edited", "discard=2"]);
    let list = format!("`reshelve rollback {run}` lists them");
    told.says(&["error: --edited discard=2 was given", "3 jobs were changed", "hint:", &list, "3"]);
    place.expect(0, &["resume", &run]);
    // The other jobs go.
    let told = roll_back(&place, 0, &run, &["--apply", "--edited", "keep"]);
    let jobs = json!({ "deleted": 9, "put_back": 0, "edited": 3, "kept": 3, "gone": 0 });
    assert_eq!(told["jobs"], jobs);
    let left: Vec<Vec<u8>> =
        stored(&place, "novel_jobs").iter().map(|job| text(job, "jobId").to_vec()).collect();
    assert_eq!(left, [ids[1].clone(), ids[4].clone(), ids[7].clone()]);
    let status = place.expect(0, &["status", &run]).stdout;
    assert!(status.contains("taken back since, but for 3 jobs that somebody edited"), "{status}");
}

#[test]
fn what_is_discarded_is_kept_in_the_run_folder() {
    let (place, run, ids) = edited(&[]);
    let mut lost: Vec<Vec<u8>> = Vec::new();
    for collection in COLLECTIONS {
        let all = stored(&place, collection).into_iter();
        lost.extend(all.filter(|it| [1, 4, 7].iter().any(|at| text(it, "jobId") == ids[*at])));
    }
    let told = roll_back(&place, 0, &run, &["--apply", "--edited", "discard=3"]);
    let jobs = json!({ "deleted": 12, "put_back": 0, "edited": 3, "kept": 0, "gone": 0 });
    assert_eq!(told["jobs"], jobs);
    let mut copy = split(&place.read(&format!(".reshelve/runs/{run}/discarded.bson")));
    lost.sort();
    copy.sort();
    assert_eq!(copy, lost);
    for collection in COLLECTIONS {
        assert_eq!(stored(&place, collection).len(), 0, "{collection}");
    }
}

#[test]
fn jobs_that_somebody_deleted_are_gone() {
    let place = place();
    let run = applied(&place, 0, "jobs.bson", &[]);
    let job = text(&stored(&place, "novel_jobs")[3], "jobId").to_vec();
    for collection in COLLECTIONS {
        let mut left = stored(&place, collection);
        left.retain(|document| text(document, "jobId") != job);
        store(&place, collection, &left);
    }
    let told = roll_back(&place, 0, &run, &["--apply"]);
    let jobs = json!({ "deleted": 11, "put_back": 0, "edited": 0, "kept": 0, "gone": 1 });
    assert_eq!(told["jobs"], jobs);
}

/// The order of the documents is nobody's edit: other tools write them sorted.
#[test]
fn documents_in_another_order_are_as_they_were_written() {
    let place = place();
    let run = applied(&place, 0, "jobs.bson", &[]);
    for collection in COLLECTIONS {
        let mut documents = stored(&place, collection);
        documents.sort_by_key(|document| blake(document));
        store(&place, collection, &documents);
    }
    let told = roll_back(&place, 0, &run, &["--apply"]);
    assert_eq!((&told["jobs"]["deleted"], &told["jobs"]["edited"]), (&json!(12), &json!(0)));
}

/// Any order that has nothing to do with the documents.
fn blake(document: &[u8]) -> u64 {
    let sum = |sum: u64, byte: &u8| sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(*byte);
    document.iter().fold(0xcbf2_9ce4_8422_2325, sum)
}

#[test]
fn a_run_that_was_stopped_is_taken_back_as_far_as_it_came() {
    let gzip = &["--gzip"][..];
    for (form, replace) in [(&[][..], false), (gzip, false), (&[], true), (gzip, true)] {
        let place = place();
        let mut documents = split(&place.read("jobs.bson"));
        documents[9] = spoiled(&documents[9]);
        place.write("jobs.bson", &documents.concat());
        let mut more = vec!["--fail-fast", "--batch-docs", "2"];
        more.extend(form);
        if replace {
            applied(&place, 0, "old.bson", form);
            more.push("--replace");
        }
        let before = place.path("target").exists().then(|| checksums(&place));
        let run = applied(&place, 4, "jobs.bson", &more);
        let told = roll_back(&place, 0, &run, &[]);
        let jobs = |name: &str| told["jobs"][name].as_u64().unwrap();
        // Compressed, so few documents are written at the end only.
        assert_eq!(jobs("deleted") + jobs("put_back") > 0, form.is_empty(), "{told}");
        let told = roll_back(&place, 0, &run, &["--apply"]);
        assert_eq!(told["jobs"]["edited"], 0);
        match before {
            Some(before) => assert_eq!(checksums(&place), before),
            None => assert_eq!(checksums(&place)["novel_jobs"]["documents"], 0),
        }
        place.expect(3, &["resume", &run]).says(&["it was rolled back"]);
        // The lock is gone as well.
        applied(&place, 4, "jobs.bson", &with(form, &["--allow-existing"]));
    }
}

/// The jobs of a run were removed, and a later run wrote them anew: they are no longer the first
/// one's.
#[test]
fn what_a_later_run_wrote_again_is_not_taken_back() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "6", "--size", "small"]);
    let run = ["run", "jobs.bson", "target", "--apply", "--in-flight", "include"];
    place.expect(0, &run);
    let first = place.run();
    std::fs::remove_dir_all(place.path("target")).unwrap();
    place.expect(0, &run);
    let second = place.runs().into_iter().find(|it| *it != first).unwrap();
    let before = place.tree("target");
    for apply in [&["--apply"][..], &[]] {
        let told = place.expect(3, &[&["rollback", &first][..], apply].concat());
        told.says(&["has written again 6 jobs of this run", &format!("rollback {second}")]);
    }
    assert!(place.tree("target") == before);
    place.expect(0, &["rollback", &second, "--apply"]);
    place.expect(0, &["rollback", &first, "--apply"]);
    // What is taken back has no jobs that could be written again.
    place.expect(0, &run);
    let told = place.expect(0, &["rollback", &first, "--apply"]);
    assert!(told.stdout.contains("already"), "{}", told.stdout);
}

#[test]
fn the_next_command_names_the_run_that_was_looked_at() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "3", "--size", "small"]);
    place.expect(0, &["run", "jobs.bson", "target", "--apply", "--in-flight", "include"]);
    let told = place.expect(0, &["rollback", "latest"]);
    // Another run may be the latest one by then.
    let next = format!("Next: reshelve rollback {} --apply", place.run());
    assert!(told.stderr.contains(&next), "{}", told.stderr);
}

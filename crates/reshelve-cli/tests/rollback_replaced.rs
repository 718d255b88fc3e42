//! Jobs that a run replaced, and what the new application wrote to them before and since.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/taken_back.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod taken_back;

use common::{Place, assert_same, split, with};
use mongodb::bson::{RawDocumentBuf, doc};
use serde_json::json;
use taken_back::{applied, checksums, place, roll_back, store, stored, text};

/// An event of the new application.
fn event(id: &str, job: &[u8]) -> Vec<u8> {
    let job = String::from_utf8(job.to_vec()).unwrap();
    let emitted_at = "2026-01-01T00:00:00.000Z";
    let event = doc! { "_id": id, "jobId": job, "emittedAt": emitted_at, "event": { "at": id } };
    RawDocumentBuf::try_from(&event).unwrap().into_bytes()
}

fn add_event(place: &Place, event: &[u8]) {
    let name = "novel_job_events";
    let file = format!("target/letswriteabook/{name}.bson");
    if place.path(&file).exists() {
        store(place, name, &[stored(place, name), vec![event.to_vec()]].concat());
    } else {
        // Another member behind those that are there.
        let file = format!("{file}.gz");
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut member, event).unwrap();
        let bytes = [place.read(&file), member.finish().unwrap()].concat();
        place.write(&file, &bytes);
    }
}

/// A target with older versions and an event of the application for each, and a run that has
/// replaced some of them; the ids of two of these.
struct Replaced {
    place: Place,
    run: String,
    jobs: [Vec<u8>; 2],
    before: serde_json::Value,
    put_back: u64,
}

fn replaced(form: &[&str]) -> Replaced {
    let place = place();
    applied(&place, 0, "old.bson", form);
    let ids: Vec<Vec<u8>> = split(&place.read("old.bson")).iter().map(|it| job_of(it)).collect();
    for (at, job) in ids.iter().enumerate() {
        add_event(&place, &event(&format!("before-{at}"), job));
    }
    let before = checksums(&place);
    let run = applied(&place, 0, "jobs.bson", &with(form, &["--replace"]));
    let undo = split(&place.read(&format!(".reshelve/runs/{run}/undo/novel_jobs.bson")));
    let replaced: Vec<Vec<u8>> = undo.iter().map(|it| text(it, "jobId").to_vec()).collect();
    let jobs = [replaced[0].clone(), replaced[1].clone()];
    Replaced { place, run, jobs, before, put_back: replaced.len() as u64 }
}

/// The job id of a legacy document.
fn job_of(legacy: &[u8]) -> Vec<u8> {
    let id = reshelve_core::raw::Document::new(legacy).get("_id").unwrap();
    reshelve_core::raw::hex(id.bytes).into_bytes()
}

#[test]
fn events_that_stood_before_their_job_was_replaced_are_no_edit() {
    for form in [&[][..], &["--gzip"]] {
        let Replaced { place, run, before, put_back, .. } = replaced(form);
        let args = ["rollback", run.as_str(), "--apply", "--json"];
        let told = place.expect(0, &args);
        assert!(!told.stderr.contains("did not write"), "{}", told.stderr);
        let told = taken_back::document(&told);
        let jobs = json!({ "deleted": 4, "put_back": put_back, "edited": 0, "kept": 0, "gone": 0 });
        assert_eq!(told["jobs"], jobs);
        assert_eq!(checksums(&place), before);
    }
}

#[test]
fn an_event_that_came_since_a_job_was_replaced_waits_for_a_decision() {
    for form in [&[][..], &["--gzip"]] {
        let Replaced { place, run, jobs, .. } = replaced(form);
        add_event(&place, &event("since", &jobs[0]));
        let target = place.tree("target");
        for more in [&[][..], &["--apply"], &["--apply", "--edited", "discard=2"]] {
            let told = roll_back(&place, 3, &run, more);
            assert_eq!((&told["applied"], &told["jobs"]["edited"]), (&json!(false), &json!(1)));
            let edited = &told["edited"][0];
            assert_eq!(edited["job"], json!(String::from_utf8(jobs[0].clone()).unwrap()));
            assert_eq!(edited["collection"], "novel_job_events");
            assert_eq!(edited["what"], "holds a document of it that the run did not write");
            assert_same(&place.tree("target"), &target, "nothing is changed");
        }
    }
}

#[test]
fn a_replaced_job_with_such_an_event_is_kept_as_it_stands() {
    let Replaced { place, run, jobs, put_back, .. } = replaced(&[]);
    let since = event("since", &jobs[0]);
    add_event(&place, &since);
    let of_job = |name: &str| -> Vec<Vec<u8>> {
        let mut all = stored(&place, name);
        all.retain(|it| text(it, "jobId") == jobs[0]);
        all.sort();
        all
    };
    let before = taken_back::COLLECTIONS.map(of_job);
    let told = roll_back(&place, 0, &run, &["--apply", "--edited", "keep"]);
    let counts =
        json!({ "deleted": 4, "put_back": put_back - 1, "edited": 1, "kept": 1, "gone": 0 });
    assert_eq!(told["jobs"], counts);
    assert!(taken_back::COLLECTIONS.map(of_job) == before);
    assert!(stored(&place, "novel_job_events").contains(&since));
}

#[test]
fn such_an_event_is_discarded_with_a_copy_and_one_from_before_stays() {
    let Replaced { place, run, jobs, before, .. } = replaced(&[]);
    let since = event("since", &jobs[0]);
    add_event(&place, &since);
    let stood = stored(&place, "novel_job_events");
    let stood: Vec<&Vec<u8>> =
        stood.iter().filter(|it| text(it, "emittedAt").starts_with(b"2026")).collect();
    assert!(stood.len() > 2);
    roll_back(&place, 0, &run, &["--apply", "--edited", "discard=1"]);
    let copy = split(&place.read(&format!(".reshelve/runs/{run}/discarded.bson")));
    assert!(copy.contains(&since));
    let left = stored(&place, "novel_job_events");
    for event in stood {
        assert_eq!(left.contains(event), *event != since);
        assert_eq!(copy.contains(event), *event == since);
    }
    assert_eq!(checksums(&place), before);
}

#[test]
fn without_the_list_of_events_from_before_nothing_is_taken_back() {
    let Replaced { place, run, .. } = replaced(&[]);
    let path = format!(".reshelve/runs/{run}/undo/events-before.keys");
    let list = place.read(&path);
    let target = place.tree("target");
    let mut flipped = list.clone();
    flipped[3] ^= 1;
    for list in [None, Some(flipped), Some(list[16..].to_vec()), Some(list[..20].to_vec())] {
        match list {
            None => std::fs::remove_file(place.path(&path)).unwrap(),
            Some(list) => place.write(&path, &list),
        }
        for more in [&["--apply"][..], &["--apply", "--edited", "keep"]] {
            let told = place.expect(3, &[&["rollback", run.as_str()][..], more].concat());
            told.says(&["events-before.keys", "hint:", "backup"]);
        }
        assert_same(&place.tree("target"), &target, "nothing is changed");
    }
    place.write(&path, &list);
    roll_back(&place, 0, &run, &["--apply"]);
}

#[test]
fn an_earlier_version_that_was_damaged_is_not_put_back() {
    let Replaced { place, run, before, .. } = replaced(&[]);
    let target = place.tree("target");
    let undo = format!(".reshelve/runs/{run}/undo");
    for collection in taken_back::COLLECTIONS {
        let path = format!("{undo}/{collection}.bson");
        let whole = place.read(&path);
        let last = split(&whole).pop().unwrap().len();
        // A letter of a text, the last document, two documents in another order.
        let text = whole.windows(7).rposition(|it| it == b"\x02jobId\0").unwrap() + 12;
        let mut flipped = whole.clone();
        flipped[text] ^= 1;
        let mut swapped = split(&whole);
        swapped.rotate_left(1);
        let shorter = whole[..whole.len() - last].to_vec();
        let longer = [&whole[..], &whole[whole.len() - last..]].concat();
        for damaged in [flipped, shorter, longer, swapped.concat()] {
            place.write(&path, &damaged);
            for more in [&[][..], &["--apply"], &["--apply", "--edited", "keep"]] {
                let told = place.expect(3, &[&["rollback", run.as_str()][..], more].concat());
                told.says(&[&format!("{collection}.bson"), "hint:", "backup"]);
                assert_same(&place.tree("target"), &target, "nothing is changed");
            }
        }
        place.write(&path, &whole);
        let path = format!("{undo}/{collection}.keys");
        let whole = place.read(&path);
        std::fs::remove_file(place.path(&path)).unwrap();
        place.expect(3, &["rollback", &run, "--apply"]).says(&[".keys", "hint:"]);
        assert_same(&place.tree("target"), &target, "nothing is changed");
        place.write(&path, &whole);
    }
    roll_back(&place, 0, &run, &["--apply"]);
    assert_eq!(checksums(&place), before);
}

/// What a later run replaced comes back with that run: it is taken back first.
#[test]
fn a_run_of_which_a_later_one_replaced_documents_is_taken_back_after_it() {
    for form in [&[][..], &["--gzip"]] {
        let place = place();
        let older = applied(&place, 0, "old.bson", form);
        let before = checksums(&place);
        let later = applied(&place, 0, "jobs.bson", &with(form, &["--replace"]));
        let told = roll_back(&place, 3, &older, &[]);
        let edited = told["jobs"]["edited"].as_u64().unwrap();
        assert!(edited > 1, "{told}");
        // What is in the way of any decision is told before one is asked for.
        place.expect(3, &["rollback", &older]).says(&["note: whatever is decided", &later]);
        let target = place.tree("target");
        let discard = format!("discard={edited}");
        for decision in ["keep", discard.as_str()] {
            for more in [&[][..], &["--apply"]] {
                let args = ["rollback", older.as_str(), "--edited", decision];
                let told = place.expect(3, &[&args[..], more].concat());
                told.says(&[&later, "has replaced", "hint:", "take that run back first"]);
                assert_same(&place.tree("target"), &target, "nothing is changed");
            }
        }
        roll_back(&place, 0, &later, &["--apply"]);
        assert_eq!(checksums(&place), before);
        let told = roll_back(&place, 0, &older, &["--apply"]);
        assert_eq!(told["jobs"]["edited"], 0);
        assert_eq!(checksums(&place)["novel_jobs"]["documents"], 0);
    }
}

/// An earlier run that replaced, and one that was taken back, are in nobody's way.
#[test]
fn only_a_later_run_that_stands_has_to_be_taken_back_first() {
    let Replaced { place, run, jobs, .. } = replaced(&[]);
    let older = place.runs().remove(0);
    let since = event("since", &jobs[0]);
    add_event(&place, &since);
    roll_back(&place, 0, &run, &["--apply", "--edited", "keep"]);
    // The kept job is the later version still, and there is no other run to ask.
    let told = roll_back(&place, 3, &older, &["--apply"]);
    let edited = format!("discard={}", told["jobs"]["edited"]);
    roll_back(&place, 0, &older, &["--apply", "--edited", &edited]);
    assert_eq!(checksums(&place)["novel_jobs"]["documents"], 0);
}

/// It would stand beside the earlier version, under the same `_id`.
#[test]
fn an_earlier_version_waits_where_a_document_of_another_job_has_its_id() {
    let Replaced { place, run, jobs, .. } = replaced(&[]);
    for name in ["novel_job_metrics", "novel_job_metadata", "novel_jobs"] {
        let as_written = stored(&place, name);
        let mut documents = as_written.clone();
        let of_job = documents.iter_mut().find(|it| text(it, "jobId") == jobs[0]).unwrap();
        let at = of_job.windows(jobs[0].len()).position(|it| it == jobs[0]).unwrap();
        of_job[at..at + jobs[0].len()].reverse();
        store(&place, name, &documents);
        let target = place.tree("target");
        let told = place.expect(3, &["rollback", &run, "--apply", "--edited", "discard=1"]);
        told.says(&[name, "has the _id of the earlier version of the job", "hint:"]);
        assert_same(&place.tree("target"), &target, name);
        if name != "novel_jobs" {
            store(&place, name, &as_written);
        }
    }
    place.expect(0, &["rollback", &run, "--apply", "--edited", "keep"]);
}

//! Several runs into one target: which of them may be taken back, and what an unfinished one leaves.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::process::Command;

use common::{Place, Told, assert_same, split};
use mongodb::bson::Document;

const JOBS: &str = "target/letswriteabook/novel_jobs.bson";
const METRICS: &str = "target/letswriteabook/novel_job_metrics.bson";
const EVENTS: &str = "target/letswriteabook/novel_job_events.bson";

fn place() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "a.bson", "--documents", "10", "--size", "small"]);
    place
}

/// Applies a source, and gives the id of the run.
fn applied(place: &Place, source: &str, flag: &str) -> String {
    place.expect(0, &["run", source, "target", "--apply", "--in-flight", "include", flag]);
    place.runs().pop().unwrap()
}

/// The documents of a file, changed by somebody, and written again.
fn change(place: &Place, file: &str, change: impl FnOnce(&mut Vec<Document>)) {
    let read = |bytes: &Vec<u8>| Document::from_reader(&mut &bytes[..]).unwrap();
    let mut documents: Vec<Document> = split(&place.read(file)).iter().map(read).collect();
    change(&mut documents);
    let written: Vec<Vec<u8>> = documents.iter().map(|it| it.to_vec().unwrap()).collect();
    place.write(file, &written.concat());
}

fn rolled_back(place: &Place, code: i32, run: &str, more: &[&str]) -> Told {
    place.expect(code, &[&["rollback", run, "--apply"], more].concat())
}

/// What a later run replaced, or completed, looks as the earlier one wrote it.
#[test]
fn a_run_is_not_taken_back_under_a_later_one() {
    let edited = |place: &Place| {
        change(place, JOBS, |jobs| drop(jobs[3].insert("status", "cancelled")));
        applied(place, "a.bson", "--replace")
    };
    let completed = |place: &Place| {
        change(place, METRICS, |all| drop(all.remove(3)));
        applied(place, "a.bson", "--allow-existing")
    };
    let ways: [&dyn Fn(&Place) -> String; 2] = [&edited, &completed];
    for later in ways {
        let place = place();
        let first = applied(&place, "a.bson", "--allow-existing");
        let later = later(&place);
        let before = place.tree("target");
        for more in [&[][..], &["--apply"], &["--apply", "--edited", "keep"]] {
            let told = place.expect(3, &[&["rollback", &first][..], more].concat());
            told.says(&[&later, "has replaced or completed 1 job of this run", "hint:"]);
            assert_same(&place.tree("target"), &before, "nothing is changed");
        }
        rolled_back(&place, 0, &later, &[]);
        let told = place.expect(3, &["rollback", &first]);
        told.says(&["--edited discard=1"]);
        rolled_back(&place, 0, &first, &["--edited", "discard=1"]);
    }
}

/// From one source to another and back: each run has written what another keeps.
#[test]
fn runs_that_go_to_and_fro_are_taken_back_newest_first() {
    let place = place();
    place.write("b.bson", &place.read("a.bson"));
    change(&place, "b.bson", |jobs| {
        jobs.iter_mut().take(3).for_each(|job| drop(job.insert("title", "Another title")));
    });
    let runs = ["a.bson", "b.bson", "a.bson"].map(|source| applied(&place, source, "--replace"));
    change(&place, JOBS, |jobs| {
        for job in jobs {
            if job.get_document("payload").unwrap().get_str("title").unwrap() != "Another title" {
                job.insert("status", "cancelled");
            }
        }
    });
    rolled_back(&place, 3, &runs[0], &["--edited", "keep"]).says(&["take that run back first"]);
    rolled_back(&place, 3, &runs[1], &["--edited", "keep"]).says(&[&runs[2]]);
    for run in runs.iter().rev() {
        rolled_back(&place, 0, run, &["--edited", "keep"]);
    }
}

/// Some of the events of a job at the end of a file may be a write that was cut off. Somebody may
/// have changed them too, and only all of them together tell.
#[test]
fn events_after_the_last_checkpoint_are_kept_where_nothing_tells_whose_they_are() {
    for command in [&["rollback", "latest", "--apply"][..], &["resume", "latest"]] {
        let place = Place::new();
        place.expect(0, &["generate", "a.bson", "--documents", "40", "--size", "small"]);
        let line = format!(
            "ulimit -f 60; trap '' XFSZ; {} run a.bson target --apply --in-flight include \
             --batch-docs 4",
            env!("CARGO_BIN_EXE_reshelve")
        );
        let mut shell = Command::new("bash");
        shell.args(["-c", &line]).current_dir(place.path("")).env_clear();
        Told::of(line, shell.output().unwrap()).expect(1);
        let mut whole = Vec::new();
        let bytes = place.read(EVENTS);
        for document in split(&bytes) {
            whole.push(Document::from_reader(&mut &document[..]).unwrap());
        }
        let last = whole.last().unwrap().get_str("jobId").unwrap().to_owned();
        let own: Vec<usize> =
            (0..whole.len()).filter(|at| whole[*at].get_str("jobId").unwrap() == last).collect();
        whole[own[0]].insert("kind", "edited by the application");
        whole.remove(own[1]);
        let written: Vec<Vec<u8>> = whole.iter().map(|it| it.to_vec().unwrap()).collect();
        place.write(EVENTS, &written.concat());
        let told = place.expect(0, command);
        told.says(&["some of the events of a job", "cut-off"]);
        let kept = place.tree(&format!(".reshelve/runs/{}/cut-off", place.run()));
        let edited = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains("edited by the app");
        assert!(kept.values().any(edited), "{command:?}");
    }
}

/// A document that somebody added in front moves what the run wrote: it is not cut off.
#[test]
fn what_a_stopped_run_had_written_is_not_cut_off_where_it_was_moved() {
    let place = Place::new();
    place.expect(0, &["generate", "a.bson", "--documents", "40", "--size", "small"]);
    let run = ["run", "a.bson", "target", "--apply", "--in-flight", "include"];
    let slow = ["--max-docs-per-s", "20", "--checkpoint-bytes", "4KiB", "--batch-docs", "2"];
    let mut child = place.call(&[&run[..], &slow].concat()).spawn(false);
    let has_written = || {
        let status = place.call(&["status", "latest", "--json"]).finish();
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        status["documents"]["written"].as_u64() > Some(4)
    };
    while !has_written() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success()
    );
    child.wait().unwrap();
    let mut documents = split(&place.read(JOBS));
    let last = documents.last().unwrap().clone();
    let mut stranger = Document::from_reader(&mut &last[..]).unwrap();
    let length = stranger.get_str("jobId").unwrap().len();
    stranger.insert("_id", mongodb::bson::oid::ObjectId::from_bytes([7; 12]));
    stranger.insert("jobId", "7".repeat(length));
    documents.insert(0, stranger.to_vec().unwrap());
    assert_eq!(documents[0].len(), last.len());
    place.write(JOBS, &documents.concat());
    let files = || [JOBS, METRICS, EVENTS].map(|file| place.read(file));
    let before = files();
    let told = place.expect(3, &["resume", "latest"]);
    told.says(&["was changed since this run wrote to it", "hint:"]);
    assert!(files() == before, "nothing is changed");
}

/// Until a run that replaces has ended, what it completes lies in two parts of a file.
#[test]
fn a_stopped_run_that_replaces_is_taken_back_with_what_it_completed() {
    let place = Place::new();
    place.expect(0, &["generate", "all.bson", "--documents", "60", "--size", "small"]);
    place.write("a.bson", &split(&place.read("all.bson"))[..10].concat());
    applied(&place, "a.bson", "--allow-existing");
    change(&place, JOBS, |jobs| drop((jobs.remove(3), jobs[2].insert("queue", "edited"))));
    let before = place.tree("target");
    let line = format!(
        "ulimit -f 300; trap '' XFSZ; {} run all.bson target --apply --in-flight include \
         --replace --batch-docs 2 --checkpoint-bytes 4KiB --max-docs-per-s 100",
        env!("CARGO_BIN_EXE_reshelve")
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &line]).current_dir(place.path("")).env_clear();
    Told::of(line, shell.output().unwrap()).expect(1);
    let status = place.expect(0, &["status", "latest", "--json"]).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert!(status["documents"]["written"].as_u64() > Some(10), "{status}");
    let told = place.expect(0, &["rollback", "latest"]);
    assert!(told.stdout.contains("the earlier versions of 1 job"), "{}", told.stdout);
    assert!(!told.stdout.contains("edited"), "{}", told.stdout);
    let told = place.expect(5, &["verify", "all.bson", "target"]);
    told.says(&[
        "is not done (failed)",
        &format!("Next: reshelve resume .reshelve/runs/{}", place.runs()[1]),
    ]);
    rolled_back(&place, 0, "latest", &[]);
    assert_same(&place.tree("target"), &before, "the targets");
}

/// A rollback that discards an edited job, and finds the disk full before it has changed anything.
fn stopped_rollback() -> (Place, String) {
    let place = place();
    place.expect(0, &["generate", "b.bson", "--documents", "60", "--seed", "9", "--size", "small"]);
    let run = applied(&place, "a.bson", "--allow-existing");
    applied(&place, "b.bson", "--allow-existing");
    change(&place, JOBS, |jobs| drop(jobs[3].insert("queue", "edited once")));
    let line = format!(
        "ulimit -f 40; trap '' XFSZ; {} rollback {run} --apply --edited discard=1",
        env!("CARGO_BIN_EXE_reshelve")
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &line]).current_dir(place.path("")).env_clear();
    Told::of(line, shell.output().unwrap()).expect(1);
    let status = place.expect(0, &["status", &run, "--json"]).stdout;
    assert!(status.contains("rolling-back"), "{status}");
    (place, run)
}

fn discarded(place: &Place, run: &str) -> String {
    let copies = place.read(&format!(".reshelve/runs/{run}/discarded.bson"));
    String::from_utf8_lossy(&copies).into_owned()
}

fn of_jobs(place: &Place, wanted: &str) -> usize {
    let has = |job: &Vec<u8>| String::from_utf8_lossy(job).contains(wanted);
    split(&place.read(JOBS)).iter().filter(|job| has(job)).count()
}

/// What was to be discarded goes, with a copy of each of its versions.
#[test]
fn a_job_that_is_edited_again_while_its_rollback_stands_still_is_copied_again() {
    for more in [&[][..], &["--edited", "discard=1"]] {
        let (place, run) = stopped_rollback();
        change(&place, JOBS, |jobs| drop(jobs[3].insert("queue", "edited TWICE")));
        rolled_back(&place, 0, &run, more);
        let copies = discarded(&place, &run);
        assert!(copies.contains("edited once") && copies.contains("edited TWICE"));
        assert_eq!((of_jobs(&place, "edited"), split(&place.read(JOBS)).len()), (0, 60));
    }
}

/// Another one waits for a decision of its own, which leaves the first one as it is.
#[test]
fn a_job_that_is_edited_while_a_rollback_stands_still_waits_for_a_decision() {
    for (decision, left) in [("keep", 1), ("discard=2", 0)] {
        let (place, run) = stopped_rollback();
        change(&place, JOBS, |jobs| drop(jobs[5].insert("queue", "edited since")));
        let before = place.read(JOBS);
        for more in [&[][..], &["--edited", "discard=1"], &["--edited", "discard=3"]] {
            let wanted = if more.is_empty() { "discard=2" } else { "their exact number, 2" };
            rolled_back(&place, 3, &run, more).says(&[wanted]);
            assert!(place.read(JOBS) == before, "nothing is changed");
        }
        rolled_back(&place, 0, &run, &["--edited", decision]);
        let copies = discarded(&place, &run);
        assert!(copies.contains("edited once"), "{decision}");
        assert_eq!(copies.contains("edited since"), left == 0, "{decision}");
        assert_eq!(of_jobs(&place, "edited"), left, "{decision}");
        assert_eq!(split(&place.read(JOBS)).len(), 60 + left, "{decision}");
    }
}

/// A file that is written anew has the rights of the one whose place it takes.
#[test]
fn texts_that_only_their_owner_may_read_stay_so() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    place.expect(0, &["generate", "b.bson", "--documents", "9", "--seed", "9", "--size", "small"]);
    let first = applied(&place, "a.bson", "--allow-existing");
    for file in [JOBS, METRICS, EVENTS] {
        std::fs::set_permissions(place.path(file), PermissionsExt::from_mode(0o600)).unwrap();
    }
    applied(&place, "b.bson", "--allow-existing");
    rolled_back(&place, 0, &first, &[]);
    for file in [JOBS, METRICS, EVENTS] {
        let mode = std::fs::metadata(place.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

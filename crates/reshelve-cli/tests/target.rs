//! Targets that are not empty, not free, not large enough: what is refused changes nothing, and
//! what is allowed touches nothing else.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::io::Write;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::documents::aged;
use common::{Outcome, Place, Told, Tree, assert_same, mixed_source, split};

const FIRST: [&str; 6] = ["run", "jobs.bson", "target", "--apply", "--in-flight", "skip"];

fn place() -> Place {
    let place = Place::new();
    place.write("jobs.bson", &mixed_source(&place, 40, "small"));
    place
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&FIRST[..], more].concat()
}

fn undisturbed(place: &Place) -> Outcome {
    let other = Place::new();
    other.write("jobs.bson", &place.read("jobs.bson"));
    other.expect(4, &FIRST);
    other.outcome("target")
}

/// Refused with this hint, and neither the target nor the runs have changed.
fn refused(place: &Place, args: &[&str], words: &[&str]) -> Told {
    let before = (place.tree("target"), place.tree(".reshelve"));
    let told = place.expect(3, args).says(words).says(&["error:", "hint:"]);
    assert_same(&before.0, &place.tree("target"), "the target");
    let mut after = place.tree(".reshelve");
    after.remove("runs/");
    let mut runs = before.1;
    runs.remove("runs/");
    assert_same(&runs, &after, "the runs");
    assert!(told.stdout.is_empty(), "{}", told.stdout);
    told
}

#[test]
fn a_target_with_documents_is_refused() {
    let place = place();
    place.expect(4, &FIRST);
    refused(&place, &FIRST, &["already holds documents", "--allow-existing", "--replace"]);
    let dry = ["run", "jobs.bson", "target", "--in-flight", "skip"];
    refused(&place, &dry, &["already holds documents"]);
    refused(&place, &with(&["--gzip"]), &["of another form", "--gzip or --zstd"]);
    refused(&place, &with(&["--zstd", "--allow-existing"]), &["of another form"]);
    refused(&place, &with(&["--gzip", "--replace"]), &["of another form"]);
}

#[test]
fn jobs_in_flight_want_a_decision() {
    let place = place();
    let args = ["run", "jobs.bson", "target", "--apply"];
    refused(&place, &args, &["in flight", "--in-flight"]);
    assert!(!place.path("target").exists());
    place.write("reshelve.toml", b"[run]\nin-flight = \"skip\"\n");
    place.expect(4, &args);
    let place = self::place();
    let told = place.call(&["run", "-", "target", "--apply"]).stdin(&place.read("jobs.bson"));
    told.expect(3).says(&["standard input", "hint:", "--in-flight"]);
    assert!(!place.path("target").exists() && place.runs().is_empty());
}

#[test]
fn a_target_that_is_torn_is_refused() {
    let place = place();
    place.expect(4, &FIRST);
    let file = "target/letswriteabook/novel_job_events.bson";
    let bytes = place.read(file);
    place.write(file, &bytes[..bytes.len() - 3]);
    let told = refused(&place, &with(&["--allow-existing"]), &["ends in the middle"]);
    assert!(told.stderr.contains("hint:"));
}

#[test]
fn two_runs_at_once_are_one_too_many() {
    let place = place();
    let args = ["run", "-", "target", "--apply", "--in-flight", "skip", "--batch-docs", "1"];
    let mut first = place.call(&args).spawn(true);
    let mut pipe = first.stdin.take().unwrap();
    let source = place.read("jobs.bson");
    // Enough to tell the form, and too little to write anything.
    pipe.write_all(&source[..1000]).unwrap();
    while place.runs().is_empty() || !place.path("target/letswriteabook/.reshelve.lock").exists() {
        assert!(first.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    // The last file that is opened: from here on, the run changes nothing until it reads more.
    let run = place.run();
    while !place.path(&format!(".reshelve/runs/{run}/rejects.json")).exists() {
        std::thread::yield_now();
    }
    for more in [&[][..], &["--allow-existing"], &["--take-over"], &["--replace"]] {
        refused(&place, &with(more), &["another run is writing", &run]);
    }
    refused(&place, &["resume", &run], &["a process is at work", &run]);
    pipe.write_all(&source[1000..]).unwrap();
    drop(pipe);
    Told::of("first".to_owned(), first.wait_with_output().unwrap()).expect(4);
    place.outcome("target").expect_same(&undisturbed(&place), "the first run");
}

/// A run that was cut off in the middle of a document of the target.
fn cut_off(place: &Place) -> String {
    let source = place.read("jobs.bson");
    let args = ["run", "-", "target", "--apply", "--in-flight", "skip"];
    place.call(&args).stdin(&source[..source.len() / 2]).expect(1);
    for (name, tail) in [("novel_jobs", 20), ("novel_job_events", 3)] {
        let file = format!("target/letswriteabook/{name}.bson");
        let bytes = place.read(&file);
        // As if more had been written than was checkpointed.
        let torn = [&bytes[..], &bytes[..tail]].concat();
        place.write(&file, &torn);
    }
    place.run()
}

#[test]
fn the_lock_of_a_killed_run_keeps_others_out() {
    let place = place();
    let run = cut_off(&place);
    refused(
        &place,
        &FIRST,
        &[
            "has not finished",
            &format!("reshelve resume {}", place.path(".reshelve/runs").join(&run).display()),
            "--take-over",
        ],
    );
    refused(&place, &with(&["--allow-existing"]), &["has not finished"]);
    place.call(&["resume", &run]).stdin(&place.read("jobs.bson")).expect(4);
    place.outcome("target").expect_same(&undisturbed(&place), "resumed");
}

#[test]
fn a_killed_run_can_be_taken_over() {
    let place = place();
    let cut = cut_off(&place);
    place.expect(4, &with(&["--take-over"]));
    let expected = undisturbed(&place);
    let run = place.runs().into_iter().find(|run| *run != cut).unwrap();
    let outcome = place.outcome_of(&run, "target");
    assert_same(&outcome.target, &expected.target, "the target");
    // The journals differ: the second run wrote only what the first one had not.
    let rejects = |mut kept: Tree| {
        kept.retain(|name, _| name.starts_with("rejects"));
        kept
    };
    assert_same(&rejects(outcome.kept), &rejects(expected.kept.clone()), "the rejects");
    // The run that was cut off must not cut off what was written since.
    let args = ["resume", &cut, "--source", "jobs.bson"];
    refused(&place, &args, &["has taken over"]);
}

#[test]
fn a_run_does_not_go_on_where_its_target_is_gone() {
    for what in ["target", "target/letswriteabook", "target/letswriteabook/novel_jobs.bson"] {
        let place = place();
        let source = place.read("jobs.bson");
        place.write("cut.bson", &source[..source.len() / 2]);
        place.expect(1, &["run", "cut.bson", "target", "--apply", "--in-flight", "skip"]);
        if what.ends_with("bson") {
            std::fs::remove_file(place.path(what)).unwrap();
        } else {
            std::fs::remove_dir_all(place.path(what)).unwrap();
        }
        let run = place.run();
        let told = place.expect(3, &["resume", &run, "--source", "jobs.bson"]);
        told.says(&["were expected", "hint:"]);
    }
}

#[test]
fn existing_jobs_are_left_alone() {
    let place = place();
    let documents = split(&place.read("jobs.bson"));
    let earlier: Vec<Vec<u8>> = documents
        .iter()
        .enumerate()
        .filter(|(at, _)| at % 2 == 0)
        .map(|(at, document)| if at % 3 == 0 { aged(document) } else { document.clone() })
        .collect();
    place.write("earlier.bson", &earlier.concat());
    let args = ["run", "earlier.bson", "target", "--apply", "--in-flight", "skip"];
    let told = place.call(&args).finish();
    assert!(matches!(told.code, Some(0 | 4)));
    let first = place.run();
    let before = place.tree("target");
    place.expect(4, &with(&["--allow-existing"]));
    let run = place.runs().into_iter().find(|run| *run != first).unwrap();
    let outcome = place.outcome_of(&run, "target");
    expect_only_added(&before, &outcome.target);
    let conflicts = outcome.totals["rejects"]["target-conflict"].as_u64().unwrap();
    assert!(
        conflicts > 0 && outcome.documents("unchanged") > 0 && outcome.documents("written") > 0
    );
    // Once more: everything is there.
    place.expect(4, &with(&["--allow-existing"]));
    assert_same(&outcome.target, &place.tree("target"), "the target");
    // The rest of a job that is partly there is added.
    let events = "target/letswriteabook/novel_job_events.bson";
    let whole = place.read(events);
    let kept: Vec<Vec<u8>> = split(&whole).into_iter().step_by(2).collect();
    place.write(events, &kept.concat());
    place.expect(4, &with(&["--allow-existing"]));
    let sorted = |bytes: &[u8]| {
        let mut documents = split(bytes);
        documents.sort();
        documents
    };
    let conflicting = sorted(&whole).len() - sorted(&place.read(events)).len();
    assert!(conflicting < kept.len() / 2, "only jobs in conflict lack events: {conflicting}");
}

fn expect_only_added(before: &Tree, after: &Tree) {
    for (name, bytes) in before {
        assert!(after.get(name).is_some_and(|it| it.starts_with(bytes)), "{name}");
    }
}

/// A document of the new application: `{ _id, jobId, kind }`.
fn foreign(id: &str, job_id: &[u8]) -> Vec<u8> {
    let text = |name: &str, text: &[u8]| {
        let length = (text.len() as i32 + 1).to_le_bytes();
        [b"\x02", name.as_bytes(), b"\0", &length, text, b"\0"].concat()
    };
    let inside =
        [text("_id", id.as_bytes()), text("jobId", job_id), text("emittedAt", b"x")].concat();
    [&(inside.len() as i32 + 5).to_le_bytes()[..], &inside, b"\0"].concat()
}

#[test]
fn replaced_jobs_are_kept_and_foreign_documents_stay() {
    for gzip in [false, true] {
        let place = place();
        let documents = split(&place.read("jobs.bson"));
        let earlier: Vec<Vec<u8>> = documents.iter().map(|document| aged(document)).collect();
        place.write("earlier.bson", &earlier.concat());
        let form: &[&str] = if gzip { &["--gzip"] } else { &[] };
        let args = ["run", "earlier.bson", "target", "--apply", "--in-flight", "skip"];
        place.expect(4, &[&args[..], form].concat());
        let first = place.run();
        let before = place.tree("target");
        if !gzip {
            // An event of the new application, of a job that is replaced.
            let job = split(&place.read("target/letswriteabook/novel_jobs.bson"))[0].clone();
            let event = foreign("theirs", &job_id(&job));
            let events = "target/letswriteabook/novel_job_events.bson";
            place.write(events, &[place.read(events), event].concat());
            let jobs = "target/letswriteabook/novel_jobs.bson";
            place.write(jobs, &[place.read(jobs), foreign("other", b"of nobody")].concat());
        }
        place.expect(4, &with(&[&["--replace"], form].concat()));
        let run = place.runs().into_iter().find(|run| *run != first).unwrap();
        let outcome = place.outcome_of(&run, "target");
        assert!(outcome.totals["replaced"].as_u64() > Some(0));
        if gzip {
            continue;
        }
        let expected = undisturbed(&place).target;
        for name in ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"] {
            let file = format!("letswriteabook/{name}.bson");
            let mut after = split(&outcome.target[&file]);
            after.retain(|document| {
                ![foreign("theirs", &job_id(document)), foreign("other", b"of nobody")]
                    .contains(document)
            });
            after.sort();
            let mut clean = split(&expected[&file]);
            clean.sort();
            assert!(after == clean, "{name}: {} and {}", after.len(), clean.len());
            let undo = split(&outcome.kept[&format!("undo/{name}.bson")]);
            let earlier = split(&before[&file]);
            assert!(undo.iter().all(|document| earlier.contains(document)), "{name}");
            assert!(undo.len() + clean.len() >= earlier.len(), "{name}");
        }
        let held = |name: &str, document: &[u8]| {
            split(&outcome.target[&format!("letswriteabook/{name}.bson")])
                .iter()
                .any(|it| it == document)
        };
        assert!(held("novel_jobs", &foreign("other", b"of nobody")));
        let events = split(&outcome.target["letswriteabook/novel_job_events.bson"]);
        assert!(events.iter().any(|event| *event == foreign("theirs", &job_id(event))));
    }
}

/// The text of `jobId`.
fn job_id(document: &[u8]) -> Vec<u8> {
    let name = b"\x02jobId\0";
    let at = document.windows(name.len()).position(|window| window == name).unwrap() + name.len();
    let length = i32::from_le_bytes(*document[at..].first_chunk().unwrap()) as usize;
    document[at + 4..at + 3 + length].to_vec()
}

#[test]
fn rejects_are_mended_and_run_again() {
    let place = place();
    place.expect(4, &FIRST);
    let first = place.run();
    let before = place.outcome("target");
    // The document without a job becomes one that has been seen, the torn one becomes whole.
    let mut documents = split(&place.read("jobs.bson"));
    let extra = Place::new();
    extra.expect(0, &["generate", "more.bson", "--documents", "1", "--seed", "99"]);
    let torn = documents.iter().position(|document| document.len() < 30).unwrap();
    documents[torn] = split(&extra.read("more.bson"))[0].clone();
    place.write("mended.bson", &documents.concat());
    let args = ["run", "mended.bson", "target", "--apply", "--in-flight", "skip"];
    let told = place.expect(4, &[&args[..], &["--only-rejects", &first]].concat());
    told.says(&["no _id of its own", "a file of their own"]);
    let run = place.runs().into_iter().find(|run| *run != first).unwrap();
    let outcome = place.outcome_of(&run, "target");
    // Nothing tells that the document at the place of the torn one is the same.
    expect_only_added(&before.target, &outcome.target);
    assert_eq!(outcome.documents("written"), 0);
    // Of both documents with the repeated id, the one that was rejected is taken again.
    assert!(outcome.documents("read") <= 3, "{}", outcome.documents("read"));
    place.write("own.bson", &documents[torn]);
    let own = ["run", "own.bson", "target", "--apply", "--in-flight", "skip", "--allow-existing"];
    place.expect(0, &own);
    assert!(place.tree("target") != before.target);
}

#[test]
fn a_dry_run_writes_nothing_but_its_folder() {
    let place = place();
    for (name, value) in [("DRY_RUN", "true"), ("DRY_RUN", "1")] {
        let told = place.call(&FIRST).env(name, value).expect(2);
        told.says(&["DRY_RUN", "hint:"]);
    }
    assert!(place.runs().is_empty() && !place.path("target").exists());
    let names = |place: &Place| {
        let mut names: Vec<String> = place.tree("").into_keys().collect();
        names.retain(|name| !name.starts_with(".reshelve"));
        names
    };
    let before = names(&place);
    place.call(&["run", "jobs.bson", "target"]).env("DRY_RUN", "false").expect(4);
    assert_eq!(before, names(&place));
    place.expect(4, &FIRST);
    let target = place.tree("target");
    for more in ["--allow-existing", "--replace", "--take-over"] {
        place.expect(4, &["run", "jobs.bson", "target", "--in-flight", "skip", more]);
        assert_same(&target, &place.tree("target"), more);
    }
}

#[test]
fn empty_collections_are_no_damage() {
    for form in [&[][..], &["--gzip"], &["--zstd"]] {
        let place = place();
        place.expect(0, &[&FIRST[..], form, &["--limit", "0"]].concat());
        place.expect(4, &with(form));
        let run = place.runs().pop().unwrap();
        let other = Place::new();
        other.write("jobs.bson", &place.read("jobs.bson"));
        other.expect(4, &with(form));
        if form.is_empty() {
            let outcome = place.outcome_of(&run, "target");
            assert_same(&outcome.target, &other.tree("target"), "the target");
        }
    }
}

//! `verify` takes the options of the run that wrote the target, and says so.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::documents::aged;
use common::{Place, Told, split, with};
use serde_json::{Value, json};

const SKIP: [&str; 5] = ["--apply", "--in-flight", "skip", "--status-policy", "evidence"];
const VERIFY: [&str; 4] = ["verify", "jobs.bson", "target", "--json"];

/// A place with a source in which many jobs are in flight.
fn place() -> Place {
    let place = Place::new();
    let source = ["generate", "jobs.bson", "--preset", "lifecycle", "--documents", "40"];
    place.expect(0, &with(&source, &["--size", "small"]));
    place
}

/// A target that was written with other options than the defaults.
fn written() -> Place {
    let place = place();
    place.expect(0, &with(&["run", "jobs.bson", "target"], &SKIP));
    place
}

fn document(told: &Told) -> Value {
    serde_json::from_str(&told.stdout).unwrap()
}

/// Expects that a comparison followed these runs.
fn expect_from(told: Told, from: &str, runs: &[&str]) -> Value {
    let found = document(&told);
    assert_eq!((&found["options_from"], &found["runs"]), (&json!(from), &json!(runs)));
    told.says(&["note: options: "]);
    found
}

#[test]
fn the_last_run_from_this_source_into_this_target_is_followed() {
    let place = written();
    let run = place.run();
    let told = place.expect(0, &VERIFY).says(&[&run, "--in-flight skip --status-policy evidence"]);
    let found = expect_from(told, "last-run", &[&run]);
    let options = json!({ "in_flight": "skip", "on_unknown_status": "reject",
        "status_policy": "evidence" });
    assert_eq!(found["options"], options);
    // A dry run writes nothing, and a run into another target says nothing of this one.
    place.expect(0, &["run", "jobs.bson", "other"]);
    place.expect(0, &["run", "jobs.bson", "other", "--apply", "--in-flight", "include"]);
    expect_from(place.expect(0, &VERIFY), "last-run", &[&run]);
    // Named otherwise, they are the same places.
    std::os::unix::fs::symlink(place.path("target"), place.path("link")).unwrap();
    expect_from(place.expect(0, &["verify", "./jobs.bson", "link", "--json"]), "last-run", &[&run]);
}

#[test]
fn flags_count_more_than_a_run_that_is_named_and_that_more_than_the_last_one() {
    let place = written();
    let first = place.run();
    let told = place.expect(5, &with(&VERIFY, &["--in-flight", "include"]));
    let found = expect_from(told, "flags", &[&first]);
    let options = (&found["options"]["in_flight"], &found["options"]["status_policy"]);
    assert_eq!(options, (&json!("include"), &json!("evidence")), "the others are the run's");
    // The variable of a flag counts as the flag.
    let call = place.call(&VERIFY).env("RESHELVE_IN_FLIGHT", "include");
    expect_from(call.expect(5), "flags", &[&first]);
    // What is there is left as it is, and the documents in flight are added.
    let again = ["run", "jobs.bson", "target", "--apply", "--in-flight", "include"];
    place.expect(0, &with(&again, &["--allow-existing", "--status-policy", "evidence"]));
    let last = place.runs().pop().unwrap();
    expect_from(place.expect(0, &VERIFY), "last-run", &[&last]);
    // Without the documents in flight, those are of others.
    let told = place.expect(5, &with(&VERIFY, &["--run", &first]));
    expect_from(told, "run", &[&first]);
}

#[test]
fn where_no_run_is_certain_the_defaults_are_taken_and_it_is_said_why() {
    let place = written();
    let run = place.run();
    // Another collection, even if the same bytes.
    std::fs::copy(place.path("jobs.bson"), place.path("copy.bson")).unwrap();
    let told = place.expect(5, &["verify", "copy.bson", "target", "--json"]);
    expect_from(told.says(&[&run, "read another source", "--run RUN"]), "defaults", &[]);
    let bytes = place.read("jobs.bson");
    let told = place.call(&["verify", "-", "target", "--json"]).stdin(&bytes).expect(5);
    expect_from(told.says(&["read another source"]), "defaults", &[]);
    let told = place.expect(5, &with(&VERIFY, &["--collection", "drafts"]));
    expect_from(told, "defaults", &[]);
    // Its folder is somewhere else.
    let told = place.expect(5, &with(&VERIFY, &["--runs-dir", "elsewhere"]));
    expect_from(told.says(&["no run into the target is known in elsewhere"]), "defaults", &[]);
    std::fs::rename(place.path(".reshelve/runs"), place.path("elsewhere")).unwrap();
    expect_from(place.expect(0, &with(&VERIFY, &["--runs-dir", "elsewhere"])), "last-run", &[&run]);
}

#[test]
fn a_newer_run_that_cannot_be_read_leaves_the_options_in_doubt() {
    let place = written();
    let run = place.run();
    for (newer, from) in
        [("20000101-000000000-abcdef", "last-run"), ("99990101-000000000-abcdef", "defaults")]
    {
        let folder = place.path(".reshelve/runs").join(newer);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("run.json"), b"{").unwrap();
        let code = if from == "defaults" { 5 } else { 0 };
        let runs = if from == "defaults" { vec![] } else { vec![run.as_str()] };
        expect_from(place.expect(code, &VERIFY), from, &runs);
    }
}

#[test]
fn a_dump_is_the_same_one_by_its_folder_and_by_its_file() {
    let place = Place::new();
    let source = ["generate", "dump", "--preset", "lifecycle", "--documents", "40", "--form"];
    place.expect(0, &with(&source, &["folder", "--size", "small"]));
    place.expect(0, &with(&["run", "dump", "target"], &SKIP));
    let run = place.run();
    for name in ["dump", "dump/letswriteabook", "dump/letswriteabook/jobs.bson"] {
        expect_from(place.expect(0, &["verify", name, "target", "--json"]), "last-run", &[&run]);
    }
    let told = place.expect(0, &["verify", "dump", "target", "--json", "--db", "letswriteabook"]);
    expect_from(told, "last-run", &[&run]);
}

#[test]
fn an_unfinished_run_whose_folder_is_gone_leaves_its_options_in_doubt() {
    let place = written();
    let lock = json!({ "run": "20260101-000000-abcdef", "folder": "/nowhere/20260101-000000-abcdef",
        "pid": 1 });
    place.write("target/letswriteabook/.reshelve.lock", lock.to_string().as_bytes());
    let told = place.expect(5, &VERIFY).says(&["20260101-000000-abcdef wrote the target last"]);
    expect_from(told, "defaults", &[]);
}

#[test]
fn rejects_that_only_the_run_knows_come_with_it() {
    let place = place();
    let include = ["--apply", "--in-flight", "include"];
    let mut documents = split(&place.read("jobs.bson"));
    place.write("old.bson", &aged(&documents[4]));
    place.expect(0, &with(&["run", "old.bson", "target"], &include));
    documents.truncate(12);
    place.write("jobs.bson", &documents.concat());
    let run = with(&["run", "jobs.bson", "target", "--allow-existing", "--json"], &include);
    let ran = document(&place.expect(4, &run));
    assert_eq!(ran["rejects"], json!({ "target-conflict": 1 }));
    let found = expect_from(place.expect(0, &VERIFY), "last-run", &[ran["run"].as_str().unwrap()]);
    assert_eq!(found["verdict"], "holds-with-exceptions");
    assert_eq!((&found["counts"]["rejected"], &found["counts"]["left_alone"]).0, &json!(1));
    // It is known by its id, wherever it is in the source.
    documents.reverse();
    place.write("jobs.bson", &documents.concat());
    assert_eq!(document(&place.expect(0, &VERIFY))["counts"]["rejected"], 1);
}

#[test]
fn a_source_that_cannot_be_opened_leaves_no_folder_behind() {
    let place = written();
    place.write("words.txt", b"These are words, and no documents.\n");
    for source in ["words.txt", "nowhere.bson"] {
        let told = place.call(&["verify", source, "target", "--out", "found"]).finish();
        assert!([Some(1), Some(2)].contains(&told.code), "{:?}", told.code);
        assert!(!place.path("found").exists());
    }
    std::fs::create_dir(place.path("empty")).unwrap();
    place.expect(2, &["verify", "jobs.bson", "empty", "--out", "found"]);
    assert!(!place.path("found").exists());
    // Where nothing differs the file is empty.
    place.expect(0, &["verify", "jobs.bson", "target", "--out", "found"]);
    assert_eq!(place.read("found/mismatches.jsonl"), b"");
}

/// A run that failed before it wrote anything does not say what the target holds, and two runs that
/// decided in different ways leave it open.
#[test]
fn runs_that_contradict_each_other_are_not_followed() {
    let place = Place::new();
    let args = ["generate", "src.bson", "--documents", "40", "--preset", "lifecycle"];
    place.expect(0, &args);
    let whole = place.read("src.bson");
    let apply = ["run", "src.bson", "out", "--apply", "--allow-existing", "--in-flight"];
    place.expect(0, &with(&apply, &["include"]));
    place.write("src.bson", &whole[..500]);
    place.expect(1, &with(&apply, &["skip"]));
    place.write("src.bson", &whole);
    let verify = ["verify", "src.bson", "out", "--json"];
    let told = place.expect(0, &verify);
    assert!(told.stdout.contains("\"in_flight\":\"include\""), "{}", told.stdout);
    assert!(told.stdout.contains("\"options_from\":\"last-run\""), "{}", told.stdout);
    // A second whole run that leaves out what the first one carried over.
    place.expect(0, &with(&apply, &["skip", "--take-over"]));
    let told = place.expect(0, &verify);
    assert!(told.stdout.contains("\"options_from\":\"defaults\""), "{}", told.stdout);
    told.says(&["may have carried over", "--run RUN"]);
}

/// What another target did not take is missing here.
#[test]
fn conflicts_of_another_target_are_not_believed() {
    let place = Place::new();
    place.expect(0, &["generate", "src.bson", "--documents", "12", "--preset", "lifecycle"]);
    let apply = ["run", "src.bson", "one", "--apply", "--in-flight"];
    place.expect(0, &with(&apply, &["as-failed"]));
    place.expect(4, &with(&apply, &["include", "--allow-existing"]));
    let run = place.runs().pop().unwrap();
    place.expect(
        0,
        &["run", "src.bson", "two", "--apply", "--in-flight", "include", "--limit", "3"],
    );
    let told = place.expect(5, &["verify", "src.bson", "two", "--run", &run]);
    told.says(&["wrote another target"]);
}

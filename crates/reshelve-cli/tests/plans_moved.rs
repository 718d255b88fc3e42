//! A plan is refused once a part of it has moved, and says which.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/planned.rs"]
mod planned;
#[path = "common/taken_back.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod taken_back;

use std::fs;

use common::documents::aged;
use common::{Place, split, with};
use planned::{CARRY_OUT, carried_out, id, refused, saved};
use serde_json::Value;
use taken_back::{checksums, place, store, stored};

#[test]
fn documents_that_changed_are_named() {
    let place = place();
    saved(&place, 0, "jobs.bson", &[]);
    let bytes = place.read("jobs.bson");
    let documents = split(&bytes);
    // One letter of one document: no size, and no count, tells.
    let mut edited = documents.clone();
    edited[4] = aged(&edited[4]);
    assert_eq!(edited.concat().len(), bytes.len());
    place.write("jobs.bson", &edited.concat());
    let changed = format!("changed  {}", id(&documents[4]));
    refused(&place, "jobs.bson", &["0 were added, 1 changed, 0 removed", &changed]);
    // Removed, added, changed; two of one _id are two documents.
    let mut other = edited.clone();
    let removed = format!("removed  {}", id(&other.remove(9)));
    other.push(documents[0].clone());
    let added = format!("added    {}", id(&documents[0]));
    place.write("jobs.bson", &other.concat());
    let sum = "1 was added, 1 changed, 1 removed";
    refused(&place, "jobs.bson", &[sum, &changed, &removed, &added, "12 documents"]);
    // Twenty are named.
    place.write("jobs.bson", b"");
    refused(&place, "jobs.bson", &["0 were added, 0 changed, 12 removed", &removed]);
    // The place is a part of the plan, and so is everything that differs there.
    place.write("other.bson", &edited.concat());
    refused(&place, "other.bson", &["2 parts changed", "source: ", "other.bson", &changed]);
    place.write("jobs.bson", &bytes);
    carried_out(&place, 0, "jobs.bson");
}

#[test]
fn twenty_documents_are_named_and_the_others_counted() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "60", "--size", "small"]);
    saved(&place, 0, "jobs.bson", &[]);
    let documents = split(&place.read("jobs.bson"));
    let edited: Vec<Vec<u8>> = documents.iter().map(|document| aged(document)).collect();
    let changed = documents.iter().zip(&edited).filter(|(before, now)| before != now).count();
    assert!(changed > 30, "{changed}");
    place.write("jobs.bson", &edited.concat());
    let told = place.expect(3, &[&["run", "jobs.bson", "target"][..], &CARRY_OUT].concat());
    assert_eq!(told.stderr.matches("\n    changed  ").count(), 20, "{}", told.stderr);
    told.says(&[&format!("{changed} changed"), &format!("and {} more", changed - 20)]);
}

#[test]
fn the_order_of_documents_counts_where_something_depends_on_it() {
    let reversed = |bytes: &[u8]| split(bytes).into_iter().rev().collect::<Vec<_>>().concat();
    let place = place();
    let plan = saved(&place, 0, "jobs.bson", &[]);
    let bytes = place.read("jobs.bson");
    place.write("jobs.bson", &reversed(&bytes));
    let told = place.expect(0, &[&["run", "jobs.bson", "target"][..], &CARRY_OUT].concat());
    told.says(&["in another order"]);
    assert_eq!(checksums(&place), plan["reaches"]);
    // Of two documents with one id, the first one is taken.
    let place = taken_back::place();
    let first = split(&bytes)[0].clone();
    place.write("jobs.bson", &[bytes.clone(), aged(&first)].concat());
    let plan = saved(&place, 4, "jobs.bson", &[]);
    assert_eq!(plan["rejects"]["duplicate-id"], 1);
    let same = place.read("jobs.bson");
    place.write("jobs.bson", &reversed(&same));
    refused(&place, "jobs.bson", &["order of the documents"]);
    place.write("jobs.bson", &same);
    carried_out(&place, 4, "jobs.bson");
    assert_eq!(checksums(&place), plan["reaches"]);
}

#[test]
fn a_limit_is_a_part_of_the_plan() {
    let place = place();
    let plan = saved(&place, 0, "jobs.bson", &["--limit", "5"]);
    assert_eq!((&plan["source"]["documents"], &plan["options"]["limit"]), (&5.into(), &5.into()));
    let bytes = place.read("jobs.bson");
    let mut documents = split(&bytes);
    documents.swap(2, 8);
    place.write("jobs.bson", &documents.concat());
    refused(&place, "jobs.bson", &["1 was added, 0 changed, 1 removed"]);
    // What comes after is not read.
    place.write("jobs.bson", &[bytes.clone(), bytes].concat());
    carried_out(&place, 0, "jobs.bson");
    assert_eq!(checksums(&place), plan["reaches"]);
    assert_eq!(plan["reaches"]["novel_jobs"]["documents"], 5);
}

#[test]
fn a_target_that_is_not_as_it_was_is_refused() {
    let place = place();
    saved(&place, 0, "jobs.bson", &[]);
    // It has got documents of another run.
    let more = ["--apply", "--in-flight", "include"];
    place.expect(0, &with(&["run", "old.bson", "target"], &more));
    refused(&place, "jobs.bson", &["target, novel_jobs: 0 documents", "8 documents"]);
    fs::remove_dir_all(place.path("target")).unwrap();
    // One letter of one document that was there: no size, and no count, tells.
    place.expect(0, &with(&["run", "first.bson", "target"], &more));
    fs::rename(place.path("plan.json"), place.path("empty.json")).unwrap();
    fs::rename(place.path("plan.json.keys"), place.path("empty.json.keys")).unwrap();
    let plan = saved(&place, 0, "jobs.bson", &["--allow-existing"]);
    assert_eq!(plan["forecast"]["documents"]["unchanged"], 6);
    let before = stored(&place, "novel_jobs");
    let mut edited = before.clone();
    let at = edited[0].windows(7).position(|it| it == b"premise").unwrap() + 12;
    edited[0][at] ^= 0x20;
    store(&place, "novel_jobs", &edited);
    refused(&place, "jobs.bson", &["1 part changed", "target, novel_jobs: 6 documents"]);
    store(&place, "novel_jobs", &before);
    // And a target of another form.
    let told =
        place.expect(3, &["run", "jobs.bson", "elsewhere", "--plan", "plan.json", "--apply"]);
    told.says(&["target: ", "elsewhere"]);
    assert_eq!(carried_out(&place, 0, "jobs.bson")["documents"]["unchanged"], 6);
    assert_eq!(checksums(&place), plan["reaches"]);
}

#[test]
fn options_are_those_of_the_plan() {
    let place = place();
    let plan = saved(&place, 0, "jobs.bson", &["--status-policy", "evidence"]);
    for (more, words) in [
        (&["--status-policy", "legacy"][..], "--status-policy is legacy, and evidence in the plan"),
        (&["--in-flight", "skip"], "--in-flight is skip, and include in the plan"),
        (&["--on-unknown-status", "failed"], "--on-unknown-status is failed, and reject"),
        (&["--limit", "3"], "--limit is 3, and not set in the plan"),
        (&["--gzip"], "gzip, and none in the plan"),
        (&["--allow-existing"], "--allow-existing is set, and not set in the plan"),
        (&["--replace"], "--replace is set"),
        (&["--take-over"], "--take-over is set"),
        (&["--fail-fast"], "--fail-fast is set"),
        (&["--ignore-oplog"], "--ignore-oplog is set"),
        (&["--target-db", "novels"], "--target-db is novels, and letswriteabook in the plan"),
        (&["--db", "novels"], "--db is novels, and not set in the plan"),
        (&["--collection", "other"], "--collection is other, and jobs in the plan"),
        (&["--limit", "3", "--fail-fast"], "--fail-fast is set, and not set in the plan; --limit"),
    ] {
        let args = [&["run", "jobs.bson", "target"][..], &CARRY_OUT, more].concat();
        place.expect(2, &args).says(&[words, "hint:"]);
        assert!(!place.path("target").exists());
    }
    // By a variable too.
    let args = [&["run", "jobs.bson", "target"][..], &CARRY_OUT].concat();
    let call = place.call(&args).env("RESHELVE_STATUS_POLICY", "legacy");
    call.expect(2).says(&["--status-policy is legacy, and evidence in the plan"]);
    // What is the same may be given.
    let same = ["--status-policy", "evidence", "--in-flight", "include", "--jobs", "1"];
    place.expect(0, &with(&args, &same));
    assert_eq!(checksums(&place), plan["reaches"]);
}

#[test]
fn another_build_is_refused() {
    let place = place();
    let plan = saved(&place, 0, "jobs.bson", &[]);
    let binary = env!("CARGO_BIN_EXE_reshelve");
    let mut bytes = fs::read(binary).unwrap();
    bytes.push(0);
    place.write("reshelve", &bytes);
    let mut permissions = fs::metadata(place.path("reshelve")).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(place.path("reshelve"), permissions).unwrap();
    let output = std::process::Command::new(place.path("reshelve"))
        .args([&["run", "jobs.bson", "target"][..], &CARRY_OUT].concat())
        .current_dir(place.path(""))
        .output();
    let output = output.unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{told}");
    let planned = format!("build: {} in the plan, ", plan["build"].as_str().unwrap());
    assert!(told.contains(&planned) && told.contains("1 part changed"), "{told}");
    assert!(!place.path("target").exists());
}

#[test]
fn an_edited_plan_is_refused() {
    let place = place();
    saved(&place, 0, "jobs.bson", &[]);
    let text = String::from_utf8(place.read("plan.json")).unwrap();
    let keys = place.read("plan.json.keys");
    for (from, to) in [
        ("\"documents\": 12", "\"documents\": 13"),
        ("\"evidence\"", "\"legacy\""),
        ("\"mapping\": \"v1\"", "\"mapping\": \"v2\""),
        ("reshelve.plan/1", "reshelve.plan/2"),
        ("{", "["),
        ("\"rejects\": {}", "\"rejects\": {}, \"note\": \"approved\""),
        ("\"hash\": \"", "\"hash\": \"0"),
    ] {
        if !text.contains(from) {
            continue;
        }
        place.write("plan.json", text.replacen(from, to, 1).as_bytes());
        refused(&place, "jobs.bson", &["the plan ", "cannot be used"]);
        place.expect(3, &["plan", "show", "plan.json"]).says(&["hint:"]);
    }
    place.write("plan.json", text.as_bytes());
    // Its keys are a part of it.
    let mut other = keys.clone();
    other[20] ^= 1;
    for bytes in [other, keys[..keys.len() - 1].to_vec(), Vec::new()] {
        place.write("plan.json.keys", &bytes);
        refused(&place, "jobs.bson", &["plan.json.keys", "was changed since"]);
        let told = place.expect(0, &["plan", "show", "plan.json"]);
        told.says(&["warning: the plan cannot be carried out"]);
    }
    fs::remove_file(place.path("plan.json.keys")).unwrap();
    refused(&place, "jobs.bson", &["plan.json.keys, is not there"]);
    place.expect(0, &["plan", "show", "plan.json"]).says(&["warning:", "is not there"]);
    place.write("plan.json.keys", &keys);
    // White space is nothing of it.
    let value: Value = serde_json::from_str(&text).unwrap();
    place.write("plan.json", value.to_string().as_bytes());
    carried_out(&place, 0, "jobs.bson");
}

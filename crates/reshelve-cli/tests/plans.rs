//! A dry run is saved as a plan, and carried out once.

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

use common::documents::spoiled;
use common::{Place, split, with};
use planned::{CARRY_OUT, SAVE, carried_out, plan, refused, saved};
use serde_json::Value;
use taken_back::{checksums, document, place};

#[test]
fn a_plan_that_holds_reaches_its_checksums() {
    for form in [&[][..], &["--gzip"], &["--zstd"]] {
        let place = place();
        let plan = saved(&place, 0, "jobs.bson", form);
        assert!(!place.path("target").exists(), "a plan writes nothing to the target");
        assert_eq!(plan["schema"], "reshelve.plan/1");
        assert_eq!((&plan["source"]["documents"], &plan["used"]), (&12.into(), &Value::Null));
        assert_eq!(plan["target"]["collections"]["novel_jobs"]["documents"], 0);
        let told = carried_out(&place, 0, "jobs.bson");
        assert_eq!((&told["plan"]["state"], &told["applied"]), (&"reached".into(), &true.into()));
        assert_eq!(told["plan"]["hash"], plan["hash"]);
        // Read by another command, from the target itself.
        assert_eq!(checksums(&place), plan["reaches"]);
        let run = told["run"].as_str().unwrap();
        let report: Value =
            serde_json::from_slice(&place.read(&format!(".reshelve/runs/{run}/report.json")))
                .unwrap();
        assert_eq!(report["summary"]["plan"]["state"], "reached");
        assert_eq!(report["plan"]["options"]["in_flight"], "include", "as in the plan");
        place.expect(0, &["verify", "jobs.bson", "target"]);
        let hash = plan["hash"].as_str().unwrap();
        assert!(place.expect(0, &["status", run]).stdout.contains(hash));
        let status = document(&place.expect(0, &["status", run, "--json"]));
        assert_eq!(status["plan"], plan["hash"]);
        place.expect(0, &["report", run, "--out", "report"]);
        assert!(String::from_utf8(place.read("report/report.md")).unwrap().contains(hash));
        // What says that it was used is nothing to those who read the target.
        place.expect(0, &["restore", "target", "back.bson"]);
        assert_eq!(place.read("back.bson"), place.read("jobs.bson"));
    }
}

#[test]
fn a_plan_is_used_once() {
    let place = place();
    let plan = saved(&place, 0, "jobs.bson", &[]);
    fs::copy(place.path("plan.json"), place.path("copy.json")).unwrap();
    fs::copy(place.path("plan.json.keys"), place.path("copy.json.keys")).unwrap();
    let run = carried_out(&place, 0, "jobs.bson")["run"].as_str().unwrap().to_owned();
    refused(&place, "jobs.bson", &["was used by the run", &run]);
    let told = place.expect(0, &["plan", "show", "plan.json"]);
    assert!(told.stdout.contains(&format!("used by the run {run}")));
    // A copy is known to the target.
    let copy = ["run", "jobs.bson", "target", "--plan", "copy.json", "--apply"];
    place.expect(3, &copy).says(&["was used by the run", &run]);
    // After a rollback too.
    place.expect(0, &["rollback", &run, "--apply"]);
    place.expect(3, &copy).says(&["was used by the run", &run]);
    refused(&place, "jobs.bson", &["was used by the run", &run]);
    // And where the target was moved away.
    fs::rename(place.path("target"), place.path("aside")).unwrap();
    refused(&place, "jobs.bson", &["was used by the run", &run]);
    // Another plan of the same is another plan.
    fs::rename(place.path("aside"), place.path("target")).unwrap();
    let more = ["--in-flight", "include", "--save-plan", "again.json"];
    place.expect(0, &with(&["run", "jobs.bson", "target"], &more));
    place.expect(0, &["run", "jobs.bson", "target", "--plan", "again.json", "--apply"]);
    assert_eq!(checksums(&place), plan["reaches"]);
}

#[test]
fn what_stays_and_what_is_replaced_is_foreseen() {
    for form in [&[][..], &["--gzip"]] {
        for existing in ["--allow-existing", "--replace"] {
            let place = place();
            let more = with(&["--apply", "--in-flight", "include"], form);
            place.expect(0, &with(&["run", "old.bson", "target"], &more));
            // Jobs that differ are rejects unless they are replaced.
            let code = if existing == "--replace" { 0 } else { 4 };
            let plan = saved(&place, code, "jobs.bson", &with(form, &[existing]));
            let conflicts = plan["rejects"]["target-conflict"].as_u64().unwrap_or(0);
            assert_eq!(conflicts > 0, code == 4);
            assert_eq!(plan["forecast"]["replaced"].as_u64() > Some(0), code == 0);
            let told = carried_out(&place, code, "jobs.bson");
            assert_eq!(told["plan"]["state"], "reached");
            assert_eq!(checksums(&place), plan["reaches"]);
            place.expect(0, &["rollback", told["run"].as_str().unwrap(), "--apply"]);
            assert_eq!(checksums(&place), plan["target"]["collections"]);
        }
    }
}

#[test]
fn rejects_are_foreseen() {
    let place = place();
    let mut documents = split(&place.read("jobs.bson"));
    documents[3] = spoiled(&documents[3]);
    place.write("jobs.bson", &documents.concat());
    let plan = saved(&place, 4, "jobs.bson", &[]);
    assert_eq!(plan["rejects"]["unknown-status"], 1);
    let told = carried_out(&place, 4, "jobs.bson");
    assert_eq!(told["plan"]["state"], "reached");
    assert_eq!(checksums(&place), plan["reaches"]);
    // A retry of the rejects is planned too, and what they were is a part of that.
    let run = told["run"].as_str().unwrap();
    let more =
        ["--only-rejects", run, "--on-unknown-status", "failed", "--save-plan", "retry.json"];
    place.expect(0, &with(&["run", "jobs.bson", "target"], &more));
    let list = format!(".reshelve/runs/{run}/rejects.jsonl");
    let rejects = place.read(&list);
    place.write(&list, &[rejects.as_slice(), &rejects].concat());
    let retry = ["run", "jobs.bson", "target", "--plan", "retry.json", "--apply"];
    place.expect(3, &retry).says(&["rejects of the other run"]);
    place.write(&list, &rejects);
    place.expect(0, &retry);
    let plan: Value = serde_json::from_slice(&place.read("retry.json")).unwrap();
    assert_eq!(checksums(&place), plan["reaches"]);
    assert_eq!(plan["reaches"]["novel_jobs"]["documents"], 12);
}

#[test]
fn jobs_in_flight_need_a_decision_all_the_same() {
    let place = Place::new();
    let made = ["generate", "jobs.bson", "--documents", "20", "--preset", "lifecycle"];
    place.expect(0, &made);
    place.expect(0, &["run", "jobs.bson", "target", "--save-plan", "plan.json"]);
    let plan = plan(&place);
    assert_eq!(plan["options"]["in_flight"], Value::Null);
    let args = [&["run", "jobs.bson", "target"][..], &CARRY_OUT].concat();
    place.expect(3, &args).says(&["no --in-flight decision was made"]);
    place
        .expect(2, &with(&args, &["--in-flight", "skip"]))
        .says(&["only --in-flight include carries out this plan"]);
    // A plan that was refused is not used.
    place.expect(0, &with(&args, &["--in-flight", "include"]));
    assert_eq!(checksums(&place), plan["reaches"]);
}

#[test]
fn what_is_no_plan_is_said_to_be_none() {
    let place = place();
    place.expect(0, &["run", "jobs.bson", "target"]);
    let settings = format!(".reshelve/runs/{}/run.json", place.run());
    let apply = ["run", "jobs.bson", "target", "--apply", "--plan"];
    place.expect(2, &with(&apply, &[&settings])).says(&["it is the run.json of a run", "hint:"]);
    place.expect(2, &["plan", "show", &settings]).says(&["run.json of a run"]);
    place.expect(2, &with(&apply, &["nothing.json"])).says(&["nothing.json", "hint:"]);
    place.write("other.json", b"{\"schema\":\"other/1\"}");
    place.expect(2, &with(&apply, &["other.json"])).says(&["its schema is \"other/1\""]);
    assert!(!place.path("target").exists());
}

#[test]
fn a_plan_replaces_nothing() {
    let place = place();
    for name in ["plan.json", "plan.json.keys", "plan.json.used"] {
        place.write(name, b"mine");
        let told = place.expect(3, &[&["run", "jobs.bson", "target"][..], &SAVE].concat());
        told.says(&[name, "is there already", "hint:"]);
        assert_eq!(place.read(name), b"mine");
        fs::remove_file(place.path(name)).unwrap();
    }
    assert!(place.runs().is_empty());
    let args = ["run", "jobs.bson", "target", "--save-plan", "no/plan.json"];
    place.expect(3, &args).says(&["is not there"]);
}

#[test]
fn faulty_command_lines() {
    let place = place();
    let run = ["run", "jobs.bson", "target"];
    place.expect(2, &with(&run, &["--save-plan", "plan.json", "--apply"])).says(&["hint:"]);
    place.expect(2, &with(&run, &["--plan", "plan.json"])).says(&["needs --apply", "hint:"]);
    let both = ["--plan", "a", "--save-plan", "b"];
    place.expect(2, &with(&run, &both)).says(&["hint:"]);
    place.expect(2, &with(&run, &["--save-plan", "mongodb://u:s3cret@h/d"]));
    saved(&place, 0, "jobs.bson", &[]);
    let args = [&run[..], &CARRY_OUT].concat();
    place.call(&args).env("DRY_RUN", "true").expect(2).says(&["DRY_RUN"]);
    // What can be read once cannot be compared first.
    let bytes = place.read("jobs.bson");
    let save = ["run", "-", "target", "--save-plan", "pipe.json"];
    place.call(&save).stdin(&bytes).expect(3).says(&["hint:"]);
    let carry = ["run", "-", "target", "--plan", "plan.json", "--apply"];
    place.call(&carry).stdin(&bytes).expect(3).says(&["hint:"]);
    assert!(!place.path("target").exists() && !place.path("pipe.json").exists());
}

#[test]
fn a_dry_run_that_is_not_done_saves_no_plan() {
    let place = place();
    let bytes = place.read("jobs.bson");
    place.write("cut.bson", &bytes[..bytes.len() - 7]);
    let args = [&["run", "cut.bson", "target"][..], &SAVE].concat();
    place.expect(1, &args).says(&["no plan was saved", "truncated"]);
    let mut documents = split(&bytes);
    documents[3] = spoiled(&documents[3]);
    place.write("rejects.bson", &documents.concat());
    let args = [&["run", "rejects.bson", "target", "--fail-fast"][..], &SAVE].concat();
    place.expect(4, &args).says(&["no plan was saved"]);
    let left = fs::read_dir(place.path("")).unwrap();
    let left =
        left.filter(|it| it.as_ref().unwrap().file_name().to_string_lossy().contains("plan"));
    assert_eq!(left.count(), 0);
}

#[test]
fn every_form_of_a_source_can_be_planned() {
    for source in ["dump", "jobs.archive.gz", "jobs.jsonl", "jobs.bson.zst"] {
        let place = Place::new();
        place.expect(0, &["generate", source, "--documents", "9", "--size", "small"]);
        let plan = saved(&place, 0, source, &[]);
        assert_eq!(plan["source"]["documents"], 9, "{source}");
        carried_out(&place, 0, source);
        assert_eq!(checksums(&place), plan["reaches"], "{source}");
    }
    // Another spelling of a place is the same place.
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "9", "--size", "small"]);
    saved(&place, 0, "dump", &[]);
    place.expect(0, &["run", "./dump/", "./target//", "--plan", "./plan.json", "--apply"]);
    // What is not even BSON, and has no id, is a document too.
    let place = Place::new();
    place.expect(0, &["generate", "jobs.jsonl", "--documents", "9", "--size", "small"]);
    let lines = place.read("jobs.jsonl");
    let with = |line: &[u8]| [lines.as_slice(), line, b"\n"].concat();
    place.write("jobs.jsonl", &with(b"{\"_id\":{\"$oid\":\"x\"}}"));
    let plan = saved(&place, 4, "jobs.jsonl", &[]);
    assert_eq!(plan["rejects"]["malformed-json"], 1);
    place.write("jobs.jsonl", &with(b"{\"_id\":{\"$oid\":\"y\"}}"));
    let words = ["1 was added, 0 changed, 1 removed", "a document without _id"];
    refused(&place, "jobs.jsonl", &words);
    place.write("jobs.jsonl", &with(b"{\"_id\":{\"$oid\":\"x\"}}"));
    carried_out(&place, 4, "jobs.jsonl");
}

#[test]
fn a_plan_holds_no_secrets_and_is_shown() {
    let place = place();
    let plan = saved(&place, 0, "jobs.bson", &["--limit", "7"]);
    let told = place.expect(0, &["plan", "show", "plan.json"]);
    let told = told.says(&["Next: reshelve run", "--apply", "--plan plan.json"]);
    let hash = plan["hash"].as_str().unwrap();
    for words in [
        hash,
        "no use is recorded beside it",
        "jobs.bson",
        "--limit 7",
        "set hash",
        "novel_job_metadata",
    ] {
        assert!(told.stdout.contains(words), "{words}: {}", told.stdout);
    }
    let sum = plan["reaches"]["novel_jobs"]["checksum"].as_str().unwrap();
    assert!(told.stdout.contains(sum));
    let told = place.expect(0, &["plan", "show", "plan.json", "--json"]);
    assert_eq!(told.stdout.lines().count(), 1);
    let shown = document(&told);
    assert_eq!((&shown["hash"], &shown["used"]), (&plan["hash"], &Value::Null));
    assert_eq!((&shown["keys"], &shown["exit"]), (&"as-saved".into(), &0.into()));
    // A title is nothing that a plan needs.
    let title = split(&place.read("jobs.bson"));
    let title = String::from_utf8_lossy(taken_back::text(&title[0], "title")).into_owned();
    assert!(
        title.is_empty() || !String::from_utf8_lossy(&place.read("plan.json")).contains(&title)
    );
}

//! A run and the runs that took its rejects again, verified and reported as one.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::fs;

use common::documents::{aged, spoiled};
use common::{Place, Told, split, with};
use serde_json::{Value, json};

const APPLY: [&str; 3] = ["--apply", "--in-flight", "include"];
const VERIFY: [&str; 4] = ["verify", "jobs.bson", "target", "--json"];

fn document(told: &Told) -> Value {
    serde_json::from_str(&told.stdout).unwrap()
}

/// A place in which a run has rejected two documents.
struct Rejected {
    place: Place,
    /// What the source holds: the fifth and the eighth document are spoiled.
    documents: Vec<Vec<u8>>,
    /// The two documents as they should be.
    whole: [Vec<u8>; 2],
    first: String,
}

impl Rejected {
    fn new() -> Rejected {
        let place = Place::new();
        let args = ["generate", "jobs.bson", "--documents", "12", "--size", "small"];
        place.expect(0, &args);
        let mut documents = split(&place.read("jobs.bson"));
        let whole = [4, 7].map(|at: usize| documents[at].clone());
        for at in [4, 7] {
            documents[at] = spoiled(&documents[at]);
        }
        place.write("jobs.bson", &documents.concat());
        place.expect(4, &with(&["run", "jobs.bson", "target"], &APPLY));
        let first = place.run();
        Rejected { place, documents, whole, first }
    }

    /// Runs the rejects of a run again, and returns the id of the retry.
    fn retry(&self, code: i32, source: &str, parent: &str, more: &[&str]) -> String {
        let run = ["run", source, "target", "--only-rejects", parent, "--json"];
        let told = self.place.expect(code, &[&run[..], &APPLY, more].concat());
        document(&told)["run"].as_str().unwrap().to_owned()
    }

    fn verify(&self, code: i32, runs: &[&str]) -> Value {
        let flags: Vec<&str> = runs.iter().flat_map(|run| ["--run", run]).collect();
        document(&self.place.expect(code, &with(&VERIFY, &flags)))
    }

    fn report(&self, runs: &[&str]) -> Value {
        let args = with(&["report", "--json", "--out", "report"], runs);
        document(&self.place.expect(0, &args))
    }
}

fn counts(found: &Value) -> [u64; 5] {
    let counts = &found["counts"];
    ["legacy", "rejected", "retried", "repaired", "not_in_source"]
        .map(|name| counts[name].as_u64().unwrap())
}

#[test]
fn what_a_retry_carried_over_with_other_options_is_no_reject_any_more() {
    let at = Rejected::new();
    let failed = ["--on-unknown-status", "failed"];
    let retry = at.retry(0, "jobs.bson", &at.first, &failed);
    let (first, retry) = (at.first.as_str(), retry.as_str());
    for runs in [[first, retry], [retry, first]] {
        let found = at.verify(0, &runs);
        assert_eq!((&found["verdict"], counts(&found)), (&json!("holds"), [12, 0, 2, 0, 0]));
        assert_eq!(found["runs"], json!([first, retry]));
        assert_eq!(found["restored"]["identical"], 12);
        let report = at.report(&runs);
        assert_eq!(report["verdict"]["word"], "holds", "{}", report["verdict"]);
        let documents = &report["checkpoint"]["totals"]["documents"];
        assert_eq!((&documents["rejected"], &documents["written"]), (&json!(0), &json!(12)));
        assert_eq!(report["checkpoint"]["totals"]["rejects"], json!({}));
        assert_eq!((&report["rejects"], &report["other_retries"]), (&json!([]), &json!([])));
        assert_eq!(report["runs"][1]["plan"]["retry_of"], first);
        assert_eq!(report["checksums"]["novel_jobs"]["documents"], 12);
        let page = String::from_utf8(at.place.read("report/report.html")).unwrap();
        assert!(page.contains("Runs that took again what was rejected") && page.contains(retry));
    }
    // The last run is followed with its retries.
    let found = at.verify(0, &[]);
    assert_eq!(
        (&found["options_from"], &found["runs"]),
        (&json!("last-run"), &json!([first, retry]))
    );
    assert_eq!(found["verdict"], "holds");
    // A sample of it, too.
    let sample = document(&at.place.expect(0, &with(&VERIFY, &["--sample", "12"])));
    assert_eq!((&sample["mismatches_total"], counts(&sample)), (&json!(0), [12, 0, 2, 0, 0]));
}

#[test]
fn a_run_that_is_reported_or_verified_alone_names_its_retries() {
    let at = Rejected::new();
    let retry = at.retry(0, "jobs.bson", &at.first, &["--on-unknown-status", "failed"]);
    let report = at.report(&[&at.first]);
    assert_eq!(report["other_retries"], json!([retry]));
    let caution = report["cautions"][0].as_str().unwrap();
    let both = format!("`reshelve report {} {retry}`", at.first);
    assert!(caution.contains(&both), "{caution}");
    let told = at.place.expect(5, &with(&VERIFY, &["--run", &at.first]));
    assert_eq!(document(&told)["causes"], json!([{ "cause": "rejected-carried-over" }]));
    told.says(&[&format!("--run {retry} does so")]);
    // The retry alone names the run.
    let told =
        at.place.expect(0, &with(&VERIFY, &["--run", &retry, "--on-unknown-status", "failed"]));
    told.says(&[&format!("--run {} --run {retry} follows both", at.first)]);
    let report = at.report(&[&retry]);
    let cautions = report["cautions"].to_string();
    assert!(cautions.contains(&both), "{cautions}");
    let status = document(&at.place.expect(0, &["status", &retry, "--json"]));
    assert_eq!(status["retry_of"], json!(at.first));
    let text = at.place.expect(0, &["status", &retry]).stdout;
    assert!(text.contains(&format!("retry of     {}", at.first)), "{text}");
    let text = at.place.expect(0, &["runs"]).stdout;
    assert!(text.contains(&format!("a retry of {}", at.first)), "{text}");
    let plan: Value =
        serde_json::from_slice(&at.place.read(&format!(".reshelve/runs/{retry}/run.json")))
            .unwrap();
    assert_eq!(plan["retry_of"], json!(at.first));
}

#[test]
fn the_target_has_to_hold_what_the_repaired_file_held() {
    let at = Rejected::new();
    at.place.write("repaired.bson", &at.whole.concat());
    let retry = at.retry(0, "repaired.bson", &at.first, &[]);
    let runs = [at.first.as_str(), retry.as_str()];
    let found = at.verify(0, &runs);
    // The source still holds the documents that were rejected: somebody has to accept that.
    assert_eq!(counts(&found), [12, 0, 2, 2, 0]);
    assert_eq!(
        (&found["verdict"], &found["mismatches_total"]),
        (&json!("holds-with-exceptions"), &json!(0))
    );
    let flags = with(&VERIFY[..3], &["--run", runs[0], "--run", runs[1]]);
    let text = at.place.expect(0, &flags).stdout;
    assert!(
        text.contains("2 documents carried over repaired, and not repaired in the source"),
        "{text}"
    );
    let report = at.report(&runs);
    assert_eq!(report["verdict"]["word"], "holds-with-exceptions");
    let sentence = report["verdict"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("the source still holds the one that was rejected"), "{sentence}");
    // For the file alone, the retry is the last run: everything else in the target is of others.
    let alone = document(&at.place.expect(0, &["verify", "repaired.bson", "target", "--json"]));
    assert_eq!((&alone["runs"], &alone["counts"]["legacy"]), (&json!([retry]), &json!(2)));
    assert_eq!((&alone["options_from"], &alone["verdict"]), (&json!("last-run"), &json!("holds")));
    // One byte of it is another one now.
    at.place.write("repaired.bson", &[aged(&at.whole[0]), at.whole[1].clone()].concat());
    let found = at.verify(5, &runs);
    assert_eq!(
        (&found["mismatched_jobs"], &found["restored"]["different"]),
        (&json!(1), &json!(1))
    );
    // One of the two is repaired in the source as well.
    at.place.write("repaired.bson", &at.whole.concat());
    let mut documents = at.documents.clone();
    documents[4].clone_from(&at.whole[0]);
    at.place.write("jobs.bson", &documents.concat());
    assert_eq!(counts(&at.verify(0, &runs)), [12, 0, 2, 1, 0]);
    // The other one is gone from the source.
    documents.remove(7);
    at.place.write("jobs.bson", &documents.concat());
    let found = at.verify(0, &runs);
    assert_eq!(
        (counts(&found), &found["verdict"]),
        ([11, 0, 1, 0, 1], &json!("holds-with-exceptions"))
    );
    assert_eq!(found["restored"]["identical"], 12);
}

#[test]
fn a_source_that_was_repaired_where_it_is_holds() {
    let at = Rejected::new();
    let mut documents = at.documents.clone();
    documents[4].clone_from(&at.whole[0]);
    documents[7].clone_from(&at.whole[1]);
    at.place.write("jobs.bson", &documents.concat());
    // It was not run again yet.
    assert_eq!(at.verify(5, &[&at.first])["restored"]["missing"], 2);
    let retry = at.retry(0, "jobs.bson", &at.first, &[]);
    let found = at.verify(0, &[&at.first, &retry]);
    assert_eq!((counts(&found), &found["verdict"]), ([12, 0, 2, 0, 0], &json!("holds")));
    let report = at.report(&[&retry, &at.first]);
    assert_eq!(report["verdict"]["word"], "holds");
    assert!(report["cautions"].to_string().contains("not the one that the run read"));
}

#[test]
fn retries_of_retries_count_and_one_that_is_left_out_is_named() {
    let at = Rejected::new();
    at.place.write("one.bson", &[at.whole[0].clone(), spoiled(&at.whole[1])].concat());
    let second = at.retry(4, "one.bson", &at.first, &[]);
    let found = at.verify(0, &[&at.first, &second]);
    assert_eq!(
        (counts(&found), &found["verdict"]),
        ([12, 1, 1, 1, 0], &json!("holds-with-exceptions"))
    );
    let report = at.report(&[&at.first, &second]);
    assert_eq!(report["rejects"].as_array().unwrap().len(), 1);
    assert_eq!(report["checkpoint"]["totals"]["rejects"]["unknown-status"]["count"], 1);
    at.place.write("two.bson", &at.whole[1]);
    let third = at.retry(0, "two.bson", &second, &[]);
    let all = [third.as_str(), at.first.as_str(), second.as_str()];
    let found = at.verify(0, &all);
    assert_eq!(
        (counts(&found), &found["runs"]),
        ([12, 0, 2, 2, 0], &json!([all[1], all[2], all[0]]))
    );
    assert_eq!(at.report(&all)["checkpoint"]["totals"]["documents"]["rejected"], 0);
    // A sibling that takes them all again finds them unchanged.
    at.place.write("both.bson", &at.whole.concat());
    let fourth = at.retry(0, "both.bson", &at.first, &[]);
    assert_eq!(counts(&at.verify(0, &[&all[..], &[&fourth]].concat())), [12, 0, 2, 2, 0]);
    // Without the one between them, it is no retry of the first one.
    let refused = ["report", &at.first, &third];
    at.place.expect(2, &refused).says(&[&format!("a retry of {second}"), "hint: name "]);
}

#[test]
fn runs_that_are_no_retries_of_the_first_one_are_refused() {
    let at = Rejected::new();
    let other = ["run", "jobs.bson", "other"];
    at.place.expect(4, &with(&other, &APPLY));
    let other = at.place.runs().pop().unwrap();
    let dry = ["run", "jobs.bson", "target", "--only-rejects", &at.first];
    at.place.expect(4, &dry);
    let dry = at.place.runs().pop().unwrap();
    let elsewhere = ["run", "jobs.bson", "elsewhere", "--only-rejects", &at.first];
    at.place.expect(4, &with(&elsewhere, &APPLY));
    let elsewhere = at.place.runs().pop().unwrap();
    for (run, why) in [
        (&other, "is not a retry of"),
        (&dry, "is a dry run"),
        (&elsewhere, "wrote another target"),
    ] {
        for names in [[&at.first, run], [run, &at.first]] {
            at.place.expect(2, &["report", names[0], names[1]]).says(&[why, "hint:"]);
            let flags = ["--run", names[0], "--run", names[1]];
            at.place.expect(2, &with(&VERIFY, &flags)).says(&[why, "hint:"]);
        }
    }
    // A run that is named twice is one run.
    assert_eq!(at.report(&[&at.first, &at.first])["runs"].as_array().unwrap().len(), 1);
    // None of them was followed without being named.
    assert_eq!(at.verify(0, &[])["runs"], json!([at.first]));
}

#[test]
fn a_retry_whose_source_is_gone_leaves_it_open() {
    let at = Rejected::new();
    at.place.write("repaired.bson", &at.whole.concat());
    let retry = at.retry(0, "repaired.bson", &at.first, &[]);
    fs::remove_file(at.place.path("repaired.bson")).unwrap();
    let flags = with(&VERIFY, &["--run", &at.first, "--run", &retry]);
    at.place.expect(1, &flags).says(&["the source of the retry", "repaired.bson"]);
    assert_eq!(at.report(&[&at.first, &retry])["verdict"]["word"], "not-checked");
    // Nobody named it, and what it carried over cannot be checked: that is no verdict.
    at.place.expect(1, &VERIFY).says(&["the source of the retry", "repaired.bson"]);
}

#[test]
fn a_copy_of_a_run_folder_is_no_run_of_its_own() {
    let at = Rejected::new();
    at.place.write("repaired.bson", &at.whole.concat());
    let retry = at.retry(0, "repaired.bson", &at.first, &[]);
    let runs = at.place.path(".reshelve/runs");
    for (run, copy) in [(&at.first, "20200101-kept"), (&at.first, "kept"), (&retry, "kept-too")] {
        let made = fs::create_dir(runs.join(copy));
        made.unwrap();
        for entry in fs::read_dir(runs.join(run)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, runs.join(copy).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let found = at.verify(0, &[]);
    assert_eq!(found["runs"], json!([at.first, retry]));
    let report = at.report(&[&at.first]);
    assert_eq!(report["other_retries"], json!([retry]));
    let told = at.place.expect(0, &["runs", "--json"]);
    assert_eq!(document(&told)["runs"].as_array().unwrap().len(), 2);
    told.says(&["kept is a copy of the run", "kept-too is a copy of the run"]);
}

#[test]
fn a_retry_whose_source_gives_less_leaves_it_open() {
    let at = Rejected::new();
    at.place.write("repaired.bson", &at.whole.concat());
    let retry = at.retry(0, "repaired.bson", &at.first, &[]);
    // One of the two is no longer what a target can hold.
    at.place.write("repaired.bson", &[at.whole[0].clone(), spoiled(&at.whole[1])].concat());
    let flags = with(&VERIFY, &["--run", &at.first, "--run", &retry]);
    at.place.expect(1, &flags).says(&["no longer gives 1 of the 2 documents", "hint: put back"]);
    let report = at.report(&[&at.first, &retry]);
    assert_eq!(report["verdict"]["word"], "not-checked");
    // A third document is none that the retry took.
    at.place.write("repaired.bson", &[&at.whole[..], &[at.documents[0].clone()]].concat().concat());
    assert_eq!(counts(&at.verify(0, &[&at.first, &retry])), [12, 0, 2, 2, 0]);
}

#[test]
fn a_conflict_that_a_retry_replaced_is_settled() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "12", "--size", "small"]);
    let documents = split(&place.read("jobs.bson"));
    place.write("old.bson", &aged(&documents[4]));
    place.expect(0, &with(&["run", "old.bson", "target"], &APPLY));
    let run = ["run", "jobs.bson", "target", "--allow-existing", "--json"];
    let first = document(&place.expect(4, &with(&run, &APPLY)));
    let first = first["run"].as_str().unwrap().to_owned();
    let retry = ["run", "jobs.bson", "target", "--only-rejects", &first, "--replace", "--json"];
    let retry = document(&place.expect(0, &with(&retry, &APPLY)));
    let retry = retry["run"].as_str().unwrap();
    let found = document(&place.expect(0, &with(&VERIFY, &["--run", retry, "--run", &first])));
    assert_eq!((&found["verdict"], counts(&found)), (&json!("holds"), [12, 0, 1, 0, 0]));
    assert_eq!(document(&place.expect(0, &VERIFY))["verdict"], "holds");
    let told = place.expect(0, &["report", &first, retry, "--json", "--bundle", "--out", "out"]);
    let report = document(&told);
    assert_eq!(report["verdict"]["word"], "holds");
    // The way back says where the earlier version is.
    let undo = report["rollback"]["undo"].as_str().unwrap();
    assert!(undo.contains(retry) && undo.ends_with("undo"), "{undo}");
    assert!(place.path(&format!("out/evidence-{first}.tar.gz")).is_file());
}

#[test]
fn text_that_could_not_be_read_is_carried_over_repaired() {
    let place = Place::new();
    let lines =
        ["generate", "jobs.jsonl", "--documents", "6", "--size", "small", "--form", "lines"];
    place.expect(0, &lines);
    let text = String::from_utf8(place.read("jobs.jsonl")).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let whole = lines[2].clone();
    lines[2] = whole.replacen("\"status\":", "\"status\"::", 1);
    assert_ne!(lines[2], whole);
    place.write("jobs.jsonl", (lines.join("\n") + "\n").as_bytes());
    place.expect(4, &with(&["run", "jobs.jsonl", "target"], &APPLY));
    let first = place.run();
    place.write("repaired.jsonl", (whole + "\n").as_bytes());
    let retry = ["run", "repaired.jsonl", "target", "--only-rejects", &first];
    place.expect(0, &with(&retry, &APPLY));
    let retry = place.runs().pop().unwrap();
    let verify = ["verify", "jobs.jsonl", "target", "--json", "--run", &first, "--run", &retry];
    let found = document(&place.expect(0, &verify));
    assert_eq!((counts(&found), &found["mismatches_total"]), ([6, 0, 1, 1, 0], &json!(0)));
}

#[test]
fn a_second_document_of_one_id_stays_a_reject() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "8", "--size", "small"]);
    let mut documents = split(&place.read("jobs.bson"));
    documents.push(documents[2].clone());
    documents[5] = spoiled(&documents[5]);
    place.write("jobs.bson", &documents.concat());
    place.expect(4, &with(&["run", "jobs.bson", "target"], &APPLY));
    let first = place.run();
    let retry =
        ["run", "jobs.bson", "target", "--only-rejects", &first, "--on-unknown-status", "failed"];
    place.expect(4, &with(&retry, &APPLY));
    let retry = place.runs().pop().unwrap();
    let found = document(&place.expect(0, &with(&VERIFY, &["--run", &first, "--run", &retry])));
    assert_eq!((counts(&found)[..2].to_vec(), &found["mismatches_total"]), (vec![9, 1], &json!(0)));
    assert_eq!(found["restored"]["identical"], 8);
    let report = ["report", &first, &retry, "--json", "--out", "report"];
    let report = document(&place.expect(0, &report));
    let rejects = &report["checkpoint"]["totals"]["rejects"];
    assert_eq!(rejects["duplicate-id"]["count"], 1, "{rejects}");
    assert_eq!(rejects.as_object().unwrap().len(), 1, "{rejects}");
}

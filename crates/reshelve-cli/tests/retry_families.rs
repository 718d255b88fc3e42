//! Retries of which one was rolled back: those that stand are one with their run.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::documents::spoiled;
use common::{Place, Told, split, with};
use serde_json::{Value, json};

const APPLY: [&str; 3] = ["--apply", "--in-flight", "include"];

fn document(told: &Told) -> Value {
    serde_json::from_str(&told.stdout).unwrap()
}

/// A run that rejected two of twelve documents, and a file with both repaired.
struct Family {
    place: Place,
    first: String,
}

impl Family {
    fn new() -> Family {
        let place = Place::new();
        let generate = ["generate", "jobs.bson", "--documents", "12", "--size", "small"];
        place.expect(0, &generate);
        let mut documents = split(&place.read("jobs.bson"));
        let whole: Vec<Vec<u8>> = vec![documents[4].clone(), documents[7].clone()];
        place.write("repaired.bson", &whole.concat());
        place.write("half.bson", &[whole[0].clone(), spoiled(&whole[1])].concat());
        for at in [4, 7] {
            documents[at] = spoiled(&documents[at]);
        }
        place.write("jobs.bson", &documents.concat());
        place.expect(4, &with(&["run", "jobs.bson", "target"], &APPLY));
        let first = place.run();
        Family { place, first }
    }

    /// Runs the rejects of a run again: the id of the retry, and what it says.
    fn retry(&self, code: i32, source: &str, parent: &str) -> (String, Told) {
        let run = ["run", source, "target", "--only-rejects", parent];
        let told = self.place.expect(code, &with(&run, &APPLY));
        (self.place.runs().pop().unwrap(), told)
    }

    fn roll_back(&self, run: &str) -> Told {
        self.place.expect(0, &["rollback", run, "--apply"])
    }

    fn report(&self, runs: &[&str]) -> Value {
        let args = with(&["report", "--json", "--out", "report"], runs);
        document(&self.place.expect(0, &args))
    }
}

/// The runs that a report is about.
fn runs_of(report: &Value) -> Vec<&str> {
    let runs = report["runs"].as_array().unwrap();
    runs.iter().map(|run| run["plan"]["run"].as_str().unwrap()).collect()
}

#[test]
fn a_retry_that_was_rolled_back_is_left_out() {
    let at = Family::new();
    let (first, place) = (at.first.as_str(), &at.place);
    let (gone, _) = at.retry(0, "repaired.bson", first);
    at.roll_back(&gone);
    let (again, told) = at.retry(0, "repaired.bson", first);
    let next = format!("reshelve report {first} {again} --bundle");
    told.says(&[&next]);
    let args = ["report", "--json", "--out", "report", first, &gone, &again];
    let told = place.expect(0, &args);
    let report = document(&told);
    told.says(&[&format!("note: the retry {gone} was rolled back: it is left out")]);
    assert_eq!(report["verdict"]["word"], "holds-with-exceptions");
    assert_eq!((runs_of(&report), &report["other_retries"]), (vec![first, &again], &json!([])));
    let verify = ["verify", "jobs.bson", "target", "--json", "--run", first, "--run", &gone];
    let told = place.expect(0, &with(&verify, &["--run", &again]));
    assert_eq!(document(&told)["runs"], json!([first, again]));
    // Nobody is told to report what was rolled back.
    let alone = at.report(&[first]);
    assert_eq!(alone["other_retries"], json!([again]));
    let told = place.expect(0, &["verify", "jobs.bson", "target", "--json"]);
    assert_eq!(document(&told)["runs"], json!([first, again]));
}

#[test]
fn a_retry_of_one_that_was_rolled_back_belongs_to_the_first_run() {
    let at = Family::new();
    let (first, place) = (at.first.as_str(), &at.place);
    let (half, told) = at.retry(4, "half.bson", first);
    told.says(&[&format!("reshelve report {first} {half} --bundle")]);
    at.roll_back(&half);
    let (second, told) = at.retry(0, "repaired.bson", &half);
    told.says(&[&format!("reshelve report {first} {second} --bundle")]);
    let report = at.report(&[first, &second]);
    assert_eq!(runs_of(&report), [first, &second]);
    // It took only what the one before it had rejected.
    assert_eq!(report["checkpoint"]["totals"]["documents"]["rejected"], 1);
    let told = place.expect(0, &["verify", "jobs.bson", "target", "--json"]);
    assert_eq!(document(&told)["runs"], json!([first, second]));
}

#[test]
fn all_retries_are_named_that_belong_together() {
    let at = Family::new();
    let first = at.first.as_str();
    let (half, _) = at.retry(4, "half.bson", first);
    let (second, told) = at.retry(0, "repaired.bson", &half);
    let next = format!("reshelve report {first} {half} {second} --bundle");
    told.says(&[&next]);
    for run in [first, &half, &second] {
        at.place.expect(0, &["status", run]).says(&[&next]);
    }
}

#[test]
fn a_rollback_names_the_retries_that_stand() {
    let at = Family::new();
    let first = at.first.as_str();
    let (retry, _) = at.retry(0, "repaired.bson", first);
    for apply in [&[][..], &["--apply"]] {
        let told = at.place.expect(0, &with(&["rollback", first], apply));
        told.says(&[&format!("note: what it rejected was run again by {retry}, which stands")]);
    }
    // What is left stands alone.
    let told = at.place.expect(0, &["status", &retry]);
    told.says(&[&format!("reshelve report {retry} --bundle")]);
    let told = at.roll_back(&retry);
    assert!(!told.stderr.contains("run again by"), "{}", told.stderr);
}

#[test]
fn the_latest_rejects_are_not_those_of_a_run_that_was_rolled_back() {
    let at = Family::new();
    let first = at.first.as_str();
    let (gone, _) = at.retry(4, "half.bson", first);
    at.roll_back(&gone);
    let (again, told) = at.retry(0, "repaired.bson", "latest");
    told.says(&[&format!(
        "note: latest is {first} here: the run {gone} was begun after it, and is rolled back"
    )]);
    assert_eq!(runs_of(&at.report(&[first, &again])), [first, &again]);
    assert_eq!(at.report(&[first, &again])["checkpoint"]["totals"]["documents"]["rejected"], 0);
}

#[test]
fn a_dry_retry_of_the_latest_run_leads_to_the_same_rejects() {
    let at = Family::new();
    let first = at.first.as_str();
    let dry = ["run", "repaired.bson", "target", "--in-flight", "include"];
    let told = at.place.expect(0, &with(&dry, &["--only-rejects", "latest"]));
    let next = format!("{} --only-rejects {first} --apply", dry.join(" "));
    told.says(&[&format!("Next: reshelve {next}")]);
    // Typed again, it means the same run.
    let (retry, told) = at.retry(0, "repaired.bson", "latest");
    assert!(told.stdout.contains("written      2 jobs"), "{}", told.stdout);
    told.says(&[&format!("note: latest is {first} here"), "carried nothing over"]);
    assert_eq!(runs_of(&at.report(&[first, &retry])), [first, &retry]);
}

#[test]
fn a_retry_says_how_much_of_the_rejects_it_did_not_come_to() {
    let at = Family::new();
    let first = at.first.as_str();
    at.place.write("one.bson", &split(&at.place.read("repaired.bson"))[0]);
    let (_, told) = at.retry(0, "one.bson", first);
    let left = format!("rejects left 1 of the 2 that {first} had rejected");
    assert!(told.stdout.contains(&left), "{}", told.stdout);
    let (_, told) = at.retry(0, "repaired.bson", first);
    assert!(!told.stdout.contains("rejects left"), "{}", told.stdout);
}

#[test]
fn a_report_or_comparison_of_a_part_names_all() {
    let at = Family::new();
    let first = at.first.as_str();
    let (half, _) = at.retry(4, "half.bson", first);
    let (second, _) = at.retry(0, "repaired.bson", &half);
    let all = format!("`reshelve report {first} {half} {second}` reports all of them as one");
    for part in [first, &half, &second] {
        let cautions = at.report(&[part])["cautions"].to_string();
        assert!(cautions.contains(&all), "{part}: {cautions}");
    }
    let verify = ["verify", "half.bson", "target", "--run", &half];
    let told = at.place.expect(0, &verify);
    told.says(&[
        &format!("--run {first} --run {half} --run {second} follows all of them"),
        &format!("Next: reshelve report {first} {half} {second} --bundle"),
    ]);
}

#[test]
fn a_retry_that_was_rolled_back_but_for_an_edited_job_says_so() {
    let at = Family::new();
    let (first, place) = (at.first.as_str(), &at.place);
    let (gone, _) = at.retry(0, "repaired.bson", first);
    let jobs = "target/letswriteabook/novel_jobs.bson";
    let mut documents = split(&place.read(jobs));
    let last = documents.len() - 1;
    documents[last] = common::documents::aged(&documents[last]);
    place.write(jobs, &documents.concat());
    place.expect(0, &["rollback", &gone, "--apply", "--edited", "keep"]);
    let args = ["report", "--out", "report", first, &gone];
    place.expect(0, &args).says(&["but for 1 job that somebody edited: it is left out"]);
}

#[test]
fn a_report_says_what_a_retry_decided_otherwise() {
    let at = Family::new();
    let first = at.first.as_str();
    let run = ["run", "repaired.bson", "target", "--only-rejects", first, "--apply"];
    let decided = ["--in-flight", "as-failed", "--status-policy", "evidence"];
    at.place.expect(0, &with(&run, &decided));
    let retry = at.place.runs().pop().unwrap();
    at.report(&[first, &retry]);
    let report = String::from_utf8(at.place.read("report/report.md")).unwrap();
    let took = format!(
        "The target keeps the stored status (--status-policy legacy). Of what the retry {retry} took: The target follows the chapters"
    );
    assert!(report.contains(&took), "{report}");
}

//! What docs/review.md names is in a report: verdicts, parts, and what the reviewer ticks.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::fs;
use std::path::Path;

use common::Place;
use serving::Served;

/// What the page sets in italics, and the verdicts in the table of them.
fn named() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/review.md");
    let page = fs::read_to_string(path).unwrap();
    let verdicts = page.lines().filter_map(|line| line.strip_prefix("| **")?.split("**").next());
    let verdicts: Vec<String> = verdicts.map(str::to_owned).collect();
    assert_eq!(verdicts.len(), 5, "the table of verdicts has changed");
    let plain = page.replace("**", "");
    let parts = plain.lines().flat_map(|line| line.split('*').skip(1).step_by(2));
    let parts: Vec<String> = parts.map(str::to_owned).collect();
    assert!(parts.len() > 5, "only {parts:?} were found: their form has changed");
    [verdicts, parts].concat()
}

/// The page and the Markdown of a report of the newest run.
fn report(place: &Place) -> String {
    report_with(place, &[])
}

fn report_with(place: &Place, more: &[&str]) -> String {
    place.expect(0, &[&["report", "latest", "--out", "report"], more].concat());
    let files = ["report/report.html", "report/report.md"].map(|name| place.read(name));
    let text = files.map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    fs::remove_dir_all(place.path("report")).unwrap();
    text
}

#[test]
fn what_the_reviewer_looks_for_is_there() {
    let place = Place::new();
    let source = ["jobs.jsonl", "--preset", "lifecycle", "--documents", "12"];
    place.expect(0, &[&["generate"], &source[..]].concat());
    place.expect(0, &["run", "jobs.jsonl", "out"]);
    let mut reports = report(&place);
    place.expect(0, &["run", "jobs.jsonl", "out", "--apply", "--in-flight", "include"]);
    reports += &report(&place);
    let served = Served::new(&place, &["out"]);
    place.expect(0, &["crosscheck", &served.url(), "jobs.jsonl", "--out", "asked"]);
    let answers = ["--answers", "--crosscheck", "asked/crosscheck.json"];
    reports += &report_with(&place, &answers);
    let edited = place.read("out/letswriteabook/novel_jobs.bson");
    place.write("out/letswriteabook/novel_jobs.bson", &common::documents::aged(&edited));
    reports += &report(&place);
    fs::rename(place.path("jobs.jsonl"), place.path("moved.jsonl")).unwrap();
    reports += &report(&place);
    let part = ["run", "moved.jsonl", "part", "--apply", "--in-flight", "skip", "--limit", "11"];
    place.expect(0, &part);
    reports += &report(&place);
    let missing: Vec<String> =
        named().into_iter().filter(|name| !reports.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "the page names what no report has: {missing:?}");
}

//! The parity page: what the reports of runs say, and how far the two sides of a server agree.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[path = "common/asked.rs"]
mod asked;
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use common::{Place, until};
use serving::{SOURCE, Served};

fn page(served: &Served, target: &str) -> String {
    let answer = served.get(target);
    assert_eq!(answer.status, 200, "{target}: {}", answer.body);
    answer.body
}

/// A target of generated novels, and the run that wrote it.
fn place() -> (Place, String) {
    let place = Place::new();
    let args = ["generate", "legacy.bson", "--documents", "60", "--preset", "lifecycle"];
    place.expect(0, &args);
    let args = ["run", "legacy.bson", "target", "--apply", "--in-flight", "include"];
    place.expect(0, &args);
    let run = place.run();
    (place, run)
}

#[test]
fn a_run_that_nobody_compared_is_shown_with_the_command_that_does() {
    let (place, run) = place();
    let served = Served::new(&place, &["target"]);
    for target in ["/ui/parity", &format!("/ui/parity/{run}")] {
        let shown = page(&served, target);
        assert!(shown.contains("Nobody compared the two sides of this run yet."), "{shown}");
        assert!(shown.contains(&format!("reshelve report {run}</pre>")), "{shown}");
        assert!(!shown.contains("Cost and tokens, three ways"), "{shown}");
    }
    place.expect(0, &["report", &run]);
    let shown = page(&served, "/ui/parity");
    assert!(!shown.contains("Nobody compared"), "{shown}");
    assert!(shown.contains("Parity holds"), "{shown}");
    for nothing in ["/ui/parity/nope", "/ui/parity/..%2Fx"] {
        assert_eq!(served.get(nothing).status, 404, "{nothing}");
    }
}

#[test]
fn the_page_has_the_figures_of_the_report_and_leads_to_the_jobs_behind_them() {
    let (place, run) = place();
    place.expect(0, &["report", &run]);
    let file = place.read(&format!(".reshelve/runs/{run}/report/report-data.json"));
    let report: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let served = Served::new(&place, &["target"]);
    let shown = page(&served, &format!("/ui/parity/{run}"));
    let total = &report["survey"]["totals"]["cost_usd"];
    for way in ["recorded", "recomputed", "mapped", "stored"] {
        let number = format!("${:.4}", total[way].as_f64().unwrap());
        assert!(shown.contains(&number), "{way}: {number} in {shown}");
    }
    let mut jobs = 0;
    for bucket in report["survey"]["deltas"]["cost_usd"]["buckets"].as_array().unwrap() {
        for job in bucket["jobs"].as_array().unwrap() {
            let link = format!("href=\"/ui/novels/{}\"", job.as_str().unwrap());
            assert!(shown.contains(&link), "{link}");
            jobs += 1;
        }
    }
    assert!(jobs > 1, "{report}");
    let conflicts = report["survey"]["status_conflicts"].as_object().unwrap();
    let count: u64 = conflicts.values().map(|list| list["count"].as_u64().unwrap()).sum();
    assert!(count > 0, "{conflicts:?}");
    assert!(shown.contains("every chapter is written") || shown.contains("every chapter failed"));
    assert!(shown.contains("restored byte for byte"), "{shown}");
}

#[test]
fn a_target_that_was_changed_does_not_hold_and_a_damaged_report_is_told() {
    let (place, run) = place();
    let jobs = "target/letswriteabook/novel_jobs.bson";
    let mut bytes = place.read(jobs);
    let at = bytes.windows(9).position(|it| it == b"completed").unwrap();
    bytes[at..at + 9].copy_from_slice(b"c0mpleted");
    place.write(jobs, &bytes);
    place.expect(0, &["report", &run]);
    let served = Served::new(&place, &["target"]);
    let shown = page(&served, "/ui/parity");
    assert!(shown.contains("Parity does not hold"), "{shown}");
    place.write(&format!(".reshelve/runs/{run}/report/report-data.json"), b"{\"schema\":");
    let shown = page(&served, "/ui/parity");
    assert!(shown.contains("the report cannot be read"), "{shown}");
    assert!(shown.contains(&format!("reshelve report {run}</pre>")), "{shown}");
}

#[test]
fn the_agreement_of_shadow_reads_is_shown_by_route() {
    let place = Place::new();
    place.write("legacy.json", SOURCE);
    let args = ["run", "legacy.json", "target", "--apply", "--in-flight", "include"];
    place.expect(0, &args);
    let alone = Served::new(&place, &["target"]);
    assert!(page(&alone, "/ui/parity").contains("This server makes no shadow reads."));
    let both = ["--legacy", "legacy.json", "--normalized", "target", "--shadow", "100"];
    let served = Served::new(&place, &both);
    assert!(page(&served, "/ui/parity").contains("No answer was compared yet"));
    for part in ["", "/metrics", "/metadata"] {
        page(&served, &format!("/api/novel/680000000000000000000000{part}"));
    }
    let mut shown = String::new();
    until("all are compared", || {
        shown = page(&served, "/ui/parity");
        shown.contains("3 of 3 answers")
    });
    assert!(shown.contains("100 % agree"), "{shown}");
    for route in ["Detail", "Metrics", "Metadata"] {
        let row = format!("<th scope=\"row\">{route}</th><td class=\"number\">100 %</td>");
        assert!(shown.contains(&row), "{row} in {shown}");
    }
}

#[test]
fn the_answers_that_were_compared_for_a_report_are_shown_by_route() {
    let place = asked::place();
    place.expect(0, &["report", "latest"]);
    let served = Served::new(&place, &["target"]);
    assert!(page(&served, "/ui/parity").contains("No answers were compared for this report."));
    let address = served.url();
    place.expect(0, &["crosscheck", &address, "target", "--all", "--out", "asked"]);
    let with = ["--answers", "--crosscheck", "asked/crosscheck.json"];
    place.expect(0, &[&["report", "latest"], &with[..]].concat());
    let shown = page(&served, "/ui/parity");
    assert!(shown.contains("Of both sides") && shown.contains("Of the running application"));
    assert_eq!(shown.matches("100 % agree").count(), 2, "{shown}");
    assert!(shown.contains(&address), "{shown}");
    asked::alter_title(&place);
    place.expect(0, &[&["report", "latest"], &with[..]].concat());
    let shown = page(&served, "/ui/parity");
    assert_eq!(shown.matches("100 % agree").count(), 1, "{shown}");
    let both =
        asked::json(&place, &format!(".reshelve/runs/{}/report/report-data.json", place.run()));
    let detail = both["answers"]["routes"]["detail"].as_object().unwrap();
    let agreed = detail["agreed"].as_u64().unwrap();
    let row = format!("<th scope=\"row\">Detail</th><td class=\"number\">{agreed}</td>");
    assert!(shown.contains(&row), "{row} in {shown}");
}

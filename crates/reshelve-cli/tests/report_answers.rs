//! `report --answers`, `--crosscheck` and `--dashboard`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[path = "common/asked.rs"]
mod asked;
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use asked::{alter_title, json, place};
use common::Place;
use serde_json::{Value, json};
use serving::Served;

/// The report of the newest run: its JSON, its page, its Markdown.
fn report(place: &Place, more: &[&str]) -> (Value, [String; 2]) {
    place.expect(0, &[&["report", "latest", "--out", "report"], more].concat());
    let pages = ["report/report.html", "report/report.md"]
        .map(|name| String::from_utf8(place.read(name)).unwrap());
    (json(place, "report/report-data.json"), pages)
}

#[test]
fn the_answers_of_both_sides_are_a_part_of_the_report() {
    let place = place();
    let (data, pages) = report(&place, &[]);
    assert_eq!([&data["answers"], &data["crosscheck"]], [&Value::Null; 2]);
    assert!(pages.iter().all(|page| !page.contains("Answers of both sides")));
    let (data, pages) = report(&place, &["--answers"]);
    assert_eq!(data["answers"]["schema"], "reshelve.shadow/1");
    assert_eq!(data["verdict"]["word"], "holds");
    assert!(pages.iter().all(|page| page.contains("Answers of both sides")));
    alter_title(&place);
    let (data, pages) = report(&place, &["--answers"]);
    assert_eq!(data["verdict"]["word"], "does-not-hold");
    let sentence = data["verdict"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("of both sides differ"), "{sentence}");
    for page in pages {
        assert!(page.contains("novel_jobs.payload.title, from title"), "{page}");
        assert!(page.contains("a text of "), "{page}");
    }
    let title = title_of(&place);
    let (data, pages) = report(&place, &["--answers", "--with-texts"]);
    assert!(data["answers"]["examples"].to_string().contains(&title[..8]), "{title}: {data}");
    assert!(!pages[0].contains("a text of "), "{}", pages[0]);
}

/// The title of the first job in the source.
fn title_of(place: &Place) -> String {
    let source = String::from_utf8(place.read("legacy.jsonl")).unwrap();
    let first: Value = serde_json::from_str(source.lines().next().unwrap()).unwrap();
    first["title"].as_str().unwrap().to_owned()
}

#[test]
fn answers_that_were_not_compared_are_something_to_accept() {
    let place = place();
    place.expect(0, &["run", "legacy.jsonl", "elsewhere"]);
    let (data, _) = report(&place, &["--answers"]);
    assert_eq!((&data["answers"], &data["verdict"]["word"]), (&Value::Null, &json!("dry-run")));
    let sentence = data["verdict"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("The answers were not compared"), "{sentence}");
}

#[test]
fn what_a_cross_check_found_is_a_part_of_the_report() {
    let place = place();
    let served = Served::new(&place, &["target"]);
    let check = |code: i32, out: &str| {
        let args =
            ["crosscheck", &served.url(), "legacy.jsonl", "--all", "--with-texts", "--out", out];
        place.expect(code, &args);
    };
    check(0, "sound");
    let (data, pages) = report(&place, &["--crosscheck", "sound/crosscheck.json"]);
    assert_eq!(data["crosscheck"]["exit"], 0);
    assert_eq!(data["verdict"]["word"], "holds");
    for page in &pages {
        assert!(page.contains("Answers of the running application"), "{page}");
        assert!(page.contains(&served.url()), "{page}");
    }
    let title = title_of(&place);
    alter_title(&place);
    check(5, "altered");
    let (data, pages) = report(&place, &["--crosscheck", "altered/crosscheck.json"]);
    assert_eq!(data["verdict"]["word"], "does-not-hold");
    let sentence = data["verdict"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("of the running application differ"), "{sentence}");
    // The cross-check kept texts: the report shows none unless it is asked to.
    assert!(!data["crosscheck"].to_string().contains(&title[..8]), "{title}: {data}");
    assert!(pages.iter().all(|page| page.contains("payload.title")));
    let (data, _) = report(&place, &["--crosscheck", "altered/crosscheck.json", "--with-texts"]);
    assert!(data["crosscheck"].to_string().contains(&title[..8]), "{title}: {data}");
    // An application that was asked before the run says nothing of it.
    place.expect(0, &["run", "legacy.jsonl", "later", "--apply", "--in-flight", "include"]);
    let (data, _) = report(&place, &["--crosscheck", "sound/crosscheck.json"]);
    let cautions = data["cautions"].to_string();
    assert!(cautions.contains("before this run began"), "{data}");
    assert!(!cautions.contains("another place"), "the source is the same: {cautions}");
    assert_eq!(data["verdict"]["word"], "holds-with-exceptions");
    // Nor does one that looked at other documents.
    place.write("other.jsonl", &place.read("legacy.jsonl"));
    place.expect(0, &["run", "other.jsonl", "other", "--apply", "--in-flight", "include"]);
    let asked = ["crosscheck", &served.url(), "later", "--all", "--out", "of-later"];
    place.expect(5, &asked);
    let (data, pages) = report(&place, &["--crosscheck", "of-later/crosscheck.json"]);
    assert!(data["cautions"].to_string().contains("another place"), "{data}");
    assert!(pages.iter().all(|page| page.contains("another place")));
}

#[test]
fn a_file_that_is_no_cross_check_is_refused() {
    let place = place();
    place.write("other.json", br#"{"schema":"reshelve.shadow/1"}"#);
    place.write("broken.json", b"{");
    for file in ["other.json", "broken.json"] {
        place.expect(2, &["report", "latest", "--crosscheck", file]).says(&[
            file,
            "hint:",
            "crosscheck",
        ]);
    }
    place.expect(1, &["report", "latest", "--crosscheck", "missing.json"]).says(&["missing.json"]);
    assert!(!place.path(&format!(".reshelve/runs/{}/report", place.run())).exists());
}

#[test]
fn jobs_lead_to_the_dashboard_and_nothing_hostile_does() {
    let place = Place::new();
    let hostile = "\"><script>alert(1)</script>";
    let lines = [
        format!(
            r#"{{"_id":"a/b \"><img src=x>","status":"queued","title":"{}"}}"#,
            hostile.replace('"', "\\\"")
        ),
        r#"{"_id":"..","status":"running","title":"t"}"#.to_owned(),
    ];
    place.write("legacy.jsonl", format!("{}\n", lines.join("\n")).as_bytes());
    place.expect(0, &["run", "legacy.jsonl", "target", "--apply", "--in-flight", "include"]);
    let (_, pages) = report(&place, &["--with-texts"]);
    assert!(pages.iter().all(|page| !page.contains("/ui/novels/")));
    let (_, [html, markdown]) =
        report(&place, &["--with-texts", "--dashboard", "http://dash.example:8080/ui"]);
    let page = "http://dash.example:8080/ui/novels/a%2Fb%20%22%3E%3Cimg%20src%3Dx%3E";
    assert!(html.contains(&format!("href=\"{page}\"")), "{html}");
    assert!(markdown.contains(&format!("]({page})")), "{markdown}");
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    // To a browser, it would be the page above.
    assert!(!html.contains("/ui/novels/..") && !markdown.contains("/ui/novels/.."));
    for address in ["javascript:alert(1)", "http://user:s3cret@h", "ftp://h", "http://h/?a=b"] {
        let told = place.expect(2, &["report", "latest", "--dashboard", address]);
        assert!(!told.stderr.contains("s3cret"), "{}", told.stderr);
    }
}

#[test]
fn the_dashboard_has_the_pages_that_jobs_lead_to() {
    let place = place();
    let served = Served::new(&place, &["target"]);
    alter_title(&place);
    let (_, [html, _]) = report(&place, &["--dashboard", &served.url()]);
    let link = html.split("href=\"").find(|rest| rest.starts_with(&served.url())).unwrap();
    let target = link.split('"').next().unwrap().strip_prefix(&served.url()).unwrap();
    let answer = served.get(target);
    assert_eq!(answer.status, 200, "{target}: {}", answer.body);
}

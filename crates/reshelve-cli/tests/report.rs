//! `report`: the page, the Markdown and the JSON of a run, and what they say in every situation.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::fs;

use common::{Place, mixed_source, split};
use serde_json::{Value, json};

/// A place with a source and a run on it.
fn ran(apply: bool) -> Place {
    let place = Place::new();
    let made = ["generate", "source.bson", "--preset", "populated", "--documents", "40"];
    place.expect(0, &[&made[..], &["--size", "small"]].concat());
    let run = ["run", "source.bson", "target", "--in-flight", "include"];
    place.expect(0, &[&run[..], if apply { &["--apply"] } else { &[] }].concat());
    place
}

/// The report of the only run: its JSON, its page, its Markdown.
struct Made {
    json: Value,
    html: String,
    markdown: String,
}

fn report(place: &Place, args: &[&str]) -> Made {
    let run = place.run();
    let told = place.expect(0, &[&["report", &run, "--json"], args].concat());
    let text = |name: &str| {
        let path = format!(".reshelve/runs/{run}/report/{name}");
        String::from_utf8(place.read(&path)).unwrap()
    };
    assert_eq!(told.stdout.trim_end(), text("report-data.json"), "the same on both ways");
    let made = Made {
        json: serde_json::from_str(&told.stdout).unwrap(),
        html: text("report.html"),
        markdown: text("report.md"),
    };
    assert_eq!(made.json["schema"], "reshelve.report/1");
    // Nothing is loaded or run, and no link leads out of the page, whatever was reported on.
    let tags = made.html.split('<').skip(1).filter_map(|rest| rest.split('>').next());
    let style = made.html.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    for tag in tags {
        let tag = tag.replace("href=\"#", "");
        for word in ["script", "href=", "src=", "link", "iframe", "img", "onload=", "onerror="] {
            assert!(!tag.contains(word), "{tag}");
        }
    }
    assert!(!style.contains("url(") && !style.contains("@import"));
    // A comment on a pull request has room for 65 536 characters.
    assert!(made.markdown.chars().count() < 65_536);
    made
}

fn expect_verdict(made: &Made, word: &str, headline: &str) -> String {
    assert_eq!(made.json["verdict"]["word"], word);
    assert!(made.html.contains(headline), "no {headline:?} in the page");
    let first = made.markdown.lines().next().unwrap();
    assert!(first.starts_with("# ") && first.contains(headline), "{first}");
    made.json["verdict"]["sentence"].as_str().unwrap().to_owned()
}

#[test]
fn a_clean_run_holds_and_says_what_was_done() {
    let place = ran(true);
    let made = report(&place, &["--with-texts"]);
    let sentence = expect_verdict(&made, "holds", "Parity holds");
    assert!(sentence.starts_with("40 of 40 documents are in the target"), "{sentence}");
    assert_eq!(made.json["parity"]["restored"]["identical"], 40);
    assert_eq!(made.json["plan"]["run"], place.run());
    assert_eq!(made.json["cautions"], json!([]));
    let told = place.expect(0, &["checksums", "target", "--json"]).stdout;
    let checksums: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(made.json["checksums"], checksums["collections"]);
    let told = place.expect(0, &["profile", "source.bson", "--json"]).stdout;
    let mut profile: Value = serde_json::from_str(&told).unwrap();
    profile.as_object_mut().unwrap().remove("schema");
    assert_eq!(made.json["profile"], profile);
    let titles = [
        "What was run on what",
        "What is in the source",
        "Counts",
        "Parity and lossless proof",
        "Cost and tokens, three ways",
        "Recorded against recomputed",
        "Status conflicts",
        "In flight",
        "Warnings",
        "Rejects",
        "Time, memory, error rate",
        "Fingerprints and checksums",
        "How to roll back",
        "Decisions that changed data",
        "Checks that passed",
    ];
    for title in titles {
        assert!(made.html.contains(title), "no {title}");
        assert!(made.markdown.contains(&format!("\n### {title}\n")), "no {title}");
    }
    assert!(made.markdown.contains("\n## Sign-off\n"));
    let checksum = checksums["collections"]["novel_jobs"]["checksum"].as_str().unwrap();
    assert!(made.html.contains(checksum) && made.markdown.contains(checksum));
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let place = ran(true);
    // But for the time at which it was made, which can be fixed.
    let made = |out: &str| {
        let args = ["report", &place.run(), "--out", out];
        place.call(&args).env("SOURCE_DATE_EPOCH", "1795000000").expect(0);
        ["report.html", "report.md", "report-data.json"]
            .map(|name| String::from_utf8(place.read(&format!("{out}/{name}"))).unwrap())
    };
    let (one, other) = (made("one"), made("other"));
    assert_eq!(one, other);
    for text in one {
        assert!(text.contains("2026-11-18T"), "{text}");
    }
}

#[test]
fn the_answer_for_people_names_the_files() {
    let place = ran(true);
    let told = place.expect(0, &["report", &place.run(), "--out", "here/and there"]);
    assert!(told.stdout.starts_with("Parity holds."), "{}", told.stdout);
    for name in ["report.html", "report.md", "report-data.json"] {
        assert!(told.stdout.contains(&format!("here/and there/{name}")), "{}", told.stdout);
        assert!(place.path("here/and there").join(name).is_file());
    }
    place.expect(2, &["report", "no-such-run"]).says(&["there is no run no-such-run", "hint:"]);
}

#[test]
fn a_damaged_target_does_not_hold_and_the_job_is_named() {
    let place = ran(true);
    let path = place.path("target/letswriteabook/novel_jobs.bson");
    let mut documents = split(&fs::read(&path).unwrap());
    let lost = documents.remove(3);
    let name = b"\x02jobId\0";
    let at = lost.windows(name.len()).position(|part| part == name).unwrap() + name.len() + 4;
    let job = String::from_utf8(lost[at..at + 24].to_vec()).unwrap();
    fs::write(&path, documents.concat()).unwrap();
    let made = report(&place, &[]);
    let sentence = expect_verdict(&made, "does-not-hold", "Parity does not hold");
    assert!(
        sentence.contains("39 of 40 documents come back") && sentence.contains(", 1 is missing.")
    );
    assert_eq!(made.json["parity"]["mismatches"][0]["job"], job.as_str());
    assert!(made.html.contains(&job) && made.markdown.contains(&job));
}

#[test]
fn a_dry_run_is_told_as_one() {
    let place = ran(false);
    let made = report(&place, &[]);
    let sentence = expect_verdict(&made, "dry-run", "nothing was written");
    assert!(sentence.contains("40 of 40 documents that belong in the target"), "{sentence}");
    assert_eq!(made.json["parity"], Value::Null);
    assert_eq!(made.json["survey"]["counts"]["legacy"], 40);
    assert_eq!(made.json["checksums"], Value::Null);
    assert_eq!(made.json["rollback"], Value::Null);
    assert!(made.html.contains("There is nothing to roll back"));
}

#[test]
fn a_source_that_is_gone_is_not_taken_for_parity() {
    let place = ran(true);
    fs::rename(place.path("source.bson"), place.path("moved.bson")).unwrap();
    let made = report(&place, &[]);
    let sentence = expect_verdict(&made, "not-checked", "Parity was not checked");
    assert!(sentence.contains("source.bson"), "{sentence}");
    assert_eq!(made.json["survey"], Value::Null);
    // What the run wrote down is still told.
    assert!(made.html.contains("40 documents"), "{}", made.html);
    let made = report(&place, &["--source", "moved.bson"]);
    expect_verdict(&made, "holds", "Parity holds");
    fs::rename(place.path("target"), place.path("elsewhere")).unwrap();
    let made = report(&place, &["--source", "moved.bson"]);
    expect_verdict(&made, "not-checked", "Parity was not checked");
    assert_eq!(made.json["survey"]["counts"]["legacy"], 40);
    let made = report(&place, &["--source", "moved.bson", "--target", "elsewhere"]);
    expect_verdict(&made, "holds", "Parity holds");
}

#[test]
fn standard_input_cannot_be_read_again() {
    let place = Place::new();
    let made = ["generate", "source.bson", "--documents", "5", "--size", "small"];
    place.expect(0, &made);
    let source = place.read("source.bson");
    let run = ["run", "-", "target", "--apply", "--in-flight", "include"];
    place.call(&run).stdin(&source).expect(0);
    let made = report(&place, &[]);
    let sentence = expect_verdict(&made, "not-checked", "Parity was not checked");
    assert!(sentence.contains("standard input"), "{sentence}");
    assert_eq!(made.json["checksums"]["novel_jobs"]["documents"], 5);
    expect_verdict(&report(&place, &["--source", "source.bson"]), "holds", "Parity holds");
}

#[test]
fn a_run_that_has_not_ended_is_not_judged() {
    let place = Place::new();
    let source = mixed_source(&place, 60, "small");
    place.write("mixed.bson", &source);
    let run = ["run", "mixed.bson", "target", "--apply", "--in-flight", "include", "--fail-fast"];
    place.expect(4, &run);
    let made = report(&place, &[]);
    let sentence = expect_verdict(&made, "not-checked", "Parity was not checked");
    assert!(sentence.contains("is not finished: its state is interrupted"), "{sentence}");
}

#[test]
fn rejects_and_jobs_left_out_are_listed() {
    let place = Place::new();
    let source = mixed_source(&place, 60, "small");
    place.write("mixed.bson", &source);
    place.expect(4, &["run", "mixed.bson", "target", "--apply", "--in-flight", "skip"]);
    let made = report(&place, &[]);
    let sentence = expect_verdict(&made, "holds-with-exceptions", "Parity holds, with");
    assert!(sentence.contains("3 documents were rejected."), "{sentence}");
    assert!(sentence.contains("documents were left out, in flight."), "{sentence}");
    assert_eq!(made.json["rejects"].as_array().unwrap().len(), 3);
    for code in ["malformed-bson", "duplicate-id", "unknown-status"] {
        assert!(made.html.contains(code) && made.markdown.contains(code), "{code}");
    }
    assert!(made.markdown.contains("They are left out."));
    assert_eq!(made.json["rates"]["error_percent"], 4.8);
}

#[test]
fn another_source_than_the_one_that_was_read_is_a_caution() {
    let place = ran(true);
    let mut documents = split(&place.read("source.bson"));
    documents.swap(0, 1);
    place.write("source.bson", &documents.concat());
    let made = report(&place, &[]);
    expect_verdict(&made, "holds", "Parity holds");
    let caution = made.json["cautions"][0].as_str().unwrap();
    assert!(caution.starts_with("The source is not the one that the run read"), "{caution}");
    assert!(made.html.contains("Read this first") && made.markdown.contains("Read this first"));
}

#[test]
fn a_run_with_a_limit_is_judged_by_what_it_was_told() {
    let place = Place::new();
    let made = ["generate", "source.bson", "--documents", "30", "--size", "small"];
    place.expect(0, &made);
    let run = ["run", "source.bson", "target", "--apply", "--in-flight", "include"];
    place.expect(0, &[&run[..], &["--limit", "10"]].concat());
    let made = report(&place, &[]);
    let sentence = expect_verdict(&made, "holds-with-exceptions", "Parity holds, with");
    assert!(sentence.starts_with("10 of 10 documents"), "{sentence}");
    let caution = made.json["cautions"][0].as_str().unwrap();
    assert!(caution.contains("read at most 10 documents"), "{caution}");
}

/// What other people wrote, at its worst: markup, directions, control characters, no end.
#[test]
fn hostile_text_stays_text() {
    let place = Place::new();
    let hostile = [
        "<script>alert(1)</script>",
        "</td></table><img src=x onerror=alert(1)>",
        "\u{202e}gnp.elif\u{202c} \u{0}\u{1b}[31m\r\nred",
        "](https://example.org) **b** `x` | <!-- @everyone ``` http://example.org",
        "שלום עולם",
    ];
    let mut lines = String::new();
    for (at, text) in hostile.iter().enumerate() {
        let id = format!("{at}{}", text.trim());
        let title = format!("{text}{}", "long ".repeat(400));
        let status = ["writing", "failed"][at % 2];
        let chapters = json!([{"chapterNumber": 1, "status": "completed", "content": "x"}]);
        let line = json!({"_id": id, "status": status, "title": title, "chapters": chapters});
        lines.push_str(&format!("{line}\n"));
        let line =
            json!({"_id": format!("r{id}"), "status": format!("{text}{}", "é".repeat(2_000))});
        lines.push_str(&format!("{line}\n"));
    }
    place.write("source.jsonl", lines.as_bytes());
    place.expect(4, &["run", "source.jsonl", "target", "--apply", "--in-flight", "include"]);
    fs::write(place.path("target/letswriteabook/novel_jobs.bson"), b"").unwrap();
    let made = report(&place, &["--with-texts"]);
    expect_verdict(&made, "does-not-hold", "Parity does not hold");
    for reject in made.json["rejects"].as_array().unwrap() {
        assert!(reject["message"].as_str().unwrap().len() < 600, "{reject}");
    }
    assert!(made.html.contains("&lt;script&gt;alert(1)"));
    assert!(!made.html.contains("<img") && !made.html.contains("<script"));
    for text in [&made.html, &made.markdown] {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "a control character");
        assert!(!text.contains('\u{202e}'), "a turned direction");
        assert!(text.contains("\\u{202e}gnp.elif"));
        assert!(text.contains("שלום עולם"));
        let longest = text.split('\n').map(str::len).max().unwrap();
        assert!(longest < 100_000, "{longest}");
    }
    // Outside of code spans nothing of it is left.
    for line in made.markdown.lines() {
        let bare = without_code(line);
        assert!(!bare.contains("<script") && !bare.contains("](http"), "{line}");
    }
}

/// A line of Markdown without its code spans: each ends where as many backticks stand together as
/// where it began.
fn without_code(line: &str) -> String {
    let (mut bare, mut rest) = (String::new(), line);
    while let Some(at) = rest.find('`') {
        bare.push_str(&rest[..at]);
        let fence = rest[at..].chars().take_while(|c| *c == '`').count();
        let inside = &rest[at + fence..];
        let mut end = 0;
        loop {
            end += inside[end..].find('`').expect("a code span has an end");
            let run = inside[end..].chars().take_while(|c| *c == '`').count();
            end += run;
            if run == fence {
                break;
            }
        }
        rest = &inside[end..];
    }
    bare + rest
}

#[test]
fn a_limit_that_was_not_reached_is_no_caution() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "6", "--size", "small"]);
    for (limit, code, is_said) in [("50", 0, false), ("3", 0, true)] {
        let target = format!("target-{limit}");
        let run =
            ["run", "jobs.bson", &target, "--apply", "--in-flight", "include", "--limit", limit];
        place.expect(code, &run);
        let told = place.call(&["report", "latest", "--out", "report"]).finish();
        let page = String::from_utf8(place.read("report/report.md")).unwrap();
        assert_eq!(
            page.contains("told to read at most"),
            is_said,
            "{limit}: {} {page}",
            told.stderr
        );
    }
}

//! The page of a report as its reader wants it: what failed, what has to be accepted, what was
//! decided; the rest folded; and a place to sign.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::collections::BTreeSet;
use std::fs;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::documents::aged;
use common::{Place, mixed_source, split};
use serde_json::{Value, json};

/// The report of the newest run: its JSON, its page, its Markdown.
struct Made {
    json: Value,
    html: String,
    markdown: String,
}

fn report(place: &Place, args: &[&str]) -> Made {
    let run = place.runs().pop().unwrap();
    place.expect(0, &[&["report", &run], args].concat());
    let text = |name: &str| {
        let path = format!(".reshelve/runs/{run}/report/{name}");
        String::from_utf8(place.read(&path)).unwrap()
    };
    Made {
        json: serde_json::from_str(&text("report-data.json")).unwrap(),
        html: text("report.html"),
        markdown: text("report.md"),
    }
}

/// A run over documents of every stage, three of which are rejected.
fn mixed(options: &[&str], code: i32) -> Place {
    let place = Place::new();
    place.write("mixed.bson", &mixed_source(&place, 60, "small"));
    let run = ["run", "mixed.bson", "target", "--apply"];
    place.expect(code, &[&run[..], options].concat());
    place
}

/// Expects these words, each after the one before.
fn expect_order(text: &str, words: &[&str]) {
    let mut at = 0;
    for word in words {
        let found = text[at..].find(word);
        at +=
            found.unwrap_or_else(|| panic!("no {word:?} after the others in {text}")) + word.len();
    }
}

/// The part of a page between two texts.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let rest = text.split_once(from).unwrap_or_else(|| panic!("no {from:?}")).1;
    rest.split_once(to).unwrap_or_else(|| panic!("no {to:?}")).0
}

/// A target in which one job has another premise, and one is missing.
fn damage(place: &Place) {
    let path = place.path("target/letswriteabook/novel_jobs.bson");
    let mut documents = split(&fs::read(&path).unwrap());
    documents.remove(3);
    documents[1] = aged(&documents[1]);
    fs::write(&path, documents.concat()).unwrap();
}

#[test]
fn what_failed_comes_first_then_decisions_then_the_rest_folded() {
    let place = mixed(&["--in-flight", "as-failed"], 4);
    damage(&place);
    let Made { html, markdown, .. } = report(&place, &[]);
    let parts = [
        "What does not hold",
        "What has to be accepted",
        "What was decided",
        "Worth a look",
        "What holds",
        "For the record",
        "Sign-off",
    ];
    let headings = parts.map(|part| format!("<h2>{part}</h2>"));
    expect_order(&html, &headings.each_ref().map(String::as_str));
    let headings = parts.map(|part| format!("\n## {part}\n"));
    expect_order(&markdown, &headings.each_ref().map(String::as_str));
    // What is wrong is not folded, in neither form; what holds is.
    let main = html.split_once("<main>").unwrap().1;
    let (open, folded) = main.split_once("<h2>Worth a look</h2>").unwrap();
    assert!(!open.contains("<details"), "{open}");
    assert!(folded.contains("<details><summary>"));
    let holds = between(&markdown, "\n## What holds\n", "\n## ");
    assert!(holds.trim_start().starts_with("<details>") && holds.contains("</details>"));
    assert!(!between(&markdown, "\n## What does not hold\n", "\n## ").contains("<details>"));
}

#[test]
fn every_link_leads_to_a_place_in_the_page() {
    for place in [mixed(&["--in-flight", "skip"], 4), mixed(&["--in-flight", "include"], 4)] {
        let html = report(&place, &[]).html;
        let after = |word: &str| -> Vec<String> {
            let pieces = html.split(word).skip(1);
            pieces.map(|rest| rest.split_once('"').unwrap().0.to_owned()).collect()
        };
        let (links, places) = (after("href=\"#"), after(" id=\""));
        let distinct: BTreeSet<&String> = places.iter().collect();
        assert_eq!(distinct.len(), places.len(), "a place twice: {places:?}");
        assert!(links.len() > 15, "{links:?}");
        for link in &links {
            assert!(places.contains(link), "{link} leads nowhere");
        }
        // Each section is in the table of contents.
        let contents = between(&html, "<nav", "</nav>");
        for place in &places {
            assert!(contents.contains(&format!("href=\"#{place}\"")), "{place} is not listed");
        }
    }
}

#[test]
fn the_first_figures_say_how_they_are_and_lead_on() {
    let html = report(&mixed(&["--in-flight", "include"], 4), &[]).html;
    let tiles = between(&html, "<ul class=\"tiles\">", "</ul>");
    for (class, anchor, value, symbol) in [
        ("good", "parity-and-lossless-proof", ">60 of 60<", "✓"),
        ("open", "rejects", ">3<", "!"),
        ("good", "in-flight", ">0<", "✓"),
        ("good", "decisions-that-changed-data", ">0<", "✓"),
    ] {
        let start = format!("<a class=\"tile {class}\" href=\"#{anchor}\">");
        let tile = between(tiles, &start, "</a>");
        assert!(tile.contains(value) && tile.contains(symbol), "{tile}");
    }
}

#[test]
fn values_are_compared_side_by_side_and_marked() {
    let place = mixed(&["--in-flight", "include"], 4);
    damage(&place);
    let made = report(&place, &["--with-texts"]);
    let html = made.html;
    let table = between(&html, "id=\"mismatches\"", "</section>");
    // The premise differs in the case of its first letter: that word is marked, the rest is not.
    let premise = made.json["parity"]["mismatches"].as_array().unwrap().iter();
    let premise = premise.clone().find(|it| it["path"] == "payload.premise").unwrap();
    let word = |side: &str| {
        let text = premise[side].as_str().unwrap().trim_matches('"');
        text.split(' ').next().unwrap().to_owned()
    };
    let (expected, found) = (word("expected"), word("actual"));
    assert_ne!(expected, found);
    assert!(table.contains(&format!("<bdi>&quot;<del>{expected}</del> ")), "{table}");
    assert!(table.contains(&format!("<bdi>&quot;<ins>{found}</ins> ")), "{table}");
    // A number that is not what it should be, too.
    let checks = between(&html, "id=\"checks-that-failed\"", "</section>");
    assert!(checks.contains("<del>60</del>") && checks.contains("<ins>59</ins>"), "{checks}");
    assert!(checks.contains("✗ different"));
    let passed = between(&html, "id=\"checks-that-passed\"", "</section>");
    assert!(!passed.contains("<del>") && passed.contains("✓ as expected"), "{passed}");
    // Without the texts it says how to see them.
    assert!(!table.contains("--with-texts"));
    let html = report(&place, &[]).html;
    assert!(between(&html, "id=\"mismatches\"", "</section>").contains("--with-texts"));
}

#[test]
fn decisions_are_told_with_what_they_changed() {
    let section = |place: &Place| {
        let made = report(place, &[]);
        let id = "id=\"decisions-that-changed-data\"";
        let survey = made.json["survey"].clone();
        (between(&made.html, id, "</section>").to_owned(), survey)
    };
    let row = |flag: &str, what: &str, count: &Value| {
        format!(
            "{flag}</bdi></code></td><td data-label=\"what it did\"><span>{what}</span></td>\
                 <td data-label=\"how many\" class=\"number\"><span class=\"figure\">{count}</span>"
        )
    };
    let place = mixed(&["--in-flight", "as-failed", "--status-policy", "evidence"], 4);
    let (text, survey) = section(&place);
    let what = "jobs in flight were carried over as failed";
    let expected = row("--in-flight as-failed", what, &survey["in_flight"]["count"]);
    assert!(text.contains(&expected), "no {expected} in {text}");
    let conflicts = &survey["status_conflicts"];
    let count = ["novels_behind_failed", "failures_behind_completed"]
        .map(|side| conflicts[side]["count"].as_u64().unwrap());
    let what = "jobs got the status that their chapters show, not the stored one";
    let expected = row("--status-policy evidence", what, &json!(count[0] + count[1]));
    assert!(count[0] + count[1] > 0 && text.contains(&expected), "no {expected} in {text}");

    let place =
        mixed(&["--in-flight", "skip", "--on-unknown-status", "failed", "--limit", "61"], 4);
    let (text, survey) = section(&place);
    let what = "jobs in flight were left out";
    assert!(text.contains(&row("--in-flight skip", what, &survey["counts"]["skipped"])), "{text}");
    let what = "documents with a status that the mapping does not know became failed jobs";
    assert!(text.contains(&row("--on-unknown-status failed", what, &json!(1))), "{text}");
    assert!(text.contains("--limit 61"), "{text}");

    let place = mixed(&["--in-flight", "include"], 4);
    assert!(section(&place).0.contains("None: no option changed a document"));
    let mut documents = split(&place.read("mixed.bson"));
    documents[0] = aged(&documents[0]);
    place.write("mixed.bson", &documents.concat());
    place.expect(
        4,
        &["run", "mixed.bson", "target", "--apply", "--in-flight", "include", "--replace"],
    );
    let (text, _) = section(&place);
    let what = "jobs of the target were replaced; earlier versions are kept";
    assert!(text.contains(&row("--replace", what, &json!(1))), "{text}");
}

#[test]
fn a_word_is_explained_once_where_it_comes_first() {
    let html = report(&mixed(&["--in-flight", "include"], 4), &[]).html;
    let words: Vec<&str> =
        html.split("<dfn>").skip(1).map(|rest| rest.split_once("</dfn>").unwrap().0).collect();
    let distinct: BTreeSet<&&str> = words.iter().collect();
    assert_eq!(distinct.len(), words.len(), "{words:?}");
    for word in ["Parity", "A rejected document", "The residue", "Unchanged jobs", "A warning"] {
        assert!(words.contains(&word), "no {word} among {words:?}");
    }
    // The verdict names rejects, so they are explained there.
    let verdict = between(&html, "<div class=\"verdict", "</div>");
    assert!(verdict.contains("<dfn>A rejected document</dfn>"), "{verdict}");
}

#[test]
fn an_unfinished_run_is_open_and_nothing_of_it_holds() {
    let place = mixed(&["--in-flight", "include", "--fail-fast"], 4);
    let Made { html, markdown, .. } = report(&place, &[]);
    assert!(html.contains("<dfn>A checkpoint</dfn>"));
    for text in [&html, &markdown] {
        assert!(text.contains("What is open") && text.contains("reshelve resume RUN"), "{text}");
        assert!(!text.contains("What holds") && !text.contains('✓'), "{text}");
        expect_order(text, &["Sign-off", "source and target were not compared"]);
    }
}

#[test]
fn a_signature_is_under_the_run_the_verdict_the_checksums_and_a_choice() {
    let place = mixed(&["--in-flight", "skip"], 4);
    let Made { json, html, markdown } = report(&place, &[]);
    let page = html.split_once("<footer>").unwrap().1;
    let text = markdown.split_once("\n## Sign-off\n").unwrap().1;
    for signed in [page, text] {
        for collection in json["checksums"].as_object().unwrap().values() {
            assert!(signed.contains(collection["checksum"].as_str().unwrap()), "{signed}");
        }
        expect_order(signed, &[&place.run(), "Parity holds, with exceptions", "Accept"]);
        expect_order(signed, &["Accept with these exceptions:", "Reject"]);
        expect_order(signed, &["--in-flight skip", "jobs in flight were left out", "Accept"]);
        expect_order(signed, &["1 document rejected as", "unknown-status", "left out", "Reject"]);
        expect_order(signed, &["Reviewer", "Date", "Signature"]);
    }
    // What has exceptions is not accepted without them.
    assert_eq!(text.matches("- [ ] ").count(), 2);
    assert_eq!(page.matches('☐').count(), 2);
}

#[test]
fn a_wrong_collection_asks_whether_it_is_the_right_one() {
    let place = Place::new();
    let lines: String =
        (0..5).map(|at| format!("{{\"_id\":\"u{at}\",\"name\":\"x\"}}\n")).collect();
    place.write("users.jsonl", lines.as_bytes());
    let run = ["run", "users.jsonl", "target"];
    let told = place.expect(4, &run).stdout;
    assert!(told.contains("Is this the right collection?"), "{told}");
    let question = "All 5 documents were rejected, and nothing was carried over: is this the right \
                    collection?";
    let Made { html, markdown, .. } = report(&place, &[]);
    assert!(html.contains(question) && markdown.contains(question), "{markdown}");
    // The question does not take the place of what is wrong: the target holds what is in no source.
    place.expect(4, &[&run[..], &["--apply"]].concat());
    let made = report(&place, &[]);
    assert_eq!(made.json["verdict"]["word"], "holds-with-exceptions");
    place.write("mixed.bson", &mixed_source(&place, 12, "small"));
    let other = ["run", "mixed.bson", "other", "--apply", "--in-flight", "include"];
    place.expect(4, &other);
    let made = report(&place, &["--source", "users.jsonl"]);
    assert_eq!(made.json["verdict"]["word"], "does-not-hold", "{}", made.json["verdict"]);
    assert!(made.html.contains("is this the right collection?"), "{}", made.json["verdict"]);
}

#[test]
fn a_target_that_takes_nothing_asks_whether_it_is_the_right_one() {
    let place = Place::new();
    let write = |premise: &str| {
        let line = |at| json!({"_id": format!("n{at}"), "status": "failed", "premise": premise});
        let lines: String = (0..3).map(|at| format!("{}\n", line(at))).collect();
        place.write("source.jsonl", lines.as_bytes());
    };
    let run = ["run", "source.jsonl", "target", "--apply"];
    write("one");
    place.expect(0, &run);
    write("another");
    let told = place.expect(4, &[&run[..], &["--allow-existing"]].concat()).stdout;
    assert!(told.contains("Is this the right target?"), "{told}");
    let made = report(&place, &[]);
    assert!(made.html.contains("is this the right target?"), "{}", made.json["verdict"]);
}

/// Values that other people wrote, compared: they stay text, and nothing of them turns the page.
#[test]
fn hostile_values_are_compared_as_text() {
    let hostile = [
        "<script>alert(1)</script> <del>",
        "\u{202e}gnp.elif\u{202c} \u{0}\u{1b}[31m\r\nred",
        "</ins></bdi></code></td><img src=x onerror=alert(1)>",
        "`code` | [x](https://example.org) @everyone",
        "שלום עולם e\u{301}",
    ];
    let place = Place::new();
    let source = |end: &str| -> Vec<u8> {
        let line = |(at, text): (usize, &&str)| {
            let title = format!("{text}{}{end}", "long ".repeat(100));
            let id = format!("{at:024x}");
            format!("{}\n", json!({"_id": {"$oid": id}, "status": "failed", "title": title}))
        };
        hostile.iter().enumerate().map(line).collect::<String>().into_bytes()
    };
    place.write("source.jsonl", &source("one"));
    place.expect(0, &["run", "source.jsonl", "target", "--apply"]);
    let other: String = String::from_utf8(source("two"))
        .unwrap()
        .lines()
        .rev()
        .fold(String::new(), |all, line| all + &line.replace("long long", "<b>long") + "\n");
    place.write("source.jsonl", other.as_bytes());
    let Made { html, markdown, .. } = report(&place, &["--with-texts"]);
    let table = between(&html, "id=\"mismatches\"", "</section>");
    assert!(table.contains("<del>") && table.contains("<ins>"), "{table}");
    assert!(table.contains("&lt;"), "{table}");
    for text in [&html, &markdown] {
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "a control character");
        assert!(!text.contains('\u{202e}'), "a turned direction");
    }
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<b>"));
    let cells = table.split("<bdi>").skip(1).map(|rest| rest.split_once("</bdi>").unwrap().0);
    let longest = cells.map(str::len).max().unwrap();
    assert!(longest < 4_000, "{longest}");
}

#[test]
fn a_page_stays_small_however_much_is_wrong() {
    let place = Place::new();
    let long = "word ".repeat(2_000);
    let mut lines = String::new();
    for at in 0..3_000 {
        let status = if at % 2 == 0 { "failed" } else { "no such status" };
        let chapters = json!([{"chapterNumber": 1, "status": "completed", "content": "x"}]);
        let id = format!("{at:05}");
        let line = json!({"_id": id, "status": status, "title": long, "chapters": chapters});
        lines.push_str(&format!("{line}\n"));
    }
    place.write("source.jsonl", lines.as_bytes());
    place.expect(4, &["run", "source.jsonl", "target", "--apply"]);
    fs::write(place.path("target/letswriteabook/novel_jobs.bson"), b"").unwrap();
    for texts in [&["--with-texts"][..], &[]] {
        let made = report(&place, texts);
        assert!(made.html.len() < 300_000, "{} bytes", made.html.len());
        assert!(made.markdown.chars().count() < 65_536);
    }
}

//! A report travels further than the novels may: without `--with-texts`, nothing of it quotes them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::fs;
use std::process::Command;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, Told, Tree, split};
use serde_json::{Value, json};

/// A word that is in every text of the source, and nowhere else.
const MARK: &str = "Quixotlan";

/// A text that is told apart from all others of its document.
fn text(of: &str) -> String {
    format!("{MARK} wrote of {of}")
}

/// A novel with a marked text in every text field, in the keys of its maps, and in fields that the
/// schema does not name.
fn novel(id: Value, status: &str) -> Value {
    let date = json!({"$date": "2025-08-01T10:00:00.000Z"});
    json!({
        "_id": id, "status": status, "currentPhase": text("phase"), "premise": text("premise"),
        "title": text("title"), "genre": text("genre"), "subgenre": text("subgenre"),
        "targetWordCount": 20_000, "targetChapters": 1, "humanLikeWriting": true,
        "outline": [{"chapterNumber": 1, "title": text("outline"), "summary": text("summary"),
            "keyEvents": [text("event")], "characterFocus": [text("focus")],
            "plotAdvancement": text("plot"), "genreElements": [text("element")],
            "humanLikeElements": {"structureType": text("structure"),
                "surpriseElement": text("surprise")}}],
        "chapters": [{"chapterNumber": 1, "title": text("chapter"), "content": text("content"),
            "status": "completed", "failureReason": text("failure")},
            {"chapterNumber": 1, "title": text("twice"), "content": text("more"),
            "status": text("chapter status")}],
        "modelUsage": {"outlineGeneration": {"model": text("model"), "cost": 0.1},
            "chapterGeneration": {"model": text("model"), "cost": 0.2}},
        "progress": {"chaptersCompleted": 7, "totalChapters": 1},
        "error": {"message": text("error"), "phase": text("error phase"), "timestamp": 5},
        "analysis": {"theme": text("theme"), (format!("{MARK}Key")): 1},
        "metadata": {
            "currentStep": text("step"),
            "phaseStartTimes": {(text("phase key")): date},
            "storyBible": {
                "characters": {(format!("{MARK}. $Anna")): {"description": text("character"),
                    "traits": [text("trait"), 5], "relationships": [text("relationship")],
                    "firstAppearance": text("first")}},
                "locations": {(format!("{MARK}Town")): {"description": text("location"),
                    "significance": text("significance")}},
                "plotThreads": [{"title": text("thread"), "status": text("thread status")}],
                "timeline": [{"title": text("time"), "importance": text("importance")}],
                "themes": [{"name": text("theme name"), "examples": [text("example")]}]},
            "continuityAlerts": [{"id": text("alert"), "severity": text("severity"),
                "message": text("message"), "details": text("details"),
                "suggestion": text("suggestion"), "context": {"character": text("context")}}],
            "enhancementsApplied": [{"id": text("enhancement"), "type": text("type"),
                "name": text("name"), "description": text("description")}],
            "aiDecisions": [{"id": text("decision"), "type": text("kind"),
                "reasoning": text("reasoning"), "impact": text("impact"),
                "alternatives": [{"option": text("option"), "reason": text("reason")}]}]},
        "editorNotes": {(format!("{MARK}Key")): text("note")},
        "createdAt": date, "updatedAt": date, "completedAt": text("date"),
    })
}

/// Replaces one text of a document by another one, the one at that place among all of them.
fn with_another_text(document: &mut Value, place: &mut usize) {
    match document {
        Value::String(text) if text.contains(MARK) => {
            if *place == 0 {
                *text = format!("{text}, and more {MARK}");
            }
            *place = place.wrapping_sub(1);
        }
        Value::Array(list) => list.iter_mut().for_each(|it| with_another_text(it, place)),
        Value::Object(fields) => fields.values_mut().for_each(|it| with_another_text(it, place)),
        _ => {}
    }
}

fn lines(documents: &[Value]) -> Vec<u8> {
    documents.iter().flat_map(|document| format!("{document}\n").into_bytes()).collect()
}

fn id(at: usize) -> Value {
    json!({"$oid": format!("687f22696249a18d{at:08x}")})
}

/// A run over marked novels, some of them rejected; then the source changes in each of its texts,
/// and the target loses some jobs, so that there is a mismatch of every kind.
fn place() -> Place {
    let place = Place::new();
    let statuses = ["completed", "failed", "writing", "queued"];
    let mut novels: Vec<Value> = (0..90).map(|at| novel(id(at), statuses[at % 4])).collect();
    novels.push(novel(id(200), &text("status")));
    novels.push(novel(json!(format!(" {}", text("id"))), "failed"));
    novels.push(novel(json!({"title": text("id")}), "failed"));
    novels.push(novel(id(0), "failed"));
    let mut source = lines(&novels);
    source.extend(format!("{{\"_id\": 5, \"title\": \"{}\", }}\n", text("broken")).bytes());
    place.write("source.jsonl", &source);
    place.expect(4, &["run", "source.jsonl", "target", "--apply", "--in-flight", "include"]);
    for (at, novel) in novels.iter_mut().take(88).enumerate() {
        with_another_text(novel, &mut at.clone());
    }
    // These are in the target, and in no source.
    novels.drain(88..90);
    place.write("source.jsonl", &lines(&novels));
    let path = place.path("target/letswriteabook/novel_jobs.bson");
    let mut documents = split(&fs::read(&path).unwrap());
    documents.remove(1);
    fs::write(&path, documents.concat()).unwrap();
    place
}

/// Every file of the report, those in the evidence pack too, and what the command printed.
fn report(place: &Place, run: &str, texts: &[&str]) -> Tree {
    place.expect(0, &[&["report", run, "--bundle", "--out", "out"], texts].concat());
    let name = format!("evidence-{run}");
    let unpack = "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])";
    let mut python = Command::new("python3");
    python.args(["-W", "ignore", "-c", unpack, &format!("out/{name}.tar.gz"), "out"]);
    let told = python.current_dir(place.path(".")).output().unwrap();
    Told::of("unpack".to_owned(), told).expect(0);
    let mut files = place.tree("out");
    files.remove(&format!("{name}.tar.gz"));
    for (name, args) in [("printed", &["report", run][..]), ("json", &["report", run, "--json"])] {
        let told = place.expect(0, &[args, texts].concat());
        files.insert(name.to_owned(), told.stdout.into_bytes());
    }
    files
}

fn has_mark(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).to_lowercase().contains(&MARK.to_lowercase())
}

#[test]
fn without_the_flag_nothing_quotes_a_text() {
    let place = place();
    let run = place.run();
    let files = report(&place, &run, &[]);
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let at = text.to_lowercase().find(&MARK.to_lowercase());
        let around = at.map(|at| &text[text.floor_char_boundary(at.saturating_sub(200))..][..250]);
        assert!(around.is_none(), "{name} quotes a text: {around:?}");
    }
    let json: Value = serde_json::from_slice(&files["report-data.json"]).unwrap();
    assert_eq!(json["with_texts"], false);
    assert_eq!(json["parity"]["mismatches"].as_array().unwrap().len(), 100);
    let title = json["survey"]["in_flight"]["jobs"][0]["title"].as_str().unwrap();
    assert!(title.starts_with("text of ") && title.ends_with(" characters"), "{title}");
    let codes: Vec<&str> = json["rejects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reject| reject["code"].as_str().unwrap())
        .collect();
    let expected =
        ["unknown-status", "unsupported-id", "unsupported-id", "duplicate-id", "malformed-json"];
    assert_eq!(codes, expected);
    // Ids, paths and lengths stay: the jobs can be found.
    let page = String::from_utf8_lossy(&files["report.html"]).into_owned();
    assert!(page.contains("687f22696249a18d00000002") && page.contains("premise"), "{page}");
}

#[test]
fn with_the_flag_everything_quotes_them() {
    let place = place();
    let run = place.run();
    let files = report(&place, &run, &["--with-texts"]);
    let pack = format!("evidence-{run}");
    for name in ["report.html", "report.md", "report-data.json", "json"] {
        assert!(has_mark(&files[name]), "{name} quotes nothing");
    }
    for name in ["rejects.jsonl", "profile.json", "checkpoint.json", "report.md"] {
        assert!(has_mark(&files[&format!("{pack}/{name}")]), "{name} of the pack quotes nothing");
    }
    let json: Value = serde_json::from_slice(&files["report-data.json"]).unwrap();
    assert_eq!(json["with_texts"], true);
}

#[test]
fn a_dry_run_and_an_unfinished_run_quote_nothing_either() {
    let place = Place::new();
    let mut novels: Vec<Value> = (0..9).map(|at| novel(id(at), "writing")).collect();
    novels.push(novel(id(200), &text("status")));
    place.write("source.jsonl", &lines(&novels));
    let run = ["run", "source.jsonl", "target", "--in-flight", "include", "--fail-fast"];
    for apply in [&[][..], &["--apply"]] {
        place.expect(4, &[&run[..], apply].concat());
        let newest = place.runs().pop().unwrap();
        for (name, bytes) in report(&place, &newest, &[]) {
            assert!(!has_mark(&bytes), "{name} quotes a text");
        }
    }
}

/// A difference far inside of a long text shows, and the same two texts are told apart by where
/// they differ.
#[test]
fn two_texts_that_begin_alike_are_shown_where_they_differ() {
    let place = Place::new();
    let long = |end: &str| format!("{}{end}", "It was a dark and stormy night. ".repeat(100));
    let line =
        |premise: &str| json!({"_id": id(1), "status": "failed", "title": "x", "premise": premise});
    place.write("source.jsonl", &lines(&[line(&long("The end"))]));
    place.expect(0, &["run", "source.jsonl", "target", "--apply"]);
    place.write("source.jsonl", &lines(&[line(&long("To be continued"))]));
    let mismatch = |texts: &[&str]| {
        let run = place.run();
        let told = place.expect(0, &[&["report", &run, "--json"], texts].concat()).stdout;
        let report: Value = serde_json::from_str(&told).unwrap();
        let all = report["parity"]["mismatches"].as_array().unwrap().clone();
        all.into_iter().find(|it| it["path"] == "payload.premise").unwrap()
    };
    let quoted = mismatch(&["--with-texts"]);
    assert!(quoted["expected"].as_str().unwrap().ends_with("To be continued\""), "{quoted}");
    assert!(quoted["actual"].as_str().unwrap().ends_with("The end\""), "{quoted}");
    let withheld = mismatch(&[]);
    assert_eq!(withheld["expected"], "text of 3215 characters");
    let other = "text of 3207 characters, different from character 3202 on";
    assert_eq!(withheld["actual"], other);
}

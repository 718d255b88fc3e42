//! `anonymize`: copies that are proved, and what is refused.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use common::{Place, left_out};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A place with a key and a source.
fn with_key(generate: &[&str]) -> Place {
    let place = Place::new();
    place.expect(0, &["anonymize", "--new-key", "copy.key"]);
    place.expect(0, &[&["generate"], generate].concat());
    place
}

const KEY: [&str; 2] = ["--key-file", "copy.key"];

#[test]
fn a_key_is_made_once_for_its_owner_alone_and_never_printed() {
    let place = Place::new();
    let told = place.expect(0, &["anonymize", "--new-key", "copy.key"]);
    let key = String::from_utf8(place.read("copy.key")).unwrap();
    assert_eq!(key.trim_end().len(), 64);
    assert!(!told.stdout.contains(key.trim_end()) && !told.stderr.contains(key.trim_end()));
    let mode = std::fs::metadata(place.path("copy.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    place.expect(3, &["anonymize", "--new-key", "copy.key"]);
    assert_eq!(String::from_utf8(place.read("copy.key")).unwrap(), key);
    place.expect(0, &["anonymize", "--new-key", "other.key"]);
    assert_ne!(place.read("other.key"), place.read("copy.key"));
    place.expect(2, &["anonymize", "--new-key", "third.key", "--dry-run"]);
    assert!(!place.path("third.key").exists());
}

#[test]
fn without_a_key_nothing_is_written() {
    let place = with_key(&["dump", "--documents", "5"]);
    let told = place.expect(2, &["anonymize", "dump", "copy"]);
    assert!(told.stderr.contains("--new-key"), "{}", told.stderr);
    place.write("bad.key", b"not a key\n");
    place.expect(2, &["anonymize", "dump", "copy", "--key-file", "bad.key"]);
    std::fs::set_permissions(place.path("copy.key"), PermissionsExt::from_mode(0o644)).unwrap();
    let told = place.expect(3, &["anonymize", "dump", "copy", "--key-file", "copy.key"]);
    assert!(told.stderr.contains("other users"), "{}", told.stderr);
    assert!(!place.path("copy").exists());
}

/// What a command says of the documents, without what differs between two sources of one content.
fn told_of(place: &Place, args: &[&str], fields: &[&str]) -> Vec<Value> {
    let output = place.call(&[args, &["--json"]].concat()).finish();
    let told = json(&output.stdout);
    fields.iter().map(|field| told[field].clone()).collect()
}

#[test]
fn copies_of_every_corpus_are_migrated_as_their_originals_are() {
    for preset in ["standard", "lifecycle", "populated", "foreign"] {
        let place =
            with_key(&["dump", "--documents", "120", "--preset", preset, "--size", "small"]);
        let unknown = if preset == "foreign" { "redact" } else { "refuse" };
        let flags = ["--unknown", unknown, "--json"];
        let told = place.expect(0, &[&["anonymize", "dump", "copy"], &KEY[..], &flags].concat());
        let told = json(&told.stdout);
        assert_eq!(told["schema"], "reshelve.anonymize/1");
        assert_eq!(
            told["documents"],
            serde_json::json!({"read": 120, "written": 120, "left_out": 0})
        );
        assert_eq!(told["leaks_found"], 0);
        assert_eq!(told["unknown"].as_array().unwrap().is_empty(), preset != "foreign");
        let fields = ["documents", "events", "warnings", "rejects", "exit"];
        for options in [
            &["--in-flight", "include"][..],
            &[
                "--in-flight",
                "as-failed",
                "--on-unknown-status",
                "failed",
                "--status-policy",
                "evidence",
            ],
        ] {
            let run = |source: &str, out: &str| {
                told_of(&place, &[&["run", source, out], options].concat(), &fields)
            };
            assert_eq!(run("dump", "a"), run("copy", "b"), "{preset}");
        }
        place.call(&["run", "copy", "target", "--apply", "--in-flight", "include"]).finish();
        assert!(place.expect(0, &["verify", "copy", "target"]).stdout.contains("holds"));
        place.expect(0, &["report", "latest"]);
        place.expect(0, &["anonymize", "scan", "dump", "copy"]);
        oracle(&place, "dump/letswriteabook/jobs.bson", "copy/letswriteabook/jobs.bson");
    }
}

/// An independent program finds nothing either.
fn oracle(place: &Place, source: &str, copy: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle/leaks.py");
    let mut python = Command::new("python3");
    python.arg(script).args([place.path(source), place.path(copy)]);
    match python.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        }
        Err(error) => left_out(&format!("python3: {error}")),
    }
}

#[test]
fn real_dumps_in_every_form_give_the_same_copy() {
    let place = Place::new();
    place.expect(0, &["anonymize", "--new-key", "copy.key"]);
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples");
    let mut copies = Vec::new();
    for (number, form) in ["dump", "all.archive.gz", "jobs.canonical.jsonl"].into_iter().enumerate()
    {
        let source = samples.join(form);
        let out = format!("copy{number}");
        let args = ["anonymize", source.to_str().unwrap(), &out, "--db", "letswriteabook"];
        let args = if form.ends_with("jsonl") { &args[..3] } else { &args[..] };
        place.expect(0, &[args, &KEY[..]].concat());
        copies.push(place.read(&format!("{out}/letswriteabook/jobs.bson")));
    }
    assert!(copies.windows(2).all(|pair| pair[0] == pair[1]));
    let source = samples.join("dump/letswriteabook/jobs.bson");
    place.write("jobs.bson", &std::fs::read(source).unwrap());
    oracle(&place, "jobs.bson", "copy0/letswriteabook/jobs.bson");
}

#[test]
fn the_same_key_gives_the_same_bytes_with_any_number_of_threads() {
    let place =
        with_key(&["dump", "--documents", "60", "--preset", "populated", "--size", "small"]);
    place.expect(0, &["anonymize", "--new-key", "other.key"]);
    for (out, key, jobs) in
        [("a", "copy.key", "1"), ("b", "copy.key", "3"), ("c", "other.key", "2")]
    {
        place.expect(0, &["anonymize", "dump", out, "--key-file", key, "--jobs", jobs]);
    }
    let of = |out: &str| place.read(&format!("{out}/letswriteabook/jobs.bson"));
    assert!(of("a") == of("b"));
    assert!(of("a") != of("c"));
}

#[test]
fn a_pipe_is_copied_as_a_file_is_and_any_form_is_written() {
    let place = with_key(&["jobs.bson", "--documents", "40", "--size", "small"]);
    place.expect(0, &[&["anonymize", "jobs.bson", "copy.bson"], &KEY[..]].concat());
    let bytes = place.read("jobs.bson");
    let piped = [&["anonymize", "-", "piped.bson"], &KEY[..]].concat();
    place.call(&piped).stdin(&bytes).expect(0);
    assert!(place.read("piped.bson") == place.read("copy.bson"));
    for (out, form) in [("x.archive.gz", "archive.gz"), ("x.json", "lines"), ("x", "folder-gzip")] {
        place.expect(0, &[&["anonymize", "jobs.bson", out, "--form", form], &KEY[..]].concat());
        place.expect(0, &["anonymize", "scan", "jobs.bson", out]);
    }
    place.expect(2, &[&["anonymize", "jobs.bson", "y", "--form", "parchment"], &KEY[..]].concat());
}

#[test]
fn unknown_paths_stop_it_before_anything_is_written() {
    let place = with_key(&["jobs.jsonl", "--documents", "1"]);
    let mut text = String::from_utf8(place.read("jobs.jsonl")).unwrap();
    text.insert_str(1, r#""customer":{"name":"Marguerite","size":7},"#);
    place.write("jobs.jsonl", text.as_bytes());
    let args = [&["anonymize", "jobs.jsonl", "copy.jsonl"], &KEY[..]].concat();
    let told = place.expect(3, &args);
    assert!(told.stderr.contains("\n  customer"), "{}", told.stderr);
    assert!(told.stderr.contains("--unknown redact"), "{}", told.stderr);
    assert!(!place.path("copy.jsonl").exists());
    let hidden = std::fs::read_dir(place.path("")).unwrap();
    assert!(
        hidden
            .filter(|it| it.as_ref().unwrap().file_name().to_string_lossy().ends_with("tmp"))
            .count()
            == 0
    );

    place.write("more.policy", b"# ours\ncustomer.name prose\ncustomer.size keep number\n");
    place.expect(0, &[&args[..], &["--policy", "more.policy"]].concat());
    let copy = String::from_utf8(place.read("copy.jsonl")).unwrap();
    assert!(copy.contains(r#""customer":{"name":""#) && !copy.contains("Marguerite"), "{copy}");
    assert!(copy.contains(r#""size":{"$numberInt":"7"}"#), "{copy}");

    let redacted = ["anonymize", "jobs.jsonl", "redacted.jsonl", "--unknown", "redact"];
    place.expect(0, &[&redacted[..], &KEY[..]].concat());
    let copy = String::from_utf8(place.read("redacted.jsonl")).unwrap();
    assert!(!copy.contains("customer") && !copy.contains("Marguerite"), "{copy}");

    place.write("weak.policy", b"premise keep\n");
    let told = place.expect(2, &["anonymize", "--policy", "weak.policy"]);
    assert!(told.stderr.contains("--allow-weaker"), "{}", told.stderr);
    let told = place.expect(0, &["anonymize", "--policy", "weak.policy", "--allow-weaker"]);
    assert!(told.stdout.lines().any(|line| line.starts_with("premise ") && line.contains("keep")));
}

#[test]
fn nothing_is_written_over_and_nothing_is_written_into_the_source() {
    let place = with_key(&["dump", "--documents", "5"]);
    place.write("there", b"something");
    let before = place.tree("dump");
    for out in ["there", "dump", "dump/copy", "dump/letswriteabook/copy.bson"] {
        place.expect(3, &[&["anonymize", "dump", out], &KEY[..]].concat());
    }
    assert_eq!(place.read("there"), b"something");
    assert!(before == place.tree("dump"));
    place.expect(2, &[&["anonymize", "dump", "copy", "--dry-run"], &KEY[..]].concat());
    assert!(!place.path("copy").exists());
}

#[test]
fn a_damaged_source_leaves_nothing() {
    let damaged = ["jobs.bson", "--documents", "30", "--fault", "truncate"];
    let place = with_key(&damaged);
    place.expect(1, &[&["anonymize", "jobs.bson", "copy.bson"], &KEY[..]].concat());
    let names = std::fs::read_dir(place.path("")).unwrap().count();
    assert_eq!(names, 2, "the key and the source");
}

#[test]
fn too_many_documents_left_out_is_no_copy() {
    let place = with_key(&["jobs.jsonl", "--documents", "50", "--size", "small"]);
    let mut text = String::from_utf8(place.read("jobs.jsonl")).unwrap();
    text.push_str("{\"_id\": {\"$oid\": \"x\"}}\n");
    place.write("jobs.jsonl", text.as_bytes());
    let args = [&["anonymize", "jobs.jsonl", "copy.bson", "--json"], &KEY[..]].concat();
    let told = json(&place.expect(5, &args).stdout);
    assert_eq!(told["left_out"][0]["reason"], "malformed");
    assert_eq!((&told["out"], &told["exit"]), (&Value::Null, &Value::from(5)));
    assert!(!place.path("copy.bson").exists());
}

#[test]
fn a_leak_is_found_by_a_scan_and_its_text_is_not_shown() {
    let place =
        with_key(&["jobs.jsonl", "--documents", "20", "--preset", "populated", "--size", "small"]);
    place.expect(0, &[&["anonymize", "jobs.jsonl", "copy.jsonl"], &KEY[..]].concat());
    place.expect(0, &["anonymize", "scan", "jobs.jsonl", "copy.jsonl"]);
    let copy = String::from_utf8(place.read("copy.jsonl")).unwrap();
    let planted = copy.replacen(r#""premise":""#, r#""premise":"Marianne "#, 1);
    place.write("leaky.jsonl", planted.as_bytes());
    let told = place.expect(5, &["anonymize", "scan", "jobs.jsonl", "leaky.jsonl"]);
    assert!(told.stdout.contains("word") && told.stdout.contains("premise"), "{}", told.stdout);
    assert!(!told.stdout.contains("Marianne"));
    let told = json(
        &place.expect(5, &["anonymize", "scan", "jobs.jsonl", "leaky.jsonl", "--json"]).stdout,
    );
    assert_eq!(told["schema"], "reshelve.anonymize-scan/1");
    assert_eq!(told["leaks"][0]["rule"], "word");
    // The source itself is the worst copy of all.
    place.expect(5, &["anonymize", "scan", "jobs.jsonl", "jobs.jsonl"]);
}

#[test]
fn a_sample_has_every_kind() {
    let place =
        with_key(&["dump", "--documents", "400", "--preset", "lifecycle", "--size", "small"]);
    place.expect(0, &[&["anonymize", "dump", "small", "--sample", "40"], &KEY[..]].concat());
    let profile = |source: &str| json(&place.expect(0, &["profile", source, "--json"]).stdout);
    let (all, small) = (profile("dump"), profile("small"));
    assert_eq!(small["documents"], 40);
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&all["forecast"]["warnings"]), keys(&small["forecast"]["warnings"]));
    assert_eq!(keys(&all["eras"]), keys(&small["eras"]));
    place.expect(0, &["anonymize", "scan", "dump", "small"]);
}

#[test]
fn a_preview_needs_a_terminal_and_writes_nothing() {
    let place = with_key(&["dump", "--documents", "3"]);
    let told = place.expect(2, &[&["anonymize", "dump", "--preview", "x"], &KEY[..]].concat());
    assert!(told.stderr.contains("terminal") && told.stdout.is_empty(), "{}", told.stderr);
}

#[test]
fn the_policy_is_printed_and_is_that_of_the_page() {
    let place = Place::new();
    let printed = place.expect(0, &["anonymize", "--policy"]).stdout;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/anonymise.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains(&format!("```\n{printed}```\n")),
        "docs/anonymise.md shows another policy"
    );
    place.expect(2, &["anonymize"]);
}

//! A command that was asked for JSON and failed says so in JSON: one document, beside the sentence
//! on standard error.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, Told};
use serde_json::Value;

/// The only document on standard output, which must agree with everything else that was told.
fn document(told: &Told) -> Value {
    let document: Value = serde_json::from_str(&told.stdout)
        .unwrap_or_else(|error| panic!("{error}: {:?} {}", told.stdout, told.stderr));
    assert_eq!(told.stdout.lines().count(), 1, "{}", told.stdout);
    assert_eq!(document["schema"], "reshelve.error/1", "{document}");
    assert_eq!(document["exit"].as_i64(), told.code.map(i64::from), "{document}");
    let message = document["error"]["message"].as_str().unwrap();
    let said = told.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!("error: {message}")), "{document}\n{}", told.stderr);
    document
}

/// A place with a source, its target, and a file where a folder is expected.
fn scene() -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5", "--no-in-flight"]);
    place.expect(0, &["run", "jobs.bson", "target", "--apply"]);
    place.write("file", b"not a folder");
    place
}

#[test]
fn every_command_fails_in_json() {
    let place = scene();
    let cases: [&[&str]; 15] = [
        &["inspect", "nowhere"],
        &["profile", "nowhere"],
        &["explain", "jobs.bson", "--job", "nobody"],
        &["run", "nowhere", "other"],
        &["run", "jobs.bson", "target", "--apply"],
        &["runs", "--runs-dir", "file"],
        &["status", "nobody"],
        &["status", "nobody", "--watch"],
        &["resume", "nobody"],
        &["report", "nobody"],
        &["verify", "jobs.bson", "nowhere"],
        &["restore", "nowhere", "back"],
        &["checksums", "nowhere"],
        &["indexes", "down", "target"],
        &["generate", "jobs.bson"],
    ];
    let mut kinds = Vec::new();
    for args in cases {
        let told = place.call(&[args, &["--json"]].concat()).finish();
        let document = document(&told);
        let code = told.code.unwrap();
        let kind = document["error"]["kind"].as_str().unwrap();
        assert!([(1, "failed"), (2, "usage"), (3, "refused")].contains(&(code, kind)), "{args:?}");
        kinds.push(code);
        if let Some(hint) = document["error"]["hint"].as_str() {
            assert!(told.stderr.contains(&format!("hint: {hint}")), "{document}");
        }
        // Nobody else is told so.
        assert_eq!(place.expect(code, args).stdout, "", "{args:?}");
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, [1, 2, 3], "each kind of failure is among them");
}

#[test]
fn a_faulty_command_line_fails_in_json() {
    let place = scene();
    let commands = ["inspect", "profile", "run", "runs", "status", "resume", "explain", "restore"];
    let others = ["verify", "checksums", "report", "generate", "demo", "man", "completions"];
    for command in commands.iter().chain(&others) {
        let told = place.expect(2, &[command, "--no-such-flag", "--json"]);
        let document = document(&told);
        assert_eq!(document["error"]["kind"], "usage");
        assert!(document["error"]["message"].as_str().unwrap().contains("--no-such-flag"));
    }
    for args in [
        &["indexes", "--json"][..],
        &["indexes", "up", "--json"],
        &["--json"],
        &["no-such-command", "--json"],
        &["run", "--json"],
        &["run", "jobs.bson", "other", "--json", "--in-flight", "perhaps"],
        &["run", "jobs.bson", "other", "--json=yes"],
        &["run", "jobs.bson", "mongodb:/h", "--json"],
        &["run", "jobs.bson", "other", "--gzip", "--zstd", "--json"],
    ] {
        document(&place.expect(2, args));
    }
    // After two dashes it is no flag.
    assert_eq!(place.expect(2, &["status", "--", "--json"]).stdout, "");
}

#[test]
fn json_may_come_from_the_environment_or_the_settings_file() {
    let place = scene();
    for args in [&["status", "nobody"][..], &["status", "--no-such-flag"]] {
        document(&place.call(args).env("RESHELVE_JSON", "yes").expect(2));
        assert_eq!(place.call(args).env("RESHELVE_JSON", "no").expect(2).stdout, "");
    }
    place.write("reshelve.toml", b"json = true\n");
    document(&place.expect(2, &["status", "nobody"]));
    document(&place.expect(2, &["status", "--no-such-flag"]));
    assert_eq!(place.expect(2, &["demo", "--no-such-flag"]).stdout, "");
    // A settings file that cannot be used is a failure too.
    place.write("reshelve.toml", b"no-such-flag = true\n");
    document(&place.expect(2, &["status", "--json"]));
}

#[test]
fn no_document_holds_a_password() {
    let place = Place::new();
    for args in [
        &["inspect", "mongodb:/user:secret@host/db", "--json"][..],
        &["profile", "mongodb://user:secret@host/db", "--no-such-flag", "--json"],
        &["status", "--json", "--runs-dir", "mongodb://user:secret@host/db"],
        &["run", "--json", "mongodb://user:secret@host/db", "--in-flight", "user:secret@host"],
    ] {
        let told = place.expect(2, args);
        document(&told);
        assert!(!(told.stdout + &told.stderr).contains("secret"), "{args:?}");
    }
}

#[test]
fn a_command_that_answers_prints_its_own_document_alone() {
    let place = scene();
    let whole = place.read("jobs.bson");
    place.write("cut.bson", &whole[..whole.len() - 5]);
    for (code, args) in
        [(1, &["run", "cut.bson", "other", "--json"][..]), (1, &["inspect", "cut.bson", "--json"])]
    {
        let told = place.expect(code, args);
        assert_eq!(told.stdout.lines().count(), 1, "{}", told.stdout);
        assert!(!told.stdout.contains("reshelve.error"), "{}", told.stdout);
    }
}

//! A password in a connection string is never shown.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, Told};

/// Nobody listens on that port.
const URI: &str = "mongodb://u:sekret@127.0.0.1:1/db?serverSelectionTimeoutMS=100";

fn expect_silence(told: &Told, place: &Place) {
    for text in [&told.stdout, &told.stderr] {
        assert!(!text.contains("sekret"), "{text}");
    }
    for (name, bytes) in place.tree("") {
        let found = bytes.windows(6).any(|window| window == b"sekret");
        assert!(!found, "{name}");
    }
}

#[test]
fn passwords_are_in_no_output() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    place.expect(0, &["run", "jobs.bson", "target", "--apply"]);
    let run = place.run();
    let other = "mongodb+srv://u:sekret@h.example/db?retryWrites=true";
    for uri in [URI, other] {
        for args in [
            &["run", uri, "out"][..],
            &["run", uri, "out", "--apply", "--json"],
            &["run", "jobs.bson", uri, "--apply"],
            &["inspect", uri],
            &["inspect", uri, "--json"],
            &["restore", uri, "back.bson"],
            &["restore", "target", uri],
            &["resume", &run, "--source", uri],
            &["generate", uri],
        ] {
            let told = place.call(args).finish();
            assert!(matches!(told.code, Some(1..=3)), "{args:?}: {}", told.stderr);
            expect_silence(&told, &place);
        }
    }
}

#[test]
fn passwords_in_the_environment_are_in_no_output() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    for args in [
        &["run", "--help"][..],
        &["run"],
        &["run", "jobs.bson"],
        &["inspect"],
        &["inspect", "--help"],
        &["resume", "--help"],
        &["restore", "--help"],
        &["help", "run"],
        &["--help"],
        &["completions", "bash"],
        &["man", "pages"],
    ] {
        let call = place.call(args).env("LEGACY_MONGODB_URI", URI);
        let told = call.env("TARGET_MONGODB_URI", URI).finish();
        expect_silence(&told, &place);
    }
    place.write("reshelve.toml", format!("source = \"{URI}\"\n").as_bytes());
    let told = place.call(&["run", "--help"]).finish();
    assert!(!told.stdout.contains("sekret"), "{}", told.stdout);
}

#[test]
fn passwords_in_what_is_wrong_are_in_no_output() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "5"]);
    for args in [
        &["run", "jobs.bson", "out", "--no-such-flag", URI][..],
        &["run", "jobs.bson", "out", "--limit", URI],
        &["run", "jobs.bson", "out", URI],
        &["run", "jobs.bson", "out", "--only-rejects", URI],
        &["status", URI],
        &["resume", URI],
    ] {
        expect_silence(&place.call(args).expect(2), &place);
    }
    for uri in [
        " mongodb://u:sekret@h/db",
        "'mongodb://u:sekret@h/db'",
        "MongoDB://u:sekret@h/db",
        "mongodb:/u:sekret@h/db",
        "mongodb://u:1/sekret@h/db",
        "mongodb://u:sekret?x@h/db",
        "mongodb://u:x?sekret@h/db",
        "https://u:sekret@h/db",
    ] {
        for args in [
            &["run", uri, "out", "--apply"][..],
            &["run", "jobs.bson", uri, "--apply"],
            &["inspect", uri, "--print-role", "target"],
            &["indexes", "status", uri],
            &["checksums", uri],
        ] {
            expect_silence(&place.call(args).expect(2), &place);
        }
    }
    for text in
        [format!("source = \"{URI}\"\nsauce = \"{URI}\"\n"), format!("source = \"{URI}\" x\n")]
    {
        place.write("reshelve.toml", text.as_bytes());
        let told = place.call(&["run", "jobs.bson", "out"]).expect(2);
        assert!(!told.stderr.contains("sekret"), "{}", told.stderr);
    }
}

//! The short flags, and the names that people know from mongodump.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::{Place, with};

#[test]
fn short_flags_are_the_long_ones() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "6", "--no-in-flight"]);
    let (pick, picked) = (["-d", "letswriteabook"], ["-c", "jobs"]);
    let picks = [pick, picked].concat();
    for command in [
        &["inspect", "dump"][..],
        &["profile", "dump"],
        &["run", "dump", "target", "--apply"],
        &["verify", "dump", "target", "-o", "found"],
    ] {
        place.expect(0, &with(command, &picks));
        if command[0] == "inspect" {
            // It lists whatever is there.
            continue;
        }
        // The value counts: another one leads nowhere.
        let told = place.call(&with(command, &["-d", "nowhere"])).finish();
        assert_ne!(told.code, Some(0), "{command:?}");
    }
    assert!(place.path("found/mismatches.jsonl").exists());
    place.expect(0, &["report", "latest", "-o", "page"]);
    assert!(place.path("page/report.html").exists());
}

#[test]
fn out_may_be_a_flag() {
    let place = Place::new();
    place.expect(0, &["generate", "-o", "jobs.bson", "--documents", "6", "--no-in-flight"]);
    place.expect(0, &["run", "jobs.bson", "target", "--apply"]);
    let told = place.call(&["restore", "target", "-o", "back.bson"]);
    told.env("RESHELVE_OUT", "nowhere.bson").expect(0);
    assert!(place.read("back.bson") == place.read("jobs.bson"));
    assert!(!place.path("nowhere.bson").exists());
    // What is there stays there, however it is named.
    place.expect(3, &["restore", "target", "--out", "back.bson"]).says(&["already exists"]);
    place.expect(2, &["generate", "-o", "jobs.bson"]).says(&["--overwrite"]);
    for command in [&["restore", "target", "one"][..], &["generate", "one"]] {
        place.expect(2, &with(command, &["-o", "other"])).says(&["OUT is given twice", "hint:"]);
    }
    place.expect(2, &["restore", "target"]).says(&["OUT"]);
    for command in [&["restore", "target"][..], &["generate"]] {
        let told = place.expect(2, &with(command, &["-o", "mongodb://user:secret@host/db"]));
        assert!(!told.stderr.contains("secret"), "{}", told.stderr);
    }
    // In the settings file it is the place, which the command line comes before.
    place.write("reshelve.toml", b"[restore]\nout = \"settings.bson\"\n");
    place.expect(0, &["restore", "target", "line.bson"]);
    assert!(place.path("line.bson").exists() && !place.path("settings.bson").exists());
    place.expect(0, &["restore", "target", "-o", "flag.bson"]);
    place.expect(0, &["restore", "target"]);
    assert!(place.path("flag.bson").exists() && place.path("settings.bson").exists());
}

#[test]
fn uri_names_the_only_place_of_a_command() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "6", "--no-in-flight"]);
    place.expect(0, &["run", "jobs.bson", "target", "--apply"]);
    for (command, source, more) in [
        (&["inspect"][..], "jobs.bson", &[][..]),
        (&["profile"], "jobs.bson", &["--json"]),
        (&["checksums"], "target", &[]),
        (&["indexes", "status"], "target", &[]),
        (&["indexes", "up"], "target", &[]),
    ] {
        let named = place.expect(0, &[command, &[source], more].concat());
        let by_uri = [command, &["--uri", source], more].concat();
        assert_eq!(place.expect(0, &by_uri).stdout, named.stdout, "{command:?}");
        // The command line comes before the variables, of which the other name has none.
        let told = place.call(&by_uri).env("LEGACY_MONGODB_URI", "nowhere");
        let told = told.env("TARGET_MONGODB_URI", "nowhere").expect(0);
        assert_eq!(told.stdout, named.stdout, "{command:?}");
        let twice = place.expect(2, &[command, &[source, "--uri", source], more].concat());
        twice.says(&["given twice", "--uri", "hint:"]);
        place.expect(2, &[command, more].concat()).says(&["error:"]);
        let near_miss = ["--uri", "mongodb:/user:secret@host/db"];
        let told = place.expect(2, &[command, &near_miss].concat());
        assert!(!told.stderr.contains("secret"), "{}", told.stderr);
    }
    place.write("reshelve.toml", b"uri = \"jobs.bson\"\n");
    place.expect(2, &["inspect"]).says(&["uri"]);
    std::fs::remove_file(place.path("reshelve.toml")).unwrap();
    place.write("reshelve.toml", b"source = \"jobs.bson\"\ntarget = \"target\"\n");
    for command in ["inspect", "profile", "checksums"] {
        place.expect(0, &[command]);
        place.expect(1, &[command, "--uri", "nowhere.bson"]);
    }
    // With two places, it would not be clear which one is meant.
    place.expect(2, &["run", "--uri", "jobs.bson", "target"]).says(&["--uri"]);
}

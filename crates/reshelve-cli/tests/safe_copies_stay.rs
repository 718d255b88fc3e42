//! Snapshots that are there: no command writes over one or into one, none is taken by mistake, and what
//! was left behind is dealt with.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/safe_copy.rs"]
mod safe_copy;

use common::{Place, refused};
use safe_copy::{dump, json};

#[test]
fn no_command_writes_over_a_snapshot_or_into_one() {
    let place = Place::new();
    dump(&place);
    place.expect(0, &["snapshot", "dump", "copy", "--no-gzip"]);
    place.expect(0, &["snapshot", "dump", "copy.archive"]);
    place.expect(4, &["run", "dump", "target", "--apply", "--in-flight", "include"]);
    place.expect(0, &["anonymize", "--new-key", "key"]);
    for args in [
        &["generate", "copy", "--overwrite"][..],
        &["generate", "copy.archive", "--overwrite"],
        &["generate", "copy.archive.snapshot.json", "--overwrite"],
        &["restore", "target", "copy", "--overwrite"],
        &["restore", "target", "copy/jobs.bson"],
        &["run", "dump", "copy", "--apply", "--in-flight", "include"],
        &["run", "dump", "copy"],
        &["report", "latest", "--out", "copy"],
        &["report", "latest", "--out", "copy/letswriteabook"],
        &["anonymize", "dump", "copy/other", "--key-file", "key"],
        &["snapshot", "dump", "copy/other"],
    ] {
        refused(&place, args, &["snapshot"]);
    }
    place.expect(3, &["indexes", "up", "copy"]);
    // Nor is anything overlooked that got in all the same.
    place.write("copy/letswriteabook/novels.bson", b"");
    let found = json(&place, 5, &["snapshot", "verify", "copy"]);
    assert_eq!(found["mismatches"][0], "letswriteabook/novels.bson is no part of it");
}

#[test]
fn a_word_too_few_or_mistyped_takes_no_snapshot() {
    let place = Place::new();
    dump(&place);
    place.expect(2, &["snapshot", "copy"]).says(&["DEST is missing: copy", "LEGACY_MONGODB_URI"]);
    for word in ["verfy", "lst"] {
        let call = place.call(&["snapshot", word]).env("LEGACY_MONGODB_URI", "dump");
        call.expect(2).says(&["is no subcommand", "begins with ./"]);
    }
    for dest in ["jobs.bson", "jobs.tar.gz", "jobs.json"] {
        place.expect(2, &["snapshot", "dump", dest]).says(&["the name of another form"]);
    }
    let call = place.call(&["snapshot", "./lst"]).env("LEGACY_MONGODB_URI", "dump");
    call.expect(0).says(&["note: the source is that of LEGACY_MONGODB_URI"]);
    // The next command is one that works.
    let told = place.expect(0, &["snapshot", "dump", "one.archive/"]);
    assert!(told.stdout.contains("one.archive\n"), "{}", told.stdout);
    std::fs::create_dir(place.path(".slow.snapshot.tmp")).unwrap();
    let listed = json(&place, 0, &["snapshot", "list", "."]);
    assert_eq!(listed["unfinished"][0], "./slow");
}

#[test]
fn an_archive_is_known_by_its_own_manifest() {
    let place = Place::new();
    dump(&place);
    place.expect(0, &["snapshot", "dump", "a.archive.gz"]);
    let copy = |from: &str, to: &str| {
        std::fs::copy(place.path(from), place.path(to)).unwrap();
    };
    // Both were copied: what is read is the archive that has the name now.
    copy("a.archive.gz", "b.archive.gz");
    copy("a.archive.gz.snapshot.json", "b.archive.gz.snapshot.json");
    let mut data = place.read("b.archive.gz");
    let middle = data.len() / 2;
    data[middle] ^= 1;
    place.write("b.archive.gz", &data);
    place.expect(0, &["snapshot", "verify", "a.archive.gz"]);
    place.expect(5, &["snapshot", "verify", "b.archive.gz"]);
    place.expect(5, &["snapshot", "verify", "b.archive.gz.snapshot.json"]);
    // Without its archive, a manifest is the proof of one that was moved away.
    std::fs::rename(place.path("a.archive.gz"), place.path("elsewhere")).unwrap();
    refused(&place, &["snapshot", "dump", "a.archive.gz"], &["snapshot.json already exists"]);
    place.expect(5, &["snapshot", "verify", "a.archive.gz"]);
    // A name that nothing has is no snapshot, whatever is around it.
    place.expect(0, &["snapshot", "dump", "folder"]);
    place.expect(2, &["snapshot", "verify", "folder/typo"]).says(&["no snapshot there"]);
    place.expect(0, &["snapshot", "verify", "folder/letswriteabook/../snapshot.json"]);
}

#[test]
fn what_a_killed_process_left_is_no_source_to_remove() {
    let place = Place::new();
    let documents = dump(&place);
    let left = ".copy.snapshot.tmp/letswriteabook";
    std::fs::create_dir_all(place.path(left)).unwrap();
    let source = format!("{left}/jobs.bson");
    place.write(&source, &documents);
    place.write(".copy.snapshot.lock", b"");
    place.expect(3, &["snapshot", &source, "copy"]).says(&["are the same place"]);
    assert!(place.read(&source) == documents);
    place.expect(0, &["snapshot", &source, "rescued"]);
    assert!(place.read(&source) == documents);
    // Nor is a file that only looks like a lock.
    place.write(".mine.snapshot.lock", b"mine");
    place.expect(3, &["snapshot", "dump", "mine"]).says(&["is not a lock"]);
    place.expect(0, &["snapshot", "dump", "other"]);
    assert_eq!(place.read(".mine.snapshot.lock"), b"mine");
    assert!(!place.path(".copy.snapshot.tmp").exists());
}

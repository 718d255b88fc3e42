//! Snapshots: every source goes in and comes back; nothing is left of one that was not finished, and
//! nothing is ever written over.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/safe_copy.rs"]
mod safe_copy;

use std::process::Command;

use common::{Place, Tree, refused, split};
use safe_copy::{METADATA, dump, json};
use serde_json::Value;

/// The content of a compressed file, by another program.
fn inflated(place: &Place, name: &str) -> Vec<u8> {
    let output = Command::new("gzip").arg("-dc").arg(place.path(name)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The target that a source becomes.
fn target_of(place: &Place, source: &str, name: &str) -> Tree {
    let runs = format!("runs-{name}");
    let flags = ["--apply", "--in-flight", "include", "--runs-dir", &runs];
    place.expect(4, &[&["run", source, name][..], &flags].concat());
    place.tree(name)
}

/// The source as a mongodump archive, Extended JSON, compressed: whatever `generate` makes.
const FORMS: [(&str, &str); 8] = [
    ("made.bson", "bson"),
    ("made.bson.gz", "bson.gz"),
    ("made.bson.zst", "bson.zst"),
    ("made.archive", "archive"),
    ("made.archive.gz", "archive.gz"),
    ("made.jsonl", "lines"),
    ("made.json", "pretty-array"),
    ("made", "folder-gzip"),
];

const DESTS: [&[&str]; 5] = [
    &["copy"],
    &["copy", "--no-gzip"],
    &["copy", "--form", "archive"],
    &["copy.archive"],
    &["copy.archive.zst"],
];

#[test]
fn every_form_goes_into_every_form_and_comes_back() {
    let place = Place::new();
    let plan = ["--documents", "20", "--preset", "foreign", "--seed", "7"];
    place.expect(0, &[&["generate", "plain.bson"][..], &plan].concat());
    let documents = place.read("plain.bson");
    let mut checksum = None;
    for (source, form) in FORMS {
        place.expect(0, &[&["generate", source, "--form", form][..], &plan].concat());
        for dest in DESTS {
            let taken = json(&place, 0, &[&["snapshot", source][..], dest].concat());
            let what = format!("{form} as {dest:?}");
            let content = &taken["manifest"]["content"];
            assert_eq!(content["documents"], 20, "{what}");
            assert_eq!(content["bytes"], documents.len(), "{what}");
            let checksum = checksum.get_or_insert_with(|| content["checksum"].clone());
            assert_eq!(&content["checksum"], checksum, "{what}");
            assert_eq!(taken["manifest"]["read_back"], true, "{what}");
            // It is a source as any other, and holds the same bytes.
            let taken = json(&place, 0, &["snapshot", dest[0], "again", "--no-gzip"]);
            let file = taken["manifest"]["objects"][0]["name"].as_str().unwrap().to_owned();
            assert_eq!(place.read(&format!("again/{file}")), documents, "{what}");
            assert_eq!(json(&place, 0, &["snapshot", "verify", dest[0]])["exit"], 0, "{what}");
            std::fs::remove_dir_all(place.path("again")).unwrap();
            if place.path("copy").is_dir() {
                std::fs::remove_dir_all(place.path("copy")).unwrap();
            } else {
                std::fs::remove_file(place.path(dest[0])).unwrap();
                std::fs::remove_file(place.path(&format!("{}.snapshot.json", dest[0]))).unwrap();
            }
        }
    }
}

#[test]
fn a_snapshot_is_a_dump_with_the_same_documents_indexes_and_options() {
    let place = Place::new();
    let documents = dump(&place);
    let expected = target_of(&place, "dump", "target");
    let taken = json(&place, 0, &["snapshot", "dump", "deep/copy"]);
    let manifest = &taken["manifest"];
    assert_eq!(manifest["source"]["server_version"], "8.0.4");
    assert_eq!(manifest["source"]["has_metadata"], true);
    assert_eq!(manifest["content"]["documents"], split(&documents).len());
    let folder = "deep/copy/letswriteabook";
    // Bytes that are no valid BSON inside are kept too.
    assert!(inflated(&place, &format!("{folder}/jobs.bson.gz")) == documents);
    let metadata = inflated(&place, &format!("{folder}/jobs.metadata.json.gz"));
    assert_eq!(String::from_utf8(metadata).unwrap(), METADATA);
    let prelude = inflated(&place, &format!("{folder}/prelude.json.gz"));
    let prelude: Value = serde_json::from_slice(&prelude).unwrap();
    assert_eq!(prelude["ServerVersion"], "8.0.4");
    assert!(target_of(&place, "deep/copy", "other") == expected);
    place.expect(0, &["verify", "deep/copy", "other", "--runs-dir", "runs-other"]);
    // An archive of it has them too, and so has an archive in a folder.
    for dest in [&["one.archive.gz"][..], &["two", "--form", "archive"]] {
        let taken = json(&place, 0, &[&["snapshot", "deep/copy"][..], dest].concat());
        assert_eq!(taken["manifest"]["source"]["has_metadata"], true);
        let looked = json(&place, 0, &["inspect", dest[0]]);
        let collection = &looked["collections"][0];
        assert_eq!(collection["documents"], split(&documents).len());
        assert_eq!(collection["indexes"][1]["name"], "jobId_1");
        assert_eq!(looked["server_version"], "8.0.4");
        let target = format!("target-{}", &dest[0][..3]);
        assert!(target_of(&place, dest[0], &target) == expected, "{dest:?}");
        // The run is found by its source, and its options with it.
        let runs = format!("runs-{target}");
        let verified = json(&place, 0, &["verify", dest[0], &target, "--runs-dir", &runs]);
        assert_eq!(verified["options_from"], "last-run", "{dest:?}");
    }
    let listed = json(&place, 0, &["snapshot", "list", "."]);
    let places: Vec<&str> = listed["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["place"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["./one.archive.gz", "./two"]);
}

#[test]
fn nothing_is_written_over_or_into_what_is_read() {
    let place = Place::new();
    dump(&place);
    place.write("there", b"mine");
    std::fs::create_dir(place.path("empty")).unwrap();
    place.write("copy.archive.gz.snapshot.json", b"mine");
    for dest in ["there", "empty", "copy.archive.gz"] {
        refused(&place, &["snapshot", "dump", dest], &["already exists", "never written over"]);
    }
    std::os::unix::fs::symlink("nowhere", place.path("link")).unwrap();
    place.expect(3, &["snapshot", "dump", "link"]).says(&["already exists"]);
    std::fs::remove_file(place.path("link")).unwrap();
    for dest in ["dump/copy", "dump/letswriteabook/copy"] {
        refused(&place, &["snapshot", "dump", dest], &["are the same place"]);
    }
    // An oplog may change the documents: somebody has to say that it does not matter.
    place.write("dump/oplog.bson", &entry());
    refused(&place, &["snapshot", "dump", "copy"], &["oplog", "--ignore-oplog"]);
    place.expect(0, &["snapshot", "dump", "copy", "--ignore-oplog"]);
    let before = place.tree("");
    for (args, words) in [
        (&["dump", "s3://bucket/prefix"][..], &["object storage", "hint:"][..]),
        (&["gs://bucket/prefix", "other"], &["object storage", "hint:"]),
        (&["dump", ".copy.snapshot.tmp"], &["cannot be called"]),
        (&["dump", "-"], &["cannot be called -"]),
        (
            &["dump/letswriteabook/jobs.bson", "other", "--db", "a.b", "--ignore-oplog"],
            &["not a name that a database can have", "--db"],
        ),
        (&["dump", "mongodb://localhost/x"], &["hint:"]),
        (&["dump", "other.archive.gz", "--form", "folder"], &["the name of another form"]),
        (&["dump", "other.archive.gz", "--no-gzip"], &["the name of another form"]),
        (&["dump"], &["DEST is missing"]),
        (&["verify", "dump"], &["no snapshot there"]),
        (&["list", "nowhere"], &["no folder there"]),
    ] {
        place.expect(2, &[&["snapshot"][..], args].concat()).says(words);
    }
    place.expect(2, &["snapshot", "dump", "other", "--dry-run"]).says(&["--dry-run"]);
    common::assert_same(&before, &place.tree(""), "everything");
}

/// An oplog entry that changes the collection.
fn entry() -> Vec<u8> {
    let mut entry = b"\0\0\0\0\x02op\0\x02\0\0\0i\0\x02ns\0".to_vec();
    let namespace = b"letswriteabook.jobs\0";
    entry.extend_from_slice(&(namespace.len() as i32).to_le_bytes());
    entry.extend_from_slice(namespace);
    entry.push(0);
    let length = (entry.len() as i32).to_le_bytes();
    entry[..4].copy_from_slice(&length);
    entry
}

#[test]
fn a_source_that_cannot_be_read_to_its_end_leaves_nothing() {
    let place = Place::new();
    let documents = dump(&place);
    place.write("cut.bson", &documents[..documents.len() - 5]);
    place.write("broken.jsonl", b"{\"_id\":1,\"status\":\"failed\"}\n{\"_id\":{\"$oid\":\"x\"}}\n");
    let before = place.tree("");
    for dest in ["copy", "copy.archive.gz"] {
        let told = place.expect(1, &["snapshot", "cut.bson", dest]);
        told.says(&["truncated", "byte offset"]);
        let told = place.expect(1, &["snapshot", "broken.jsonl", dest]);
        told.says(&["line 2, column 1", "hint:"]);
    }
    place.call(&["snapshot", "-", "copy"]).stdin(b"").expect(2).says(&["is empty"]);
    common::assert_same(&before, &place.tree(""), "everything");
    let call = place.call(&["snapshot", "-", "copy", "--allow-empty", "--json"]);
    let taken: Value = serde_json::from_str(&call.stdin(b"").expect(0).stdout).unwrap();
    assert_eq!(taken["manifest"]["content"]["documents"], 0);
    place.call(&["snapshot", "-", "copy.archive"]).stdin(&documents).expect(0);
    assert!(target_of(&place, "copy.archive", "one") == target_of(&place, "dump", "two"));
}

#[test]
fn what_is_not_as_it_was_written_is_found() {
    let place = Place::new();
    dump(&place);
    place.expect(0, &["snapshot", "dump", "copy"]);
    let file = "copy/letswriteabook/jobs.bson.gz";
    let (data, manifest) = (place.read(file), place.read("copy/snapshot.json"));
    let mut flipped = data.clone();
    flipped[data.len() / 2] ^= 1;
    let edited = String::from_utf8(manifest.clone()).unwrap().replace("\"gzip\"", "\"none\"");
    for (name, bytes, words) in [
        (file, Some(flipped), "is not as it was written"),
        (file, Some(data[..data.len() - 1].to_vec()), "were written"),
        (file, None, "is missing"),
        ("copy/letswriteabook/prelude.json.gz", None, "is missing"),
        ("copy/snapshot.json", Some(edited.into_bytes()), "it was damaged, or edited"),
        ("copy/snapshot.json", Some(b"{}".to_vec()), "cannot be used"),
    ] {
        let was = place.read(name);
        match bytes {
            Some(bytes) => place.write(name, &bytes),
            None => std::fs::remove_file(place.path(name)).unwrap(),
        }
        let found = json(&place, 5, &["snapshot", "verify", "copy"]);
        assert_eq!(found["exit"], 5);
        let mismatch = found["mismatches"][0].as_str().unwrap();
        assert!(mismatch.contains(words), "{name}: {mismatch}");
        place.write(name, &was);
        let told = place.expect(0, &["snapshot", "verify", "copy"]);
        assert!(told.stdout.contains("The snapshot holds"), "{}", told.stdout);
    }
}

#[test]
fn names_come_from_the_command_line_first() {
    let place = Place::new();
    let documents = dump(&place);
    let taken = |args: &[&str]| json(&place, 0, &[&["snapshot"][..], args].concat());
    let manifest = taken(&["dump/letswriteabook/jobs.bson", "one/"])["manifest"].clone();
    assert_eq!([&manifest["db"], &manifest["collection"]], ["letswriteabook", "jobs"]);
    std::fs::rename(place.path("dump/letswriteabook"), place.path("2026.11.30")).unwrap();
    let args = ["snapshot", "2026.11.30/jobs.bson", "two"];
    place.expect(2, &args).says(&["not a name that a database can have", "--db"]);
    let manifest = taken(&["2026.11.30/jobs.bson", "two", "--db", "legacy"])["manifest"].clone();
    assert_eq!(manifest["db"], "legacy");
    // A file is that of its collection, whatever was asked.
    let args = ["2026.11.30/jobs.bson", "five", "--db", "legacy", "-c", "novels"];
    assert_eq!(taken(&args)["manifest"]["collection"], "jobs");
    // A file without metadata beside it is nobody's neighbour.
    place.write("alone.bson", &documents);
    place.write("prelude.json", br#"{"ServerVersion":"3.4.0"}"#);
    let manifest = taken(&["alone.bson", "three.archive"])["manifest"].clone();
    assert_eq!(manifest["db"], "letswriteabook");
    assert_eq!(manifest["source"]["server_version"], Value::Null);
    assert_eq!(manifest["source"]["has_metadata"], false);
    // What is not known stays so.
    let manifest = taken(&["three.archive", "four"])["manifest"].clone();
    assert_eq!(manifest["source"]["server_version"], Value::Null);
    assert!(!place.path("four/letswriteabook/prelude.json.gz").exists());
}

#[test]
fn what_cannot_be_read_of_a_dump_is_told() {
    let place = Place::new();
    let documents = dump(&place);
    place.write("dump/letswriteabook/jobs.metadata.json", b"{\"indexes\":[");
    // The first element of the first document has a type that there is none of.
    let mut broken = documents.clone();
    broken[4] = 0x77;
    place.write("dump/letswriteabook/jobs.bson", &broken);
    let told = place.expect(0, &["snapshot", "dump", "copy", "--json"]);
    let taken: Value = serde_json::from_str(&told.stdout).unwrap();
    told.says(&["jobs.metadata.json cannot be read", "options and indexes"]);
    let note = taken["manifest"]["notes"][0].as_str().unwrap();
    assert!(note.contains("jobs.metadata.json cannot be read"), "{note}");
    assert!(inflated(&place, "copy/letswriteabook/jobs.bson.gz") == broken);
    place.expect(0, &["snapshot", "verify", "copy"]);
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "80", "--size", "large"]);
    for form in ["folder", "archive"] {
        for jobs in ["1", "5"] {
            let dest = format!("{form}-{jobs}");
            let args = ["snapshot", "jobs.bson", &dest, "--form", form, "--jobs", jobs];
            let told = place.expect(0, &[&args[..], &["--no-read-back"]].concat());
            assert!(told.stdout.contains("read back   no"), "{}", told.stdout);
            place.expect(0, &["snapshot", "verify", &dest]);
        }
        let [mut one, mut five] = ["1", "5"].map(|jobs| place.tree(&format!("{form}-{jobs}")));
        // It says when it was taken.
        assert!(one.remove("snapshot.json") != five.remove("snapshot.json"));
        assert!(one == five, "{form}");
    }
}

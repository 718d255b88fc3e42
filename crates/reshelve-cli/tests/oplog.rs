//! A dump with an oplog is one state of the data only once that is replayed: every command says
//! so, and a run that writes needs a decision.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::fs;
use std::io::Write;

use reshelve_core::extjson;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::Place;

fn bson(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    extjson::parse(text.as_bytes(), &mut bytes).unwrap();
    bytes
}

/// Three changes of the collection, one of another, and one that changes nothing.
fn oplog() -> Vec<u8> {
    [
        r#"{"ts":{"$timestamp":{"t":1,"i":1}},"op":"d","ns":"letswriteabook.jobs","o":{"_id":1}}"#,
        r#"{"op":"c","ns":"admin.$cmd","o":{"applyOps":[
            {"op":"i","ns":"letswriteabook.jobs","o":{"_id":1}},
            {"op":"i","ns":"letswriteabook.sessions","o":{"_id":1}},
            {"op":"u","ns":"letswriteabook.jobs","o":{"_id":1}}]}}"#,
        r#"{"op":"i","ns":"elsewhere.jobs","o":{"_id":1}}"#,
        r#"{"op":"n","ns":"","o":{"msg":"periodic noop"}}"#,
    ]
    .iter()
    .flat_map(|text| bson(text))
    .collect()
}

/// An archive with these documents of the collection, and an oplog.
fn archive(documents: &[u8], oplog: &[u8]) -> Vec<u8> {
    const END: [u8; 4] = [0xFF; 4];
    let crc = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
    let mut bytes = 0x8199_E26D_u32.to_le_bytes().to_vec();
    bytes.extend(bson(r#"{"version":"0.1","server_version":"8","tool_version":"t"}"#));
    let both = [("letswriteabook", "jobs", documents), ("", "oplog", oplog)];
    for (db, collection, _) in both {
        let text = format!(r#"{{"db":"{db}","collection":"{collection}","metadata":"","size":0}}"#);
        bytes.extend(bson(&text));
    }
    bytes.extend(END);
    for (db, collection, content) in both {
        for (end, content) in [(false, content), (true, &[])] {
            let sum =
                i64::from_le_bytes(crc.checksum(both[usize::from(db.is_empty())].2).to_le_bytes());
            let sum = if end { sum } else { 0 };
            bytes.extend(bson(&format!(
                r#"{{"db":"{db}","collection":"{collection}","EOF":{end},"CRC":{{"$numberLong":"{sum}"}}}}"#
            )));
            bytes.extend(content);
            bytes.extend(END);
        }
    }
    bytes
}

const APPLY: [&str; 4] = ["out", "--apply", "--in-flight", "include"];
const WORDS: [&str; 3] = ["3 entries of letswriteabook.jobs", "not applied", "mongorestore"];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A dump folder, an archive and a compressed one, with this oplog.
fn scene(oplog: &[u8]) -> Place {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "3"]);
    place.write("dump/oplog.bson", oplog);
    let documents = place.read("dump/letswriteabook/jobs.bson");
    place.write("all.archive", &archive(&documents, oplog));
    place.write("all.archive.gz", &gzip(&archive(&documents, oplog)));
    place
}

const SOURCES: [&str; 5] = [
    "dump",
    "dump/letswriteabook",
    "dump/letswriteabook/jobs.bson",
    "all.archive",
    "all.archive.gz",
];

#[test]
fn entries_of_the_collection_are_told_everywhere_and_refused_without_a_decision() {
    for source in SOURCES {
        let place = scene(&oplog());
        let page = place.expect(0, &["inspect", source]).stdout;
        let note = page.lines().find(|line| line.starts_with("note: ")).expect("a note");
        assert!(WORDS.iter().all(|word| note.contains(word)), "{source}: {page}");
        assert!(!page.lines().any(|line| line.contains(" oplog ") && line.contains(" 4 ")));
        let json = place.expect(0, &["inspect", source, "--json"]).stdout;
        assert!(json.contains("\"oplog_entries\":3"), "{json}");
        place.expect(0, &["profile", source]).says(&WORDS);
        place.expect(0, &["run", source, "dry"]).says(&WORDS);
        fs::remove_dir_all(place.path(".reshelve")).unwrap();
        let apply = [&["run", source][..], &APPLY].concat();
        place.expect(3, &apply).says(&["(3 times)", "hint:", "--ignore-oplog"]);
        assert!(!place.path("out").exists() && !place.path(".reshelve").exists(), "{source}");
        place.expect(0, &[&apply[..], &["--ignore-oplog"]].concat()).says(&WORDS);
        place.expect(0, &["verify", source, "out"]).says(&WORDS);
        place.expect(0, &["report", &place.run(), "--out", "page"]);
        let page = String::from_utf8(place.read("page/report.md")).unwrap();
        assert!(page.contains(WORDS[0]), "{page}");
    }
}

#[test]
fn a_rehearsal_lists_it_and_goes_on() {
    for source in SOURCES {
        let place = scene(&oplog());
        let told = place.expect(0, &["rehearse", source, "--json"]).says(&WORDS);
        let oplog = "{\"code\":\"oplog\",\"count\":3,";
        assert!(told.stdout.contains(oplog), "{source}: {}", told.stdout);
        // Said once, however often the source is read.
        assert_eq!(told.stderr.matches(WORDS[0]).count(), 1, "{source}: {}", told.stderr);
        let told = place.expect(0, &["rehearse", source, "--ignore-oplog", "--json"]);
        assert!(!told.stdout.contains(oplog), "{source}: {}", told.stdout);
    }
}

#[test]
fn the_decision_may_come_from_the_environment() {
    let place = scene(&oplog());
    let apply = [&["run", "dump"][..], &APPLY].concat();
    place.call(&apply).env("RESHELVE_IGNORE_OPLOG", "true").expect(0);
}

#[test]
fn an_oplog_of_others_is_no_reason() {
    let entry = bson(r#"{"op":"i","ns":"letswriteabook.sessions","o":{"_id":1}}"#);
    for oplog in [&entry[..], &[]] {
        for source in SOURCES {
            let place = scene(oplog);
            let told = place.expect(0, &[&["run", source][..], &APPLY].concat());
            assert!(!told.stderr.contains("oplog"), "{source}: {}", told.stderr);
            let page = place.expect(0, &["inspect", source]).stdout;
            assert!(!page.contains("note:"), "{source}: {page}");
        }
    }
}

/// With metadata, compressed or not, it is a collection that has this name.
#[test]
fn a_collection_that_is_called_oplog_is_none() {
    for (suffix, is_compressed) in [("", false), (".gz", true)] {
        let place = scene(&oplog());
        fs::remove_file(place.path("dump/oplog.bson")).unwrap();
        let bytes = |text: &[u8]| if is_compressed { gzip(text) } else { text.to_vec() };
        let folder = "dump/letswriteabook";
        place.write(&format!("{folder}/oplog.bson{suffix}"), &bytes(&oplog()));
        place.write(&format!("{folder}/oplog.metadata.json{suffix}"), &bytes(b"{\"indexes\":[]}"));
        for source in &SOURCES[..3] {
            let told = place.expect(0, &["inspect", source]);
            assert!(!told.stdout.contains("note:"), "{source}: {}", told.stdout);
            let dry = place.expect(0, &["run", source, "dry"]);
            assert!(!dry.stderr.contains("oplog"), "{source}: {}", dry.stderr);
        }
        place.expect(0, &[&["run", "dump"][..], &APPLY].concat());
    }
}

#[test]
fn on_a_pipe_it_cannot_be_looked_through_in_advance() {
    let place = scene(&oplog());
    let bytes = place.read("all.archive");
    let apply = [&["run", "-"][..], &APPLY].concat();
    let told = place.call(&apply).stdin(&bytes).expect(3);
    told.says(&["the dump has an oplog", "in advance", "--ignore-oplog"]);
    assert!(!place.path("out").exists() && !place.path(".reshelve").exists());
    place.call(&[&apply[..], &["--ignore-oplog"]].concat()).stdin(&bytes).expect(0);
    place.call(&["profile", "-"]).stdin(&bytes).expect(0).says(&["the dump has an oplog"]);
}

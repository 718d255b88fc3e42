//! What follows the wanted documents is looked through too: every command gives the same verdict.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::Place;

const RUN: [&str; 6] = ["run", "x", "out", "--apply", "--in-flight", "include"];

/// A place with a source `name` of 12 documents, and the target of a run on it.
fn scene(name: &str) -> (Place, Vec<u8>) {
    let place = Place::new();
    place.expect(0, &["generate", name, "--documents", "12", "--size", "small"]);
    place.expect(0, &["run", name, "target", "--apply", "--in-flight", "include"]);
    std::fs::remove_dir_all(place.path(".reshelve")).unwrap();
    let bytes = place.read(name);
    (place, bytes)
}

/// The bytes of an archive in which this collection continues after its end: its last block but
/// one, which holds documents, is repeated.
fn reopened(archive: &[u8]) -> Vec<u8> {
    let header = b"\x02collection\0\x05\0\0\0jobs\0\x08EOF\0\0";
    let at = archive.windows(header.len()).position(|it| it == header).unwrap();
    // The header begins with its own length and the name of the database.
    let start = at - (4 + 4 + 4 + "letswriteabook".len() + 1);
    let end = archive[start..].windows(4).position(|it| it == [0xFF; 4]).unwrap();
    [archive, &archive[start..start + end + 4]].concat()
}

/// The `_id` of the first document.
fn first_id(place: &Place) -> String {
    let told = place.expect(0, &["restore", "target", "first.bson"]).stdout;
    assert!(told.contains("Restored 12"), "{told}");
    let document = &common::split(&place.read("first.bson"))[0];
    std::fs::remove_file(place.path("first.bson")).unwrap();
    assert_eq!(&document[4..9], b"\x07_id\0");
    document[9..21].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_archive_is_read_to_its_end_by_every_command() {
    let (place, whole) = scene("all.archive");
    let end = format!("(byte offset {})", whole.len());
    let cut = &whole[..whole.len() - 2];
    for (bytes, words) in [
        ([&whole[..], &whole].concat(), vec!["a second archive", &end]),
        (reopened(&whole), vec!["letswriteabook.jobs continues after its end", &end]),
        ([&whole[..], b"Connection closed.\n"].concat(), vec!["does not belong to it", &end]),
        (cut.to_vec(), vec!["truncated"]),
    ] {
        place.write("x", &bytes);
        place.expect(1, &RUN).says(&words);
        let run = place.run();
        let outcome = place.outcome("out");
        assert_eq!(outcome.documents("written"), 12, "{words:?}");
        assert_eq!(outcome.totals["state"], "failed", "{words:?}");
        place.expect(1, &["verify", "x", "target"]).says(&words);
        place.expect(1, &["profile", "x"]).says(&words);
        let first = ["explain", "x", "--job", &first_id(&place)];
        place.expect(0, &first).says(&["damaged after this document"]).says(&words);
        place.expect(0, &["report", &run, "--out", "page"]);
        let page = String::from_utf8(place.read("page/report.md")).unwrap();
        assert!(page.contains(words[0]), "{words:?}: {page}");
        let page = place.expect(1, &["inspect", "x"]).stdout;
        assert!(page.contains("damaged: ") && page.contains(words[0]), "{page}");
        // Repaired, it ends as if nothing had happened.
        place.write("x", &whole);
        place.expect(0, &["resume", &run]);
        place.expect(0, &["verify", "x", "out"]);
        for folder in [".reshelve", "out", "page"] {
            std::fs::remove_dir_all(place.path(folder)).unwrap();
        }
    }
}

#[test]
fn what_follows_compressed_data_is_named_and_can_be_cut_off() {
    for name in ["jobs.bson.gz", "jobs.bson.zst", "all.archive.gz", "jobs.jsonl.gz"] {
        let (place, whole) = scene(name);
        let tail = b"Killed by signal 1.\n";
        place.write("x", &[&whole, &tail[..]].concat());
        let words = ["20 bytes after the end of the compressed data do not belong to it"];
        let cut = format!("head -c {} FILE > COPY", whole.len());
        let told = place.expect(1, &RUN).says(&words).says(&[&cut, "--source COPY"]);
        assert!(!told.stderr.contains("truncated"), "{}", told.stderr);
        assert_eq!(place.outcome("out").documents("written"), 12, "{name}");
        place.expect(1, &["verify", "x", "target"]).says(&words).says(&[&cut]);
        place.expect(1, &["profile", "x"]).says(&words).says(&[&cut]);
        let page = place.expect(1, &["inspect", "x"]).stdout;
        assert!(page.contains(words[0]), "{page}");
        // As the hint says.
        place.write("copy", &place.read("x")[..whole.len()]);
        place.expect(0, &["resume", &place.run(), "--source", "copy"]);
        place.expect(0, &["verify", "copy", "out"]);
        // Zeros are padding.
        place.write("x", &[&whole, &[0; 512][..]].concat());
        place.expect(0, &["verify", "x", "out"]);
    }
}

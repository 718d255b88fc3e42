//! A source of a form that is not read is refused by every command, in words that say what it is,
//! before anything is made.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::io::Write;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;

use common::Place;

const SHELL: &str = "{ \"_id\" : ObjectId(\"68c742c37a78e16545d97e01\"), \"n\" : NumberLong(5) }\n";

/// The header of a file in a tar archive, and the beginning of the file.
fn tar() -> Vec<u8> {
    let mut header = vec![0u8; 1024];
    header[..29].copy_from_slice(b"dump/letswriteabook/jobs.bson");
    header[100..107].copy_from_slice(b"0000644");
    header[257..263].copy_from_slice(b"ustar\0");
    header
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Contents, and words that their refusal has to say.
fn contents() -> Vec<(Vec<u8>, &'static str)> {
    let json = "{\"_id\":{\"$oid\":\"68c742c37a78e16545d97e00\"},\"status\":\"completed\"}\n";
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let utf32: Vec<u8> = json.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let big: Vec<u8> = json.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut bad_gzip = gzip(json.as_bytes());
    bad_gzip[3] = 0xFF;
    let mut wired = b"\x41\xD8\x01\0\x01\0\0\0".to_vec();
    wired.resize(600, 0x34);
    let robo = format!("/* 1 */\n{SHELL}\n/* 2 */\n{SHELL}");
    vec![
        (tar(), "tar archive"),
        (gzip(&tar()), "tar archive, compressed with gzip"),
        (b"PK\x03\x04\x14\0\0\0\x08\0rest of a zip".to_vec(), "zip archive"),
        (b"\xFD7zXZ\0\0\x04rest".to_vec(), "compressed with xz"),
        (b"BZh91AY&SYrest".to_vec(), "compressed with bzip2"),
        (b"7z\xBC\xAF\x27\x1C\0\x04rest".to_vec(), "7z archive"),
        (gzip(b"7z\xBC\xAF\x27\x1C\0\x04rest"), "7z archive, compressed with gzip"),
        (b"\xFF\x06\0\0sNaPpYrest".to_vec(), "snappy"),
        (gzip(&gzip(json.as_bytes())), "compressed with gzip, compressed with gzip"),
        (bad_gzip, "gzip with a damaged header"),
        (wired, "WiredTiger"),
        (b"_id,status,premise\n1,completed,p\n".to_vec(), "CSV"),
        (b"<!DOCTYPE html>\n<html><body>Log in</body></html>".to_vec(), "web page"),
        (b"2026-01-05T10:11:12.345+0100\tconnected\n{}\n".to_vec(), "2026-01-05T10:11"),
        (b"connected to: mongodb://me:s3cret@db/\n{}\n".to_vec(), "\"connected to: …\""),
        (SHELL.into(), "mongo shell"),
        (robo.into_bytes(), "mongo shell"),
        (b"[\n  {\n    _id: ObjectId('68c742c37a78e16545d97e01')\n  }\n]".to_vec(), "mongo shell"),
        (b"{\"a\":1,\"when\":new Date(5)}".to_vec(), "mongo shell"),
        (utf16(json), "UTF-16"),
        (utf16(&format!("\u{FEFF}{json}")), "UTF-16"),
        (big, "UTF-16"),
        (utf32, "UTF-32"),
        (b"\x90\x01\0\0\x99\x98\x97binary".repeat(40), "binary data of an unknown kind"),
    ]
}

const COMMANDS: [&[&str]; 6] = [
    &["inspect", "x"],
    &["profile", "x"],
    &["explain", "x", "--job", "68c742c37a78e16545d97e00"],
    &["run", "x", "out"],
    &["run", "x", "out", "--apply", "--in-flight", "include"],
    &["verify", "x", "target"],
];

#[test]
fn a_wrong_form_is_refused_before_anything_is_made() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "2"]);
    place.expect(0, &["run", "jobs.bson", "target", "--apply", "--in-flight", "include"]);
    let before = place.tree("");
    for (content, words) in contents() {
        for args in COMMANDS {
            place.write("x", &content);
            let told = place.call(args).finish();
            assert_eq!(told.code, Some(2), "{words}: {args:?}: {}", told.stderr);
            assert!(told.stderr.contains("error: x: this is "), "{args:?}: {}", told.stderr);
            assert!(!told.stderr.contains("s3cret"), "{}", told.stderr);
            assert!(told.stdout.is_empty(), "{args:?}: {}", told.stdout);
            told.says(&[words, "hint:"]);
            if args[0] == "inspect" {
                continue;
            }
            let piped: Vec<&str> =
                args.iter().map(|arg| if *arg == "x" { "-" } else { arg }).collect();
            let told = place.call(&piped).stdin(&content).expect(2);
            told.says(&["standard input: this is ", words, "hint:"]);
        }
        std::fs::remove_file(place.path("x")).unwrap();
        common::assert_same(&before, &place.tree(""), words);
    }
}

#[test]
fn in_a_folder_too_where_it_is_something_else_for_certain() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "2"]);
    let file = place.path("dump/letswriteabook/jobs.bson");
    for (content, words) in [
        (tar(), "tar archive"),
        (SHELL.into(), "mongo shell"),
        (b"{\"_id\":1}\n".to_vec(), "Extended JSON, not BSON"),
    ] {
        std::fs::write(&file, content).unwrap();
        for args in [&["run", "dump", "out"][..], &["profile", "dump"]] {
            place.expect(2, args).says(&["jobs.bson: this is ", words, "hint:"]);
        }
        assert!(!place.path(".reshelve").exists());
        let page = place.expect(1, &["inspect", "dump"]).stdout;
        assert!(page.contains(words), "{page}");
    }
    // What nobody knows is damage: the name says that it was BSON.
    std::fs::write(&file, b"\x90\x01\0\0\x99\x98\x97binary".repeat(40)).unwrap();
    place.expect(1, &["run", "dump", "out"]);
}

#[test]
fn a_sound_file_is_read_whatever_its_first_bytes_would_mean() {
    let place = Place::new();
    // Lengths that begin like text, like gzip and like a byte-order mark.
    for length in [0x0000_0A7Bu32, 0x0000_8B1F, 0x0000_FEFF, 0x0000_9C78, 0x0000_0909] {
        let text = vec![b'x'; usize::try_from(length).unwrap() - 5 - 4 - 8 - 9];
        let mut document = length.to_le_bytes().to_vec();
        document.extend(b"\x10_id\0\x01\0\0\0\x02s\0\0\0");
        document.truncate(document.len() - 2);
        document.extend(i32::try_from(text.len() + 1).unwrap().to_le_bytes());
        document.extend(text);
        document.push(0);
        document.resize(usize::try_from(length).unwrap(), 0);
        place.write("x.bson", &document);
        let page = place.expect(0, &["inspect", "x.bson"]).stdout;
        assert!(page.contains("BSON file"), "{length:x}: {page}");
        // Its beginning is a document that is cut off, not another form.
        for cut in [5, 12, 200] {
            place.write("x.bson", &document[..cut]);
            place.expect(1, &["run", "x.bson", "out"]).says(&["truncated"]);
        }
    }
}

#[test]
fn a_collection_of_a_target_is_no_source() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "4", "--size", "small"]);
    let run = ["run", "jobs.bson", "target", "--apply", "--in-flight", "include", "--gzip"];
    place.expect(0, &run);
    let file = "target/letswriteabook/novel_jobs.bson.gz";
    for args in [&["run", file, "out"][..], &["profile", file], &["verify", file, "target"]] {
        place.expect(2, args).says(&["novel_jobs", "a collection of a target", "hint:"]);
    }
    place.expect(0, &["inspect", file]);
    // Who names it means it.
    place.expect(0, &["profile", file, "--collection", "novel_jobs"]);
}

#[test]
fn a_key_or_a_password_that_is_named_as_a_source_is_not_shown() {
    let place = Place::new();
    place.expect(0, &["anonymize", "--new-key", "copy.key"]);
    let key = String::from_utf8(place.read("copy.key")).unwrap();
    place.write("password", b"hunter2-and-more\n");
    for (file, secret) in [("copy.key", &key[..16]), ("password", "hunter2")] {
        for args in [&["profile", file][..], &["run", file, "out", "--json"], &["inspect", file]] {
            let told = place.call(args).finish();
            let all = format!("{}{}", told.stdout, told.stderr);
            assert!(all.contains("this is text") && !all.contains(secret), "{args:?}: {all}");
        }
    }
}

#[test]
fn a_host_with_its_port_is_no_folder() {
    let place = Place::new();
    place.expect(0, &["generate", "jobs.bson", "--documents", "4", "--size", "small"]);
    let run = ["run", "jobs.bson", "localhost:27017/new", "--apply", "--in-flight", "include"];
    for args in [&run[..], &["profile", "db:27017"]] {
        place.expect(2, args).says(&["neither a connection string", "hint:", "mongodb://"]);
    }
    // Who means a folder says so.
    assert!(!place.path("localhost:27017").exists());
    let run = ["run", "jobs.bson", "./target:27017", "--apply", "--in-flight", "include"];
    place.expect(0, &run);
    let told = place.expect(2, &["restore", "./target:27017", "localhost:27017"]);
    told.says(&["neither a connection string"]);
}

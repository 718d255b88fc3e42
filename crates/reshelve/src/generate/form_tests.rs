//! What is written to disk: every form holds the same documents; faults are where they say.

use std::{fs, io::Read, path::Path};

use super::*;
use reshelve_core::raw::Document;

fn bson(plan: Plan) -> Vec<u8> {
    let mut all = Vec::new();
    let mut stream = Stream::new(plan);
    while stream.append_next(&mut all) {}
    all
}

fn write_to(path: &Path, plan: &Plan) -> Written {
    write(plan, &Output::new(path), &mut |_| {}).unwrap()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn files_hold_the_stream() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::lifecycle(1, 80);
    let expected = bson(plan);
    let path = |name: &str| folder.path().join(name);
    let written = write_to(&path("jobs.bson"), &plan);
    assert_eq!(written.documents, 80);
    assert_eq!(written.bson_bytes, u64::try_from(expected.len()).unwrap());
    assert_eq!(fs::read(path("jobs.bson")).unwrap(), expected);
    write_to(&path("jobs.bson.gz"), &plan);
    assert_eq!(gunzip(&fs::read(path("jobs.bson.gz")).unwrap()), expected);
    write_to(&path("jobs.bson.zst"), &plan);
    let zst = fs::read(path("jobs.bson.zst")).unwrap();
    assert_eq!(zstd::decode_all(zst.as_slice()).unwrap(), expected);
    write_to(&path("dump"), &plan);
    assert_eq!(fs::read(path("dump/letswriteabook/jobs.bson")).unwrap(), expected);
    for name in ["jobs.metadata", "sessions.metadata", "prelude"] {
        let text = fs::read(path(&format!("dump/letswriteabook/{name}.json"))).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap();
    }
    let again = write(&plan, &Output::new(path("jobs.bson")), &mut |_| {});
    assert!(matches!(again, Err(GenerateError::Io { .. })), "a file was replaced unasked");
}

/// A parser of archives that shares no code with the writer.
struct Archive<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Archive<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let prefix = self.bytes[self.at..self.at + 4].try_into().unwrap();
        let length = i32::from_le_bytes(prefix);
        let start = self.at;
        if length == -1 {
            self.at += 4;
            return None;
        }
        self.at += usize::try_from(length).unwrap();
        Some(&self.bytes[start..self.at])
    }
}

/// CRC-64/XZ, a bit at a time.
fn crc64(bytes: &[u8]) -> u64 {
    let mut crc = u64::MAX;
    for &byte in bytes {
        crc ^= u64::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xC96C_5795_D787_0F42 } else { crc >> 1 };
        }
    }
    !crc
}

#[test]
fn archives_hold_the_stream_and_its_checksum() {
    assert_eq!(crc64(b"123456789"), 0x995D_C9BB_DF19_39FA);
    let folder = tempfile::tempdir().unwrap();
    for documents in [0, 150] {
        let plan = Plan { in_flight: true, ..Plan::lifecycle(2, documents) };
        let path = folder.path().join(format!("{documents}.archive.gz"));
        write_to(&path, &plan);
        let bytes = gunzip(&fs::read(&path).unwrap());
        assert_eq!(bytes[..4], [0x6d, 0xe2, 0x99, 0x81]);
        let mut archive = Archive { bytes: &bytes, at: 4 };
        let mut prelude = Vec::new();
        while let Some(document) = archive.next() {
            prelude.push(Document::new(document));
        }
        assert_eq!(prelude.len(), 3);
        let metadata = prelude[1].get("metadata").and_then(|value| value.string()).unwrap();
        serde_json::from_slice::<serde_json::Value>(metadata).unwrap();
        let (mut content, mut blocks, mut ends) = (Vec::new(), 0, 0);
        while archive.at < bytes.len() {
            let header = Document::new(archive.next().unwrap());
            let ours = header.get("collection").and_then(|value| value.string()) == Some(b"jobs");
            let end = header.get("EOF").and_then(|value| value.boolean()).unwrap();
            blocks += usize::from(ours && !end);
            ends += usize::from(end);
            while let Some(document) = archive.next() {
                assert!(!end, "a document after the end");
                if ours {
                    content.extend_from_slice(document);
                }
            }
            if ours && end {
                let crc = header.get("CRC").and_then(|value| value.int64()).unwrap();
                let expected = if documents == 0 { 0 } else { crc64(&content) };
                assert_eq!(crc.cast_unsigned(), expected);
            }
        }
        assert_eq!(content, bson(plan));
        assert_eq!(ends, 2);
        assert!(documents == 0 || blocks > 2, "{blocks} blocks");
    }
}

#[test]
fn exports_are_json_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::populated(3, 12);
    let mut parsed: Vec<(String, Vec<serde_json::Value>)> = Vec::new();
    for (name, form) in FORM_NAMES {
        assert_eq!(name.parse::<OutputForm>().unwrap(), form);
        assert_eq!(form.to_string(), name);
        if !matches!(form, OutputForm::Export { .. }) {
            continue;
        }
        let path = folder.path().join(name);
        let output = Output { form, ..Output::new(&path) };
        write(&plan, &output, &mut |_| {}).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let documents: Vec<serde_json::Value> = if name.ends_with("array") {
            serde_json::from_str(&text).unwrap()
        } else {
            let stream = serde_json::Deserializer::from_str(&text).into_iter();
            stream.map(Result::unwrap).collect()
        };
        assert_eq!(documents.len(), 12, "{name}");
        assert_eq!(text.lines().count() > 500, name.contains("pretty"), "{name}");
        parsed.push((name.to_owned(), documents));
    }
    let of = |wanted: &str| &parsed.iter().find(|(name, _)| name == wanted).unwrap().1;
    assert_eq!(of("lines"), of("pretty-array"));
    assert_eq!(of("relaxed-lines"), of("relaxed-pretty-lines"));
    let created = &of("v1-lines")[0]["createdAt"]["$date"];
    assert!(created.is_i64(), "{created}");
    assert_eq!(of("lines")[0]["createdAt"]["$date"]["$numberLong"], created.to_string());
    assert!("nonsense".parse::<OutputForm>().is_err());
}

#[test]
fn the_name_tells_the_form() {
    for (path, name) in [
        ("x.bson", "bson"),
        ("x.BSON.GZ", "bson.gz"),
        ("x.bson.zst", "bson.zst"),
        ("x.archive", "archive"),
        ("x.archive.gz", "archive.gz"),
        ("x.jsonl", "lines"),
        ("x.ndjson.gz", "lines.gz"),
        ("x.json", "array"),
        ("out/dump", "folder"),
    ] {
        assert_eq!(OutputForm::from_path(Path::new(path)).to_string(), name);
    }
}

#[test]
fn faults_are_where_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::lifecycle(4, 30);
    let whole = bson(plan);
    let mut starts = vec![0];
    for document in Stream::new(plan) {
        starts.push(starts[starts.len() - 1] + document.len());
    }
    for fault in [
        Fault::TruncateLast,
        Fault::TruncateAt(500),
        Fault::InvalidText,
        Fault::ChangedText,
        Fault::BrokenLength,
        Fault::FlippedByte,
    ] {
        for seed in 0..8 {
            let path = folder.path().join("damaged.bson");
            fs::write(&path, &whole).unwrap();
            let damage = inflict(&path, fault, seed).unwrap();
            let now = fs::read(&path).unwrap();
            let first = now.iter().zip(&whole).position(|(new, old)| new != old);
            let first = first.unwrap_or(now.len());
            // A broken length may share its first byte with the one that was right.
            let offset = usize::try_from(damage.offset).unwrap();
            assert!(first >= offset && first < offset + 4, "{damage:?}: {first}");
            assert_eq!(damage.bytes, u64::try_from(now.len()).unwrap());
            if let Some(number) = damage.document {
                let start = starts[usize::try_from(number).unwrap()];
                assert_eq!(damage.document_offset, Some(u64::try_from(start).unwrap()));
            }
            if fault == Fault::InvalidText {
                let hit = starts.iter().rposition(|&start| start <= offset).unwrap();
                let document = &now[starts[hit]..starts[hit + 1]];
                assert!(reshelve_core::raw::check(document).is_err());
            }
        }
    }
    fs::write(folder.path().join("empty"), b"").unwrap();
    let empty = inflict(&folder.path().join("empty"), Fault::TruncateLast, 1);
    assert!(matches!(empty, Err(GenerateError::NoPlace { .. })));
}

//! The same documents in every form, compression, batch size and read size.

use std::io::{self, Read};

use reshelve::dump;
use reshelve::ends::BatchLimits;

use crate::helpers::{drain, expected, gzip, read_bytes, samples, small, spec, whole, zstd};

pub(crate) const FORMS: [(&str, &str); 16] = [
    ("dump", "mongodump folder"),
    ("dump/letswriteabook", "mongodump folder"),
    ("dump-gzip", "mongodump folder, gzip"),
    ("dump-gzip/letswriteabook/jobs.bson.gz", "BSON file, gzip"),
    ("dump-older", "mongodump folder"),
    ("dump/letswriteabook/jobs.bson", "BSON file"),
    ("all.archive", "mongodump archive"),
    ("all.archive.gz", "mongodump archive, gzip"),
    ("older.archive", "mongodump archive"),
    ("jobs.canonical.jsonl", "Extended JSON"),
    ("jobs.canonical.array.json", "Extended JSON"),
    ("jobs.canonical.pretty-lines.json", "Extended JSON"),
    ("jobs.relaxed.jsonl", "Extended JSON"),
    ("jobs.relaxed.array.json", "Extended JSON"),
    ("jobs.relaxed.pretty-array.json", "Extended JSON"),
    ("jobs.v1.jsonl", "Extended JSON"),
];

#[test]
fn every_form_gives_the_same_documents() {
    let expected = expected();
    for (name, form) in FORMS {
        for limits in [
            BatchLimits::default(),
            BatchLimits { docs_max: 1, bytes_max: 1 },
            BatchLimits { docs_max: 3, bytes_max: 100_000 },
        ] {
            let mut opened = dump::open(&spec(samples().join(name))).unwrap();
            assert_eq!(opened.description.form_words(), form, "{name}");
            assert!(opened.description.rewindable);
            let (documents, damage) = drain(opened.source.as_mut(), limits);
            assert!(damage.is_none(), "{name}: {damage:?}");
            assert!(whole(documents) == expected, "{name}");
            let total = opened.source.bytes_total().unwrap();
            let read = opened.source.bytes_read();
            assert!(read > 0 && read <= total, "{name}: {read} of {total}");
            if name.ends_with(".bson") {
                assert_eq!(read, total, "{name}");
            }
        }
    }
}

#[test]
fn compressed_forms_give_the_same_documents() {
    let expected = expected();
    for (name, _) in FORMS.iter().filter(|(name, _)| !name.ends_with(".gz")) {
        let path = samples().join(name);
        if path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        let (head, tail) = bytes.split_at(bytes.len() / 3);
        for packed in [
            gzip(&bytes),
            zstd(&bytes),
            [gzip(head), gzip(b""), gzip(tail), vec![0; 512]].concat(),
            [zstd(head), zstd(b""), zstd(tail)].concat(),
        ] {
            let (documents, damage) = read_bytes(&packed);
            assert!(damage.is_none(), "{name}: {damage:?}");
            assert!(whole(documents) == expected, "{name}");
        }
    }
}

/// Returns one byte at a time, and is interrupted every other time.
struct Dribble(io::Cursor<Vec<u8>>, bool);

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

#[test]
fn single_bytes_with_interruptions() {
    let expected = expected();
    for name in [
        "dump/letswriteabook/jobs.bson",
        "all.archive",
        "all.archive.gz",
        "jobs.relaxed.pretty-array.json",
        "jobs.v1.jsonl",
    ] {
        let bytes = std::fs::read(samples().join(name)).unwrap();
        let packed = zstd(&bytes);
        for bytes in [bytes, packed] {
            let reader = Box::new(Dribble(io::Cursor::new(bytes), false));
            let mut opened = match dump::open_stream(reader, "test", &spec("-")) {
                Ok(opened) => opened,
                // Gzip inside zstd is not a form: nothing is unpacked twice.
                Err(error) => {
                    assert!(name == "all.archive.gz" && error.to_string().contains("gzip"));
                    continue;
                }
            };
            assert!(!opened.description.rewindable);
            let (documents, damage) = drain(opened.source.as_mut(), BatchLimits::default());
            assert!(damage.is_none(), "{name}: {damage:?}");
            assert!(whole(documents) == expected, "{name}");
        }
    }
}

#[test]
fn empty_files_are_empty_collections() {
    for bytes in [&b""[..], b"\n", b" \r\n\t \n", b"\xEF\xBB\xBF", b"[]", b"[\n]\n"] {
        for bytes in [bytes.to_vec(), gzip(bytes), zstd(bytes)] {
            let (documents, damage) = read_bytes(&bytes);
            assert!(documents.is_empty() && damage.is_none(), "{bytes:?}: {damage:?}");
        }
    }
}

#[test]
fn large_documents_pass() {
    let total = 48 * 1024 * 1024;
    let mut document = i32::try_from(total).unwrap().to_le_bytes().to_vec();
    document.extend(b"\x02a\0");
    document.extend(i32::try_from(total - 12).unwrap().to_le_bytes());
    document.resize(total - 2, b'x');
    document.extend([0, 0]);
    reshelve_core::raw::check(&document).unwrap();
    let small = small();
    let bytes = [&small[0][..], &document, &small[1]].concat();
    for bytes in [zstd(&bytes), bytes] {
        let (documents, damage) = read_bytes(&bytes);
        assert!(damage.is_none(), "{damage:?}");
        assert!(whole(documents) == [small[0].clone(), document.clone(), small[1].clone()]);
    }
}

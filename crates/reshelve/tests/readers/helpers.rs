//! Small files of every form, and how to read them to their end.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use reshelve::dump::{self, OpenError};
use reshelve::ends::{Batch, BatchLimits, Damage, Form, Source, SourceSpec};
use reshelve_core::extjson;
use reshelve_core::raw::Document;

/// The documents that a source returned; `None` for text that is not a document.
pub(crate) type Given = Vec<Option<Vec<u8>>>;

pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples")
}

pub(crate) fn spec(path: impl AsRef<Path>) -> SourceSpec {
    SourceSpec { path: path.as_ref().to_owned(), ..SourceSpec::default() }
}

/// The documents of `jobs.bson`, framed by the test itself.
pub(crate) fn expected() -> Vec<Vec<u8>> {
    let file = std::fs::read(samples().join("dump/letswriteabook/jobs.bson")).unwrap();
    let mut bytes = &file[..];
    let mut documents = Vec::new();
    while !bytes.is_empty() {
        let length = i32::from_le_bytes(bytes[..4].try_into().unwrap());
        let (document, rest) = bytes.split_at(usize::try_from(length).unwrap());
        documents.push(document.to_vec());
        bytes = rest;
    }
    documents
}

/// Reads a source to its end, and returns its documents and the damage at the end.
pub(crate) fn drain(source: &mut dyn Source, limits: BatchLimits) -> (Given, Option<Damage>) {
    let mut documents = Vec::new();
    let mut batch = Batch::default();
    loop {
        match source.fill(&mut batch, limits) {
            Ok(true) => {}
            Ok(false) => {
                assert!(batch.items.is_empty());
                assert!(!source.fill(&mut batch, limits).unwrap(), "the end stays the end");
                return (documents, None);
            }
            Err(damage) => return (documents, Some(damage)),
        }
        assert!(!batch.items.is_empty() && batch.items.len() <= limits.docs_max);
        let bytes: usize = batch.items.iter().map(|item| item.end - item.start).sum();
        assert!(bytes <= limits.bytes_max || batch.items.len() == 1);
        for item in &batch.items {
            let bytes = batch.document(item);
            documents.push(match batch.form {
                Form::Bson => Some(bytes.to_vec()),
                Form::Json => parse(bytes),
            });
        }
        batch.clear();
    }
}

pub(crate) fn parse(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = b"before".to_vec();
    let parsed = extjson::parse(text, &mut bytes);
    assert!(bytes.starts_with(b"before"));
    let bytes = bytes.split_off(6);
    assert!(parsed.is_ok() || bytes.is_empty(), "an error leaves nothing behind");
    parsed.ok().map(|()| bytes)
}

pub(crate) fn whole(documents: Given) -> Vec<Vec<u8>> {
    documents.into_iter().map(Option::unwrap).collect()
}

pub(crate) fn read_bytes(bytes: &[u8]) -> (Given, Option<Damage>) {
    let reader = Box::new(io::Cursor::new(bytes.to_vec()));
    let mut opened = dump::open_stream(reader, "test", &spec("-")).unwrap();
    drain(opened.source.as_mut(), BatchLimits::default())
}

/// Reads what may be anything: content of a wrong form is refused, and the rest read to its end.
pub(crate) fn read_garbage(bytes: &[u8]) -> Option<(Given, Option<Damage>)> {
    let reader = Box::new(io::Cursor::new(bytes.to_vec()));
    match dump::open_stream(reader, "test", &spec("-")) {
        Ok(mut opened) => Some(drain(opened.source.as_mut(), BatchLimits::default())),
        Err(OpenError::WrongForm { .. } | OpenError::NoCollection { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A few small documents of several types.
pub(crate) fn small() -> Vec<Vec<u8>> {
    [
        r#"{"_id":{"$oid":"687e00a48ddb706aa728a7f1"},"status":"planning","a":[1,{"b":"}{\"][\\"}]}"#,
        r#"{"_id":2,"status":"completed","x":{"$numberLong":"5"},"z":{"y":{}},"s":"läß"}"#,
        r#"{"_id":3}"#,
        r#"{"_id":4,"status":7,"d":{"$date":"2020-01-01T00:00:00Z"},"e":[]}"#,
    ]
    .iter()
    .map(|text| parse(text.as_bytes()).unwrap())
    .collect()
}

fn text_of(document: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    extjson::write_document(&mut text, Document::new(document), extjson::Style::Canonical);
    text
}

/// An archive with two namespaces whose blocks interleave, and where each document of `app.jobs`
/// ends in it.
pub(crate) fn small_archive(documents: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let crc = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
    let header = |collection: &str, end: bool, crc: u64| {
        let crc = i64::from_le_bytes(crc.to_le_bytes());
        let text = format!(
            r#"{{"db":"app","collection":"{collection}","EOF":{end},"CRC":{{"$numberLong":"{crc}"}}}}"#
        );
        parse(text.as_bytes()).unwrap()
    };
    let terminator = [0xFF; 4];
    let mut bytes = 0x8199_E26D_u32.to_le_bytes().to_vec();
    bytes.extend(parse(br#"{"version":"0.1","server_version":"8","tool_version":"t"}"#).unwrap());
    for collection in ["jobs", "other"] {
        let text =
            format!(r#"{{"db":"app","collection":"{collection}","metadata":"{{}}","size":0}}"#);
        bytes.extend(parse(text.as_bytes()).unwrap());
    }
    bytes.extend(terminator);
    let mut ends = Vec::new();
    for document in documents {
        bytes.extend(header("other", false, 0));
        bytes.extend(&documents[0]);
        bytes.extend(terminator);
        bytes.extend(header("jobs", false, 0));
        bytes.extend(document);
        ends.push(bytes.len());
        bytes.extend(terminator);
    }
    bytes.extend(header("jobs", true, crc.checksum(&documents.concat())));
    bytes.extend(terminator);
    bytes.extend(header("other", true, crc.checksum(&documents[0].repeat(documents.len()))));
    bytes.extend(terminator);
    (bytes, ends)
}

/// A small file of every form, with the places where its documents end.
pub(crate) fn small_files() -> Vec<(&'static str, Vec<u8>, Vec<usize>)> {
    let documents = small();
    let join = |open: &str, between: &str, close: &str, parts: &[Vec<u8>]| {
        let mut bytes = open.as_bytes().to_vec();
        let mut ends = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                bytes.extend(between.as_bytes());
            }
            bytes.extend(part);
            ends.push(bytes.len());
        }
        bytes.extend(close.as_bytes());
        (bytes, ends)
    };
    let texts: Vec<Vec<u8>> = documents.iter().map(|document| text_of(document)).collect();
    let named = |name, (bytes, ends)| (name, bytes, ends);
    vec![
        named("bson", join("", "", "", &documents)),
        named("lines", join("", "\n", "\n", &texts)),
        named("array", join("\u{feff} [\n", " ,\r\n", "\n]\n", &texts)),
        named("archive", small_archive(&documents)),
    ]
}

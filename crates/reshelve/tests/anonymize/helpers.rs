//! Copies in memory.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use reshelve::anonymize::{
    Copies, Copying, FirstPass, Key, Policy, Reading, Summary, Wanted, first_pass,
};
use reshelve::ends::MemorySource;
use reshelve::store::Scratch;
use reshelve_core::extjson;
use reshelve_core::mapping::Options;

static STOP: AtomicBool = AtomicBool::new(false);

pub(crate) fn key(digit: char) -> Key {
    Key::parse(&digit.to_string().repeat(64)).unwrap()
}

pub(crate) fn reading(policy: &Policy) -> Reading<'_> {
    Reading {
        policy,
        options: Options::default(),
        threads: 2,
        scratch: Scratch::from(&std::env::temp_dir()),
        stop: &STOP,
    }
}

pub(crate) fn source(documents: &[Vec<u8>]) -> Box<MemorySource> {
    Box::new(MemorySource::new(documents.to_vec()))
}

pub(crate) fn first(documents: &[Vec<u8>], key: Option<&Key>, policy: &Policy) -> FirstPass {
    let mut source = source(documents);
    let wanted = Wanted::default();
    first_pass(source.as_mut(), key, &reading(policy), wanted, &mut |_, _| {}).unwrap()
}

/// The copies of documents, and what there is to say of them.
pub(crate) fn copies(
    documents: &[Vec<u8>],
    key: &Key,
    copying: Copying,
) -> (Vec<Vec<u8>>, Summary) {
    let policy = Policy::new();
    let first = first(documents, Some(key), &policy);
    let reading = reading(&policy);
    let mut copies = Copies::new(source(documents), key, &first, &reading, copying);
    let mut all = Vec::new();
    loop {
        let mut copy = Vec::new();
        if !copies.append_next(&mut copy).unwrap() {
            return (all, copies.summary().clone());
        }
        all.push(copy);
    }
}

/// The same, compared and scanned.
pub(crate) fn checked(documents: &[Vec<u8>], key: &Key) -> (Vec<Vec<u8>>, Summary) {
    copies(documents, key, Copying { check: true, ..Copying::default() })
}

/// A document of Extended JSON.
pub(crate) fn document(json: &str) -> Vec<u8> {
    let mut bson = Vec::new();
    extjson::parse(json.as_bytes(), &mut bson).unwrap();
    bson
}

/// The golden cases.
pub(crate) fn cases() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let mut cases: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("legacy.json").is_file())
        .map(|path| {
            let json = std::fs::read_to_string(path.join("legacy.json")).unwrap();
            (path.file_name().unwrap().to_string_lossy().into_owned(), document(&json))
        })
        .collect();
    cases.sort();
    assert!(cases.len() > 50);
    cases
}

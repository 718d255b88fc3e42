//! Runs every folder of `tests/cases`: adding a case needs no Rust.
//!
//! `RESHELVE_CASES` points it at another folder of the same shape.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot proceed fails the test")]
#![expect(clippy::disallowed_methods, reason = "cases are files; only the crate itself has none")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use reshelve_core::extjson;
use reshelve_core::mapping::{Mapped, Mapper, Options, Outcome, TargetDocuments, restore};
use reshelve_core::raw::{self, Document, Value, Writer};

fn cases_folder() -> PathBuf {
    std::env::var_os("RESHELVE_CASES")
        .map(PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases"))
}

#[test]
fn every_case_holds() {
    let mut folders: Vec<PathBuf> = fs::read_dir(cases_folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("legacy.json").is_file())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "no cases in {}", cases_folder().display());
    let failures: Vec<String> = folders.iter().filter_map(|folder| check(folder).err()).collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed:\n{}",
        failures.len(),
        folders.len(),
        failures.join("\n")
    );
}

fn check(folder: &Path) -> Result<(), String> {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let legacy = document(folder, "legacy.json");
    let mut target = TargetDocuments::default();
    let outcome = Mapper::new(options(folder)).map(&legacy, &mut target);
    if let Ok(text) = fs::read_to_string(folder.join("reject.json")) {
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        let Outcome::Rejected(reject) = outcome else {
            return Err(format!("{name}: expected a reject, got {outcome:?}"));
        };
        let actual = serde_json::json!({"code": reject.code.as_str(), "path": reject.code.path()});
        return if actual == expected { Ok(()) } else { Err(format!("{name}: {actual}")) };
    }
    let Outcome::Mapped(mapped) = outcome else {
        return Err(format!("{name}: expected documents, got {outcome:?}"));
    };
    compare(&name, folder, &mapped, &target)?;
    let restored = restore(target.jobs.bytes(), target.metadata.bytes()).unwrap();
    if restored.bytes != legacy || restored.changed || !restored.lost.is_empty() {
        return Err(format!("{name}: restore gives another document"));
    }
    Ok(())
}

fn compare(
    name: &str,
    folder: &Path,
    mapped: &Mapped,
    target: &TargetDocuments,
) -> Result<(), String> {
    let warnings = mapped.warnings.iter();
    let actual: serde_json::Value = warnings
        .map(|warning| serde_json::json!({"code": warning.code.as_str(), "path": warning.path}))
        .collect();
    let text = fs::read_to_string(folder.join("warnings.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    if actual != expected {
        return Err(format!("{name}: warnings {actual}, expected {expected}"));
    }
    let events = events(folder);
    for (file, actual, expected) in [
        ("job.json", target.jobs.bytes().to_vec(), document(folder, "job.json")),
        ("events.json", target.events.bytes().to_vec(), events),
        ("metrics.json", target.metrics.bytes().to_vec(), document(folder, "metrics.json")),
        (
            "metadata.json",
            without_residue(target.metadata.bytes()),
            document(folder, "metadata.json"),
        ),
    ] {
        if actual != expected {
            let (actual, expected) = (json(&actual), json(&expected));
            let at = actual.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
            let near = |text: &str| {
                let from = at.saturating_sub(120);
                String::from_utf8_lossy(&text.as_bytes()[from..text.len().min(at + 200)])
                    .into_owned()
            };
            return Err(format!(
                "{name}: {file} differs\n  actual   …{}\n  expected …{}",
                near(&actual),
                near(&expected)
            ));
        }
    }
    Ok(())
}

fn options(folder: &Path) -> Options {
    let Ok(text) = fs::read_to_string(folder.join("options.json")) else {
        return Options::default();
    };
    let words: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    let mut options = Options::default();
    for (name, word) in words {
        match name.as_str() {
            "on_unknown_status" => options.on_unknown_status = word.parse().unwrap(),
            "status_policy" => options.status_policy = word.parse().unwrap(),
            "in_flight" => options.in_flight = word.parse().unwrap(),
            other => panic!("there is no option {other}"),
        }
    }
    options
}

fn document(folder: &Path, file: &str) -> Vec<u8> {
    bson(&fs::read(folder.join(file)).unwrap())
}

fn bson(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    extjson::parse(text, &mut bytes).unwrap();
    bytes
}

/// The documents of the array `events.json`, back to back.
fn events(folder: &Path) -> Vec<u8> {
    let mut wrapped = b"{\"events\":".to_vec();
    wrapped.extend(fs::read(folder.join("events.json")).unwrap());
    wrapped.push(b'}');
    let wrapped = bson(&wrapped);
    let events = Document::new(&wrapped).get("events").and_then(Value::array).unwrap();
    events.values().flat_map(|event| event.bytes.to_vec()).collect()
}

fn without_residue(metadata: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    let document = out.begin();
    for element in Document::new(metadata).elements() {
        if element.name == b"legacy" {
            let legacy = out.begin_document("legacy");
            let kept = element.value.document().unwrap();
            for element in kept.elements().filter(|element| element.name != b"residue") {
                out.value_bytes(element.name, element.value);
            }
            out.end(legacy);
        } else {
            out.value_bytes(element.name, element.value);
        }
    }
    out.end(document);
    out.into_bytes()
}

fn json(documents: &[u8]) -> String {
    let mut text = Vec::new();
    let mut at = 0;
    while at < documents.len() {
        let length = i32::from_le_bytes(documents[at..at + 4].try_into().unwrap()) as usize;
        let document = &documents[at..at + length];
        raw::check(document).unwrap();
        extjson::write_document(&mut text, Document::new(document), extjson::Style::Canonical);
        text.push(b'\n');
        at += length;
    }
    String::from_utf8(text).unwrap()
}

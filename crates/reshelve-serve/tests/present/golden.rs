//! Every golden case that maps, against what the application served of it, byte for byte.
//!
//! `tests/cases/NAME` holds what it served of the case `NAME` of the repository's `tests/cases`,
//! mapped with jobs in flight included.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use reshelve_core::mapping::{Mapper, Options, Outcome, TargetDocuments};
use reshelve_core::raw;
use reshelve_serve::present;

use super::common::{NOW_MS, bson, text};

fn folder(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

#[test]
fn every_case_is_served_as_recorded() {
    let mut compared = 0;
    let mut failures = Vec::new();
    for entry in fs::read_dir(folder("../../tests/cases")).unwrap() {
        let case = entry.unwrap().path();
        if !case.join("legacy.json").is_file() {
            continue;
        }
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let recorded = folder("tests/cases").join(&name);
        let Some((id, target)) = map(&case) else {
            assert!(!recorded.exists(), "{name} is rejected, and has records");
            continue;
        };
        for (file, served) in answers(&id, &target) {
            compared += 1;
            let expected = fs::read_to_string(recorded.join(file)).unwrap();
            if served != expected {
                failures.push(format!("{name}/{file}\n  served   {served}\n  recorded {expected}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    let cases = fs::read_dir(folder("tests/cases")).unwrap().count();
    assert_eq!(compared, cases * 5, "a case with records is not among the golden cases");
}

/// The five answers, each with the name of its record.
fn answers(id: &str, target: &TargetDocuments) -> [(&'static str, String); 5] {
    let job = target.jobs.bytes();
    let list = text(present::list(&[job.to_vec()], NOW_MS).unwrap());
    let item = list.strip_prefix("{\"items\":[").unwrap().strip_suffix("],\"count\":1}").unwrap();
    let bytes = target.events.bytes();
    let mut events: Vec<Vec<u8>> =
        raw::documents(bytes).map(|range| bytes[range].to_vec()).collect();
    // The mapping writes them in the order of time, and readers get the newest first.
    events.reverse();
    let metrics = present::metrics(id, Some(target.metrics.bytes()), NOW_MS).unwrap();
    let metadata = present::metadata(id, Some(target.metadata.bytes()), NOW_MS).unwrap();
    [
        ("list-item.json", item.to_string()),
        ("detail.json", text(present::detail(job, NOW_MS).unwrap())),
        ("events.json", text(present::events(&events).unwrap())),
        ("metrics.json", text(metrics)),
        ("metadata.json", text(metadata)),
    ]
}

/// The id and the target documents of a case, or nothing where it is rejected.
fn map(case: &Path) -> Option<(String, TargetDocuments)> {
    let legacy = bson(&fs::read_to_string(case.join("legacy.json")).unwrap());
    let mut target = TargetDocuments::default();
    match Mapper::new(options(case)).map(&legacy, &mut target) {
        Outcome::Mapped(mapped) => Some((String::from_utf8(mapped.job_id).unwrap(), target)),
        Outcome::Rejected(_) => None,
        other => panic!("{}: {other:?}", case.display()),
    }
}

fn options(case: &Path) -> Options {
    let text = fs::read_to_string(case.join("options.json")).unwrap_or_else(|_| "{}".to_string());
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

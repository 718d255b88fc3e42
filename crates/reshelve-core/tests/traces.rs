//! Where single values go: for every golden case, what is copied is found at the place that is named.

#![expect(clippy::unwrap_used, reason = "a test that cannot proceed has failed")]
#![expect(clippy::disallowed_methods, reason = "cases are files; only the crate itself has none")]

use std::fs;
use std::path::Path;

use reshelve_core::extjson;
use reshelve_core::mapping::{
    Mapper, OnUnknownStatus, Options, Outcome, TargetDocuments, TracedTarget, explain, trace,
};
use reshelve_core::raw::{Document, Value};

const OPTIONS: Options = Options {
    on_unknown_status: OnUnknownStatus::Failed,
    status_policy: reshelve_core::mapping::StatusPolicy::Legacy,
    in_flight: reshelve_core::mapping::InFlight::Include,
};

fn legacies() -> Vec<(String, Vec<u8>)> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let folders = fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for folder in folders {
        let Ok(text) = fs::read(folder.join("legacy.json")) else { continue };
        let mut bytes = Vec::new();
        extjson::parse(&text, &mut bytes).unwrap();
        found.push((folder.file_name().unwrap().to_string_lossy().into_owned(), bytes));
    }
    found
}

fn at<'d>(target: &'d TargetDocuments, place: &TracedTarget) -> Option<Value<'d>> {
    let mut document = Document::new(target.bytes()[place.collection]);
    let (last, path) = place.steps.split_last()?;
    for step in path {
        let value = document.get(step)?;
        document = value.document().or_else(|| value.array())?;
    }
    document.get(last)
}

#[test]
fn what_is_copied_is_at_the_place_that_is_named() {
    let mut missing = Vec::new();
    let (mut copied, mut of_arrays, mut cases) = (0, 0, 0);
    for (name, legacy) in legacies() {
        let mut target = TargetDocuments::default();
        let Outcome::Mapped(_) = Mapper::new(OPTIONS).map(&legacy, &mut target) else { continue };
        cases += 1;
        for traced in trace(&legacy, OPTIONS).unwrap() {
            let Some(first) = traced.targets.first() else { continue };
            let value = at(&target, first);
            let is_text = traced.rule == "text, as it is" && traced.value.text().is_some();
            if !is_text && traced.rule != "copied unchanged" {
                continue;
            }
            let Some(value) = value else {
                // An unreadable part is left out, and a job that did not fail has no failure.
                if is_text {
                    missing.push(format!("{name}: {}", traced.path));
                }
                continue;
            };
            assert_eq!(value.kind, traced.value.kind, "{name}: {}", traced.path);
            // A model's quality is the one that gets a field more.
            if traced.path != "qualityMetrics" {
                assert_eq!(value.bytes, traced.value.bytes, "{name}: {} at {first:?}", traced.path);
            }
            copied += 1;
            of_arrays += usize::from(traced.path.bytes().any(|byte| byte.is_ascii_digit()));
        }
    }
    // The one phase that is no stage of a failure.
    missing.sort();
    assert_eq!(missing, ["error-phase-completed: error.phase"]);
    assert!(cases > 80 && copied > 500 && of_arrays > 200, "{cases} {copied} {of_arrays}");
}

#[test]
fn the_trace_and_the_explanation_count_the_same_fields() {
    for (name, legacy) in legacies() {
        let Some(traced) = trace(&legacy, OPTIONS) else { continue };
        let explained = explain(&legacy, OPTIONS);
        let fields: u64 = explained.fields.iter().map(|field| field.occurrences).sum();
        assert_eq!(u64::try_from(traced.len()).unwrap(), fields, "{name}");
        let kept = traced.iter().filter(|one| one.target.is_none()).count();
        let alone: u64 =
            explained.fields.iter().filter(|it| it.target.is_none()).map(|it| it.occurrences).sum();
        assert_eq!(u64::try_from(kept).unwrap(), alone, "{name}");
    }
}

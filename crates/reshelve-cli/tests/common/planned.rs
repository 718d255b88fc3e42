//! Plans that are saved and carried out in a place.

use serde_json::Value;

use crate::common::{Place, assert_same};
use crate::taken_back::document;

pub(crate) const SAVE: [&str; 4] = ["--save-plan", "plan.json", "--in-flight", "include"];
pub(crate) const CARRY_OUT: [&str; 3] = ["--plan", "plan.json", "--apply"];

/// Saves a plan, and returns it.
pub(crate) fn saved(place: &Place, code: i32, source: &str, more: &[&str]) -> Value {
    place.expect(code, &[&["run", source, "target"][..], &SAVE, more].concat());
    plan(place)
}

pub(crate) fn plan(place: &Place) -> Value {
    serde_json::from_slice(&place.read("plan.json")).unwrap()
}

/// Carries the plan out, and returns what the run says last.
pub(crate) fn carried_out(place: &Place, code: i32, source: &str) -> Value {
    document(&place.expect(code, &[&["run", source, "target", "--json"][..], &CARRY_OUT].concat()))
}

/// Expects that the plan is refused with these words, and that nothing is written.
pub(crate) fn refused(place: &Place, source: &str, words: &[&str]) {
    let target = place.path("target").exists().then(|| place.tree("target"));
    let runs = place.runs();
    let told = place.expect(3, &[&["run", source, "target"][..], &CARRY_OUT].concat());
    told.says(words).says(&["hint:"]);
    assert_eq!(place.runs(), runs, "no run begins");
    match target {
        Some(target) => assert_same(&place.tree("target"), &target, "nothing is written"),
        None => assert!(!place.path("target").exists(), "nothing is written"),
    }
}

/// The `_id` of a document, as people write it.
pub(crate) fn id(document: &[u8]) -> String {
    let id = reshelve_core::raw::Document::new(document).get("_id").unwrap();
    reshelve_core::raw::hex(&id.object_id().unwrap())
}

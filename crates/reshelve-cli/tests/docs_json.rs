//! The examples of docs/json.md have the fields that the commands give today, in their order.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue ends there"
)]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::collections::BTreeMap;
use std::path::Path;

use common::Place;
use serde_json::Value;

/// The examples of the page, by their schema.
fn examples() -> BTreeMap<String, Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
    let page = std::fs::read_to_string(path).unwrap();
    let mut examples = BTreeMap::<String, Vec<Value>>::new();
    let is_example = |line: &&str| line.starts_with("{\"schema\":");
    for line in page.lines().filter(is_example) {
        let example: Value = serde_json::from_str(line).unwrap_or_else(|error| {
            panic!("{error}: {line}");
        });
        let schema = example["schema"].as_str().unwrap().to_owned();
        examples.entry(schema).or_default().push(example);
    }
    examples
}

/// The names of the fields, in their order.
fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_examples_have_the_fields_of_today() {
    let place = Place::new();
    place.expect(0, &["generate", "dump", "--documents", "12", "--preset", "lifecycle"]);
    let mut examples = examples();
    let mut wrong = Vec::new();
    let told = place.expect(2, &["status", "nobody", "--json"]);
    let failed: Value = serde_json::from_str(&told.stdout).unwrap();
    let examples_of_errors = examples.remove("reshelve.error/1").unwrap();
    assert!(examples_of_errors.iter().all(|example| fields(example) == fields(&failed)));
    place.expect(0, &["anonymize", "--new-key", "copy.key"]);
    let save = ["--in-flight", "include", "--save-plan", "plan.json"];
    place.expect(0, &[&["run", "dump", "planned"], &save[..]].concat());
    for args in [
        &["plan", "show", "plan.json"][..],
        &["generate", "jobs.bson", "--documents", "12", "--preset", "lifecycle"],
        &["run", "dump", "out", "--apply", "--in-flight", "include"],
        &["status", "latest"],
        &["runs"],
        &["inspect", "mongodb://localhost/novels", "--print-role"],
        &["indexes", "status", "out"],
        &["indexes", "up", "new"],
        &["profile", "dump"],
        &["explain", "dump", "--job", "687f1d936b6c6909e98005be"],
        &["restore", "out", "back.bson"],
        &["verify", "dump", "out"],
        &["rollback", "latest"],
        &["throttle", "latest"],
        &["rehearse", "dump"],
        &["anonymize", "dump", "copy", "--key-file", "copy.key"],
        &["anonymize", "scan", "dump", "copy"],
        &["snapshot", "dump", "backup"],
        &["snapshot", "verify", "backup"],
        &["snapshot", "list", "."],
    ] {
        let told = place.expect(0, &[args, &["--json"]].concat());
        let real: Value = serde_json::from_str(&told.stdout).unwrap();
        let schema = real["schema"].as_str().unwrap();
        let shown = examples.remove(schema).unwrap_or_else(|| panic!("{schema} is not shown"));
        for example in &shown {
            let [shown, real] = [fields(example), fields(&real)];
            if shown != real {
                wrong.push(format!("{schema}: shown\n  {shown:?}\nreal\n  {real:?}"));
            }
        }
    }
    let served =
        serving::Served::new(&place, &["--legacy", "dump", "--normalized", "out", "--shadow"]);
    let real: Value = serde_json::from_str(&served.get("/admin/persistence").body).unwrap();
    let shown = examples.remove("reshelve.persistence/1").unwrap();
    assert!(shown.iter().all(|shown| fields(shown) == fields(&real)), "{real}");
    let real: Value = serde_json::from_str(&served.get("/api/reshelve/shadow").body).unwrap();
    let offline = place.expect(0, &["shadow", "--offline", "dump", "out", "--json"]).stdout;
    let offline: Value = serde_json::from_str(&offline).unwrap();
    let shown = examples.remove("reshelve.shadow/1").unwrap();
    let shown: Vec<Vec<&str>> = shown.iter().map(fields).collect();
    assert_eq!(shown, [fields(&real), fields(&offline)], "of the server, and offline");
    let checked = place.expect(0, &["crosscheck", &served.url(), "out", "--json"]).stdout;
    let real: Value = serde_json::from_str(&checked).unwrap();
    let shown = examples.remove("reshelve.crosscheck/1").unwrap();
    assert!(shown.iter().all(|shown| fields(shown) == fields(&real)), "{real}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A live server has more.
    let rest: Vec<&str> = examples.keys().map(String::as_str).collect();
    assert_eq!(rest, ["reshelve.inspect/1"], "these are not compared");
}

//! The library finds novels whose mapping has warnings, and those that were edited since; where a
//! place cannot tell, it does not offer that, and says so to who asks all the same.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::fs;
use std::path::Path;

use common::{Place, split, until};
use serde_json::{Value, json};
use serving::Served;

const WARNINGS: &str = "With mapping warnings";
const EDITED: &str = "Edited since";

/// Twelve novels, three of them with a chapter whose status is unknown, and a target of them.
fn place(more: &[&str]) -> Place {
    let place = Place::new();
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/completed-era5");
    let case: Value = serde_json::from_slice(&fs::read(case.join("legacy.json")).unwrap()).unwrap();
    let line = |number: usize| {
        let (mut legacy, id) = (case.clone(), format!("job-{number:02}"));
        (legacy["_id"], legacy["title"]) = (json!(id), json!(id));
        if number.is_multiple_of(4) {
            legacy["chapters"][0]["status"] = json!("odd");
        }
        legacy.to_string() + "\n"
    };
    place.write("legacy.json", (0..12).map(line).collect::<String>().as_bytes());
    place.expect(0, &[&["run", "legacy.json", "target", "--apply"], more].concat());
    place
}

/// The ids that a page of the library lists.
fn listed(served: &Served, query: &str) -> Vec<String> {
    let page = served.get(&format!("/ui/novels?sort=title{query}"));
    assert_eq!(page.status, 200, "{}", page.body);
    let found = page.body.split("<h2><a href=\"/ui/novels/").skip(1);
    found.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// What the box for a filter says.
fn offered(served: &Served, label: &str) -> Option<String> {
    let page = served.get("/ui/novels").body;
    let rest = page.split(label).nth(1)?;
    Some(rest.split('<').next().unwrap().trim().to_owned())
}

#[test]
fn a_target_tells_which_novels_have_warnings_and_which_were_edited_since() {
    for form in [&[][..], &["--gzip"]] {
        let place = place(form);
        let served = Served::new(&place, &["target"]);
        // It has not looked yet.
        assert_eq!(offered(&served, WARNINGS).as_deref(), Some(""));
        assert_eq!(listed(&served, "&mark=mapping-warnings"), ["job-00", "job-04", "job-08"]);
        assert!(listed(&served, "&mark=edited").is_empty(), "nothing was edited");
        assert_eq!(offered(&served, WARNINGS).as_deref(), Some("(3)"));
        assert_eq!(offered(&served, EDITED).as_deref(), Some("(0)"));
    }
}

#[test]
fn every_kind_of_edit_is_found_and_the_files_are_followed() {
    let place = place(&[]);
    let served = Served::new(&place, &["target"]);
    assert!(listed(&served, "&mark=edited").is_empty());
    let file = |name: &str| format!("target/letswriteabook/{name}.bson");
    let change = |name: &str, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut documents = split(&place.read(&file(name)));
        change(&mut documents);
        place.write(&file(name), &documents.concat());
    };
    // A title, which a restore gives back as edited; a status, which it does not; a metrics
    // document that is gone; an event that is another one.
    let flip = |document: &mut Vec<u8>, text: &[u8]| {
        let at = document.windows(text.len()).position(|it| it == text).unwrap();
        document[at + text.len() - 1] ^= 1;
    };
    change("novel_jobs", &|jobs| {
        flip(&mut jobs[1], b"title\0\x07\0\0\0job-01");
        flip(&mut jobs[2], b"status\0\x0a\0\0\0complete");
    });
    change("novel_job_metrics", &|metrics| drop(metrics.remove(5)));
    change("novel_job_events", &|events| {
        let of_job = |event: &Vec<u8>| event.windows(6).any(|it| it == b"job-07");
        let at = events.iter().position(of_job).unwrap();
        flip(&mut events[at], b"emittedAt\0\x19\0\0\x002");
    });
    until("the server has looked", || listed(&served, "&mark=edited").len() == 4);
    let edited = listed(&served, "&mark=edited");
    assert_eq!(edited, ["job-01", "job-02", "job-05", "job-07"]);
    let both = listed(&served, "&mark=edited&mark=mapping-warnings");
    assert!(both.is_empty(), "{both:?}");
    assert_eq!(offered(&served, EDITED).as_deref(), Some("(4)"));
    assert!(served.get("/ui/novels?mark=edited").body.contains("edited since"));
}

#[test]
fn a_legacy_source_tells_warnings_alone_and_says_so() {
    let place = place(&[]);
    let served = Served::new(&place, &["legacy.json"]);
    assert_eq!(offered(&served, WARNINGS).as_deref(), Some("(3)"));
    assert_eq!(offered(&served, EDITED), None);
    assert_eq!(listed(&served, "&mark=mapping-warnings"), ["job-00", "job-04", "job-08"]);
    let page = served.get("/ui/novels?mark=edited").body;
    assert!(page.contains("cannot tell which novels were edited"), "{page}");
}

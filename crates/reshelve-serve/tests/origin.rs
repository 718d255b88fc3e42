//! The pages of a novel's origin: each value beside its legacy path and rule, from a target alone,
//! and from both sides.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod serving;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use reshelve_serve::Sides;
use reshelve_serve::sides::{Persistence, Side};
use serving::{MemoryPlace, Running};

const ID: &str = "000000000000000000000007";

/// A golden case as a line, with an id that is known and fields that no rule takes.
fn legacy(name: &str) -> serde_json::Value {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let text = fs::read(cases.join(name).join("legacy.json")).unwrap();
    let mut legacy: serde_json::Value = serde_json::from_slice(&text).unwrap();
    legacy["_id"] = serde_json::json!({ "$oid": ID });
    legacy["color"] = serde_json::json!({ "shade": "<b>blue</b>" });
    legacy
}

fn page(server: &Running, path: &str) -> String {
    let answer = server.get(&format!("/ui/novels/{ID}/origin{path}"));
    assert_eq!(answer.status, 200, "{path}");
    answer.text()
}

/// The row of a legacy path.
fn row<'p>(page: &'p str, path: &str) -> &'p str {
    let begin = format!("<code class=\"path\">{path}</code>");
    let rows = page.split("<tr>").skip(1).map(|row| row.split("</tr>").next().unwrap());
    rows.into_iter().find(|row| row.contains(&begin)).unwrap_or_else(|| panic!("no row of {path}"))
}

#[test]
fn each_value_stands_beside_its_legacy_path_and_the_rule() {
    let legacy = legacy("completed-some-failed");
    let server = Running::of(Arc::new(MemoryPlace::mapped(&legacy.to_string())));
    let all = page(&server, "");
    let title = row(&all, "title");
    for shown in [
        "novel_jobs.payload.title",
        "novel_jobs.context.job.title",
        "text, as it is",
        "text</span>",
    ] {
        assert!(title.contains(shown), "{shown}: {title}");
    }
    assert_eq!(title.matches("The Second Light").count(), 3, "{title}");
    let reason = row(&all, "chapters.1.failureReason");
    assert!(reason.contains("novel_jobs.chapters.1.legacy.failureReason"), "{reason}");
    assert!(reason.contains("novel_jobs.failures.0.reason"), "{reason}");
    assert!(!reason.contains("not written") && !reason.contains(">edited<"), "{reason}");
    assert!(row(&all, "metadata.costTracking.estimatedRemaining").contains("not written"));
    assert!(all.contains("comes back byte for byte"));
    // What no rule takes is in the residue, and is no markup.
    assert!(all.contains("&quot;path&quot;: &quot;color&quot;"));
    assert!(all.contains("&lt;b&gt;blue") && !all.contains("<b>"));
    let novel = server.get(&format!("/ui/novels/{ID}")).text();
    assert!(novel.contains(&format!("href=\"/ui/novels/{ID}/origin\"")));
}

#[test]
fn the_legacy_document_and_the_residue_come_as_json() {
    let legacy = legacy("decisions-and-enhancements");
    let server = Running::of(Arc::new(MemoryPlace::mapped(&legacy.to_string())));
    let whole: serde_json::Value = serde_json::from_str(&page(&server, "/legacy.json")).unwrap();
    assert_eq!(whole["title"], legacy["title"]);
    assert_eq!(whole["color"]["shade"], "<b>blue</b>");
    let answer = server.get(&format!("/ui/novels/{ID}/origin/residue.json"));
    assert!(answer.header("content-type").starts_with("application/json"));
    let residue: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(residue["jobId"], ID);
    let kept = residue["kept"].as_array().unwrap();
    let color = kept.iter().find(|one| one["path"] == "color").unwrap();
    assert_eq!(color["value"]["shade"], "<b>blue</b>");
    for odd in ["/values/100000", "/values/x", "/nothing.json"] {
        assert_eq!(server.get(&format!("/ui/novels/{ID}/origin{odd}")).status, 404, "{odd}");
    }
    assert_eq!(server.get("/ui/novels/nope/origin").status, 404);
}

#[test]
fn a_long_text_is_cut_and_leads_to_the_whole() {
    let mut legacy = legacy("completed-some-failed");
    let long = format!("{}The end.", "A long premise. ".repeat(100));
    legacy["premise"] = serde_json::json!(long);
    let server = Running::of(Arc::new(MemoryPlace::mapped(&legacy.to_string())));
    let all = page(&server, "");
    let premise = row(&all, "premise");
    assert!(!premise.contains("The end.") && premise.contains("the whole"), "{premise}");
    let link = premise.split("<a href=\"").nth(1).unwrap().split('"').next().unwrap();
    let whole = server.get(link).text();
    // The legacy text, and its two places in the target.
    assert_eq!(whole.matches("The end.").count(), 3);
}

#[test]
fn two_sides_are_compared_and_an_edit_is_marked() {
    let (before, mut after) = (legacy("completed-some-failed"), legacy("completed-some-failed"));
    after["title"] = serde_json::json!("Another title");
    let place = |legacy: &serde_json::Value| Arc::new(MemoryPlace::mapped(&legacy.to_string()));
    let of = |legacy, normalized| {
        Running::with(place(&before), |settings| {
            let persistence = Persistence::of(Side::Legacy);
            settings.sides = Sides::two(place(legacy), place(normalized), persistence, false);
        })
    };
    let same = page(&of(&before, &before), "");
    assert!(same.contains("give back the same bytes") && !same.contains(">edited<"));
    // Whichever side answers, the legacy value and that of the target stand side by side.
    let moved = page(&of(&after, &before), "");
    let title = row(&moved, "title");
    assert!(title.contains("Another title") && title.contains("The Second Light"), "{title}");
    assert!(title.contains(">edited<") && moved.contains(">differs<"));
}

#[test]
fn an_edited_status_is_an_edit_though_the_legacy_document_comes_back() {
    let legacy = legacy("completed-some-failed");
    let mapped = || MemoryPlace::mapped(&legacy.to_string());
    let untouched = page(&Running::of(Arc::new(mapped())), "");
    assert!(!untouched.contains(">edited<") && untouched.contains(">same<"));
    let alone = page(&Running::of(Arc::new(mapped().with_status("failed"))), "");
    let both = Running::with(Arc::new(mapped()), |settings| {
        let (legacy, edited) = (Arc::new(mapped()), Arc::new(mapped().with_status("failed")));
        let persistence = Persistence::of(Side::Legacy);
        settings.sides = Sides::two(legacy, edited, persistence, false);
    });
    for page in [alone, page(&both, "")] {
        let status = row(&page, "status");
        assert!(status.contains(">edited<") && status.contains("failed"), "{status}");
        assert!(!page.contains(">same<") && page.contains("were edited after the mapping"));
        // Nothing else is.
        assert_eq!(page.matches(">edited<").count(), 2, "{page}");
        assert!(!row(&page, "title").contains(">edited<"));
    }
}

//! The monitoring page: its sums are those of the novels to which its bars lead.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod serving;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serving::{MemoryPlace, Running};

/// All golden cases, each with an id of its own, and a genre that tries to be markup.
fn server() -> Running {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let mut folders: Vec<_> = fs::read_dir(cases).unwrap().map(|it| it.unwrap().path()).collect();
    folders.sort();
    let mut lines = Vec::new();
    for folder in folders {
        let Ok(text) = fs::read(folder.join("legacy.json")) else { continue };
        let Ok(mut legacy) = serde_json::from_slice::<serde_json::Value>(&text) else { continue };
        legacy["_id"] = serde_json::json!(format!("job {}", lines.len()));
        lines.push(legacy.to_string());
    }
    assert!(lines.len() > 50);
    lines.push(
        r#"{"_id":"hostile","title":"x","genre":"<b onclick=x>&\"'","status":"writing",
        "createdAt":{"$date":"2025-07-24T10:00:00Z"},"modelUsage":{"outlineGeneration":
        {"model":"<script>alert(1)</script>","cost":1.5,"tokensUsed":7,"duration":1000}}}"#
            .replace('\n', ""),
    );
    Running::of(Arc::new(MemoryPlace::mapped(&lines.join("\n"))))
}

fn page(server: &Running, target: &str) -> String {
    let answer = server.get(target);
    assert_eq!(answer.status, 200, "{target}");
    answer.text()
}

/// What stands between two texts.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

fn number(text: &str) -> u64 {
    text.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// How many novels the library has at an address.
fn listed(server: &Running, link: &str) -> u64 {
    let library = page(server, &link.replace("&amp;", "&"));
    if library.contains("No novel matches.") {
        return 0;
    }
    let count = between(&library, "role=\"status\">", "</p>").unwrap();
    number(between(count, " of ", " novel").unwrap())
}

#[test]
fn every_bar_leads_to_as_many_novels_as_it_stands_for() {
    let server = server();
    let monitoring = page(&server, "/ui/monitoring");
    let mut checked = Vec::new();
    for row in monitoring.split("<tr>").skip(1) {
        let row = row.split("</tr>").next().unwrap();
        let Some(link) = between(row, "<th scope=\"row\"><a href=\"", "\"") else { continue };
        let Some(novels) = between(row, "data-head=\"Novels\">", "</td>") else { continue };
        assert_eq!(listed(&server, link), number(novels), "{link}");
        checked.push(link.to_owned());
    }
    for filter in ["status", "genre", "era", "model", "stage", "response", "mark"] {
        let is_there = |link: &String| link.starts_with(&format!("/ui/novels?{filter}="));
        assert!(checked.iter().any(is_there), "{filter} of {checked:?}");
    }
    let mut columns = 0;
    for column in monitoring.split("<a href=\"/ui/novels?created=").skip(1) {
        let Some(title) = between(column, "<title>", "</title>").filter(|it| it.contains("novel"))
        else {
            continue;
        };
        let link = format!("/ui/novels?created={}", column.split('"').next().unwrap());
        assert_eq!(listed(&server, &link), number(title.rsplit(", ").next().unwrap()), "{link}");
        columns += 1;
    }
    assert!(columns > 1);
}

#[test]
fn the_tiles_are_the_sums_of_all_novels() {
    let server = server();
    let monitoring = page(&server, "/ui/monitoring");
    let jobs = listed(&server, "/ui/novels");
    for (name, link) in [
        ("novels", "/ui/novels"),
        ("in flight", "/ui/novels?mark=in-flight"),
        ("stuck", "/ui/novels?mark=stuck"),
        ("with failures", "/ui/novels?mark=failures"),
        ("with critical alerts", "/ui/novels?mark=critical"),
    ] {
        let tile = monitoring.split("<li").find(|it| it.contains(&format!(">{name}</span>")));
        let value = between(tile.unwrap(), "<span class=\"value\">", "</span>").unwrap();
        assert_eq!(number(value), listed(&server, link), "{name}");
        assert!((1..=jobs).contains(&number(value)), "{name}");
    }
    // What is stuck is so for longer than two hours: the cases are of 2025.
    assert!(monitoring.contains("by this server's clock"));
    assert!(monitoring.contains(" days</td>"));
}

#[test]
fn nothing_of_a_document_is_markup_on_the_page() {
    let server = server();
    let monitoring = page(&server, "/ui/monitoring");
    for markup in ["<script>", "<b ", " style=", "onclick=x>&\""] {
        assert!(!monitoring.contains(markup), "{markup}");
    }
    assert!(monitoring.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(monitoring.contains("aria-current=\"page\">Monitoring"));
    let script = "/ui/novels?model=%3Cscript%3Ealert%281%29%3C%2Fscript%3E";
    assert!(monitoring.contains(script));
    let library = page(&server, script);
    assert!(library.contains("Only novels model &lt;script&gt;"), "{library}");
    assert!(library.contains("name=\"model\" value=\"&lt;script&gt;alert(1)&lt;/script&gt;\""));
}

#[test]
fn an_empty_place_says_so() {
    let empty = Running::of(Arc::new(MemoryPlace::mapped("")));
    let monitoring = page(&empty, "/ui/monitoring");
    assert!(monitoring.contains("This place has no novels yet.") && !monitoring.contains("<svg"));
}

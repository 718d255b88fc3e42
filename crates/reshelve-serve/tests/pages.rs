//! The pages for people: they show what is stored, nothing of a document is markup, and every link
//! leads somewhere.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod serving;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serving::{Answer, MemoryPlace, Running};

/// The golden cases, and novels that try to be markup.
fn place() -> MemoryPlace {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let mut lines = Vec::new();
    for name in ["completed-some-failed", "decisions-and-enhancements", "performance"] {
        lines.push(legacy(&cases.join(name).join("legacy.json"), lines.len()));
    }
    for name in [
        "story-bible",
        "relationships",
        "quality",
        "alerts-merge",
        "writing-era5",
        "phase-start-times-odd-keys",
    ] {
        lines.push(legacy(&cases.join(name).join("legacy.json"), lines.len()));
    }
    lines.push(HOSTILE.replace('\n', ""));
    MemoryPlace::mapped(&lines.join("\n"))
}

/// A case as one line, with an id of its own.
fn legacy(path: &Path, number: usize) -> String {
    let mut legacy: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    legacy["_id"] = serde_json::json!({ "$oid": format!("{number:024x}") });
    legacy.to_string()
}

const HOSTILE: &str = r#"{"_id":"../a b/%2e?#&\"'<i>","title":"<script>alert(1)</script>\u202etxt\u0000",
"premise":"\"><img src=x onerror=alert(1)> [x](javascript:alert(1)) \u2066","genre":"<b>","status":"completed",
"chapters":[{"chapterNumber":1,"title":"</title><h1>x","status":"completed","wordCount":3,
"content":"One <b>two</b>\n\n[link](javascript:alert(1)) https://a.example\n- item\n# head"},
{"chapterNumber":2,"title":"Two","status":"failed","failureReason":"<u>429</u>","attempts":3,"content":""}],
"outline":[{"chapterNumber":1,"title":"<i>","summary":"<i>","keyEvents":["<i>"],"wordCount":2}],
"metadata":{"storyBible":{"characters":{"<x>":{"name":"<svg onload=alert(1)>","traits":["<i>"]}},"themes":["<i>"]},
"continuityAlerts":[{"severity":"critical","message":"<i>"}]}}"#;

const HOSTILE_ID: &str = "..%2Fa%20b%2F%252e%3F%23%26%22%27%3Ci%3E";

fn server() -> Running {
    Running::of(Arc::new(place()))
}

fn ok(server: &Running, target: &str) -> Answer {
    let answer = server.get(target);
    assert_eq!(answer.status, 200, "{target}");
    answer
}

/// What the links, forms and files of a page name.
fn links(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for name in [" href=\"", " src=\"", " action=\""] {
        for rest in page.split(name).skip(1) {
            found.insert(rest.split('"').next().unwrap().replace("&amp;", "&"));
        }
    }
    found
}

#[test]
fn every_link_of_every_page_leads_somewhere_on_this_server() {
    let server = server();
    let (mut seen, mut next) = (BTreeSet::new(), vec!["/".to_owned()]);
    let mut anchors = 0;
    while let Some(target) = next.pop() {
        let answer = ok(&server, &target);
        if !answer.header("content-type").starts_with("text/html")
            || answer.headers.contains_key("content-disposition")
        {
            continue;
        }
        let page = answer.text();
        for link in links(&page) {
            if let Some(anchor) = link.strip_prefix('#') {
                assert!(page.contains(&format!("id=\"{anchor}\"")), "{target}: {link}");
                anchors += 1;
                continue;
            }
            assert!(link.starts_with('/') && !link.starts_with("//"), "{target}: {link}");
            let link = link.split('#').next().unwrap().to_owned();
            if seen.insert(link.clone()) {
                next.push(link);
            }
        }
    }
    assert!(seen.len() > 40, "{}", seen.len());
    assert!(anchors > 80, "{anchors}");
}

#[test]
fn every_answer_has_the_headers_that_keep_it_harmless() {
    let server = server();
    let job = format!("/ui/novels/{}", "0".repeat(24));
    for target in ["/", "/ui/novels", &job, "/ui/novels/nope", "/ui/x/y", "/ui", "/ui/assets/x.js"]
    {
        let answer = server.get(target);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{target}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{target}");
        assert!(!policy.contains("unsafe"), "{target}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{target}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{target}");
    }
    assert_eq!(server.get("/ui/novels/%FF").status, 400);
    assert_eq!(server.get("/ui/novels/nope").status, 404);
    assert_eq!(server.get("/ui/x/y").status, 404);
    assert_eq!(server.get(&format!("{job}/chapters/99")).status, 404);
    assert_eq!(server.get(&format!("{job}/chapters/x")).status, 404);
    assert_eq!(server.get(&format!("{job}/export/exe")).status, 404);
    let page = ok(&server, "/").text();
    for inline in ["<style", " style=", "<script>", " onclick="] {
        assert!(!page.contains(inline), "{inline}");
    }
    let css = links(&page).into_iter().find(|link| link.ends_with(".css")).unwrap();
    assert!(ok(&server, &css).header("cache-control").contains("immutable"));
}

#[test]
fn nothing_of_a_document_is_markup() {
    let server = server();
    let novel = format!("/ui/novels/{HOSTILE_ID}");
    let pages = ["/ui/novels?genre=%3Cb%3E", "/ui/novels?q=%3Cscript%3E", &novel[..]];
    let chapters = [format!("{novel}/chapters/1"), format!("{novel}/chapters/2")];
    for target in pages.into_iter().chain(chapters.iter().map(|it| &it[..])) {
        let page = ok(&server, target).text();
        for markup in ["<script>", "<img", "<b>", "<i>", "<u>", "<svg onload", "</title><h1>"] {
            assert!(!page.contains(markup), "{target}: {markup}");
        }
        for turning in ['\u{202e}', '\u{2066}', '\0'] {
            assert!(!page.contains(turning), "{target}");
        }
        assert!(page.contains("&lt;"), "{target}");
    }
    let markdown = ok(&server, &format!("{novel}/export/markdown")).text();
    assert!(markdown.contains("\\[link\\](javascript:alert(1)) https\\://a.example"), "{markdown}");
    assert!(markdown.contains("One \\<b\\>two\\</b\\>"), "{markdown}");
    assert!(markdown.contains("\\- item") && markdown.contains("\\# head"), "{markdown}");
    let html = ok(&server, &format!("{novel}/export/html"));
    assert!(html.header("content-disposition").starts_with("attachment; filename=\"script-alert"));
    let html = html.text();
    assert!(html.contains("One &lt;b&gt;two&lt;/b&gt;") && !html.contains("<b>"), "{html}");
    assert!(!html.contains("href"), "{html}");
}

#[test]
fn a_novel_shows_what_is_stored_of_it() {
    let server = server();
    let novel = |number: usize| ok(&server, &format!("/ui/novels/{number:024x}")).text();
    let failed = novel(0);
    for shown in [
        "The Second Light",
        "A keeper finds a second lighthouse.",
        "Mystery thriller",
        "Failed to generate chapter 2 after 3 attempts",
        "attempts: 3",
        "$0.0376",
        "8\u{202f}200",
        "a door opens",
        "forward",
        "gpt-4o-mini",
        "Outline generation",
        "2025-07-24 10:00 UTC",
        "Mara",
        "class=\"strip\"",
        "Cost, tokens and time by stage",
    ] {
        assert!(failed.contains(shown), "{shown}");
    }
    let chapter = ok(&server, &format!("/ui/novels/{:024x}/chapters/1", 0)).text();
    assert!(chapter.contains("Text of chapter 1.") && chapter.contains("rel=\"next\""));
    let noted = novel(1);
    assert!(noted.contains("Reasoning") && noted.contains("Confidence"));
    let bible = novel(3);
    for shown in ["The light", "who lights it?", "Harbor", "Storm", "the sea", "guilt"] {
        assert!(bible.contains(shown), "{shown}");
    }
    assert!(novel(4).contains("href=\"#character-"));
    let quality = novel(5);
    let scores = quality.split("Scores with enhancements").nth(1).unwrap();
    let score = |name: &str| {
        let rest = scores.split(&format!("<dt>{name}</dt>")).nth(1).unwrap();
        rest.split("</dd>").next().unwrap().to_owned()
    };
    // The mean of 0.5 and three times 0.
    assert!(scores.contains("12.5 %"), "{scores}");
    assert!(score("Narrative complexity").contains("50 %"), "{scores}");
    assert!(score("Narrative complexity").contains("badge open\">D<"), "{scores}");
    assert!(score("Story consistency").contains("badge bad\">F<"), "{scores}");
    // How many decisions and enhancements there are of each type.
    let badges = noted.split("class=\"badges\"").nth(1).unwrap().split("</p>").next().unwrap();
    assert!(badges.contains("class=\"badge\""), "{badges}");
    // Planning and outlining are done, the writing is at work, with 1 of 4 chapters.
    let writing = novel(7);
    let phases = writing.split("class=\"phases\"").nth(1).unwrap().split("</ol>").next().unwrap();
    assert_eq!(phases.matches(">completed<").count(), 2, "{phases}");
    assert_eq!(phases.matches(">active<").count(), 1, "{phases}");
    assert!(writing.contains("42.5 %: 1 of 4 chapters completed"), "{writing}");
    let phases = failed.split("class=\"phases\"").nth(1).unwrap().split("</ol>").next().unwrap();
    assert_eq!(phases.matches(">completed<").count(), 3, "{phases}");
    let begins = novel(8);
    for shown in ["When each phase began", "$x", "2025-07-24 10:02 UTC", "without a name"] {
        assert!(begins.contains(shown), "{shown}");
    }
    assert!(novel(6).contains("Continuity") || novel(6).contains("continuity alerts"));
}

#[test]
fn the_library_finds_filters_and_says_what_to_do_where_there_is_nothing() {
    let server = server();
    let found = ok(&server, "/ui/novels?q=second+LIGHTHOUSE").text();
    assert!(found.contains("The Second Light") && found.contains(" that match"));
    let failures = ok(&server, "/ui/novels?mark=failures").text();
    assert!(failures.contains("The Second Light"));
    let nothing = ok(&server, "/ui/novels?q=no+such+words").text();
    assert!(nothing.contains("No novel matches.") && nothing.contains("show all novels"));
    let empty = Running::of(Arc::new(MemoryPlace::mapped("")));
    assert!(ok(&empty, "/").text().contains("This place has no novels yet."));
    assert_eq!(server.get("/ui/novels?at=after.1.00&era=x&sort=y&mark=z").status, 200);
}

#[test]
fn many_novels_come_page_by_page() {
    let line = |number: usize| {
        format!("{{\"_id\":\"job {number:04}\",\"title\":\"Novel\",\"status\":\"completed\"}}\n")
    };
    let server =
        Running::of(Arc::new(MemoryPlace::mapped(&(0..420).map(line).collect::<String>())));
    let (mut found, mut target) = (Vec::new(), Some("/ui/novels?sort=title".to_owned()));
    while let Some(at) = target {
        let page = ok(&server, &at).text();
        found.extend(page.split("/ui/novels/job%20").skip(1).map(|it| it[..4].to_owned()));
        let next = page.split("rel=\"next\" href=\"").nth(1);
        target = next.map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
    }
    let expected: Vec<String> = (0..420).map(|number| format!("{number:04}")).collect();
    assert_eq!(found, expected);
}

//! Who may ask `serve` for what: its token, its cookie, and addresses that others can reach.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use common::Place;
use serving::{SOURCE, Served};

const TOKEN: &str = "correct-horse/battery+staple=";
const BEARER: (&str, &str) = ("Authorization", "Bearer correct-horse/battery+staple=");

/// Legacy documents, and a file with a token that nobody else may read.
fn place() -> Place {
    let place = Place::new();
    place.write("legacy.json", SOURCE);
    place.write("token", format!("{TOKEN}\n").as_bytes());
    set_permissions(place.path("token"), Permissions::from_mode(0o600)).unwrap();
    place
}

#[test]
fn an_address_that_others_reach_needs_a_token() {
    let place = place();
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        let told = place.expect(2, &["serve", "legacy.json", "--listen", listen]).stderr;
        assert!(told.contains("hint: ") && told.contains("--token-file"), "{told}");
    }
    let told = place.expect(2, &["serve", "legacy.json", "--open-api"]).stderr;
    assert!(told.contains("--token-file"), "{told}");
    let args = ["serve", "legacy.json", "--listen", "0.0.0.0:0", "--token-file", "token"];
    let served = Served::of(place.call(&args));
    let loopback = served.address().replace("0.0.0.0", "127.0.0.1");
    let host = ("Host", &loopback[..]);
    assert_eq!(served.send("GET", "/api/novel", &[host], "").0.status, 401);
    assert_eq!(served.send("GET", "/api/novel", &[BEARER], "").0.status, 200);
}

#[test]
fn a_file_that_is_no_token_is_refused_and_one_that_others_read_is_told() {
    let place = place();
    let served = |name: &str| ["serve", "legacy.json", "--token-file", name].map(str::to_owned);
    for (content, words) in [
        ("", "holds no token"),
        ("\n", "holds no token"),
        ("one\ntwo\n", "several lines"),
        ("two words\n", "no header can carry"),
        ("schl\u{fc}ssel\n", "no header can carry"),
    ] {
        place.write("bad", content.as_bytes());
        let told = place.expect(2, &served("bad").each_ref().map(|it| &it[..])).stderr;
        assert!(told.contains(words) && told.contains("hint: "), "{content:?}: {told}");
        assert!(!told.contains("schl") && !told.contains("two words"), "{told}");
    }
    place.write("bad", "x".repeat(4097).as_bytes());
    place.expect(1, &["serve", "legacy.json", "--token-file", "bad"]);
    place.expect(1, &["serve", "legacy.json", "--token-file", "missing"]);
    for (mode, is_told) in [(0o600, false), (0o640, true), (0o604, true)] {
        set_permissions(place.path("token"), Permissions::from_mode(mode)).unwrap();
        let (served, told) = Served::telling(&place, &["legacy.json", "--token-file", "token"]);
        assert_eq!(told.contains("other users may read"), is_told, "{mode:o}: {told}");
        assert!(!told.contains(TOKEN));
        drop(served);
    }
}

#[test]
fn the_token_guards_everything_but_whether_the_server_is_there() {
    let place = place();
    let served = Served::new(&place, &["legacy.json", "--token-file", "token"]);
    for target in [
        "/api/novel",
        "/API/NOVEL/rich",
        "/api/novel/rich/events",
        "/health",
        "/readyz",
        "/metrics",
        "/internal/realtime/metrics",
        "/ws/?EIO=4&transport=polling",
        "/nothing",
        "/admin/persistence",
    ] {
        let (refused, head) = served.send("GET", target, &[], "");
        assert_eq!(refused.status, 401, "{target}");
        assert!(head.contains("www-authenticate: Bearer"), "{head}");
        assert!(!refused.body.contains("jobId") && !refused.body.contains(TOKEN), "{target}");
        for wrong in ["Bearer x", "Bearer", "Basic correct-horse/battery+staple="] {
            let wrong = [("Authorization", wrong)];
            assert_eq!(served.send("GET", target, &wrong, "").0.status, 401, "{target}");
        }
        let in_url = format!("{target}?token={TOKEN}&access_token={TOKEN}");
        assert_eq!(served.get(&in_url).status, 401, "{target}");
        assert_ne!(served.send("GET", target, &[BEARER], "").0.status, 401, "{target}");
    }
    assert_eq!(served.get("/healthz").status, 200);
    let (code, told) = served.end();
    assert_eq!(code, Some(0));
    assert!(!told.contains(TOKEN), "{told}");
}

#[test]
fn the_read_routes_alone_are_freed() {
    let place = place();
    let served = Served::new(&place, &["legacy.json", "--token-file", "token", "--open-api"]);
    for (target, expected) in [
        ("/api/novel", 200),
        ("/api/novel/rich", 200),
        ("/api/novel/rich/events", 200),
        ("/api/novel/rich/metrics", 200),
        ("/api/novel/rich/metadata", 200),
        ("/ws/?EIO=4&transport=polling", 200),
        ("/metrics", 401),
        ("/admin/persistence", 401),
        ("/api/reshelve/shadow", 401),
        ("/", 401),
        ("/health", 401),
    ] {
        assert_eq!(served.get(target).status, expected, "{target}");
    }
}

#[test]
fn people_log_in_with_a_form_and_are_known_by_a_cookie() {
    let place = place();
    let served = Served::new(&place, &["legacy.json", "--token-file", "token"]);
    let (page, head) = served.send("GET", "/metrics", &[("Accept", "text/html,*/*")], "");
    assert_eq!(page.status, 401);
    assert!(page.body.contains("method=\"post\" action=\"/login\""), "{}", page.body);
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    assert_eq!(served.get("/login").status, 200);
    let origin = format!("http://{}", served.address());
    let origin = ("Origin", &origin[..]);
    let log_in = |from: (&str, &str), body: &str| served.send("POST", "/login", &[from], body);
    assert_eq!(log_in(origin, "token=wrong").0.status, 401);
    assert_eq!(log_in(origin, "").0.status, 401);
    assert_eq!(log_in(origin, &"token=".repeat(4000)).0.status, 413);
    let escaped = "token=correct-horse%2Fbattery%2Bstaple%3D";
    assert_eq!(log_in(("Origin", "http://evil.example"), escaped).0.status, 403);
    let (answer, head) = log_in(origin, escaped);
    assert_eq!(answer.status, 303);
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!head.contains(TOKEN));
    let cookie = ("Cookie", cookie.split(';').next().unwrap());
    assert_eq!(served.send("GET", "/api/novel", &[cookie], "").0.status, 200);
    let of_another = ("Cookie", "reshelve_token=00");
    assert_eq!(served.send("GET", "/api/novel", &[of_another], "").0.status, 401);
    let json = format!("{{\"token\":\"{TOKEN}\"}}");
    assert_eq!(log_in(origin, &json).0.status, 303);
}

#[test]
fn a_login_leads_to_the_page_that_was_asked_for_and_never_to_another_site() {
    let place = place();
    let served = Served::new(&place, &["legacy.json", "--token-file", "token"]);
    let asked = "/ui/novels?q=a%26b&sort=title";
    let (page, _) = served.send("GET", asked, &[("Accept", "text/html")], "");
    assert_eq!(page.status, 401);
    let hidden = |page: &str| {
        let value = page.split("name=\"to\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        value.replace("&amp;", "&")
    };
    assert_eq!(hidden(&page.body), asked);
    // The page looks like the others: its files need no token.
    let link = |end: &str| {
        let mut links =
            page.body.split("/ui/assets/").skip(1).map(|it| it.split('"').next().unwrap());
        links.find(|link| link.ends_with(end)).unwrap().to_owned()
    };
    for end in [".css", ".js", ".svg"] {
        assert_eq!(served.get(&format!("/ui/assets/{}", link(end))).status, 200, "{end}");
    }
    let origin = format!("http://{}", served.address());
    let escaped = |to: &str| to.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let leads = |to: &str| {
        let body = format!("token=correct-horse%2Fbattery%2Bstaple%3D&to={}", escaped(to));
        let (answer, head) = served.send("POST", "/login", &[("Origin", &origin)], &body);
        assert_eq!(answer.status, 303);
        let location = head.lines().find_map(|line| line.strip_prefix("location: "));
        location.unwrap().to_owned()
    };
    assert_eq!(leads(asked), asked);
    for to in ["//evil.example", "/\\evil.example", "https://evil.example/", "/x\r\ny: z", "/login"]
    {
        assert_eq!(leads(to), "/", "{to:?}");
        let form = served.get(&format!("/login?to={}", escaped(to)));
        assert_eq!((form.status, &hidden(&form.body)[..]), (200, "/"), "{to:?}");
    }
    // A wrong token loses nothing.
    let (again, _) =
        served.send("POST", "/login", &[("Origin", &origin)], "token=x&to=%2Fui%2Fruns");
    assert_eq!((again.status, &hidden(&again.body)[..]), (401, "/ui/runs"));
    assert!(again.body.contains("This is not the token"), "{}", again.body);
    // What would change something is not done by a login.
    let (form, _) = served.send("POST", "/ui/runs/x/pause", &[("Accept", "text/html")], "a=b");
    assert_eq!((form.status, &hidden(&form.body)[..]), (401, "/"));
}

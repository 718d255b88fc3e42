//! The switch between the two sides is turned while requests are answered.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::Place;
use rustix::process::Signal;
use serving::{Answer, SOURCE, Served};

const BEARER: (&str, &str) = ("Authorization", "Bearer secret");
const BOTH: [&str; 6] =
    ["--legacy", "legacy.json", "--normalized", "target", "--token-file", "token"];

/// A legacy source, and a target in which every premise is another one: each answer tells its side.
fn place() -> Place {
    let place = Place::new();
    place.write("token", b"secret");
    place.write("legacy.json", SOURCE);
    let other = std::str::from_utf8(SOURCE).unwrap();
    let other = other.replace("\"premise\": \"p\"", "\"premise\": \"another\"");
    place.write("other.json", other.as_bytes());
    place.expect(0, &["run", "other.json", "target", "--apply", "--in-flight", "include"]);
    place
}

fn post(served: &Served, body: &str) -> Answer {
    served.send("POST", "/admin/persistence", &[BEARER], body).0
}

fn side(served: &Served, target: &str) -> String {
    served.send("GET", target, &[BEARER], "").0.side.unwrap()
}

const TARGETS: [&str; 4] = [
    "/api/novel",
    "/api/novel?status=completed",
    "/api/novel/680000000000000000000000",
    "/api/novel/680000000000000000000000/events",
];

/// What each side alone answers.
fn expected(place: &Place) -> BTreeMap<(&'static str, String), Answer> {
    let of = |side: &str| {
        let args = [&BOTH[..], &["--persistence", side]].concat();
        let served = Served::new(place, &args);
        TARGETS.map(|target| {
            let answer = served.send("GET", target, &[BEARER], "").0;
            assert_eq!((answer.status, answer.side.as_deref()), (200, Some(side)));
            ((target, side.to_owned()), answer)
        })
    };
    let expected: BTreeMap<_, _> = ["legacy", "normalized"].into_iter().flat_map(of).collect();
    for target in [TARGETS[0], TARGETS[2]] {
        let of = |side: &str| &expected[&(target, side.to_owned())].body;
        assert_ne!(of("legacy"), of("normalized"), "the sides are the same");
    }
    expected
}

#[test]
fn a_thousand_turns_drop_and_mix_nothing() {
    const TURNS: usize = 1_000;
    let place = place();
    let expected = expected(&place);
    let mut served = Served::new(&place, &BOTH);
    let heard = served.hear();
    let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let seen = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let (served, expected, is_over, answered) =
                    (&served, &expected, &is_over, &answered);
                scope.spawn(move || {
                    let mut seen = BTreeMap::<String, usize>::new();
                    for target in TARGETS.iter().cycle().skip(client) {
                        if is_over.load(Ordering::Relaxed) {
                            break;
                        }
                        let answer = served.send("GET", target, &[BEARER], "").0;
                        let side = answer.side.clone().unwrap();
                        assert_eq!(answer, expected[&(*target, side.clone())], "{target}");
                        *seen.entry(side).or_default() += 1;
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    seen
                })
            })
            .collect();
        for turn in 0..TURNS {
            let side = ["legacy", "normalized"][turn % 2];
            let answer = post(&served, &format!("{{\"persistence\":\"{side}\"}}"));
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        // A machine that does little at a time has to answer some all the same.
        while answered.load(Ordering::Relaxed) < 200 {
            post(&served, r#"{"persistence":"legacy"}"#);
            post(&served, r#"{"persistence":"normalized"}"#);
        }
        is_over.store(true, Ordering::Relaxed);
        let all = clients.into_iter().map(|client| client.join().unwrap());
        all.fold(BTreeMap::<String, usize>::new(), |mut all, seen| {
            seen.into_iter().for_each(|(side, count)| *all.entry(side).or_default() += count);
            all
        })
    });
    assert_eq!(seen.len(), 2, "{seen:?}");
    let metrics = served.send("GET", "/metrics", &[BEARER], "").0.body;
    let turns = metrics
        .lines()
        .find_map(|line| line.strip_prefix("reshelve_persistence_turns_total{by=\"request\"} "));
    assert!(turns.unwrap().parse::<usize>().unwrap() >= TURNS, "{metrics}");
    assert_eq!(served.end().0, Some(0));
    let told = heard.join().unwrap();
    assert!(told.lines().filter(|line| line.starts_with("audit: ")).count() >= TURNS);
}

#[test]
fn the_switch_is_turned_by_who_has_the_token_and_says_so() {
    let place = place();
    let served = Served::new(&place, &BOTH);
    let rich = "/api/novel/680000000000000000000000";
    let before = served.send("GET", "/admin/persistence", &[BEARER], "").0;
    assert_eq!(
        before.body,
        "{\"schema\":\"reshelve.persistence/1\",\"persistence\":\"normalized\",\"routes\":{},\
         \"normalizedShare\":0,\"fallbacks\":0,\"turns\":{\"request\":0,\"signal\":0}}"
    );
    let to =
        r#"{"persistence":"legacy","routes":{"list":"normalized"},"reason":"a\u001b[31m\nlook"}"#;
    let turned = post(&served, to);
    assert_eq!(turned.status, 200, "{}", turned.body);
    assert!(turned.body.contains(r#""before":{"persistence":"normalized""#), "{}", turned.body);
    assert_eq!([side(&served, rich), side(&served, "/api/novel")], ["legacy", "normalized"]);
    assert_eq!(post(&served, r#"{"normalizedShare":100}"#).status, 200);
    assert_eq!(side(&served, rich), "normalized");
    assert_eq!(post(&served, r#"{"persistence":"legacy"}"#).status, 200);
    assert_eq!([side(&served, rich), side(&served, "/api/novel")], ["legacy", "legacy"]);
    for body in [
        "",
        "x",
        "[]",
        "{}",
        r#"{"reason":"x"}"#,
        r#"{"persistence":"Legacy"}"#,
        r#"{"persistence":"legacy","side":"x"}"#,
        r#"{"routes":{"lists":"legacy"}}"#,
        r#"{"routes":{"list":true}}"#,
        r#"{"normalizedShare":101}"#,
        r#"{"normalizedShare":-1}"#,
        r#"{"normalizedShare":"5"}"#,
        r#"{"persistence":"legacy","reason":5}"#,
    ] {
        let answer = post(&served, body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        assert!(answer.body.contains("\"message\":\""), "{}", answer.body);
    }
    let body = r#"{"persistence":"normalized"}"#;
    let from_elsewhere = [BEARER, ("Origin", "http://evil.example")];
    assert_eq!(served.send("POST", "/admin/persistence", &from_elsewhere, body).0.status, 403);
    assert_eq!(served.send("POST", "/admin/persistence", &[], body).0.status, 401);
    assert_eq!(side(&served, rich), "legacy");
    let (_, told) = served.end();
    let audit: Vec<&str> = told.lines().filter(|line| line.starts_with("audit: ")).collect();
    assert_eq!(audit.len(), 3, "{told}");
    let words = "POST /admin/persistence: persistence from normalized to legacy, list=normalized; \
                 reason: a\\u{1b}[31m\\nlook";
    assert!(audit[0].ends_with(words), "{}", audit[0]);
    assert!(audit[2].ends_with("no reason was given"), "{}", audit[2]);
}

#[test]
fn nothing_is_turned_without_a_token_file_or_with_one_place() {
    let place = place();
    let body = r#"{"persistence":"legacy"}"#;
    let served = Served::new(&place, &BOTH[..4]);
    assert_eq!(served.get("/admin/persistence").status, 200);
    let (refused, _) = served.send("POST", "/admin/persistence", &[BEARER], body);
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("without --token-file"), "{}", refused.body);
    assert_eq!(served.get("/api/novel").side.as_deref(), Some("normalized"));
    let served = Served::new(&place, &["target", "--token-file", "token"]);
    assert_eq!(post(&served, body).status, 409);
    assert_eq!(served.send("GET", "/admin/persistence", &[BEARER], "").0.status, 409);
}

#[test]
fn a_signal_turns_it_as_the_settings_file_says() {
    let place = place();
    // What the process was started with cannot change any more: the file can.
    let args = [&["serve", "--listen", "127.0.0.1:0"], &BOTH[..4]].concat();
    let call = place.call(&args).env("USE_NORMALIZED_PERSISTENCE", "true");
    let mut served = Served::of(call);
    let rich = "/api/novel/680000000000000000000000";
    let mut after = |settings: &str| {
        place.write("reshelve.toml", settings.as_bytes());
        served.signal(Signal::HUP);
        let told = served.line();
        let sides = [rich, "/api/novel"].map(|target| served.get(target).side.unwrap());
        (told, sides.map(|side| side == "normalized"))
    };
    let (told, sides) = after("[serve]\npersistence = \"legacy\"\n");
    assert!(told.starts_with("audit: "), "{told}");
    assert!(
        told.ends_with("SIGHUP: persistence from normalized to legacy, by reshelve.toml"),
        "{told}"
    );
    assert_eq!(sides, [false, false]);
    let (told, sides) = after(
        "[serve]\npersistence = \"legacy\"\npersistence-of = \"list=normalized,events=legacy\"\n",
    );
    assert!(told.contains("to legacy, list=normalized, events=legacy, by"), "{told}");
    assert_eq!(sides, [false, true]);
    let (told, sides) = after("[serve]\nnormalized-share = 100\n");
    assert!(told.contains("normalized for 100 of a hundred jobs"), "{told}");
    assert_eq!(sides, [true, true]);
    let (told, sides) = after("[serve]\nvalidation = \"shipped\"\n");
    assert!(told.contains("names none of persistence, persistence-of"), "{told}");
    assert_eq!(sides, [true, true]);
    for broken in
        ["[serve\n", "[serve]\npersistence = \"both\"\n", "[serve]\npersitence = \"legacy\"\n"]
    {
        let (told, sides) = after(broken);
        assert!(told.starts_with("warning: SIGHUP: reshelve.toml: "), "{told}");
        assert!(told.ends_with("the switch stays as it is"), "{told}");
        assert_eq!(sides, [true, true]);
    }
    let (told, sides) = after("[serve]\npersistence = true\n");
    assert!(told.contains("to normalized, by"), "{told}");
    assert_eq!(sides, [true, true]);
    assert!(
        served.get("/metrics").body.contains("reshelve_persistence_turns_total{by=\"signal\"} 4")
    );
}

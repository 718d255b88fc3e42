//! Runs are held, resumed and stopped through the pages of `serve`: each button first shows what it
//! would do, and nothing is done without the token, a form of this server, and a reason.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/buttons.rs"]
mod buttons;
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[expect(dead_code, reason = "each of these files uses a part of it")]
#[path = "common/serving.rs"]
mod serving;

use buttons::{
    BEARER, confirm, get, looked, mark, place, press, raw_post, read, served, slow, state, status,
};
use common::{Told, until};

#[test]
fn a_run_of_another_process_is_paused_resumed_throttled_and_cancelled() {
    let place = place();
    let run = slow(&place);
    let mut served = served(&place);
    let audit = served.hear();
    let id = place.run();
    let page = get(&served, &format!("/ui/runs/{id}"));
    for offered in ["/pause", "/throttle", "/cancel"] {
        assert!(page.contains(&format!("/ui/runs/{id}{offered}\"")), "{offered}: {page}");
    }
    assert!(!page.contains(&format!("/ui/runs/{id}/rollback\"")), "{page}");
    let forecast = press(&served, &id, "pause");
    assert!(forecast.contains("It would wait after the batch at work"), "{forecast}");
    until("it is paused", || state(&place) == "paused");
    let held = read(&place);
    let shown = get(&served, &format!("/ui/runs/{id}"));
    assert!(shown.contains("It is paused.") && shown.contains("rehearsed twice"), "{shown}");
    assert_eq!(read(&place), held, "a paused run reads nothing");
    press(&served, &id, "resume");
    until("it goes on", || read(&place) > held);
    let page = get(&served, &format!("/ui/runs/{id}/throttle"));
    assert!(page.contains("at most 5 documents/s") && !page.contains("name=\"mark\""), "{page}");
    let changed = "throttle?docs=7&kib=64&write=off";
    let page = looked(&served, &id, changed);
    assert!(page.contains("It would keep: at most 7 documents/s, 64.0 KiB/s"), "{page}");
    // What was shown is what is done.
    let other = confirm(&served, &id, changed, &page, "docs=70000&reason=x");
    assert_eq!(other.status, 403, "{}", other.body);
    let fields = "docs=7&kib=64&write=off&reason=x";
    assert_eq!(confirm(&served, &id, changed, &page, fields).status, 303);
    assert_eq!(status(&place)["throttle"]["max_docs_per_s"], 7);
    assert_eq!(status(&place)["throttle"]["max_bytes_per_s"], 65_536);
    let forecast = press(&served, &id, "cancel");
    assert!(forecast.contains("cannot be resumed"), "{forecast}");
    Told::of("the run".to_owned(), run.wait_with_output().unwrap()).expect(1);
    assert_eq!(state(&place), "cancelled");
    served.end();
    let audit = audit.join().unwrap();
    for word in ["pause", "resume", "throttle", "cancel"] {
        let line = format!("POST /ui/runs/{id}/{word}: asked; reason: ");
        assert!(
            audit.lines().any(|it| it.starts_with("audit: 20") && it.contains(&line)),
            "{audit}"
        );
    }
}

#[test]
fn a_killed_run_is_resumed_by_the_server_with_the_same_outcome() {
    let place = place();
    let mut run = slow(&place);
    run.kill().unwrap();
    run.wait().unwrap();
    place.expect(0, &["throttle", "latest", "--max-docs-per-s", "off"]);
    let served = served(&place);
    let id = place.run();
    let forecast = press(&served, &id, "resume");
    assert!(forecast.contains("This server would go on with it"), "{forecast}");
    until("it is done", || state(&place) == "done");
    until("its end is shown", || {
        get(&served, &format!("/ui/runs/{id}")).contains("The run is done")
    });
    place.expect(0, &["verify", "made.bson", "target"]);
}

#[test]
fn a_run_at_work_in_the_server_ends_in_order_with_it() {
    let place = place();
    let mut run = slow(&place);
    run.kill().unwrap();
    run.wait().unwrap();
    let served = served(&place);
    let id = place.run();
    let before = read(&place);
    press(&served, &id, "resume");
    until("it goes on", || read(&place) > before);
    let page = get(&served, &format!("/ui/runs/{id}"));
    assert!(page.contains("This server is at work on it (resume)"), "{page}");
    let (code, told) = served.end();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("resume of the run"), "{told}");
    assert_eq!(state(&place), "interrupted");
    // A server that works on it can be told to stop that alone.
    let served = self::served(&place);
    press(&served, &id, "resume");
    until("it is at work", || status(&place)["at_work"] == true);
    press(&served, &id, "stop");
    until("it stopped", || state(&place) == "interrupted");
    place.expect(0, &["resume", "latest", "--max-docs-per-s", "off"]);
    place.expect(0, &["verify", "made.bson", "target"]);
}

#[test]
fn nothing_is_done_without_the_token_a_form_of_this_server_and_a_reason() {
    let place = place();
    place.expect(0, &["run", "made.bson", "target", "--apply"]);
    let served = served(&place);
    let id = place.run();
    let page = looked(&served, &id, "rollback");
    let mark = mark(&page);
    let before = place.tree("");
    let address = format!("/ui/runs/{id}/rollback");
    let post = |headers: &[(&str, &str)], body: &str| {
        let answer = served.send("POST", &address, headers, body).0;
        common::assert_same(&before, &place.tree(""), &format!("{headers:?} {body}"));
        answer
    };
    let good = format!("mark={mark}&reason=x");
    assert_eq!(post(&[], &good).status, 401);
    assert_eq!(post(&[("Authorization", "Bearer wrong")], &good).status, 401);
    let origin = format!("http://{}", served.address());
    let login = served.send("POST", "/login", &[("Origin", &origin)], "token=sesame").1;
    let cookie = login.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = ("Cookie", cookie.split(';').next().unwrap());
    assert_eq!(post(&[cookie], &good).status, 403, "a cookie alone");
    assert_eq!(post(&[cookie, ("Origin", "http://evil.example")], &good).status, 403);
    assert_eq!(post(&[BEARER, ("Sec-Fetch-Site", "cross-site")], &good).status, 403);
    let misdirected = raw_post(&served, &id, "rollback", "evil.example", &good);
    assert!(misdirected.contains(" 421 "), "{misdirected}");
    common::assert_same(&before, &place.tree(""), "another host");
    for bad in ["", "mark=&", "mark=00&", &format!("mark={}&", "0".repeat(64))] {
        assert_eq!(post(&[BEARER], &format!("{bad}reason=x")).status, 403, "{bad}");
    }
    let long = "r".repeat(401);
    for reason in ["", "reason=", "reason=++", &format!("reason={long}")] {
        assert_eq!(post(&[BEARER], &format!("mark={mark}&{reason}")).status, 400, "{reason}");
    }
    assert_eq!(post(&[BEARER], &"x".repeat(17 * 1024)).status, 413);
    // A form for another command, or for the run as it was, is none.
    let pause = served.send("POST", &format!("/ui/runs/{id}/resume"), &[BEARER], &good).0;
    assert_eq!(pause.status, 403, "{}", pause.body);
    place.expect(0, &["rollback", "latest", "--apply"]);
    let stale = served.send("POST", &address, &[BEARER], &good).0;
    assert_eq!(stale.status, 403, "{}", stale.body);
}

#[test]
fn a_hostile_reason_is_inert() {
    let place = place();
    let mut run = slow(&place);
    let mut served = served(&place);
    let audit = served.hear();
    let id = place.run();
    let page = looked(&served, &id, "pause");
    let reason = "reason=%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE%00%1B%5B31m%0Aaudit:+forged";
    assert_eq!(confirm(&served, &id, "pause", &page, reason).status, 303);
    let shown = get(&served, &format!("/ui/runs/{id}"));
    assert!(
        shown.contains("&lt;script&gt;alert(1)") && !shown.contains("<script>alert"),
        "{shown}"
    );
    for turning in ['\u{202e}', '\0', '\u{1b}'] {
        assert!(!shown.contains(turning));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    served.end();
    let audit = audit.join().unwrap();
    assert!(audit.lines().all(|line| !line.starts_with("audit: forged")), "{audit}");
    assert!(audit.contains("\\u{1b}[31m"), "{audit}");
}

#[test]
fn what_this_server_cannot_open_again_is_told() {
    let place = place();
    let documents = place.read("made.bson");
    let args = ["run", "-", "target", "--apply", "--in-flight", "include"];
    let slow = ["--max-docs-per-s", "5", "--checkpoint-bytes", "1"];
    let mut run = place.call(&common::with(&args, &slow)).spawn(true);
    let mut stdin = run.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, &documents).unwrap();
    drop(stdin);
    until("there is a checkpoint", || !place.runs().is_empty() && read(&place) > 0);
    run.kill().unwrap();
    run.wait().unwrap();
    let served = served(&place);
    let id = place.run();
    let answer = served.send("GET", &format!("/ui/runs/{id}/resume"), &[BEARER], "").0;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("came through a pipe"), "{}", answer.body);
    assert!(answer.body.contains(&format!("reshelve resume {id} --source")), "{}", answer.body);
    // Taking it back needs no source.
    press(&served, &id, "rollback");
    until("it is rolled back", || state(&place) == "rolled-back");
}

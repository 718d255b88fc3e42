//! A live target that is read back through a connection that breaks: reading continues, and gives
//! what an undisturbed reading gives.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use mongodb::bson::{Document, doc};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/proxy.rs"]
#[expect(dead_code, unused_imports, reason = "each of these files uses a part of it")]
mod proxy;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use live::{Database, Server, wait};
use proxy::{Act, Proxy, Turn, on};
use rehearsal::{APPLY, Rehearsal, json};

/// More than one reply of a server.
const DOCUMENTS: u32 = 2_500;

fn filled(rehearsal: &Rehearsal, server: &Server) -> Database {
    let target = rehearsal.target(server);
    let run = [&["run", "jobs.bson", &target.uri], &APPLY[..]].concat();
    rehearsal.place.expect(0, &run);
    target
}

/// Disturbs what is read of the jobs, and of the metadata, which restore reads beside them.
fn disturb(proxy: &Proxy) {
    proxy.rule(on("find").of("novel_jobs"), Turn::Nth(1), Act::CutBefore);
    proxy.rule(on("getMore").of("novel_jobs"), Turn::Nth(1), Act::CutAfter);
    let lost = Act::Refuse { code: 43, message: "the cursor is gone" };
    proxy.rule(on("getMore").of("novel_jobs"), Turn::Nth(2), lost.clone());
    proxy.rule(on("getMore").of("novel_job_metadata"), Turn::Nth(1), lost);
    proxy.rule(on("getMore").of("novel_job_events"), Turn::Nth(1), Act::TruncateReply(99));
}

#[test]
fn a_connection_that_breaks_changes_nothing_of_what_is_read_back() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(DOCUMENTS, "small");
    let place = &rehearsal.place;
    let target = filled(&rehearsal, &server);
    let Some(uri) = target.uri_of_one_server() else { return };
    place.expect(0, &["restore", &target.uri, "expected.bson"]);
    for (what, args) in [
        ("checksums", vec!["checksums", "", "--json"]),
        ("verify", vec!["verify", "jobs.bson", "", "--json"]),
        ("restore", vec!["restore", "", "back.bson"]),
    ] {
        let expected: Vec<&str> =
            args.iter().map(|arg| if arg.is_empty() { &target.uri } else { *arg }).collect();
        let expected = place.expect(0, &expected).stdout;
        std::fs::remove_file(place.path("back.bson")).ok();
        let proxy = Proxy::start(&uri);
        disturb(&proxy);
        let args: Vec<&str> =
            args.iter().map(|arg| if arg.is_empty() { proxy.uri() } else { *arg }).collect();
        let told = place.expect(0, &args).stdout;
        let log = proxy.log();
        assert!(log.of("getMore", "novel_jobs").len() > 2, "{what}: nothing was disturbed");
        for find in log.of("find", "novel_jobs") {
            assert!(!find.request.body.contains_key("noCursorTimeout"), "{what}");
        }
        if what == "restore" {
            assert!(place.read("back.bson") == place.read("expected.bson"), "{told}");
            continue;
        }
        // By another way the target is another place, and which run filled it is not known.
        let strip = |text: &str| {
            let text = text.replace(proxy.uri(), "").replace(&target.uri, "");
            let mut answer: serde_json::Value = serde_json::from_str(&text).unwrap();
            for field in ["options_from", "runs"] {
                answer.as_object_mut().unwrap().remove(field);
            }
            answer
        };
        assert!(strip(&told) == strip(&expected), "{what}: {told}");
    }
}

#[test]
fn what_changed_while_the_connection_was_gone_is_not_read_as_one() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(DOCUMENTS, "small");
    let target = filled(&rehearsal, &server);
    let Some(uri) = target.uri_of_one_server() else { return };
    let proxy = Proxy::start(&uri);
    let hold = proxy.rule(on("getMore").of("novel_jobs"), Turn::Nth(1), Act::HoldReply);
    let cut = Act::Refuse { code: 43, message: "the cursor is gone" };
    proxy.rule(on("getMore").of("novel_jobs"), Turn::Nth(2), cut);
    let child = rehearsal.place.call(&["checksums", proxy.uri(), "--json"]).spawn(true);
    hold.wait_until_acted();
    let jobs = target.handle.collection::<Document>("novel_jobs");
    let first = wait(jobs.find_one(doc! {})).unwrap().expect("there are jobs");
    wait(jobs.delete_one(doc! { "_id": first.get_object_id("_id").unwrap() })).unwrap();
    hold.release();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    for words in ["novel_jobs", "not there as it was", "run the command again"] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    let told = json(&rehearsal.place.expect(0, &["checksums", &target.uri, "--json"]));
    let jobs = &told["collections"]["novel_jobs"]["documents"];
    assert_eq!(jobs.as_u64(), Some(u64::from(DOCUMENTS) - 1));
}

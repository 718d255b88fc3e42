//! A live run when something breaks: errors of the server, each that passes and each that does
//! not, lost connections, killed processes, a killed server, a lease that is taken over.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::time::Duration;

use mongodb::bson::{Document, doc};

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use common::counts::{Ended, count};
use live::{Server, wait};
use rehearsal::{APPLY, Rehearsal, json, signal, wait_for};

#[test]
fn what_passes_is_tried_again() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let place = &rehearsal.place;
    let legacy = rehearsal.legacy(&server);
    let label = ["RetryableWriteError"];
    for (commands, mode, data) in [
        (&["insert"][..], doc! { "times": 3 }, doc! { "closeConnection": true }),
        (&["insert"], doc! { "skip": 2 }, doc! { "closeConnection": true }),
        (&["insert"], doc! { "times": 2 }, doc! { "errorCode": 91, "errorLabels": label }),
        (&["insert"], doc! { "times": 2 }, doc! { "errorCode": 9001 }),
        (
            &["insert"],
            doc! { "times": 2 },
            doc! { "writeConcernError": { "code": 64, "errmsg": "waiting for replication" } },
        ),
        // Refused as a whole, by a server that takes each part.
        (&["insert"], doc! { "times": 1 }, doc! { "errorCode": 2 }),
        (&["findAndModify"], doc! { "times": 2 }, doc! { "errorCode": 6 }),
        (&["delete"], doc! { "times": 2 }, doc! { "closeConnection": true }),
        (&["find"], doc! { "times": 3 }, doc! { "errorCode": 262 }),
        (&["getMore"], doc! { "times": 2 }, doc! { "closeConnection": true }),
        (&["getMore"], doc! { "times": 2 }, doc! { "errorCode": 43 }),
        (&["getMore"], doc! { "times": 1 }, doc! { "errorCode": 239 }),
    ] {
        let what = format!("{commands:?} {data}");
        let target = rehearsal.target(&server);
        // A failpoint that skips goes on for ever: it is there for one batch in the middle.
        let is_skip = mode.contains_key("skip");
        let reads = commands.contains(&"find") || commands.contains(&"getMore");
        let broken = if reads { &legacy } else { &target };
        let Some(fault) = broken.fail(commands, mode, data) else { return };
        let from = if reads { &legacy.uri } else { "jobs.bson" };
        let call =
            place.call(&[&["run", from, &target.uri, "--batch-docs", "20"], &APPLY[..]].concat());
        if is_skip {
            let child = call.spawn(false);
            std::thread::sleep(Duration::from_millis(700));
            drop(fault);
            let ended = child.wait_with_output().unwrap();
            assert_eq!(ended.status.code(), Some(0), "{what}");
        } else {
            call.expect(0);
            drop(fault);
        }
        rehearsal.expect_whole(&target, &what);
        count("an error of the server that passes", "live", Ended::same(1));
    }
}

#[test]
fn what_does_not_pass_is_a_clear_stop_and_can_be_gone_on_with() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(60, "small");
    let place = &rehearsal.place;
    let legacy = rehearsal.legacy(&server);
    let unsatisfiable = doc! { "code": 100, "errmsg": "not enough members" };
    for (commands, mode, data, words) in [
        (&["insert"][..], doc! { "skip": 5 }, doc! { "errorCode": 13 }, "novel_job"),
        (&["insert"], doc! { "skip": 5 }, doc! { "errorCode": 2 }, "novel_job"),
        (&["insert"], doc! { "skip": 2 }, doc! { "errorCode": 14031 }, "disk"),
        (
            &["insert"],
            doc! { "skip": 0 },
            doc! { "writeConcernError": unsatisfiable },
            "not enough",
        ),
        (&["find"], doc! { "skip": 0 }, doc! { "errorCode": 13 }, "jobs"),
    ] {
        let what = format!("{commands:?} {data}");
        let target = rehearsal.target(&server);
        let reads = commands.contains(&"find");
        let broken = if reads { &legacy } else { &target };
        let from = if reads { &legacy.uri } else { "jobs.bson" };
        let Some(fault) = broken.fail(commands, mode, data) else { return };
        let args = [&["run", from, &target.uri, "--batch-docs", "10"], &APPLY[..]].concat();
        let before = place.runs().len();
        let told = place.expect(1, &args);
        assert!(told.stderr.contains(words), "{what}: {}", told.stderr);
        assert!(told.stderr.contains("reshelve resume"), "{what}: {}", told.stderr);
        drop(fault);
        assert_eq!(place.runs().len(), before + 1);
        let run = place.runs().pop().unwrap();
        place.expect(0, &["resume", &run]);
        rehearsal.expect_whole(&target, &what);
        assert!(!target.has_lease(), "{what}");
        count("an error of the server that does not pass, then resume", "live", Ended::same(1));
    }
}

#[test]
fn an_error_that_no_document_is_known_to_cause_rejects_none() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(20, "small");
    let place = &rehearsal.place;
    // Writes that are blocked, two errors in general, and one that nobody has heard of.
    for (code, batch) in [(371, "1"), (371, "10"), (8, "1"), (96, "1"), (99_999, "4")] {
        let target = rehearsal.target(&server);
        let data = doc! { "errorCode": code };
        let Some(fault) = target.fail(&["insert"], doc! { "skip": 5 }, data) else { return };
        let args = ["run", "jobs.bson", &target.uri, "--batch-docs", batch];
        let told = place.expect(1, &[&args[..], &APPLY].concat());
        let named = format!("code {code}");
        let told = told.says(&[&named, "the document with _id", "of the job", "reshelve resume"]);
        drop(fault);
        let run = place.runs().pop().unwrap();
        let rejects = place.read(&format!(".reshelve/runs/{run}/rejects.jsonl"));
        assert!(rejects.is_empty(), "{code}: {}", told.stderr);
        place.expect(0, &["resume", &run]);
        rehearsal.expect_whole(&target, &named);
        count("an error that no document causes, then resume", "live", Ended::same(1));
    }
}

#[test]
fn a_run_is_stopped_and_gone_on_with() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(300, "small");
    let place = &rehearsal.place;
    let legacy = rehearsal.legacy(&server);
    let target = rehearsal.target(&server);
    let call = [&["run", &legacy.uri, &target.uri, "--batch-docs", "2"], &APPLY[..]].concat();
    let mut child = place.call(&call).spawn(false);
    wait_for(&target, 20, &mut child);
    signal(&child, "INT");
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(6));
    let run = place.runs().pop().unwrap();
    let status = json(&place.expect(0, &["status", &run, "--json"]));
    let written = status["documents"]["written"].as_u64().unwrap();
    assert_eq!(written, target.count("novel_jobs"), "what is told is there");
    // The lease is left: another run is told what to do.
    let other = [&["run", "jobs.bson", &target.uri, "--allow-existing"], &APPLY[..]].concat();
    place.expect(3, &other).says(&["has not finished", &run, "--take-over"]);
    let told = json(&place.expect(0, &["resume", &run, "--json"]));
    assert_eq!(told["documents"]["read"], 300);
    assert_eq!(told["documents"]["written"], 300);
    rehearsal.expect_whole(&target, "resumed");
    place.expect(0, &["verify", &legacy.uri, &target.uri, "--run", &run]);
}

#[test]
fn twenty_kills_of_the_tool_leave_no_trace() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(400, "small");
    let place = &rehearsal.place;
    let legacy = rehearsal.legacy(&server);
    let mut kills = 0;
    for from in ["jobs.bson", &legacy.uri].iter().cycle() {
        if kills >= 20 {
            break;
        }
        let target = rehearsal.target(&server);
        let before = place.runs().len();
        let often = ["--batch-docs", "4", "--checkpoint-bytes", "20KB"];
        let first = [&["run", from, &target.uri], &APPLY[..], &often[..]].concat();
        loop {
            let mut child = match place.runs().get(before) {
                None => place.call(&first).spawn(false),
                Some(run) => place.call(&[&["resume", run], &often[..]].concat()).spawn(false),
            };
            let goal = target.count("novel_jobs") + 30 + kills % 7;
            if !wait_for(&target, goal, &mut child) {
                assert_eq!(child.wait().unwrap().code(), Some(0), "{kills} kills");
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        rehearsal.expect_whole(&target, &format!("{kills} kills"));
        let totals = json(&place.expect(0, &["status", &place.runs()[before], "--json"]));
        assert_eq!(totals["documents"]["written"], 400, "{totals}");
    }
    count(
        "kill -9 of a run or a resumed run at any moment",
        "live",
        Ended::same(usize::try_from(kills).unwrap()),
    );
}

#[test]
fn ten_kills_of_the_server_lose_nothing() {
    let Some(mut server) = Server::start(&[]) else { return };
    let rehearsal = Rehearsal::new(400, "small");
    let place = &rehearsal.place;
    let mut kills = 0;
    while kills < 10 {
        let target = server.database();
        place.expect(0, &["indexes", "up", &target.uri]);
        let before = place.runs().len();
        let often = ["--batch-docs", "4", "--checkpoint-bytes", "20KB"];
        let first = [&["run", "jobs.bson", &target.uri], &APPLY[..], &often[..]].concat();
        let mut child = place.call(&first).spawn(false);
        loop {
            let goal = target.count("novel_jobs") + 60 + kills % 7;
            if kills < 10 && wait_for(&target, goal, &mut child) {
                server.kill();
                server.restart(&[]);
                kills += 1;
                continue;
            }
            match child.wait().unwrap().code() {
                Some(0) => break,
                code => assert_eq!(code, Some(1), "{kills} kills"),
            }
            let run = place.runs()[before].clone();
            child = place.call(&[&["resume", &run], &often[..]].concat()).spawn(false);
        }
        rehearsal.expect_whole(&target, &format!("{kills} kills of the server"));
    }
    count(
        "kill -9 of the server during a run",
        "live",
        Ended::same(usize::try_from(kills).unwrap()),
    );
}

#[test]
fn a_lease_that_expired_is_taken_over_and_the_first_process_stops() {
    let Some(server) = Server::shared() else { return };
    let rehearsal = Rehearsal::new(400, "small");
    let place = &rehearsal.place;
    let target = rehearsal.target(&server);
    let call = [&["run", "jobs.bson", &target.uri, "--batch-docs", "2"], &APPLY[..]].concat();
    let mut first = place.call(&call).spawn(true);
    wait_for(&target, 10, &mut first);
    signal(&first, "STOP");
    let take_over = [&["run", "jobs.bson", &target.uri, "--take-over"], &APPLY[..]].concat();
    place.expect(3, &take_over).says(&["another run is writing", "expires"]);
    // A minute later, by the server's clock.
    let runs = target.handle.collection::<Document>("reshelve_runs");
    let lease = wait(runs.find_one(doc! { "_id": "lock" })).unwrap().expect("there is a lease");
    assert_eq!(lease.get_str("run").unwrap(), place.runs()[0]);
    let earlier = doc! { "$set": { "expires": mongodb::bson::DateTime::from_millis(0) } };
    wait(runs.update_one(doc! { "_id": "lock" }, earlier)).unwrap();
    let told = json(&place.expect(0, &[&take_over[..], &["--json"]].concat()));
    assert!(told["documents"]["unchanged"].as_u64().unwrap() >= 10, "{told}");
    rehearsal.expect_whole(&target, "taken over");
    // While it stands still, nobody else may resume its run.
    place.expect(3, &["resume", &place.runs()[0]]).says(&["at work"]);
    signal(&first, "CONT");
    let ended = first.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("taken over"), "{said}");
    rehearsal.expect_whole(&target, "after the first process");
    // What the first run had begun is the other's now.
    place.expect(3, &["resume", &place.runs()[0]]).says(&["lease is gone", "--allow-existing"]);
    rehearsal.expect_whole(&target, "after it was refused");
    count("SIGSTOP until the lease is taken over, then SIGCONT", "live", Ended::refused(1));
}

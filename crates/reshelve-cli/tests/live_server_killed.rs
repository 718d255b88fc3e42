//! The server is killed under a run that replaces, and under rollbacks: whatever it had acknowledged
//! counts, and the outcome is the same.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::collections::BTreeSet;
use std::process::Child;
use std::time::Duration;

use mongodb::bson::RawDocument;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use common::counts::{Ended, count};
use live::{Database, Server};
use rehearsal::{APPLY, Rehearsal};

const COLLECTIONS: [&str; 4] =
    ["novel_jobs", "novel_job_events", "novel_job_metrics", "novel_job_metadata"];
/// How often the server is killed under each command.
const KILLS: u32 = 5;

/// Expects the documents that were there before; says which are not.
fn expect_back(target: &Database, before: &BTreeSet<(&str, Vec<u8>)>, what: &str) {
    let after = target.documents(&COLLECTIONS);
    let named = |(name, document): &(&str, Vec<u8>)| {
        format!("{name} {:?}", RawDocument::from_bytes(document.as_slice()).map(|it| it.get("_id")))
    };
    let lost: Vec<String> = before.difference(&after).map(named).collect();
    let left: Vec<String> = after.difference(before).map(named).collect();
    assert!(lost.is_empty() && left.is_empty(), "{what}: lost {lost:#?}, left {left:#?}");
}

/// Begins a command, and again when it failed, to its end, while the server is killed again and
/// again.
fn to_the_end(server: &mut Server, begin: impl Fn() -> Child) -> usize {
    let mut kills = 0;
    let mut child = begin();
    loop {
        // Other moments each time, and none of them matters.
        std::thread::sleep(Duration::from_millis(40 + u64::from(kills) * 37));
        match child.try_wait().unwrap().map(|status| status.code()) {
            Some(Some(0)) => return usize::try_from(kills).unwrap(),
            Some(code) => {
                assert_eq!(code, Some(1), "{kills} kills");
                child = begin();
            }
            None if kills < KILLS => {
                server.kill();
                server.restart(&[]);
                kills += 1;
            }
            None => {}
        }
    }
}

#[test]
fn a_run_that_replaces_and_its_rollback_survive_kills_of_the_server() {
    let Some(mut server) = Server::start(&[]) else { return };
    let rehearsal = Rehearsal::new(200, "small");
    let place = &rehearsal.place;
    let target = server.database();
    place.expect(0, &["indexes", "up", &target.uri]);
    place.expect(0, &[&["run", rehearsal.older(), &target.uri], &APPLY[..]].concat());
    let before = target.documents(&COLLECTIONS);

    let often = ["--batch-docs", "4", "--checkpoint-bytes", "20KB"];
    let run = [&["run", "jobs.bson", &target.uri, "--replace"], &APPLY[..], &often[..]].concat();
    let resume = [&["resume", "latest"], &often[..]].concat();
    let runs = place.runs().len();
    // The first server may be gone before there is a run that could be resumed.
    let kills = to_the_end(&mut server, || {
        let has_begun = place.runs().len() > runs;
        place.call(if has_begun { &resume } else { &run }).spawn(false)
    });
    rehearsal.expect_whole(&target, &format!("{kills} kills"));
    count("kill -9 of the server under a run that replaces", "live", Ended::same(kills));

    let back = || place.call(&["rollback", "latest", "--apply"]).spawn(false);
    let kills = to_the_end(&mut server, back);
    expect_back(&target, &before, &format!("{kills} kills of the server under the rollback"));
    assert!(!target.has_lease());
    count("kill -9 of the server under a rollback that puts back", "live", Ended::same(kills));
}

#[test]
fn a_rollback_to_an_empty_target_survives_kills_of_the_server() {
    let Some(mut server) = Server::start(&[]) else { return };
    let rehearsal = Rehearsal::new(400, "small");
    let place = &rehearsal.place;
    let target = server.database();
    place.expect(0, &["indexes", "up", &target.uri]);
    place.expect(0, &[&["run", "jobs.bson", &target.uri], &APPLY[..]].concat());
    let back = || place.call(&["rollback", "latest", "--apply"]).spawn(false);
    let kills = to_the_end(&mut server, back);
    for collection in COLLECTIONS {
        assert_eq!(target.count(collection), 0, "{collection}, {kills} kills");
    }
    assert!(!target.has_lease());
    count("kill -9 of the server under a rollback", "live", Ended::same(kills));
}

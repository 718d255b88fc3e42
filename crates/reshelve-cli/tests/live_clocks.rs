//! The clock of the server jumps, by which leases expire, while a run writes there.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

#[path = "common/clock.rs"]
mod clock;
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/live.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod live;
#[path = "common/rehearsal.rs"]
#[expect(dead_code, reason = "each of these files uses a part of it")]
mod rehearsal;

use clock::Clock;
use common::counts::{Ended, count};
use common::{Told, until};
use live::Server;
use rehearsal::{APPLY, Rehearsal};

const JUMPS: [&str; 4] = ["+2h", "-2h", "+10y", "-1d"];

#[test]
fn a_run_goes_on_whatever_the_clock_of_the_server_says() {
    let rehearsal = Rehearsal::new(200, "small");
    let place = &rehearsal.place;
    let Some(clock) = Clock::new(place.path("clock")) else { return };
    let Some(server) = Server::start_by(&clock.program(), &[]) else { return };
    let target = server.database();
    place.expect(0, &["indexes", "up", &target.uri]);
    let slow = ["--max-docs-per-s", "40", "--checkpoint-bytes", "1"];
    let args = [&["run", "jobs.bson", &target.uri], &APPLY[..], &slow[..]].concat();
    let run = place.call(&args).spawn(false);
    for jump in JUMPS {
        let before = target.count("novel_jobs");
        until("it goes on", || target.count("novel_jobs") > before);
        clock.move_by(jump);
    }
    place.expect(0, &["throttle", "latest", "--max-docs-per-s", "off"]);
    Told::of("the run".to_owned(), run.wait_with_output().unwrap()).expect(0);
    rehearsal.expect_whole(&target, "a run under a server whose clock jumps");
    assert!(!target.has_lease());
    count("a jump of the server's clock under a run", "live", Ended::same(JUMPS.len()));
}

#[test]
fn a_lease_that_a_jump_makes_old_or_new_loses_nothing() {
    for (jump, is_free) in [("+2h", true), ("-2h", false)] {
        let rehearsal = Rehearsal::new(200, "small");
        let place = &rehearsal.place;
        let Some(clock) = Clock::new(place.path("clock")) else { return };
        let Some(server) = Server::start_by(&clock.program(), &[]) else { return };
        let target = server.database();
        place.expect(0, &["indexes", "up", &target.uri]);
        let args = [&["run", "jobs.bson", &target.uri], &APPLY[..], &["--max-docs-per-s", "40"]];
        let mut first = place.call(&args.concat()).spawn(false);
        until("it has written", || target.count("novel_jobs") > 0);
        first.kill().unwrap();
        first.wait().unwrap();
        clock.move_by(jump);
        // Another run may take over once the lease has expired by the clock of the server.
        let take_over = [&["run", "jobs.bson", &target.uri, "--take-over"], &APPLY[..]].concat();
        place.expect(if is_free { 0 } else { 3 }, &take_over);
        if !is_free {
            let first = place.runs().remove(0);
            place.expect(0, &["resume", &first, "--max-docs-per-s", "off"]);
        }
        rehearsal.expect_whole(&target, jump);
    }
    count("a jump of the server's clock after a kill", "live", Ended::same(2));
}

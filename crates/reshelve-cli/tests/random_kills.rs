//! Fifty kills at any moment: a run that is killed and resumed again and again ends with the
//! bytes of one that nobody disturbed.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends there")]

use std::process::Child;

#[expect(dead_code, reason = "each of these files uses a part of it")]
mod common;
#[path = "common/cut_off.rs"]
mod cut_off;

use common::counts::{Ended, count};
use common::{Place, mixed_source};
use cut_off::outcome_after_kills;

const KILLS: usize = 50;

/// The same numbers every time: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn fifty_kills_leave_no_trace() {
    let source = Place::new();
    source.write("source.bson", &mixed_source(&source, 420, "large"));
    let path = source.path("source.bson");
    let path = path.to_str().unwrap();
    for (compression, seed, kills) in [(&[][..], 1, KILLS), (&["--gzip"], 2, KILLS / 5)] {
        let args = ["run", path, "target", "--apply", "--in-flight", "skip"];
        let args = [args.as_slice(), compression].concat();
        let undisturbed = Place::new();
        undisturbed.expect(4, &args);
        let expected = undisturbed.outcome("target");
        let bytes: usize = expected.target.values().map(Vec::len).sum();
        println!("a target of {bytes} bytes");
        let mut dice = Dice(seed);
        let mut delivered = 0;
        while delivered < kills {
            let place = Place::new();
            while delivered < kills && !is_done(&place) {
                let run = place.runs().pop();
                let call = match &run {
                    Some(run) => place.call(&often(&["resume", run])),
                    None => place.call(&often(&args)),
                };
                let growth = dice.below(bytes as u64 * 2 / kills as u64);
                delivered += usize::from(kill_after(call.spawn(false), &place, growth));
            }
            let told = match place.runs().pop() {
                Some(run) => place.call(&["resume", &run]).finish(),
                None => place.call(&args).finish(),
            };
            assert_eq!(told.code, Some(4), "{}", told.stderr);
            outcome_after_kills(&place, "target")
                .expect_same(&expected, &format!("{delivered} kills"));
        }
        println!("{delivered} kills");
        let ends = if compression.is_empty() { "folder" } else { "gzip folder" };
        count("kill -9 of a run or a resumed run at any moment", ends, Ended::same(delivered));
    }
}

/// With many checkpoints.
fn often<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--batch-docs", "4", "--checkpoint-bytes", "100KB"]].concat()
}

fn is_done(place: &Place) -> bool {
    place.runs().first().is_some_and(|run| {
        let told = place.expect(0, &["status", run, "--json"]);
        told.stdout.contains("\"state\":\"done\"")
    })
}

/// Kills when the target has grown by so many bytes; false where the process ended before.
fn kill_after(mut child: Child, place: &Place, growth: u64) -> bool {
    let before = target_bytes(place);
    while target_bytes(place) < before + growth {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

fn target_bytes(place: &Place) -> u64 {
    let Ok(entries) = std::fs::read_dir(place.path("target/letswriteabook")) else { return 0 };
    // A file may be renamed between two looks.
    entries.flatten().flat_map(|entry| entry.metadata()).map(|metadata| metadata.len()).sum()
}

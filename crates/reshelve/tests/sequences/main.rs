//! Random sequences of runs, kills, resumed runs, rollbacks and what others do meanwhile, on a folder
//! in memory, against a model of what must stand there: after each step the target is what the model
//! says, the journal names every write and no other, and a refusal has changed nothing.
//!
//! A failure is shrunk to a short sequence, and printed with its seed. `RESHELVE_FAULTS=all` tries
//! many more sequences, with a new seed each time; `RESHELVE_SEED` repeats one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod back;
#[path = "../counts/mod.rs"]
#[expect(dead_code, reason = "each of the binaries uses a part of it")]
mod counts;
#[path = "../in_memory/mod.rs"]
mod in_memory;
mod model;
mod runs;
mod steps;
mod target;
mod world;

use std::cell::Cell;

use proptest::test_runner::{Config, RngSeed, TestRunner};
use world::World;

/// How many sequences are tried, in the short form and in the long one.
const SEQUENCES: [u32; 2] = [1_000, 20_000];

#[test]
fn whatever_happens_target_and_journal_are_what_the_model_says() {
    let is_long = std::env::var("RESHELVE_FAULTS").is_ok_and(|value| value == "all");
    let seed = match std::env::var("RESHELVE_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) if is_long => std::process::id().into(),
        Err(_) => 1,
    };
    let config = Config {
        cases: SEQUENCES[usize::from(is_long)],
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let (tried, killed) = (Cell::new(0), Cell::new(0));
    let failed = TestRunner::new(config).run(&steps::sequence(), |(is_compressed, steps)| {
        let mut world = World::new(is_compressed);
        for step in &steps {
            world.take(step);
        }
        tried.set(tried.get() + 1);
        killed.set(killed.get() + world.kills);
        Ok(())
    });
    let ends = "folder and gzip folder, in memory";
    counts::count("a random sequence of steps", ends, counts::Ended::same(tried.get()));
    counts::count("a kill or a loss of power in it", ends, counts::Ended::same(killed.get()));
    if let Err(failure) = failed {
        panic!("RESHELVE_SEED={seed} repeats it: {failure}");
    }
}

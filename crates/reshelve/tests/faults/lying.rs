//! Syncs that lie: a disk says that something is durable, and loses it with its power.
//!
//! What such a disk loses after a run is done, no run can know. While the run is not done, what comes
//! after it finds the loss: the outcome is the same bytes, or a refusal.

use std::panic::{AssertUnwindSafe, catch_unwind};

use reshelve::ends::OnExisting;
use reshelve::run::State;
use reshelve::store::{Fault, Keep, Memory, OperationKind};

use super::counts;
use super::scene::{Scene, run_folder, scenes};
use super::{by_job, outcome};
use reshelve::target_schema::Collection;

/// How many operations after the lie the power goes.
const UNTIL_THE_LOSS: [usize; 4] = [1, 3, 10, 40];

/// Whether the target still holds what it held before the run.
fn holds_what_was_there(scene: &Scene, memory: &Memory) -> bool {
    let path = scene.target().file(Collection::Jobs);
    let jobs = |memory: &Memory| match memory.contents().get(&path) {
        Some(bytes) => by_job(memory, &path, u64::try_from(bytes.len()).unwrap()),
        None => Default::default(),
    };
    let (before, after) = (jobs(&scene.memory()), jobs(memory));
    before.iter().all(|(job, document)| after.get(job) == Some(document))
}

/// Whether the run had said that it was done: what was lost then, nothing of it can know.
fn is_done(memory: &Memory) -> bool {
    let checkpoint = run_folder(memory).and_then(|folder| folder.checkpoint().ok());
    checkpoint.is_some_and(|checkpoint| checkpoint.state == State::Done)
}

#[test]
fn a_sync_that_lied_is_found_out_or_loses_nothing() {
    for scene in scenes() {
        let memory = scene.memory();
        scene.start(&memory).unwrap();
        let expected = outcome(&memory);
        let operations = memory.operations();
        let mut ended = counts::Ended::default();
        for (number, operation) in operations.iter().enumerate() {
            if !matches!(operation.kind, OperationKind::SyncFile | OperationKind::SyncFolder) {
                continue;
            }
            for until in UNTIL_THE_LOSS {
                let what = format!("{}: a lie at {number}, {until} before the loss", scene.name);
                let memory = scene.memory();
                memory.fail_at(number, Fault::LyingSync);
                memory.fail_at(number + until, Fault::Stop);
                let done = scene.start(&memory).is_ok();
                let found = memory.crash(Keep::Durable);
                if done || is_done(&found) {
                    continue;
                }
                let said = catch_unwind(AssertUnwindSafe(|| scene.end(&found)));
                let said = said.unwrap_or_else(|_| panic!("{what}: it panicked"));
                match said {
                    Ok(report) => {
                        assert_eq!(report.checkpoint.state, State::Done, "{what}");
                        assert!(outcome(&found) == expected, "{what}: done, with other bytes");
                        ended.same += 1;
                    }
                    Err(error) => {
                        assert!(!error.to_string().is_empty(), "{what}");
                        let is_kept = scene.on_existing == OnExisting::Replace
                            || holds_what_was_there(&scene, &found);
                        assert!(is_kept, "{what}: what was there is lost: {error}");
                        ended.refused += 1;
                    }
                }
            }
        }
        assert!(ended.same > 0, "{}", scene.name);
        counts::count("a sync lies, then a loss of power", scene.ends_words(), ended);
    }
}

//! Faults while a run is taken back.

use std::sync::atomic::AtomicBool;

use reshelve::dump::Documents;
use reshelve::rollback::{Ended, RollbackReport, RollbackRequest, roll_back};
use reshelve::run::{RunError, State, Throttle};
use reshelve::store::{Fault, Files, Keep, Memory, OperationKind};
use reshelve::target_schema::Collection;

use super::each_fault;
use super::in_memory::Silent;
use super::scene::{Scene, run_folder, scenes};

fn back(scene: &Scene, memory: &Memory) -> Result<RollbackReport, RunError> {
    let folder = run_folder(memory).unwrap();
    let request =
        RollbackRequest { folder, apply: true, edited: None, throttle: Throttle::default() };
    let (_, mut destination) = scene.ends(memory);
    roll_back(&request, &mut destination, &AtomicBool::new(false), &mut Silent)
}

/// The documents of the target, in an order of their own.
fn documents(scene: &Scene, memory: &Memory) -> Vec<Vec<Vec<u8>>> {
    let target = scene.target();
    let of_collection = |collection: Collection| {
        let path = target.file(collection);
        let mut all = Vec::new();
        if let Some(found) = memory.look(&path).unwrap().filter(|found| found.length > 0) {
            let mut documents = Documents::open(memory, &path, found.length).unwrap();
            while let Some(document) = documents.next_document().unwrap() {
                all.push(document.to_vec());
            }
        }
        all.sort();
        all
    };
    Collection::ALL.into_iter().map(of_collection).collect()
}

fn assert_back(scene: &Scene, memory: &Memory, what: &str) {
    let state = run_folder(memory).unwrap().checkpoint().unwrap().state;
    assert_eq!(state, State::RolledBack, "{what}");
    assert!(
        !memory.exists(&scene.target().database().join(".reshelve.lock")).unwrap(),
        "{what}: the lock is left"
    );
    assert_as_before(scene, memory, what);
}

/// Nothing of a rollback rests on what a killed process had not synced, but for its last word.
fn assert_durable(scene: &Scene, memory: &Memory, what: &str) {
    assert_as_before(scene, &memory.crash(Keep::Durable), &format!("{what}, then a loss of power"));
}

fn assert_as_before(scene: &Scene, memory: &Memory, what: &str) {
    let (found, before) = (documents(scene, memory), documents(scene, &scene.memory()));
    for (collection, (found, before)) in Collection::ALL.into_iter().zip(found.iter().zip(&before))
    {
        assert!(found == before, "{what}: {collection}, {} {}", found.len(), before.len());
    }
}

/// The file system as a run leaves it, whole or cut off by the crash at one of its operations.
fn left_by_a_run(scene: &Scene, crash_at: Option<usize>) -> Option<Memory> {
    let memory = scene.memory();
    if let Some(number) = crash_at {
        memory.fail_at(number, Fault::Stop);
    }
    let ended = scene.start(&memory);
    assert!(ended.is_ok() || crash_at.is_some());
    let left = memory.crash(Keep::Everything);
    left.settle();
    let folder = run_folder(&left)?;
    if folder.checkpoint().unwrap().is_finishing {
        // It has to be finished first.
        assert!(matches!(back(scene, &left), Err(RunError::Refused(_))));
        scene.resume(&left, folder).unwrap();
        left.settle();
    }
    Some(left)
}

#[test]
fn whatever_the_file_system_does_a_rollback_ends_where_the_run_began() {
    for scene in scenes() {
        let whole = scene.memory();
        scene.start(&whole).unwrap();
        let operations = whole.operations().len();
        let crashes = (0..operations).step_by(operations / 6).map(Some);
        for crash_at in crashes.chain([None]) {
            let Some(left) = left_by_a_run(&scene, crash_at) else { continue };
            let fresh = || {
                let memory = left.crash(Keep::Everything);
                memory.settle();
                memory
            };
            let memory = fresh();
            let report = back(&scene, &memory).unwrap();
            assert_eq!(report.ended, Ended::RolledBack);
            assert_back(&scene, &memory, scene.name);
            let kinds: Vec<OperationKind> =
                memory.operations().iter().map(|operation| operation.kind).collect();
            let operations = kinds.len();
            each_fault("rollback", scene.ends_words(), operations, |(number, fault), keep| {
                let what = format!(
                    "{}, run cut off at {crash_at:?}: {fault:?} at {number}, {keep:?}",
                    scene.name
                );
                let memory = fresh();
                memory.fail_at(number, fault);
                if back(&scene, &memory).is_ok() {
                    assert_back(&scene, &memory, &what);
                }
                let found = memory.crash(keep);
                let again = back(&scene, &found).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert!(
                    matches!(again.ended, Ended::RolledBack | Ended::Already),
                    "{what}: {:?}",
                    again.ended
                );
                assert_back(&scene, &found, &what);
                // What a failed sync leaves, no later one makes durable.
                let is_sync = kinds[number] == OperationKind::SyncFile;
                let has_failed = match fault {
                    Fault::Error(_) => is_sync,
                    fault => matches!(fault, Fault::Errors(_)),
                };
                if !has_failed {
                    assert_durable(&scene, &found, &what);
                }
            });
        }
    }
}

//! Faults of the file system at every operation of a run, and of a rollback: what they promise holds
//! after each.
//!
//! The file system is one in memory, which fails, tears and stops on demand, and loses what was not
//! synced. Syncs that lie have a file of their own, as more outcomes are right after them. The short
//! form tries each operation with one fault and one crash, the kinds in turn; `RESHELVE_FAULTS=all`
//! tries all of them at each.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../counts/mod.rs"]
#[expect(dead_code, reason = "each of the binaries uses a part of it")]
mod counts;
#[path = "../in_memory/mod.rs"]
mod in_memory;
mod lying;
mod rollback;
mod scene;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use in_memory::{RUNS, TARGET};
use reshelve::dump::Documents;
use reshelve::ends::OnExisting;
use reshelve::folder::Lengths;
use reshelve::run::State;
use reshelve::run::journal::{Reader, Record};
use reshelve::store::{Fault, Keep, Memory};
use reshelve::target_schema::Collection;
use reshelve_core::raw::{Document, Value};
use scene::{Scene, run_folder, scenes};
use twox_hash::XxHash3_128;

/// Calls `try_one` with operations, faults and crashes, as many as the form of the test asks for,
/// and counts them.
fn each_fault(
    what: &str,
    ends: &str,
    operations: usize,
    mut try_one: impl FnMut((usize, Fault), Keep),
) {
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    let all = std::env::var("RESHELVE_FAULTS").is_ok_and(|value| value == "all");
    let keeps: Vec<Keep> = Keep::each(2).collect();
    let faults = || Fault::EACH.into_iter().filter(|fault| !matches!(fault, Fault::LyingSync));
    let kinds = faults().count();
    for number in 0..operations {
        for (kind, fault) in faults().enumerate() {
            for (way, keep) in keeps.iter().enumerate() {
                let in_turn = number % kinds == kind && (number / kinds) % keeps.len() == way;
                if all || in_turn {
                    try_one((number, fault), *keep);
                    *tried.entry(words(fault, *keep)).or_default() += 1;
                }
            }
        }
    }
    for (fault, tried) in tried {
        counts::count(&format!("{what}: {fault}"), ends, counts::Ended::same(tried));
    }
}

/// What went wrong, for people.
fn words(fault: Fault, keep: Keep) -> String {
    let fault = match fault {
        Fault::Error(_) => "one operation fails",
        Fault::Errors(_) => "all operations fail from one on",
        Fault::DiskFull => "the disk is full from one operation on",
        Fault::Tear => "an operation is done in part",
        _ => "the process ends before an operation",
    };
    let keep = match keep {
        Keep::Everything => "a kill",
        Keep::Durable => "a loss of power",
        _ => "a loss of power that spares some of what was not synced",
    };
    format!("{fault}, then {keep}")
}

/// The files of the target, and the rejects of the run.
fn outcome(memory: &Memory) -> BTreeMap<PathBuf, Vec<u8>> {
    let is_outcome = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        path.starts_with(TARGET)
            || name.starts_with("rejects")
            || path.components().any(|part| part.as_os_str() == "undo")
    };
    let named = |path: PathBuf| match path.strip_prefix(RUNS) {
        // Each run has an id of its own.
        Ok(in_runs) => in_runs.components().skip(1).collect(),
        Err(_) => path,
    };
    let files = memory.contents().into_iter().filter(|(path, _)| is_outcome(path));
    files.map(|(path, bytes)| (named(path), bytes)).collect()
}

/// The documents of each job in a collection, back to back, in the first bytes of its file.
fn by_job(memory: &Memory, path: &Path, limit: u64) -> HashMap<Vec<u8>, Vec<u8>> {
    let mut jobs: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    if limit == 0 {
        return jobs;
    }
    let mut documents = Documents::open(memory, path, limit).unwrap();
    while let Some(document) = documents.next_document().unwrap() {
        let job = Document::new(document).get("jobId").and_then(Value::string).unwrap();
        jobs.entry(job.to_vec()).or_default().extend_from_slice(document);
    }
    jobs
}

/// What the journal says of each job, up to the checkpoint, is what the target holds.
fn check_journal(scene: &Scene, memory: &Memory) {
    let Some(folder) = run_folder(memory) else { return };
    let checkpoint = folder.checkpoint().unwrap();
    if checkpoint.journal.records == 0 || checkpoint.is_finishing {
        return;
    }
    let lengths = Lengths::of(&checkpoint.target).unwrap();
    let target = scene.target();
    let standing = Collection::ALL
        .map(|collection| by_job(memory, &target.file(collection), lengths.0[collection.index()]));
    let base = Lengths::of(&folder.plan().unwrap().base.position).unwrap();
    let before = by_job(memory, &target.file(Collection::Jobs), {
        // After the run is done, the files were rewritten.
        if checkpoint.state == State::Done { 0 } else { base.0[0] }
    });
    let mut reader = Reader::of_run(&folder).unwrap();
    // The first record is the header.
    let mut left = checkpoint.journal.records / 128 - 1;
    let mut named = 0;
    let mut is_open = false;
    while left > 0 {
        left -= 1;
        let Some(record) = reader.next_record().unwrap() else { break };
        match record {
            Record::Completed { .. } => is_open = false,
            Record::Withdrawn(_) => panic!("a folder takes every document"),
            Record::Job(job) => {
                is_open = true;
                named += 1;
                let key = |id: &[u8]| blake3::hash(id).as_bytes()[..16] == job.key;
                let id = standing[0].keys().find(|id| key(id)).unwrap();
                if before.contains_key(id) {
                    continue;
                }
                for (collection, standing) in Collection::ALL.into_iter().zip(&standing) {
                    let bytes = standing.get(id).map(Vec::as_slice).unwrap_or_default();
                    let expected = job.target[collection.index()];
                    assert_eq!(XxHash3_128::oneshot(bytes).to_be_bytes(), expected, "{collection}");
                }
            }
        }
    }
    assert!(!is_open, "a checkpoint inside a batch");
    if before.is_empty() && scene.on_existing == OnExisting::Refuse {
        assert_eq!(named, standing[0].len(), "the journal names every job, and no other");
    }
}

#[test]
fn whatever_the_file_system_does_the_outcome_is_the_same_or_a_refusal() {
    for scene in scenes() {
        let memory = scene.memory();
        let report = scene.start(&memory).unwrap();
        assert_eq!(report.checkpoint.state, State::Done);
        check_journal(&scene, &memory);
        let expected = outcome(&memory);
        let operations = memory.operations().len();
        assert!(operations > 40, "{}: {operations}", scene.name);
        each_fault("run", scene.ends_words(), operations, |(number, fault), keep| {
            let what = format!("{}: {fault:?} at {number}, {keep:?}", scene.name);
            try_fault(&scene, (number, fault), keep, &expected, &what);
        });
    }
}

/// Runs into the fault, crashes, and continues to the same outcome.
fn try_fault(
    scene: &Scene,
    (number, fault): (usize, Fault),
    keep: Keep,
    expected: &BTreeMap<PathBuf, Vec<u8>>,
    what: &str,
) {
    let memory = scene.memory();
    memory.fail_at(number, fault);
    let first = scene.start(&memory);
    let found = memory.crash(keep);
    check_journal(scene, &found);
    if first.is_ok() {
        // What is reported as done is done.
        assert_same(&outcome(&memory), expected, what);
    }
    let report = scene.end(&found).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(report.checkpoint.state, State::Done, "{what}");
    assert_same(&outcome(&found), expected, what);
    check_journal(scene, &found);
    // Nor does it need anything that the killed process had not synced.
    let found = found.crash(Keep::Durable);
    let mut after = outcome(&found);
    // That the lock is gone need not be durable: its run says that it is done.
    after.retain(|path, _| !path.ends_with(".reshelve.lock"));
    assert_same(&after, expected, &format!("{what}, then a loss of power"));
}

fn assert_same(
    ended: &BTreeMap<PathBuf, Vec<u8>>,
    expected: &BTreeMap<PathBuf, Vec<u8>>,
    what: &str,
) {
    assert!(ended.keys().eq(expected.keys()), "{what}: {:?}", ended.keys());
    for (path, bytes) in expected {
        assert!(ended[path] == *bytes, "{what}: {}", path.display());
    }
}

//! What is written here survives: every fault at every operation, and every crash after it.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::*;

/// How many mixtures of durable and lost are looked at after each fault.
const MIXTURES: u64 = 12;

const SCHEMA: &str = "test/1";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    schema: String,
    length: u64,
    /// Makes it longer than what a torn write leaves.
    words: Vec<String>,
}

impl State {
    fn new(length: u64) -> Self {
        State { schema: SCHEMA.to_owned(), length, words: vec![length.to_string(); 40] }
    }
}

fn run() -> &'static Path {
    Path::new("/runs/run")
}

/// A file system with a run's folder in it.
fn prepared(prepare: impl Fn(&Memory)) -> Memory {
    let memory = Memory::new();
    memory.create_folders(run()).unwrap();
    prepare(&memory);
    memory.settle();
    memory
}

/// What came of a scenario in which one thing went wrong.
struct Outcome<'o> {
    result: Result<(), DiskError>,
    memory: &'o Memory,
    number: usize,
    fault: Fault,
}

impl Outcome<'_> {
    /// Whether something was said to be durable that is not.
    fn was_lied_to(&self, keep: Keep) -> bool {
        self.fault == Fault::LyingSync && keep != Keep::Everything
    }
}

/// Runs a scenario with every fault at every operation.
fn each_fault(
    prepare: impl Fn(&Memory),
    scenario: impl Fn(&Memory) -> Result<(), DiskError>,
    mut check: impl FnMut(&Outcome<'_>),
) {
    let sound = prepared(&prepare);
    scenario(&sound).unwrap();
    let operations = sound.operations();
    assert!(!operations.is_empty());
    for number in 0..operations.len() {
        for fault in Fault::EACH {
            let memory = prepared(&prepare);
            memory.fail_at(number, fault);
            let result = scenario(&memory);
            assert_eq!(memory.faults_met(), 1, "{fault:?} at {number}");
            check(&Outcome { result, memory: &memory, number, fault });
        }
    }
}

#[test]
fn a_state_file_is_the_old_or_the_new_one_and_never_torn() {
    let path = run().join("state.json");
    let (old, new) = (State::new(1), State::new(2));
    let mut harmed_by_lies = 0;
    each_fault(
        |memory| write_state(memory, &path, &old).unwrap(),
        |memory| write_state(memory, &path, &new),
        |outcome| {
            for keep in Keep::each(MIXTURES) {
                let found = outcome.memory.crash(keep);
                let context = format!("{:?} at {}, {keep:?}", outcome.fault, outcome.number);
                found.remove_leftovers(run()).unwrap();
                assert_eq!(found.list(run()).unwrap(), ["state.json"], "{context}");
                match read_state::<State>(&found, &path, SCHEMA) {
                    Ok(state) if outcome.result.is_ok() && !outcome.was_lied_to(keep) => {
                        assert_eq!(state, new, "{context}");
                    }
                    Ok(state) => assert!(state == old || state == new, "{context}"),
                    Err(error) => {
                        assert!(outcome.was_lied_to(keep), "{context}: {error}");
                        harmed_by_lies += 1;
                    }
                }
            }
        },
    );
    assert!(harmed_by_lies > 0, "a disk that lies about a sync must be able to do harm");
}

#[test]
fn a_replacement_that_failed_before_its_last_step_changed_nothing() {
    let path = run().join("state.json");
    each_fault(
        |memory| memory.replace(&path, b"old").unwrap(),
        |memory| memory.replace(&path, b"new"),
        |outcome| {
            let operations = outcome.memory.operations();
            let last = operations.iter().rposition(|one| one.kind == OperationKind::Rename);
            let is_gentle = matches!(outcome.fault, Fault::Error(_));
            if outcome.result.is_err() && is_gentle && last.is_none_or(|at| outcome.number <= at) {
                assert_eq!(outcome.memory.read(&path, 10).unwrap(), b"old");
                assert_eq!(outcome.memory.list(run()).unwrap(), ["state.json"]);
            }
        },
    );
}

#[test]
fn readers_never_see_a_torn_state() {
    let folder = tempfile::tempdir().unwrap();
    let memory = prepared(|_| {});
    let places: [(&dyn Files, &Path); 2] = [(&memory, run()), (&Disk, folder.path())];
    for (files, folder) in places {
        let path = folder.join("state.json");
        write_state(files, &path, &State::new(0)).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let state: State = read_state(files, &path, SCHEMA).unwrap();
                    assert!(state.length >= last, "a state never goes back");
                    assert_eq!(state, State::new(state.length));
                    last = state.length;
                }
            });
            for length in 1..=50 {
                write_state(files, &path, &State::new(length)).unwrap();
            }
            done.store(true, Ordering::Relaxed);
            reader.join().unwrap();
        });
    }
}

/// What the scenario of the appender writes: more than its buffer holds, in rounds.
fn line(number: u64) -> Vec<u8> {
    let length = usize::try_from(number * 7_919 % 50_000).unwrap();
    let mut line = format!("{number}:").into_bytes();
    line.resize(length + line.len(), b'a' + u8::try_from(number % 26).unwrap());
    line.push(b'\n');
    line
}

const ROUNDS: u64 = 3;
const LINES: u64 = 4;

/// Appends and checkpoints as a run does, from where the checkpoint says.
fn append_rounds(memory: &Memory) -> Result<(), DiskError> {
    let checkpoint = run().join("checkpoint.json");
    let from: State = match read_state(memory, &checkpoint, SCHEMA) {
        Ok(state) => state,
        Err(StateError::Disk(error)) => return Err(error),
        Err(error) => panic!("{error}"),
    };
    let mut appender = Appender::open(memory, &run().join("lines"), from.length)?;
    let handle = appender.handle()?;
    for round in 0..ROUNDS {
        let end: u64 = (0..(round + 1) * LINES).map(|number| length(&line(number))).sum();
        if end <= from.length {
            continue;
        }
        for number in round * LINES..(round + 1) * LINES {
            appender.append(&line(number))?;
        }
        appender.flush()?;
        handle.sync_data()?;
        assert_eq!(appender.length(), end);
        write_state(memory, &checkpoint, &State::new(appender.length()))?;
    }
    Ok(())
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap()
}

#[test]
fn a_file_that_grows_is_resumed_at_its_checkpoint_after_every_crash() {
    let all: Vec<u8> = (0..ROUNDS * LINES).flat_map(line).collect();
    let start = |memory: &Memory| {
        write_state(memory, &run().join("checkpoint.json"), &State::new(0)).unwrap();
    };
    let mut refused = 0;
    each_fault(start, append_rounds, |outcome| {
        for keep in Keep::each(MIXTURES) {
            let context = format!("{:?} at {}, {keep:?}", outcome.fault, outcome.number);
            let found = outcome.memory.crash(keep);
            if outcome.was_lied_to(keep) {
                // What is missing cannot be had any more; what is shorter must be refused.
                refused += usize::from(append_rounds_or_unusable(&found).is_err());
                continue;
            }
            let path = run().join("checkpoint.json");
            let checkpoint: State = read_state(&found, &path, SCHEMA).unwrap();
            let safe = usize::try_from(checkpoint.length).unwrap();
            if safe > 0 {
                let lines = found.read(&run().join("lines"), length(&all)).unwrap();
                assert!(lines[..safe] == all[..safe], "{context}");
            }
            if outcome.result.is_ok() {
                assert_eq!(safe, all.len(), "{context}");
            }
            append_rounds(&found).unwrap();
            found.remove_leftovers(run()).unwrap();
            assert_eq!(found.list(run()).unwrap(), ["checkpoint.json", "lines"], "{context}");
            let lines = found.read(&run().join("lines"), length(&all)).unwrap();
            assert!(lines == all, "{context}");
        }
    });
    assert!(refused > 0, "a file that is shorter than its checkpoint must be refused");
}

/// The same where the checkpoint may be torn too.
fn append_rounds_or_unusable(memory: &Memory) -> Result<(), StateError> {
    read_state::<State>(memory, &run().join("checkpoint.json"), SCHEMA)?;
    Ok(append_rounds(memory)?)
}

#[test]
fn folders_that_were_created_are_there_after_every_crash() {
    let path = Path::new("/one/two/three/file");
    each_fault(
        |_| {},
        |memory| {
            memory.create_folders(Path::new("/one/two/three"))?;
            memory.replace(path, b"bytes")
        },
        |outcome| {
            for keep in Keep::each(MIXTURES) {
                let found = outcome.memory.crash(keep);
                if outcome.result.is_ok() && !outcome.was_lied_to(keep) {
                    assert_eq!(found.read(path, 10).unwrap(), b"bytes", "{keep:?}");
                }
                // Whatever is left can be taken up.
                found.create_folders(Path::new("/one/two/three")).unwrap();
                found.replace(path, b"bytes").unwrap();
                if outcome.fault != Fault::LyingSync {
                    let lost = found.crash(Keep::Durable);
                    assert_eq!(lost.read(path, 10).unwrap(), b"bytes", "{keep:?}, then the power");
                }
            }
        },
    );
}

/// Three ways of replacing a file that are each wrong in one thing: all of them are found out, so
/// the tests above would find it out too.
#[test]
fn a_replacement_without_one_of_its_steps_is_found_out() {
    let path = run().join("state.json");
    let temporary = run().join("temporary");
    type Way<'w> = &'w dyn Fn(&Memory) -> Result<(), DiskError>;
    let in_place: Way<'_> = &|memory| {
        let file = memory.open_at(&path, 0)?;
        file.try_clone()?.put(b"0123456789")?;
        file.sync_all()?;
        memory.sync_folder(run())
    };
    let without_sync: Way<'_> = &|memory| {
        memory.open(&temporary, Open::New)?.put(b"0123456789")?;
        memory.rename(&temporary, &path)?;
        memory.sync_folder(run())
    };
    let without_folder: Way<'_> = &|memory| {
        let mut file = memory.open(&temporary, Open::New)?;
        file.put(b"0123456789")?;
        file.sync_all()?;
        memory.rename(&temporary, &path)
    };
    let right: Way<'_> = &|memory| memory.replace(&path, b"0123456789");
    for (way, is_right) in
        [(in_place, false), (without_sync, false), (without_folder, false), (right, true)]
    {
        let mut wrong = 0;
        each_fault(
            |memory| memory.replace(&path, b"abcdefghij").unwrap(),
            way,
            |outcome| {
                if outcome.fault == Fault::LyingSync {
                    return;
                }
                for keep in Keep::each(MIXTURES) {
                    let bytes = outcome.memory.crash(keep).read(&path, 10).unwrap_or_default();
                    let is_old = bytes == b"abcdefghij" && outcome.result.is_err();
                    wrong += usize::from(!is_old && bytes != b"0123456789");
                }
            },
        );
        // Without a fault, too, the power may be lost right after the last step.
        let memory = prepared(|memory| memory.replace(&path, b"abcdefghij").unwrap());
        way(&memory).unwrap();
        let bytes = memory.crash(Keep::Durable).read(&path, 10).unwrap_or_default();
        wrong += usize::from(bytes != b"0123456789");
        assert_eq!(wrong == 0, is_right);
    }
}

#[test]
fn what_a_failed_sync_lost_stays_lost() {
    let path = run().join("file");
    let memory = prepared(|memory| memory.replace(&path, b"").unwrap());
    let mut file = memory.open(&path, Open::Write).unwrap();
    memory.fail_at(1, Fault::Error(std::io::ErrorKind::Other));
    file.put(b"first").unwrap();
    file.sync_data().unwrap_err();
    file.put(b"second").unwrap();
    file.sync_data().unwrap();
    assert_eq!(memory.read(&path, 20).unwrap(), b"firstsecond");
    let found = memory.crash(Keep::Durable).read(&path, 20).unwrap();
    assert_eq!(found, b"\0\0\0\0\0second");
}

#[test]
fn nothing_answers_after_a_stop_and_a_crash_ends_locks() {
    let path = run().join("file");
    let memory = prepared(|memory| memory.replace(&path, b"bytes").unwrap());
    let mut file = memory.open(&path, Open::Write).unwrap();
    assert_eq!(file.try_lock().unwrap(), Locking::Obtained);
    memory.fail_at(0, Fault::Tear);
    file.write_all(b"BYTES").unwrap_err();
    assert!(memory.look(&path).is_err());
    assert!(memory.read(&path, 10).is_err());
    assert!(memory.list(run()).is_err());
    assert!(file.length().is_err());
    assert!(file.sync_all().is_err());
    assert_eq!(memory.operations().len(), 1);
    let killed = memory.crash(Keep::Everything);
    assert_eq!(killed.read(&path, 10).unwrap(), b"BYtes");
    assert_eq!(memory.crash(Keep::Durable).read(&path, 10).unwrap(), b"bytes");
    // What a killed process wrote is still not durable.
    assert_eq!(killed.crash(Keep::Durable).read(&path, 10).unwrap(), b"bytes");
    let other = killed.open(&path, Open::Write).unwrap();
    assert_eq!(other.try_lock().unwrap(), Locking::Obtained);
}

#[test]
fn a_name_that_moved_is_never_in_two_folders_or_in_none() {
    let [one, other] = [Path::new("/one"), Path::new("/other")];
    let make = || {
        prepared(|memory| {
            memory.create_folders(one).unwrap();
            memory.create_folders(other).unwrap();
            memory.replace(&one.join("file"), b"bytes").unwrap();
        })
    };
    for synced in [None, Some(one), Some(other)] {
        let memory = make();
        memory.rename(&one.join("file"), &other.join("file")).unwrap();
        synced.iter().for_each(|folder| memory.sync_folder(folder).unwrap());
        for keep in Keep::each(MIXTURES) {
            let found = memory.crash(keep);
            let names = [one, other].map(|folder| found.list(folder).unwrap().len());
            assert_eq!(names.iter().sum::<usize>(), 1, "{keep:?}");
            if synced.is_some() {
                assert_eq!(names, [0, 1], "{keep:?}");
            }
        }
    }
}

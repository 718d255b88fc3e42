//! The world of a sequence: the file system, the model, and the runs so far.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use reshelve::ends::{Compression, TargetFolder};
use reshelve::folder::FolderDestination;
use reshelve::run::{Checkpoint, RunFolder, State};
use reshelve::store::{Files, Keep, Memory};
use reshelve_core::mapping::StatusPolicy;

use super::in_memory::{InMemory, RUNS, corpus};
use super::model::{self, Bytes, Effects, Shelf, Strangers};
use super::steps::{DOCUMENTS, Kill, Step};
use super::target;

/// A run that has a folder.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) folder: PathBuf,
    pub(crate) is_applied: bool,
    pub(crate) documents: Vec<Bytes>,
    pub(crate) effects: Effects,
    /// The files of the target, before and after it.
    pub(crate) files: [BTreeMap<PathBuf, Bytes>; 2],
}

/// A step that was cut off by a kill.
#[derive(Clone, Debug)]
pub(crate) struct CutOff {
    /// The run that it was about, by its place among the runs.
    pub(crate) run: usize,
    /// What stood in the target before, and what stands there when it is finished.
    pub(crate) before: Shelf,
    pub(crate) after: Shelf,
    /// Jobs that it looks at.
    pub(crate) jobs: Vec<Bytes>,
    /// Whether the power has gone since it began: then the target may hold what no journal names.
    pub(crate) has_lost_power: bool,
    /// Whether it is a rollback, with that decision on so many edited jobs.
    pub(crate) rollback: Option<super::back::CutOffBack>,
}

pub(crate) struct World {
    pub(crate) memory: Memory,
    pub(crate) target: TargetFolder,
    /// Each legacy document in all its versions, and which of them there is now.
    pool: Vec<([Bytes; 4], usize)>,
    /// What stands in the target; while a step is cut off, what stood there before it.
    pub(crate) shelf: Shelf,
    pub(crate) strangers: Strangers,
    pub(crate) runs: Vec<Run>,
    pub(crate) cut_off: Option<CutOff>,
    /// How many steps were cut off.
    pub(crate) kills: usize,
    number: u8,
}

impl World {
    pub(crate) fn new(is_compressed: bool) -> Self {
        let compression = if is_compressed { Compression::Gzip } else { Compression::None };
        World {
            memory: Memory::new(),
            target: target::folder(compression),
            pool: POOL.iter().map(|versions| (versions.clone(), 0)).collect(),
            shelf: Shelf::default(),
            strangers: Strangers::new(),
            runs: Vec::new(),
            cut_off: None,
            kills: 0,
            number: 0,
        }
    }

    /// Takes a step, and compares everything with the model.
    pub(crate) fn take(&mut self, step: &Step) {
        match step {
            Step::Run { documents, apply, on_existing, by_evidence, kill } => {
                let documents = self.documents(*documents);
                let status_policy = policy(*by_evidence);
                let how = model::How { on_existing: *on_existing, status_policy };
                self.run(documents, *apply, &how, None, *kill);
            }
            Step::Retry { run, on_existing, kill } => {
                let status_policy = StatusPolicy::Legacy;
                let how = model::How { on_existing: *on_existing, status_policy };
                if let Some(parent) = self.pick(*run).filter(|run| self.is_ended(*run)) {
                    self.run(self.documents(u8::MAX), true, &how, Some(parent), *kill);
                }
            }
            Step::Resume { run, is_killed_one, kill } => {
                if let Some(run) = self.pick_one(*run, *is_killed_one) {
                    self.resume(run, *kill);
                }
            }
            Step::Rollback { run, is_killed_one, choice, kill } => {
                if let Some(run) = self.pick_one(*run, *is_killed_one) {
                    self.roll_back(run, *choice, *kill);
                }
            }
            Step::Edit { collection, document, grows } => {
                self.edit(usize::from(*collection), usize::from(*document), *grows);
            }
            Step::Delete { collection, document } => {
                self.delete(usize::from(*collection), usize::from(*document));
            }
            Step::Event { document } => self.event(usize::from(*document)),
            Step::Change { document, version } => {
                let document = usize::from(*document) % DOCUMENTS;
                self.pool[document].1 = usize::from(*version);
            }
        }
        self.forget_counts();
        match &self.cut_off {
            None => self.check_exactly(),
            Some(cut_off) => self.check_between(&cut_off.before, &cut_off.after),
        }
    }

    fn documents(&self, bits: u8) -> Vec<Bytes> {
        let chosen = self.pool.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
        chosen.map(|(_, (versions, now))| versions[*now].clone()).collect()
    }

    fn pick(&self, run: u8) -> Option<usize> {
        usize::from(run).checked_rem(self.runs.len())
    }

    fn pick_one(&self, run: u8, is_killed_one: bool) -> Option<usize> {
        let killed = self.cut_off.as_ref().map(|cut_off| cut_off.run).filter(|_| is_killed_one);
        killed.or_else(|| self.pick(run))
    }

    pub(crate) fn folder(&self, run: usize) -> RunFolder {
        RunFolder::on(Arc::new(self.memory.clone()), self.runs[run].folder.clone())
    }

    pub(crate) fn checkpoint(&self, run: usize) -> Checkpoint {
        self.folder(run).checkpoint().unwrap()
    }

    pub(crate) fn is_ended(&self, run: usize) -> bool {
        matches!(self.checkpoint(run).state, State::Done | State::Partial)
    }

    pub(crate) fn ends(&self, documents: &[Bytes]) -> (InMemory, FolderDestination) {
        let destination = FolderDestination::on(Arc::new(self.memory.clone()), self.target.clone());
        (InMemory(documents.to_vec()), destination)
    }

    /// Whether a step that was cut off keeps others out of the target. It does not if it was killed
    /// before the lock had its name.
    pub(crate) fn is_locked(&self) -> bool {
        let Some(cut_off) = &self.cut_off else { return false };
        let lock = self.target.database().join(".reshelve.lock");
        let holder = self.memory.contents().get(&lock).and_then(|text| {
            let lock: serde_json::Value = serde_json::from_slice(text).ok()?;
            Some(lock["run"].as_str()?.to_owned())
        });
        holder.is_some_and(|holder| self.runs[cut_off.run].folder.ends_with(holder))
    }

    /// The visible run folders.
    pub(crate) fn run_folders(&self) -> Vec<PathBuf> {
        let runs = Path::new(RUNS);
        if !self.memory.exists(runs).unwrap() {
            return Vec::new();
        }
        let names = self.memory.list(runs).unwrap().into_iter();
        names
            .filter(|name| !name.to_string_lossy().starts_with('.'))
            .map(|name| runs.join(name))
            .collect()
    }

    /// Plans the kill, at one of the operations that `try_it` takes in a world like this one.
    pub(crate) fn arm(&self, kill: Option<Kill>, try_it: impl FnOnce(&World)) {
        let Some(kill) = kill else { return };
        let rehearsal = World {
            memory: self.memory.crash(Keep::Everything),
            target: self.target.clone(),
            pool: Vec::new(),
            shelf: Shelf::default(),
            strangers: Strangers::new(),
            runs: self.runs.clone(),
            cut_off: None,
            kills: 0,
            number: 0,
        };
        try_it(&rehearsal);
        let operations = rehearsal.memory.operations().len();
        self.memory.fail_at(operations * usize::from(kill.at) / 1000, kill.fault);
    }

    /// What the kill leaves, if it came.
    pub(crate) fn is_killed(&mut self, kill: Option<Kill>) -> bool {
        let is_killed = self.memory.faults_met() > 0;
        if let Some(kill) = kill.filter(|_| is_killed) {
            self.kills += 1;
            self.memory = self.memory.crash(kill.keep);
        }
        is_killed
    }

    pub(crate) fn note_power(&mut self, kill: Option<Kill>) {
        if let Some(cut_off) = &mut self.cut_off {
            cut_off.has_lost_power |= kill.is_some_and(|kill| kill.keep != Keep::Everything);
        }
    }

    /// The next step counts its operations from 0, and meets no fault of this one.
    fn forget_counts(&mut self) {
        self.memory = self.memory.crash(Keep::Everything);
    }

    pub(crate) fn check_exactly(&self) {
        let (found, is_whole) = target::read(&self.memory, &self.target);
        assert!(is_whole, "the target cannot be read");
        assert_shelf(&found, &self.shelf);
    }

    /// In the middle of a step nothing is lost, and nothing stands there of anybody else.
    fn check_between(&self, before: &Shelf, after: &Shelf) {
        let (found, _) = target::read(&self.memory, &self.target);
        for at in 0..4 {
            let count = |of: &[Bytes], it: &Bytes| of.iter().filter(|other| *other == it).count();
            for document in before[at].iter().filter(|it| after[at].contains(it)) {
                assert!(found[at].contains(document), "a document is gone that is nobody's");
            }
            for document in &found[at] {
                let most = count(&before[at], document) + count(&after[at], document);
                assert!(count(&found[at], document) <= most, "a document came from nowhere");
            }
        }
        let Some(cut_off) = self.cut_off.as_ref().filter(|it| it.rollback.is_none()) else {
            return;
        };
        // What gives way to another version is in the target still, or kept.
        let kept: Vec<Bytes> = self
            .memory
            .contents()
            .into_iter()
            .filter(|(path, _)| path.starts_with(self.runs[cut_off.run].folder.join("undo")))
            .flat_map(|(path, _)| target::read_file(&self.memory, &path).0)
            .collect();
        for at in 0..4 {
            for document in before[at].iter().filter(|it| !after[at].contains(it)) {
                let is_there = found[at].contains(document) || kept.contains(document);
                assert!(is_there, "an earlier version is lost");
            }
        }
    }

    /// Whether others may change a document of this job now: not one that a cut-off step is about.
    fn may_be_changed(&self, document: &[u8]) -> bool {
        let job = model::job_of(document);
        self.cut_off.as_ref().is_none_or(|cut_off| !cut_off.jobs.contains(&job))
    }

    fn edit(&mut self, at: usize, document: usize, grows: bool) {
        let Some(place) = document.checked_rem(self.shelf[at].len()) else { return };
        let old = self.shelf[at][place].clone();
        let is_plain = self.target.compression == Compression::None;
        if !self.may_be_changed(&old) || self.cut_off.is_some() && (grows || !is_plain) {
            return;
        }
        self.number += 1;
        let new =
            if grows { target::grown(&old, self.number.into()) } else { target::edited(&old) };
        if self.strangers.contains(&old) {
            self.strangers.insert(new.clone());
        }
        let replace = |shelf: &mut Shelf| {
            let there = shelf[at].iter_mut().filter(|it| **it == old);
            there.for_each(|it| it.clone_from(&new));
        };
        replace(&mut self.shelf);
        match &mut self.cut_off {
            Some(cut_off) => {
                replace(&mut cut_off.before);
                replace(&mut cut_off.after);
                if let Some(rollback) = &mut cut_off.rollback {
                    replace(&mut rollback.back.after);
                    if let Some(run) = &mut rollback.run {
                        replace(&mut run.before);
                        replace(&mut run.after);
                    }
                }
                target::write_over(&self.memory, &self.target, at, &old, &new);
            }
            None => target::write(&self.memory, &self.target, at, &self.shelf[at]),
        }
    }

    fn delete(&mut self, at: usize, document: usize) {
        let Some(place) = document.checked_rem(self.shelf[at].len()) else { return };
        if self.cut_off.is_none() {
            self.shelf[at].remove(place);
            target::write(&self.memory, &self.target, at, &self.shelf[at]);
        }
    }

    fn event(&mut self, document: usize) {
        if self.cut_off.is_some() || self.shelf[0].is_empty() {
            return;
        }
        self.number += 1;
        let legacy = &self.pool[document % DOCUMENTS].0[0];
        let event = target::event_of_others(model::legacy_id(legacy).as_bytes(), self.number);
        self.strangers.insert(event.clone());
        self.shelf[model::EVENTS].push(event);
        target::write(&self.memory, &self.target, model::EVENTS, &self.shelf[model::EVENTS]);
    }
}

pub(crate) fn assert_shelf(found: &Shelf, expected: &Shelf) {
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let counts = (found.len(), expected.len());
        assert!(found == expected, "collection {at} is not what the model says: {counts:?}");
    }
}

fn policy(by_evidence: bool) -> StatusPolicy {
    if by_evidence { StatusPolicy::Evidence } else { StatusPolicy::Legacy }
}

static POOL: LazyLock<Vec<[Bytes; 4]>> = LazyLock::new(pool);

/// Legacy documents: half of them are mapped in another way where the evidence decides. Each as it
/// was, changed once, changed twice, and spoiled.
fn pool() -> Vec<[Bytes; 4]> {
    let all = corpus(7, 150);
    let is_split = |legacy: &&Bytes| {
        model::mapped(legacy, StatusPolicy::Legacy) != model::mapped(legacy, StatusPolicy::Evidence)
    };
    let split = all.iter().filter(is_split).take(DOCUMENTS / 2);
    let others = all.iter().filter(|it| !is_split(it)).take(DOCUMENTS - DOCUMENTS / 2);
    let pool: Vec<_> = split
        .chain(others)
        .map(|it| [it.clone(), target::grown(it, 1), target::grown(it, 2), target::spoiled(it)])
        .collect();
    assert_eq!(pool.len(), DOCUMENTS);
    pool
}

//! Runs and resumed runs, against the model.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use reshelve::ends::{Action, BatchLimits, EndErrorKind, Hint, OnExisting};
use reshelve::run::journal::{Reader, Record};
use reshelve::run::{
    Checkpoint, Ends, Report, ResumeRequest, RunError, RunRequest, State, Throttle, resume, start,
};
use reshelve::store::Files;
use reshelve_core::mapping::{InFlight, OnUnknownStatus};
use twox_hash::XxHash3_128;

use super::in_memory::{RUNS, Silent};
use super::model::{self, Bytes, Effects, How, Shelf};
use super::steps::Kill;
use super::target;
use super::world::{CutOff, Run, World};

const BATCH: BatchLimits = BatchLimits { docs_max: 2, bytes_max: 1 << 20 };

/// What the journal says of a job: what was done first, and what was to stand at last.
type Named = HashMap<[u8; 16], (Action, [[u8; 16]; 4])>;

fn key(job: &[u8]) -> [u8; 16] {
    std::array::from_fn(|at| blake3::hash(job).as_bytes()[at])
}

pub(crate) fn is_refused(error: &RunError, hint: impl Fn(&Hint) -> bool) -> bool {
    matches!(error, RunError::End(end)
        if end.kind == EndErrorKind::Refused && end.hint.as_ref().is_some_and(hint))
}

pub(crate) fn is_left_locked(error: &RunError) -> bool {
    let is_of_a_lock =
        |hint: &Hint| matches!(hint, Hint::ResumeOrTakeOver { .. } | Hint::GoOnRollingBack { .. });
    is_refused(error, is_of_a_lock)
}

impl World {
    fn request(&self, apply: bool, how: &How, only_rejects: Option<PathBuf>) -> RunRequest {
        RunRequest {
            apply,
            on_unknown_status: OnUnknownStatus::Reject,
            status_policy: how.status_policy,
            in_flight: Some(InFlight::Include),
            on_existing: how.on_existing,
            only_rejects,
            take_over: false,
            batch: BATCH,
            jobs: 1,
            checkpoint_bytes: 1,
            throttle: Throttle::default(),
            from_plan: None,
            saves_plan: None,
            limit: None,
            fail_fast: false,
            skip_disk_check: false,
            ignore_oplog: false,
            runs_folder: PathBuf::from(RUNS),
            files: Arc::new(self.memory.clone()),
        }
    }

    fn start(&self, request: &RunRequest, documents: &[Bytes]) -> Result<Report, RunError> {
        let request = RunRequest { files: Arc::new(self.memory.clone()), ..request.clone() };
        let (origin, mut destination) = self.ends(documents);
        let ends = Ends { origin: &origin, destination: &mut destination };
        start(&request, ends, &AtomicBool::new(false), &mut Silent)
    }

    fn continued(&self, run: usize) -> Result<Report, RunError> {
        let folder = self.folder(run);
        let request = ResumeRequest {
            folder,
            in_flight: None,
            batch: BATCH,
            jobs: 1,
            checkpoint_bytes: 1,
            throttle: Throttle::default(),
        };
        let (origin, mut destination) = self.ends(&self.runs[run].documents);
        let ends = Ends { origin: &origin, destination: &mut destination };
        resume(&request, ends, &AtomicBool::new(false), &mut Silent)
    }

    pub(crate) fn run(
        &mut self,
        documents: Vec<Bytes>,
        apply: bool,
        how: &How,
        parent: Option<usize>,
        kill: Option<Kill>,
    ) {
        if self.cut_off.is_some() && !self.is_locked() {
            return;
        }
        let only = parent.map(|parent| self.runs[parent].effects.rejected.clone());
        let request = self.request(apply, how, parent.map(|it| self.runs[it].folder.clone()));
        let folders = self.run_folders();
        let holds_documents = self.shelf.iter().any(|documents| !documents.is_empty());
        if self.is_locked() || holds_documents && how.on_existing == OnExisting::Refuse {
            let before = self.memory.contents();
            let refusal = self.start(&request, &documents).map(drop).unwrap_err();
            let is_expected = match self.is_locked() {
                true => is_left_locked(&refusal),
                false => is_refused(&refusal, |hint| *hint == Hint::DecideOnExisting),
            };
            assert!(is_expected, "{refusal}");
            assert!(self.memory.contents() == before, "a refusal changes nothing");
            return;
        }
        let effects =
            model::effects(&self.shelf, &documents, how, only.as_deref(), &self.strangers);
        let before = target::files(&self.memory);
        if !apply {
            let report = self.start(&request, &documents).unwrap();
            assert!(target::files(&self.memory) == before, "a dry run writes nothing");
            check_counts(&report.checkpoint, &effects, false);
            self.runs.push(Run {
                folder: report.folder.path().to_owned(),
                is_applied: false,
                documents,
                effects,
                files: Default::default(),
            });
            return;
        }
        self.arm(kill, |world| drop(world.start(&request, &documents).unwrap()));
        // Which of two runs is the later one is told by the millisecond in their names.
        std::thread::sleep(std::time::Duration::from_millis(2));
        let started = self.start(&request, &documents);
        let is_killed = self.is_killed(kill);
        assert!(is_killed || started.is_ok(), "{:?}", started.err());
        let new: Vec<PathBuf> =
            self.run_folders().into_iter().filter(|it| !folders.contains(it)).collect();
        let [folder] = new.as_slice() else {
            // It was killed before it could be seen.
            assert!(new.is_empty() && started.is_err());
            return;
        };
        let files = [before, target::files(&self.memory)];
        let folder = folder.clone();
        self.runs.push(Run { folder, is_applied: true, documents, effects, files });
        self.after(self.runs.len() - 1, started.is_ok(), kill);
    }

    /// What there is after a run was started or resumed, and perhaps killed.
    fn after(&mut self, run: usize, was_reported: bool, kill: Option<Kill>) {
        let checkpoint = self.checkpoint(run);
        let is_ended = matches!(checkpoint.state, State::Done | State::Partial);
        assert!(is_ended || !was_reported, "what was reported as done is not done");
        let Run { effects, .. } = &self.runs[run];
        let (effects, before) = (effects.clone(), self.shelf.clone());
        if is_ended {
            // What others did meanwhile is in it.
            let after = self.cut_off.take().map_or(effects.after.clone(), |cut_off| cut_off.after);
            check_counts(&checkpoint, &effects, true);
            self.check_named(run, &effects);
            self.check_rejects(run, &effects);
            self.shelf = after;
            // It was killed after its last word. Until that is durable by itself, nothing happens.
            self.memory.settle();
            self.runs[run].files[1] = target::files(&self.memory);
            return;
        }
        if self.cut_off.is_none() {
            let after = effects.after.clone();
            let documents = self.runs[run].documents.iter();
            let jobs = documents.map(|it| model::legacy_id(it).into_bytes()).collect();
            self.cut_off =
                Some(CutOff { run, before, after, jobs, has_lost_power: false, rollback: None });
        }
        self.note_power(kill);
        if self.cut_off.as_ref().is_some_and(|cut_off| !cut_off.has_lost_power) {
            self.check_ahead(run);
        }
    }

    pub(crate) fn resume(&mut self, run: usize, kill: Option<Kill>) {
        let is_cut_off = self.cut_off.as_ref().is_some_and(|cut_off| cut_off.run == run);
        let is_rolled_back =
            matches!(self.checkpoint(run).state, State::RolledBack | State::RollingBack);
        if !is_cut_off || is_rolled_back {
            let before = target::files(&self.memory);
            let resumed = self.continued(run);
            assert_eq!(resumed.is_err(), is_rolled_back, "{:?}", resumed.err());
            assert!(target::files(&self.memory) == before, "there was nothing to resume");
            return;
        }
        self.arm(kill, |world| drop(world.continued(run).unwrap()));
        let resumed = self.continued(run);
        let is_killed = self.is_killed(kill);
        assert!(is_killed || resumed.is_ok(), "{:?}", resumed.err());
        self.after(run, resumed.is_ok(), kill);
    }

    fn named(&self, run: usize) -> Named {
        let mut named = Named::new();
        let folder = self.folder(run);
        if !self.memory.exists(&folder.journal_file()).unwrap() {
            return named;
        }
        let mut reader = Reader::of_run(&folder).unwrap();
        while let Some(record) = reader.next_record().unwrap() {
            match record {
                Record::Job(job) => {
                    named.entry(job.key).or_insert((job.action, job.target)).1 = job.target;
                }
                Record::Withdrawn(key) => drop(named.remove(&key)),
                Record::Completed { .. } => {}
            }
        }
        named
    }

    /// The journal names every job that the run wrote, and no other.
    fn check_named(&self, run: usize, effects: &Effects) {
        let hash = |documents: &Vec<Bytes>| XxHash3_128::oneshot(&documents.concat()).to_be_bytes();
        let of_job =
            |job: &model::Job| (key(&job.id), (job.action, job.whole.each_ref().map(hash)));
        let expected: Named = effects.jobs.iter().map(of_job).collect();
        assert!(self.named(run) == expected, "the journal is not what the model says");
    }

    /// Whatever a killed process has written, its journal names.
    fn check_ahead(&self, run: usize) {
        let Some(CutOff { before, .. }) = &self.cut_off else { return };
        assert!(self.unnamed(run, before).is_empty(), "the journal came after the data");
    }

    /// Documents of the target that were not there before, and whose jobs the journal does not name.
    pub(crate) fn unnamed(&self, run: usize, before: &Shelf) -> Vec<Bytes> {
        let named = self.named(run);
        let (mut written, _) = target::read(&self.memory, &self.target);
        model::remove(&mut written, before);
        let is_unnamed = |it: &Bytes| !named.contains_key(&key(&model::job_of(it)));
        written.into_iter().flatten().filter(is_unnamed).collect()
    }

    /// The list of rejected documents is what the model says.
    fn check_rejects(&self, run: usize, effects: &Effects) {
        let path = self.runs[run].folder.join("rejects.jsonl");
        let text = match self.memory.exists(&path).unwrap() {
            true => String::from_utf8(self.memory.read(&path, 1 << 20).unwrap()).unwrap(),
            false => String::new(),
        };
        let id = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["_id"]["$oid"].as_str().unwrap().to_owned()
        };
        let listed: Vec<String> = text.lines().map(id).collect();
        assert_eq!(listed, effects.rejected);
    }
}

fn check_counts(checkpoint: &Checkpoint, effects: &Effects, is_applied: bool) {
    let count = |many: usize| u64::try_from(many).unwrap();
    let totals = &checkpoint.totals;
    let jobs = count(effects.jobs.len());
    assert_eq!(totals.documents.read, effects.read);
    assert_eq!(totals.documents.written, if is_applied { jobs } else { 0 });
    assert_eq!(totals.documents.unchanged, effects.unchanged);
    assert_eq!(totals.documents.rejected, count(effects.rejected.len()));
    assert_eq!(totals.documents.mapped, jobs + effects.unchanged);
    let replaced = effects.jobs.iter().filter(|job| job.action == Action::Replace).count();
    assert_eq!(totals.replaced, count(replaced));
}

//! Rollbacks, against the model.

use std::sync::atomic::AtomicBool;

use reshelve::ends::{Action, Hint};
use reshelve::rollback::{Ended, OnEdited, RollbackReport, RollbackRequest, roll_back};
use reshelve::run::{Refusal, RunError, State};
use reshelve::store::Keep;

use super::in_memory::Silent;
use super::model::{self, Back, Bytes, Choice, Job, Shelf, Stands};
use super::runs::{is_left_locked, is_refused};
use super::steps::Kill;
use super::target;
use super::world::{CutOff, World, assert_shelf};

/// A rollback that was cut off.
#[derive(Clone, Debug)]
pub(crate) struct CutOffBack {
    decision: Option<OnEdited>,
    pub(crate) back: Back,
    /// The file system, and so the order in which it leaves the documents, is known exactly.
    is_exact: bool,
    /// The run, if that was cut off before it was taken back.
    pub(crate) run: Option<Box<CutOff>>,
}

impl World {
    fn back(
        &self,
        run: usize,
        apply: bool,
        edited: Option<OnEdited>,
    ) -> Result<RollbackReport, RunError> {
        let request = RollbackRequest {
            folder: self.folder(run),
            apply,
            edited,
            throttle: reshelve::run::Throttle::default(),
        };
        let (_, mut destination) = self.ends(&[]);
        roll_back(&request, &mut destination, &AtomicBool::new(false), &mut Silent)
    }

    pub(crate) fn roll_back(&mut self, run: usize, choice: Choice, kill: Option<Kill>) {
        if self.is_refused_back(run) {
            return;
        }
        if let Some(cut_off) = self.cut_off.clone() {
            match cut_off.rollback {
                Some(back) => self.finish_back(run, &back, &cut_off.before, kill),
                None => self.take_back_a_part(run, &cut_off, choice, kill),
            }
            return;
        }
        let jobs = self.runs[run].effects.jobs.clone();
        let discards = choice == Choice::Discard;
        let back = model::taken_back(&self.shelf, &jobs, discards, &self.strangers);
        let edited = u64::try_from(back.edited.len()).unwrap();
        let decision = match choice {
            Choice::Nothing => None,
            Choice::Keep => Some(OnEdited::Keep),
            Choice::Discard => Some(OnEdited::Discard { jobs: edited }),
            Choice::DiscardWrongNumber => Some(OnEdited::Discard { jobs: edited + 1 }),
        };
        let is_decided = match choice {
            Choice::Nothing => edited == 0,
            Choice::Keep | Choice::Discard => true,
            Choice::DiscardWrongNumber => false,
        };
        if is_decided && self.is_replaced_since(run, &back.edited) {
            let files = target::files(&self.memory);
            for apply in [false, true] {
                let refusal = self.back(run, apply, decision).map(drop).unwrap_err();
                let is_expected = |hint: &Hint| matches!(hint, Hint::TakeBackFirst { .. });
                assert!(is_refused(&refusal, is_expected), "{refusal}");
            }
            assert!(target::files(&self.memory) == files, "a refusal changes nothing");
            return;
        }
        let before = self.memory.contents();
        let dry = self.back(run, false, decision).unwrap();
        assert!(self.memory.contents() == before, "a dry rollback changes nothing");
        if !is_decided {
            let files = target::files(&self.memory);
            let report = self.back(run, true, decision).unwrap();
            assert_eq!((report.ended, dry.ended), (Ended::Undecided, Ended::Undecided));
            assert_eq!(report.jobs.edited, edited);
            assert!(target::files(&self.memory) == files, "nothing was decided");
            return;
        }
        assert_eq!(dry.ended, Ended::Dry);
        check_counts(&dry, &back, choice);
        let is_exact = back.comes_back == Shelf::default();
        let cut_off = CutOffBack { decision, back, is_exact, run: None };
        let shelf = self.shelf.clone();
        self.finish_back(run, &cut_off, &shelf, kill);
    }

    /// Whether a later run that stands has replaced one of these jobs as this run wrote it.
    fn is_replaced_since(&self, run: usize, edited: &[Bytes]) -> bool {
        let own = &self.runs[run].effects.jobs;
        let has_replaced = |job: &Job| {
            let wrote = own.iter().find(|own| own.id == job.id && edited.contains(&own.id));
            job.action == Action::Replace
                && wrote.is_some_and(|own| own.whole[0] == job.replaced[0])
        };
        (run + 1..self.runs.len()).any(|other| {
            self.runs[other].is_applied
                && self.checkpoint(other).state != State::RolledBack
                && self.runs[other].effects.jobs.iter().any(has_replaced)
        })
    }

    /// Rollbacks that are refused, or have nothing to do: nothing changes.
    fn is_refused_back(&mut self, run: usize) -> bool {
        let before = target::files(&self.memory);
        let state = self.checkpoint(run).state;
        let is_other = self.cut_off.as_ref().is_some_and(|cut_off| cut_off.run != run);
        if !self.runs[run].is_applied {
            let refusal = self.back(run, true, None).map(drop).unwrap_err();
            let is_expected = matches!(refusal, RunError::Refused(Refusal::NothingWritten { .. }));
            assert!(is_expected, "{refusal}");
        } else if state == State::RolledBack {
            assert_eq!(self.back(run, true, None).unwrap().ended, Ended::Already);
        } else if is_other {
            // Without a lock it might begin, and nobody would know what to expect.
            if self.is_locked() {
                let refusal = self.back(run, true, None).map(drop).unwrap_err();
                assert!(is_left_locked(&refusal), "{refusal}");
            }
        } else if self.checkpoint(run).is_finishing {
            let refusal = self.back(run, true, None).map(drop).unwrap_err();
            assert!(matches!(refusal, RunError::Refused(Refusal::Finishing { .. })), "{refusal}");
        } else {
            return false;
        }
        assert!(target::files(&self.memory) == before, "a refusal changes nothing");
        true
    }

    /// Takes back what a killed run has written so far. How far that is, the model does not know:
    /// which of its jobs are edited, the tool says, and the model checks it.
    fn take_back_a_part(
        &mut self,
        run: usize,
        cut_off: &CutOff,
        choice: Choice,
        kill: Option<Kill>,
    ) {
        let dry = match self.back(run, false, None) {
            Ok(dry) => dry,
            Err(refusal) => {
                // The power went, and with it the journal of what is there: it has to be resumed.
                let is_expected = |hint: &Hint| *hint == Hint::ResumeKeepsACopy;
                assert!(is_refused(&refusal, is_expected), "{refusal}");
                assert!(!self.unnamed(run, &cut_off.before).is_empty(), "{refusal}");
                return;
            }
        };
        let jobs = &self.runs[run].effects.jobs;
        let is_listed =
            |job: &&Job| dry.edited.iter().any(|edited| edited.job.as_bytes() == job.id);
        let edited: Vec<Job> = jobs.iter().filter(is_listed).cloned().collect();
        assert_eq!(edited.len(), dry.edited.len(), "a job is listed that is not the run's");
        for job in &edited {
            let stands = model::stands(&cut_off.after, job);
            assert_eq!(stands, Stands::Edited, "a job is called edited that is not");
        }
        let keeps = matches!(choice, Choice::Keep | Choice::Discard);
        if !edited.is_empty() && !keeps {
            let files = target::files(&self.memory);
            assert_eq!(self.back(run, true, None).unwrap().ended, Ended::Undecided);
            assert!(target::files(&self.memory) == files, "nothing was decided");
            return;
        }
        let mut after = cut_off.before.clone();
        for job in &edited {
            model::add(&mut after, &job.wrote);
        }
        let decision = (!edited.is_empty()).then_some(OnEdited::Keep);
        if decision.is_some() && self.checkpoint(run).totals.replaced > 0 {
            let refusal = self.back(run, true, decision).map(drop).unwrap_err();
            let is_expected =
                matches!(refusal, RunError::Refused(Refusal::KeepsTwoVersions { .. }));
            assert!(is_expected, "{refusal}");
            return;
        }
        let back = Back { after, ..Back::default() };
        // Rejected documents may have been edited, but no document of the run.
        let run_itself = Some(Box::new(cut_off.clone()));
        let back = CutOffBack { decision, back, is_exact: true, run: run_itself };
        // What was cut off without a sync may come back when the power goes.
        let (mut stands, _) = target::read(&self.memory, &self.target);
        let mut cut = cut_off.after.clone();
        model::remove(&mut cut, &stands);
        model::add(&mut stands, &cut);
        self.finish_back(run, &back, &stands, kill);
    }

    fn finish_back(
        &mut self,
        run: usize,
        cut_off: &CutOffBack,
        before: &Shelf,
        kill: Option<Kill>,
    ) {
        let CutOffBack { decision, back, is_exact, run: run_itself } = cut_off;
        let is_untouched = target::files(&self.memory) == self.runs[run].files[1];
        self.arm(kill, |world| drop(world.back(run, true, *decision).unwrap()));
        let ended = self.back(run, true, *decision);
        let is_killed = self.is_killed(kill);
        assert!(is_killed || ended.is_ok(), "{:?}", ended.err());
        let state = self.checkpoint(run).state;
        assert!(ended.is_err() || state == State::RolledBack, "what was reported is not so");
        match state {
            State::RolledBack => {
                self.cut_off = None;
                self.check_back(run, back, *is_exact);
                self.memory.settle();
                if is_untouched && *is_exact && decision.is_none() && self.is_plain() {
                    let files = &self.runs[run].files[0];
                    let now = target::files(&self.memory);
                    for (path, bytes) in files {
                        assert!(now[path] == *bytes, "{} is not as before", path.display());
                    }
                }
            }
            State::RollingBack => {
                let jobs = self.runs[run].effects.jobs.iter().map(|job| job.id.clone()).collect();
                let rollback = Some(cut_off.clone());
                let (before, mut after) = (before.clone(), back.after.clone());
                for (after, may_go) in after.iter_mut().zip(&back.may_go) {
                    after.retain(|it| !may_go.contains(it));
                }
                self.cut_off =
                    Some(CutOff { run, before, after, jobs, has_lost_power: false, rollback });
            }
            // It was killed before anything was decided, or the decision went with the power.
            _ => {
                if self.cut_off.as_ref().is_some_and(|it| it.rollback.is_some()) {
                    assert!(kill.is_some_and(|kill| kill.keep != Keep::Everything));
                    self.cut_off = run_itself.as_deref().cloned();
                }
                self.note_power(kill);
            }
        }
    }

    fn is_plain(&self) -> bool {
        self.target.compression == reshelve::ends::Compression::None
    }

    fn check_back(&mut self, run: usize, back: &Back, is_exact: bool) {
        let (found, is_whole) = target::read(&self.memory, &self.target);
        assert!(is_whole, "the target cannot be read");
        let mut after = back.after.clone();
        let copies = target::read_file(&self.memory, &self.runs[run].folder.join("discarded.bson"));
        for (at, documents) in back.may_go.iter().enumerate() {
            for document in documents.iter().filter(|it| !found[at].contains(it)) {
                assert!(copies.0.contains(document), "an event was discarded without a copy");
                after[at].retain(|it| it != document);
            }
        }
        for document in back.discarded.iter().flatten() {
            assert!(copies.0.contains(document), "a document was discarded without a copy");
        }
        if is_exact {
            assert_shelf(&found, &after);
        } else {
            assert_shelf(&model::sorted(&found), &model::sorted(&after));
            // What is not put back has kept its order.
            let rest = |shelf: &Shelf| {
                let mut rest = shelf.clone();
                for (documents, comes_back) in rest.iter_mut().zip(&back.comes_back) {
                    documents.retain(|it| !comes_back.contains(it));
                }
                rest
            };
            assert_shelf(&rest(&found), &rest(&after));
        }
        self.shelf = found;
    }
}

fn check_counts(report: &RollbackReport, back: &Back, choice: Choice) {
    let edited = u64::try_from(back.edited.len()).unwrap();
    let jobs = report.jobs;
    assert_eq!(jobs.deleted, back.deleted);
    assert_eq!(jobs.put_back, back.put_back);
    assert_eq!(jobs.edited, edited);
    assert_eq!(jobs.gone, back.gone);
    assert_eq!(jobs.kept, if choice == Choice::Keep { edited } else { 0 });
    let listed: Vec<Bytes> =
        report.edited.iter().map(|edited| edited.job.clone().into_bytes()).collect();
    let sorted = |mut jobs: Vec<Bytes>| {
        jobs.sort();
        jobs
    };
    assert_eq!(sorted(listed), sorted(back.edited.clone()));
}

//! A rehearsal at work: its steps in order, each timed and written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use reshelve::ends::Oplog;
use reshelve::report::{RehearsedStep, Verified, Window};
use reshelve::run::{Totals, millis, now_iso};
use reshelve_core::mapping::VERSION;

use super::record::{
    Ended, HTML_FILE, JSON_FILE, MARKDOWN_FILE, Record, RecordFolder, RecordedFailure, SCHEMA,
};
use super::scratch::Scratch;
use super::watched::Backstage;
use super::{Outcome, Prepared, Request, Written, refused};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::report;
use crate::run;

/// A step of a rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Prepare,
    Run,
    Resume,
    Verify,
    Report,
    Rollback,
    Empty,
    RunAgain,
    Restore,
    Drop,
}

impl Step {
    /// Its name in the record.
    pub(super) fn name(self) -> &'static str {
        match self {
            Step::Prepare => "prepare",
            Step::Run => "run",
            Step::Resume => "resume",
            Step::Verify => "verify",
            Step::Report => "report",
            Step::Rollback => "rollback",
            Step::Empty => "empty",
            Step::RunAgain => "run-again",
            Step::Restore => "restore",
            Step::Drop => "drop",
        }
    }

    /// What it does, for people who wait.
    fn words(self) -> &'static str {
        match self {
            Step::Prepare => "create the scratch",
            Step::Run => "run, and interrupt it",
            Step::Resume => "resume the run",
            Step::Verify => "verify: compare source and target",
            Step::Report => "report",
            Step::Rollback => "roll back",
            Step::Empty => "check that nothing is left",
            Step::RunAgain => "run again",
            Step::Restore => "restore the legacy collection, and compare it with the source",
            Step::Drop => "drop the scratch",
        }
    }
}

/// A rehearsal at work.
pub(super) struct Stage<'r> {
    pub(super) request: &'r Request,
    pub(super) handle: &'r Handle,
    /// The handle of what it does: it is heard of less, and cancelled like the rehearsal.
    pub(super) backstage: Handle,
    pub(super) prepared: Prepared,
    pub(super) record: Record,
    folder: RecordFolder,
    begun: Instant,
    /// The ids of its runs, oldest first.
    pub(super) runs: Vec<String>,
    /// What the comparison found, and the checksums of that target.
    pub(super) verified: Option<Verified>,
}

type StepWork<'r> = fn(&mut Stage<'r>) -> Result<String, Failure>;

impl<'r> Stage<'r> {
    /// Makes the folder of the record, which is written down before the scratch is made.
    pub(super) fn begin(
        request: &'r Request,
        prepared: Prepared,
        handle: &'r Handle,
    ) -> Result<Self, Failure> {
        let folder = RecordFolder::make(&request.runs_folder, &prepared.id)?;
        let record = record_of(request, &prepared, &folder);
        folder.write(&record)?;
        let watcher = Arc::new(Backstage { front: handle.clone() });
        let backstage = handle.part(watcher, handle.stop_flag());
        let (begun, runs, verified) = (Instant::now(), Vec::new(), None);
        Ok(Stage { request, handle, backstage, prepared, record, folder, begun, runs, verified })
    }

    /// Takes all steps, up to the first that fails.
    pub(super) fn play(&mut self) -> Result<(), Failure> {
        let steps: [(Step, StepWork<'r>); 10] = [
            (Step::Prepare, Stage::prepare),
            (Step::Run, Stage::run_and_interrupt),
            (Step::Resume, Stage::resume),
            (Step::Verify, Stage::verify),
            (Step::Report, Stage::report),
            (Step::Rollback, Stage::roll_back),
            (Step::Empty, Stage::check_empty),
            (Step::RunAgain, Stage::run_again),
            (Step::Restore, Stage::restore),
            (Step::Drop, Stage::drop_scratch),
        ];
        let is_kept = self.request.keep_scratch;
        let steps: Vec<_> =
            steps.into_iter().filter(|(step, _)| !(is_kept && *step == Step::Drop)).collect();
        let count = steps.len();
        for (at, (step, work)) in steps.into_iter().enumerate() {
            self.check_stop()?;
            self.handle.watcher().step(&format!("{}/{count} {}", at + 1, step.words()));
            self.take(step, work)?;
        }
        Ok(())
    }

    /// Takes one step, and writes down what came of it.
    fn take(&mut self, step: Step, work: StepWork<'r>) -> Result<(), Failure> {
        let begun = Instant::now();
        let done = work(self);
        // What fails because it was to stop says so in its own way.
        let done = done.map_err(|failure| match self.check_stop() {
            Err(stopped) => stopped,
            Ok(()) => failure,
        });
        let (outcome, detail) = match &done {
            Ok(detail) => ("done", detail.clone()),
            Err(failure) if failure.code == ExitCode::Interrupted => {
                ("interrupted", failure.message.clone())
            }
            Err(failure) => ("failed", failure.message.clone()),
        };
        self.record.steps.push(RehearsedStep {
            step: step.name().to_owned(),
            outcome: outcome.to_owned(),
            detail,
            elapsed_ms: millis(begun.elapsed()),
        });
        self.folder.write(&self.record)?;
        done.map(drop)
    }

    /// An error once the rehearsal was told to stop.
    pub(super) fn check_stop(&self) -> Result<(), Failure> {
        match self.handle.stop().load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(Failure {
                code: ExitCode::Interrupted,
                message: "the rehearsal was interrupted".to_owned(),
                hint: Some("a rehearsal is not resumed: begin a new one".to_owned()),
            }),
        }
    }

    /// The handle for a part that is cancelled by a flag of its own.
    pub(super) fn backstage_with(&self, stop: &Arc<AtomicBool>) -> Handle {
        self.backstage.part(Arc::new(Backstage { front: self.handle.clone() }), Arc::clone(stop))
    }

    pub(super) fn scratch(&self) -> &Scratch {
        &self.prepared.scratch
    }

    pub(super) fn run_request(&self) -> &run::Request {
        &self.prepared.run
    }

    /// What is known of an oplog beside the source.
    pub(super) fn oplog(&self) -> Oplog {
        self.prepared.description.oplog
    }

    /// Writes the record, whatever happened.
    pub(super) fn end(mut self, played: Result<(), Failure>) -> Result<Outcome, Failure> {
        let failure = played.err().map(without_resume);
        let ended = match &failure {
            None => Ended::Passed,
            Some(failure) if failure.code == ExitCode::Interrupted => Ended::Interrupted,
            Some(_) => Ended::Failed,
        };
        if failure.is_some() {
            // What holds nothing need not be looked at. What cannot be removed stays.
            let is_gone = matches!(self.scratch().remove_folders(), Ok(None));
            if is_gone && !self.scratch().is_database() {
                self.record.scratch.drop();
            }
        }
        self.record.outcome = ended;
        self.record.ended_at = Some(now_iso());
        self.record.elapsed_ms = millis(self.begun.elapsed());
        self.record.window = self.window();
        self.record.failure = failure.as_ref().map(|failure| RecordedFailure {
            kind: failure.code.word().to_owned(),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        });
        self.record.exit = failure.as_ref().map_or(ExitCode::Done, |it| it.code).number();
        let pages = report::rehearsal_pages(&self.record);
        let written = Written {
            html: self.folder.write_page(HTML_FILE, &pages.html)?,
            markdown: self.folder.write_page(MARKDOWN_FILE, &pages.markdown)?,
            json: self.folder.path().join(JSON_FILE),
        };
        self.folder.write(&self.record)?;
        Ok(Outcome { record: self.record, failure, written })
    }

    /// What the maintenance window will need, once all of it was measured.
    fn window(&self) -> Option<Window> {
        let of = |step: Step| {
            let steps = self.record.steps.iter();
            let mut done = steps.filter(|it| it.step == step.name() && it.outcome == "done");
            done.next().map(|it| it.elapsed_ms)
        };
        let run_ms = of(Step::RunAgain)?;
        let interrupted_run_ms = of(Step::Run)? + of(Step::Resume)?;
        let verify_ms = of(Step::Verify)?;
        // As a command of its own it compares both sides again, and profiles the source, which maps
        // every document once more.
        let report_ms = of(Step::Report)? + 2 * verify_ms;
        let after = verify_ms + report_ms;
        let (one, other) = (run_ms + after, interrupted_run_ms + after);
        Some(Window {
            run_ms,
            interrupted_run_ms,
            verify_ms,
            report_ms,
            from_ms: one.min(other),
            to_ms: one.max(other),
        })
    }
}

fn record_of(request: &Request, prepared: &Prepared, folder: &RecordFolder) -> Record {
    Record {
        schema: SCHEMA.to_owned(),
        rehearsal: prepared.id.clone(),
        outcome: Ended::Running,
        begun_at: now_iso(),
        ended_at: None,
        elapsed_ms: 0,
        record: reshelve::store::absolute(folder.path()),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        mapping: VERSION.to_owned(),
        source: prepared.source.clone(),
        options: request.decisions(),
        compression: request.compression,
        scratch: prepared.scratch.record(),
        documents: None,
        bytes_read: 0,
        source_hash: None,
        set_hash: None,
        checksums: None,
        restored: None,
        steps: Vec::new(),
        window: None,
        // What is known before anything is read.
        would_refuse: refused::of(request, prepared.description.oplog, &Totals::default()),
        failure: None,
        exit: ExitCode::Done.number(),
    }
}

/// A failure without the advice to resume: the runs of a rehearsal are not resumed by hand.
fn without_resume(failure: Failure) -> Failure {
    let hint = failure.hint.filter(|hint| !hint.contains("reshelve resume"));
    let hint = hint.unwrap_or_else(|| hints::REHEARSE_AGAIN.to_owned());
    Failure { hint: Some(hint), ..failure }
}

//! Commands that are given to runs through a server: what they would do, and doing it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use reshelve::ends::PlannedTarget;
use reshelve::rollback::OnEdited;
use reshelve::run::{Plan, State};
use reshelve_core::mapping;
use reshelve_serve::runs::{
    Change, Command, Edited, Forecast, InFlight, Looked, Offer, Refused, RefusedKind,
};

use super::ServedRuns;
use super::board::{Asked, Said};
use super::known::{Known, is_into};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::{Handle, Watcher};
use crate::options::RunName;
use crate::overlap::is_same_source;
use crate::passwords::Passwords;
use crate::states::{self, Answer};
use crate::status::{RunStatus, status_of};
use crate::text::{counted, limits, number};
use crate::{control, hints, resume, rollback};

/// How long it is waited for a run to do what it is told; then it is said that it will.
const WAIT_MAX: Duration = Duration::from_secs(2);

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let kind = match failure.code {
            ExitCode::Refused | ExitCode::Usage => RefusedKind::Refused,
            _ => RefusedKind::Failed,
        };
        Refusal(Refused { kind, message: failure.message, hint: failure.hint })
    }
}

/// A refusal on its way to the server.
pub(super) struct Refusal(pub(super) Refused);

fn no_run() -> Refusal {
    let message = "there is no such run".to_owned();
    Refusal(Refused { kind: RefusedKind::NoRun, message, hint: None })
}

/// The command of the table of states.
fn in_table(command: Command) -> Option<states::Command> {
    Some(match command {
        Command::Pause => states::Command::Pause,
        Command::Resume => states::Command::Resume,
        Command::Cancel => states::Command::Cancel,
        Command::Throttle => states::Command::Throttle,
        Command::Rollback => states::Command::Rollback,
        Command::Stop => return None,
    })
}

impl ServedRuns {
    /// The commands that are legal now, and worth something.
    pub(super) fn offers(&self, known: &Known, status: &RunStatus) -> Vec<Offer> {
        let state = State::ALL.into_iter().find(|state| state.as_str() == status.state);
        let Some(state) = state else { return Vec::new() };
        let is_offered = |command: &Command| match command {
            Command::Stop => self.board.task(&status.run).is_some_and(|task| !task.is_stopping),
            Command::Resume if known.plan.saves_plan.is_some() => false,
            Command::Rollback if !known.plan.apply || status.at_work => false,
            _ => {
                let asked = in_table(*command);
                asked.is_some_and(|command| states::answer(command, state) == Answer::Legal)
            }
        };
        let offered = Command::ALL.into_iter().filter(is_offered);
        offered.map(|command| Offer { command, lines: lines(known, command) }).collect()
    }

    /// What a run is like, as far as it matters to a command: a form is for it alone.
    pub(super) fn seen(&self, id: &str, command: Command) -> Result<String, Refusal> {
        let known = self.find(id).ok_or_else(no_run)?;
        let status = status_of(&known.folder)?;
        Ok(match command {
            // They hold a run that is at work, wherever it is.
            Command::Pause | Command::Cancel | Command::Throttle | Command::Stop => String::new(),
            Command::Resume | Command::Rollback => format!(
                "{} {} {} {}",
                status.state,
                status.documents.read,
                status.documents.written,
                status.rollback.map_or(0, |back| back.documents)
            ),
        })
    }

    /// What a command would do.
    pub(super) fn look(&self, id: &str, change: &Change) -> Result<Looked, Refusal> {
        let known = self.find(id).ok_or_else(no_run)?;
        if let Some(command) = in_table(change.command) {
            states::check(command, &known.folder)?;
        }
        let status = status_of(&known.folder)?;
        let forecast = match change.command {
            Command::Rollback => return Ok(self.look_at_rollback(id, &known)?),
            Command::Resume => self.resumed(&known, &status)?,
            command => Forecast { words: words(command, &status, change), ..Forecast::default() },
        };
        Ok(Looked::Ready(Box::new(forecast)))
    }

    fn look_at_rollback(&self, id: &str, known: &Known) -> Result<Looked, Failure> {
        let target = self.target_again(&known.plan)?;
        let seen = self.seen(id, Command::Rollback).map_err(|it| Failure::failed(it.0.message))?;
        let (run, base) = (name_of(known), self.handle.clone());
        self.looks.at(id, &seen, move |watcher, stop| {
            let request = rollback::Request { target, ..rollback::Request::new(run) };
            let outcome = rollback::rollback(&request, &part(&base, watcher, stop))?;
            let listed = outcome.edited_lines(EDITED_MAX);
            Ok(Forecast {
                words: outcome.verdict(),
                rows: outcome.rows(),
                listed,
                edited: outcome.report.jobs.edited,
                asks_in_flight: false,
                is_done: outcome.report.ended == rollback::Ended::Already,
            })
        })
    }

    fn resumed(&self, known: &Known, status: &RunStatus) -> Result<Forecast, Failure> {
        let read = counted(status.documents.read, "document");
        if status.at_work {
            let words = format!("Its own process would go on, after {read}.");
            return Ok(Forecast { words, ..Forecast::default() });
        }
        self.ends_again(known)?;
        let plan = &known.plan;
        let what = if plan.apply { "writes the target" } else { "writes nothing: it is a dry run" };
        let words = format!(
            "This server would go on with it after {read}, as `reshelve resume` does, with its lock: \
             it {what}. If this server ends, the run stops too, and can be resumed again."
        );
        let asks_in_flight = plan.apply && plan.options.in_flight.is_none();
        let is_done =
            status.state == State::Done.as_str() || status.state == State::Partial.as_str();
        Ok(Forecast { words, asks_in_flight, is_done, ..Forecast::default() })
    }

    /// The ends of a run that this server would go on with, where they have to be named again.
    fn ends_again(&self, known: &Known) -> Result<(Option<PathBuf>, Option<PathBuf>), Failure> {
        let plan = &known.plan;
        let target = self.target_again(plan)?;
        let served = self.source.as_ref().filter(|served| is_same_source(&plan.source, served));
        let name = |live: bool| served.filter(|_| live).map(|served| served.name.clone());
        let source = name(plan.source.live.is_some());
        if plan.source.live.as_ref().is_some_and(|live| live.needs_uri) && source.is_none() {
            let place = plan.source.path.display();
            let message =
                format!("{place} needs its credentials again, and this server does not have them");
            return Err(Failure::refused(message, hints::resume_yourself(&plan.run, "--source")));
        }
        if plan.source.live.is_none() && plan.source.bytes.is_none() {
            let message = "its source came through a pipe, and cannot be read again from here";
            return Err(Failure::refused(message, hints::resume_yourself(&plan.run, "--source")));
        }
        Ok((source, target))
    }

    /// The connection string of a run's target, if it has to be named again.
    fn target_again(&self, plan: &Plan) -> Result<Option<PathBuf>, Failure> {
        let PlannedTarget::Live(live) = &plan.target else { return Ok(None) };
        if is_into(self.target.as_ref(), plan) {
            return Ok(self.target_name.clone());
        }
        if live.needs_uri {
            let place = plan.target.name();
            let message =
                format!("{place} needs its credentials again, and this server does not have them");
            return Err(Failure::refused(message, hints::name_target_yourself(&plan.run)));
        }
        Ok(None)
    }

    /// Does it, or begins it; says what it did.
    pub(super) fn make(&self, id: &str, change: &Change, reason: &str) -> Result<String, Refusal> {
        let known = self.find(id).ok_or_else(no_run)?;
        let run = known.plan.run.clone();
        let asked = Asked { run, command: change.command, reason: reason.to_owned() };
        let made = self.made(&known, change, &asked);
        if !matches!(&made, Ok(Made::Begun(_))) {
            let said = match &made {
                Ok(Made::Said(words) | Made::Begun(words)) => {
                    Ok(Said { is_good: true, words: words.clone(), hint: None })
                }
                Err(failure) => Err(failure.clone()),
            };
            self.board.note(&asked, said, Vec::new());
        }
        self.looks.forget();
        Ok(match made? {
            Made::Said(words) | Made::Begun(words) => words,
        })
    }

    fn made(&self, known: &Known, change: &Change, asked: &Asked) -> Result<Made, Failure> {
        let name = name_of(known);
        let id = &known.plan.run;
        match change.command {
            Command::Pause => within(|handle| control::pause(&name, handle)).map(|outcome| {
                Made::of(outcome.is_done(), "It is paused.", "It pauses after the batch at work.")
            }),
            Command::Cancel => within(|handle| control::cancel(&name, handle)).map(|outcome| {
                Made::of(outcome.is_done(), "It is cancelled.", "It stops after the batch at work.")
            }),
            Command::Throttle => {
                let outcome = control::throttle(&name, change.limits)?;
                Ok(Made::Said(format!("Its limits are: {}.", limits(&outcome.status.throttle))))
            }
            Command::Stop if self.board.stop(id) => {
                Ok(Made::Said("It stops at the next place from which it can go on.".to_owned()))
            }
            Command::Stop => {
                Err(Failure::refused("this server is not at work on this run", hints::LOOK_AT_IT))
            }
            Command::Resume => self.resume(known, change.in_flight, asked),
            Command::Rollback => self.roll_back(known, change.edited, asked),
        }
    }

    fn resume(
        &self,
        known: &Known,
        in_flight: Option<InFlight>,
        asked: &Asked,
    ) -> Result<Made, Failure> {
        let name = name_of(known);
        states::check(states::Command::Resume, &known.folder)?;
        if within(|handle| control::go_on(&name, handle))?.is_some() {
            return Ok(Made::Said("It goes on, in its own process.".to_owned()));
        }
        let (source, target) = self.ends_again(known)?;
        let in_flight = in_flight.map(|it| match it {
            InFlight::Include => mapping::InFlight::Include,
            InFlight::Skip => mapping::InFlight::Skip,
            InFlight::AsFailed => mapping::InFlight::AsFailed,
        });
        let base = self.handle.clone();
        let work = move |watcher: Arc<dyn Watcher>, stop: Arc<AtomicBool>| {
            let request =
                resume::Request { source, target, in_flight, ..resume::Request::new(name) };
            let outcome = resume::resume(&request, &part(&base, watcher, stop))?;
            let state = outcome.report.checkpoint.state;
            let read = counted(outcome.report.checkpoint.totals.documents.read, "document");
            Ok(Said {
                is_good: state.is_ended(),
                words: format!("The run is {state}, after {read}."),
                hint: outcome.hint(),
            })
        };
        self.board.begin(asked.clone(), Arc::clone(&self.told), work)?;
        Ok(Made::Begun("This server goes on with it.".to_owned()))
    }

    fn roll_back(
        &self,
        known: &Known,
        edited: Option<Edited>,
        asked: &Asked,
    ) -> Result<Made, Failure> {
        states::check(states::Command::Rollback, &known.folder)?;
        let target = self.target_again(&known.plan)?;
        let edited = edited.map(|it| match it {
            Edited::Keep => OnEdited::Keep,
            Edited::Discard(jobs) => OnEdited::Discard { jobs },
        });
        let (run, base) = (name_of(known), self.handle.clone());
        let work = move |watcher: Arc<dyn Watcher>, stop: Arc<AtomicBool>| {
            let request =
                rollback::Request { apply: true, edited, target, ..rollback::Request::new(run) };
            let outcome = rollback::rollback(&request, &part(&base, watcher, stop))?;
            let undecided = edited.filter(|_| outcome.report.ended == rollback::Ended::Undecided);
            let given = match undecided {
                Some(OnEdited::Discard { jobs }) => {
                    format!(" The number that was given is {}.", number(jobs))
                }
                _ => String::new(),
            };
            Ok(Said {
                is_good: outcome.exit_code() == ExitCode::Done,
                words: format!("{}{given}", outcome.sentence()),
                hint: outcome.undecided(edited).map(|(_, hint)| hint),
            })
        };
        self.board.begin(asked.clone(), Arc::clone(&self.told), work)?;
        Ok(Made::Begun("This server takes back what it wrote.".to_owned()))
    }
}

/// How many edited jobs are named.
const EDITED_MAX: usize = 20;

/// What was done at once, or begun.
enum Made {
    Said(String),
    Begun(String),
}

impl Made {
    fn of(is_done: bool, done: &str, not_yet: &str) -> Made {
        Made::Said(if is_done { done } else { not_yet }.to_owned())
    }
}

/// The run as commands name it; a folder that was renamed by its path.
fn name_of(known: &Known) -> RunName {
    let is_named = known.folder.path().ends_with(&known.plan.run);
    let name = match is_named {
        true => known.plan.run.clone(),
        false => known.folder.path().to_string_lossy().into_owned(),
    };
    RunName { name, runs_folder: known.runs_folder.clone() }
}

/// Command lines that do the same.
fn lines(known: &Known, command: Command) -> Vec<String> {
    let line = |flags: &[&str]| known.command_line(command.as_str(), flags);
    let all = match command {
        Command::Stop => vec![],
        Command::Throttle => vec![line(&["--max-docs-per-s", "200"])],
        Command::Rollback => vec![line(&[]), line(&["--apply"])],
        _ => vec![line(&[])],
    };
    all.into_iter().flatten().collect()
}

/// A handle for a part of a server's work. Nobody sits at its terminal to be asked for a password.
fn part(base: &Handle, watcher: Arc<dyn Watcher>, stop: Arc<AtomicBool>) -> Handle {
    let passwords = Passwords { ask: None, ..base.passwords().clone() };
    base.part(watcher, stop).with_passwords(passwords)
}

/// Waits for something, and not too long.
fn within<T>(wait: impl FnOnce(&Handle) -> Result<T, Failure>) -> Result<T, Failure> {
    let handle = Handle::silent();
    let flag = handle.stop_flag();
    let is_over = Arc::<AtomicBool>::default();
    let over = Arc::clone(&is_over);
    thread::spawn(move || {
        thread::park_timeout(WAIT_MAX);
        if !over.load(Ordering::Relaxed) {
            flag.store(true, Ordering::Relaxed);
        }
    });
    let waited = wait(&handle);
    is_over.store(true, Ordering::Relaxed);
    waited
}

/// What a command would do, in words.
fn words(command: Command, status: &RunStatus, change: &Change) -> String {
    let read = counted(status.documents.read, "document");
    let written = counted(status.documents.written, "job");
    let now = limits(&status.throttle);
    match command {
        Command::Pause => format!(
            "It would wait after the batch at work, with {read} read so far, and keep its lock. \
             Nothing that is written changes; it can go on at any time."
        ),
        Command::Cancel if status.applied => format!(
            "It would stop after the batch at work, for good: it cannot be resumed. {written} \
             written so far would stay in the target, and so would its lock, until it is rolled back."
        ),
        Command::Cancel => format!(
            "It would stop after the batch at work, for good, with {read} read so far: it cannot be \
             resumed. It wrote nothing."
        ),
        Command::Throttle => format!(
            "It keeps now: {now}. It would keep: {}.",
            limits(&status.throttle.changed(change.limits))
        ),
        Command::Stop => "This server would stop its work on the run at the next place from which \
                          it can be continued."
            .to_owned(),
        Command::Resume | Command::Rollback => String::new(),
    }
}

//! `pause`, `cancel`, `throttle`, and `resume` of a run that a process is at work on: they ask, and
//! that process does it between two batches.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use reshelve::run::{Asked, RunFolder, State, Throttle};
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::handle::Handle;
use crate::hints;
use crate::options::RunName;
use crate::states::{self, Answer, Command};
use crate::status::{RunStatus, status_of};

/// A process looks at what is asked several times a second: after this time it has seen it, and what
/// it says of itself counts.
const SEEN_AFTER: Duration = Duration::from_millis(600);
/// How often limits are written again that were lost.
const TRIES: u32 = 5;
/// How often it is looked whether the process has done what was asked.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of what was asked; as JSON, `reshelve.control/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    schema: &'static str,
    /// How the run is found then.
    #[serde(flatten)]
    pub status: RunStatus,
    /// The exit code, as a number.
    pub exit: u8,
}

impl Outcome {
    fn of(folder: &RunFolder, code: ExitCode) -> Result<Outcome, Failure> {
        let status = status_of(folder)?;
        Ok(Outcome { schema: "reshelve.control/1", status, exit: code.number() })
    }

    /// Whether it was done. Otherwise the caller was interrupted while it waited: what it asked for
    /// stands.
    pub fn is_done(&self) -> bool {
        self.exit == ExitCode::Done.number()
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        if self.is_done() { ExitCode::Done } else { ExitCode::Interrupted }
    }
}

/// Has a run wait between two batches, and returns when it does. Its process keeps the lock; it may
/// be ended all the same, and `resume` goes on.
///
/// # Errors
/// If no process is at work on the run, or it ends instead.
pub fn pause(run: &RunName, handle: &Handle) -> Result<Outcome, Failure> {
    ask(Command::Pause, &run.find()?, handle)
}

/// Stops a run between two batches for good, and returns when it has stopped.
///
/// # Errors
/// As for [`pause`].
pub fn cancel(run: &RunName, handle: &Handle) -> Result<Outcome, Failure> {
    ask(Command::Cancel, &run.find()?, handle)
}

/// Has a run that waits go on in its own process, and returns when it does; none if no process is
/// at work on it, so that it can be resumed here.
///
/// # Errors
/// If its files cannot be used.
pub fn go_on(run: &RunName, handle: &Handle) -> Result<Option<Outcome>, Failure> {
    let folder = run.find()?;
    if !matches!(folder.found(&folder.checkpoint()?), State::Paused | State::Pausing) {
        return Ok(None);
    }
    loop {
        folder.ask(Asked::Run)?;
        if !folder.is_held() {
            return Ok(None);
        }
        if folder.checkpoint()?.state != State::Paused {
            return Outcome::of(&folder, ExitCode::Done).map(Some);
        }
        if handle.stop().load(Ordering::Relaxed) {
            return Outcome::of(&folder, ExitCode::Interrupted).map(Some);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Changes what a run may take, while it goes on or when it is resumed; 0 takes a limit away.
///
/// # Errors
/// If the run has ended, or its files cannot be used.
pub fn throttle(run: &RunName, given: Throttle) -> Result<Outcome, Failure> {
    let folder = run.find()?;
    if !given.is_off() {
        states::check(Command::Throttle, &folder)?;
        // Whoever asked for something in the same moment may have written the limits of before.
        for _ in 0..TRIES {
            folder.throttle(given)?;
            std::thread::sleep(LOOK_EVERY);
            let now = folder.control()?.throttle;
            if now.changed(given) == now {
                break;
            }
        }
    }
    Outcome::of(&folder, ExitCode::Done)
}

/// Asks, and waits until the process has done it.
fn ask(command: Command, folder: &RunFolder, handle: &Handle) -> Result<Outcome, Failure> {
    states::check(command, folder)?;
    handle.watcher().ready();
    let asked = if command == Command::Pause { Asked::Pause } else { Asked::Cancel };
    let mut since = None;
    loop {
        // Somebody else may have asked for something else meanwhile.
        let stands = folder.control().is_ok_and(|control| control.asked == asked);
        let state = folder.found(&folder.checkpoint()?);
        match states::answer(command, state) {
            Answer::NothingLeft if state != State::Paused => {
                return Outcome::of(folder, ExitCode::Done);
            }
            // It may have been told to go on, and not have seen that yet.
            Answer::NothingLeft if stands && since.is_none_or(is_seen) => {
                return Outcome::of(folder, ExitCode::Done);
            }
            Answer::Refused { .. } => {
                let run = folder.plan()?.run;
                let message = format!("the run {run} ended before it could do that: it is {state}");
                return Err(Failure::refused(message, hints::LOOK_AT_IT));
            }
            Answer::NothingLeft | Answer::Legal if !stands => {
                folder.ask(asked)?;
                since = Some(Instant::now());
            }
            Answer::NothingLeft | Answer::Legal => {}
        }
        if handle.stop().load(Ordering::Relaxed) {
            return Outcome::of(folder, ExitCode::Interrupted);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn is_seen(asked: Instant) -> bool {
    asked.elapsed() >= SEEN_AFTER
}

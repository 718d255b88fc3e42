//! `reshelve pause`, `reshelve cancel`, `reshelve throttle`, and `reshelve resume` of a run that
//! waits.

use std::sync::Arc;

use reshelve_app::control::{self, Outcome};
use reshelve_app::states::Command;
use reshelve_app::text::limits;
use reshelve_app::{ExitCode, Failure, Handle, RunName};

use crate::cli::{ControlArgs, ResumeArgs, ThrottleArgs};
use crate::next::{self, Next};
use crate::printer::{Printer, note};
use crate::progress::View;

pub(crate) fn pause(args: &ControlArgs) -> Result<ExitCode, Failure> {
    let run = args.runs.run_for(&args.run, Command::Pause);
    let outcome = waited(|handle| control::pause(&run, handle))?;
    let text = match outcome.is_done() {
        true => format!("The run {} is paused; it keeps its lock.", outcome.status.run),
        false => stands(&outcome, "pauses"),
    };
    let next = next::to_run("resume", &outcome.status.run, &args.runs.runs_dir);
    Ok(print(&outcome, &text, Printer::new(args.json.json), &next))
}

pub(crate) fn cancel(args: &ControlArgs) -> Result<ExitCode, Failure> {
    let run = args.runs.run_for(&args.run, Command::Cancel);
    let outcome = waited(|handle| control::cancel(&run, handle))?;
    let text = match outcome.is_done() {
        true => format!("The run {} is cancelled: it cannot be resumed.", outcome.status.run),
        false => stands(&outcome, "stops"),
    };
    let next = match outcome.status.applied {
        true => next::to_run("rollback", &outcome.status.run, &args.runs.runs_dir).flag("--apply"),
        false => Next::nothing(),
    };
    Ok(print(&outcome, &text, Printer::new(args.json.json), &next))
}

pub(crate) fn throttle(args: &ThrottleArgs) -> Result<ExitCode, Failure> {
    let run = args.runs.run_for(&args.run, Command::Throttle);
    let outcome = control::throttle(&run, args.limits.throttle())?;
    let text = format!("run {}: {}", outcome.status.run, limits(&outcome.status.throttle));
    let next = next::of_run(&outcome.status, &args.runs.runs_dir);
    Ok(print(&outcome, &text, Printer::new(args.json.json), &next))
}

/// Has a run go on that waits in another process; none if it is resumed here.
pub(super) fn go_on(args: &ResumeArgs, run: &RunName) -> Result<Option<ExitCode>, Failure> {
    let Some(outcome) = waited(|handle| {
        let given = args.limits.throttle();
        let outcome = control::go_on(run, handle)?;
        match outcome.is_some() && !given.is_off() {
            true => control::throttle(run, given).map(Some),
            false => Ok(outcome),
        }
    })?
    else {
        return Ok(None);
    };
    if args.source.is_some() || args.target.is_some() {
        note("note: --source and --target do not count: its own process goes on with what it has");
    }
    let text = match outcome.is_done() {
        true => format!("The run {} goes on, in its own process.", outcome.status.run),
        false => stands(&outcome, "goes on"),
    };
    let next = next::to_run("status", &outcome.status.run, &args.runs.runs_dir).flag("--watch");
    Ok(Some(print(&outcome, &text, Printer::new(args.json.json), &next)))
}

fn waited<T>(wait: impl FnOnce(&Handle) -> Result<T, Failure>) -> Result<T, Failure> {
    let view = Arc::new(View::default());
    let waited = wait(&view.handle());
    view.end();
    waited
}

fn stands(outcome: &Outcome, verb: &str) -> String {
    format!("The run {} {verb} after the batch in hand: what was asked stands.", outcome.status.run)
}

fn print(outcome: &Outcome, text: &str, printer: Printer, next: &Next) -> ExitCode {
    printer.text(text);
    printer.json(outcome);
    if let Some(waiting) = &outcome.status.waiting
        && outcome.is_done()
        && outcome.status.state == "running"
    {
        note(&format!("it waits: {}", reshelve_app::text::waiting(waiting)));
    }
    printer.next(next);
    outcome.exit_code()
}

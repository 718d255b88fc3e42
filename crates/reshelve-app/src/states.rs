//! Which command may be given to a run in which state, and why not.
//!
//! The states themselves, and the steps between them, are in [`reshelve::run::states`].

use reshelve::run::{RunFolder, State};

use crate::failure::Failure;
use crate::hints;

/// A command that is given to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `resume RUN`.
    Resume,
    /// `run --only-rejects RUN`.
    OnlyRejects,
    /// `verify --run RUN`.
    Verify,
    /// `report RUN`.
    Report,
    /// `rollback RUN`.
    Rollback,
    /// `pause RUN`.
    Pause,
    /// `cancel RUN`.
    Cancel,
    /// `throttle RUN`.
    Throttle,
}

impl Command {
    /// What it does to the run, in a word.
    pub(crate) fn participle(self) -> &'static str {
        match self {
            Command::Resume => "resumed",
            Command::OnlyRejects => "run again",
            Command::Verify => "verified",
            Command::Report => "reported",
            Command::Rollback => "rolled back",
            Command::Pause => "paused",
            Command::Cancel => "cancelled",
            Command::Throttle => "throttled",
        }
    }
}

/// Whether a command is legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is.
    Legal,
    /// It is, and there is nothing left to do.
    NothingLeft,
    /// It is not, and why.
    Refused {
        /// Why not.
        reason: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The command.
    pub command: Command,
    /// The state in which the run is found.
    pub state: State,
    /// Whether the command is legal then.
    pub answer: Answer,
}

const fn rule(command: Command, state: State, answer: Answer) -> Rule {
    Rule { command, state, answer }
}

const fn refused(reason: &'static str, hint: &'static str) -> Answer {
    Answer::Refused { reason, hint }
}

const ROLLING_BACK: Answer = refused("it is being rolled back", hints::GO_ON_ROLLING_BACK);
const ROLLED_BACK: Answer = refused("it was rolled back", hints::START_A_NEW_RUN);
const AT_WORK: Answer = refused("a process is at work on it", hints::AT_WORK);
const NOBODY: Answer = refused("no process is at work on it", hints::NOBODY_AT_WORK);
const PAUSED: Answer = refused("it is paused", hints::CANCEL_FIRST);
const CANCELLED: Answer = refused("it was cancelled", hints::TAKE_BACK_OR_ANEW);
const ENDED: Answer = refused("it has ended", hints::IT_HAS_ENDED);

/// Every command in every state.
pub const RULES: &[Rule] = &[
    rule(Command::Resume, State::Planned, AT_WORK),
    rule(Command::Resume, State::Running, AT_WORK),
    // Its own process goes on.
    rule(Command::Resume, State::Pausing, Answer::Legal),
    rule(Command::Resume, State::Paused, Answer::Legal),
    rule(Command::Resume, State::Interrupted, Answer::Legal),
    rule(Command::Resume, State::Failed, Answer::Legal),
    rule(Command::Resume, State::Killed, Answer::Legal),
    rule(Command::Resume, State::Cancelled, CANCELLED),
    rule(Command::Resume, State::Partial, Answer::NothingLeft),
    rule(Command::Resume, State::Done, Answer::NothingLeft),
    rule(Command::Resume, State::RollingBack, ROLLING_BACK),
    rule(Command::Resume, State::RolledBack, ROLLED_BACK),
    // It takes the rejects that are known so far.
    rule(Command::OnlyRejects, State::Planned, Answer::Legal),
    rule(Command::OnlyRejects, State::Running, Answer::Legal),
    rule(Command::OnlyRejects, State::Pausing, Answer::Legal),
    rule(Command::OnlyRejects, State::Paused, Answer::Legal),
    rule(Command::OnlyRejects, State::Interrupted, Answer::Legal),
    rule(Command::OnlyRejects, State::Failed, Answer::Legal),
    rule(Command::OnlyRejects, State::Killed, Answer::Legal),
    rule(Command::OnlyRejects, State::Cancelled, Answer::Legal),
    rule(Command::OnlyRejects, State::Partial, Answer::Legal),
    rule(Command::OnlyRejects, State::Done, Answer::Legal),
    rule(Command::OnlyRejects, State::RollingBack, ROLLING_BACK),
    // What it rejected is rejected still.
    rule(Command::OnlyRejects, State::RolledBack, Answer::Legal),
    // What is not written yet is missing: the comparison says so.
    rule(Command::Verify, State::Planned, Answer::Legal),
    rule(Command::Verify, State::Running, Answer::Legal),
    rule(Command::Verify, State::Pausing, Answer::Legal),
    rule(Command::Verify, State::Paused, Answer::Legal),
    rule(Command::Verify, State::Interrupted, Answer::Legal),
    rule(Command::Verify, State::Failed, Answer::Legal),
    rule(Command::Verify, State::Killed, Answer::Legal),
    rule(Command::Verify, State::Cancelled, Answer::Legal),
    rule(Command::Verify, State::Partial, Answer::Legal),
    rule(Command::Verify, State::Done, Answer::Legal),
    rule(Command::Verify, State::RollingBack, Answer::Legal),
    rule(Command::Verify, State::RolledBack, Answer::Legal),
    // The report says that the run is not finished.
    rule(Command::Report, State::Planned, Answer::Legal),
    rule(Command::Report, State::Running, Answer::Legal),
    rule(Command::Report, State::Pausing, Answer::Legal),
    rule(Command::Report, State::Paused, Answer::Legal),
    rule(Command::Report, State::Interrupted, Answer::Legal),
    rule(Command::Report, State::Failed, Answer::Legal),
    rule(Command::Report, State::Killed, Answer::Legal),
    rule(Command::Report, State::Cancelled, Answer::Legal),
    rule(Command::Report, State::Partial, Answer::Legal),
    rule(Command::Report, State::Done, Answer::Legal),
    rule(Command::Report, State::RollingBack, Answer::Legal),
    rule(Command::Report, State::RolledBack, Answer::Legal),
    rule(Command::Rollback, State::Planned, AT_WORK),
    rule(Command::Rollback, State::Running, AT_WORK),
    rule(Command::Rollback, State::Pausing, AT_WORK),
    rule(Command::Rollback, State::Paused, PAUSED),
    rule(Command::Rollback, State::Interrupted, Answer::Legal),
    rule(Command::Rollback, State::Failed, Answer::Legal),
    rule(Command::Rollback, State::Killed, Answer::Legal),
    rule(Command::Rollback, State::Cancelled, Answer::Legal),
    rule(Command::Rollback, State::Partial, Answer::Legal),
    rule(Command::Rollback, State::Done, Answer::Legal),
    rule(Command::Rollback, State::RollingBack, Answer::Legal),
    rule(Command::Rollback, State::RolledBack, Answer::NothingLeft),
    rule(Command::Pause, State::Planned, Answer::Legal),
    rule(Command::Pause, State::Running, Answer::Legal),
    rule(Command::Pause, State::Pausing, Answer::Legal),
    rule(Command::Pause, State::Paused, Answer::NothingLeft),
    rule(Command::Pause, State::Interrupted, NOBODY),
    rule(Command::Pause, State::Failed, NOBODY),
    rule(Command::Pause, State::Killed, NOBODY),
    rule(Command::Pause, State::Cancelled, CANCELLED),
    rule(Command::Pause, State::Partial, ENDED),
    rule(Command::Pause, State::Done, ENDED),
    rule(Command::Pause, State::RollingBack, ROLLING_BACK),
    rule(Command::Pause, State::RolledBack, ROLLED_BACK),
    rule(Command::Cancel, State::Planned, Answer::Legal),
    rule(Command::Cancel, State::Running, Answer::Legal),
    rule(Command::Cancel, State::Pausing, Answer::Legal),
    rule(Command::Cancel, State::Paused, Answer::Legal),
    rule(Command::Cancel, State::Interrupted, NOBODY),
    rule(Command::Cancel, State::Failed, NOBODY),
    rule(Command::Cancel, State::Killed, NOBODY),
    rule(Command::Cancel, State::Cancelled, Answer::NothingLeft),
    rule(Command::Cancel, State::Partial, ENDED),
    rule(Command::Cancel, State::Done, ENDED),
    rule(Command::Cancel, State::RollingBack, ROLLING_BACK),
    rule(Command::Cancel, State::RolledBack, ROLLED_BACK),
    rule(Command::Throttle, State::Planned, Answer::Legal),
    rule(Command::Throttle, State::Running, Answer::Legal),
    rule(Command::Throttle, State::Pausing, Answer::Legal),
    rule(Command::Throttle, State::Paused, Answer::Legal),
    rule(Command::Throttle, State::Interrupted, Answer::Legal),
    rule(Command::Throttle, State::Failed, Answer::Legal),
    rule(Command::Throttle, State::Killed, Answer::Legal),
    rule(Command::Throttle, State::Cancelled, CANCELLED),
    rule(Command::Throttle, State::Partial, ENDED),
    rule(Command::Throttle, State::Done, ENDED),
    // It holds back the rollback.
    rule(Command::Throttle, State::RollingBack, Answer::Legal),
    rule(Command::Throttle, State::RolledBack, ROLLED_BACK),
];

/// Whether a command may be given to a run in this state.
pub fn answer(command: Command, state: State) -> Answer {
    let found = RULES.iter().find(|rule| rule.command == command && rule.state == state);
    found.map_or(Answer::Legal, |rule| rule.answer)
}

/// Whether `resume` would continue a run in this state.
pub(crate) fn is_resumable(state: State) -> bool {
    answer(Command::Resume, state) == Answer::Legal
}

/// Refuses a command that is not legal in the state in which the run is found.
pub(crate) fn check(command: Command, folder: &RunFolder) -> Result<(), Failure> {
    let state = folder.found(&folder.checkpoint()?);
    match answer(command, state) {
        Answer::Legal | Answer::NothingLeft => Ok(()),
        Answer::Refused { reason, hint } => {
            let name = folder.path().file_name().unwrap_or_default().display();
            let message = format!("the run {name} cannot be {}: {reason}", command.participle());
            Err(Failure::refused(message, hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_answers_every_question_once() {
        let commands = [
            Command::Resume,
            Command::OnlyRejects,
            Command::Verify,
            Command::Report,
            Command::Rollback,
            Command::Pause,
            Command::Cancel,
            Command::Throttle,
        ];
        for command in commands {
            for state in State::ALL {
                let rules = RULES.iter().filter(|rule| rule.command == command);
                assert_eq!(
                    rules.filter(|rule| rule.state == state).count(),
                    1,
                    "{command:?} {state}"
                );
            }
        }
        assert_eq!(RULES.len(), commands.len() * State::ALL.len());
    }

    #[test]
    fn a_run_is_resumed_where_the_states_have_a_step_for_it() {
        // Found so, a process is at work on it.
        for state in State::ALL.into_iter().filter(|state| *state != State::Planned) {
            assert_eq!(is_resumable(state), state.step_to(State::Running).is_some(), "{state}");
        }
    }

    #[test]
    fn a_run_is_rolled_back_where_the_states_have_a_step_for_it() {
        for state in State::ALL {
            let has_step = state.step_to(State::RollingBack).is_some();
            let is_legal = answer(Command::Rollback, state) == Answer::Legal;
            assert_eq!(is_legal, has_step || state == State::RollingBack, "{state}");
        }
    }
}

//! The states of a run, and the steps between them.

use serde::{Deserialize, Serialize};

use super::control::Asked;

/// What state a run is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It has its folder, and nothing is written to the target yet.
    #[default]
    Planned,
    /// Begun, and neither ended nor stopped.
    Running,
    /// Told to pause, and still at the batch in hand. Found, never written down.
    Pausing,
    /// It waits between two batches until it is told to go on, and keeps its lock.
    Paused,
    /// Stopped between two batches, from outside or at the first reject, as asked.
    Interrupted,
    /// Stopped where the source is damaged, or an end or the disk refused.
    Failed,
    /// Its process is gone and did not say why. Found, never written down.
    Killed,
    /// Stopped between two batches for good: what it wrote stays until it is taken back.
    Cancelled,
    /// Everything that it was told to take is written, which is a part of the source only.
    Partial,
    /// Everything is written.
    Done,
    /// What it wrote is being taken back.
    RollingBack,
    /// What it wrote is taken back: there is nothing of it in the target any more.
    RolledBack,
}

/// A legal step, and when it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// Why the step is taken.
    pub reason: &'static str,
}

const fn step(from: State, to: State, reason: &'static str) -> Step {
    Step { from, to, reason }
}

/// All legal steps.
pub const STEPS: &[Step] = &[
    step(State::Planned, State::Running, "the target is locked, and the source is open"),
    step(State::Running, State::Pausing, "it is told to pause"),
    step(State::Pausing, State::Running, "it is told to go on before it paused"),
    step(State::Pausing, State::Paused, "the batch in hand is written, and the checkpoint"),
    step(State::Paused, State::Running, "it is resumed, or told to stop for good"),
    step(State::Running, State::Done, "all documents are written, and the lock is given back"),
    step(State::Running, State::Partial, "all that it was told to take is written: a part"),
    step(State::Running, State::Interrupted, "it was told to stop, or met its first reject"),
    step(State::Running, State::Cancelled, "it is cancelled"),
    step(State::Running, State::Failed, "the source is damaged, or an end or the disk refused"),
    step(State::Running, State::Killed, "no process is at work on it"),
    step(State::Interrupted, State::Running, "it is resumed"),
    step(State::Failed, State::Running, "it is resumed, after what was in its way was mended"),
    step(State::Killed, State::Running, "it is resumed"),
    step(State::Done, State::RollingBack, "it is rolled back"),
    step(State::Partial, State::RollingBack, "it is rolled back"),
    step(State::Interrupted, State::RollingBack, "it is rolled back instead of resumed"),
    step(State::Failed, State::RollingBack, "it is rolled back instead of resumed"),
    step(State::Cancelled, State::RollingBack, "it is rolled back"),
    step(State::Killed, State::RollingBack, "it is rolled back instead of resumed"),
    step(State::RollingBack, State::RolledBack, "the target is as it was before the run"),
];

impl State {
    /// All states.
    pub const ALL: [State; 12] = [
        State::Planned,
        State::Running,
        State::Pausing,
        State::Paused,
        State::Interrupted,
        State::Failed,
        State::Killed,
        State::Cancelled,
        State::Partial,
        State::Done,
        State::RollingBack,
        State::RolledBack,
    ];

    /// The word for people, and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Running => "running",
            State::Pausing => "pausing",
            State::Paused => "paused",
            State::Interrupted => "interrupted",
            State::Failed => "failed",
            State::Killed => "killed",
            State::Cancelled => "cancelled",
            State::Partial => "partial",
            State::Done => "done",
            State::RollingBack => "rolling-back",
            State::RolledBack => "rolled-back",
        }
    }

    /// Whether the run has written all that it was told to take, and all of it still counts.
    pub fn is_ended(self) -> bool {
        matches!(self, State::Partial | State::Done)
    }

    /// The state as it is found: a run that says that it is running, and that no process is at
    /// work on, was killed; one that a process is at work on is running, whatever its last
    /// checkpoint says, unless that is that it waits. One that was asked to pause is on its way there.
    #[must_use]
    pub fn found(self, is_held: bool, asked: Asked) -> State {
        match self {
            State::Planned if is_held && asked == Asked::Run => State::Planned,
            State::Planned
            | State::Running
            | State::Pausing
            | State::Interrupted
            | State::Failed
                if is_held =>
            {
                if asked == Asked::Pause {
                    State::Pausing
                } else {
                    State::Running
                }
            }
            State::Planned | State::Running | State::Pausing => State::Killed,
            State::Paused if !is_held => State::Killed,
            state => state,
        }
    }

    /// The step to another state, where it is legal.
    pub fn step_to(self, to: State) -> Option<&'static Step> {
        STEPS.iter().find(|step| step.from == self && step.to == to)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_but_the_last_can_be_left_and_ends_can_be_reached() {
        for state in State::ALL {
            let is_left = STEPS.iter().any(|step| step.from == state);
            assert_eq!(is_left, state != State::RolledBack);
            assert_eq!(state.step_to(state), None);
        }
        // Only what runs may end: nothing jumps over the checks of a resume.
        for end in [State::Partial, State::Done] {
            let to_end: Vec<_> = STEPS.iter().filter(|step| step.to == end).collect();
            assert_eq!(to_end.len(), 1);
            assert_eq!(to_end[0].from, State::Running);
        }
    }

    #[test]
    fn the_words_are_those_of_the_files() {
        for state in State::ALL {
            let text = serde_json::to_string(&state).unwrap();
            assert_eq!(text, format!("\"{state}\""));
        }
    }
}

//! The table of exit codes.

/// What a process that runs one command tells its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done.
    Done = 0,
    /// Could not finish: damaged source, I/O, a cancelled run, a bug.
    Failed = 1,
    /// The command line does not make sense.
    Usage = 2,
    /// Refused before anything was changed.
    Refused = 3,
    /// A run is done, but with rejects, or stopped at the first one.
    Rejects = 4,
    /// A comparison does not hold: parity, answers, a rehearsal, a copy, a snapshot, or a plan that
    /// was not reached.
    NoParity = 5,
    /// Interrupted; a run or a rollback can be resumed.
    Interrupted = 6,
}

impl ExitCode {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            ExitCode::Done => 0,
            ExitCode::Failed => 1,
            ExitCode::Usage => 2,
            ExitCode::Refused => 3,
            ExitCode::Rejects => 4,
            ExitCode::NoParity => 5,
            ExitCode::Interrupted => 6,
        }
    }

    /// The same in a word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            ExitCode::Done => "done",
            ExitCode::Failed => "failed",
            ExitCode::Usage => "usage",
            ExitCode::Refused => "refused",
            ExitCode::Rejects => "rejects",
            ExitCode::NoParity => "no-parity",
            ExitCode::Interrupted => "interrupted",
        }
    }
}

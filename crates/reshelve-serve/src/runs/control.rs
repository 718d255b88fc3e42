//! What can be done to runs through a server: commands, what they would do, and what became of them.

use reshelve::run::Throttle;

/// A command that can be given to a run through a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Wait between two batches.
    Pause,
    /// Go on.
    Resume,
    /// Stop for good.
    Cancel,
    /// Change the limits.
    Throttle,
    /// Take back what it wrote.
    Rollback,
    /// Stop what this server does with the run; it can be continued.
    Stop,
}

impl Command {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Command; 6] = [
        Command::Pause,
        Command::Resume,
        Command::Throttle,
        Command::Stop,
        Command::Cancel,
        Command::Rollback,
    ];

    /// Its word, which is that of the command line where there is one.
    pub fn as_str(self) -> &'static str {
        match self {
            Command::Pause => "pause",
            Command::Resume => "resume",
            Command::Cancel => "cancel",
            Command::Throttle => "throttle",
            Command::Rollback => "rollback",
            Command::Stop => "stop",
        }
    }

    /// The command of a word.
    pub fn of(word: &str) -> Option<Self> {
        Command::ALL.into_iter().find(|command| command.as_str() == word)
    }
}

/// What becomes of jobs that somebody changed since the run wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edited {
    /// They stay as they are.
    Keep,
    /// They are taken back too; their exact number.
    Discard(u64),
}

/// What is asked of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The command.
    pub command: Command,
    /// Of [`Command::Throttle`], what changes; 0 takes a limit away.
    pub limits: Throttle,
    /// Of [`Command::Rollback`], what becomes of edited jobs.
    pub edited: Option<Edited>,
    /// Of [`Command::Resume`], what becomes of jobs in flight, if nobody had decided.
    pub in_flight: Option<InFlight>,
}

/// A decision on jobs in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InFlight {
    /// They are carried over as they are.
    Include,
    /// They are left out.
    Skip,
    /// They are carried over as failed.
    AsFailed,
}

impl InFlight {
    /// All of them.
    pub const ALL: [InFlight; 3] = [InFlight::Include, InFlight::Skip, InFlight::AsFailed];

    /// Its word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            InFlight::Include => "include",
            InFlight::Skip => "skip",
            InFlight::AsFailed => "as-failed",
        }
    }
}

impl Change {
    /// A command without any choice.
    pub fn new(command: Command) -> Self {
        Change { command, limits: Throttle::default(), edited: None, in_flight: None }
    }
}

/// What a command would do; nothing was changed to find that out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// That in a sentence or two.
    pub words: String,
    /// Figures: names and values.
    pub rows: Vec<(&'static str, String)>,
    /// Jobs that somebody changed since, the first ones, a line each.
    pub listed: Vec<String>,
    /// How many of them there are: a choice has to be made.
    pub edited: u64,
    /// Whether it may be decided what becomes of jobs in flight.
    pub asks_in_flight: bool,
    /// Whether there is nothing left to do.
    pub is_done: bool,
}

/// A look at what a command would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It would do this.
    Ready(Box<Forecast>),
    /// It is not known yet; how far the look is, in words.
    Working(String),
}

/// A command that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub kind: RefusedKind,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Why a command was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedKind {
    /// There is no such run.
    NoRun,
    /// It is not to be done now.
    Refused,
    /// It could not be done.
    Failed,
}

/// What this server does with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The command.
    pub command: Command,
    /// Whether it was told to stop.
    pub is_stopping: bool,
}

/// What became of a command that was given through this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The command.
    pub command: Command,
    /// Whether it did what it was to do.
    pub is_good: bool,
    /// What happened.
    pub words: String,
    /// What to do next.
    pub hint: Option<String>,
    /// What should be known beside it.
    pub notes: Vec<String>,
    /// Why it was given.
    pub reason: String,
}

/// A command that is offered, and the command line that does the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The command.
    pub command: Command,
    /// Command lines, if they can be shown.
    pub lines: Vec<String>,
}

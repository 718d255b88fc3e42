//! Why a run does not start, or does not resume.

use std::path::PathBuf;

use reshelve_core::mapping::InFlight;

use super::states::State;

/// A reason of the run itself not to start. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Jobs are in flight, and nobody said what to do with them.
    #[error(
        "{count} documents are in flight (queued or running), and no --in-flight decision was made"
    )]
    InFlight {
        /// How many.
        count: u64,
    },
    /// A source that can be read once cannot be looked through for jobs in flight.
    #[error("standard input or a pipe cannot be looked through for documents in flight in advance")]
    InFlightUnknown,
    /// The run has another decision on jobs in flight than is asked for now.
    #[error("this run was begun with --in-flight {decided}, and cannot go on with {asked}")]
    InFlightDecided {
        /// The decision of the run.
        decided: InFlight,
        /// What is asked for.
        asked: InFlight,
    },
    /// The files of the run contradict each other.
    #[error(
        "the documents of this run followed --in-flight {followed}, and decision.json does not say \
         so: it was removed, or changed"
    )]
    DecisionLost {
        /// What they followed.
        followed: InFlight,
    },
    /// The dump has an oplog with entries of the collection, and nobody said that they do not
    /// matter.
    #[error("the dump has an oplog that changes the collection ({count} times) and is not applied")]
    Oplog {
        /// How many of its entries do.
        count: u64,
    },
    /// The dump has an oplog that cannot be looked through before the documents are read.
    #[error(
        "the dump has an oplog, and whether it changes the collection cannot be told in advance"
    )]
    OplogUnknown,
    /// The journal does not say what the checkpoint vouches for.
    #[error(
        "the journal {} {detail}, before the checkpoint: what this run wrote is not known without it",
        path.display()
    )]
    Journal {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A process is at work on the run.
    #[error("a process is at work on the run {run}")]
    AtWork {
        /// The run.
        run: String,
    },
    /// The table of states has no such step.
    #[error("the run {run} is {state}: it cannot become {to}")]
    Step {
        /// The run.
        run: String,
        /// The state in which it is found.
        state: State,
        /// The state that was asked for.
        to: State,
    },
    /// The source is not the one that the run has read.
    #[error("the source is not the one that this run has read: {detail}")]
    OtherSource {
        /// What differs.
        detail: String,
    },
    /// The target is not the one that the run has written to.
    #[error("the run {run} wrote to another target than the one that is at its place now")]
    OtherTarget {
        /// The run.
        run: String,
    },
    /// A dry run has written nothing that could be taken back.
    #[error("the run {run} was a dry run: it wrote nothing that could be rolled back")]
    NothingWritten {
        /// The run.
        run: String,
    },
    /// What it would take back is known only when the run has taken out what it replaced.
    #[error("the run {run} was stopped while it took out what it had replaced")]
    Finishing {
        /// The run.
        run: String,
    },
    /// A rollback goes on with the decision that it began with.
    #[error("the rollback of {run} was begun with another decision on edited jobs")]
    RollbackDecided {
        /// The run.
        run: String,
    },
    /// Edited jobs of a run that replaced earlier versions, and was stopped before these were taken
    /// out, cannot be left as they are.
    #[error(
        "the run {run} was stopped before the versions that it replaced were taken out: an edited \
         job that is kept would stand beside its earlier version"
    )]
    KeepsTwoVersions {
        /// The run.
        run: String,
    },
}

//! The hints of runs that are taken back.

use std::path::Path;

use super::{named, resume};

/// A run that was cut off.
pub(super) fn resume_or_take_over(run: &Path) -> String {
    format!(
        "{}, or take it back with `reshelve rollback {} --apply`, the only way if it was cancelled; \
         --take-over breaks its lock and starts a new run, which counts what is there as unchanged",
        resume(run),
        named(run)
    )
}

/// A rollback that was cut off.
pub(crate) fn go_on(run: &Path) -> String {
    format!("`reshelve rollback {} --apply` goes on with it", named(run))
}

/// A run that a later one relies on.
pub(super) fn take_back_first(run: &Path) -> String {
    format!(
        "take that run back first, with `reshelve rollback {}`; if its result is to stay, this run \
         stays too: it is a part of it",
        named(run)
    )
}

/// A run that is half taken back.
pub(crate) const GO_ON_ROLLING_BACK: &str =
    "`reshelve rollback RUN --apply` goes on where it was stopped";
/// A run of which nothing is left.
pub(crate) const START_A_NEW_RUN: &str =
    "what it wrote is taken back, but for changed jobs that were kept: start a new run";
/// What a run kept of earlier versions is damaged or gone.
pub(super) const PUT_BACK_WHAT_WAS_KEPT: &str = "put it back from a backup: the run folder with its undo/, of a live target the collection \
     reshelve_undo; a run of an earlier version of reshelve is taken back with that version";
/// Jobs that somebody changed, and nobody decided about.
pub fn on_edited(jobs: u64) -> String {
    format!(
        "look at them first (if a later run changed them, take that one back first); --edited keep leaves them as they are and takes back the others; \
         --edited discard={jobs} takes them back too, after a copy of what is lost went to \
         discarded.bson in the run folder"
    )
}

/// Another number of edited jobs than there are.
pub fn wrong_number(run: &str, jobs: u64) -> String {
    let run = named(Path::new(run));
    match jobs {
        0 => format!("leave --edited out; `reshelve rollback {run}` says what would be taken back"),
        _ => format!(
            "`reshelve rollback {run}` lists them, and changes nothing; when you have looked at them, \
             give their exact number, {jobs}, or --edited keep"
        ),
    }
}

/// A document of another job has the `_id` of one that is to be put back.
pub(super) const FREE_THE_ID: &str = "give that document its own jobId again, or keep a copy of it \
    elsewhere and remove it; then the same command again, or --edited keep, which leaves it";
/// A later run whose folder is not there.
pub(crate) const BRING_THE_LATER_RUN: &str = "copy the folder of that run beside that of this one, so \
    that its journal can be asked; or take it back first, where its folder is";

/// A later run that cannot be read.
pub(crate) const READ_THE_LATER_RUN: &str =
    "put its files back from a copy, or take it back first with the version that wrote it";
/// What something else wrote lies after the place where the run stopped.
pub(super) const RESUME_KEEPS_A_COPY: &str = "find out what else writes there; `reshelve resume` keeps a copy of it and goes on, and then \
     the run can be taken back";

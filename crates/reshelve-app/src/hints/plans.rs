//! What to do about a plan that cannot be saved, or does not hold.

use std::path::Path;

use super::named;

/// A plan that no longer holds, or was used.
pub(crate) const SAVE_ANOTHER: &str =
    "save another plan with `reshelve run … --save-plan FILE`, and have it approved";

/// A plan that was used by a run, which may not be finished.
pub(crate) fn was_used(run: &Path) -> String {
    let run = named(run);
    format!(
        "`reshelve status {run}` shows that run; if it is not finished, `reshelve resume {run}` \
         continues it; otherwise {SAVE_ANOTHER}"
    )
}

/// `--save-plan` onto something that is there.
pub(crate) const SAVE_ELSEWHERE: &str = "name another file: a plan never replaces one";
/// A dry run that was to be saved as a plan, and is not done.
pub(crate) const SAVE_AGAIN: &str = "nothing was written: solve what stopped it, then begin again with `reshelve run … --save-plan FILE`";
/// `--save-plan` with `--apply`.
pub(crate) const SAVE_THEN_APPLY: &str =
    "leave out --apply: save the plan, have it approved, then run with --plan FILE --apply";
/// `--plan` without `--apply`.
pub(crate) const PLAN_NEEDS_APPLY: &str =
    "add --apply to carry the plan out; `reshelve plan show FILE` prints it";
/// `--plan` with `--save-plan`.
pub(crate) const PLAN_OR_SAVE: &str = "leave one of --plan and --save-plan out";
/// A source that can be read once.
pub(crate) const SOURCE_IN_A_FILE: &str =
    "save it to a file first: a plan is compared with its source before anything is written";
/// Something that is no plan.
pub(crate) const NO_PLAN: &str = "a plan is a file that `reshelve run … --save-plan FILE` wrote";
/// A plan that was edited, or whose side file was.
pub(crate) const EDITED: &str =
    "put back the file as it was saved, from a copy; otherwise save another plan with --save-plan";
/// An option that differs from the plan.
pub(crate) const OPTIONS_OF_THE_PLAN: &str = "leave the option out: what is not given is taken from the plan; a variable or reshelve.toml \
    may give it too";
/// A plan without a decision about jobs in flight, and another decision than its dry run followed.
pub(crate) const INCLUDE_OR_DECIDE: &str = "only --in-flight include carries out this plan; save another one \
    with the decision, and have that approved";
/// A plan whose checksums were not reached.
pub(crate) const NOT_REACHED: &str = "the report names what differs, and has to be signed with that exception; `reshelve rollback` says \
    what it would take to undo the run";
/// A comparison that was interrupted before the run began.
pub(crate) const NOTHING_WRITTEN: &str = "nothing was written; the same command begins again";

/// A run that is done and could not be compared with its plan.
pub(crate) fn compare_again(run: &Path) -> String {
    format!("`reshelve resume {}` compares again, and writes nothing", named(run))
}

/// A source or a target that changed while a plan was made.
pub(crate) const PLAN_AGAIN: &str =
    "find out what writes there, and save the plan while nothing does";

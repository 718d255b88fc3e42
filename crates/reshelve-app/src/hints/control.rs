//! The hints of runs that are held, or stopped for good.

use std::path::Path;

use super::named;

/// Nobody works on a run that is to be stopped or held.
pub(crate) const NOBODY_AT_WORK: &str = "`reshelve resume RUN` goes on with it; `reshelve rollback RUN --apply` takes back what it wrote";
/// A run that is paused cannot be taken back.
pub(crate) const CANCEL_FIRST: &str = "`reshelve cancel RUN` stops it for good; then roll it back";
/// A run that was stopped for good.
pub(crate) const TAKE_BACK_OR_ANEW: &str =
    "`reshelve rollback RUN --apply` takes back what it wrote, if it was no dry run";
/// A run that has ended.
pub(crate) const IT_HAS_ENDED: &str = "nothing is left to hold; `reshelve status RUN` shows it";
/// A run that came to its end first.
pub(crate) const LOOK_AT_IT: &str = "`reshelve status RUN` shows it";

/// A run that was stopped for good.
pub(crate) fn cancelled(run: &Path, is_applied: bool) -> String {
    match is_applied {
        true => format!(
            "what it wrote stays, and so does its lock on the target, until `reshelve rollback {} --apply`",
            named(run)
        ),
        false => "it wrote nothing but its run folder".to_owned(),
    }
}

//! The hints of comparisons: which run they follow, and what may have caused what they find.

use reshelve::parity::Cause;

use crate::text::{plain, shell_word};

/// Options of a comparison that no run is known for.
pub(crate) const NAME_THE_RUN: &str = "--run RUN takes those of a run";
/// Runs that are not one run and its retries.
pub(crate) const RETRIES_OF_ONE_RUN: &str = "name one run and the runs that took its rejects again \
    with --only-rejects; `reshelve runs` shows which run is a retry of which";
/// The source of a retry that was read once.
pub(crate) const RETRY_FROM_A_FILE: &str = "do the retry again from a file, with --only-rejects: what \
    is in the target counts as unchanged; then name that retry";
/// The source of a retry that was changed since.
pub(crate) const RETRY_SOURCE_CHANGED: &str = "put back what the retry read; or compare without it, \
    with --run for each of the other runs";
/// Several passes over standard input.
pub(crate) const NAME_A_FILE: &str = "name a file";

/// A retry whose parent is not named.
pub(crate) fn name_the_parent(parent: &str) -> String {
    format!(
        "name {parent} too, or leave the retry out; `reshelve runs` shows which run is a retry of which"
    )
}

/// Runs that a comparison may follow, as flags.
pub(crate) fn follow(runs: &[impl std::fmt::Display]) -> String {
    let word = |run: String| shell_word(run.as_ref()).unwrap_or_else(|| "RUN".to_owned());
    let flags = runs.iter().map(|run| format!("--run {}", word(run.to_string())));
    let flags: Vec<String> = flags.collect();
    flags.join(" ")
}

/// What may have caused mismatches that are all of one kind: a question, or what to look at.
pub fn of_cause(cause: &Cause) -> String {
    match cause {
        Cause::TargetEmpty => {
            "the target holds no documents: is it the right one? --target-db picks one of several \
             databases"
                .into()
        }
        Cause::NothingInCommon => {
            "no job of the source is in the target, which holds others: are this the right \
             collection (--db, --collection) and the right target?"
                .into()
        }
        Cause::CollectionEmpty { collection } => {
            format!("{collection} is empty, and other collections are not: was it lost or dropped?")
        }
        Cause::InFlightLeftOut => {
            "all jobs that are missing were in flight: did the run leave them out? --in-flight skip \
             compares without them"
                .into()
        }
        Cause::InFlightCarriedOver => {
            "the target has as many more jobs as were left out here, in flight: did the run carry \
             them over? --in-flight include or as-failed compares with them"
                .into()
        }
        Cause::RejectedCarriedOver => {
            "the target has as many more jobs as were rejected here: did a retry carry them over \
             (--run RUN --run RETRY), or the run, with --on-unknown-status failed?"
                .into()
        }
        Cause::OtherOptions => {
            "all jobs that differ have another status: were other options used for the run than \
             here? --run RUN takes those of the run"
                .into()
        }
        Cause::OnePlace { collection, path } => {
            format!("all differences are in {collection} {}: was it changed by a program?", plain(path))
        }
    }
}
